//! An exchange on screen, while it runs or from a capture: one painter for both, since a capture is
//! played to it as it happened.

mod bodies;

use std::io::{self, BufWriter, Write};

use super::flow::Flow;
use super::meaning::Meaning;
use super::plan::{Decode, Plan, Screen};
use super::tail::Tail;
use super::{Look, Painted, head, hex, summary, timing, words};
use crate::call::meaning::Report;
use crate::chat::{self, Dialect, Options};
use crate::content;
use crate::exchange::phases::ExchangeMilestones;
use crate::exchange::{Exchange, ExchangeReader, HttpEventSink};
use crate::http1::{BodyRetention, Event, HttpLimits, HttpMessage, MessageEnd};
use crate::price::Prices;
use crate::span::{Moment, StreamSide};
use crate::sse;
use crate::tape::{ConnectionFact, Window, WireSink};

/// Paints an exchange. The response's body goes to one output, everything about it to another.
#[derive(Debug)]
pub struct Live<O: Write, N> {
    reader: ExchangeReader,
    paint: Paint<O, N>,
}

#[derive(Debug)]
struct Paint<O: Write, N> {
    /// What one read brings goes out together, and nothing waits for the next.
    body: Screen<BufWriter<O>>,
    notes: Screen<N>,
    plan: Plan,
    limits: content::DecodeLimits,
    /// Both heads, as far as they came.
    heads: Exchange,
    /// The bodies that are being shown: an answer may begin before its request is whole.
    sent: Option<Flow>,
    received: Option<Flow>,
    /// Undoes the coding of the response's body.
    decoder: Option<content::ContentDecoder>,
    /// The beginning of the request's body: what was asked for helps to understand the answer.
    asked: Vec<u8>,
    options: Options,
    meaning: Option<Meaning>,
    /// How long an answer may be to be understood.
    most: u64,
    /// The answer was too long for that.
    too_long: bool,
    /// The end of such an answer.
    tail: Option<Tail>,
    /// Text on its way to an output.
    text: String,
    /// The first bytes of what belongs to no message.
    lost: Vec<u8>,
    /// What is wrong with the coding of the body.
    trouble: Option<content::DecodeError>,
    /// What went wrong with an output; nothing is painted after it.
    broken: Option<io::Error>,
}

/// How much of the body is gathered before it goes out; what is longer goes at once.
const GATHERED: usize = 16 << 10;

/// How much of what cannot be read is shown.
const LOST: usize = 128;

/// How long an event, or an answer that is no stream, may be to be understood while it comes.
const EVENT: u64 = 8 << 20;

/// How long an answer may be to be understood while it comes: no model writes as much, and a download should
/// not wait for its meaning.
const ANSWER: u64 = 16 << 20;

impl<O: Write, N: Write> Live<O, N> {
    /// A painter of `plan`. `dialect`: that of the answer, where the user names it.
    pub fn new(
        body: Screen<O>,
        notes: Screen<N>,
        plan: Plan,
        limits: (HttpLimits, content::DecodeLimits),
        dialect: Option<&'static dyn Dialect>,
    ) -> Self {
        Self {
            reader: ExchangeReader::new(BodyRetention::HeadsOnly, limits.0),
            paint: Paint {
                body: Screen {
                    out: BufWriter::with_capacity(GATHERED, body.out),
                    style: body.style,
                },
                notes,
                plan,
                limits: limits.1,
                heads: Exchange::default(),
                sent: None,
                received: None,
                decoder: None,
                asked: Vec::new(),
                options: Options {
                    dialect,
                    keep: chat::Keep::Beginning,
                    limit: EVENT,
                },
                meaning: None,
                most: ANSWER,
                too_long: false,
                tail: None,
                text: String::new(),
                lost: Vec::new(),
                trouble: None,
                broken: None,
            },
        }
    }

    /// The same for an exchange that is over: nobody waits, so that an answer of any length is understood.
    pub fn to_its_end(mut self) -> Self {
        self.paint.most = u64::MAX;
        self.paint.options.limit = sse::MAX_EVENT_BYTES;
        self
    }

    /// What is shown.
    pub fn plan(&self) -> &Plan {
        &self.paint.plan
    }

    /// Where the body goes. All that was painted is there.
    pub fn body(&mut self) -> &mut O {
        self.paint.body.out.get_mut()
    }

    /// One more line of meta.
    pub fn note(&mut self, text: &str) {
        if self.paint.plan.parts.meta {
            self.paint.line(&words::line(text));
        }
    }

    /// Paints what stands at the end: how it ended, what was odd, how long it took, what it means.
    pub fn finish(mut self, prices: &Prices) -> Painted {
        self.end(prices)
    }

    /// The same; the outputs can be looked at afterwards, and nothing more is to be painted.
    pub(super) fn end(&mut self, prices: &Prices) -> Painted {
        self.paint.flow_ends(StreamSide::Sent);
        self.paint.flow_ends(StreamSide::Received);
        let report = self.paint.understood(&self.reader.exchange, prices);
        if self.paint.plan.parts.meta {
            self.paint.summary(&self.reader.exchange, report.as_ref());
        }
        self.paint.noted(|notes| notes.out.flush());
        // Who wants the body as it came does not mind its coding.
        let minds = self.paint.plan.decode == Decode::All;
        Painted {
            exchange: std::mem::take(&mut self.reader.exchange),
            report,
            trouble: self.paint.trouble.take().filter(|_| minds),
            broken: self.paint.broken.take(),
        }
    }
}

impl<O: Write, N: Write> WireSink for Live<O, N> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        let before = self.reader.exchange.more_masked;
        self.reader.fact(moment, fact);
        // A peer may repeat a key without end; how often is told at the end.
        let told = self.reader.exchange.more_masked == before;
        if self.paint.plan.parts.meta && told {
            self.paint.flows_pause();
            self.paint.note(&words::moment(moment), fact);
        }
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        self.reader.bytes(side, moment, bytes, &mut self.paint);
        self.paint.noted(|notes| notes.out.flush());
    }

    fn ended(&mut self, side: StreamSide, _moment: Moment) {
        self.reader.ended(side, &mut self.paint);
        self.paint.noted(|notes| notes.out.flush());
    }

    fn is_done(&self) -> bool {
        self.paint.broken.is_some()
    }
}

impl<O: Write, N: Write> HttpEventSink for Paint<O, N> {
    fn event(&mut self, side: StreamSide, moment: Moment, event: &Event, seen: Window<'_>) {
        match side {
            StreamSide::Sent => self
                .heads
                .request
                .add_event(event, seen, BodyRetention::HeadsOnly),
            StreamSide::Received => {
                self.heads
                    .response
                    .add_event(event, seen, BodyRetention::HeadsOnly)
            }
        }
        let raw = self.plan.decode == Decode::Nothing;
        match *event {
            Event::Start(_) => {
                self.flows_pause();
                self.head_line(side, event, seen);
            }
            Event::Field(_) => self.head_line(side, event, seen),
            Event::HeadEnd(..) => {
                self.head_line(side, event, seen);
                self.flow_begins(side);
            }
            Event::Data(span) => self.data(side, moment, seen.slice(span)),
            Event::ChunkHead { line: span, .. }
            | Event::ChunkEnd(span)
            | Event::TrailerEnd(span) => {
                if raw {
                    self.show(side, seen.slice(span));
                }
            }
            Event::Trailer(field) if raw => self.show(side, seen.slice(field.line)),
            Event::Trailer(_) => {
                self.flows_pause();
                self.head_line(side, event, seen);
            }
            Event::Unframed(span) if side == StreamSide::Received => {
                if raw {
                    self.show(side, seen.slice(span));
                }
                self.lost(seen.slice(span));
            }
            Event::End(end) => {
                // What follows a lost place may still be wanted as it came.
                if !(raw && matches!(end, MessageEnd::FramingLost { .. })) {
                    self.flow_ends(side);
                }
                let over = side == StreamSide::Received && end == MessageEnd::Complete;
                if over && self.heads.response.is_interim() {
                    self.heads.response = HttpMessage::default();
                }
            }
            Event::Unframed(span) => self.unframed_request(seen.slice(span)),
            Event::Blank(_) | Event::Odd(_) => {}
        }
    }
}

impl<O: Write, N: Write> Paint<O, N> {
    /// Does something with an output, unless one is broken.
    fn try_to(&mut self, act: impl FnOnce(&mut Self) -> io::Result<()>) {
        if self.broken.is_none()
            && let Err(error) = act(self)
        {
            self.broken = Some(error);
        }
    }

    /// Does something with the notes. What waits for the other output goes first: both may be one screen.
    fn noted(&mut self, act: impl FnOnce(&mut Screen<N>) -> io::Result<()>) {
        self.try_to(|paint| {
            paint.body.out.flush()?;
            act(&mut paint.notes)
        });
    }

    fn note(&mut self, time: &str, fact: &ConnectionFact) {
        let look = match fact {
            ConnectionFact::Failed { .. } => Look::Bad,
            ConnectionFact::Tried { .. } => Look::Odd,
            _ => {
                return self.line(&format!(
                    "{}  {}",
                    self.notes.style.dim(time),
                    words::fact(fact)
                ));
            }
        };
        let text = self.notes.style.paint(look, &words::fact(fact));
        self.line(&format!("{}  {text}", self.notes.style.dim(time)));
    }

    /// One line of meta.
    fn line(&mut self, text: &str) {
        self.noted(|notes| writeln!(notes.out, "* {text}"));
    }

    fn shows_head(&self, side: StreamSide) -> bool {
        match side {
            StreamSide::Sent => self.plan.parts.request_head,
            StreamSide::Received => self.plan.parts.response_head,
        }
    }

    fn head_line(&mut self, side: StreamSide, event: &Event, seen: Window<'_>) {
        if !self.shows_head(side) {
            return;
        }
        if !self.plan.marked && !self.plan.on_screen {
            if let Some((_, span)) = event.role_and_span() {
                self.noted(|notes| notes.out.write_all(seen.slice(span)));
            }
            return;
        }
        let Some(rows) = head::rows(event, seen, &self.notes.style) else {
            return;
        };
        let marked = self.plan.marked;
        self.noted(|notes| {
            for row in rows {
                match marked {
                    true if row.is_empty() => writeln!(notes.out, "{}", head::mark(side))?,
                    true => writeln!(notes.out, "{} {row}", head::mark(side))?,
                    false => writeln!(notes.out, "{row}")?,
                }
            }
            Ok(())
        });
    }

    /// Keeps the beginning of what cannot be read, for the summary.
    fn lost(&mut self, bytes: &[u8]) {
        let room = LOST.saturating_sub(self.lost.len()).min(bytes.len());
        let kept = bytes.get(..room).unwrap_or_default();
        self.lost.extend_from_slice(kept);
    }

    fn summary(&mut self, exchange: &Exchange, report: Option<&Report>) {
        let style = self.notes.style;
        for (side, oddity) in exchange.oddities() {
            self.line(&style.paint(Look::Odd, &words::oddity(side, oddity)));
        }
        for more in words::lost_request(exchange)
            .into_iter()
            .chain(words::more(exchange))
        {
            self.line(&style.paint(Look::Odd, &more));
        }
        if let Some(trouble) = self.trouble.clone() {
            self.line(&style.paint(Look::Bad, &words::undecoded(&trouble)));
        }
        if self.too_long {
            let most = words::bytes(ANSWER);
            self.line(&format!(
                "what is longer than {most} is not explained while it comes (`wire show` does so later)"
            ));
        }
        let look = if exchange.outcome().is_whole() {
            Look::Good
        } else {
            Look::Bad
        };
        self.line(&style.paint(look, &words::outcome(exchange)));
        let lost = std::mem::take(&mut self.lost);
        let at = exchange
            .received
            .bytes
            .saturating_sub(exchange.bytes_after_end);
        let at = exchange.framing_lost_at().unwrap_or(at);
        let too_long = self.too_long;
        self.noted(|notes| {
            hex::rows(&lost, at, "*   ", &mut notes.out)?;
            let milestones = ExchangeMilestones::from_exchange(exchange);
            timing::waterfall(&milestones, "* ", &style, &mut notes.out)?;
            match report {
                Some(report) if too_long => summary::verdict(report, "* ", &style, &mut notes.out),
                Some(report) => summary::write(report, "* ", &style, &mut notes.out),
                None => Ok(()),
            }
        });
    }
}

#[cfg(test)]
mod tests;
