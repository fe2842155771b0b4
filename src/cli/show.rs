//! `wire show`: a capture, as a report, as bytes, as one value, or as a document.

use std::io::Write;
use std::path::Path;

use super::args::{self, Common, SideArg};
use super::complain::Complaint;
use super::exit::Exit;
use super::{output, send};
use crate::capture::Reading;
use crate::capture::store::{self, StoreError};
use crate::exchange::{Exchange, decoded};
use crate::json;
use crate::render::live::Live;
use crate::render::plan::Screen;
use crate::render::{escape, events, hex, words};
use crate::span::{Side, Span};
use crate::tape::Tape;

/// Runs `wire show`.
pub(super) fn run(common: &Common, args: &args::Show) -> Result<Exit, Complaint> {
    let store = output::store(common);
    let path = store.find(&args.capture).map_err(unknown)?;
    let Reading { tape, notes } = store::open(&path).map_err(unknown)?;
    for note in &notes {
        let text = format!("{}: {note}", path.display());
        let _ = writeln!(output::stderr(), "note: {}", words::line(&text));
    }
    if args.hex {
        return dump(common, args, &tape);
    }
    if args.events {
        let mut text = Vec::new();
        let _ = events::list(&tape, &output::stdout_style(common), &mut text);
        return output::report(&text);
    }
    if let Some(at) = &args.at {
        return value(args, &tape, at);
    }
    if args.output.json {
        let painted = output::document(&tape, &args.limits);
        return Ok(send::ended(&painted, false));
    }
    report(common, args, &tape, &path)
}

fn unknown(error: StoreError) -> Complaint {
    Complaint::usage(error).hint("`wire ls` lists the captures")
}

/// The report of `send`, made from the capture. With `--print` or `--quiet` it streams; otherwise the
/// pager may want it whole.
fn report(common: &Common, args: &args::Show, tape: &Tape, path: &Path) -> Result<Exit, Complaint> {
    if args.output.print.is_some() || args.output.quiet {
        let mut live = output::live(common, &args.output, &args.limits)?;
        tape.play(&mut live);
        return Ok(end(live.finish()));
    }
    let terminal = output::stdout_is_terminal();
    let style = output::body_style(&args.output, output::stdout_style(common));
    let mut plan = output::plan(&args.output, terminal, terminal, true)?;
    // A report is text: what it quotes is made safe, be it read from a pipe.
    plan.on_screen = true;
    let text = std::cell::RefCell::new(Vec::new());
    let screen = || Screen {
        out: Shared(&text),
        style,
    };
    let limits = (
        output::http1_limits(&args.limits),
        output::content_limits(&args.limits),
    );
    let mut live = Live::new(screen(), screen(), plan, limits.0, limits.1);
    live.note(&format!("capture {} in {}", tape.origin.id, path.display()));
    live.note(&format!(
        "{} by {}, {}",
        tape.origin.via, tape.origin.tool, tape.origin.started
    ));
    live.note(&format!("to {}", tape.origin.url));
    tape.play(&mut live);
    let exit = end(live.finish());
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

fn end(painted: crate::render::Painted) -> Exit {
    let gone = |error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe;
    if painted.broken.as_ref().is_some_and(gone) {
        return Exit::Done;
    }
    send::ended(&painted, false)
}

fn dump(common: &Common, args: &args::Show, tape: &Tape) -> Result<Exit, Complaint> {
    let tiles = hex::tiles(tape, output::http1_limits(&args.limits));
    let style = output::stdout_style(common);
    let mut text = Vec::new();
    for side in sides(args.side) {
        let _ = hex::dump(tape.stream(side), &tiles, &style, &mut text);
    }
    output::report(&text)
}

fn sides(side: Option<SideArg>) -> Vec<Side> {
    match side {
        None => vec![Side::Sent, Side::Received],
        Some(SideArg::Sent) => vec![Side::Sent],
        Some(SideArg::Received) => vec![Side::Received],
    }
}

/// One JSON value: the value itself on standard output, where and when it crossed on standard error.
fn value(args: &args::Show, tape: &Tape, at: &str) -> Result<Exit, Complaint> {
    let path =
        json::Path::parse(at).map_err(|error| Complaint::usage(format!("--at {at}: {error}")))?;
    let exchange = Exchange::read(tape, output::http1_limits(&args.limits));
    let (side, message) = match args.side {
        Some(SideArg::Sent) => (Side::Sent, &exchange.request),
        _ => (Side::Received, &exchange.response),
    };
    let stream = tape.stream(side);
    let body = decoded(message, stream, output::content_limits(&args.limits));
    let document = json::Document::parse(&body.bytes).map_err(|error| {
        let complaint = Complaint::usage(format!("the {side} body is not one JSON value: {error}"));
        match side {
            Side::Received => complaint.hint("`--side sent` looks into the request"),
            Side::Sent => complaint,
        }
    })?;
    let value = json::find(&document, &path)
        .map_err(|error| Complaint::usage(format!("--at {at}: {error}")))?;
    let span = value.span();
    let wire = body.wire_span(span);
    let last = Span::new(wire.end.saturating_sub(1), wire.end);
    let moment = stream
        .moment(last.start)
        .map_or_else(|| "unknown".to_owned(), |moment| words::time(moment.micros));
    let _ = writeln!(
        output::stderr(),
        "* {path}: bytes {span} of the body, {side} {wire}, whole at {moment}",
    );
    let mut text = value.raw().to_vec();
    if output::stdout_is_terminal() {
        text = escape::escape(&text, escape::Keep::Lines)
            .into_owned()
            .into_bytes();
    }
    text.push(b'\n');
    output::plain(&text)
}
