//! `wire diff`: the captures to compare, the view, and the exit reason.

use std::path::Path;

use super::args::{self, CommonArgs};
use super::error::CliError;
use super::exit::ExitReason;
use super::hints::SHOW_NOISE;
use super::output;
use super::read_options::read_options;
use super::request;
use super::subject::{CaptureSubject, WebSocketCapture, read_call};
use crate::call::ReadOptions;
use crate::capture::ParsedCapture;
use crate::capture::store::{self, CaptureStore};
use crate::diff::{self, Baseline, DiffInput, DiffLayer, DiffMatrix, ExchangeDiff};
use crate::prompt_cache as cache;
use crate::render::diff::{self as paint, DiffView, NoiseView};
use crate::render::{escape, json_output};
use crate::span::StreamSide;

/// Runs `wire diff`.
pub(super) fn run(common: &CommonArgs, args: &args::DiffArgs) -> Result<ExitReason, CliError> {
    if args.ignore.iter().any(|place| place == "help") {
        let mut text = Vec::new();
        paint::write_noise_rules(&mut text).map_err(CliError::usage)?;
        return output::print_report(&text);
    }
    let run = DiffRun {
        common,
        args,
        store: output::capture_store(common),
        options: read_options(common, args.dialect.as_deref(), &args.limits)?,
        layers: selected_layers(args)?,
        rules: diff::noise::noise_rules(&args.ignore),
    };
    if !args.noise.is_empty() {
        return run.compare_to_baseline();
    }
    let subjects = run.read_subjects(&args.subjects)?;
    if args.shape {
        return run.compare_shapes(&subjects);
    }
    match subjects.as_slice() {
        [] | [_] => Err(CliError::usage("there is nothing to compare it to")
            .with_hint("name two captures or request files: `wire diff @~1 @`")),
        all if args.cache => run.compare_cache(all),
        [left, right] => run.compare_two(left, right),
        all if args.bytes || needs_two_sides(&args.format) => {
            let text = format!(
                "{} exchanges were named, and this view takes two",
                all.len()
            );
            Err(CliError::usage(text))
        }
        all => run.compare_many(all),
    }
}

/// The request whose cache entry the subject at index `at` may use: the one before it; of a call on a WebSocket, the call
/// that it continues, and none for the first in its lane.
fn earlier_prompt(subjects: &[DiffInput], at: usize) -> Option<&DiffInput> {
    let before = subjects.get(at.checked_sub(1)?)?;
    let place = subjects
        .get(at)?
        .call()
        .and_then(|call| call.socket.as_ref());
    let Some(place) = place.filter(|_| subjects.len() > 2) else {
        return Some(before);
    };
    let follows = place.follows.as_ref()?;
    let mut earlier = subjects.get(..at)?.iter().rev();
    let is_it = |subject: &&DiffInput| {
        let call = subject.call();
        call.is_some_and(|call| call.tape.origin.id == *follows)
    };
    Some(earlier.find(is_it).unwrap_or(before))
}

/// Whether the format shows a difference of two exchanges only.
fn needs_two_sides(form: &args::DiffFormatArgs) -> bool {
    form.json_patch || form.side_by_side || form.stat
}

fn selected_layers(args: &args::DiffArgs) -> Result<Vec<DiffLayer>, CliError> {
    if args.only.is_empty() {
        return Ok(DiffLayer::ALL.to_vec());
    }
    let named = |name: &String| {
        DiffLayer::from_name(name).ok_or_else(|| {
            let known: Vec<_> = DiffLayer::ALL.into_iter().map(DiffLayer::name).collect();
            CliError::usage(format!("--only {name}: there is no such layer"))
                .with_hint(format!("the layers are {}", known.join(", ")))
        })
    };
    args.only.iter().map(named).collect()
}

struct DiffRun<'a> {
    common: &'a CommonArgs,
    args: &'a args::DiffArgs,
    store: CaptureStore,
    options: ReadOptions,
    layers: Vec<DiffLayer>,
    rules: Vec<diff::NoiseRule>,
}

impl DiffRun<'_> {
    /// Reads the captures and request files of these names; without a name, the two newest captures.
    fn read_subjects(&self, names: &[String]) -> Result<Vec<DiffInput>, CliError> {
        let usual = ["@~1".to_owned(), "@".to_owned()];
        let names = if names.is_empty() { &usual[..] } else { names };
        if names.iter().filter(|name| *name == "-").count() > 1 {
            return Err(CliError::usage("standard input can be read only once")
                .with_hint("write one of both to a file"));
        }
        let mut subjects = Vec::new();
        for name in names {
            for subject in self.find_subjects(name)? {
                subjects.extend(self.read_subject(&subject)?);
            }
        }
        Ok(subjects)
    }

    /// Returns the captures that one name means. A folder means its captures.
    fn find_subjects(&self, name: &str) -> Result<Vec<CaptureSubject>, CliError> {
        let path = Path::new(name);
        if name == "-" {
            return Ok(vec![path.to_owned().into()]);
        }
        if path.is_dir() {
            let folder = CaptureStore::new(path.to_owned());
            let names = folder.names().map_err(CliError::usage)?;
            if names.is_empty() {
                return Err(CliError::usage(format!("no captures in {name}")));
            }
            return Ok(names.iter().map(|name| folder.path(name).into()).collect());
        }
        let found = CaptureSubject::find_all(&self.store, name).map_err(CliError::usage);
        found.map_err(|complaint| complaint.with_hint("`wire ls` lists the captures"))
    }

    /// Reads a capture, or else a request file. With `--cache`, a WebSocket connection gives all of its calls.
    fn read_subject(&self, subject: &CaptureSubject) -> Result<Vec<DiffInput>, CliError> {
        let path = subject.path.as_path();
        let name = match path.file_name() {
            _ if path == Path::new("-") => "standard input".to_owned(),
            Some(name) => name.to_string_lossy().into_owned(),
            None => path.display().to_string(),
        };
        let bytes = request::read_input(path)?;
        if !bytes.starts_with(b"{\"wire\":") {
            return Ok(vec![DiffInput::from_request(name, bytes, &self.options)]);
        }
        let ParsedCapture { tape, notes } = store::parse(path, &bytes).map_err(CliError::usage)?;
        output::print_capture_notes(path, notes);
        let tape = match WebSocketCapture::read(tape, &self.options) {
            Ok(capture) if self.args.cache && subject.call.is_none() => {
                let calls = capture.calls(&self.options).into_iter().enumerate();
                let named = |index: usize| format!("{name}.{}", index.saturating_add(1));
                let inputs = calls.map(|(index, call)| DiffInput::from_call(named(index), call));
                return Ok(inputs.collect());
            }
            Ok(capture) => capture.tape,
            Err(tape) => *tape,
        };
        let call = read_call(tape, subject.call, &self.options)?;
        let name = match subject.call {
            Some(number) => format!("{name}.{number}"),
            None => name,
        };
        Ok(vec![self.check_bodies(DiffInput::from_call(name, call))])
    }

    /// Reports bodies that could not be decoded to their end.
    fn check_bodies(&self, subject: DiffInput) -> DiffInput {
        // Two bodies may be equal as far as they are decoded.
        let answer = subject.call().map(|answered| &answered.response_body);
        let bodies = [Some(subject.request_body()), answer].into_iter().flatten();
        for body in bodies {
            output::print_decode_error(&format!("{}: ", subject.name), body);
        }
        subject
    }

    /// Compares two exchanges. An error if no chosen layer is on both sides.
    fn compare(&self, left: &DiffInput, right: &DiffInput) -> Result<ExchangeDiff, CliError> {
        let difference = diff::compare(left, right, &self.layers, &self.rules);
        let unanswered = [left, right].into_iter().find(|side| side.call().is_none());
        match unanswered.filter(|_| difference.layers.is_empty()) {
            None => Ok(difference),
            Some(file) => {
                let text = format!("{} is a request that was never answered", file.name);
                Err(CliError::usage(text)
                    .with_hint("`--only request` is all that can be compared of it"))
            }
        }
    }

    fn noise_view(&self) -> NoiseView<'static> {
        match self.args.all {
            true => NoiseView::Shown,
            false => NoiseView::Hidden(SHOW_NOISE),
        }
    }

    /// Whether anything differs that is not hidden as noise.
    fn is_different(&self, difference: &ExchangeDiff) -> bool {
        difference.is_different() || self.args.all && difference.noise_count() > 0
    }

    fn compare_two(&self, left: &DiffInput, right: &DiffInput) -> Result<ExitReason, CliError> {
        if self.args.format.json_patch {
            return self.print_patch(left, right);
        }
        if self.args.bytes {
            return self.compare_bytes(left, right);
        }
        let difference = self.compare(left, right)?;
        self.print_painted(|style, out| self.write_difference(&difference, style, out))?;
        Ok(self.exit_reason(self.is_different(&difference)))
    }

    fn write_difference(
        &self,
        difference: &ExchangeDiff,
        style: &crate::render::OutputStyle,
        out: &mut Vec<u8>,
    ) -> std::io::Result<()> {
        let form = &self.args.format;
        let view = DiffView {
            difference,
            noise: self.noise_view(),
        };
        match () {
            () if form.json => json_output::write_value(difference, out),
            () if form.markdown => paint::write_markdown(view, out),
            () if form.stat => paint::write_stat(difference, style, out),
            () if form.side_by_side => paint::write_side_by_side(view, style, out),
            () => paint::write_unified(view, style, out),
        }
    }

    /// Compares more than two exchanges in a table with a column for each.
    fn compare_many(&self, subjects: &[DiffInput]) -> Result<ExitReason, CliError> {
        let Some((first, rest)) = subjects.split_first() else {
            return Ok(ExitReason::Done);
        };
        let differences: Vec<_> = rest
            .iter()
            .map(|right| self.compare(first, right))
            .collect::<Result<_, _>>()?;
        let matrix = DiffMatrix::from_differences(&differences);
        let noise = self.noise_view();
        self.print_painted(|style, out| match &self.args.format {
            form if form.json => json_output::write_value(&matrix, out),
            form if form.markdown => paint::write_markdown_matrix(&matrix, noise, out),
            _ => paint::write_matrix(&matrix, noise, style, out),
        })?;
        let mut differences = differences.iter();
        Ok(self.exit_reason(differences.any(|difference| self.is_different(difference))))
    }

    /// Compares the exchanges after `--` with the baseline of `--noise`.
    fn compare_to_baseline(&self) -> Result<ExitReason, CliError> {
        let alike = self.read_subjects(&self.args.noise)?;
        let Some((first, rest)) = alike.split_first() else {
            return Ok(ExitReason::Done);
        };
        if self.args.subjects.is_empty() {
            return Err(
                CliError::usage("there is nothing to compare to the baseline")
                    .with_hint("write: wire diff --noise A1 A2 A3 -- B"),
            );
        }
        let differences: Vec<_> = rest
            .iter()
            .map(|right| self.compare(first, right))
            .collect::<Result<Vec<_>, _>>()?;
        let baseline = Baseline::learn(&differences);
        let mut found = false;
        for right in self.read_subjects(&self.args.subjects)? {
            let mut difference = self.compare(first, &right)?;
            baseline.judge(&mut difference);
            difference.left = format!("{} and {} more", first.name, rest.len());
            found |= self.is_different(&difference);
            self.print_painted(|style, out| self.write_difference(&difference, style, out))?;
        }
        Ok(self.exit_reason(found))
    }

    /// Compares the shape of the last answer with those of all answers before it.
    fn compare_shapes(&self, subjects: &[DiffInput]) -> Result<ExitReason, CliError> {
        let (last, baseline) = match subjects.split_last() {
            Some((last, baseline)) if !baseline.is_empty() => (last, baseline),
            _ => {
                return Err(CliError::usage(
                    "--shape needs a baseline and what to hold against it",
                ));
            }
        };
        let difference = diff::compare_shapes(baseline, last, &self.rules);
        self.print_painted(|style, out| self.write_difference(&difference, style, out))?;
        Ok(self.exit_reason(self.is_different(&difference)))
    }

    /// Compares the raw streams of both directions, or of that of the chosen layers.
    fn compare_bytes(&self, left: &DiffInput, right: &DiffInput) -> Result<ExitReason, CliError> {
        let (Some(left), Some(right)) = (left.call(), right.call()) else {
            return Err(CliError::usage(
                "--bytes compares captures, and a request file is none",
            ));
        };
        let sides: Vec<_> = [StreamSide::Sent, StreamSide::Received]
            .into_iter()
            .filter(|side| match side {
                StreamSide::Sent => self.layers.contains(&DiffLayer::Request),
                StreamSide::Received => {
                    self.layers.iter().any(|layer| *layer != DiffLayer::Request)
                }
            })
            .collect();
        let limits = self.options.http1;
        let differences: Vec<_> = sides
            .iter()
            .map(|&side| diff::compare_bytes(left, right, side, limits))
            .collect();
        self.print_painted(|style, out| {
            if self.args.format.json {
                return json_output::write_value(&differences, out);
            }
            differences.iter().try_for_each(|difference| {
                let streams = [left, right]
                    .map(|answered| answered.tape.stream(difference.side).bytes.as_slice());
                paint::write_bytes(difference, streams, style, out)
            })
        })?;
        let mut firsts = differences.iter().map(|difference| &difference.first);
        Ok(self.exit_reason(firsts.any(Option::is_some)))
    }

    /// Compares each prompt with the next, as a prompt cache does.
    fn compare_cache(&self, subjects: &[DiffInput]) -> Result<ExitReason, CliError> {
        let dialect = self.options.answer.dialect.map(|dialect| dialect.profile());
        let pairs = subjects.iter().enumerate().skip(1);
        let pairs = pairs.filter_map(|(at, right)| Some((earlier_prompt(subjects, at)?, right)));
        let steps: Vec<_> = pairs
            .map(|(left, right)| cache::compare(left, right, dialect))
            .collect();
        self.print_painted(|style, out| match self.args.format.json {
            true => json_output::write_value(&serde_json::json!({ "steps": steps }), out),
            false => paint::write_cache(&steps, style, out),
        })?;
        Ok(self.exit_reason(!steps.iter().all(cache::CacheComparison::is_prefix_kept)))
    }

    /// Prints the JSON patch of the answers, or of the requests if there are no answers or `--only request` is given.
    fn print_patch(&self, left: &DiffInput, right: &DiffInput) -> Result<ExitReason, CliError> {
        let of_request = self.layers == [DiffLayer::Request];
        let (left, right) = match (left.call(), right.call()) {
            (Some(left), Some(right)) if !of_request => (&left.response_body, &right.response_body),
            _ => (left.request_body(), right.request_body()),
        };
        let patch = diff::json_patch(&left.bytes, &right.bytes).map_err(|error| {
            CliError::usage(error).with_hint("`--only request` compares the requests")
        })?;
        output::write_stdout(format!("{}\n", escape::escape_json(&patch)).as_bytes())?;
        Ok(self.exit_reason(patch != "[]"))
    }

    fn print_painted(
        &self,
        paint: impl FnOnce(&crate::render::OutputStyle, &mut Vec<u8>) -> std::io::Result<()>,
    ) -> Result<(), CliError> {
        let mut text = Vec::new();
        paint(&output::stdout_style(self.common), &mut text).map_err(CliError::usage)?;
        match self.args.format.json {
            true => output::write_stdout(&text)?,
            false => output::print_report(&text)?,
        };
        Ok(())
    }

    fn exit_reason(&self, different: bool) -> ExitReason {
        match different {
            true => ExitReason::FoundSomething,
            false => ExitReason::Done,
        }
    }
}
