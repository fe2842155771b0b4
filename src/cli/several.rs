//! `wire send`: one request to one, or to several models and targets, or several times: then each exchange is kept,
//! and at the end come one table, and what differs between them.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use super::args::{self, Common};
use super::complain::Complaint;
use super::destination::Destination;
use super::exit::Exit;
use super::job::Job;
use super::means::Means;
use super::output;
use super::request;
use super::send::{self, Screen};
use super::signals;
use crate::call::runs::{Trial, Trials};
use crate::capture::mask_url;
use crate::diff::{self, Layer, Matrix, Subject};
use crate::render::{diff as paint, machine, trials, words};
use crate::tape::{Tape, WireSink};

/// Runs `wire send`.
pub(super) fn run(common: &Common, args: &args::Send) -> Result<Exit, Complaint> {
    let targets = &args.whither.to;
    let own = |to: &String| Destination::split(to).1.is_some();
    if !args.edits.model.is_empty() && !targets.is_empty() && targets.iter().all(own) {
        return Err(Complaint::usage("nobody is asked for the model of -m")
            .hint("each --to NAME:MODEL names its own; write --to NAME"));
    }
    let aims = aims(args);
    match aims.as_slice() {
        [aim] if args.several.repeat <= 1 => send::run(common, aim),
        aims => compare(common, args, aims),
    }
}

/// What is asked of whom: the arguments as they would be for that one exchange. Each `--to NAME` is asked for each
/// `-m MODEL`, each `--to NAME:MODEL` for its own.
fn aims(args: &args::Send) -> Vec<args::Send> {
    let mut aims = Vec::new();
    let targets: Vec<_> = match args.whither.to.is_empty() {
        true => vec![None],
        false => args.whither.to.iter().map(Some).collect(),
    };
    for to in targets {
        let (name, own) = to.map_or((None, None), |to| Destination::split(to));
        let models: Vec<_> = match (own, args.edits.model.is_empty()) {
            (Some(own), _) => vec![Some(own.to_owned())],
            (None, true) => vec![None],
            (None, false) => args.edits.model.iter().cloned().map(Some).collect(),
        };
        for model in models {
            let mut aim = args.clone();
            aim.whither.to = name.map(str::to_owned).into_iter().collect();
            aim.edits.model = model.into_iter().collect();
            aims.push(aim);
        }
    }
    aims
}

/// One exchange that has ended.
struct Shot {
    trial: Trial,
    subject: Subject,
    exit: Exit,
}

/// Sends to each, and tells what came of it.
fn compare(common: &Common, args: &args::Send, aims: &[args::Send]) -> Result<Exit, Complaint> {
    refuse(args)?;
    let means = Means::new(common, &args.output, &args.limits)?;
    let mut aims = aims.to_vec();
    if let Some(path) = &args.request {
        // Once: standard input cannot be read again, and all get the same.
        let bytes = request::read(path)?;
        for aim in &mut aims {
            aim.read = Some(bytes.clone());
        }
    }
    // What cannot be sent to one is told before anything is sent to another, and paid for.
    for aim in aims.iter().filter(|aim| !send::is_demo(aim)) {
        Job::new(aim, None)?;
    }
    let repeat = usize::try_from(args.several.repeat).unwrap_or(1);
    let queue: Vec<usize> = (0..aims.len()).flat_map(|aim| vec![aim; repeat]).collect();
    let (shots, failed) = shoot(common, &means, &aims, &queue, args.several.parallel.into());
    match failed {
        Some(complaint) if shots.is_empty() => Err(complaint),
        // What was answered is told all the same.
        failed => {
            let exit = report(common, args, &aims, shots)?;
            let exit = failed.map_or(exit, Complaint::tell);
            Ok(if signals::came() {
                Exit::Interrupted
            } else {
                exit
            })
        }
    }
}

/// What makes no sense of several answers.
fn refuse(args: &args::Send) -> Result<(), Complaint> {
    let output = &args.output;
    let streams = [
        (output.print.is_some(), "--print"),
        (output.quiet, "--quiet"),
        (output.text, "--text"),
        (args.events, "--events"),
        (args.dry_run, "--dry-run"),
        (args.keep.capture.is_some(), "--capture"),
    ];
    match streams.into_iter().find(|(given, _)| *given) {
        None => Ok(()),
        Some((_, flag)) => {
            let text = format!("{flag} is for one exchange, and several were asked for");
            let hint = match flag {
                "--dry-run" => "name one target and one model to see what would go out",
                _ => "`wire show @~N` opens each of them afterwards",
            };
            Err(Complaint::usage(text).hint(hint))
        }
    }
}

/// Runs all, `parallel` at a time; an interruption ends those that run and starts no other, and so does what cannot be
/// sent at all.
fn shoot(
    common: &Common,
    means: &Means,
    aims: &[args::Send],
    queue: &[usize],
    parallel: usize,
) -> (Vec<(usize, Shot)>, Option<Complaint>) {
    // Between two exchanges nobody else listens.
    signals::second_ends();
    let next = Mutex::new(queue.iter().copied().enumerate());
    let shots = Mutex::new(Vec::new());
    let failed = Mutex::new(None);
    let over = AtomicBool::new(false);
    let worker = || {
        while !over.load(Ordering::Relaxed) && !signals::came() {
            let taken = next.lock().ok().and_then(|mut next| next.next());
            let Some((number, aim)) = taken else { break };
            let Some(args) = aims.get(aim) else { break };
            match send::block_on(shot(common, args, means)) {
                Ok(shot) => {
                    if shot.exit == Exit::Interrupted {
                        over.store(true, Ordering::Relaxed);
                    }
                    progress(number, queue.len(), args, &shot.trial);
                    if let Ok(mut shots) = shots.lock() {
                        shots.push((number, (aim, shot)));
                    }
                }
                Err(complaint) => {
                    over.store(true, Ordering::Relaxed);
                    if let Ok(mut failed) = failed.lock() {
                        failed.get_or_insert(complaint);
                    }
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..parallel.min(queue.len()) {
            scope.spawn(worker);
        }
        worker();
    });
    let failed = failed.into_inner().unwrap_or_default();
    let mut shots = shots.into_inner().unwrap_or_default();
    shots.sort_by_key(|(number, _)| *number);
    (shots.into_iter().map(|(_, shot)| shot).collect(), failed)
}

/// Sends once, and reads what came.
async fn shot(common: &Common, args: &args::Send, means: &Means) -> Result<Shot, Complaint> {
    let demo = send::demo(args).await?;
    let mut job = Job::new(args, demo.as_ref())?;
    let mut watch = Silent(Tape::new(job.origin.clone()));
    let (failure, capture) = send::kept(common, args, means, &mut job, &mut watch).await?;
    let path = capture.path().map(PathBuf::from);
    let name = path.as_deref().and_then(|path| path.file_name());
    let name = name.map(|name| name.to_string_lossy().into_owned());
    let target = target(args);
    let subject = Subject::of_capture(
        name.clone().unwrap_or_else(|| target.clone()),
        watch.0,
        means.limits,
        means.options,
        &means.prices,
    );
    let mut trial = Trial::of(&subject);
    trial.capture = path.map(|path| path.display().to_string());
    let mut exit = Exit::Broken;
    if let Some(answered) = &subject.answered {
        exit = send::exit_of(&answered.exchange, answered.is_whole(), args.fail);
        if !answered.exchange.outcome().is_whole() {
            trial.verdict = words::outcome(&answered.exchange);
        }
    }
    if let Some(hint) = failure.and_then(|failure| failure.hint) {
        output::hint(&hint);
    }
    let exit = capture.finish(exit, false);
    Ok(Shot {
        trial,
        subject,
        exit,
    })
}

/// Nobody looks on: the exchange is kept as a tape.
struct Silent(Tape);

impl Screen for Silent {
    fn watch(&mut self) -> &mut dyn WireSink {
        &mut self.0
    }

    fn note(&mut self, text: &str) {
        output::fact(text);
    }
}

/// `openai:gpt-4o`; a URL without the secrets in it.
fn target(args: &args::Send) -> String {
    let whither = &args.whither;
    let url = whither.url.as_deref().map(mask_url);
    let name = whither.to.first().cloned().or(url);
    let name = name.unwrap_or_else(|| "openai".to_owned());
    match args.edits.model.first() {
        None => name,
        Some(model) => format!("{name}:{model}"),
    }
}

fn progress(number: usize, all: usize, args: &args::Send, trial: &Trial) {
    let status = trial
        .status
        .map_or_else(|| "-".to_owned(), |status| status.to_string());
    let total = trial
        .total
        .map_or_else(String::new, |micros| format!(" in {}", words::time(micros)));
    let kept = trial
        .capture
        .as_ref()
        .map(|path| format!(", captured in {path}"));
    let text = format!(
        "{}/{all} {}: {status}{total}, {}{}",
        number.saturating_add(1),
        target(args),
        trial.verdict,
        kept.unwrap_or_default()
    );
    output::fact(&text);
}

/// The document of `--json`.
#[derive(Serialize)]
struct Document<'a> {
    targets: &'a [Trials],
    matrix: &'a Matrix,
}

fn report(
    common: &Common,
    args: &args::Send,
    aims: &[args::Send],
    shots: Vec<(usize, Shot)>,
) -> Result<Exit, Complaint> {
    let mut exit = Exit::Done;
    let mut firsts: Vec<Subject> = Vec::new();
    let mut all: Vec<Vec<Trial>> = aims.iter().map(|_| Vec::new()).collect();
    for (aim, shot) in shots {
        exit = worse(exit, shot.exit);
        let Some(trials) = all.get_mut(aim) else {
            continue;
        };
        if trials.is_empty() {
            let name = aims.get(aim).map_or_else(String::new, target);
            firsts.push(Subject {
                name: format!("{name}  {}", shot.subject.name),
                ..shot.subject
            });
        }
        trials.push(shot.trial);
    }
    let named = aims.iter().map(target).zip(all);
    let trials: Vec<_> = named
        .map(|(target, trials)| Trials::new(target, trials))
        .collect();
    let matrix = matrix(&firsts);
    let mut text = Vec::new();
    let style = output::stdout_style(common);
    let written = match args.output.json {
        true => machine::value(
            &Document {
                targets: &trials,
                matrix: &matrix,
            },
            &mut text,
        ),
        false => trials::table(&trials, &style, &mut text).and_then(|()| {
            if firsts.len() < 2 {
                return Ok(());
            }
            writeln!(text)?;
            paint::matrix(&matrix, false, &style, &mut text)
        }),
    };
    written.map_err(Complaint::usage)?;
    output::plain(&text)?;
    Ok(exit)
}

/// What differs between the first exchange of each target; times stand in the table.
fn matrix(firsts: &[Subject]) -> Matrix {
    let Some((first, rest)) = firsts.split_first() else {
        return Matrix::default();
    };
    let layers: Vec<_> = Layer::ALL
        .into_iter()
        .filter(|layer| !matches!(layer, Layer::Timing | Layer::Connection))
        .collect();
    let rules = diff::noise::rules(&[]);
    let compare = |right| diff::compare(first, right, &layers, &rules);
    let differences: Vec<_> = rest.iter().map(compare).collect();
    Matrix::of(&differences)
}

/// Of two ends the one that a script must hear of.
fn worse(one: Exit, other: Exit) -> Exit {
    let weight = |exit| match exit {
        Exit::Done => 0,
        Exit::Found => 1,
        Exit::Interrupted => 3,
        _ => 2,
    };
    match weight(other) > weight(one) {
        true => other,
        false => one,
    }
}
