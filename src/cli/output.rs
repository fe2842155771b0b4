//! Standard output and standard error: what they are, what they can show, and the pager.

use std::fs::File;
use std::io::{self, IsTerminal, LineWriter, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::args::{self, Colour, Common, Pretty, Undecoded};
use super::complain::Complaint;
use super::exit::Exit;
use super::means::Means;
use super::{env, signals};
use crate::capture::store::Store;
use crate::render::live;
use crate::render::plan::{Answer, Decode, Parts, Plan, Screen};
use crate::render::{Painted, Style, machine, words};
use crate::tape::Tape;

/// Standard output without a buffer: what is written is there. `Stdout` would wait for line ends.
pub(super) fn stdout() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

/// Standard error, a line at a time.
pub(super) fn stderr() -> impl Write {
    LineWriter::new(io::stderr())
}

/// Something about the input that its user should know, on standard error whatever is shown.
pub(super) fn note(text: &str) {
    let _ = writeln!(stderr(), "note: {}", words::line(text));
}

/// A fact beside the exchange, on standard error, marked as those of the exchange are.
pub(super) fn fact(text: &str) {
    let _ = writeln!(stderr(), "* {}", words::line(text));
}

/// What to do about it, on standard error.
pub(super) fn hint(text: &str) {
    let _ = writeln!(stderr(), "hint: {}", words::line(text));
}

/// Whether standard output is a terminal.
pub(super) fn stdout_is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// What standard output can show.
pub(super) fn stdout_style(common: &Common) -> Style {
    style(common, io::stdout().is_terminal())
}

/// What standard error can show.
pub(super) fn stderr_style(common: &Common) -> Style {
    style(common, io::stderr().is_terminal())
}

fn style(common: &Common, terminal: bool) -> Style {
    let dumb = env::var("TERM").is_some_and(|term| term == "dumb");
    let wanted = env::var("NO_COLOR").is_none() && !dumb;
    Style {
        colour: match common.colour {
            Colour::Auto => terminal && wanted,
            Colour::Always => true,
            Colour::Never => false,
        },
        unicode: !dumb && speaks_unicode(),
        width: size().map_or(80, |(width, _)| width),
    }
}

/// By the locale, in the order in which POSIX looks at it.
fn speaks_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(env::var);
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Columns and rows of the terminal.
fn size() -> Option<(usize, usize)> {
    let (width, height) = terminal_size::terminal_size()?;
    Some((width.0.into(), height.0.into()))
}

/// Writes `text` to standard output. A reader that went away is no error.
pub(super) fn plain(text: &[u8]) -> Result<Exit, Complaint> {
    let written = stdout().and_then(|mut out| out.write_all(text));
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Complaint::new(
            Exit::NoCapture,
            format!("standard output cannot be written: {error}"),
        )),
        _ => Ok(Exit::Done),
    }
}

/// How a view ends whose output could not be written. A reader that went away is no error.
pub(super) fn broken(error: &io::Error) -> Exit {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Exit::Done,
        _ => {
            let text = format!("the output cannot be written: {error}");
            Complaint::new(Exit::NoCapture, text).tell()
        }
    }
}

/// Writes a report: through the pager where it is longer than the terminal.
pub(super) fn report(text: &[u8]) -> Result<Exit, Complaint> {
    let rows = size().map_or(24, |(_, rows)| rows);
    let lines = memchr::memchr_iter(b'\n', text).count();
    if !stdout_is_terminal() || lines < rows || page(text).is_err() {
        return plain(text);
    }
    Ok(Exit::Done)
}

/// Lets `$PAGER` show it, which is a shell command by custom.
fn page(text: &[u8]) -> io::Result<()> {
    let pager = env::var("PAGER").unwrap_or_else(|| "less".to_owned());
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(pager).stdin(Stdio::piped());
    if env::var("LESS").is_none() {
        // Colours pass; a short text leaves at once; the screen stays.
        command.env("LESS", "FRX");
    }
    signals::leave_to_pager();
    let mut child = command.spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        // Whoever quits the pager early has seen enough.
        let _ = stdin.write_all(text);
    }
    let status = child.wait()?;
    // 127: the shell found no such program.
    if status.code() == Some(127) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(())
}

/// The folder of captures.
pub(super) fn store(common: &Common) -> Store {
    let folder = common
        .captures
        .clone()
        .or_else(|| env::path("WIRE_CAPTURES"));
    Store::new(folder.unwrap_or_else(|| PathBuf::from("captures")))
}

/// A live view whose body goes to standard output, and the rest to standard error.
pub(super) type Live = live::Live<File, Box<dyn Write>>;

/// The view of `send`: body to standard output, the rest to standard error; with `--print` the chosen
/// parts, unmarked, to standard output.
pub(super) fn live(
    common: &Common,
    args: &args::Output,
    means: &Means,
    events: bool,
) -> Result<Live, Complaint> {
    let failed = |error| {
        let text = format!("standard output cannot be used: {error}");
        Complaint::new(Exit::NoCapture, text)
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
    let body = Screen {
        out: stdout().map_err(failed)?,
        style: body_style(args, stdout_style(common)),
    };
    let notes = Screen {
        out: notes,
        style: body_style(args, style),
    };
    let mut plan = plan(args, stdout_is_terminal(), terminal)?;
    if events {
        plan.answer = Answer::Events;
    }
    Ok(live::Live::new(
        body,
        notes,
        plan,
        means.limits,
        means.options.dialect,
    ))
}

/// What is shown, where the body goes to a terminal or not, and the notes.
pub(super) fn plan(args: &args::Output, body: bool, notes: bool) -> Result<Plan, Complaint> {
    let laid_out = |terminal| match args.pretty {
        None => terminal,
        Some(Pretty::None) => false,
        Some(Pretty::All | Pretty::Format) => true,
    };
    let alone = args.quiet || args.text;
    let parts = match &args.print {
        Some(letters) => Parts::parse(letters).map_err(|letter| {
            Complaint::usage(format!("--print {letters}: `{letter}` names no part"))
                .hint("H request head, B request body, h response head, b response body, m meta")
        })?,
        None if alone => Parts {
            response_body: true,
            ..Parts::default()
        },
        None => Parts::ALL,
    };
    Ok(Plan {
        parts,
        marked: args.print.is_none() && !alone,
        decode: match args.undecoded {
            None => Decode::All,
            Some(Undecoded::Content) => Decode::Transfer,
            Some(Undecoded::All) => Decode::Nothing,
        },
        answer: if args.text {
            Answer::Text
        } else {
            Answer::Body
        },
        pretty: laid_out(body),
        pretty_notes: laid_out(notes),
        on_screen: body || args.pretty.is_some() && laid_out(body),
    })
}

/// `--pretty` can take the colours of bodies away.
pub(super) fn body_style(args: &args::Output, style: Style) -> Style {
    let colour = style.colour && matches!(args.pretty, None | Some(Pretty::All));
    Style { colour, ..style }
}

/// Writes the document of `--json` to standard output.
pub(super) fn document(tape: &Tape, means: &Means) -> Painted {
    let mut text = Vec::new();
    let mut painted = machine::write(tape, means.limits, means.options, &means.prices, &mut text);
    if let Err(error) = stdout().and_then(|mut out| out.write_all(&text)) {
        painted.broken = Some(error);
    }
    painted
}
