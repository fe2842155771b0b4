//! Two streams of events: the events that one of them lacks, and the shape of the events.

use std::borrow::Cow;
use std::ops::Range;

use crate::call::{Call, EventDeltas};
use crate::chat::DeltaKind;
use crate::diff::alignment::{ChangedRange, changed_ranges};
use crate::diff::change::{ChangeSide, DiffChange, DiffValue};
use crate::diff::fact_sheet::FactSheet;
use crate::diff::place::DiffPlace;
use crate::diff::shape::JsonShape;
use crate::json::JsonDocument;
use crate::sse::{EventDecoder, StreamFormat, StreamItem};
use crate::tape::Window;

/// Runs of a sequence that are shown: about three lines of a terminal.
const MAX_RUNS_SHOWN: usize = 48;

/// Differences of two sequences that are reported one by one: about a screen.
const MAX_SEQUENCE_CHANGES: usize = 16;

/// Returns what differs between two streams.
pub(crate) fn compare(left: &Call, right: &Call) -> Vec<DiffChange> {
    let mut changes = collect_facts(left).compare(&collect_facts(right));
    let streamed = |call: &Call| call.meaning.completion.is_streamed();
    if streamed(left) && streamed(right) {
        let [lefts, rights] = [left, right].map(|call| event_runs(&call.events));
        changes.extend(compare_sequences(&lefts, &rights));
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

/// Returns what differs between a stream and the most similar one of several, or nothing if one of them has the same
/// kinds of events in the same order. How many events of one kind follow each other is not compared.
pub(crate) fn compare_with_known(known: &[&Call], call: &Call) -> Vec<DiffChange> {
    let own = event_sequence(call);
    let changed_count = |known: &Vec<EventRun>| -> usize {
        let changed = align_runs(known, &own);
        changed.iter().flatten().map(ExactSizeIterator::len).sum()
    };
    let known = known.iter().map(|call| event_sequence(call));
    let nearest = known.min_by_key(changed_count);
    nearest.map_or_else(Vec::new, |nearest| compare_sequences(&nearest, &own))
}

/// Returns the runs of events of a stream, each counted as one event.
fn event_sequence(call: &Call) -> Vec<EventRun> {
    let runs = event_runs(&call.events).into_iter();
    runs.map(|run| EventRun { count: 1, ..run }).collect()
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
        Some(StreamFormat::Frames) => "frames (application/vnd.amazon.eventstream)",
        None => "no stream",
    };
    sheet.put_text("format", Some(format));
    if !completion.is_streamed() {
        return sheet;
    }
    sheet.put_count("events", Some(completion.events));
    let pings = call.events.iter().filter(|event| is_keep_alive(event));
    let signs = completion.comments.saturating_add(pings.count() as u64);
    sheet.put_count("comments and pings", Some(signs));
    let end = if completion.done { "yes" } else { "no" };
    sheet.put_text("end mark", Some(end));
    sheet
}

/// Events in a row with the same kinds of deltas.
#[derive(Clone, Debug, Eq, PartialEq)]
struct EventRun {
    /// The kinds of deltas of each event: `role+content`.
    kinds: String,
    /// How many events there are.
    count: u64,
    /// The number of the first event in its stream.
    first: u64,
}

/// Returns the runs of a stream, without keep-alive events.
fn event_runs(events: &[EventDeltas]) -> Vec<EventRun> {
    let mut runs: Vec<EventRun> = Vec::new();
    for event in events.iter().filter(|event| !is_keep_alive(event)) {
        let kinds = kinds_text(event);
        match runs.last_mut() {
            Some(last) if last.kinds == kinds => last.count = last.count.saturating_add(1),
            _ => runs.push(EventRun {
                kinds,
                count: 1,
                first: event.number,
            }),
        }
    }
    runs
}

/// Returns whether an event only keeps the connection alive. The number of such events depends on time.
fn is_keep_alive(event: &EventDeltas) -> bool {
    event.kinds.iter().all(|kind| *kind == DeltaKind::Ping)
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
        DeltaKind::Image => "image",
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

/// Returns both sequences and what was added, removed or replaced between them; if only counts differ, the runs with
/// another count.
fn compare_sequences(left: &[EventRun], right: &[EventRun]) -> Vec<DiffChange> {
    let changed = align_runs(left, right);
    if changed.is_empty() {
        let change = |(n, (left, right)): (usize, (&EventRun, &EventRun))| {
            let place = DiffPlace::fact(format!("run {n}: {}", left.kinds));
            let [left, right] = [left, right].map(|run| Some(DiffValue::Count(run.count).into()));
            DiffChange::from_sides(place, left, right)
        };
        let pairs = left.iter().zip(right).enumerate();
        return pairs.filter_map(change).collect();
    }
    let sequence = |runs| Some(ChangeSide::from(DiffValue::Events(runs_text(runs))));
    let whole =
        DiffChange::from_sides(DiffPlace::fact("sequence"), sequence(left), sequence(right));
    let edits = changed.into_iter().filter_map(|[lefts, rights]| {
        let number = if rights.is_empty() {
            lefts.start
        } else {
            rights.start
        };
        let place = DiffPlace::fact(format!("event run {number}"));
        DiffChange::from_sides(place, edited_runs(left, lefts), edited_runs(right, rights))
    });
    whole.into_iter().chain(edits).collect()
}

/// Returns the runs that differ, at most [`MAX_SEQUENCE_CHANGES`]: the last range then reaches to the last difference.
fn align_runs(left: &[EventRun], right: &[EventRun]) -> Vec<ChangedRange> {
    let kinds = [left, right]
        .map(|runs| -> Vec<&str> { runs.iter().map(|run| run.kinds.as_str()).collect() });
    let flipped = (kinds[0].len(), &kinds[0]) > (kinds[1].len(), &kinds[1]);
    let mut changed = changed_ranges([&kinds[0], &kinds[1]], flipped);
    let rest = changed.split_off(changed.len().min(MAX_SEQUENCE_CHANGES));
    if let (Some(last), Some([lefts, rights])) = (changed.last_mut(), rest.last()) {
        (last[0].end, last[1].end) = (lefts.end, rights.end);
    }
    changed
}

/// Returns some runs with the number of their first event, `#16 usage, end mark`; `None` if there is none.
fn edited_runs(runs: &[EventRun], range: Range<usize>) -> Option<ChangeSide> {
    let runs = runs.get(range)?;
    let text = format!("#{} {}", runs.first()?.first, runs_text(runs));
    Some(DiffValue::Events(text).into())
}

/// `role, content x41, finish, usage, end mark`.
fn runs_text(runs: &[EventRun]) -> String {
    let word = |run: &EventRun| match run.count {
        1 => run.kinds.clone(),
        count => format!("{} x{count}", run.kinds),
    };
    let mut words: Vec<_> = runs.iter().take(MAX_RUNS_SHOWN).map(word).collect();
    if runs.len() > MAX_RUNS_SHOWN {
        let more = runs.len().saturating_sub(MAX_RUNS_SHOWN);
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The runs of a stream whose events have these kinds.
    fn runs(kinds: &[&str]) -> Vec<EventRun> {
        let run = |(first, kinds): (u64, &&str)| EventRun {
            kinds: (*kinds).to_owned(),
            count: 1,
            first,
        };
        (0..).zip(kinds).map(run).collect()
    }

    fn lines(left: &[&str], right: &[&str]) -> Vec<String> {
        let value = |value: Option<ChangeSide>| value.map(|value| value.value.to_string());
        let changes = compare_sequences(&runs(left), &runs(right)).into_iter();
        let changes = changes.filter(|change| change.at != DiffPlace::fact("sequence"));
        let line = |change: DiffChange| {
            let sides =
                [value(change.left), value(change.right)].map(|side| side.unwrap_or_default());
            format!(
                "{} {}: {} > {}",
                change.what.name(),
                change.at,
                sides[0],
                sides[1]
            )
        };
        changes.map(line).collect()
    }

    #[test]
    fn an_event_in_the_middle_of_one_stream_is_one_added_event() {
        let left = ["role", "content", "finish", "usage", "end mark"];
        let right = ["role", "content", "citation", "finish", "usage", "end mark"];
        assert_eq!(lines(&left, &right), ["added event run 2:  > #2 citation"]);
        assert_eq!(
            lines(&right, &left),
            ["removed event run 2: #2 citation > "]
        );
        let other = ["role", "reasoning", "finish", "end mark"];
        let expected = [
            "changed event run 1: #1 content > #1 reasoning",
            "removed event run 3: #3 usage > ",
        ];
        assert_eq!(lines(&left, &other), expected);
        assert_eq!(lines(&left, &left), [""; 0]);
    }

    #[test]
    fn the_differences_of_long_sequences_are_bounded() {
        let left = ["content", "tool 0"].repeat(1000);
        let mut right = left.clone();
        for at in (5..1900).step_by(10) {
            right[at] = "usage";
        }
        let found = lines(&left, &right);
        assert_eq!(found.len(), MAX_SEQUENCE_CHANGES);
        assert!(found.iter().all(|line| line.len() < 2000));
    }
}
