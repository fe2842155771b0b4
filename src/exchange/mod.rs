//! One exchange as every view takes it: the messages of both sides, what happened to the connection,
//! and how it ended. Made from a tape, or from the same feed while it runs, by one [`Reader`].

pub mod phases;
pub mod roles;

use crate::content::{self, Body, Coding};
use crate::http1::{
    Asked, Decoder, End, Event, Fault, Keep, Limits, Message, Oddity, OddityKind, Part,
};
use crate::span::{Moment, Side, Span};
use crate::tape::{Cause, Closing, Fact, Rolling, Stage, Stream, Tape, Window};

/// What was asked and answered.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    /// What happened to the connection, in order.
    pub facts: Vec<(Moment, Fact)>,
    /// The request.
    pub request: Message,
    /// Interim responses (1xx) before the final one, in order; the first [`REMEMBERED`] of them.
    pub interim: Vec<Message>,
    /// Interim responses beyond those.
    pub more_interim: u64,
    /// Masked places beyond the first [`REMEMBERED`], which are among the facts.
    pub more_masked: u64,
    /// The final response; begun, as far as it came.
    pub response: Message,
    /// What crossed from us to the peer.
    pub sent: Traffic,
    /// What crossed from the peer to us.
    pub received: Traffic,
    /// When the head of the final response was whole.
    pub headed: Option<Moment>,
    /// Bytes after the end of the response.
    pub after_end: u64,
}

/// How many interim responses, and how many masked places, are remembered: a peer may send any number.
pub const REMEMBERED: usize = 256;

/// How much crossed one way, and when.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, serde::Serialize)]
pub struct Traffic {
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
pub enum Outcome {
    /// The response is whole.
    Whole,
    /// There was no connection to write to.
    NoConnection {
        /// What was being done.
        stage: Stage,
        /// Why it failed.
        error: String,
    },
    /// A time limit passed.
    TimedOut {
        /// What was being done.
        stage: Stage,
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
        within: Option<Part>,
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
        fault: Fault,
    },
    /// The recording stops before the exchange did.
    Unfinished,
}

impl Outcome {
    /// Whether the exchange came to its proper end.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

impl Exchange {
    /// Reads a whole tape.
    pub fn read(tape: &Tape, limits: Limits) -> Self {
        let mut reader = Reader::new(Keep::All, limits);
        for (moment, fact) in &tape.facts {
            reader.fact(*moment, fact);
        }
        for stream in [&tape.sent, &tape.received] {
            for (span, moment) in stream.runs() {
                reader.bytes(stream.side, moment, stream.slice(span), &mut ());
            }
            reader.ended(stream.side, &mut ());
        }
        reader.exchange
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        if let Some(End::Lost { at, fault }) = self.response.end {
            return Outcome::Lost { at, fault };
        }
        // A recording that stops before the close does not know whether more came.
        let clean = matches!(self.closing(), Some(Closing::CloseNotify | Closing::Eof));
        match self.response.end {
            Some(End::Complete) => return Outcome::Whole,
            // Without TLS's goodbye nobody can tell whether that was all (RFC 9112, 9.8).
            Some(End::Closed) if clean && self.failure().is_none() => return Outcome::Whole,
            _ => {}
        }
        if let Some((stage, cause, error)) = self.failure() {
            let error = error.to_owned();
            match cause {
                Cause::TimedOut => return Outcome::TimedOut { stage, error },
                Cause::Interrupted => return Outcome::Interrupted,
                Cause::Refused if stage < Stage::Write => {
                    return Outcome::NoConnection { stage, error };
                }
                Cause::Refused => {}
            }
        }
        if self.closing().is_none() && self.failure().is_none() {
            return Outcome::Unfinished;
        }
        let error = self.ending();
        match self.response.end {
            _ if self.received.bytes == 0 => Outcome::NoResponse { error },
            Some(End::Short { within, missing }) => Outcome::Cut {
                within: Some(within),
                missing,
                error,
            },
            _ => Outcome::Cut {
                within: None,
                missing: None,
                error,
            },
        }
    }

    fn failure(&self) -> Option<(Stage, Cause, &str)> {
        self.facts.iter().find_map(|(_, fact)| match fact {
            Fact::Failed {
                stage,
                cause,
                error,
            } => Some((*stage, *cause, error.as_str())),
            _ => None,
        })
    }

    fn closing(&self) -> Option<Closing> {
        self.facts.iter().find_map(|(_, fact)| match fact {
            Fact::Closed { how, .. } => Some(*how),
            _ => None,
        })
    }

    /// How the connection ended, in words.
    fn ending(&self) -> String {
        match (self.failure(), self.closing()) {
            (Some((_, _, error)), _) => error.to_owned(),
            (None, Some(Closing::Reset)) => "the peer reset the connection".to_owned(),
            (None, Some(Closing::EofWithoutCloseNotify)) => {
                "the peer closed the connection without TLS's close_notify".to_owned()
            }
            (None, _) => "the peer closed the connection".to_owned(),
        }
    }

    /// Every oddity of every message, with its side, in the order of the messages.
    pub fn oddities(&self) -> impl Iterator<Item = (Side, Oddity)> {
        let of = |side, message: &Message| {
            let oddities = message.oddities.clone();
            oddities.into_iter().map(move |oddity| (side, oddity))
        };
        let received = self.interim.iter().chain([&self.response]);
        let received = received.flat_map(|message| of(Side::Received, message));
        of(Side::Sent, &self.request).chain(received.collect::<Vec<_>>())
    }

    /// Where the framing of the response was lost, if it was.
    pub fn lost_at(&self) -> Option<u64> {
        match self.response.end {
            Some(End::Lost { at, .. }) => Some(at),
            _ => None,
        }
    }
}

/// The decoded body of `message`, whose bytes lie in `stream`. A coding that is not known is left as it is.
pub fn decoded(message: &Message, stream: &Stream, limits: content::Limits) -> Body {
    let codings = Coding::parse(message.codings()).unwrap_or_default();
    // Cut where reads ended, so that each piece has the moment of its own read.
    let pieces = message.body.iter().flat_map(|span| stream.reads_of(*span));
    Body::decode(
        &codings,
        pieces.map(|span| (span, stream.slice(span))),
        limits,
    )
}

/// The decoded bodies of request and response.
pub fn bodies(tape: &Tape, exchange: &Exchange, limits: content::Limits) -> [Body; 2] {
    [
        decoded(&exchange.request, &tape.sent, limits),
        decoded(&exchange.response, &tape.received, limits),
    ]
}

/// Whoever wants the events of both messages as they are read.
pub trait Listen {
    /// `seen` still holds the bytes that the event covers; `moment` is that of its last byte.
    fn event(&mut self, side: Side, moment: Moment, event: &Event, seen: Window<'_>);
}

impl Listen for () {
    fn event(&mut self, _: Side, _: Moment, _: &Event, _: Window<'_>) {}
}

/// Makes an [`Exchange`] from what a watcher is told.
#[derive(Debug)]
pub struct Reader {
    /// What is known so far.
    pub exchange: Exchange,
    keep: Keep,
    limits: Limits,
    /// How many masked places are among the facts.
    masked: usize,
    sent: Half,
    received: Half,
}

#[derive(Debug, Default)]
struct Half {
    rolling: Rolling,
    decoder: Option<Decoder>,
}

impl Reader {
    /// A reader that has seen nothing.
    pub fn new(keep: Keep, limits: Limits) -> Self {
        Self {
            exchange: Exchange::default(),
            keep,
            limits,
            masked: 0,
            sent: Half::default(),
            received: Half::default(),
        }
    }

    /// Takes in a fact.
    pub fn fact(&mut self, moment: Moment, fact: &Fact) {
        let masked = usize::from(matches!(fact, Fact::Redacted { .. }));
        if masked > 0 && self.masked >= REMEMBERED {
            self.exchange.more_masked = self.exchange.more_masked.saturating_add(1);
            return;
        }
        self.masked = self.masked.saturating_add(masked);
        self.exchange.facts.push((moment, fact.clone()));
    }

    /// Takes in what one read or write moved.
    pub fn bytes(&mut self, side: Side, moment: Moment, bytes: &[u8], listen: &mut dyn Listen) {
        if bytes.is_empty() {
            return;
        }
        let traffic = match side {
            Side::Sent => &mut self.exchange.sent,
            Side::Received => &mut self.exchange.received,
        };
        traffic.bytes = traffic.bytes.saturating_add(bytes.len() as u64);
        traffic.runs = traffic.runs.saturating_add(1);
        traffic.first.get_or_insert(moment);
        traffic.last = Some(moment);
        self.step(side, moment, bytes, false, listen);
    }

    /// No more bytes will come on this side.
    pub fn ended(&mut self, side: Side, listen: &mut dyn Listen) {
        let traffic = match side {
            Side::Sent => &self.exchange.sent,
            Side::Received => &self.exchange.received,
        };
        let moment = traffic.last.unwrap_or_default();
        self.step(side, moment, &[], true, listen);
    }

    fn step(
        &mut self,
        side: Side,
        moment: Moment,
        bytes: &[u8],
        ended: bool,
        listen: &mut dyn Listen,
    ) {
        let half = match side {
            Side::Sent => &mut self.sent,
            Side::Received => &mut self.received,
        };
        let (exchange, keep, limits) = (&mut self.exchange, self.keep, self.limits);
        let decoder = half.decoder.get_or_insert_with(|| match side {
            Side::Sent => Decoder::request(0, limits),
            Side::Received => Decoder::response(asked(&exchange.request), 0, limits),
        });
        half.rolling.feed(bytes, ended, |seen| {
            while let Some(event) = decoder.step(seen) {
                listen.event(side, moment, &event, seen);
                exchange.take(side, moment, &event, seen, keep);
                let interim = side == Side::Received && exchange.response.is_interim();
                if interim && event == Event::End(End::Complete) {
                    exchange.interim_ended();
                    *decoder = Decoder::response(asked(&exchange.request), decoder.at(), limits);
                }
            }
            exchange.rest(side, moment, decoder, seen, listen)
        });
    }
}

fn asked(request: &Message) -> Asked {
    request.method().map_or(Asked::Other, Asked::from_method)
}

impl Exchange {
    fn interim_ended(&mut self) {
        let interim = std::mem::take(&mut self.response);
        if self.interim.len() < REMEMBERED {
            self.interim.push(interim);
        } else {
            self.more_interim = self.more_interim.saturating_add(1);
        }
    }

    fn take(&mut self, side: Side, moment: Moment, event: &Event, seen: Window<'_>, keep: Keep) {
        match side {
            Side::Sent => self.request.take(event, seen, keep),
            Side::Received => {
                self.response.take(event, seen, keep);
                if matches!(event, Event::HeadEnd(..)) {
                    self.headed = Some(moment);
                }
            }
        }
    }

    /// What stands after the end of the message: told once, counted always.
    fn rest(
        &mut self,
        side: Side,
        moment: Moment,
        decoder: &Decoder,
        seen: Window<'_>,
        listen: &mut dyn Listen,
    ) -> u64 {
        let rest = Span::new(decoder.at(), seen.end());
        if !decoder.is_done() || rest.is_empty() {
            return decoder.at();
        }
        let message = match side {
            Side::Sent => &mut self.request,
            Side::Received => &mut self.response,
        };
        let tunnel = message.framing == Some(crate::http1::Framing::Tunnel);
        let fresh = Span::new(rest.start.max(seen.base), rest.end);
        let is_told = |odd: &Oddity| odd.kind == OddityKind::AfterEnd;
        if !tunnel && !message.oddities.iter().any(is_told) {
            let oddity = Oddity {
                kind: OddityKind::AfterEnd,
                at: Span::at(rest.start),
            };
            message.odd(oddity);
            listen.event(side, moment, &Event::Odd(oddity), seen);
        }
        if side == Side::Received {
            self.after_end = self.after_end.saturating_add(fresh.len());
        }
        listen.event(side, moment, &Event::Unframed(fresh), seen);
        rest.end
    }
}
