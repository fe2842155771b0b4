//! Noise that is learned: what varies among several exchanges that should be alike is noise, and another
//! exchange differs only where it lies outside of that.
//!
//! The first exchange of the baseline is what the others, and then the candidates, are compared to. A place
//! that is equal in all of the baseline is exact: any other value there is a difference. A place that varies has
//! the range of its numbers, or of the lengths of its texts: a value inside says nothing.

use std::collections::HashMap;

use super::change::{DiffChange, DiffLayer, DiffValue, ExchangeDiff, PlacedValue};
use super::noise::NoiseReason;

/// What a baseline is like.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// How many exchanges it is made of.
    pub exchange_count: usize,
    varying_places: HashMap<(DiffLayer, String), ObservedValues>,
}

/// What stood at one place that is not equal in all of the baseline: as much of it as values are judged by.
#[derive(Clone, Debug, Default)]
struct ObservedValues {
    /// How many values.
    count: u64,
    /// Whether there was none at times.
    was_absent: bool,
    numbers: NumberRange,
    lengths: NumberRange,
    types: Vec<ValueType>,
}

/// The least and the greatest of so many numbers.
#[derive(Clone, Copy, Debug)]
struct NumberRange {
    count: u64,
    min: f64,
    max: f64,
}

/// Values of one kind are like each other: of JSON values, those of one type.
type ValueType = (std::mem::Discriminant<DiffValue>, char);

/// How a value stands to a baseline.
#[derive(Clone, Debug, Eq, PartialEq)]
struct BaselineMatch {
    /// Whether it is like those of the baseline.
    is_usual: bool,
    /// What they are like.
    description: String,
}

impl BaselineMatch {
    fn new(inside: bool, usual: impl Into<String>) -> Self {
        Self {
            is_usual: inside,
            description: usual.into(),
        }
    }
}

impl Baseline {
    /// From the differences of the first exchange to each of the others.
    pub fn learn(differences: &[ExchangeDiff]) -> Self {
        let mut baseline = Self {
            exchange_count: differences.len().saturating_add(1),
            varying_places: HashMap::new(),
        };
        for difference in differences {
            for (layer, change) in difference.changes() {
                let seen = baseline
                    .varying_places
                    .entry((layer, generalize_place(&change.at)))
                    .or_default();
                seen.record(change.left.as_ref());
                seen.record(change.right.as_ref());
            }
        }
        baseline
    }

    /// Judges each change of a candidate against the first exchange: what lies inside becomes noise, and what is
    /// left is told with what the baseline is like.
    pub fn judge(&self, difference: &mut ExchangeDiff) {
        for compared in &mut difference.layers {
            let layer = compared.layer;
            for change in &mut compared.changes {
                self.judge_change(layer, change);
            }
        }
    }

    fn judge_change(&self, layer: DiffLayer, change: &mut DiffChange) {
        if change.noise.is_some_and(|why| !why.has_usual_range()) {
            return;
        }
        let Some(seen) = self
            .varying_places
            .get(&(layer, generalize_place(&change.at)))
        else {
            let usual = match change.left {
                Some(_) => "the same in all",
                None => "in none of",
            };
            change.usual = Some(format!("{usual} {}", self.exchange_count));
            if self.exchange_count > 1 {
                change.noise = None;
            }
            return;
        };
        let value = change.right.as_ref().map(|right| &right.value);
        let judgement = seen.judge(value);
        change.noise = judgement.is_usual.then_some(NoiseReason::VariesInBaseline);
        change.usual = Some(format!(
            "{} (n = {})",
            judgement.description, self.exchange_count
        ));
    }
}

impl ObservedValues {
    fn record(&mut self, shown: Option<&PlacedValue>) {
        let Some(PlacedValue { value, .. }) = shown else {
            self.was_absent = true;
            return;
        };
        self.count = self.count.saturating_add(1);
        self.numbers.record(value.as_f64());
        self.lengths
            .record(value.text_length().map(|length| length as f64));
        let kind = value_type(value);
        if !self.types.contains(&kind) {
            self.types.push(kind);
        }
    }

    fn judge(&self, value: Option<&DiffValue>) -> BaselineMatch {
        let Some(value) = value else {
            let usual = match self.was_absent {
                true => "not always there",
                false => "always there",
            };
            return BaselineMatch::new(self.was_absent, usual);
        };
        if let (Some(numbers), Some(number)) = (self.complete_range(self.numbers), value.as_f64()) {
            return numbers.judge(number, |least, most| range_text(value, least, most));
        }
        if let (Some(lengths), Some(length)) =
            (self.complete_range(self.lengths), value.text_length())
        {
            let words = |least, most| format!("texts of {least} .. {most} characters");
            return lengths.judge(length as f64, words);
        }
        BaselineMatch::new(
            self.types.contains(&value_type(value)),
            "other values of one type",
        )
    }

    /// The reach, where every value had one.
    fn complete_range(&self, reach: NumberRange) -> Option<NumberRange> {
        (reach.count == self.count).then_some(reach)
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

    /// Whether `value` lies no further from the others than they lie from each other.
    fn judge(self, value: f64, words: impl Fn(f64, f64) -> String) -> BaselineMatch {
        let Self {
            min: least,
            max: most,
            ..
        } = self;
        let width = most - least;
        let inside = least - width <= value && value <= most + width;
        BaselineMatch::new(inside, words(least, most))
    }
}

/// A range in the unit of `value`.
fn range_text(value: &DiffValue, least: f64, most: f64) -> String {
    match value {
        DiffValue::Micros(_) => format!("{:.2} .. {:.2} ms", least / 1e3, most / 1e3),
        DiffValue::Number(_) => format!("{least:.1} .. {most:.1}"),
        _ => format!("{least} .. {most}"),
    }
}

fn value_type(value: &DiffValue) -> ValueType {
    let first = match value {
        DiffValue::Json(json) => json_type_char(json),
        _ => char::default(),
    };
    (std::mem::discriminant(value), first)
}

/// What a JSON text begins with tells its type; all numbers are one, and so are the two booleans.
fn json_type_char(json: &str) -> char {
    match json.chars().next().unwrap_or_default() {
        '0'..='9' | '-' => '0',
        'f' => 't',
        other => other,
    }
}

/// A place without the numbers of items: an array that is longer in one exchange has no fixed ones.
fn generalize_place(at: &str) -> String {
    if !at.starts_with('/') {
        return at.to_owned();
    }
    let is_index = |step: &str| !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
    let steps = at
        .split('/')
        .map(|step| if is_index(step) { "*" } else { step });
    steps.collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::change::{ChangeKind, LayerDiff};

    fn difference(layer: DiffLayer, changes: &[(&str, DiffValue, DiffValue)]) -> ExchangeDiff {
        let change = |(at, left, right): &(&str, DiffValue, DiffValue)| {
            let (left, right) = (left.clone().into(), right.clone().into());
            DiffChange::new(at, ChangeKind::Changed, Some(left), Some(right))
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
        (change.noise.is_some(), change.usual.unwrap())
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
        let same = difference(DiffLayer::Meaning, &[]);
        let baseline = Baseline::learn(&[same.clone(), same]);
        let mut candidate = to("length");
        baseline.judge(&mut candidate);
        assert!(candidate.is_different());
        let usual = candidate.layers[0].changes[0].usual.as_deref();
        assert_eq!(usual, Some("the same in all 3"));
        let mut candidate = to("length");
        candidate.layers[0].changes[0].left = None;
        baseline.judge(&mut candidate);
        let usual = candidate.layers[0].changes[0].usual.as_deref();
        assert_eq!(usual, Some("in none of 3"));
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

    #[test]
    fn items_of_an_array_share_their_place() {
        assert_eq!(generalize_place("/a/0/b/12"), "/a/*/b/*");
        assert_eq!(generalize_place("run 1"), "run 1");
    }
}
