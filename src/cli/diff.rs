//! `wire diff`: which exchanges, which view, and whether anything differs.

use std::path::{Path, PathBuf};

use super::args::{self, Common};
use super::complain::Complaint;
use super::exit::Exit;
use super::means::Means;
use super::output;
use super::request;
use crate::capture::Reading;
use crate::capture::store::{self, Store};
use crate::diff::{self, Baseline, Difference, Layer, Matrix, Subject};
use crate::prompt_cache as cache;
use crate::render::diff::{self as paint, Shows};
use crate::render::{escape, machine, words};
use crate::span::StreamSide;

/// Runs `wire diff`.
pub(super) fn run(common: &Common, args: &args::Diff) -> Result<Exit, Complaint> {
    if args.ignore.iter().any(|place| place == "help") {
        let mut text = Vec::new();
        paint::rules(&mut text).map_err(Complaint::usage)?;
        return output::report(&text);
    }
    let run = Run {
        common,
        args,
        store: output::store(common),
        means: Means::read(common, args.dialect.as_deref(), &args.limits)?,
        only: only(args)?,
        rules: diff::noise::rules(&args.ignore),
        shows: Shows { all: args.all },
    };
    if !args.noise.is_empty() {
        return run.learned();
    }
    let subjects = run.subjects(&args.subjects)?;
    if args.shape {
        return run.shape(&subjects);
    }
    match subjects.as_slice() {
        [] | [_] => Err(Complaint::usage("there is nothing to compare it to")
            .hint("name two captures or request files: `wire diff @~1 @`")),
        all if args.cache => run.cache(all),
        [left, right] => run.two(left, right),
        all if args.bytes || only_of_two(&args.form) => {
            let text = format!(
                "{} exchanges were named, and this view takes two",
                all.len()
            );
            Err(Complaint::usage(text))
        }
        all => run.several(all),
    }
}

/// Whether a difference is to be written as only that of two can be.
fn only_of_two(form: &args::DiffForm) -> bool {
    form.json_patch || form.side_by_side || form.stat
}

fn only(args: &args::Diff) -> Result<Vec<Layer>, Complaint> {
    if args.only.is_empty() {
        return Ok(Layer::ALL.to_vec());
    }
    let named = |name: &String| {
        Layer::named(name).ok_or_else(|| {
            let known: Vec<_> = Layer::ALL.into_iter().map(Layer::name).collect();
            Complaint::usage(format!("--only {name}: there is no such layer"))
                .hint(format!("the layers are {}", known.join(", ")))
        })
    };
    args.only.iter().map(named).collect()
}

struct Run<'a> {
    common: &'a Common,
    args: &'a args::Diff,
    store: Store,
    means: Means,
    only: Vec<Layer>,
    rules: Vec<diff::Rule>,
    shows: Shows,
}

impl Run<'_> {
    /// Reads what the user named; without a name, the two newest.
    fn subjects(&self, names: &[String]) -> Result<Vec<Subject>, Complaint> {
        let usual = ["@~1".to_owned(), "@".to_owned()];
        let names = if names.is_empty() { &usual[..] } else { names };
        if names.iter().filter(|name| *name == "-").count() > 1 {
            return Err(Complaint::usage("standard input can be read only once")
                .hint("write one of both to a file"));
        }
        let mut subjects = Vec::new();
        for name in names {
            for path in self.paths(name)? {
                subjects.push(self.subject(&path)?);
            }
        }
        Ok(subjects)
    }

    /// The files that one name means; a folder means its captures.
    fn paths(&self, name: &str) -> Result<Vec<PathBuf>, Complaint> {
        let path = Path::new(name);
        if name == "-" {
            return Ok(vec![path.to_owned()]);
        }
        if path.is_dir() {
            let folder = Store::new(path.to_owned());
            let names = folder.names().map_err(Complaint::usage)?;
            if names.is_empty() {
                return Err(Complaint::usage(format!("no captures in {name}")));
            }
            return Ok(names.iter().map(|name| folder.path(name)).collect());
        }
        let found = self.store.find_all(name).map_err(Complaint::usage);
        found.map_err(|complaint| complaint.hint("`wire ls` lists the captures"))
    }

    /// A capture, or else a request file.
    fn subject(&self, path: &Path) -> Result<Subject, Complaint> {
        let name = match path.file_name() {
            _ if path == Path::new("-") => "standard input".to_owned(),
            Some(name) => name.to_string_lossy().into_owned(),
            None => path.display().to_string(),
        };
        let bytes = request::read(path)?;
        if !bytes.starts_with(b"{\"wire\":") {
            return Ok(Subject::of_request(name, bytes, self.means.limits));
        }
        let Reading { tape, notes } = store::parse(path, &bytes).map_err(Complaint::usage)?;
        for note in &notes {
            output::note(&format!("{}: {note}", path.display()));
        }
        let means = &self.means;
        let subject = Subject::of_capture(name, tape, means.limits, means.options, &means.prices);
        // Two bodies may be equal as far as they are decoded.
        let answer = subject.answered.as_ref().map(|answered| &answered.body);
        let bodies = [Some(&subject.asked), answer].into_iter().flatten();
        for trouble in bodies.filter_map(|body| body.error.as_ref()) {
            output::note(&format!("{}: {}", subject.name, words::undecoded(trouble)));
        }
        Ok(subject)
    }

    /// An error where none of the layers that were asked for is there on both sides.
    fn compare(&self, left: &Subject, right: &Subject) -> Result<Difference, Complaint> {
        let difference = diff::compare(left, right, &self.only, &self.rules);
        let unanswered = [left, right]
            .into_iter()
            .find(|side| side.answered.is_none());
        match unanswered.filter(|_| difference.layers.is_empty()) {
            None => Ok(difference),
            Some(file) => {
                let text = format!("{} is a request that was never answered", file.name);
                Err(Complaint::usage(text)
                    .hint("`--only request` is all that can be compared of it"))
            }
        }
    }

    /// Whether anything differs that counts.
    fn found(&self, difference: &Difference) -> bool {
        difference.is_different() || self.args.all && difference.noise() > 0
    }

    fn two(&self, left: &Subject, right: &Subject) -> Result<Exit, Complaint> {
        if self.args.form.json_patch {
            return self.patch(left, right);
        }
        if self.args.bytes {
            return self.bytes(left, right);
        }
        let difference = self.compare(left, right)?;
        self.write(|style, out| self.paint(&difference, style, out))?;
        Ok(self.ended(self.found(&difference)))
    }

    fn paint(
        &self,
        difference: &Difference,
        style: &crate::render::Style,
        out: &mut Vec<u8>,
    ) -> std::io::Result<()> {
        let form = &self.args.form;
        match () {
            () if form.json => machine::value(difference, out),
            () if form.markdown => paint::markdown(difference, self.shows, out),
            () if form.stat => paint::stat(difference, style, out),
            () if form.side_by_side => paint::side_by_side(difference, self.shows, style, out),
            () => paint::unified(difference, self.shows, style, out),
        }
    }

    /// A column each.
    fn several(&self, subjects: &[Subject]) -> Result<Exit, Complaint> {
        let Some((first, rest)) = subjects.split_first() else {
            return Ok(Exit::Done);
        };
        let differences: Vec<_> = rest
            .iter()
            .map(|right| self.compare(first, right))
            .collect::<Result<_, _>>()?;
        let matrix = Matrix::of(&differences);
        self.write(|style, out| match &self.args.form {
            form if form.json => machine::value(&matrix, out),
            form if form.markdown => paint::markdown_matrix(&matrix, self.shows.all, out),
            _ => paint::matrix(&matrix, self.shows.all, style, out),
        })?;
        let mut differences = differences.iter();
        Ok(self.ended(differences.any(|difference| self.found(difference))))
    }

    /// Those after `--` against those of `--noise`.
    fn learned(&self) -> Result<Exit, Complaint> {
        let alike = self.subjects(&self.args.noise)?;
        let Some((first, rest)) = alike.split_first() else {
            return Ok(Exit::Done);
        };
        if self.args.subjects.is_empty() {
            return Err(
                Complaint::usage("there is nothing to compare to the baseline")
                    .hint("write: wire diff --noise A1 A2 A3 -- B"),
            );
        }
        let differences: Vec<_> = rest
            .iter()
            .map(|right| self.compare(first, right))
            .collect::<Result<Vec<_>, _>>()?;
        let baseline = Baseline::learn(&differences);
        let mut found = false;
        for right in self.subjects(&self.args.subjects)? {
            let mut difference = self.compare(first, &right)?;
            baseline.judge(&mut difference);
            difference.left = format!("{} and {} more", first.name, rest.len());
            found |= self.found(&difference);
            self.write(|style, out| self.paint(&difference, style, out))?;
        }
        Ok(self.ended(found))
    }

    /// The last against all before it.
    fn shape(&self, subjects: &[Subject]) -> Result<Exit, Complaint> {
        let (last, baseline) = match subjects.split_last() {
            Some((last, baseline)) if !baseline.is_empty() => (last, baseline),
            _ => {
                return Err(Complaint::usage(
                    "--shape needs a baseline and what to hold against it",
                ));
            }
        };
        let difference = diff::compare_shapes(baseline, last, &self.rules);
        self.write(|style, out| self.paint(&difference, style, out))?;
        Ok(self.ended(self.found(&difference)))
    }

    /// The raw streams, or the one of the layers that were named.
    fn bytes(&self, left: &Subject, right: &Subject) -> Result<Exit, Complaint> {
        let (Some(left), Some(right)) = (&left.answered, &right.answered) else {
            return Err(Complaint::usage(
                "--bytes compares captures, and a request file is none",
            ));
        };
        let sides: Vec<_> = [StreamSide::Sent, StreamSide::Received]
            .into_iter()
            .filter(|side| match side {
                StreamSide::Sent => self.only.contains(&Layer::Request),
                StreamSide::Received => self.only.iter().any(|layer| *layer != Layer::Request),
            })
            .collect();
        let limits = self.means.limits.0;
        let differences: Vec<_> = sides
            .iter()
            .map(|&side| diff::compare_bytes(left, right, side, limits))
            .collect();
        self.write(|style, out| {
            if self.args.form.json {
                return machine::value(&differences, out);
            }
            differences.iter().try_for_each(|difference| {
                let streams = [left, right]
                    .map(|answered| answered.tape.stream(difference.side).bytes.as_slice());
                paint::bytes(difference, streams, style, out)
            })
        })?;
        let mut firsts = differences.iter().map(|difference| &difference.first);
        Ok(self.ended(firsts.any(Option::is_some)))
    }

    /// Each with the next.
    fn cache(&self, subjects: &[Subject]) -> Result<Exit, Complaint> {
        let dialect = self.means.options.dialect.map(|dialect| dialect.name());
        let pairs = subjects.iter().zip(subjects.iter().skip(1));
        let steps: Vec<_> = pairs
            .map(|(left, right)| cache::compare(left, right, dialect))
            .collect();
        self.write(|style, out| match self.args.form.json {
            true => machine::value(&serde_json::json!({ "steps": steps }), out),
            false => paint::cache(&steps, style, out),
        })?;
        Ok(self.ended(!steps.iter().all(cache::CacheStep::holds)))
    }

    /// The patch of the answers; of the requests, where they are all there is or all that is wanted.
    fn patch(&self, left: &Subject, right: &Subject) -> Result<Exit, Complaint> {
        let of_request = self.only == [Layer::Request];
        let (left, right) = match (&left.answered, &right.answered) {
            (Some(left), Some(right)) if !of_request => (&left.body, &right.body),
            _ => (&left.asked, &right.asked),
        };
        let patch = diff::patch(&left.bytes, &right.bytes).map_err(|error| {
            Complaint::usage(error).hint("`--only request` compares the requests")
        })?;
        output::plain(format!("{}\n", escape::json_safe(&patch)).as_bytes())?;
        Ok(self.ended(patch != "[]"))
    }

    fn write(
        &self,
        paint: impl FnOnce(&crate::render::Style, &mut Vec<u8>) -> std::io::Result<()>,
    ) -> Result<(), Complaint> {
        let mut text = Vec::new();
        paint(&output::stdout_style(self.common), &mut text).map_err(Complaint::usage)?;
        match self.args.form.json {
            true => output::plain(&text)?,
            false => output::report(&text)?,
        };
        Ok(())
    }

    fn ended(&self, different: bool) -> Exit {
        match different {
            true => Exit::Found,
            false => Exit::Done,
        }
    }
}
