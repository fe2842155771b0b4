//! Comparison of exchanges: what differs, and whether it matters.
//!
//! Two [`DiffInput`]s are compared layer by layer, from the connection to the timing. Each difference is a
//! [`DiffChange`] with its [`DiffPlace`], both values and, if any two exchanges differ there, the reason why
//! it is noise.
//! More than two exchanges make a [`DiffMatrix`]; several that should be alike make a [`Baseline`], which learns what
//! is noise.
//!
//! ```text
//!  DiffInput --+                             +--> DiffMatrix  (one column for each exchange)
//!              +--> compare --> ExchangeDiff-+
//!  DiffInput --+                             +--> Baseline    (places that vary are noise)
//! ```
//!
//! - `place`: where a change is; `change`: what differs there; `noise`: the table of expected differences;
//! - `layers`: one file for each layer, from the connection to the timing;
//! - `json`: the structural diff of two JSON texts; `text`: that of words and lines;
//! - `shape`: the paths and types of JSON texts without their values.

mod alignment;
mod baseline;
pub(crate) mod bytes;
pub mod change;
mod fact_sheet;
mod increasing;
mod input;
pub mod json;
mod json_changes;
mod layer;
pub(crate) mod layers;
mod matrix;
pub mod noise;
mod noise_reason;
pub mod place;
mod shape;
pub mod text;
mod usual;
pub mod work_limit;

pub use baseline::Baseline;
pub use bytes::{ByteAddress, ByteStreamDiff, FirstDifference, compare as compare_bytes};
pub use change::{
    ChangeKind, ChangeSide, DiffChange, DiffValue, ExchangeDiff, LayerDiff, LayerNote,
};
pub use input::DiffInput;
pub use layer::DiffLayer;
pub use matrix::{DiffMatrix, MatrixRow, RowPlace};
pub use noise::NoiseRule;
pub use noise_reason::NoiseReason;
pub use place::DiffPlace;
pub use shape::JsonShape;
pub use usual::{BaselineRange, BaselineValues, RangeUnit};

use crate::call::Call;
use crate::json::{JsonDocument, JsonError};
use fact_sheet::FactSheet;
use layers::{body, connection, framing, head, meaning, stream, timing};

/// Compares two exchanges, or the requests of two, in the layers `only`.
pub fn compare(
    left: &DiffInput,
    right: &DiffInput,
    only: &[DiffLayer],
    rules: &[NoiseRule],
) -> ExchangeDiff {
    let layers = only.iter().filter_map(|&layer| {
        let (mut changes, notes) = compare_layer(layer, left, right)?;
        for change in &mut changes {
            noise::mark_noise(layer, change, rules);
        }
        Some(LayerDiff {
            layer,
            changes,
            notes,
        })
    });
    ExchangeDiff {
        left: left.name.clone(),
        right: right.name.clone(),
        layers: layers.collect(),
    }
}

/// The changes in one layer, and notes on how it was compared.
type LayerChanges = (Vec<DiffChange>, Vec<LayerNote>);

/// Compares one layer; `None` if it needs an answer and a side has none.
fn compare_layer(layer: DiffLayer, left: &DiffInput, right: &DiffInput) -> Option<LayerChanges> {
    let calls = left.call().zip(right.call());
    let compare_facts = |collect: fn(&Call) -> FactSheet| {
        calls.map(|(left, right)| (collect(left).compare(&collect(right)), vec![]))
    };
    match layer {
        DiffLayer::Connection => compare_facts(connection::collect_facts),
        DiffLayer::Request => Some(compare_requests(left, right)),
        DiffLayer::Head => calls.map(|(left, right)| {
            let [left, right] = [left, right].map(|call| &call.exchange.response);
            (head::compare(left, right, true), vec![])
        }),
        DiffLayer::Framing => compare_facts(framing::collect_facts),
        DiffLayer::Body => calls.map(|(left, right)| compare_response_bodies(left, right)),
        DiffLayer::Stream => calls.map(|(left, right)| (stream::compare(left, right), vec![])),
        DiffLayer::Meaning => compare_facts(meaning::collect_facts),
        DiffLayer::Timing => compare_facts(timing::collect_facts),
    }
}

fn compare_requests(left: &DiffInput, right: &DiffInput) -> LayerChanges {
    let mut changes = match (left.request(), right.request()) {
        (Some(left), Some(right)) => head::compare(left, right, false),
        // A file with a body alone has no head.
        _ => vec![],
    };
    let (body, notes) = body::compare(&left.request_body().bytes, &right.request_body().bytes);
    changes.extend(body.into_iter().map(|change| change.with_group("body")));
    (changes, notes)
}

/// Compares the bodies of two responses. Of two streams it compares the shape of the events and the values that all
/// events share; the pieces of the answer are compared in the meaning layer.
fn compare_response_bodies(left: &Call, right: &Call) -> LayerChanges {
    let (Some(lefts), Some(rights)) = (stream::events_shape(left), stream::events_shape(right))
    else {
        return body::compare(&left.response_body.bytes, &right.response_body.bytes);
    };
    let mut changes = lefts.compare(&rights);
    changes.extend(lefts.compare_constants(&rights));
    let note = (!changes.is_empty()).then_some(LayerNote::EventPlaces);
    (changes, note.into_iter().collect())
}

/// The table of what differs between the answers of several targets to one request. Times and connections are left out:
/// they differ in any case.
pub fn compare_answers(subjects: &[DiffInput]) -> DiffMatrix {
    let Some((first, rest)) = subjects.split_first() else {
        return DiffMatrix::default();
    };
    let layers: Vec<_> = DiffLayer::ALL
        .into_iter()
        .filter(|layer| !matches!(layer, DiffLayer::Timing | DiffLayer::Connection))
        .collect();
    let rules = noise::noise_rules(&[]);
    let differences = rest
        .iter()
        .map(|right| compare(first, right, &layers, &rules));
    DiffMatrix::from_differences(&differences.collect::<Vec<_>>())
}

/// Compares the shape of the answer of `last`, without values, with the shapes of a baseline; and its sequence of events
/// with the sequences of the baseline.
pub fn compare_shapes(
    baseline: &[DiffInput],
    last: &DiffInput,
    rules: &[NoiseRule],
) -> ExchangeDiff {
    let mut base = JsonShape::default();
    for subject in baseline {
        add_shape(subject, &mut base);
    }
    let mut other = JsonShape::default();
    add_shape(last, &mut other);
    let mut layers = vec![LayerDiff {
        layer: DiffLayer::Body,
        changes: base.find_violations(&other),
        notes: vec![],
    }];
    let known: Vec<_> = baseline.iter().filter_map(DiffInput::call).collect();
    layers.extend(last.call().map(|call| LayerDiff {
        layer: DiffLayer::Stream,
        changes: stream::compare_with_known(&known, call),
        notes: vec![],
    }));
    for compared in &mut layers {
        for change in &mut compared.changes {
            noise::mark_noise(compared.layer, change, rules);
            // An id that is missing or has another type is a difference of shape.
            change.noise = change
                .noise
                .take()
                .filter(|why| *why == NoiseReason::IgnoredByUser);
        }
    }
    ExchangeDiff {
        left: summarize_names(baseline),
        right: last.name.clone(),
        layers,
    }
}

fn summarize_names(subjects: &[DiffInput]) -> String {
    match subjects {
        [] => String::new(),
        [one] => one.name.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.name, rest.len()),
    }
}

/// Adds the shape of an answer; for a request file, the shape of the request.
fn add_shape(subject: &DiffInput, shape: &mut JsonShape) {
    let bytes = match subject.call() {
        None => &subject.request_body().bytes,
        Some(answered) if stream::add_to_shape(answered, shape) => return,
        Some(answered) => &answered.response_body.bytes,
    };
    if let Ok(document) = JsonDocument::parse(bytes) {
        shape.add(document.root());
    }
}

/// The error that one of two bodies is not JSON.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotJson {
    /// The left one.
    #[error("the left body is not JSON: {0}")]
    Left(JsonError),
    /// The right one.
    #[error("the right body is not JSON: {0}")]
    Right(JsonError),
}

/// Returns the JSON Patch (RFC 6902) from `left` to `right`.
///
/// # Errors
///
/// When either is not JSON.
pub fn json_patch(left: &[u8], right: &[u8]) -> Result<String, NotJson> {
    let left = JsonDocument::parse(left).map_err(NotJson::Left)?;
    let right = JsonDocument::parse(right).map_err(NotJson::Right)?;
    let comparison = json::compare(&left, &right, work_limit::WorkLimit::default());
    Ok(json::patch(&comparison, &right))
}
