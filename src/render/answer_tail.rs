//! The last bytes of an answer that is too long to be read whole while it arrives: enough to see how it ended.

use super::OutputStyle;
use super::live_answer::LiveAnswer;
use super::view_options::AnswerForm;
use crate::call::meaning::CallMeaning;
use crate::chat::{self, AnswerReadOptions, BodyMediaType, Completion};
use crate::exchange::Exchange;
use crate::price::PriceTable;
use crate::span::Moment;
use crate::sse;

/// Bytes of the end that are kept. The events that end an answer have some 2 KB in all dialects; 64 KiB leave room for a long last event.
const TAIL_KEPT: usize = 64 << 10;

/// The last bytes of a streamed body, to be read in the dialect of its beginning.
#[derive(Debug)]
pub(super) struct AnswerTail {
    /// The last bytes: between [`TAIL_KEPT`] and twice that, fewer only if the body is shorter.
    bytes: Vec<u8>,
    options: AnswerReadOptions,
    media: BodyMediaType,
    last_moment: Moment,
}

impl AnswerTail {
    /// The tail of a stream whose beginning was read. `None` for other answers: a part of one JSON document
    /// cannot be read alone.
    pub(super) fn from_beginning(
        beginning: &Completion,
        options: AnswerReadOptions,
    ) -> Option<Self> {
        let dialect = chat::dialect_by_name(beginning.dialect?.name)?;
        let media = beginning.media;
        let is_kept = matches!(
            media,
            BodyMediaType::Sse | BodyMediaType::Ndjson | BodyMediaType::AwsEventstream
        );
        is_kept.then(|| Self {
            bytes: Vec::with_capacity(TAIL_KEPT.saturating_mul(2)),
            options: AnswerReadOptions {
                dialect: Some(dialect),
                ..options
            },
            media,
            last_moment: Moment::default(),
        })
    }

    /// Appends decoded bytes of the body.
    pub(super) fn push(&mut self, bytes: &[u8], moment: Moment) {
        self.last_moment = moment;
        let bytes = last_bytes(bytes, TAIL_KEPT);
        if self.bytes.len().saturating_add(bytes.len()) > TAIL_KEPT.saturating_mul(2) {
            let surplus = self.bytes.len().saturating_sub(TAIL_KEPT);
            self.bytes.drain(..surplus);
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The meaning of the last events; `None` if no event begins in the kept bytes.
    pub(super) fn read_report(
        self,
        exchange: &Exchange,
        asked: &[u8],
        prices: &PriceTable,
    ) -> Option<CallMeaning> {
        let events = self.bytes.get(self.first_event_start()?..)?;
        // The last event alone may be longer than the kept bytes.
        if events.trim_ascii().is_empty() {
            return None;
        }
        let mut meaning = LiveAnswer::begin(exchange, asked, self.options, AnswerForm::Body, false);
        let (style, mut nowhere) = (OutputStyle::default(), String::new());
        meaning.push(events, self.last_moment, (&style, false), &mut nowhere);
        Some(meaning.finish(exchange, prices, (&style, false), &mut nowhere))
    }

    /// The position of the first event whose beginning was kept.
    fn first_event_start(&self) -> Option<usize> {
        let ends: &[&[u8]] = match self.media {
            BodyMediaType::AwsEventstream => {
                let mut starts = 0..self.bytes.len();
                let frame = |at: &usize| self.bytes.get(*at..).and_then(sse::begins_with_frame);
                return starts.find(|at| frame(at) == Some(true));
            }
            BodyMediaType::Ndjson => &[b"\n"],
            _ => &[b"\n\n", b"\r\n\r\n", b"\r\r"],
        };
        let ends = ends.iter().filter_map(|end| {
            let at = memchr::memmem::find(&self.bytes, end)?;
            at.checked_add(end.len())
        });
        ends.min()
    }
}

/// The last `most` bytes.
fn last_bytes(bytes: &[u8], most: usize) -> &[u8] {
    bytes
        .get(bytes.len().saturating_sub(most)..)
        .unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail_of(media: BodyMediaType) -> Option<AnswerTail> {
        let beginning = Completion {
            dialect: chat::dialect_by_name("openai-chat").map(chat::Dialect::profile),
            media,
            ..Completion::default()
        };
        AnswerTail::from_beginning(&beginning, AnswerReadOptions::default())
    }

    fn tail(pieces: &[&[u8]]) -> AnswerTail {
        let mut tail = tail_of(BodyMediaType::Sse).unwrap();
        for piece in pieces {
            tail.push(piece, Moment::default());
        }
        tail
    }

    #[test]
    fn the_end_is_kept_and_memory_is_bounded() {
        let long = vec![b'x'; TAIL_KEPT * 5];
        let tail = tail(&[b"begin", &long, &long[..TAIL_KEPT], b"\n\ndata: end\n\n"]);
        assert!(tail.bytes.len() <= 2 * TAIL_KEPT);
        assert!(tail.bytes.ends_with(b"\n\ndata: end\n\n"));
        assert_eq!(
            &tail.bytes[tail.first_event_start().unwrap()..],
            b"data: end\n\n"
        );
    }

    #[test]
    fn only_a_stream_has_a_tail() {
        assert!(tail_of(BodyMediaType::Json).is_none());
        assert_eq!(tail(&[b"data: one"]).first_event_start(), None);
        assert_eq!(tail(&[b"x\r\n\r\ndata: y"]).first_event_start(), Some(5));
        let mut frames = tail_of(BodyMediaType::AwsEventstream).unwrap();
        frames.push(b"of a frame", Moment::default());
        assert_eq!(frames.first_event_start(), None);
        frames.push(&sse::encode_frame(&[], b"{}"), Moment::default());
        assert_eq!(frames.first_event_start(), Some(10));
    }
}
