//! Standard output and standard error: terminal or not, colours and width, notes and hints, the pager.

use std::fs::File;
use std::io::{self, IsTerminal, LineWriter, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::args::{self, ColourChoice, CommonArgs, PrettyMode, UndecodedMode};
use super::error::CliError;
use super::exit::ExitReason;
use super::hints::{decode_hint, hint_text};
use super::{env, signals};
use crate::call::{Call, ReadOptions};
use crate::capture::CaptureNote;
use crate::capture::store::CaptureStore;
use crate::content::DecodedBody;
use crate::lint;
use crate::net::Hint;
use crate::render::live;
use crate::render::view_options::{
    AnswerForm, DecodeLevel, ExchangeParts, StyledOutput, ViewOptions,
};
use crate::render::{OutputStyle, RenderedExchange, json_output, wording};

/// Returns standard output without a buffer, since `Stdout` would wait for line ends.
pub(super) fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Returns standard error, written a line at a time.
pub(super) fn stderr() -> impl Write {
    LineWriter::new(io::stderr())
}

/// Prints a note about the input on standard error.
pub(super) fn print_note(text: &str) {
    let _ = writeln!(stderr(), "note: {}", wording::escape_line(text));
}

/// Prints what could not be read of the capture in `path`.
pub(super) fn print_capture_notes(path: &Path, notes: Vec<CaptureNote>) {
    for finding in lint::capture_findings(&notes) {
        let text = wording::describe_finding(&finding);
        print_note(&format!("{}: {text}", path.display()));
    }
}

/// Prints why a body could not be decoded to its end, if so, after `context`.
pub(super) fn print_decode_error(context: &str, body: &DecodedBody) {
    let Some(error) = &body.error else { return };
    print_note(&format!("{context}{}", wording::describe_undecoded(error)));
    if let Some(hint) = decode_hint(error) {
        print_hint(&hint);
    }
}

/// Prints a fact on standard error, with the mark of the facts of an exchange.
pub(super) fn print_fact(text: &str) {
    let _ = writeln!(stderr(), "* {}", wording::escape_line(text));
}

/// Prints a hint on standard error.
pub(super) fn print_hint(hint: &Hint) {
    let _ = writeln!(stderr(), "hint: {}", wording::escape_line(&hint_text(hint)));
}

/// Whether standard output is a terminal.
pub(super) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Returns colours, characters and width of standard output.
pub(super) fn stdout_style(common: &CommonArgs) -> OutputStyle {
    detect_style(common, io::stdout().is_terminal())
}

/// Returns colours, characters and width of standard error.
pub(super) fn stderr_style(common: &CommonArgs) -> OutputStyle {
    detect_style(common, io::stderr().is_terminal())
}

fn detect_style(common: &CommonArgs, terminal: bool) -> OutputStyle {
    let dumb = env::var("TERM").is_some_and(|term| term == "dumb");
    let wanted = env::var("NO_COLOR").is_none() && !dumb;
    OutputStyle {
        colour: match common.colour {
            ColourChoice::Auto => terminal && wanted,
            ColourChoice::Always => true,
            ColourChoice::Never => false,
        },
        unicode: !dumb && is_utf8_locale(),
        width: terminal_cells().map_or(80, |(width, _)| width),
    }
}

/// Whether the locale is UTF-8. The variables are read in the order of POSIX.
fn is_utf8_locale() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(env::var);
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Returns the columns and rows of the terminal; `None` without one.
fn terminal_cells() -> Option<(usize, usize)> {
    let (width, height) = terminal_size::terminal_size()?;
    Some((width.0.into(), height.0.into()))
}

/// Writes `text` to standard output. A reader that went away is no error.
pub(super) fn write_stdout(text: &[u8]) -> Result<ExitReason, CliError> {
    let written = stdout().and_then(|mut out| out.write_all(text));
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(CliError::new(
            ExitReason::WriteFailed,
            format!("standard output cannot be written: {error}"),
        )),
        _ => Ok(ExitReason::Done),
    }
}

/// Prints the error of a view whose output could not be written. Returns how to end: a reader that went away is no error.
pub(super) fn exit_after_write_error(error: &io::Error) -> ExitReason {
    match error.kind() {
        io::ErrorKind::BrokenPipe => ExitReason::Done,
        _ => {
            let text = format!("the output cannot be written: {error}");
            CliError::new(ExitReason::WriteFailed, text).print()
        }
    }
}

/// Writes a report to standard output, through the pager if it is longer than the terminal.
pub(super) fn print_report(text: &[u8]) -> Result<ExitReason, CliError> {
    let rows = terminal_cells().map_or(24, |(_, rows)| rows);
    let lines = memchr::memchr_iter(b'\n', text).count();
    if !stdout_is_terminal() || lines < rows || run_pager(text).is_err() {
        return write_stdout(text);
    }
    Ok(ExitReason::Done)
}

/// Shows `text` with `$PAGER`, which is a shell command by custom.
fn run_pager(text: &[u8]) -> io::Result<()> {
    let pager = env::var("PAGER").unwrap_or_else(|| "less".to_owned());
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(pager).stdin(Stdio::piped());
    if env::var("LESS").is_none() {
        // Colours pass; a short text leaves at once; the screen stays.
        command.env("LESS", "FRX");
    }
    signals::leave_interrupts_to_pager();
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // A user who quits the pager early has seen enough.
        let _ = stdin.write_all(text);
    }
    let status = child.wait()?;
    // 127: the shell found no such program.
    if status.code() == Some(127) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(())
}

/// Returns the capture folder that the arguments or the environment name.
pub(super) fn capture_store(common: &CommonArgs) -> CaptureStore {
    let folder = common
        .captures
        .clone()
        .or_else(|| env::path("WIRE_CAPTURES"));
    CaptureStore::new(folder.unwrap_or_else(|| PathBuf::from("captures")))
}

/// A live view whose body goes to standard output, and the rest to standard error.
pub(super) type StdioView = live::LivePainter<File, Box<dyn Write>>;

/// The view of `send`: body to standard output, the rest to standard error; with `--print` the chosen
/// parts, unmarked, to standard output.
pub(super) fn live_view(
    common: &CommonArgs,
    args: &args::OutputArgs,
    means: &ReadOptions,
    events: bool,
) -> Result<StdioView, CliError> {
    let failed = |error| {
        let text = format!("standard output cannot be used: {error}");
        CliError::new(ExitReason::WriteFailed, text)
    };
    let printed = args.print.is_some();
    let (notes, style): (Box<dyn Write>, _) = match printed {
        true => (Box::new(stdout().map_err(failed)?), stdout_style(common)),
        false => (Box::new(stderr()), stderr_style(common)),
    };
    let terminal = if printed {
        stdout_is_terminal()
    } else {
        io::stderr().is_terminal()
    };
    let body = StyledOutput {
        out: stdout().map_err(failed)?,
        style: body_style(args, stdout_style(common)),
    };
    let notes = StyledOutput {
        out: notes,
        style: body_style(args, style),
    };
    let mut plan = output_plan(args, stdout_is_terminal(), terminal)?;
    if events {
        plan.answer_form = AnswerForm::Events;
    }
    Ok(live::LivePainter::new(body, notes, plan, means))
}

/// Returns what is shown and how. `body` and `notes`: whether each goes to a terminal.
pub(super) fn output_plan(
    args: &args::OutputArgs,
    body: bool,
    notes: bool,
) -> Result<ViewOptions, CliError> {
    let laid_out = |terminal| match args.pretty {
        None => terminal,
        Some(PrettyMode::None) => false,
        Some(PrettyMode::All | PrettyMode::Format) => true,
    };
    let alone = args.quiet || args.text;
    let parts = match &args.print {
        Some(letters) => ExchangeParts::parse(letters).map_err(|letter| {
            CliError::usage(format!("--print {letters}: `{letter}` names no part")).with_hint(
                "H request head, B request body, h response head, b response body, m meta",
            )
        })?,
        None if alone => ExchangeParts {
            response_body: true,
            ..ExchangeParts::default()
        },
        None => ExchangeParts::ALL,
    };
    Ok(ViewOptions {
        parts,
        with_marks: args.print.is_none() && !alone,
        decode: match args.undecoded {
            None => DecodeLevel::All,
            Some(UndecodedMode::Content) => DecodeLevel::TransferOnly,
            Some(UndecodedMode::All) => DecodeLevel::Nothing,
        },
        answer_form: if args.text {
            AnswerForm::Text
        } else {
            AnswerForm::Body
        },
        pretty: laid_out(body),
        pretty_notes: laid_out(notes),
        on_screen: body || args.pretty.is_some() && laid_out(body),
    })
}

/// Returns the style of bodies: `--pretty` may remove their colours.
pub(super) fn body_style(args: &args::OutputArgs, style: OutputStyle) -> OutputStyle {
    let colour = style.colour && matches!(args.pretty, None | Some(PrettyMode::All));
    OutputStyle { colour, ..style }
}

/// Writes the document of `--json` to standard output.
pub(super) fn print_json_document(call: Call) -> RenderedExchange {
    let mut text = Vec::new();
    let written = json_output::write_call(&call, &mut text);
    let printed = written.and_then(|()| stdout()?.write_all(&text));
    RenderedExchange::from_call(call, printed.err())
}
