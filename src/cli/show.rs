//! `wire show`: a capture, as a report, as bytes, as one value, or as a document.

use std::io::Write;
use std::path::Path;

use super::args::{self, CommonArgs, SideArg};
use super::error::CliError;
use super::exit::ExitReason;
use super::output;
use super::read_options::read_options;
use super::send;
use crate::call::lookup::LookupError;
use crate::call::{Call, ReadOptions};
use crate::capture::ParsedCapture;
use crate::capture::store::{self, StoreError};
use crate::exchange::roles::role_spans;
use crate::json;
use crate::lint;
use crate::render::live::LivePainter;
use crate::render::view_options::StyledOutput;
use crate::render::{RenderedExchange, escape, events, hex, json_output, summary, wording};
use crate::span::StreamSide;
use crate::tape::Tape;

/// Runs `wire show`.
pub(super) fn run(common: &CommonArgs, args: &args::ShowArgs) -> Result<ExitReason, CliError> {
    let store = output::capture_store(common);
    let path = store.find(&args.capture).map_err(capture_not_found)?;
    let ParsedCapture { tape, notes } = store::open(&path).map_err(capture_not_found)?;
    output::print_capture_notes(&path, notes);
    let means = read_options(common, args.output.dialect.as_deref(), &args.limits)?;
    if args.hex {
        return print_hex_dump(common, args, &means, &tape);
    }
    if args.events {
        let (mut text, style) = (Vec::new(), output::stdout_style(common));
        let painted = events::write_event_list(&tape, &means, &style, &mut text);
        output::print_report(&text)?;
        return Ok(send::exit_of_view(&painted, false));
    }
    if let Some(at) = &args.at {
        return print_value(args, &means, tape, at);
    }
    if args.output.json {
        return Ok(exit_after_print(&output::print_json_document(Call::read(
            tape, &means,
        ))));
    }
    if args.raw_events {
        return print_raw_events(common, &means, tape);
    }
    if args.summary || args.tools || args.usage {
        return print_meaning(common, args, &means, tape);
    }
    print_view(common, args, &means, &tape, &path)
}

/// Prints the meaning of the exchange, or its tool calls or tokens.
fn print_meaning(
    common: &CommonArgs,
    args: &args::ShowArgs,
    means: &ReadOptions,
    tape: Tape,
) -> Result<ExitReason, CliError> {
    let call = read_call(means, tape);
    let mut text = Vec::new();
    let written = match (args.tools, args.usage) {
        (true, _) => json_output::write_tool_calls(&call.meaning, &mut text),
        (_, true) => json_output::write_usage(&call.meaning, &mut text),
        _ => summary::write_summary(
            &call.meaning,
            &lint::check_call((&call).into()),
            "",
            &output::stdout_style(common),
            &mut text,
        ),
    };
    written.map_err(CliError::usage)?;
    if text.is_empty() {
        let what = match (args.tools, args.usage) {
            (true, _) => "calls no tool",
            (_, true) => "counts no tokens",
            _ => "is not known to be the answer of a model (--dialect names one)",
        };
        output::print_note(&format!("this exchange {what}"));
    }
    output::print_report(&text)?;
    Ok(call_exit(&call))
}

fn print_raw_events(
    common: &CommonArgs,
    means: &ReadOptions,
    tape: Tape,
) -> Result<ExitReason, CliError> {
    let call = read_call(means, tape);
    let Some(format) = call.meaning.completion.media.stream_format() else {
        output::print_note("the answer is no stream of events");
        return Ok(call_exit(&call));
    };
    let body = &call.response_body;
    let moment = |at| call.tape.received.moment_at(body.wire_offset(at)?);
    let mut text = Vec::new();
    let style = output::stdout_style(common);
    let _ = events::write_raw_events(&body.bytes, format, &moment, &style, &mut text);
    output::print_report(&text)?;
    Ok(call_exit(&call))
}

/// Reads the capture; reports what of its body could not be decoded.
fn read_call(means: &ReadOptions, tape: Tape) -> Call {
    let call = Call::read(tape, means);
    output::print_decode_error("", &call.response_body);
    call
}

fn call_exit(call: &Call) -> ExitReason {
    send::exchange_exit(&call.exchange, call.is_complete(), false)
}

fn capture_not_found(error: StoreError) -> CliError {
    let hint = match error {
        StoreError::NotRegular(_) => {
            "to read a pipe, write `-` and redirect it: `wire show - < PIPE`"
        }
        _ => "`wire ls` lists the captures",
    };
    CliError::usage(error).with_hint(hint)
}

/// Prints the report of `send`, made from the capture. With `--print` or `--quiet` it streams; otherwise it may go to the
/// pager, which needs it whole.
fn print_view(
    common: &CommonArgs,
    args: &args::ShowArgs,
    means: &ReadOptions,
    tape: &Tape,
    path: &Path,
) -> Result<ExitReason, CliError> {
    if args.output.print.is_some() || args.output.quiet || args.output.text {
        let mut live = output::live_view(common, &args.output, means, false)?.without_limits();
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
    let mut live = LivePainter::new(screen(), screen(), plan, means).without_limits();
    live.write_note(&format!("capture {} in {}", tape.origin.id, path.display()));
    live.write_note(&format!(
        "{} by {}, {}",
        tape.origin.via, tape.origin.tool, tape.origin.started
    ));
    live.write_note(&format!("to {}", tape.origin.url));
    tape.replay(&mut live);
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

fn exit_after_print(painted: &RenderedExchange) -> ExitReason {
    match &painted.output_error {
        Some(error) => output::exit_after_write_error(error),
        None => send::exit_of_view(painted, false),
    }
}

fn print_hex_dump(
    common: &CommonArgs,
    args: &args::ShowArgs,
    means: &ReadOptions,
    tape: &Tape,
) -> Result<ExitReason, CliError> {
    let tiles = role_spans(tape, means.http1);
    let style = output::stdout_style(common);
    let mut text = Vec::new();
    for side in selected_sides(args.side) {
        let _ = hex::dump(tape.stream(side), &tiles, &style, &mut text);
    }
    output::print_report(&text)?;
    Ok(call_exit(&Call::read(tape.clone(), means)))
}

fn selected_sides(side: Option<SideArg>) -> Vec<StreamSide> {
    match side {
        None => vec![StreamSide::Sent, StreamSide::Received],
        Some(SideArg::Sent) => vec![StreamSide::Sent],
        Some(SideArg::Received) => vec![StreamSide::Received],
    }
}

/// Prints one JSON value on standard output, and where and when it crossed on standard error.
fn print_value(
    args: &args::ShowArgs,
    means: &ReadOptions,
    tape: Tape,
    at: &str,
) -> Result<ExitReason, CliError> {
    let wrong = |error: &dyn std::fmt::Display| CliError::usage(format!("--at {at}: {error}"));
    let path = json::ValuePath::parse(at).map_err(|error| wrong(&error))?;
    let call = Call::read(tape, means);
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
