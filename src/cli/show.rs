//! `wire show`: a capture, as a report, as bytes, as one value, or as a document.

use std::io::Write;
use std::path::Path;

use super::args::{self, Common, SideArg};
use super::complain::Complaint;
use super::exit::Exit;
use super::means::Means;
use super::output;
use super::send;
use crate::call::meaning::Report;
use crate::capture::Reading;
use crate::capture::store::{self, StoreError};
use crate::content::{DecodeError, DecodedBody};
use crate::exchange::roles::role_spans;
use crate::exchange::{Exchange, decode_bodies, decode_body};
use crate::json;
use crate::render::live::Live;
use crate::render::plan::Screen;
use crate::render::{Painted, escape, events, hex, machine, summary, words};
use crate::span::{Span, StreamSide};
use crate::sse::{EventDecoder, StreamFormat, StreamItem};
use crate::tape::{Stream, Tape, Window};

/// Runs `wire show`.
pub(super) fn run(common: &Common, args: &args::Show) -> Result<Exit, Complaint> {
    let store = output::store(common);
    let path = store.find(&args.capture).map_err(unknown)?;
    let Reading { tape, notes } = store::open(&path).map_err(unknown)?;
    for note in &notes {
        output::note(&format!("{}: {note}", path.display()));
    }
    let means = Means::new(common, &args.output, &args.limits)?;
    if args.hex {
        return dump(common, args, &means, &tape);
    }
    if args.events {
        let (mut text, style) = (Vec::new(), output::stdout_style(common));
        let dialect = means.options.dialect;
        let painted = events::list(&tape, means.limits, dialect, &style, &mut text);
        output::report(&text)?;
        return Ok(send::ended(&painted, false));
    }
    if let Some(at) = &args.at {
        return value(args, &means, &tape, at);
    }
    if args.output.json {
        return Ok(end(&output::document(&tape, &means)));
    }
    if args.raw_events {
        return raw_events(common, &means, &tape);
    }
    if args.summary || args.tools || args.usage {
        return meaning(common, args, &means, &tape);
    }
    report(common, args, &means, &tape, &path)
}

/// What the exchange means, or a part of that.
fn meaning(
    common: &Common,
    args: &args::Show,
    means: &Means,
    tape: &Tape,
) -> Result<Exit, Complaint> {
    let Understood {
        exchange,
        report,
        body,
    } = Understood::of(means, tape);
    let mut text = Vec::new();
    let written = match (args.tools, args.usage) {
        (true, _) => machine::tools(&report, &mut text),
        (_, true) => machine::usage(&report, &mut text),
        _ => summary::write(&report, "", &output::stdout_style(common), &mut text),
    };
    written.map_err(Complaint::usage)?;
    if text.is_empty() {
        let what = match (args.tools, args.usage) {
            (true, _) => "calls no tool",
            (_, true) => "counts no tokens",
            _ => "is not known to be the answer of a model (--dialect names one)",
        };
        output::note(&format!("this exchange {what}"));
    }
    output::report(&text)?;
    Ok(ended(exchange, Some(report), body.error))
}

fn raw_events(common: &Common, means: &Means, tape: &Tape) -> Result<Exit, Complaint> {
    let Understood {
        exchange,
        report,
        body,
    } = Understood::of(means, tape);
    let Some(format) = report.completion.media.format() else {
        return Err(Complaint::usage("the answer is no stream of events"));
    };
    let moment = |at| tape.received.moment_at(body.wire_offset(at)?);
    let mut text = Vec::new();
    let style = output::stdout_style(common);
    let _ = events::raw(&body.bytes, format, &moment, &style, &mut text);
    output::report(&text)?;
    Ok(ended(exchange, Some(report), body.error))
}

/// What the answer of a capture means, and its body.
struct Understood {
    exchange: Exchange,
    report: Report,
    body: DecodedBody,
}

impl Understood {
    /// Reads it. What of the body stays unread is said at once.
    fn of(means: &Means, tape: &Tape) -> Self {
        let exchange = Exchange::read(tape, means.limits.0);
        let [asked, body] = decode_bodies(tape, &exchange, means.limits.1);
        note_trouble(&body);
        let (options, prices) = (means.options, &means.prices);
        let report =
            Report::read_bodies(tape, &exchange, [&asked, &body], options, prices, &mut ());
        Self {
            exchange,
            report,
            body,
        }
    }
}

fn note_trouble(body: &DecodedBody) {
    if let Some(trouble) = &body.error {
        output::note(&words::undecoded(trouble));
    }
}

/// How the exchange ended, told by the exit code.
fn ended(exchange: Exchange, report: Option<Report>, trouble: Option<DecodeError>) -> Exit {
    let painted = Painted {
        exchange,
        report,
        trouble,
        broken: None,
    };
    send::ended(&painted, false)
}

fn unknown(error: StoreError) -> Complaint {
    Complaint::usage(error).hint("`wire ls` lists the captures")
}

/// The report of `send`, made from the capture. With `--print` or `--quiet` it streams; otherwise the
/// pager may want it whole.
fn report(
    common: &Common,
    args: &args::Show,
    means: &Means,
    tape: &Tape,
    path: &Path,
) -> Result<Exit, Complaint> {
    if args.output.print.is_some() || args.output.quiet || args.output.text {
        let mut live = output::live(common, &args.output, means, false)?.to_its_end();
        tape.replay(&mut live);
        let painted = live.finish(&means.prices);
        if args.output.text {
            send::note_errors(&painted);
        }
        return Ok(end(&painted));
    }
    let terminal = output::stdout_is_terminal();
    let style = output::body_style(&args.output, output::stdout_style(common));
    let mut plan = output::plan(&args.output, terminal, terminal)?;
    // A report is text: what it quotes is made safe, be it read from a pipe.
    plan.on_screen = true;
    let text = std::cell::RefCell::new(Vec::new());
    let screen = || Screen {
        out: Shared(&text),
        style,
    };
    let mut live = Live::new(
        screen(),
        screen(),
        plan,
        means.limits,
        means.options.dialect,
    )
    .to_its_end();
    live.note(&format!("capture {} in {}", tape.origin.id, path.display()));
    live.note(&format!(
        "{} by {}, {}",
        tape.origin.via, tape.origin.tool, tape.origin.started
    ));
    live.note(&format!("to {}", tape.origin.url));
    tape.replay(&mut live);
    let exit = end(&live.finish(&means.prices));
    output::report(&text.into_inner())?;
    Ok(exit)
}

/// Two outputs into one text.
struct Shared<'a>(&'a std::cell::RefCell<Vec<u8>>);

impl Write for Shared<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn end(painted: &Painted) -> Exit {
    match &painted.broken {
        Some(error) => output::broken(error),
        None => send::ended(painted, false),
    }
}

fn dump(common: &Common, args: &args::Show, means: &Means, tape: &Tape) -> Result<Exit, Complaint> {
    let tiles = role_spans(tape, means.limits.0);
    let style = output::stdout_style(common);
    let mut text = Vec::new();
    for side in sides(args.side) {
        let _ = hex::dump(tape.stream(side), &tiles, &style, &mut text);
    }
    output::report(&text)?;
    Ok(ended(Exchange::read(tape, means.limits.0), None, None))
}

fn sides(side: Option<SideArg>) -> Vec<StreamSide> {
    match side {
        None => vec![StreamSide::Sent, StreamSide::Received],
        Some(SideArg::Sent) => vec![StreamSide::Sent],
        Some(SideArg::Received) => vec![StreamSide::Received],
    }
}

/// One JSON value: the value itself on standard output, where and when it crossed on standard error. In a
/// stream of events the path begins with the number of one.
fn value(args: &args::Show, means: &Means, tape: &Tape, at: &str) -> Result<Exit, Complaint> {
    let wrong = |error: &dyn std::fmt::Display| Complaint::usage(format!("--at {at}: {error}"));
    let path = json::ValuePath::parse(at).map_err(|error| wrong(&error))?;
    let exchange = Exchange::read(tape, means.limits.0);
    let (side, message) = match args.side {
        Some(SideArg::Sent) => (StreamSide::Sent, &exchange.request),
        _ => (StreamSide::Received, &exchange.response),
    };
    let body = decode_body(message, tape.stream(side), means.limits.1);
    note_trouble(&body);
    let report = || {
        Report::read(
            tape,
            &exchange,
            means.limits.1,
            means.options,
            &means.prices,
        )
    };
    let format = match side {
        StreamSide::Sent => None,
        StreamSide::Received => report().completion.media.format(),
    };
    let (span, inner) = match format {
        None => (Span::new(0, body.bytes.len() as u64), path.clone()),
        Some(format) => event_of(&body.bytes, format, &path).ok_or_else(|| {
            Complaint::usage(format!("--at {at}: the answer is a stream; there is no such event"))
                .hint("begin with the number of an event, such as /3/choices/0/delta; `--events` lists them")
        })?,
    };
    let whole = Window {
        base: 0,
        bytes: &body.bytes,
        ended: true,
    };
    let document = json::JsonDocument::parse(whole.slice(span)).map_err(|error| {
        let hint = match side {
            StreamSide::Received => "`--side sent` looks into the request",
            StreamSide::Sent => "`-p B` shows it",
        };
        Complaint::usage(format!("what is there is not JSON: {error}")).hint(hint)
    })?;
    let value = json::find(&document, &inner).map_err(|error| wrong(&error))?;
    let place = |offset: u64| span.start.saturating_add(offset);
    let place = Span::new(place(value.span().start), place(value.span().end));
    told(&path, place, &body, tape.stream(side));
    let mut text = value.raw().to_vec();
    if output::stdout_is_terminal() {
        text = escape::escape(&text, escape::Keep::Lines)
            .into_owned()
            .into_bytes();
    }
    text.push(b'\n');
    output::plain(&text)
}

/// Where the data of the event lies that the first step of `path` numbers, and the rest of the path.
fn event_of(
    body: &[u8],
    format: StreamFormat,
    path: &json::ValuePath,
) -> Option<(Span, json::ValuePath)> {
    let (number, rest) = path.steps().split_first()?;
    let number: usize = number.parse().ok()?;
    let seen = Window {
        base: 0,
        bytes: body,
        ended: true,
    };
    let mut decoder = EventDecoder::new(format);
    let items = std::iter::from_fn(|| decoder.step(seen));
    let mut events = items.filter(|item| !matches!(item, StreamItem::Separator(_)));
    match events.nth(number)? {
        StreamItem::Event(event) => Some((event.first_data?, rest.iter().cloned().collect())),
        _ => None,
    }
}

/// Says where and when a value of the body crossed.
fn told(path: &json::ValuePath, span: Span, body: &DecodedBody, stream: &Stream) {
    let wire = body.wire_span(span);
    let last = stream.moment_at(wire.end.saturating_sub(1));
    let moment = last.map_or_else(|| "unknown".to_owned(), |moment| words::time(moment.micros));
    let text = format!(
        "{path}: bytes {span} of the body, {} {wire}, whole at {moment}",
        stream.side
    );
    output::fact(&text);
}
