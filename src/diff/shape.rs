//! Shapes of JSON texts: each path with the types of its values, and whether it is always present. The values are left
//! out, and all items of an array share one path, `*`.
//!
//! A shape is collected from one text or from many: the events of a stream, the answers of a baseline.

use std::collections::BTreeMap;

use super::change::{ChangeKind, ChangeSide, DiffChange, DiffValue};
use super::place::{DiffPlace, JsonPath, PathStep};
use crate::json::{self, JsonKind};

/// The paths of several JSON texts with the types of their values, without the values.
#[derive(Clone, Debug, Default)]
pub struct JsonShape {
    root: PathValues,
}

/// The values that several JSON texts have at one path: their number and types.
#[derive(Clone, Debug, Default)]
struct PathValues {
    /// The number of values.
    count: u64,
    /// The number of objects among them.
    object_count: u64,
    /// The types of the values, sorted.
    type_names: Vec<&'static str>,
    /// The scalar that all values are equal to.
    constant: ConstantState,
    members: BTreeMap<String, Self>,
    items: Option<Box<Self>>,
}

/// Which differences between two [`JsonShape`]s are reported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum ShapeMode {
    /// Only those that the first shape, a baseline, does not allow.
    Baseline,
    /// All.
    Equal,
}

#[derive(Clone, Debug, Default, PartialEq)]
enum ConstantState {
    #[default]
    Unseen,
    Always(String),
    Varies,
}

/// The longest scalar that is kept as a constant, in bytes: model names are shorter, and texts of answers differ anyway.
const MAX_CONSTANT_LEN: usize = 200;

impl JsonShape {
    /// Adds one text.
    pub fn add(&mut self, value: json::JsonValue<'_>) {
        self.root.add(value);
    }

    /// Returns what `other` has that this shape, as a baseline, does not allow: new paths, missing paths that are always
    /// present here, other types.
    pub fn find_violations(&self, other: &Self) -> Vec<DiffChange> {
        self.compare_as(other, ShapeMode::Baseline)
    }

    /// Returns all differences in both directions.
    pub fn compare(&self, other: &Self) -> Vec<DiffChange> {
        self.compare_as(other, ShapeMode::Equal)
    }

    fn compare_as(&self, other: &Self, rule: ShapeMode) -> Vec<DiffChange> {
        let words = |place: &PathValues| match place.count {
            0 => DiffValue::Text("no JSON".to_owned()).into(),
            _ => place.describe(true),
        };
        if (self.root.count == 0) != (other.root.count == 0) {
            let (left, right) = (words(&self.root), words(&other.root));
            return vec![changed(&JsonPath::default(), left, right)];
        }
        let mut changes = Vec::new();
        self.root
            .compare(&other.root, rule, &JsonPath::default(), &mut changes);
        changes
    }

    /// Returns the paths whose values are all equal in each shape, but not between both. A single value is not a
    /// constant.
    pub fn compare_constants(&self, other: &Self) -> Vec<DiffChange> {
        let mut changes = Vec::new();
        self.root
            .compare_constants(&other.root, &JsonPath::default(), &mut changes);
        changes
    }
}

impl PathValues {
    fn add(&mut self, value: json::JsonValue<'_>) {
        self.count = self.count.saturating_add(1);
        let kind = type_name(value.kind());
        if !self.type_names.contains(&kind) {
            self.type_names.push(kind);
            self.type_names.sort_unstable();
        }
        match value.kind() {
            JsonKind::Object => {
                self.object_count = self.object_count.saturating_add(1);
                for (key, value) in value.members() {
                    let key = key.as_str().unwrap_or_default().into_owned();
                    self.members.entry(key).or_default().add(value);
                }
                self.constant = ConstantState::Varies;
            }
            JsonKind::Array => {
                for item in value.items() {
                    self.items.get_or_insert_default().add(item);
                }
                self.constant = ConstantState::Varies;
            }
            _ => self.constant.add(value.raw()),
        }
    }

    /// The types in words: `string or null, sometimes`.
    fn describe(&self, always: bool) -> ChangeSide {
        let kinds = self.type_names.join(" or ");
        let often = if always { "" } else { ", sometimes" };
        DiffValue::Text(format!("{kinds}{often}")).into()
    }

    fn compare(&self, other: &Self, rule: ShapeMode, at: &JsonPath, changes: &mut Vec<DiffChange>) {
        let new = other
            .type_names
            .iter()
            .any(|kind| !self.type_names.contains(kind));
        let differ = new || rule == ShapeMode::Equal && self.type_names != other.type_names;
        if differ && self.count > 0 && other.count > 0 {
            changes.push(changed(at, self.describe(true), other.describe(true)));
        }
        for (key, place) in &self.members {
            let inner = at.join(PathStep::Key(key.as_str().into()));
            let always = place.count >= self.object_count;
            let Some(there) = other.members.get(key) else {
                // A member is missing only if the object around it is present.
                if other.object_count > 0 && (always || rule == ShapeMode::Equal) {
                    let left = Some(place.describe(always));
                    changes.push(DiffChange::new(
                        DiffPlace::in_body(inner),
                        ChangeKind::Removed,
                        left,
                        None,
                    ));
                }
                continue;
            };
            let still = there.count >= other.object_count;
            let often = always && !still || rule == ShapeMode::Equal && always != still;
            if often && other.object_count > 0 && self.object_count > 0 {
                let (left, right) = (place.describe(always), there.describe(still));
                changes.push(changed(&inner, left, right));
            }
            // One change for both: the description above names the types too.
            let next = changes.len();
            place.compare(there, rule, &inner, changes);
            if often
                && changes
                    .get(next)
                    .is_some_and(|change| change.at.path == inner)
            {
                changes.remove(next);
            }
        }
        // If no object was seen before, the object is new, and its members are not reported too.
        for (key, place) in other.members.iter().filter(|_| self.object_count > 0) {
            if !self.members.contains_key(key) {
                let always = place.count >= other.object_count;
                let inner = at.join(PathStep::Key(key.as_str().into()));
                let right = Some(place.describe(always));
                changes.push(DiffChange::new(
                    DiffPlace::in_body(inner),
                    ChangeKind::Added,
                    None,
                    right,
                ));
            }
        }
        if let (Some(items), Some(others)) = (&self.items, &other.items) {
            items.compare(others, rule, &at.join(PathStep::AnyItem), changes);
        }
    }

    fn compare_constants(&self, other: &Self, at: &JsonPath, changes: &mut Vec<DiffChange>) {
        if let (ConstantState::Always(left), ConstantState::Always(right)) =
            (&self.constant, &other.constant)
            && left != right
            && self.count.min(other.count) > 1
        {
            let json = |text: &String| DiffValue::Json(text.clone()).into();
            changes.push(changed(at, json(left), json(right)));
        }
        for (key, place) in &self.members {
            if let Some(there) = other.members.get(key) {
                place.compare_constants(
                    there,
                    &at.join(PathStep::Key(key.as_str().into())),
                    changes,
                );
            }
        }
        if let (Some(items), Some(others)) = (&self.items, &other.items) {
            items.compare_constants(others, &at.join(PathStep::AnyItem), changes);
        }
    }
}

impl ConstantState {
    fn add(&mut self, raw: &[u8]) {
        let text = std::str::from_utf8(raw).unwrap_or_default();
        *self = match &*self {
            Self::Unseen if text.len() <= MAX_CONSTANT_LEN => Self::Always(text.to_owned()),
            Self::Always(known) if known == text => return,
            _ => Self::Varies,
        };
    }
}

fn type_name(kind: JsonKind) -> &'static str {
    match kind {
        JsonKind::Object => "object",
        JsonKind::Array => "array",
        JsonKind::String => "string",
        JsonKind::Number => "number",
        JsonKind::True | JsonKind::False => "boolean",
        JsonKind::Null => "null",
    }
}

fn changed(at: &JsonPath, left: ChangeSide, right: ChangeSide) -> DiffChange {
    let place = DiffPlace::in_body(at.clone());
    DiffChange::new(place, ChangeKind::Changed, Some(left), Some(right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonDocument;

    fn shape(texts: &[&str]) -> JsonShape {
        let mut shape = JsonShape::default();
        for text in texts {
            shape.add(JsonDocument::parse(text.as_bytes()).unwrap().root());
        }
        shape
    }

    fn lines(changes: &[DiffChange]) -> Vec<String> {
        let value = |shown: &Option<ChangeSide>| match shown.as_ref().map(|shown| &shown.value) {
            Some(DiffValue::Text(text) | DiffValue::Json(text)) => text.clone(),
            _ => "-".to_owned(),
        };
        let line = |change: &DiffChange| {
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
        let mut changes = lines(&base.find_violations(&other));
        changes.sort();
        let mut expected = expected.map(str::to_owned);
        expected.sort();
        assert_eq!(changes, expected);
        assert_eq!(base.find_violations(&base), vec![]);
        assert_eq!(base.compare(&base), vec![]);
    }

    #[test]
    fn swapped_sides_give_mirrored_changes() {
        let left = shape(&[
            r#"{"a":1,"b":null,"c":[{"x":1},{}]}"#,
            r#"{"a":"","d":{"e":1}}"#,
        ]);
        let right = shape(&[r#"{"a":1,"c":[{"x":1}]}"#, r#"{"b":1,"d":{"f":1}}"#]);
        let there = left.compare(&right);
        let back = right.compare(&left).into_iter().map(|change| DiffChange {
            what: change.what.mirrored(),
            left: change.right,
            right: change.left,
            ..change
        });
        let sorted = |mut changes: Vec<DiffChange>| {
            changes.sort_by_key(|change| change.at.to_string());
            changes
        };
        assert_eq!(sorted(there), sorted(back.collect()));
    }

    #[test]
    fn a_baseline_allows_what_any_of_it_had() {
        let base = shape(&[r#"{"a":1}"#, r#"{"a":null,"b":""}"#]);
        assert_eq!(base.find_violations(&shape(&[r#"{"a":null}"#])), vec![]);
        assert_eq!(
            base.find_violations(&shape(&[r#"{"a":3,"b":"x"}"#])),
            vec![]
        );
    }

    #[test]
    fn json_differs_from_other_text() {
        let (base, none) = (shape(&[r#"{"a":1}"#]), shape(&[]));
        for rule in [JsonShape::find_violations, JsonShape::compare] {
            assert_eq!(lines(&rule(&base, &none)), [" object > no JSON"]);
            assert_eq!(lines(&rule(&none, &base)), [" no JSON > object"]);
            assert_eq!(rule(&none, &none), vec![]);
        }
    }

    #[test]
    fn constants_of_a_stream() {
        let left = shape(&[r#"{"m":"one","t":1,"u":1}"#, r#"{"m":"one","t":2}"#]);
        let right = shape(&[r#"{"m":"two","t":1}"#, r#"{"m":"two","t":5,"u":2}"#]);
        assert_eq!(
            lines(&left.compare_constants(&right)),
            [r#"/m "one" > "two""#]
        );
    }
}
