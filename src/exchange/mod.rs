//! One exchange as every view takes it: the messages of both sides, what happened to the connection,
//! and how it ended. Made from a tape, or from the same feed while it runs, by one [`ExchangeReader`].

pub mod phases;
pub mod roles;

use crate::content::{self, ContentCoding, DecodedBody};
use crate::http1::{
    BodyRetention, Event, HttpDecoder, HttpFault, HttpLimits, HttpMessage, HttpOddity, MessageEnd,
    MessagePart, OddityKind, RequestMethod,
};
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{
    CloseKind, ConnectionFact, ExchangeStage, FailureCause, RollingBuffer, Stream, Tape, Window,
};

/// What was asked and answered.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// What happened to the connection, in order.
    pub facts: Vec<(Moment, ConnectionFact)>,
    /// The request.
    pub request: HttpMessage,
    /// Interim responses (1xx) before the final one, in order; the first [`MAX_REMEMBERED`] of them.
    pub interim: Vec<HttpMessage>,
    /// Interim responses beyond those.
    pub more_interim: u64,
    /// Masked places beyond the first [`MAX_REMEMBERED`], which are among the facts.
    pub more_masked: u64,
    /// The final response; begun, as far as it came.
    pub response: HttpMessage,
    /// What crossed from us to the peer.
    pub sent: TrafficTotals,
    /// What crossed from the peer to us.
    pub received: TrafficTotals,
    /// When the head of the final response was whole.
    pub response_head_at: Option<Moment>,
    /// Bytes after the end of the response.
    pub bytes_after_end: u64,
}

/// How many interim responses, and how many masked places, are remembered: a peer may send any number.
pub const MAX_REMEMBERED: usize = 256;

/// How much crossed one way, and when.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct TrafficTotals {
    /// Bytes on this side of TLS.
    pub bytes: u64,
    /// Reads or writes.
    pub runs: u64,
    /// Moment of the first.
    pub first: Option<Moment>,
    /// Moment of the last.
    pub last: Option<Moment>,
}

/// How an exchange ended.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum ExchangeOutcome {
    /// The response is whole.
    Whole,
    /// There was no connection to write to.
    NoConnection {
        /// What was being done.
        stage: ExchangeStage,
        /// Why it failed.
        error: String,
    },
    /// A time limit passed.
    TimedOut {
        /// What was being done.
        stage: ExchangeStage,
        /// Which limit.
        error: String,
    },
    /// The user interrupted.
    Interrupted,
    /// The peer ended the connection, or it broke, without a byte of a response.
    NoResponse {
        /// In what words the connection ended.
        error: String,
    },
    /// The response stops inside a message, or where nobody can tell whether it was whole.
    Cut {
        /// In which part; `None` where a body until the close ended without TLS's goodbye.
        within: Option<MessagePart>,
        /// How many bytes were still promised.
        missing: Option<u64>,
        /// In what words the connection ended.
        error: String,
    },
    /// The framing was lost.
    Lost {
        /// Offset in the received stream.
        at: u64,
        /// Why.
        fault: HttpFault,
    },
    /// The recording stops before the exchange did.
    Unfinished,
}

impl ExchangeOutcome {
    /// Whether the exchange came to its proper end.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

impl Exchange {
    /// Reads a whole tape.
    pub fn read(tape: &Tape, limits: HttpLimits) -> Self {
        let mut reader = ExchangeReader::new(BodyRetention::WholeBody, limits);
        for (moment, fact) in &tape.facts {
            reader.fact(*moment, fact);
        }
        for stream in [&tape.sent, &tape.received] {
            for (span, moment) in stream.reads() {
                reader.bytes(stream.side, moment, stream.slice(span), &mut ());
            }
            reader.ended(stream.side, &mut ());
        }
        reader.exchange
    }

    /// How it ended.
    pub fn outcome(&self) -> ExchangeOutcome {
        if let Some(MessageEnd::FramingLost { at, fault }) = self.response.end {
            return ExchangeOutcome::Lost { at, fault };
        }
        // A recording that stops before the close does not know whether more came.
        let clean = matches!(
            self.closing(),
            Some(CloseKind::CloseNotify | CloseKind::Eof)
        );
        match self.response.end {
            Some(MessageEnd::Complete) => return ExchangeOutcome::Whole,
            // Without TLS's goodbye nobody can tell whether that was all (RFC 9112, 9.8).
            Some(MessageEnd::Closed) if clean && self.failure().is_none() => {
                return ExchangeOutcome::Whole;
            }
            _ => {}
        }
        if let Some((stage, cause, error)) = self.failure() {
            let error = error.to_owned();
            match cause {
                FailureCause::TimedOut => return ExchangeOutcome::TimedOut { stage, error },
                FailureCause::Interrupted => return ExchangeOutcome::Interrupted,
                FailureCause::Refused if stage < ExchangeStage::Write => {
                    return ExchangeOutcome::NoConnection { stage, error };
                }
                FailureCause::Refused => {}
            }
        }
        if self.closing().is_none() && self.failure().is_none() {
            return ExchangeOutcome::Unfinished;
        }
        let error = self.describe_ending();
        match self.response.end {
            _ if self.received.bytes == 0 => ExchangeOutcome::NoResponse { error },
            Some(MessageEnd::Truncated { within, missing }) => ExchangeOutcome::Cut {
                within: Some(within),
                missing,
                error,
            },
            _ => ExchangeOutcome::Cut {
                within: None,
                missing: None,
                error,
            },
        }
    }

    fn failure(&self) -> Option<(ExchangeStage, FailureCause, &str)> {
        self.facts.iter().find_map(|(_, fact)| match fact {
            ConnectionFact::Failed {
                stage,
                cause,
                error,
            } => Some((*stage, *cause, error.as_str())),
            _ => None,
        })
    }

    fn closing(&self) -> Option<CloseKind> {
        self.facts.iter().find_map(|(_, fact)| match fact {
            ConnectionFact::Closed { how, .. } => Some(*how),
            _ => None,
        })
    }

    /// How the connection ended, in words.
    fn describe_ending(&self) -> String {
        match (self.failure(), self.closing()) {
            (Some((_, _, error)), _) => error.to_owned(),
            (None, Some(CloseKind::Reset)) => "the peer reset the connection".to_owned(),
            (None, Some(CloseKind::EofWithoutCloseNotify)) => {
                "the peer closed the connection without TLS's close_notify".to_owned()
            }
            (None, _) => "the peer closed the connection".to_owned(),
        }
    }

    /// Every oddity of every message, with its side, in the order of the messages.
    pub fn oddities(&self) -> impl Iterator<Item = (StreamSide, HttpOddity)> {
        let of = |side, message: &HttpMessage| {
            let oddities = message.oddities.clone();
            oddities.into_iter().map(move |oddity| (side, oddity))
        };
        let received = self.interim.iter().chain([&self.response]);
        let received = received.flat_map(|message| of(StreamSide::Received, message));
        of(StreamSide::Sent, &self.request).chain(received.collect::<Vec<_>>())
    }

    /// Where the framing of the response was lost, if it was.
    pub fn framing_lost_at(&self) -> Option<u64> {
        match self.response.end {
            Some(MessageEnd::FramingLost { at, .. }) => Some(at),
            _ => None,
        }
    }
}

/// The decoded body of `message`, whose bytes lie in `stream`. A coding that is not known is left as it is.
pub fn decode_body(
    message: &HttpMessage,
    stream: &Stream,
    limits: content::DecodeLimits,
) -> DecodedBody {
    let codings = ContentCoding::parse(message.codings()).unwrap_or_default();
    // Cut where reads ended, so that each piece has the moment of its own read.
    let pieces = message
        .body
        .iter()
        .flat_map(|span| stream.split_at_reads(*span));
    DecodedBody::decode(
        &codings,
        pieces.map(|span| (span, stream.slice(span))),
        limits,
    )
}

/// The decoded bodies of request and response.
pub fn decode_bodies(
    tape: &Tape,
    exchange: &Exchange,
    limits: content::DecodeLimits,
) -> [DecodedBody; 2] {
    [
        decode_body(&exchange.request, &tape.sent, limits),
        decode_body(&exchange.response, &tape.received, limits),
    ]
}

/// Whoever wants the events of both messages as they are read.
pub trait HttpEventSink {
    /// `seen` still holds the bytes that the event covers; `moment` is that of its last byte.
    fn event(&mut self, side: StreamSide, moment: Moment, event: &Event, seen: Window<'_>);
}

impl HttpEventSink for () {
    fn event(&mut self, _: StreamSide, _: Moment, _: &Event, _: Window<'_>) {}
}

/// Makes an [`Exchange`] from what a watcher is told.
#[derive(Debug)]
pub struct ExchangeReader {
    /// What is known so far.
    pub exchange: Exchange,
    keep: BodyRetention,
    limits: HttpLimits,
    /// How many masked places are among the facts.
    masked_places: usize,
    sent: SideDecoder,
    received: SideDecoder,
}

#[derive(Debug, Default)]
struct SideDecoder {
    rolling: RollingBuffer,
    decoder: Option<HttpDecoder>,
}

impl ExchangeReader {
    /// A reader that has seen nothing.
    pub fn new(keep: BodyRetention, limits: HttpLimits) -> Self {
        Self {
            exchange: Exchange::default(),
            keep,
            limits,
            masked_places: 0,
            sent: SideDecoder::default(),
            received: SideDecoder::default(),
        }
    }

    /// Takes in a fact.
    pub fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        let masked = usize::from(matches!(fact, ConnectionFact::Redacted { .. }));
        if masked > 0 && self.masked_places >= MAX_REMEMBERED {
            self.exchange.more_masked = self.exchange.more_masked.saturating_add(1);
            return;
        }
        self.masked_places = self.masked_places.saturating_add(masked);
        self.exchange.facts.push((moment, fact.clone()));
    }

    /// Takes in what one read or write moved.
    pub fn bytes(
        &mut self,
        side: StreamSide,
        moment: Moment,
        bytes: &[u8],
        listen: &mut dyn HttpEventSink,
    ) {
        if bytes.is_empty() {
            return;
        }
        let traffic = match side {
            StreamSide::Sent => &mut self.exchange.sent,
            StreamSide::Received => &mut self.exchange.received,
        };
        traffic.bytes = traffic.bytes.saturating_add(bytes.len() as u64);
        traffic.runs = traffic.runs.saturating_add(1);
        traffic.first.get_or_insert(moment);
        traffic.last = Some(moment);
        self.feed(side, moment, bytes, false, listen);
    }

    /// No more bytes will come on this side.
    pub fn ended(&mut self, side: StreamSide, listen: &mut dyn HttpEventSink) {
        let traffic = match side {
            StreamSide::Sent => &self.exchange.sent,
            StreamSide::Received => &self.exchange.received,
        };
        let moment = traffic.last.unwrap_or_default();
        self.feed(side, moment, &[], true, listen);
    }

    fn feed(
        &mut self,
        side: StreamSide,
        moment: Moment,
        bytes: &[u8],
        ended: bool,
        listen: &mut dyn HttpEventSink,
    ) {
        let half = match side {
            StreamSide::Sent => &mut self.sent,
            StreamSide::Received => &mut self.received,
        };
        let (exchange, keep, limits) = (&mut self.exchange, self.keep, self.limits);
        let decoder = half.decoder.get_or_insert_with(|| match side {
            StreamSide::Sent => HttpDecoder::for_request(0, limits),
            StreamSide::Received => {
                HttpDecoder::for_response(request_method(&exchange.request), 0, limits)
            }
        });
        half.rolling.feed(bytes, ended, |seen| {
            while let Some(event) = decoder.step(seen) {
                listen.event(side, moment, &event, seen);
                exchange.add_event(side, moment, &event, seen, keep);
                let interim = side == StreamSide::Received && exchange.response.is_interim();
                if interim && event == Event::End(MessageEnd::Complete) {
                    exchange.finish_interim();
                    *decoder = HttpDecoder::for_response(
                        request_method(&exchange.request),
                        decoder.at(),
                        limits,
                    );
                }
            }
            exchange.take_after_end(side, moment, decoder, seen, listen)
        });
    }
}

fn request_method(request: &HttpMessage) -> RequestMethod {
    request
        .method()
        .map_or(RequestMethod::Other, RequestMethod::from_method)
}

impl Exchange {
    fn finish_interim(&mut self) {
        let interim = std::mem::take(&mut self.response);
        if self.interim.len() < MAX_REMEMBERED {
            self.interim.push(interim);
        } else {
            self.more_interim = self.more_interim.saturating_add(1);
        }
    }

    fn add_event(
        &mut self,
        side: StreamSide,
        moment: Moment,
        event: &Event,
        seen: Window<'_>,
        keep: BodyRetention,
    ) {
        match side {
            StreamSide::Sent => self.request.add_event(event, seen, keep),
            StreamSide::Received => {
                self.response.add_event(event, seen, keep);
                if matches!(event, Event::HeadEnd(..)) {
                    self.response_head_at = Some(moment);
                }
            }
        }
    }

    /// What stands after the end of the message: told once, counted always.
    fn take_after_end(
        &mut self,
        side: StreamSide,
        moment: Moment,
        decoder: &HttpDecoder,
        seen: Window<'_>,
        listen: &mut dyn HttpEventSink,
    ) -> u64 {
        let rest = Span::new(decoder.at(), seen.end());
        if !decoder.is_done() || rest.is_empty() {
            return decoder.at();
        }
        let message = match side {
            StreamSide::Sent => &mut self.request,
            StreamSide::Received => &mut self.response,
        };
        let tunnel = message.framing == Some(crate::http1::BodyFraming::Tunnel);
        let fresh = Span::new(rest.start.max(seen.base), rest.end);
        let is_told = |odd: &HttpOddity| odd.kind == OddityKind::AfterEnd;
        if !tunnel && !message.oddities.iter().any(is_told) {
            let oddity = HttpOddity {
                kind: OddityKind::AfterEnd,
                at: Span::empty_at(rest.start),
            };
            message.add_oddity(oddity);
            listen.event(side, moment, &Event::Odd(oddity), seen);
        }
        if side == StreamSide::Received {
            self.bytes_after_end = self.bytes_after_end.saturating_add(fresh.len());
        }
        listen.event(side, moment, &Event::Unframed(fresh), seen);
        rest.end
    }
}
