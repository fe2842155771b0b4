//! Noise that is learned: what varies among several exchanges that should be alike is noise, and another
//! exchange differs only where it lies outside of that.
//!
//! The first exchange of the baseline is what the others, and then the candidates, are compared to. A place
//! that is equal in all of the baseline is exact: any other value there is a difference. A place that varies has
//! the range of its numbers, or of the lengths of its texts: a value inside says nothing.

use std::collections::HashMap;

use super::change::{Change, Difference, Layer, Shown, Value};
use super::noise;

/// What a baseline is like.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// How many exchanges it is made of.
    pub count: usize,
    varied: HashMap<(Layer, String), Seen>,
}

/// What stood at one place that is not equal in all of the baseline.
#[derive(Clone, Debug, Default)]
struct Seen {
    /// In the exchanges that differ from the first there; and once the first's own.
    values: Vec<Option<Value>>,
}

/// How a value stands to a baseline.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Judgement {
    /// Whether it is like those of the baseline.
    inside: bool,
    /// What they are like.
    usual: String,
}

impl Judgement {
    fn new(inside: bool, usual: impl Into<String>) -> Self {
        Self {
            inside,
            usual: usual.into(),
        }
    }
}

/// Why what lies inside says nothing.
const VARIES: &str = "varies in the baseline";

impl Baseline {
    /// From the differences of the first exchange to each of the others.
    pub fn learn(differences: &[Difference]) -> Self {
        let mut baseline = Self {
            count: differences.len().saturating_add(1),
            varied: HashMap::new(),
        };
        for difference in differences {
            for (layer, change) in difference.changes() {
                let seen = baseline
                    .varied
                    .entry((layer, general(&change.at)))
                    .or_default();
                let value = |shown: &Option<Shown>| shown.as_ref().map(|shown| shown.value.clone());
                if seen.values.is_empty() {
                    seen.values.push(value(&change.left));
                }
                seen.values.push(value(&change.right));
            }
        }
        baseline
    }

    /// Judges each change of a candidate against the first exchange: what lies inside becomes noise, and what is
    /// left is told with what the baseline is like.
    pub fn judge(&self, difference: &mut Difference) {
        for compared in &mut difference.layers {
            let layer = compared.layer;
            for change in &mut compared.changes {
                self.judge_change(layer, change);
            }
        }
    }

    fn judge_change(&self, layer: Layer, change: &mut Change) {
        if change
            .noise
            .as_ref()
            .is_some_and(|why| !noise::can_be_judged(why))
        {
            return;
        }
        let Some(seen) = self.varied.get(&(layer, general(&change.at))) else {
            change.usual = Some(format!("the same in all {}", self.count));
            return;
        };
        let value = change.right.as_ref().map(|right| &right.value);
        let judgement = seen.judge(value);
        change.noise = judgement.inside.then(|| VARIES.to_owned());
        change.usual = Some(format!("{} (n = {})", judgement.usual, self.count));
    }
}

impl Seen {
    fn judge(&self, value: Option<&Value>) -> Judgement {
        let missed = self.values.iter().any(Option::is_none);
        let Some(value) = value else {
            let usual = if missed {
                "not always there"
            } else {
                "always there"
            };
            return Judgement::new(missed, usual);
        };
        let seen = || self.values.iter().flatten();
        let numbers: Option<Vec<_>> = seen().map(Value::number).collect();
        if let (Some(numbers), Some(number)) = (numbers, value.number()) {
            return within(number, &numbers, |least, most| range(value, least, most));
        }
        let lengths: Option<Vec<_>> = seen().map(|seen| Some(seen.length()? as f64)).collect();
        if let (Some(lengths), Some(length)) = (lengths, value.length()) {
            let words = |least, most| format!("texts of {least} .. {most} characters");
            return within(length as f64, &lengths, words);
        }
        Judgement::new(
            seen().any(|seen| seen.is_like(value)),
            "other values of one type",
        )
    }
}

/// Judges `value` by the least and the greatest that were `seen`.
fn within(value: f64, seen: &[f64], words: impl Fn(f64, f64) -> String) -> Judgement {
    let least = seen.iter().copied().fold(f64::INFINITY, f64::min);
    let most = seen.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = most - least;
    let inside = least - width <= value && value <= most + width;
    Judgement::new(inside, words(least, most))
}

/// A range in the unit of `value`.
fn range(value: &Value, least: f64, most: f64) -> String {
    match value {
        Value::Micros(_) => format!("{:.2} .. {:.2} ms", least / 1e3, most / 1e3),
        Value::Number(_) => format!("{least:.1} .. {most:.1}"),
        _ => format!("{least} .. {most}"),
    }
}

impl Value {
    /// Whether both are of one kind: of JSON values, of one type.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Json(one), Self::Json(other)) => first(one) == first(other),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

/// What a JSON text begins with tells its type; all numbers are one, and so are the two booleans.
fn first(json: &str) -> char {
    match json.chars().next().unwrap_or_default() {
        '0'..='9' | '-' => '0',
        'f' => 't',
        other => other,
    }
}

/// A place without the numbers of items: an array that is longer in one exchange has no fixed ones.
fn general(at: &str) -> String {
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
    use crate::diff::change::{Compared, What};

    fn difference(layer: Layer, changes: &[(&str, Value, Value)]) -> Difference {
        let change = |(at, left, right): &(&str, Value, Value)| {
            let (left, right) = (left.clone().into(), right.clone().into());
            Change::new(at, What::Changed, Some(left), Some(right))
        };
        Difference {
            left: "first".to_owned(),
            right: "other".to_owned(),
            layers: vec![Compared {
                layer,
                changes: changes.iter().map(change).collect(),
                notes: vec![],
            }],
        }
    }

    /// Judges one value against a baseline whose first exchange has `first`, and others `others`.
    fn judged(first: &Value, others: &[Value], value: Value) -> (bool, String) {
        let to = |value: &Value| difference(Layer::Body, &[("/x", first.clone(), value.clone())]);
        let baseline: Vec<_> = others.iter().map(to).collect();
        let mut candidate = to(&value);
        Baseline::learn(&baseline).judge(&mut candidate);
        let change = candidate.layers[0].changes[0].clone();
        (change.noise.is_some(), change.usual.unwrap())
    }

    #[test]
    fn numbers_have_a_range() {
        let json = |text: &str| Value::Json(text.to_owned());
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
        let json = |text: &str| Value::Json(format!("\"{text}\""));
        let others = [json("four"), json("sixsix")];
        assert!(judged(&json("five5"), &others, json("other")).0);
        let (inside, usual) = judged(&json("five5"), &others, json("much longer than that"));
        assert!(!inside);
        assert_eq!(usual, "texts of 4 .. 6 characters (n = 3)");
    }

    #[test]
    fn what_never_varied_is_exact() {
        let value = |text: &str| Value::Text(text.to_owned());
        let to = |text: &str| difference(Layer::Meaning, &[("finish", value("stop"), value(text))]);
        let same = difference(Layer::Meaning, &[]);
        let baseline = Baseline::learn(&[same.clone(), same]);
        let mut candidate = to("length");
        baseline.judge(&mut candidate);
        assert!(candidate.is_different());
        let usual = candidate.layers[0].changes[0].usual.as_deref();
        assert_eq!(usual, Some("the same in all 3"));
    }

    #[test]
    fn items_of_an_array_share_their_place() {
        assert_eq!(general("/a/0/b/12"), "/a/*/b/*");
        assert_eq!(general("run 1"), "run 1");
    }
}
