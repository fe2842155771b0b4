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
enum Judgement {
    /// Like those of the baseline; why that is said.
    Inside(String),
    /// Unlike them; what they are like.
    Outside(String),
}

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
        match seen.judge(value) {
            Judgement::Inside(why) => change.noise = Some(why),
            Judgement::Outside(usual) => {
                change.noise = None;
                change.usual = Some(format!("{usual} (n = {})", self.count));
            }
        }
    }
}

impl Seen {
    fn judge(&self, value: Option<&Value>) -> Judgement {
        let missed = self.values.iter().any(Option::is_none);
        let Some(value) = value else {
            return match missed {
                true => Judgement::Inside("not always there in the baseline".to_owned()),
                false => Judgement::Outside("always there".to_owned()),
            };
        };
        let numbers: Option<Vec<_>> = self.values.iter().flatten().map(Value::number).collect();
        if let (Some(numbers), Some(number)) = (numbers, value.number()) {
            return within(number, numbers.into_iter(), |text| text.to_owned());
        }
        let lengths: Option<Vec<_>> = self.values.iter().flatten().map(Value::length).collect();
        if let (Some(lengths), Some(length)) = (lengths, value.length()) {
            let lengths = lengths.into_iter().map(|length| length as f64);
            return within(length as f64, lengths, |text| {
                format!("texts of {text} characters")
            });
        }
        let same_kind = self.values.iter().flatten().any(|seen| seen.is_like(value));
        match same_kind {
            true => Judgement::Inside("varies in the baseline".to_owned()),
            false => Judgement::Outside("another type of value".to_owned()),
        }
    }
}

fn within(
    value: f64,
    seen: impl Iterator<Item = f64>,
    words: impl Fn(&str) -> String,
) -> Judgement {
    let (least, most) = seen.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(least, most), value| (least.min(value), most.max(value)),
    );
    let range = words(&format!("{least} .. {most}"));
    match least <= value && value <= most {
        true => Judgement::Inside(format!("varies in the baseline: {range}")),
        false => Judgement::Outside(range),
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
