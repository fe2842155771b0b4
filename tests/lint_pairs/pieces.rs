//! Reads a call as a live view does, byte by byte: HTTP events, content coding, answer.

use wire::call::ReadOptions;
use wire::call::meaning::CallMeaning;
use wire::chat::timeline::TimelineBuilder;
use wire::chat::{AnswerReader, BodyEnding};
use wire::content::{ContentCoding, ContentDecoder, DecodeError};
use wire::exchange::{Exchange, ExchangeReader, HttpEventSink};
use wire::http1::{BodyRetention, Event};
use wire::lint::{CallView, Finding, check_call};
use wire::span::{Moment, StreamSide};
use wire::tape::Window;

use super::notation::Half;

/// The answer of a response whose bytes come one by one.
struct ByteReader<'a> {
    options: &'a ReadOptions,
    request_body: Vec<u8>,
    answer: Option<AnswerReader>,
    decoder: Option<ContentDecoder>,
    decode_error: Option<DecodeError>,
    timeline: TimelineBuilder,
}

impl HttpEventSink for ByteReader<'_> {
    fn event(
        &mut self,
        exchange: &Exchange,
        side: StreamSide,
        moment: Moment,
        event: &Event,
        seen: Window<'_>,
    ) {
        match (side, event) {
            (StreamSide::Sent, Event::Data(span)) => {
                self.request_body.extend_from_slice(seen.slice(*span));
            }
            (StreamSide::Received, Event::HeadEnd(..)) if !exchange.response.is_interim() => {
                self.begin(exchange);
            }
            (StreamSide::Received, Event::Data(span)) => self.push(seen.slice(*span), moment),
            _ => {}
        }
    }
}

impl ByteReader<'_> {
    fn begin(&mut self, exchange: &Exchange) {
        let codings = ContentCoding::parse(exchange.response.codings()).unwrap_or_default();
        let mut limits = self.options.content;
        limits.size = limits.size.min(limits.held_size);
        self.decoder = Some(ContentDecoder::new(&codings, limits));
        let reader = AnswerReader::new(exchange, &self.request_body, self.options.answer);
        self.answer = Some(reader);
    }

    fn push(&mut self, bytes: &[u8], moment: Moment) {
        let (Some(decoder), None) = (&mut self.decoder, &self.decode_error) else {
            return;
        };
        let mut decoded = Vec::new();
        self.decode_error = decoder.push(bytes, &mut decoded).err();
        let answer = self.answer.as_mut().unwrap();
        for byte in decoded {
            answer.push(&[byte], moment, &mut self.timeline);
        }
    }

    fn finish(mut self, exchange: &Exchange) -> Vec<Finding> {
        let ended = self.decoder.as_mut().map(ContentDecoder::finish);
        let decode_error = self.decode_error.or(ended.and_then(Result::err));
        let reader = self.answer.unwrap_or_else(|| {
            AnswerReader::new(exchange, &self.request_body, self.options.answer)
        });
        let completion = reader.finish(BodyEnding::from_exchange(exchange), &mut self.timeline);
        let (sent, last) = (exchange.sent.last, exchange.received.last);
        let timeline = self.timeline.finish(&completion, sent, last);
        let meaning = CallMeaning::new(exchange, completion, timeline, &self.options.prices);
        check_call(CallView {
            exchange,
            request_body: &self.request_body,
            decode_error: decode_error.as_ref(),
            meaning: Some(&meaning),
            capture_notes: &[],
        })
    }
}

/// The findings of a call whose bytes come one by one.
pub(crate) fn findings(half: &Half, options: &ReadOptions) -> Vec<Finding> {
    let tape = half.tape();
    let mut http = ExchangeReader::new(BodyRetention::HeadsOnly, options.http1);
    let mut reader = ByteReader {
        options,
        request_body: vec![],
        answer: None,
        decoder: None,
        decode_error: None,
        timeline: TimelineBuilder::default(),
    };
    for (moment, fact) in &tape.facts {
        http.fact(*moment, fact);
    }
    for stream in [&tape.sent, &tape.received] {
        for (span, moment) in stream.reads() {
            for byte in stream.slice(span) {
                http.bytes(stream.side, moment, &[*byte], &mut reader);
            }
        }
        http.ended(stream.side, &mut reader);
    }
    let mut findings = wire::lint::capture_findings(&half.notes());
    findings.extend(reader.finish(&http.exchange));
    findings
}
