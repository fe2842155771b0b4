//! The difference between two exchanges as a value: layers, each with its changes.

use serde::{Serialize, Serializer};

use super::layer::DiffLayer;
use super::noise_reason::NoiseReason;
use super::place::DiffPlace;
use super::usual::BaselineValues;
use crate::span::Span;

/// The difference between two exchanges.
#[derive(Clone, Debug, Serialize)]
pub struct ExchangeDiff {
    /// Name of the left exchange.
    pub left: String,
    /// Name of the right exchange.
    pub right: String,
    /// Every layer that was compared, also those without changes.
    pub layers: Vec<LayerDiff>,
}

impl ExchangeDiff {
    /// Whether there is a change that is not noise.
    pub fn is_different(&self) -> bool {
        self.changes().any(|(_, change)| change.noise.is_none())
    }

    /// Every change with its layer.
    pub fn changes(&self) -> impl Iterator<Item = (DiffLayer, &DiffChange)> {
        let of = |compared: &'_ LayerDiff| compared.layer;
        self.layers.iter().flat_map(move |compared| {
            let layer = of(compared);
            compared.changes.iter().map(move |change| (layer, change))
        })
    }

    /// How many changes are noise.
    pub fn noise_count(&self) -> usize {
        self.changes()
            .filter(|(_, change)| change.noise.is_some())
            .count()
    }
}

/// The changes in one layer.
#[derive(Clone, Debug, Serialize)]
pub struct LayerDiff {
    /// Which layer.
    pub layer: DiffLayer,
    /// The changes, in the order of the right side.
    pub changes: Vec<DiffChange>,
    /// Remarks on how it was compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<LayerNote>,
}

/// A remark on how a layer was compared.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LayerNote {
    /// The work limit was reached.
    Coarse,
    /// The changes are in the shape that the events of both streams share, not in single events.
    EventPlaces,
}

impl LayerNote {
    /// The note in words, as reports and JSON show it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Coarse => "compared more coarsely where it would have taken too long",
            Self::EventPlaces => "places in the events of the streams",
        }
    }
}

impl Serialize for LayerNote {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// One change from the left exchange to the right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DiffChange {
    /// Where it is. Within one layer of one difference no two changes have the same place and kind.
    pub at: DiffPlace,
    /// What kind of fact it is, where a layer has several: `field`, `rate limits`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub group: &'static str,
    /// What happened from left to right.
    pub what: ChangeKind,
    /// The left value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<ChangeSide>,
    /// The right value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub right: Option<ChangeSide>,
    /// Why the change is noise; `None` for a difference that matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noise: Option<NoiseReason>,
    /// What the exchanges of a baseline have there, if there is a baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usual: Option<BaselineValues>,
}

/// What happened to a value from left to right.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// Only the right side has it.
    Added,
    /// Only the left side has it.
    Removed,
    /// It has another value.
    Changed,
    /// It has the same value in another spelling.
    Respelled,
    /// It is elsewhere among its neighbours.
    Moved,
    /// Its members or fields are in another order.
    Reordered,
}

impl ChangeKind {
    /// The kind of the change from right to left.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Added => Self::Removed,
            Self::Removed => Self::Added,
            same => same,
        }
    }

    /// The kind in one word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Respelled => "respelled",
            Self::Moved => "moved",
            Self::Reordered => "reordered",
        }
    }
}

/// The value on one side of a change, and where it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangeSide {
    /// The value.
    #[serde(flatten)]
    pub value: DiffValue,
    /// Its bytes: in the decoded body for a value of a body, else in the raw stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// Its place on this side, where it differs from the place of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<DiffPlace>,
}

/// A value that a difference reports: JSON, a text, a count or a duration.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffValue {
    /// JSON as it was written.
    Json(String),
    /// A text.
    Text(String),
    /// The deltas of the events of a stream, in order: `role, content x41, finish`.
    Events(String),
    /// A number of something.
    Count(u64),
    /// A duration, in microseconds.
    Micros(u64),
    /// Any other number.
    Number(f64),
}

impl DiffValue {
    /// The value as a number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Count(number) | Self::Micros(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            Self::Json(json) => json.parse().ok().filter(|number: &f64| number.is_finite()),
            Self::Text(_) | Self::Events(_) => None,
        }
    }

    /// The length of a text in characters; `None` if it is not a text.
    pub fn text_length(&self) -> Option<usize> {
        match self {
            Self::Text(text) => Some(text.chars().count()),
            Self::Json(json) if json.starts_with('"') => {
                Some(json.chars().count().saturating_sub(2))
            }
            _ => None,
        }
    }
}

impl std::fmt::Display for DiffValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Json(text) | Self::Text(text) | Self::Events(text) => f.write_str(text),
            Self::Count(number) | Self::Micros(number) => write!(f, "{number}"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

impl ChangeSide {
    /// A value at a span.
    pub fn at(value: DiffValue, span: Span) -> Self {
        Self {
            value,
            span: Some(span),
            path: None,
        }
    }
}

impl From<DiffValue> for ChangeSide {
    fn from(value: DiffValue) -> Self {
        Self {
            value,
            span: None,
            path: None,
        }
    }
}

impl DiffChange {
    /// The change between two sides, of the kind that follows from them; `None` if they are equal.
    pub fn from_sides(
        at: DiffPlace,
        left: Option<ChangeSide>,
        right: Option<ChangeSide>,
    ) -> Option<Self> {
        let what = match (&left, &right) {
            (None, None) => return None,
            (None, Some(_)) => ChangeKind::Added,
            (Some(_), None) => ChangeKind::Removed,
            (Some(left), Some(right)) if left.value == right.value => return None,
            (Some(_), Some(_)) => ChangeKind::Changed,
        };
        Some(Self::new(at, what, left, right))
    }

    /// A change of that kind.
    pub fn new(
        at: DiffPlace,
        what: ChangeKind,
        left: Option<ChangeSide>,
        right: Option<ChangeSide>,
    ) -> Self {
        Self {
            at,
            group: "",
            what,
            left,
            right,
            noise: None,
            usual: None,
        }
    }

    /// The same change of another kind.
    #[must_use]
    pub fn with_kind(self, what: ChangeKind) -> Self {
        Self { what, ..self }
    }

    /// The same change in a group.
    #[must_use]
    pub fn with_group(self, group: &'static str) -> Self {
        Self { group, ..self }
    }
}
