//! What is different between two exchanges, and whether it matters: plain values made from plain values.
//!
//! Two [`DiffInput`]s are compared layer by layer, from the connection to the meaning; what differs is a
//! [`DiffChange`] with its place, both values and, where any two exchanges differ there, the reason why it says
//! nothing. More than two are a [`DiffMatrix`]; several that should be alike are a [`Baseline`], which learns what is
//! noise.
//!
//! ```text
//!  Subject  --+                                  +--> Matrix    (a column an exchange)
//!             +--> compare --> Difference(s) ----+
//!  Subject  --+                  ^               +--> Baseline  (what varies is noise)
//!                                |
//!          json, text, sequence: one alignment for bodies, arguments, words, events
//! ```
//!
//! Where each part lives: `json` is the structural diff of two JSON texts; `text` that of words and lines;
//! `sequence` aligns any two lists; `connection`, `head`, `framing`, `body`, `stream`, `meaning` and `timing` are
//! a layer each; `shape` leaves values out; `noise` is the table of what says nothing. `cache` stands beside the
//! layers: it holds prompts against each other in the order in which an API caches them.

mod baseline;
pub(crate) mod bytes;
pub mod change;
mod fact_sheet;
mod input;
pub mod json;
mod json_changes;
pub(crate) mod layers;
mod matrix;
pub mod noise;
pub mod sequence;
mod shape;
pub mod text;
pub mod work_limit;

pub use baseline::Baseline;
pub use bytes::{ByteAddress, ByteRun, ByteStreamDiff, FirstDifference, compare as compare_bytes};
pub use change::{
    ChangeKind, DiffChange, DiffLayer, DiffValue, ExchangeDiff, LayerDiff, PlacedValue,
};
pub use input::DiffInput;
pub use matrix::{DiffMatrix, MatrixRow};
pub use noise::{NoiseReason, NoiseRule};
pub use shape::JsonShape;

use crate::call::Call;
use crate::json::{JsonDocument, JsonError};
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

/// `None`: a side was never answered, so that there is nothing to compare.
fn compare_layer(
    layer: DiffLayer,
    left: &DiffInput,
    right: &DiffInput,
) -> Option<(Vec<DiffChange>, Vec<String>)> {
    if layer == DiffLayer::Request {
        return Some(compare_requests(left, right));
    }
    let (left, right) = (left.call()?, right.call()?);
    let changes = match layer {
        DiffLayer::Connection => connection::compare(&left.tape, &right.tape),
        DiffLayer::Head => head::compare(&left.exchange.response, &right.exchange.response, true),
        DiffLayer::Framing => framing::compare(left, right),
        DiffLayer::Body => return Some(compare_response_bodies(left, right)),
        DiffLayer::Stream => stream::compare(left, right),
        DiffLayer::Meaning => meaning::compare(&left.meaning, &right.meaning),
        DiffLayer::Timing => timing::compare(left, right),
        DiffLayer::Request => vec![],
    };
    Some((changes, vec![]))
}

fn compare_requests(left: &DiffInput, right: &DiffInput) -> (Vec<DiffChange>, Vec<String>) {
    let mut changes = match (left.request(), right.request()) {
        (Some(left), Some(right)) => head::compare(left, right, false),
        // A file with a body alone has no head.
        _ => vec![],
    };
    let (body, notes) = body::compare(&left.request_body().bytes, &right.request_body().bytes);
    changes.extend(body.into_iter().map(|change| change.with_group("body")));
    (changes, notes)
}

/// The bodies of two responses. Of streams, what their events are made of and what is the same in all: the pieces
/// themselves are the answer, which is compared as its meaning.
fn compare_response_bodies(left: &Call, right: &Call) -> (Vec<DiffChange>, Vec<String>) {
    let (Some(lefts), Some(rights)) = (stream::events_shape(left), stream::events_shape(right))
    else {
        return body::compare(&left.response_body.bytes, &right.response_body.bytes);
    };
    let mut changes = lefts.compare(&rights);
    changes.extend(lefts.compare_constants(&rights));
    let note = (!changes.is_empty()).then(|| "places in the events of the streams".to_owned());
    (changes, note.into_iter().collect())
}

/// Holds the answer of `last` against those of a baseline, values left out: what each body, or the events of each
/// stream, are made of; and the sequence of events against all sequences of the baseline.
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
    let answered = baseline.iter().filter_map(|subject| subject.call());
    let known: Vec<_> = answered.map(stream::event_sequence).collect();
    layers.extend(last.call().map(|answered| {
        LayerDiff {
            layer: DiffLayer::Stream,
            changes: stream::compare_with_known(&known, answered)
                .into_iter()
                .collect(),
            notes: vec![],
        }
    }));
    for compared in &mut layers {
        for change in &mut compared.changes {
            noise::mark_noise(compared.layer, change, rules);
            // An id that is missing, or a number now, is a difference of structure.
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

/// Takes in what an answer is made of; of a request that was not sent, the request.
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

/// Which of two texts is not JSON, and why.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotJson {
    /// The left one.
    #[error("the left body is not JSON: {0}")]
    Left(JsonError),
    /// The right one.
    #[error("the right body is not JSON: {0}")]
    Right(JsonError),
}

/// The RFC 6902 patch that makes `right` of `left`, as JSON values.
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
