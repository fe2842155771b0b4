//! Noise that is learned from a baseline: several exchanges that should be alike.
//!
//! The first exchange of the baseline is compared with the others, and then with the candidates. A place that is equal
//! in all of the baseline is exact: any other value there is a difference. A place that varies has the range of its
//! numbers, or of the lengths of its texts: a value inside that range is noise.

use std::collections::HashMap;

use super::change::{ChangeSide, DiffChange, DiffValue, ExchangeDiff};
use super::layer::DiffLayer;
use super::noise_reason::NoiseReason;
use super::place::DiffPlace;
use super::usual::{BaselineRange, BaselineValues, RangeUnit};

/// The values that vary among several exchanges that should be alike.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// How many exchanges were compared.
    pub exchange_count: usize,
    /// By places without array indices: an array that is longer in one exchange has no fixed ones.
    varying_places: HashMap<(DiffLayer, DiffPlace), ObservedValues>,
}

/// The values at one place that differ among the exchanges of a baseline.
#[derive(Clone, Debug, Default)]
struct ObservedValues {
    /// How many values there were.
    count: u64,
    /// Whether an exchange had none.
    was_absent: bool,
    numbers: NumberRange,
    lengths: NumberRange,
    types: Vec<ValueType>,
}

/// The least and the greatest of some numbers, and how many there were.
#[derive(Clone, Copy, Debug)]
struct NumberRange {
    count: u64,
    min: f64,
    max: f64,
}

/// The type of a value; of a JSON value also its JSON type, as one letter.
type ValueType = (std::mem::Discriminant<DiffValue>, char);

impl Baseline {
    /// Learns from the differences of the first exchange to each of the others.
    pub fn learn(differences: &[ExchangeDiff]) -> Self {
        let mut baseline = Self {
            exchange_count: differences.len().saturating_add(1),
            varying_places: HashMap::new(),
        };
        for (layer, change) in differences.iter().flat_map(ExchangeDiff::changes) {
            let place = (layer, change.at.without_indices());
            let values = baseline.varying_places.entry(place).or_default();
            values.record(change.left.as_ref());
            values.record(change.right.as_ref());
        }
        baseline
    }

    /// Judges each change from the first exchange to a candidate: values inside the range of the baseline become
    /// noise, and all others are reported with that range.
    pub fn judge(&self, difference: &mut ExchangeDiff) {
        for compared in &mut difference.layers {
            for change in &mut compared.changes {
                self.judge_change(compared.layer, change);
            }
        }
    }

    fn judge_change(&self, layer: DiffLayer, change: &mut DiffChange) {
        if change.noise.is_some_and(|why| !why.has_usual_range()) {
            return;
        }
        let place = (layer, change.at.without_indices());
        let range = match self.varying_places.get(&place) {
            Some(values) => {
                let value = change.right.as_ref().map(|right| &right.value);
                let (is_usual, range) = values.judge(value);
                change.noise = is_usual.then_some(NoiseReason::VariesInBaseline);
                range
            }
            None => {
                // A baseline of one exchange cannot show what varies.
                if self.exchange_count > 1 {
                    change.noise = None;
                }
                match change.left {
                    Some(_) => BaselineRange::SameInAll,
                    None => BaselineRange::InNone,
                }
            }
        };
        change.usual = Some(BaselineValues {
            range,
            exchange_count: self.exchange_count,
        });
    }
}

impl ObservedValues {
    fn record(&mut self, value: Option<&ChangeSide>) {
        let Some(ChangeSide { value, .. }) = value else {
            self.was_absent = true;
            return;
        };
        self.count = self.count.saturating_add(1);
        self.numbers.record(value.as_f64());
        self.lengths.record(length(value));
        let kind = value_type(value);
        if !self.types.contains(&kind) {
            self.types.push(kind);
        }
    }

    /// Returns whether a value is like those of the baseline, and what these have in common.
    fn judge(&self, value: Option<&DiffValue>) -> (bool, BaselineRange) {
        let Some(value) = value else {
            let range = match self.was_absent {
                true => BaselineRange::Sometimes,
                false => BaselineRange::Always,
            };
            return (self.was_absent, range);
        };
        let ranges = [
            (self.numbers, value.as_f64(), number_unit(value)),
            (self.lengths, length(value), RangeUnit::Characters),
        ];
        // Only where every value of the baseline had a number, or a length.
        let mut ranges = ranges
            .into_iter()
            .filter(|(range, ..)| range.count == self.count);
        let judged = ranges.find_map(|(range, number, unit)| Some(range.judge(number?, unit)));
        judged.unwrap_or_else(|| {
            (
                self.types.contains(&value_type(value)),
                BaselineRange::OneType,
            )
        })
    }
}

impl Default for NumberRange {
    fn default() -> Self {
        Self {
            count: 0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl NumberRange {
    fn record(&mut self, number: Option<f64>) {
        let Some(number) = number else { return };
        self.count = self.count.saturating_add(1);
        self.min = self.min.min(number);
        self.max = self.max.max(number);
    }

    /// Returns whether `value` is no further from the others than these are from each other: a baseline of few
    /// exchanges rarely has the extremes.
    fn judge(self, value: f64, unit: RangeUnit) -> (bool, BaselineRange) {
        let Self { min, max, .. } = self;
        let width = max - min;
        let is_usual = min - width <= value && value <= max + width;
        (is_usual, BaselineRange::Between { min, max, unit })
    }
}

fn length(value: &DiffValue) -> Option<f64> {
    value.text_length().map(|length| length as f64)
}

fn number_unit(value: &DiffValue) -> RangeUnit {
    match value {
        DiffValue::Micros(_) => RangeUnit::Micros,
        DiffValue::Number(_) => RangeUnit::Fraction,
        _ => RangeUnit::Count,
    }
}

fn value_type(value: &DiffValue) -> ValueType {
    let first = match value {
        DiffValue::Json(json) => json_type_char(json),
        _ => char::default(),
    };
    (std::mem::discriminant(value), first)
}

/// The first character of a JSON text, which says its type; the same for all numbers, and for both booleans.
fn json_type_char(json: &str) -> char {
    match json.chars().next().unwrap_or_default() {
        '0'..='9' | '-' => '0',
        'f' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::change::{ChangeKind, LayerDiff};

    fn difference(
        layer: DiffLayer,
        changes: &[(&'static str, DiffValue, DiffValue)],
    ) -> ExchangeDiff {
        let change = |&(at, ref left, ref right): &(&'static str, DiffValue, DiffValue)| {
            let (left, right) = (left.clone().into(), right.clone().into());
            DiffChange::new(
                DiffPlace::fact(at),
                ChangeKind::Changed,
                Some(left),
                Some(right),
            )
        };
        ExchangeDiff {
            left: "first".to_owned(),
            right: "other".to_owned(),
            layers: vec![LayerDiff {
                layer,
                changes: changes.iter().map(change).collect(),
                notes: vec![],
            }],
        }
    }

    /// Judges one value against a baseline whose first exchange has `first`, and others `others`.
    fn judged(first: &DiffValue, others: &[DiffValue], value: DiffValue) -> (bool, String) {
        let to = |value: &DiffValue| {
            difference(DiffLayer::Body, &[("/x", first.clone(), value.clone())])
        };
        let baseline: Vec<_> = others.iter().map(to).collect();
        let mut candidate = to(&value);
        Baseline::learn(&baseline).judge(&mut candidate);
        let change = candidate.layers[0].changes[0].clone();
        (change.noise.is_some(), change.usual.unwrap().to_string())
    }

    #[test]
    fn numbers_have_a_range() {
        let json = |text: &str| DiffValue::Json(text.to_owned());
        let others = [json("12"), json("14")];
        let case = |value: &str| judged(&json("10"), &others, json(value));
        assert_eq!(case("13"), (true, "10 .. 14 (n = 3)".to_owned()));
        assert!(case("18").0);
        assert!(!case("19").0);
        assert!(!case("5").0);
        // Another type.
        assert!(!case("\"13\"").0);
    }

    #[test]
    fn texts_have_a_range_of_lengths() {
        let json = |text: &str| DiffValue::Json(format!("\"{text}\""));
        let others = [json("four"), json("sixsix")];
        assert!(judged(&json("five5"), &others, json("other")).0);
        let (inside, usual) = judged(&json("five5"), &others, json("much longer than that"));
        assert!(!inside);
        assert_eq!(usual, "texts of 4 .. 6 characters (n = 3)");
    }

    #[test]
    fn what_never_varied_is_exact() {
        let value = |text: &str| DiffValue::Text(text.to_owned());
        let to = |text: &str| {
            difference(
                DiffLayer::Meaning,
                &[("finish", value("stop"), value(text))],
            )
        };
        let usual = |difference: &ExchangeDiff| {
            let usual = difference.layers[0].changes[0].usual.clone();
            usual.unwrap().to_string()
        };
        let same = difference(DiffLayer::Meaning, &[]);
        let baseline = Baseline::learn(&[same.clone(), same]);
        let mut candidate = to("length");
        baseline.judge(&mut candidate);
        assert!(candidate.is_different());
        assert_eq!(usual(&candidate), "the same in all 3");
        let mut candidate = to("length");
        candidate.layers[0].changes[0].left = None;
        baseline.judge(&mut candidate);
        assert_eq!(usual(&candidate), "in none of 3");
    }

    #[test]
    fn a_time_or_size_that_never_varied_is_exact_too() {
        let count = |number| DiffValue::Count(number);
        let to = |number| {
            difference(
                DiffLayer::Framing,
                &[("decoded bytes", count(5), count(number))],
            )
        };
        let folded = |mut difference: ExchangeDiff| {
            difference.layers[0].changes[0].noise = Some(NoiseReason::AnswerLength);
            difference
        };
        let same = difference(DiffLayer::Framing, &[]);
        let mut candidate = folded(to(6));
        Baseline::learn(&[same.clone(), same]).judge(&mut candidate);
        assert!(candidate.is_different());
        // One alone teaches nothing.
        let mut candidate = folded(to(6));
        Baseline::learn(&[]).judge(&mut candidate);
        assert!(!candidate.is_different());
        let mut candidate = folded(to(6));
        Baseline::learn(&[folded(to(7))]).judge(&mut candidate);
        assert!(!candidate.is_different());
    }
}
