//! The end of an answer that is too long to be explained while it comes: enough of it to judge how it ended.

use super::Style;
use super::meaning::Meaning;
use super::plan::Answer;
use crate::call::meaning::Report;
use crate::chat::{self, Completion, Media, Options};
use crate::exchange::Exchange;
use crate::price::Prices;
use crate::span::Moment;

/// How much of the end is kept, in bytes: what says that an answer is over is far shorter.
const KEPT: usize = 64 << 10;

/// The last bytes of the body of a stream.
#[derive(Debug)]
pub(super) struct Tail {
    /// The last of all bytes: at least [`KEPT`], if there are as many, and at most twice that.
    bytes: Vec<u8>,
    options: Options,
    media: Media,
    last: Moment,
}

impl Tail {
    /// Of a stream whose beginning was read: its end is read in the same dialect. Of other answers no end can be
    /// understood without the beginning.
    pub(super) fn of(beginning: &Completion, options: Options) -> Option<Self> {
        let dialect = beginning.dialect.and_then(chat::by_name)?;
        let media = beginning.media;
        matches!(media, Media::Sse | Media::Ndjson).then(|| Self {
            bytes: Vec::with_capacity(KEPT.saturating_mul(2)),
            options: Options {
                dialect: Some(dialect),
                ..options
            },
            media,
            last: Moment::default(),
        })
    }

    /// Takes in decoded bytes of the body.
    pub(super) fn push(&mut self, bytes: &[u8], moment: Moment) {
        self.last = moment;
        let bytes = last(bytes, KEPT);
        if self.bytes.len().saturating_add(bytes.len()) > KEPT.saturating_mul(2) {
            let surplus = self.bytes.len().saturating_sub(KEPT);
            self.bytes.drain(..surplus);
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// What the last events mean; `None` where none begins in what was kept.
    pub(super) fn judge(
        self,
        exchange: &Exchange,
        asked: &[u8],
        prices: &Prices,
    ) -> Option<Report> {
        let events = self.bytes.get(self.first_event()?..)?;
        // The last event alone may be longer than what was kept.
        if events.trim_ascii().is_empty() {
            return None;
        }
        let mut meaning = Meaning::begin(exchange, asked, self.options, Answer::Body, false);
        let (style, mut nowhere) = (Style::default(), String::new());
        meaning.push(events, self.last, (&style, false), &mut nowhere);
        Some(meaning.finish(exchange, prices, (&style, false), &mut nowhere))
    }

    /// Where the first event begins whose beginning is there.
    fn first_event(&self) -> Option<usize> {
        let ends: &[&[u8]] = match self.media {
            Media::Ndjson => &[b"\n"],
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
fn last(bytes: &[u8], most: usize) -> &[u8] {
    bytes
        .get(bytes.len().saturating_sub(most)..)
        .unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(media: Media) -> Option<Tail> {
        let beginning = Completion {
            dialect: Some("openai-chat"),
            media,
            ..Completion::default()
        };
        Tail::of(&beginning, Options::default())
    }

    fn tail(pieces: &[&[u8]]) -> Tail {
        let mut tail = of(Media::Sse).unwrap();
        for piece in pieces {
            tail.push(piece, Moment::default());
        }
        tail
    }

    #[test]
    fn the_end_is_kept_and_memory_is_bounded() {
        let long = vec![b'x'; KEPT * 5];
        let tail = tail(&[b"begin", &long, &long[..KEPT], b"\n\ndata: end\n\n"]);
        assert!(tail.bytes.len() <= 2 * KEPT);
        assert!(tail.bytes.ends_with(b"\n\ndata: end\n\n"));
        assert_eq!(&tail.bytes[tail.first_event().unwrap()..], b"data: end\n\n");
    }

    #[test]
    fn only_streams_have_an_end_of_their_own() {
        assert!(of(Media::Json).is_none());
        assert_eq!(tail(&[b"data: one"]).first_event(), None);
        assert_eq!(tail(&[b"x\r\n\r\ndata: y"]).first_event(), Some(5));
    }
}
