//! Two streams of events: the sequence of their deltas, the first event that differs, and the shape of the events.

use std::borrow::Cow;

use crate::call::{Call, EventDeltas};
use crate::chat::DeltaKind;
use crate::diff::change::{ChangeKind, DiffChange, DiffValue, PlacedValue};
use crate::diff::fact_sheet::FactSheet;
use crate::diff::place::DiffPlace;
use crate::diff::shape::JsonShape;
use crate::json::JsonDocument;
use crate::sse::{EventDecoder, StreamFormat, StreamItem};
use crate::tape::Window;

/// Runs of a sequence that are shown: about three lines of a terminal.
const MAX_RUNS_SHOWN: usize = 48;

/// Returns what differs between two streams.
pub(crate) fn compare(left: &Call, right: &Call) -> Vec<DiffChange> {
    let mut changes = collect_facts(left).compare(&collect_facts(right));
    let streamed = |call: &Call| call.meaning.completion.is_streamed();
    if streamed(left) && streamed(right) {
        changes.extend(compare_sequences(&[
            event_runs(&left.events),
            event_runs(&right.events),
        ]));
    }
    changes
}

/// Returns the shape of all events of a stream together; `None` if the answer is not a stream.
pub(crate) fn events_shape(call: &Call) -> Option<JsonShape> {
    let mut shape = JsonShape::default();
    add_to_shape(call, &mut shape).then_some(shape)
}

/// Adds the events of a stream to a shape. Returns false if the answer is not a stream.
pub(crate) fn add_to_shape(call: &Call, shape: &mut JsonShape) -> bool {
    let Some(format) = call.meaning.completion.media.stream_format() else {
        return false;
    };
    for data in event_data(&call.response_body.bytes, format) {
        if let Ok(document) = JsonDocument::parse(&data) {
            shape.add(document.root());
        }
    }
    true
}

/// Returns the kinds of the events of a stream in order, each run of equal kinds once.
pub(crate) fn event_sequence(call: &Call) -> Vec<String> {
    let runs = event_runs(&call.events).into_iter();
    runs.map(|(kinds, ..)| kinds).collect()
}

/// Returns a change if no stream of the baseline has the sequence of this one. Its left side is the known sequence with
/// the longest equal beginning.
pub(crate) fn compare_with_known(known: &[Vec<String>], call: &Call) -> Option<DiffChange> {
    let own = event_sequence(call);
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
    DiffChange::new(DiffPlace::fact(name), ChangeKind::Changed, left, right)
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

fn collect_facts(call: &Call) -> FactSheet {
    let mut sheet = FactSheet::default();
    let completion = &call.meaning.completion;
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
    let signs = call.events.iter().filter(|event| is_keep_alive(event));
    sheet.put_count("comments and pings", Some(signs.count() as u64));
    let end = if completion.done { "yes" } else { "no" };
    sheet.put_text("end mark", Some(end));
    sheet
}

/// A run of events with the same deltas: the kinds of these, the number of events, the number of the first event.
type EventRun = (String, u64, u64);

/// Returns the runs of a stream, without keep-alive events.
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

/// Returns whether an event only keeps the connection alive. The number of such events depends on time.
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

/// Returns the whole sequences and the first event that differs; if only counts differ, the runs with another count.
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
            DiffChange::from_sides(DiffPlace::fact(at), count(left), count(right))
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
