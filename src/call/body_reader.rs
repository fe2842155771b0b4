//! Reads the bodies of a call while its HTTP events come, in bounded memory.

use super::bounded_answer::BoundedAnswerReader;
use super::meaning::CallMeaning;
use crate::chat::{AnswerReadOptions, AnswerReader, DeltaSink};
use crate::content::{ContentCoding, ContentDecoder, DecodeError, DecodeLimits};
use crate::exchange::Exchange;
use crate::http1::Event;
use crate::price::PriceTable;
use crate::span::{Moment, StreamSide};
use crate::sse;
use crate::tape::Window;

/// Most bytes of a request's body that are kept, to read the answer: as many as the longest event, so that a request with
/// an image fits.
const REQUEST_KEPT_LIMIT: u64 = sse::MAX_EVENT_BYTES;

/// A receiver of the response's body: its decoded bytes, and the deltas that are read from them.
pub trait BodySink: DeltaSink {
    /// Receives decoded bytes, before the deltas in them.
    fn decoded(&mut self, moment: Moment, bytes: &[u8]) {
        let _ = (moment, bytes);
    }
}

impl BodySink for () {}

/// How bodies are read.
#[derive(Clone, Copy, Debug)]
pub struct BodyReadOptions {
    /// Limits of the content decoder.
    pub content: DecodeLimits,
    /// How the answer is read.
    pub answer: AnswerReadOptions,
    /// Bytes of a stream after which only its last events are read.
    pub answer_limit: u64,
}

/// A reader of both bodies of an exchange: it keeps the beginning of the request's, undoes the content codings of the
/// response's, and reads its answer.
#[derive(Debug)]
pub struct BodyReader {
    options: BodyReadOptions,
    request_body: Vec<u8>,
    /// The decoder of the response's content codings; `None` without any.
    decoder: Option<ContentDecoder>,
    decode_error: Option<DecodeError>,
    /// `None` before the head of the response is whole.
    answer: Option<BoundedAnswerReader>,
}

/// What both bodies of an exchange mean.
#[derive(Debug)]
pub struct BodyReport {
    /// The first bytes of the request's body.
    pub request_body: Vec<u8>,
    /// Why the response's body could not be decoded.
    pub decode_error: Option<DecodeError>,
    /// The meaning of the call; `None` if the head of the response is not whole.
    pub meaning: Option<CallMeaning>,
    /// Whether a part of the answer was not read, since it is longer than the limit.
    pub has_gap: bool,
}

impl BodyReader {
    /// A reader of the bodies of a new exchange.
    pub fn new(options: BodyReadOptions) -> Self {
        Self {
            options,
            request_body: Vec::new(),
            decoder: None,
            decode_error: None,
            answer: None,
        }
    }

    /// Takes the next HTTP event of `exchange`.
    pub fn event(
        &mut self,
        exchange: &Exchange,
        side: StreamSide,
        moment: Moment,
        event: &Event,
        seen: Window<'_>,
        sink: &mut dyn BodySink,
    ) {
        match (side, *event) {
            (StreamSide::Sent, Event::Data(span)) => self.keep_request(seen.slice(span)),
            (StreamSide::Received, Event::HeadEnd(..)) if !exchange.response.is_interim() => {
                self.begin_response(exchange);
            }
            (StreamSide::Received, Event::Data(span)) => {
                self.read_response(moment, seen.slice(span), sink);
            }
            _ => {}
        }
    }

    /// Ends both bodies.
    pub fn finish(
        mut self,
        exchange: &Exchange,
        prices: &PriceTable,
        sink: &mut dyn BodySink,
    ) -> BodyReport {
        let ended = self.decoder.as_mut().map_or(Ok(()), ContentDecoder::finish);
        let read = self
            .answer
            .map(|answer| answer.finish(exchange, prices, sink));
        let (meaning, has_gap) = read.unzip();
        BodyReport {
            request_body: self.request_body,
            decode_error: self.decode_error.or(ended.err()),
            meaning,
            has_gap: has_gap.unwrap_or(false),
        }
    }

    fn keep_request(&mut self, bytes: &[u8]) {
        let room = REQUEST_KEPT_LIMIT.saturating_sub(self.request_body.len() as u64);
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(bytes.len());
        let kept = bytes.get(..room).unwrap_or_default();
        self.request_body.extend_from_slice(kept);
    }

    fn begin_response(&mut self, exchange: &Exchange) {
        // A body with an unknown coding is read as it is.
        let codings = ContentCoding::parse(exchange.response.codings()).unwrap_or_default();
        if !codings.is_empty() {
            self.decoder = Some(ContentDecoder::new(&codings, self.options.content));
        }
        let reader = AnswerReader::new(exchange, &self.request_body, self.options.answer);
        let limit = self.options.answer_limit;
        self.answer = Some(BoundedAnswerReader::new(reader, limit));
    }

    fn read_response(&mut self, moment: Moment, bytes: &[u8], sink: &mut dyn BodySink) {
        let answer = &mut self.answer;
        let mut read = |decoded: &[u8]| {
            sink.decoded(moment, decoded);
            if let Some(answer) = answer {
                answer.push(decoded, moment, sink);
            }
        };
        let Some(decoder) = &mut self.decoder else {
            return read(bytes);
        };
        if let Err(error) = decoder.push_to(bytes, &mut read) {
            self.decode_error.get_or_insert(error);
        }
    }
}
