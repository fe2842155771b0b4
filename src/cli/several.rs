//! `wire send` to several models and targets, or several times: each exchange is captured, and a table of all and their
//! differences is printed at the end.

use std::path::PathBuf;

use super::args::{self, CommonArgs};
use super::error::CliError;
use super::exit::ExitReason;
use super::hints::SHOW_NOISE;
use super::job::SendJob;
use super::read_options::read_options;
use super::request;
use super::send::{self, ExchangeViewer};
use super::signals;
use super::{env, output};
use crate::call::runs::{TargetRun, TargetRuns};
use crate::call::{Call, ReadOptions};
use crate::capture::mask_url;
use crate::client::several::run_jobs;
use crate::diff::{self, DiffInput};
use crate::render::diff::NoiseView;
use crate::render::{trials, wording};
use crate::tape::{Tape, WireSink};
use crate::targets::api::ApiTarget;
use crate::targets::environment::Environment;

/// Runs `wire send`.
pub(super) fn run(common: &CommonArgs, args: &args::SendArgs) -> Result<ExitReason, CliError> {
    let targets = &args.target.to;
    let own = |to: &String| ApiTarget::split_model(to).1.is_some();
    if !args.edits.model.is_empty() && !targets.is_empty() && targets.iter().all(own) {
        return Err(CliError::usage("no target takes the model of -m")
            .with_hint("each --to NAME:MODEL names its own; write --to NAME"));
    }
    let aims = expand_targets(args);
    let (environment, unread) = env::load();
    for note in &unread {
        output::print_note(note);
    }
    match aims.as_slice() {
        [aim] if args.repeats.repeat <= 1 => send::run(common, aim, &environment),
        aims => send_many(common, args, aims, &environment),
    }
}

/// Returns the arguments of each single exchange: each `--to NAME` with each `-m MODEL`, each `--to NAME:MODEL` with its own
/// model.
fn expand_targets(args: &args::SendArgs) -> Vec<args::SendArgs> {
    let mut aims = Vec::new();
    let targets: Vec<_> = match args.target.to.is_empty() {
        true => vec![None],
        false => args.target.to.iter().map(Some).collect(),
    };
    for to in targets {
        let (name, own) = to.map_or((None, None), |to| {
            let (name, model) = ApiTarget::split_model(to);
            (Some(name), model)
        });
        let models: Vec<_> = match (own, args.edits.model.is_empty()) {
            (Some(own), _) => vec![Some(own.to_owned())],
            (None, true) => vec![None],
            (None, false) => args.edits.model.iter().cloned().map(Some).collect(),
        };
        for model in models {
            let mut aim = args.clone();
            aim.target.to = name.map(str::to_owned).into_iter().collect();
            aim.edits.model = model.into_iter().collect();
            aims.push(aim);
        }
    }
    aims
}

/// One exchange that has ended.
struct FinishedExchange {
    run: TargetRun,
    subject: DiffInput,
    exit: ExitReason,
}

/// Sends to each target and prints the results.
fn send_many(
    common: &CommonArgs,
    args: &args::SendArgs,
    aims: &[args::SendArgs],
    environment: &Environment,
) -> Result<ExitReason, CliError> {
    reject_single_only_flags(args)?;
    let means = read_options(common, args.output.dialect.as_deref(), &args.limits)?;
    let mut aims = aims.to_vec();
    if let Some(path) = &args.request {
        // Once: standard input cannot be read again, and all get the same.
        let bytes = request::read_input(path)?;
        for aim in &mut aims {
            aim.request_bytes = Some(bytes.clone());
        }
    }
    // A request that cannot be sent to one target is an error before anything is sent, and paid for, elsewhere.
    for aim in aims.iter().filter(|aim| !send::targets_demo(aim)) {
        SendJob::new(aim, environment, None)?;
    }
    let repeat = usize::try_from(args.repeats.repeat).unwrap_or(1);
    let queue: Vec<usize> = (0..aims.len()).flat_map(|aim| vec![aim; repeat]).collect();
    let (shots, failed) = run_queue(
        (common, environment, &means),
        &aims,
        &queue,
        args.repeats.parallel.into(),
    );
    match failed {
        Some(complaint) if shots.is_empty() => Err(complaint),
        // The answers so far are still printed.
        failed => {
            let exit = print_comparison(common, args, &aims, shots)?;
            let exit = failed.map_or(exit, CliError::print);
            Ok(if signals::was_interrupted() {
                ExitReason::Interrupted
            } else {
                exit
            })
        }
    }
}

/// An error for flags that apply to one exchange only.
fn reject_single_only_flags(args: &args::SendArgs) -> Result<(), CliError> {
    let output = &args.output;
    let streams = [
        (output.print.is_some(), "--print"),
        (output.quiet, "--quiet"),
        (output.text, "--text"),
        (args.events, "--events"),
        (args.dry_run, "--dry-run"),
        (args.recording.capture.is_some(), "--capture"),
    ];
    match streams.into_iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, flag)) => {
            let text = format!("{flag} is for one exchange, and several were asked for");
            let hint = match flag {
                "--dry-run" => "name one target and one model to see what would go out",
                _ => "`wire show @~N` opens each of them afterwards",
            };
            Err(CliError::usage(text).with_hint(hint))
        }
    }
}

/// Runs all, `parallel` at a time. An interruption, or a request that cannot be sent, starts no other.
fn run_queue(
    given: (&CommonArgs, &Environment, &ReadOptions),
    aims: &[args::SendArgs],
    queue: &[usize],
    parallel: usize,
) -> (Vec<(usize, FinishedExchange)>, Option<CliError>) {
    // Between two exchanges no other task waits for the signal.
    signals::exit_on_second_signal();
    let send = |number: usize| {
        let aim = queue.get(number).copied().ok_or(None)?;
        let args = aims.get(aim).filter(|_| !signals::was_interrupted());
        let args = args.ok_or(None)?;
        let shot = send::block_on(run_one(given, args)).map_err(Some)?;
        print_progress(number, queue.len(), args, &shot.run);
        Ok((aim, shot))
    };
    let (shots, failed) = run_jobs(queue.len(), parallel, send);
    (shots, failed.flatten())
}

/// Sends one request and reads the answer.
async fn run_one(
    (common, environment, means): (&CommonArgs, &Environment, &ReadOptions),
    args: &args::SendArgs,
) -> Result<FinishedExchange, CliError> {
    let demo = send::start_demo_for(args).await?;
    let mut job = SendJob::new(args, environment, demo.as_ref())?;
    let mut watch = TapeViewer(Tape::new(job.origin.clone()));
    let (failure, capture) =
        send::run_and_record(common, args, means, &mut job, &mut watch).await?;
    let path = capture.path().map(PathBuf::from);
    let name = path.as_deref().and_then(|path| path.file_name());
    let name = name.map(|name| name.to_string_lossy().into_owned());
    let target = target_label(args);
    let call = Call::read(watch.0, means);
    let mut trial = TargetRun::from_call(&call);
    trial.capture = path.map(|path| path.display().to_string());
    send::print_unverified(&call.exchange);
    let exit = send::exchange_exit(&call.exchange, call.is_complete(), args.fail);
    if !call.exchange.outcome().is_whole() {
        trial.verdict = wording::describe_outcome(&call.exchange);
    }
    if let Some(hint) = failure.and_then(|failure| failure.hint) {
        output::print_hint(&hint);
    }
    let exit = capture.finish(exit, false);
    let name = name.unwrap_or_else(|| target.clone());
    Ok(FinishedExchange {
        run: trial,
        subject: DiffInput::from_call(name, call),
        exit,
    })
}

/// A viewer that shows nothing and keeps the exchange as a tape.
struct TapeViewer(Tape);

impl ExchangeViewer for TapeViewer {
    fn sink(&mut self) -> &mut dyn WireSink {
        &mut self.0
    }

    fn show_note(&mut self, text: &str) {
        output::print_fact(text);
    }
}

/// Returns the name of a target for people: `openai:gpt-4o`, or a URL with its secrets masked.
fn target_label(args: &args::SendArgs) -> String {
    let target_args = &args.target;
    let url = target_args.url.as_deref().map(mask_url);
    let name = target_args.to.first().cloned().or(url);
    let name = name.unwrap_or_else(|| "openai".to_owned());
    match args.edits.model.first() {
        None => name,
        Some(model) => format!("{name}:{model}"),
    }
}

fn print_progress(number: usize, all: usize, args: &args::SendArgs, trial: &TargetRun) {
    let status = trial
        .status
        .map_or_else(|| "-".to_owned(), |status| status.to_string());
    let total = trial.total.map_or_else(String::new, |micros| {
        format!(" in {}", wording::format_duration(micros))
    });
    let kept = trial
        .capture
        .as_ref()
        .map(|path| format!(", captured in {path}"));
    let text = format!(
        "{}/{all} {}: {status}{total}, {}{}",
        number.saturating_add(1),
        target_label(args),
        trial.verdict,
        kept.unwrap_or_default()
    );
    output::print_fact(&text);
}

fn print_comparison(
    common: &CommonArgs,
    args: &args::SendArgs,
    aims: &[args::SendArgs],
    shots: Vec<(usize, FinishedExchange)>,
) -> Result<ExitReason, CliError> {
    let mut exit = ExitReason::Done;
    let mut firsts: Vec<DiffInput> = Vec::new();
    let mut all: Vec<Vec<TargetRun>> = aims.iter().map(|_| Vec::new()).collect();
    for (aim, shot) in shots {
        exit = worse_exit(exit, shot.exit);
        let Some(trials) = all.get_mut(aim) else {
            continue;
        };
        if trials.is_empty() {
            let name = aims.get(aim).map_or_else(String::new, target_label);
            let mut first = shot.subject;
            first.name = format!("{name}  {}", first.name);
            firsts.push(first);
        }
        trials.push(shot.run);
    }
    let named = aims.iter().map(target_label).zip(all);
    let trials: Vec<_> = named
        .map(|(target, trials)| TargetRuns::new(target, trials))
        .collect();
    let matrix = diff::compare_answers(&firsts);
    let mut text = Vec::new();
    let style = output::stdout_style(common);
    let written = match args.output.json {
        true => trials::write_json(&trials, &matrix, &mut text),
        false => {
            let noise = NoiseView::Hidden(SHOW_NOISE);
            trials::write_report(&trials, &matrix, noise, &style, &mut text)
        }
    };
    written.map_err(CliError::usage)?;
    output::write_stdout(&text)?;
    Ok(exit)
}

/// The more serious of two exit reasons. An interruption is the most serious.
fn worse_exit(one: ExitReason, other: ExitReason) -> ExitReason {
    let weight = |exit| match exit {
        ExitReason::Done => 0,
        ExitReason::FoundSomething => 1,
        ExitReason::Interrupted => 3,
        _ => 2,
    };
    match weight(other) > weight(one) {
        true => other,
        false => one,
    }
}
