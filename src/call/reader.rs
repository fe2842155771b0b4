//! Reads a call while its bytes come, in bounded memory: for views that need its meaning and not its bytes.

use super::body_reader::{BodyReadOptions, BodyReader, BodySink};
use super::bounded_answer::BoundedAnswerReader;
use super::meaning::CallMeaning;
use super::options::ReadOptions;
use crate::chat::{AnswerReadOptions, AnswerReader};
use crate::content::DecodeError;
use crate::exchange::{Exchange, ExchangeReader, HttpEventSink};
use crate::http1::{BodyRetention, Event};
use crate::price::PriceTable;
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, Window, WireSink};

/// A reader of one call from its facts and bytes. `S` receives the body of the response.
#[derive(Debug)]
pub struct CallReader<S = ()> {
    http: ExchangeReader,
    bodies: BodyReader,
    answer: AnswerReadOptions,
    sink: S,
}

/// What a call means, without its bytes.
#[derive(Debug)]
pub struct CallReport {
    /// The HTTP messages, without the spans of their bodies.
    pub exchange: Exchange,
    /// The first bytes of the request's body.
    pub request_body: Vec<u8>,
    /// Why the response's body could not be decoded.
    pub decode_error: Option<DecodeError>,
    /// The answer, its timeline, service facts, cost and retry advice.
    pub meaning: CallMeaning,
}

impl CallReader {
    /// A reader of a new call.
    pub fn new(options: &ReadOptions) -> Self {
        Self::with_sink(options, ())
    }
}

impl<S: BodySink> CallReader<S> {
    /// A reader that passes the body of the response to `sink`.
    pub fn with_sink(options: &ReadOptions, sink: S) -> Self {
        let options_of_bodies = BodyReadOptions {
            content: options.content,
            answer: options.answer,
            answer_limit: u64::MAX,
        };
        Self {
            http: ExchangeReader::new(BodyRetention::HeadsOnly, options.http1),
            bodies: BodyReader::new(options_of_bodies),
            answer: options.answer,
            sink,
        }
    }

    /// Ends the call. Returns its report and the sink.
    pub fn finish(mut self, prices: &PriceTable) -> (CallReport, S) {
        let exchange = self.http.exchange;
        let report = self.bodies.finish(&exchange, prices, &mut self.sink);
        // Without a response a call has a meaning too: the model that was asked for, and that no answer came.
        let meaning = report.meaning.unwrap_or_else(|| {
            let reader = AnswerReader::new(&exchange, &report.request_body, self.answer);
            let reader = BoundedAnswerReader::new(reader, u64::MAX);
            reader.finish(&exchange, prices, &mut ()).0
        });
        let report = CallReport {
            exchange,
            request_body: report.request_body,
            decode_error: report.decode_error,
            meaning,
        };
        (report, self.sink)
    }
}

impl<S: BodySink> WireSink for CallReader<S> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.http.fact(moment, fact);
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        let mut bodies = BodyEvents(&mut self.bodies, &mut self.sink);
        self.http.bytes(side, moment, bytes, &mut bodies);
    }

    fn ended(&mut self, side: StreamSide, _moment: Moment) {
        let mut bodies = BodyEvents(&mut self.bodies, &mut self.sink);
        self.http.ended(side, &mut bodies);
    }
}

/// Passes HTTP events on to a reader of bodies.
struct BodyEvents<'a>(&'a mut BodyReader, &'a mut dyn BodySink);

impl HttpEventSink for BodyEvents<'_> {
    fn event(
        &mut self,
        exchange: &Exchange,
        side: StreamSide,
        moment: Moment,
        event: &Event,
        seen: Window<'_>,
    ) {
        self.0.event(exchange, side, moment, event, seen, self.1);
    }
}

impl CallReport {
    /// Whether the response's body could be decoded and the answer in it did not break off.
    pub fn is_complete(&self) -> bool {
        self.decode_error.is_none() && !self.meaning.is_broken_off()
    }
}
