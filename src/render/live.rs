//! An exchange on screen, while it runs or from a capture: one painter for both, since a capture is
//! played to it as it happened.

use std::io::{self, Write};

use super::body::Painter;
use super::plan::{Decode, Plan, Screen};
use super::{Look, Painted, head, hex, timing, words};
use crate::content;
use crate::exchange::{Exchange, Listen, Reader};
use crate::http1::{End, Event, Keep, Limits, Message};
use crate::span::{Moment, Side};
use crate::tape::{Fact, Watch, Window};
use crate::timing::Milestones;

/// Paints an exchange. The response's body goes to one output, everything about it to another.
#[derive(Debug)]
pub struct Live<O, N> {
    reader: Reader,
    paint: Paint<O, N>,
}

#[derive(Debug)]
struct Paint<O, N> {
    body: Screen<O>,
    notes: Screen<N>,
    plan: Plan,
    limits: content::Limits,
    /// The head of the response that is being read.
    response: Message,
    /// The bodies that are being shown: an answer may begin before its request is whole.
    sent: Option<Flow>,
    received: Option<Flow>,
    /// Text on its way to an output.
    text: String,
    /// The first bytes of what belongs to no message.
    lost: Vec<u8>,
    /// What is wrong with the coding of the body.
    trouble: Option<content::Trouble>,
    /// What went wrong with an output; nothing is painted after it.
    broken: Option<io::Error>,
}

/// A body on its way out.
#[derive(Debug)]
struct Flow {
    side: Side,
    decoder: Option<content::Decoder>,
    painter: Option<Painter>,
    decoded: Vec<u8>,
    /// Whether what was shown last ended its line.
    at_line_start: bool,
    /// How much more of it is shown; the rest is counted.
    room: u64,
    unshown: u64,
}

/// How much of what cannot be read is shown.
const LOST: usize = 128;

/// How much of a request's body is shown among the notes.
const REQUEST_ROOM: u64 = 16 << 10;

/// How much is decoded at a time: what comes out of it is held at once.
const DECODE: usize = 4 << 10;

impl<O: Write, N: Write> Live<O, N> {
    /// A painter of `plan`.
    pub fn new(
        body: Screen<O>,
        notes: Screen<N>,
        plan: Plan,
        http1: Limits,
        limits: content::Limits,
    ) -> Self {
        Self {
            reader: Reader::new(Keep::Heads, http1),
            paint: Paint {
                body,
                notes,
                plan,
                limits,
                response: Message::default(),
                sent: None,
                received: None,
                text: String::new(),
                lost: Vec::new(),
                trouble: None,
                broken: None,
            },
        }
    }

    /// What is shown.
    pub fn plan(&self) -> &Plan {
        &self.paint.plan
    }

    /// One more line of meta.
    pub fn note(&mut self, text: &str) {
        if self.paint.plan.parts.meta {
            self.paint.line(&words::line(text));
        }
    }

    /// Paints what stands at the end: how it ended, what was odd, how long it took.
    pub fn finish(mut self) -> Painted {
        self.paint.flow_ends(Side::Sent);
        self.paint.flow_ends(Side::Received);
        if self.paint.plan.parts.meta {
            self.paint.summary(&self.reader.exchange);
        }
        self.paint.try_to(|paint| paint.notes.out.flush());
        Painted {
            exchange: self.reader.exchange,
            trouble: self.paint.trouble,
            broken: self.paint.broken,
        }
    }
}

impl<O: Write, N: Write> Watch for Live<O, N> {
    fn fact(&mut self, moment: Moment, fact: &Fact) {
        self.reader.fact(moment, fact);
        if self.paint.plan.parts.meta {
            self.paint.flows_pause();
            self.paint.note(&words::moment(moment), fact);
        }
    }

    fn bytes(&mut self, side: Side, moment: Moment, bytes: &[u8]) {
        self.reader.bytes(side, moment, bytes, &mut self.paint);
        self.paint.try_to(|paint| paint.notes.out.flush());
    }

    fn ended(&mut self, side: Side, _moment: Moment) {
        self.reader.ended(side, &mut self.paint);
    }

    fn is_done(&self) -> bool {
        self.paint.broken.is_some()
    }
}

impl<O: Write, N: Write> Listen for Paint<O, N> {
    fn event(&mut self, side: Side, _: Moment, event: &Event, seen: Window<'_>) {
        if side == Side::Received {
            self.response.take(event, seen, Keep::Heads);
        }
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
            Event::Data(span) => self.data(side, seen.slice(span)),
            Event::ChunkHead { line: span, .. }
            | Event::ChunkEnd(span)
            | Event::TrailerEnd(span) => {
                if self.plan.decode == Decode::Nothing {
                    self.data(side, seen.slice(span));
                }
            }
            Event::Trailer(field) if self.plan.decode == Decode::Nothing => {
                self.data(side, seen.slice(field.line))
            }
            Event::Trailer(_) => {
                self.flows_pause();
                self.head_line(side, event, seen);
            }
            Event::Unframed(span) if side == Side::Received => {
                if self.plan.decode == Decode::Nothing {
                    self.data(side, seen.slice(span));
                }
                self.lost(seen.slice(span));
            }
            Event::End(end) => {
                // What follows a lost place may still be wanted as it came.
                if !(self.plan.decode == Decode::Nothing && matches!(end, End::Lost { .. })) {
                    self.flow_ends(side);
                }
                let over = side == Side::Received && end == End::Complete;
                if over && self.response.is_interim() {
                    self.response = Message::default();
                }
            }
            Event::Blank(_) | Event::Odd(_) | Event::Unframed(_) => {}
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

    fn note(&mut self, time: &str, fact: &Fact) {
        let look = match fact {
            Fact::Failed { .. } => Look::Bad,
            Fact::Tried { .. } => Look::Odd,
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
        self.try_to(|paint| writeln!(paint.notes.out, "* {text}"));
    }

    fn shows_head(&self, side: Side) -> bool {
        match side {
            Side::Sent => self.plan.parts.request_head,
            Side::Received => self.plan.parts.response_head,
        }
    }

    fn head_line(&mut self, side: Side, event: &Event, seen: Window<'_>) {
        if !self.shows_head(side) {
            return;
        }
        if !self.plan.marked && !self.plan.on_screen {
            if let Some((_, span)) = event.covers() {
                self.try_to(|paint| paint.notes.out.write_all(seen.slice(span)));
            }
            return;
        }
        let Some(rows) = head::rows(event, seen, &self.notes.style) else {
            return;
        };
        let marked = self.plan.marked;
        self.try_to(|paint| {
            for row in rows {
                match marked {
                    true if row.is_empty() => writeln!(paint.notes.out, "{}", head::mark(side))?,
                    true => writeln!(paint.notes.out, "{} {row}", head::mark(side))?,
                    false => writeln!(paint.notes.out, "{row}")?,
                }
            }
            Ok(())
        });
    }

    fn flow_begins(&mut self, side: Side) {
        let parts = self.plan.parts;
        let (shown, style, pretty) = match side {
            Side::Sent => (parts.request_body, self.notes.style, self.plan.pretty_notes),
            Side::Received => (parts.response_body, self.body.style, self.plan.pretty),
        };
        // Even a body that nobody sees is decoded: whether it can be is part of how the exchange ended.
        let decoder = match (side, self.plan.decode) {
            (Side::Received, Decode::All) => self.decoder(),
            _ => None,
        };
        if !shown && decoder.is_none() {
            return;
        }
        let among_notes = side == Side::Sent && self.plan.marked;
        let media = match side {
            Side::Sent => Vec::new(),
            Side::Received => {
                let media = self.response.head.get("content-type");
                media.unwrap_or_default().into_owned()
            }
        };
        let media: &[u8] = if side == Side::Sent {
            b"application/json"
        } else {
            &media
        };
        let painted = shown && (among_notes || self.plan.on_screen);
        *self.flow(side) = Some(Flow {
            side,
            decoder,
            painter: painted.then(|| Painter::new(media, pretty, style)),
            decoded: Vec::new(),
            at_line_start: true,
            room: match (shown, among_notes) {
                (false, _) => 0,
                (true, true) => REQUEST_ROOM,
                (true, false) => u64::MAX,
            },
            unshown: 0,
        });
        self.try_to(|paint| paint.notes.out.flush());
    }

    fn decoder(&mut self) -> Option<content::Decoder> {
        match content::Coding::parse(self.response.codings()) {
            Ok(codings) if codings.is_empty() => None,
            Ok(codings) => Some(content::Decoder::new(&codings, self.limits)),
            Err(unknown) => {
                self.line(&format!("odd: {unknown}: shown as it came"));
                None
            }
        }
    }

    fn flow(&mut self, side: Side) -> &mut Option<Flow> {
        match side {
            Side::Sent => &mut self.sent,
            Side::Received => &mut self.received,
        }
    }

    fn data(&mut self, side: Side, bytes: &[u8]) {
        let Some(mut flow) = self.flow(side).take() else {
            return;
        };
        // What the other side has begun keeps its own line.
        self.flows_pause();
        match flow.decoder.take() {
            None => self.show(&mut flow, bytes),
            Some(mut decoder) => {
                let mut decoded = std::mem::take(&mut flow.decoded);
                for piece in bytes.chunks(DECODE) {
                    decoded.clear();
                    let result = decoder.push(piece, &mut decoded);
                    self.show(&mut flow, &decoded);
                    if let Err(trouble) = result {
                        self.trouble.get_or_insert(trouble);
                        break;
                    }
                }
                (flow.decoder, flow.decoded) = (Some(decoder), decoded);
            }
        }
        *self.flow(side) = Some(flow);
    }

    fn show(&mut self, flow: &mut Flow, bytes: &[u8]) {
        let room = usize::try_from(flow.room).unwrap_or(usize::MAX);
        let (shown, rest) = bytes.split_at(bytes.len().min(room));
        if flow.room != u64::MAX {
            flow.room = flow.room.saturating_sub(shown.len() as u64);
        }
        flow.unshown = flow.unshown.saturating_add(rest.len() as u64);
        if shown.is_empty() {
            return;
        }
        match &mut flow.painter {
            None => {
                flow.at_line_start = shown.ends_with(b"\n");
                self.try_to(|paint| match flow.side {
                    Side::Sent => paint.notes.out.write_all(shown),
                    Side::Received => paint.body.out.write_all(shown),
                });
            }
            Some(painter) => {
                painter.push(shown, &mut self.text);
                self.write_text(flow);
            }
        }
    }

    fn write_text(&mut self, flow: &mut Flow) {
        let text = std::mem::take(&mut self.text);
        let marked = flow.side == Side::Sent && self.plan.marked;
        self.try_to(|paint| match flow.side {
            Side::Received => paint.body.out.write_all(text.as_bytes()),
            Side::Sent if !marked => paint.notes.out.write_all(text.as_bytes()),
            Side::Sent => {
                for line in text.split_inclusive('\n') {
                    let mark = if flow.at_line_start { "> " } else { "" };
                    write!(paint.notes.out, "{mark}{line}")?;
                    flow.at_line_start = line.ends_with('\n');
                }
                Ok(())
            }
        });
        if !text.is_empty() {
            flow.at_line_start = text.ends_with('\n');
        }
        self.text = text;
        self.text.clear();
    }

    /// Something else is about to be written where a body may stand.
    fn flows_pause(&mut self) {
        for side in [Side::Sent, Side::Received] {
            if let Some(mut flow) = self.flow(side).take() {
                self.end_line(&mut flow);
                *self.flow(side) = Some(flow);
            }
        }
    }

    fn end_line(&mut self, flow: &mut Flow) {
        if flow.painter.is_none() || flow.at_line_start {
            return;
        }
        flow.at_line_start = true;
        self.try_to(|paint| match flow.side {
            Side::Sent => paint.notes.out.write_all(b"\n"),
            Side::Received => paint.body.out.write_all(b"\n"),
        });
    }

    fn flow_ends(&mut self, side: Side) {
        let Some(mut flow) = self.flow(side).take() else {
            return;
        };
        if let Some(decoder) = &mut flow.decoder
            && let Err(trouble) = decoder.finish()
        {
            self.trouble.get_or_insert(trouble);
        }
        if let Some(painter) = &mut flow.painter {
            painter.finish(&mut self.text);
            self.write_text(&mut flow);
        }
        self.end_line(&mut flow);
        if flow.unshown > 0 && flow.side == Side::Sent {
            let more = words::bytes(flow.unshown);
            self.line(&format!(
                "{more} more of the request's body (`-p B` shows it all)"
            ));
        }
    }

    /// Keeps the beginning of what cannot be read, for the summary.
    fn lost(&mut self, bytes: &[u8]) {
        let room = LOST.saturating_sub(self.lost.len()).min(bytes.len());
        let kept = bytes.get(..room).unwrap_or_default();
        self.lost.extend_from_slice(kept);
    }

    fn summary(&mut self, exchange: &Exchange) {
        let style = self.notes.style;
        for (side, oddity) in exchange.oddities() {
            self.line(&style.paint(Look::Odd, &words::oddity(side, oddity)));
        }
        if let Some(trouble) = self.trouble.clone() {
            let text = format!("the body cannot be decoded: {trouble}");
            self.line(&style.paint(Look::Bad, &text));
        }
        let look = if exchange.outcome().is_whole() {
            Look::Good
        } else {
            Look::Bad
        };
        self.line(&style.paint(look, &words::outcome(exchange)));
        let lost = std::mem::take(&mut self.lost);
        let at = exchange.received.bytes.saturating_sub(exchange.after_end);
        let at = exchange.lost_at().unwrap_or(at);
        self.try_to(|paint| {
            hex::rows(&lost, at, "*   ", &mut paint.notes.out)?;
            let milestones = Milestones::of(exchange);
            timing::waterfall(&milestones, "* ", &style, &mut paint.notes.out)
        });
    }
}
