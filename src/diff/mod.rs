//! What is different between two exchanges, and whether it matters: plain values made from plain values.
//!
//! Two [`Subject`]s are compared layer by layer, from the connection to the meaning; what differs is a
//! [`Change`] with its place, both values and, where any two exchanges differ there, the reason why it says
//! nothing. More than two are a [`Matrix`]; several that should be alike are a [`Baseline`], which learns what is
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
pub mod effort;
pub mod json;
pub(crate) mod layers;
mod matrix;
pub mod noise;
pub mod sequence;
mod shape;
mod sheet;
mod structure;
mod subject;
pub mod text;

pub use baseline::Baseline;
pub use bytes::{Address, BytesDifference, BytesRun, First, compare as compare_bytes};
pub use change::{Change, Compared, Difference, Layer, Shown, Value, What};
pub use matrix::{Matrix, Row};
pub use noise::Rule;
pub use shape::Shape;
pub use subject::{Answered, EventKinds, Limits, Subject};

use crate::json::{JsonDocument, JsonError};
use layers::{body, connection, framing, head, meaning, stream, timing};

/// Compares two exchanges, or the requests of two, in the layers `only`.
pub fn compare(left: &Subject, right: &Subject, only: &[Layer], rules: &[Rule]) -> Difference {
    let layers = only.iter().filter_map(|&layer| {
        let (mut changes, notes) = layer_of(layer, left, right)?;
        for change in &mut changes {
            noise::mark(layer, change, rules);
        }
        Some(Compared {
            layer,
            changes,
            notes,
        })
    });
    Difference {
        left: left.name.clone(),
        right: right.name.clone(),
        layers: layers.collect(),
    }
}

/// `None`: a side was never answered, so that there is nothing to compare.
fn layer_of(layer: Layer, left: &Subject, right: &Subject) -> Option<(Vec<Change>, Vec<String>)> {
    if layer == Layer::Request {
        return Some(request(left, right));
    }
    let (left, right) = (left.answered.as_ref()?, right.answered.as_ref()?);
    let changes = match layer {
        Layer::Connection => connection::compare(&left.tape, &right.tape),
        Layer::Head => head::compare(&left.exchange.response, &right.exchange.response, true),
        Layer::Framing => framing::compare(left, right),
        Layer::Body => return Some(response(left, right)),
        Layer::Stream => stream::compare(left, right),
        Layer::Meaning => meaning::compare(&left.report, &right.report),
        Layer::Timing => timing::compare(left, right),
        Layer::Request => vec![],
    };
    Some((changes, vec![]))
}

fn request(left: &Subject, right: &Subject) -> (Vec<Change>, Vec<String>) {
    let mut changes = match (&left.request, &right.request) {
        (Some(left), Some(right)) => head::compare(left, right, false),
        // A file with a body alone has no head.
        _ => vec![],
    };
    let (body, notes) = body::compare(&left.asked.bytes, &right.asked.bytes);
    changes.extend(body.into_iter().map(|change| change.grouped("body")));
    (changes, notes)
}

/// The bodies of two responses. Of streams, what their events are made of and what is the same in all: the pieces
/// themselves are the answer, which is compared as its meaning.
fn response(left: &Answered, right: &Answered) -> (Vec<Change>, Vec<String>) {
    let (Some(lefts), Some(rights)) = (stream::shape(left), stream::shape(right)) else {
        return body::compare(&left.body.bytes, &right.body.bytes);
    };
    let mut changes = lefts.compare(&rights);
    changes.extend(lefts.constants(&rights));
    let note = (!changes.is_empty()).then(|| "places in the events of the streams".to_owned());
    (changes, note.into_iter().collect())
}

/// Holds the answer of `last` against those of a baseline, values left out: what each body, or the events of each
/// stream, are made of; and the sequence of events against all sequences of the baseline.
pub fn compare_shapes(baseline: &[Subject], last: &Subject, rules: &[Rule]) -> Difference {
    let mut base = Shape::default();
    for subject in baseline {
        shape_of(subject, &mut base);
    }
    let mut other = Shape::default();
    shape_of(last, &mut other);
    let mut layers = vec![Compared {
        layer: Layer::Body,
        changes: base.allows(&other),
        notes: vec![],
    }];
    let answered = baseline
        .iter()
        .filter_map(|subject| subject.answered.as_ref());
    let known: Vec<_> = answered.map(stream::grammar).collect();
    layers.extend(last.answered.as_ref().map(|answered| Compared {
        layer: Layer::Stream,
        changes: stream::unknown(&known, answered).into_iter().collect(),
        notes: vec![],
    }));
    for compared in &mut layers {
        for change in &mut compared.changes {
            noise::mark(compared.layer, change, rules);
            // An id that is missing, or a number now, is a difference of structure.
            change.noise = change.noise.take().filter(|why| why == noise::IGNORED);
        }
    }
    Difference {
        left: names(baseline),
        right: last.name.clone(),
        layers,
    }
}

fn names(subjects: &[Subject]) -> String {
    match subjects {
        [] => String::new(),
        [one] => one.name.clone(),
        [first, rest @ ..] => format!("{} and {} more", first.name, rest.len()),
    }
}

/// Takes in what an answer is made of; of a request that was not sent, the request.
fn shape_of(subject: &Subject, shape: &mut Shape) {
    let bytes = match &subject.answered {
        None => &subject.asked.bytes,
        Some(answered) if stream::take_shape(answered, shape) => return,
        Some(answered) => &answered.body.bytes,
    };
    if let Ok(document) = JsonDocument::parse(bytes) {
        shape.take(document.root());
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
pub fn patch(left: &[u8], right: &[u8]) -> Result<String, NotJson> {
    let left = JsonDocument::parse(left).map_err(NotJson::Left)?;
    let right = JsonDocument::parse(right).map_err(NotJson::Right)?;
    let comparison = json::compare(&left, &right, effort::Effort::default());
    Ok(json::patch(&comparison, &right))
}
