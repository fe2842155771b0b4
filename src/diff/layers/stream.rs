//! Two streams of events: the sequence of what they carried, where it departs, and what their events are
//! made of.

use std::borrow::Cow;

use crate::call::{Call, EventDeltas};
use crate::chat::DeltaKind;
use crate::diff::change::{ChangeKind, DiffChange, DiffValue, PlacedValue};
use crate::diff::fact_sheet::FactSheet;
use crate::diff::place::Place;
use crate::diff::shape::JsonShape;
use crate::json::JsonDocument;
use crate::sse::{EventDecoder, StreamFormat, StreamItem};
use crate::tape::Window;

/// How many runs of a sequence are told.
const MAX_RUNS_SHOWN: usize = 48;

/// What differs between the sequences of two streams.
pub(crate) fn compare(left: &Call, right: &Call) -> Vec<DiffChange> {
    let mut changes = collect_facts(left).compare(&collect_facts(right));
    let streamed = |answered: &Call| answered.meaning.completion.is_streamed();
    if streamed(left) && streamed(right) {
        changes.extend(compare_sequences(&[
            event_runs(&left.events),
            event_runs(&right.events),
        ]));
    }
    changes
}

/// The shape of all events of a stream, taken together; `None` where the answer is no stream.
pub(crate) fn events_shape(answered: &Call) -> Option<JsonShape> {
    let mut shape = JsonShape::default();
    add_to_shape(answered, &mut shape).then_some(shape)
}

/// Takes the events of a stream in; whether the answer is one.
pub(crate) fn add_to_shape(answered: &Call, shape: &mut JsonShape) -> bool {
    let Some(format) = answered.meaning.completion.media.stream_format() else {
        return false;
    };
    for data in event_data(&answered.response_body.bytes, format) {
        if let Ok(document) = JsonDocument::parse(&data) {
            shape.add(document.root());
        }
    }
    true
}

/// The kinds of event that follow each other in a stream, each named once in a row.
pub(crate) fn event_sequence(answered: &Call) -> Vec<String> {
    let runs = event_runs(&answered.events).into_iter();
    runs.map(|(kinds, ..)| kinds).collect()
}

/// The sequence of a stream, where none of the baseline had one like it; said against the one that goes along
/// with it the longest.
pub(crate) fn compare_with_known(known: &[Vec<String>], answered: &Call) -> Option<DiffChange> {
    let own = event_sequence(answered);
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
    let text = |kinds: &[String]| Some(PlacedValue::from(DiffValue::Events(kinds.join(", "))));
    Some(changed("sequence", text(nearest), text(&own)))
}

fn changed(
    name: &'static str,
    left: Option<PlacedValue>,
    right: Option<PlacedValue>,
) -> DiffChange {
    DiffChange::new(Place::fact(name), ChangeKind::Changed, left, right)
}

/// The data of each event of a stream.
pub(crate) fn event_data(body: &[u8], format: StreamFormat) -> impl Iterator<Item = Cow<'_, [u8]>> {
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

fn collect_facts(answered: &Call) -> FactSheet {
    let mut sheet = FactSheet::default();
    let completion = &answered.meaning.completion;
    let format = match completion.media.stream_format() {
        Some(StreamFormat::EventStream) => "events (text/event-stream)",
        Some(StreamFormat::Lines) => "JSON lines",
        Some(StreamFormat::Array) => "a JSON array",
        None => "no stream",
    };
    sheet.put_text("format", Some(format));
    if !completion.is_streamed() {
        return sheet;
    }
    sheet.put_count("events", Some(completion.events));
    let signs = answered.events.iter().filter(|event| is_keep_alive(event));
    sheet.put_count("comments and pings", Some(signs.count() as u64));
    let end = if completion.done { "yes" } else { "no" };
    sheet.put_text("end mark", Some(end));
    sheet
}

/// One run: what its events carried, how many they are, the number of the first.
type EventRun = (String, u64, u64);

/// The sequence of a stream: neighbours that carried the same are one run, signs of life are left out.
fn event_runs(events: &[EventDeltas]) -> Vec<EventRun> {
    let mut runs: Vec<EventRun> = Vec::new();
    for event in events.iter().filter(|event| !is_keep_alive(event)) {
        let kinds = kinds_text(event);
        match runs.last_mut() {
            Some((last, count, _)) if *last == kinds => *count = count.saturating_add(1),
            _ => runs.push((kinds, 1, event.number)),
        }
    }
    runs
}

/// Whether it only says that the connection is alive: how often depends on time.
fn is_keep_alive(event: &EventDeltas) -> bool {
    let sign = |kind: &DeltaKind| matches!(kind, DeltaKind::Comment | DeltaKind::Ping);
    event.kinds.iter().all(sign)
}

fn kinds_text(event: &EventDeltas) -> String {
    let mut kinds: Vec<_> = event.kinds.iter().map(|kind| kind_name(*kind)).collect();
    kinds.dedup();
    kinds.join("+")
}

fn kind_name(kind: DeltaKind) -> Cow<'static, str> {
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
fn compare_sequences([left, right]: &[Vec<EventRun>; 2]) -> Vec<DiffChange> {
    let kinds = |runs: &[EventRun]| -> Vec<String> {
        runs.iter().map(|(kinds, ..)| kinds.clone()).collect()
    };
    let (lefts, rights) = (kinds(left), kinds(right));
    let text = |text: String| Some(PlacedValue::from(DiffValue::Text(text)));
    if lefts == rights {
        let change = |(n, (left, right)): (usize, (&EventRun, &EventRun))| {
            let count = |run: &EventRun| Some(PlacedValue::from(DiffValue::Count(run.1)));
            let at = format!("run {n}: {}", left.0);
            DiffChange::from_sides(Place::fact(at), count(left), count(right))
        };
        let pairs = left.iter().zip(right).enumerate();
        return pairs.filter_map(change).collect();
    }
    let common = lefts
        .iter()
        .zip(&rights)
        .take_while(|(left, right)| left == right);
    let first = common.count();
    let place = |runs: &[EventRun]| {
        let words = match runs.get(first) {
            Some((kinds, _, number)) => format!("#{number} {kinds}"),
            None => "nothing more".to_owned(),
        };
        text(words)
    };
    let sequence = |runs| Some(PlacedValue::from(DiffValue::Events(runs_text(runs))));
    vec![
        changed("sequence", sequence(left), sequence(right)),
        changed("departs at", place(left), place(right)),
    ]
}

/// `role, content x41, finish, usage, end mark`.
fn runs_text(runs: &[EventRun]) -> String {
    let word = |(kinds, count, _): &EventRun| match count {
        1 => kinds.clone(),
        count => format!("{kinds} x{count}"),
    };
    let mut words: Vec<_> = runs.iter().take(MAX_RUNS_SHOWN).map(word).collect();
    if let Some(more) = runs
        .len()
        .checked_sub(MAX_RUNS_SHOWN)
        .filter(|more| *more > 0)
    {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}
