//! Reads an answer in bounded time: of a very long stream only the beginning and the end.

use crate::call::meaning::CallMeaning;
use crate::chat::timeline::TimelineBuilder;
use crate::chat::{AnswerReader, BodyEnding, BodyMediaType, Completion, DeltaSink};
use crate::exchange::Exchange;
use crate::price::PriceTable;
use crate::span::Moment;

/// Bytes of the end of a stream that are kept. The events that end an answer have some 2 KB in all dialects; 64 KiB leave
/// room for several.
const TAIL_KEPT: usize = 64 << 10;

/// Longest event that a tail keeps. A longer one is read in the ordinary way; such events are rare, and holding them would
/// take memory.
const TAIL_EVENT_LIMIT: usize = 1 << 20;

/// A reader of an answer and of the arrival times of its pieces. After `limit` bytes of a stream only the last events are
/// read, so that reading does not slow a fast download down.
#[derive(Debug)]
pub(super) struct BoundedAnswerReader {
    reader: AnswerReader,
    timeline: TimelineBuilder,
    limit: u64,
    /// Bytes of the body after which no more is read until its end.
    read_until: u64,
    tail: Option<StreamTail>,
}

impl BoundedAnswerReader {
    pub(super) fn new(reader: AnswerReader, limit: u64) -> Self {
        Self {
            reader,
            timeline: TimelineBuilder::default(),
            limit,
            read_until: limit,
            tail: None,
        }
    }

    /// The answer as read so far.
    pub(super) fn completion(&self) -> &Completion {
        self.reader.completion()
    }

    /// Reads the next decoded bytes of the body.
    pub(super) fn push(&mut self, bytes: &[u8], moment: Moment, sink: &mut dyn DeltaSink) {
        if let Some(tail) = &mut self.tail {
            tail.push(bytes, moment);
            if tail.is_full() {
                self.read_tail(sink);
            }
            return;
        }
        self.read(bytes, moment, sink);
        if self.completion().bytes >= self.read_until && self.reader.can_skip() {
            let (start, held) = self.reader.take_held();
            let is_lines = self.completion().media == BodyMediaType::Ndjson;
            self.tail = Some(StreamTail {
                start,
                bytes: held,
                is_lines,
                last_moment: moment,
                has_dropped: false,
            });
        }
    }

    /// Ends the body. Returns the meaning of the call, and whether a part of the answer was not read.
    pub(super) fn finish(
        mut self,
        exchange: &Exchange,
        prices: &PriceTable,
        sink: &mut dyn DeltaSink,
    ) -> (CallMeaning, bool) {
        self.read_tail(sink);
        let has_gap = self.reader.has_gap();
        let ending = BodyEnding::from_exchange(exchange);
        let mut sinks = (self.timeline, sink);
        let completion = self.reader.finish(ending, &mut sinks);
        let (sent, last) = (exchange.sent.last, exchange.received.last);
        let timeline = sinks.0.finish(&completion, sent, last);
        let meaning = CallMeaning::new(exchange, completion, timeline, prices);
        (meaning, has_gap)
    }

    fn read(&mut self, bytes: &[u8], moment: Moment, sink: &mut dyn DeltaSink) {
        let mut sinks = (std::mem::take(&mut self.timeline), sink);
        self.reader.push(bytes, moment, &mut sinks);
        self.timeline = sinks.0;
    }

    /// Reads the kept bytes, and goes on reading for another `limit` bytes.
    fn read_tail(&mut self, sink: &mut dyn DeltaSink) {
        let Some(tail) = self.tail.take() else { return };
        self.reader.resume_at(tail.start, tail.has_dropped);
        self.read(&tail.bytes, tail.last_moment, sink);
        self.read_until = self.completion().bytes.saturating_add(self.limit);
    }
}

/// The last bytes of a stream, from the start of an event on.
#[derive(Debug)]
struct StreamTail {
    /// Offset in the body of the first kept byte.
    start: u64,
    bytes: Vec<u8>,
    /// Whether each line is an event.
    is_lines: bool,
    last_moment: Moment,
    /// Whether events were dropped.
    has_dropped: bool,
}

impl StreamTail {
    fn push(&mut self, bytes: &[u8], moment: Moment) {
        self.last_moment = moment;
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > TAIL_KEPT.saturating_mul(2) {
            self.drop_events();
        }
    }

    /// Whether the kept bytes are too many, since no event ended in them.
    fn is_full(&self) -> bool {
        self.bytes.len() > TAIL_EVENT_LIMIT
    }

    /// Drops all events that end before the last [`TAIL_KEPT`] bytes.
    fn drop_events(&mut self) {
        let surplus = self.bytes.len().saturating_sub(TAIL_KEPT);
        let old = self.bytes.get(..surplus).unwrap_or_default();
        let ends: &[&[u8]] = match self.is_lines {
            true => &[b"\n"],
            // The usual one first: the others are only looked for without it.
            false => &[b"\n\n", b"\r\n\r\n", b"\r\r"],
        };
        let last_end = ends.iter().find_map(|end| {
            let at = memchr::memmem::rfind(old, end)?;
            at.checked_add(end.len())
        });
        if let Some(end) = last_end {
            self.bytes.drain(..end);
            self.start = self.start.saturating_add(end as u64);
            self.has_dropped = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{AnswerReadOptions, AnswerVerdict, dialect_by_name};
    use crate::exchange::ExchangeReader;
    use crate::http1::{BodyRetention, HttpLimits};
    use crate::span::StreamSide;
    use proptest::prelude::*;

    /// An exchange whose response is whole.
    fn whole_exchange() -> Exchange {
        let mut reader = ExchangeReader::new(BodyRetention::HeadsOnly, HttpLimits::default());
        let head =
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n";
        reader.ended(StreamSide::Sent, &mut ());
        reader.bytes(StreamSide::Received, Moment::default(), head, &mut ());
        reader.exchange
    }

    /// The verdict on a stream that is read in pieces of `step` bytes, and whether a part of it was not read.
    fn judge(body: &[u8], limit: u64, step: usize) -> (AnswerVerdict, bool) {
        let exchange = whole_exchange();
        let options = AnswerReadOptions {
            dialect: dialect_by_name("openai-chat"),
            ..AnswerReadOptions::default()
        };
        let reader = AnswerReader::new(&exchange, &[], options);
        let mut bounded = BoundedAnswerReader::new(reader, limit);
        for piece in body.chunks(step) {
            bounded.push(piece, Moment::default(), &mut ());
            let held = bounded.tail.as_ref().map_or(0, |tail| tail.bytes.len());
            assert!(held <= TAIL_EVENT_LIMIT + step, "{held} bytes are held");
        }
        let (meaning, has_gap) = bounded.finish(&exchange, &PriceTable::default(), &mut ());
        (meaning.completion.verdict, has_gap)
    }

    const LIMIT: u64 = 10_000;

    fn chunk(delta: &str, finish: &str) -> String {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"finish_reason\":{finish}}}]}}\n\n"
        )
    }

    /// A stream with 300 KB of text, which ends with `end`.
    fn stream(end: &str) -> String {
        let piece = chunk(&format!("\"content\":\"{}\"", "x".repeat(900)), "null");
        format!("{}{end}", piece.repeat(300))
    }

    #[test]
    fn a_limit_does_not_change_the_verdict() {
        let stop = chunk("", "\"stop\"");
        let error = "data: {\"error\":{\"message\":\"no\"}}\n\n";
        let long_event = chunk(
            &format!("\"content\":\"{}\"", "x".repeat(200_000)),
            "\"stop\"",
        );
        let ends = [
            (format!("{stop}data: [DONE]\n\n"), true),
            (stop.clone(), true),
            (String::new(), true),
            (stop.trim_end().to_owned(), true),
            (format!("{stop}data: {{\"choi"), true),
            (error.to_owned(), true),
            (format!("{long_event}data: [DONE]\n\n"), true),
            (long_event.get(..150_000).unwrap().to_owned(), true),
            (": still here\n".repeat(100_000), true),
            ("\n".repeat(300_000), true),
        ];
        for (end, gap) in &ends {
            for text in [stream(end), stream(end).replace('\n', "\r\n")] {
                let (verdict, _) = judge(text.as_bytes(), u64::MAX, 16 << 10);
                for step in [1000, 16 << 10, 1 << 20] {
                    let bounded = judge(text.as_bytes(), LIMIT, step);
                    assert_eq!(
                        bounded,
                        (verdict, *gap && step < 1 << 20),
                        "{end:.80} {step}"
                    );
                }
            }
        }
        let early = format!("{error}{}", stream(&stop));
        assert_eq!(
            judge(early.as_bytes(), LIMIT, 1000).0,
            AnswerVerdict::ErrorEvent
        );
    }

    #[test]
    fn comments_alone_are_no_answer() {
        let text = ": still here\n".repeat(30_000);
        for step in [1000, 1 << 20] {
            let (verdict, _) = judge(text.as_bytes(), LIMIT, step);
            assert_eq!(verdict, AnswerVerdict::NoFinish);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn any_split_gives_the_same_verdict(step in 1usize..200_000, cut in 0usize..400) {
            let text = stream(&format!("{}data: [DONE]\n\n", chunk("", "\"stop\"")));
            let text = text.get(..text.len() - cut).unwrap();
            let (verdict, _) = judge(text.as_bytes(), u64::MAX, step);
            prop_assert_eq!(judge(text.as_bytes(), LIMIT, step).0, verdict);
        }
    }
}
