//! `wire lint`: the findings of captures, and the table of rules.

use std::io::Read;
use std::path::Path;

use super::args::{CommonArgs, LintArgs, SeverityArg};
use super::error::CliError;
use super::exit::ExitReason;
use super::output;
use super::read_options::read_options;
use super::subject::{CaptureSubject, WebSocketCapture, not_a_websocket};
use crate::call::{Call, ReadOptions, SocketPlace};
use crate::capture::store::{self, CaptureStore};
use crate::chat::{AnswerRetention, Severity};
use crate::client::several::run_jobs;
use crate::diff::DiffInput;
use crate::import;
use crate::lint::{self, Finding, FindingFilter, LintedCall};
use crate::render::lint_report::{self, LintForm};

/// Captures that are read at one time: both cores are busy, and few captures are in memory.
const BATCH: usize = 64;

/// Runs `wire lint`.
pub(super) fn run(common: &CommonArgs, args: &LintArgs) -> Result<ExitReason, CliError> {
    let style = output::stdout_style(common);
    let mut text = Vec::new();
    if let Some(id) = &args.explain {
        let rule = lint::find_rule(id).ok_or_else(|| {
            CliError::usage(format!("there is no rule `{id}`"))
                .with_hint("`wire lint --rules` lists them")
        })?;
        let _ = lint_report::write_rule(rule, &style, &mut text);
        return output::print_report(&text);
    }
    if args.rules {
        let written = match args.json {
            true => lint_report::write_rules_json(&mut text),
            false => lint_report::write_rules(&style, &mut text),
        };
        written.map_err(CliError::usage)?;
        return output::print_report(&text);
    }
    let filter =
        FindingFilter::new(&args.only, &args.ignore, args.severity.into()).map_err(|unknown| {
            CliError::usage(format!("there is no rule or layer `{unknown}`"))
                .with_hint("`wire lint --rules` lists them")
        })?;
    let mut means = read_options(common, args.dialect.as_deref(), &args.limits)?;
    // Rules need no stamp of each piece: memory beside the capture itself stays bounded.
    means.answer.retention = AnswerRetention::TextStart;
    let paths = find_inputs(&output::capture_store(common), &args.subjects)?;
    let form = match (args.json, args.sarif, args.github) {
        (true, ..) => LintForm::Json,
        (_, true, _) => LintForm::Sarif,
        (.., true) => LintForm::Github,
        _ => LintForm::Text,
    };
    let calls = lint_all(&paths, &means, &filter)?;
    lint_report::write_calls(&calls, form, &style, &mut text).map_err(CliError::usage)?;
    let found = calls.iter().flat_map(|call| &call.findings);
    let has_failed = found.map(|finding| finding.severity).max() >= Some(args.fail_on.into());
    let printed = match form {
        LintForm::Text => output::print_report(&text)?,
        _ => output::write_stdout(&text)?,
    };
    Ok(match has_failed {
        true => ExitReason::FoundSomething,
        false => printed,
    })
}

impl From<SeverityArg> for Severity {
    fn from(severity: SeverityArg) -> Self {
        match severity {
            SeverityArg::Info => Self::Info,
            SeverityArg::Warning => Self::Warning,
            SeverityArg::Error => Self::Error,
        }
    }
}

/// The files that the user named: captures, ranges, all captures of a folder, standard input.
fn find_inputs(store: &CaptureStore, named: &[String]) -> Result<Vec<CaptureSubject>, CliError> {
    if named.is_empty() {
        return Ok(vec![store.find("@").map_err(CliError::usage)?.into()]);
    }
    let mut paths = Vec::new();
    for name in named {
        let folder = Path::new(name);
        if folder.is_dir() {
            let store = CaptureStore::new(folder.to_owned());
            let names = store.names().map_err(CliError::usage)?;
            paths.extend(
                names
                    .iter()
                    .map(|name| CaptureSubject::from(store.path(name))),
            );
        } else {
            paths.extend(CaptureSubject::find_all(store, name).map_err(CliError::usage)?);
        }
    }
    Ok(paths)
}

/// Lints the files in order. Neighbours are also compared with each other.
fn lint_all(
    subjects: &[CaptureSubject],
    means: &ReadOptions,
    filter: &FindingFilter,
) -> Result<Vec<LintedCall>, CliError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut linted: Vec<LintedCall> = Vec::new();
    // The call before; of a WebSocket connection, all calls before, since each may continue any of them.
    let mut before: Vec<DiffInput> = Vec::new();
    for batch in subjects.chunks(BATCH) {
        let read = |number: usize| match batch.get(number) {
            Some(subject) => read_input(subject, means),
            None => Err(CliError::usage("no such input")),
        };
        let (calls, failed) = run_jobs(batch.len(), threads, read);
        for LintInput { name, call, frames } in calls.into_iter().flatten() {
            let mut findings = lint::check_call((&call).into());
            let is_connection = frames.is_some();
            findings.extend(frames.into_iter().flatten());
            let verdict = call.meaning.completion.verdict;
            let place = call.socket.clone();
            let input = DiffInput::from_call(name.clone(), call);
            if let Some(before) = earlier_call(&before, place.as_ref()).filter(|_| !is_connection) {
                findings.extend(lint::sequence::check_pair(before, &input));
            }
            findings.retain(|finding| filter.shows(finding));
            if is_connection && findings.is_empty() {
                continue;
            }
            linted.push(LintedCall {
                name,
                verdict,
                findings,
            });
            if place.is_none() {
                before.clear();
            }
            before.extend((!is_connection).then_some(input));
        }
        if let Some(error) = failed {
            return Err(error);
        }
    }
    Ok(linted)
}

/// The call that a call at `place` comes after: the one that it continues, or the last one of `before` if it came over HTTP.
fn earlier_call<'a>(before: &'a [DiffInput], place: Option<&SocketPlace>) -> Option<&'a DiffInput> {
    let Some(place) = place else {
        return before.last();
    };
    let follows = place.follows.as_ref()?;
    let mut before = before.iter();
    before.find(|input| {
        let call = input.call();
        call.is_some_and(|call| call.tape.origin.id == *follows)
    })
}

/// A call to lint.
struct LintInput {
    /// The file, with the number of the call in it.
    name: String,
    call: Call,
    /// Findings about the frames of a WebSocket connection; `None` for a call.
    frames: Option<Vec<Finding>>,
}

/// Reads a capture or a raw HTTP message. A WebSocket connection gives itself and then its calls.
#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
fn read_input(subject: &CaptureSubject, means: &ReadOptions) -> Result<Vec<LintInput>, CliError> {
    let path = subject.path.as_path();
    let name = path.display().to_string();
    let one = |name, call| LintInput {
        name,
        call,
        frames: None,
    };
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes));
    read.map_err(|error| CliError::unreadable_file(path, &error))?;
    if bytes.trim_ascii_start().starts_with(b"{") {
        let parsed = store::parse(path, &bytes).map_err(CliError::usage)?;
        return match (WebSocketCapture::read(parsed.tape, means), subject.call) {
            (Ok(capture), Some(number)) => {
                let call = capture.call(number, means)?;
                Ok(vec![one(format!("{name}.{number}"), call)])
            }
            (Ok(capture), None) => {
                let calls = capture.calls(means).into_iter().enumerate();
                let calls = calls
                    .map(|(index, call)| one(format!("{name}.{}", index.saturating_add(1)), call));
                let frames = Some(lint::check_websocket(&capture.session));
                let mut call = Call::read(capture.tape, means);
                call.capture_notes = parsed.notes;
                let connection = LintInput {
                    frames,
                    ..one(name.clone(), call)
                };
                Ok(std::iter::once(connection).chain(calls).collect())
            }
            (Err(_), Some(number)) => Err(not_a_websocket(number)),
            (Err(tape), None) => {
                let mut call = Call::read(*tape, means);
                call.capture_notes = parsed.notes;
                Ok(vec![one(name, call)])
            }
        };
    }
    let call = Call::read(import::read_message(&bytes), means);
    Ok(vec![one(name, call)])
}
