//! The parts of `wire show` that an exchange and a call on a WebSocket share.

use std::io::Write;
use std::path::Path;

use super::args::{self, CommonArgs, SideArg};
use super::error::CliError;
use super::exit::ExitReason;
use super::{output, send};
use crate::call::lookup::LookupError;
use crate::call::{Call, ReadOptions};
use crate::exchange::roles::RoleSpan;
use crate::json;
use crate::lint;
use crate::render::live::LivePainter;
use crate::render::view_options::StyledOutput;
use crate::render::{OutputStyle, RenderedExchange, escape, hex, json_output, summary, wording};
use crate::span::StreamSide;
use crate::tape::Tape;

/// Writes the meaning of a call, or its tool calls or tokens.
pub(super) fn write_meaning(
    args: &args::ShowArgs,
    call: &Call,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    match (args.tools, args.usage) {
        (true, _) => json_output::write_tool_calls(&call.meaning, out),
        (_, true) => json_output::write_usage(&call.meaning, out),
        _ => {
            let findings = lint::check_call(call.into());
            summary::write_summary(&call.meaning, &findings, "", style, out)
        }
    }
}

/// Prints the meaning of a call, or its tool calls or tokens.
pub(super) fn print_meaning(
    common: &CommonArgs,
    args: &args::ShowArgs,
    call: &Call,
) -> Result<ExitReason, CliError> {
    let mut text = Vec::new();
    write_meaning(args, call, &output::stdout_style(common), &mut text).map_err(CliError::usage)?;
    if text.is_empty() {
        let what = match (args.tools, args.usage) {
            (true, _) => "calls no tool",
            (_, true) => "counts no tokens",
            _ => "is not known to be the answer of a model (--dialect names one)",
        };
        output::print_note(&format!("this exchange {what}"));
    }
    output::print_report(&text)?;
    Ok(call_exit(call))
}

/// The exit reason of a call that was shown.
pub(super) fn call_exit(call: &Call) -> ExitReason {
    send::exchange_exit(&call.exchange, call.is_complete(), false)
}

/// Writes a part of a report.
pub(super) type ReportPart<'a> = &'a dyn Fn(&OutputStyle, &mut dyn Write) -> std::io::Result<()>;

/// Prints the report of `send`, made from the capture, with `part` before its summary. With `--print` or `--quiet` it
/// streams; otherwise it may go to the pager, which needs it whole.
pub(super) fn print_view(
    common: &CommonArgs,
    args: &args::ShowArgs,
    means: &ReadOptions,
    tape: &Tape,
    path: &Path,
    part: ReportPart<'_>,
) -> Result<ExitReason, CliError> {
    if args.output.print.is_some() || args.output.quiet || args.output.text {
        let mut live = output::live_view(common, &args.output, means, false)?.without_limit();
        tape.replay(&mut live);
        let painted = live.finish(&means.prices);
        if args.output.text {
            send::print_answer_errors(&painted);
        }
        return Ok(exit_after_print(&painted));
    }
    let terminal = output::stdout_is_terminal();
    let style = output::body_style(&args.output, output::stdout_style(common));
    let mut plan = output::output_plan(&args.output, terminal, terminal)?;
    // A report is text: bytes that it quotes are escaped, also when it goes to a pipe.
    plan.on_screen = true;
    let text = std::cell::RefCell::new(Vec::new());
    let screen = || StyledOutput {
        out: SharedWriter(&text),
        style,
    };
    let mut live = LivePainter::new(screen(), screen(), plan, means).without_limit();
    live.write_note(&format!("capture {} in {}", tape.origin.id, path.display()));
    live.write_note(&format!(
        "{} by {}, {}",
        tape.origin.via, tape.origin.tool, tape.origin.started
    ));
    live.write_note(&format!("to {}", tape.origin.url));
    tape.replay(&mut live);
    part(&style, &mut SharedWriter(&text)).map_err(CliError::usage)?;
    let exit = exit_after_print(&live.finish(&means.prices));
    output::print_report(&text.into_inner())?;
    Ok(exit)
}

/// A writer of which two write into one text.
struct SharedWriter<'a>(&'a std::cell::RefCell<Vec<u8>>);

impl Write for SharedWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The exit reason of an exchange that was painted.
pub(super) fn exit_after_print(painted: &RenderedExchange) -> ExitReason {
    match &painted.output_error {
        Some(error) => output::exit_after_write_error(error),
        None => send::exit_of_view(painted, false),
    }
}

/// Prints a hex dump of the bytes that `tiles` cover.
pub(super) fn print_hex_tiles(
    common: &CommonArgs,
    args: &args::ShowArgs,
    tape: &Tape,
    tiles: &[RoleSpan],
) -> Result<(), CliError> {
    let style = output::stdout_style(common);
    let mut text = Vec::new();
    for side in selected_sides(args.side) {
        let _ = hex::dump(tape.stream(side), tiles, &style, &mut text);
    }
    output::print_report(&text)?;
    Ok(())
}

fn selected_sides(side: Option<SideArg>) -> Vec<StreamSide> {
    match side {
        None => vec![StreamSide::Sent, StreamSide::Received],
        Some(SideArg::Sent) => vec![StreamSide::Sent],
        Some(SideArg::Received) => vec![StreamSide::Received],
    }
}

/// Prints one JSON value on standard output, and where and when it crossed on standard error.
pub(super) fn print_value(
    args: &args::ShowArgs,
    call: &Call,
    at: &str,
) -> Result<ExitReason, CliError> {
    let wrong = |error: &dyn std::fmt::Display| CliError::usage(format!("--at {at}: {error}"));
    let path = json::ValuePath::parse(at).map_err(|error| wrong(&error))?;
    let (side, body, hint) = match args.side {
        Some(SideArg::Sent) => (StreamSide::Sent, &call.request_body, "`-p B` shows it"),
        _ => {
            let hint = "`--side sent` looks into the request";
            (StreamSide::Received, &call.response_body, hint)
        }
    };
    output::print_decode_error("", body);
    let value = call.value_at(side, &path).map_err(|error| match error {
        LookupError::NoEvent => wrong(&"the answer is a stream; there is no such event").with_hint(
            "begin with the number of an event, such as /3/choices/0/delta; `--events` lists them",
        ),
        LookupError::NotJson(error) => {
            CliError::usage(format!("what is there is not JSON: {error}")).with_hint(hint)
        }
        LookupError::NotFound(error) => wrong(&error),
    })?;
    let moment = value.whole_at.map_or_else(
        || "unknown".to_owned(),
        |moment| wording::format_duration(moment.micros),
    );
    output::print_fact(&format!(
        "{path}: bytes {} of the body, {side} {}, whole at {moment}",
        value.span, value.wire
    ));
    let mut text = value.text;
    if output::stdout_is_terminal() {
        text = escape::escape(&text, escape::KeptWhitespace::Lines)
            .into_owned()
            .into_bytes();
    }
    text.push(b'\n');
    output::write_stdout(&text)
}
