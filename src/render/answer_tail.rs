//! The end of an answer that is too long to be explained while it comes: enough of it to judge how it ended.

use super::OutputStyle;
use super::live_answer::LiveAnswer;
use super::view_options::AnswerForm;
use crate::call::meaning::CallMeaning;
use crate::chat::{self, AnswerReadOptions, BodyMediaType, Completion};
use crate::exchange::Exchange;
use crate::price::PriceTable;
use crate::span::Moment;

/// How much of the end is kept, in bytes: what says that an answer is over is far shorter.
const TAIL_KEPT: usize = 64 << 10;

/// The last bytes of the body of a stream.
#[derive(Debug)]
pub(super) struct AnswerTail {
    /// The last of all bytes: at least [`TAIL_KEPT`], if there are as many, and at most twice that.
    bytes: Vec<u8>,
    options: AnswerReadOptions,
    media: BodyMediaType,
    last_moment: Moment,
}

impl AnswerTail {
    /// Of a stream whose beginning was read: its end is read in the same dialect. Of other answers no end can be
    /// understood without the beginning.
    pub(super) fn from_beginning(
        beginning: &Completion,
        options: AnswerReadOptions,
    ) -> Option<Self> {
        let dialect = beginning.dialect.and_then(chat::dialect_by_name)?;
        let media = beginning.media;
        matches!(media, BodyMediaType::Sse | BodyMediaType::Ndjson).then(|| Self {
            bytes: Vec::with_capacity(TAIL_KEPT.saturating_mul(2)),
            options: AnswerReadOptions {
                dialect: Some(dialect),
                ..options
            },
            media,
            last_moment: Moment::default(),
        })
    }

    /// Takes in decoded bytes of the body.
    pub(super) fn push(&mut self, bytes: &[u8], moment: Moment) {
        self.last_moment = moment;
        let bytes = last_bytes(bytes, TAIL_KEPT);
        if self.bytes.len().saturating_add(bytes.len()) > TAIL_KEPT.saturating_mul(2) {
            let surplus = self.bytes.len().saturating_sub(TAIL_KEPT);
            self.bytes.drain(..surplus);
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// What the last events mean; `None` where none begins in what was kept.
    pub(super) fn read_report(
        self,
        exchange: &Exchange,
        asked: &[u8],
        prices: &PriceTable,
    ) -> Option<CallMeaning> {
        let events = self.bytes.get(self.first_event_start()?..)?;
        // The last event alone may be longer than what was kept.
        if events.trim_ascii().is_empty() {
            return None;
        }
        let mut meaning = LiveAnswer::begin(exchange, asked, self.options, AnswerForm::Body, false);
        let (style, mut nowhere) = (OutputStyle::default(), String::new());
        meaning.push(events, self.last_moment, (&style, false), &mut nowhere);
        Some(meaning.finish(exchange, prices, (&style, false), &mut nowhere))
    }

    /// Where the first event begins whose beginning is there.
    fn first_event_start(&self) -> Option<usize> {
        let ends: &[&[u8]] = match self.media {
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

    fn of(media: BodyMediaType) -> Option<AnswerTail> {
        let beginning = Completion {
            dialect: Some("openai-chat"),
            media,
            ..Completion::default()
        };
        AnswerTail::from_beginning(&beginning, AnswerReadOptions::default())
    }

    fn tail(pieces: &[&[u8]]) -> AnswerTail {
        let mut tail = of(BodyMediaType::Sse).unwrap();
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
    fn only_streams_have_an_end_of_their_own() {
        assert!(of(BodyMediaType::Json).is_none());
        assert_eq!(tail(&[b"data: one"]).first_event_start(), None);
        assert_eq!(tail(&[b"x\r\n\r\ndata: y"]).first_event_start(), Some(5));
    }
}
