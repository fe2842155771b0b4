//! `wire show`: a capture, as a report, as bytes, as one value, or as a document.

use super::args::{self, CommonArgs};
use super::error::CliError;
use super::exit::ExitReason;
use super::output;
use super::read_options::read_options;
use super::show_parts::{
    call_exit, exit_after_print, print_hex_tiles, print_meaning, print_value, print_view,
};
use super::subject::{CaptureSubject, WebSocketCapture, not_a_websocket};
use super::{send, show_websocket};
use crate::call::{Call, ReadOptions};
use crate::capture::ParsedCapture;
use crate::capture::store::{self, StoreError};
use crate::exchange::roles::role_spans;
use crate::render::events;
use crate::tape::Tape;

/// Runs `wire show`.
pub(super) fn run(common: &CommonArgs, args: &args::ShowArgs) -> Result<ExitReason, CliError> {
    let store = output::capture_store(common);
    let subject = CaptureSubject::find(&store, &args.capture).map_err(capture_not_found)?;
    let path = &subject.path;
    let ParsedCapture { tape, notes } = store::open(path).map_err(capture_not_found)?;
    output::print_capture_notes(path, notes);
    let means = read_options(common, args.output.dialect.as_deref(), &args.limits)?;
    let tape = match (WebSocketCapture::read(tape, &means), subject.call) {
        (Ok(capture), _) => {
            return show_websocket::run(common, args, &means, &capture, &subject);
        }
        (Err(_), Some(number)) => return Err(not_a_websocket(number)),
        (Err(tape), None) => *tape,
    };
    if args.hex {
        print_hex_tiles(common, args, &tape, &role_spans(&tape, means.http1))?;
        return Ok(call_exit(&Call::read(tape, &means)));
    }
    if args.events {
        let (mut text, style) = (Vec::new(), output::stdout_style(common));
        let painted = events::write_event_list(&tape, &means, &style, &mut text);
        output::print_report(&text)?;
        return Ok(send::exit_of_view(&painted, false));
    }
    if let Some(at) = &args.at {
        return print_value(args, &Call::read(tape, &means), at);
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
        return print_meaning(common, args, &read_call(&means, tape));
    }
    print_view(common, args, &means, &tape, path, &|_, _| Ok(()))
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

fn capture_not_found(error: StoreError) -> CliError {
    let hint = match error {
        StoreError::NotRegular(_) => {
            "to read a pipe, write `-` and redirect it: `wire show - < PIPE`"
        }
        _ => "`wire ls` lists the captures",
    };
    CliError::usage(error).with_hint(hint)
}
