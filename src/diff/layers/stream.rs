//! Two streams of events: the sequence of what they carried, where it departs, and what their events are
//! made of.

use std::borrow::Cow;

use crate::chat::DeltaKind;
use crate::diff::change::{Change, Shown, Value, What};
use crate::diff::shape::Shape;
use crate::diff::sheet::Sheet;
use crate::diff::subject::{Answered, EventKinds};
use crate::json::JsonDocument;
use crate::sse::{EventDecoder, StreamFormat, StreamItem};
use crate::tape::Window;

/// How many runs of a sequence are told.
const RUNS: usize = 48;

/// What differs between the sequences of two streams.
pub(in crate::diff) fn compare(left: &Answered, right: &Answered) -> Vec<Change> {
    let mut changes = sheet(left).compare(&sheet(right));
    let streamed = |answered: &Answered| answered.report.completion.is_streamed();
    if streamed(left) && streamed(right) {
        changes.extend(sequences(&[runs(&left.events), runs(&right.events)]));
    }
    changes
}

/// The shape of all events of a stream, taken together; `None` where the answer is no stream.
pub(in crate::diff) fn shape(answered: &Answered) -> Option<Shape> {
    let mut shape = Shape::default();
    take_shape(answered, &mut shape).then_some(shape)
}

/// Takes the events of a stream in; whether the answer is one.
pub(in crate::diff) fn take_shape(answered: &Answered, shape: &mut Shape) -> bool {
    let Some(format) = answered.report.completion.media.format() else {
        return false;
    };
    for data in data(&answered.body.bytes, format) {
        if let Ok(document) = JsonDocument::parse(&data) {
            shape.take(document.root());
        }
    }
    true
}

/// The kinds of event that follow each other in a stream, each named once in a row.
pub(in crate::diff) fn grammar(answered: &Answered) -> Vec<String> {
    let runs = runs(&answered.events).into_iter();
    runs.map(|(kinds, ..)| kinds).collect()
}

/// The sequence of a stream, where none of the baseline had one like it; said against the one that goes along
/// with it the longest.
pub(in crate::diff) fn unknown(known: &[Vec<String>], answered: &Answered) -> Option<Change> {
    let own = grammar(answered);
    let along = |known: &&Vec<String>| {
        known
            .iter()
            .zip(&own)
            .take_while(|(known, own)| known == own)
            .count()
    };
    let nearest = known.iter().max_by_key(along)?;
    if known.contains(&own) {
        return None;
    }
    let text = |kinds: &[String]| Some(Shown::from(Value::Events(kinds.join(", "))));
    Some(Change::new(
        "sequence",
        What::Changed,
        text(nearest),
        text(&own),
    ))
}

/// The data of each event.
pub(crate) fn data(body: &[u8], format: StreamFormat) -> impl Iterator<Item = Cow<'_, [u8]>> {
    let seen = Window {
        base: 0,
        bytes: body,
        ended: true,
    };
    let mut decoder = EventDecoder::new(format);
    let items = std::iter::from_fn(move || decoder.step(seen));
    items.filter_map(move |item| match item {
        StreamItem::Event(event) => Some(event.data(seen)),
        _ => None,
    })
}

fn sheet(answered: &Answered) -> Sheet {
    let mut sheet = Sheet::default();
    let completion = &answered.report.completion;
    let format = match completion.media.format() {
        Some(StreamFormat::EventStream) => "events (text/event-stream)",
        Some(StreamFormat::Lines) => "JSON lines",
        Some(StreamFormat::Array) => "a JSON array",
        None => "no stream",
    };
    sheet.text("format", Some(format));
    if !completion.is_streamed() {
        return sheet;
    }
    sheet.count("events", Some(completion.events));
    let signs = answered.events.iter().filter(|event| is_sign(event));
    sheet.count("comments and pings", Some(signs.count() as u64));
    let end = if completion.done { "yes" } else { "no" };
    sheet.text("end mark", Some(end));
    sheet
}

/// One run: what its events carried, how many they are, the number of the first.
type Run = (String, u64, u64);

/// The sequence of a stream: neighbours that carried the same are one run, signs of life are left out.
fn runs(events: &[EventKinds]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for event in events.iter().filter(|event| !is_sign(event)) {
        let kinds = kinds(event);
        match runs.last_mut() {
            Some((last, count, _)) if *last == kinds => *count = count.saturating_add(1),
            _ => runs.push((kinds, 1, event.number)),
        }
    }
    runs
}

/// Whether it only says that the connection is alive: how often depends on time.
fn is_sign(event: &EventKinds) -> bool {
    let sign = |kind: &DeltaKind| matches!(kind, DeltaKind::Comment | DeltaKind::Ping);
    event.kinds.iter().all(sign)
}

fn kinds(event: &EventKinds) -> String {
    let mut kinds: Vec<_> = event.kinds.iter().map(|kind| name(*kind)).collect();
    kinds.dedup();
    kinds.join("+")
}

fn name(kind: DeltaKind) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        DeltaKind::Role => "role",
        DeltaKind::Text => "content",
        DeltaKind::Reasoning => "reasoning",
        DeltaKind::ToolName { index } => return Cow::Owned(format!("tool {index}")),
        DeltaKind::ToolCall { index } => return Cow::Owned(format!("tool {index} arguments")),
        DeltaKind::Refusal => "refusal",
        DeltaKind::Audio => "audio",
        DeltaKind::Citation => "citation",
        DeltaKind::Finish => "finish",
        DeltaKind::Usage => "usage",
        DeltaKind::Error => "error",
        DeltaKind::Ping => "ping",
        DeltaKind::Comment => "comment",
        DeltaKind::Done => "end mark",
        DeltaKind::Cut => "cut event",
        DeltaKind::Other => "other",
    })
}

/// The whole sequences, where they differ by more than counts, and the place where they depart.
fn sequences([left, right]: &[Vec<Run>; 2]) -> Vec<Change> {
    let kinds =
        |runs: &[Run]| -> Vec<String> { runs.iter().map(|(kinds, ..)| kinds.clone()).collect() };
    let (lefts, rights) = (kinds(left), kinds(right));
    let text = |text: String| Some(Shown::from(Value::Text(text)));
    if lefts == rights {
        let change = |(n, (left, right)): (usize, (&Run, &Run))| {
            let count = |run: &Run| Some(Shown::from(Value::Count(run.1)));
            let at = format!("run {n}: {}", left.0);
            Change::between(&at, count(left), count(right))
        };
        let pairs = left.iter().zip(right).enumerate();
        return pairs.filter_map(change).collect();
    }
    let common = lefts
        .iter()
        .zip(&rights)
        .take_while(|(left, right)| left == right);
    let first = common.count();
    let place = |runs: &[Run]| {
        let words = match runs.get(first) {
            Some((kinds, _, number)) => format!("#{number} {kinds}"),
            None => "nothing more".to_owned(),
        };
        text(words)
    };
    let sequence = |runs| Some(Shown::from(Value::Events(words(runs))));
    vec![
        Change::new("sequence", What::Changed, sequence(left), sequence(right)),
        Change::new("departs at", What::Changed, place(left), place(right)),
    ]
}

/// `role, content x41, finish, usage, end mark`.
fn words(runs: &[Run]) -> String {
    let word = |(kinds, count, _): &Run| match count {
        1 => kinds.clone(),
        count => format!("{kinds} x{count}"),
    };
    let mut words: Vec<_> = runs.iter().take(RUNS).map(word).collect();
    if let Some(more) = runs.len().checked_sub(RUNS).filter(|more| *more > 0) {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}
