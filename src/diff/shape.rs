//! What JSON texts are made of, values left out: each path with the kinds of value that stand there, and
//! whether it is always there. Items of an array share one path, `*`.
//!
//! A shape is gathered from one text or from many: the events of a stream, the answers of a baseline.

use std::collections::BTreeMap;

use super::change::{Change, Shown, Value, What};
use crate::json::{self, JsonKind};

/// The shape of all texts taken in.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    root: Place,
}

/// What stands at one path.
#[derive(Clone, Debug, Default)]
struct Place {
    /// How often something stood there.
    times: u64,
    /// How often an object did.
    objects: u64,
    /// Which kinds, in words.
    kinds: Vec<&'static str>,
    /// The one scalar that always stood there.
    constant: Constant,
    members: BTreeMap<String, Self>,
    items: Option<Box<Self>>,
}

/// What is a difference.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Rule {
    /// Whatever is not allowed by what was seen.
    Baseline,
    /// Whatever is not equal.
    Equal,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum Constant {
    #[default]
    Unseen,
    Always(String),
    Varies,
}

/// The longest scalar that is remembered as a constant, in bytes.
const CONSTANT: usize = 200;

impl Shape {
    /// Takes one text in.
    pub fn take(&mut self, value: json::JsonValue<'_>) {
        self.root.take(value);
    }

    /// What `other` has that this shape, as the baseline, does not allow: new paths, missing ones that are
    /// always there, other kinds of value.
    pub fn allows(&self, other: &Self) -> Vec<Change> {
        self.held_against(other, Rule::Baseline)
    }

    /// All that differs, either way.
    pub fn compare(&self, other: &Self) -> Vec<Change> {
        self.held_against(other, Rule::Equal)
    }

    fn held_against(&self, other: &Self, rule: Rule) -> Vec<Change> {
        let words = |place: &Place| match place.times {
            0 => Value::Text("no JSON".to_owned()).into(),
            _ => place.words(true),
        };
        if (self.root.times == 0) != (other.root.times == 0) {
            let (left, right) = (words(&self.root), words(&other.root));
            return vec![Change::new("", What::Changed, Some(left), Some(right))];
        }
        let mut changes = Vec::new();
        self.root.compare(&other.root, rule, "", &mut changes);
        changes
    }

    /// Where one value always stands here, and another always there; more than once, for what stands once is no
    /// constant.
    pub fn constants(&self, other: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        self.root.constants(&other.root, "", &mut changes);
        changes
    }
}

impl Place {
    fn take(&mut self, value: json::JsonValue<'_>) {
        self.times = self.times.saturating_add(1);
        let kind = name(value.kind());
        if !self.kinds.contains(&kind) {
            self.kinds.push(kind);
            self.kinds.sort_unstable();
        }
        match value.kind() {
            JsonKind::Object => {
                self.objects = self.objects.saturating_add(1);
                for (key, value) in value.members() {
                    let key = key.as_str().unwrap_or_default().into_owned();
                    self.members.entry(key).or_default().take(value);
                }
                self.constant = Constant::Varies;
            }
            JsonKind::Array => {
                for item in value.items() {
                    self.items.get_or_insert_default().take(item);
                }
                self.constant = Constant::Varies;
            }
            _ => self.constant.take(value.raw()),
        }
    }

    /// In words: `string or null, sometimes`.
    fn words(&self, always: bool) -> Shown {
        let kinds = self.kinds.join(" or ");
        let often = if always { "" } else { ", sometimes" };
        Value::Text(format!("{kinds}{often}")).into()
    }

    fn compare(&self, other: &Self, rule: Rule, at: &str, changes: &mut Vec<Change>) {
        let new = other.kinds.iter().any(|kind| !self.kinds.contains(kind));
        let differ = new || rule == Rule::Equal && self.kinds != other.kinds;
        if differ && self.times > 0 && other.times > 0 {
            let (left, right) = (self.words(true), other.words(true));
            changes.push(Change::new(at, What::Changed, Some(left), Some(right)));
        }
        for (key, place) in &self.members {
            let inner = format!("{at}/{}", escaped(key));
            let always = place.times >= self.objects;
            let Some(there) = other.members.get(key) else {
                // Of an object that is not there at all, nothing is missing.
                if other.objects > 0 && (always || rule == Rule::Equal) {
                    let left = Some(place.words(always));
                    changes.push(Change::new(&inner, What::Removed, left, None));
                }
                continue;
            };
            let still = there.times >= other.objects;
            let often = always && !still || rule == Rule::Equal && always != still;
            if often && other.objects > 0 && self.objects > 0 {
                let (left, right) = (place.words(always), there.words(still));
                changes.push(Change::new(&inner, What::Changed, Some(left), Some(right)));
            }
            // Told once: the kinds are part of those words.
            let told = changes.len();
            place.compare(there, rule, &inner, changes);
            if often && changes.get(told).is_some_and(|change| change.at == inner) {
                changes.remove(told);
            }
        }
        // Where no object was ever seen, it is the object that is new, and not each of its members.
        for (key, place) in other.members.iter().filter(|_| self.objects > 0) {
            if !self.members.contains_key(key) {
                let always = place.times >= other.objects;
                let inner = format!("{at}/{}", escaped(key));
                let right = Some(place.words(always));
                changes.push(Change::new(&inner, What::Added, None, right));
            }
        }
        if let (Some(items), Some(others)) = (&self.items, &other.items) {
            items.compare(others, rule, &format!("{at}/*"), changes);
        }
    }

    fn constants(&self, other: &Self, at: &str, changes: &mut Vec<Change>) {
        if let (Constant::Always(left), Constant::Always(right)) = (&self.constant, &other.constant)
            && left != right
            && self.times.min(other.times) > 1
        {
            let json = |text: &String| Some(Value::Json(text.clone()).into());
            changes.push(Change::new(at, What::Changed, json(left), json(right)));
        }
        for (key, place) in &self.members {
            if let Some(there) = other.members.get(key) {
                place.constants(there, &format!("{at}/{}", escaped(key)), changes);
            }
        }
        if let (Some(items), Some(others)) = (&self.items, &other.items) {
            items.constants(others, &format!("{at}/*"), changes);
        }
    }
}

impl Constant {
    fn take(&mut self, raw: &[u8]) {
        let text = std::str::from_utf8(raw).unwrap_or_default();
        *self = match &*self {
            Self::Unseen if text.len() <= CONSTANT => Self::Always(text.to_owned()),
            Self::Always(known) if known == text => return,
            _ => Self::Varies,
        };
    }
}

fn name(kind: JsonKind) -> &'static str {
    match kind {
        JsonKind::Object => "object",
        JsonKind::Array => "array",
        JsonKind::String => "string",
        JsonKind::Number => "number",
        JsonKind::True | JsonKind::False => "boolean",
        JsonKind::Null => "null",
    }
}

/// A key as a step of a JSON Pointer (RFC 6901, section 3).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonDocument;

    fn shape(texts: &[&str]) -> Shape {
        let mut shape = Shape::default();
        for text in texts {
            shape.take(JsonDocument::parse(text.as_bytes()).unwrap().root());
        }
        shape
    }

    fn told(changes: &[Change]) -> Vec<String> {
        let value = |shown: &Option<Shown>| match shown.as_ref().map(|shown| &shown.value) {
            Some(Value::Text(text) | Value::Json(text)) => text.clone(),
            _ => "-".to_owned(),
        };
        let line = |change: &Change| {
            let (left, right) = (value(&change.left), value(&change.right));
            format!("{} {left} > {right}", change.at)
        };
        changes.iter().map(line).collect()
    }

    #[test]
    fn paths_kinds_and_presence() {
        let base = shape(&[
            r#"{"id":"a","n":1,"list":[{"x":1},{"x":2,"y":null}],"gone":true}"#,
            r#"{"id":"b","list":[],"n":null,"gone":false}"#,
        ]);
        let other = shape(&[r#"{"id":5,"n":null,"list":[{"x":1,"z":{}},{}],"extra":{"deep":1}}"#]);
        let expected = [
            "/gone boolean > -",
            "/id string > number",
            "/list/*/x number > number, sometimes",
            "/list/*/z - > object, sometimes",
            "/extra - > object",
        ];
        let mut changes = told(&base.allows(&other));
        changes.sort();
        let mut expected = expected.map(str::to_owned);
        expected.sort();
        assert_eq!(changes, expected);
        assert_eq!(base.allows(&base), vec![]);
        assert_eq!(base.compare(&base), vec![]);
    }

    #[test]
    fn both_ways_the_same_is_told() {
        let left = shape(&[
            r#"{"a":1,"b":null,"c":[{"x":1},{}]}"#,
            r#"{"a":"","d":{"e":1}}"#,
        ]);
        let right = shape(&[r#"{"a":1,"c":[{"x":1}]}"#, r#"{"b":1,"d":{"f":1}}"#]);
        let there = left.compare(&right);
        let back = right.compare(&left).into_iter().map(|change| Change {
            what: change.what.mirrored(),
            left: change.right,
            right: change.left,
            ..change
        });
        let sorted = |mut changes: Vec<Change>| {
            changes.sort_by(|one, other| one.at.cmp(&other.at));
            changes
        };
        assert_eq!(sorted(there), sorted(back.collect()));
    }

    #[test]
    fn a_baseline_allows_what_any_of_it_had() {
        let base = shape(&[r#"{"a":1}"#, r#"{"a":null,"b":""}"#]);
        assert_eq!(base.allows(&shape(&[r#"{"a":null}"#])), vec![]);
        assert_eq!(base.allows(&shape(&[r#"{"a":3,"b":"x"}"#])), vec![]);
    }

    #[test]
    fn what_is_no_json_is_not_like_what_is() {
        let (base, none) = (shape(&[r#"{"a":1}"#]), shape(&[]));
        for rule in [Shape::allows, Shape::compare] {
            assert_eq!(told(&rule(&base, &none)), [" object > no JSON"]);
            assert_eq!(told(&rule(&none, &base)), [" no JSON > object"]);
            assert_eq!(rule(&none, &none), vec![]);
        }
    }

    #[test]
    fn constants_of_a_stream() {
        let left = shape(&[r#"{"m":"one","t":1,"u":1}"#, r#"{"m":"one","t":2}"#]);
        let right = shape(&[r#"{"m":"two","t":1}"#, r#"{"m":"two","t":5,"u":2}"#]);
        assert_eq!(told(&left.constants(&right)), [r#"/m "one" > "two""#]);
    }
}
