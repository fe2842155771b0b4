//! Named facts, one list for each side. A layer that is not text is compared as two such lists.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::change::{ChangeKind, ChangeSide, DiffChange, DiffValue};
use super::json_changes;
use super::place::{DiffPlace, PlaceRoot, RepeatedName};

/// Named facts of one exchange, in the order in which they are reported.
#[derive(Clone, Debug, Default)]
pub(super) struct FactSheet {
    facts: Vec<NamedFact>,
    /// How often each name was added.
    name_counts: HashMap<Cow<'static, str>, u32>,
}

#[derive(Clone, Debug)]
struct NamedFact {
    place: DiffPlace,
    group: &'static str,
    value: ChangeSide,
    /// Whether the value is a text that should hold JSON, which is compared inside.
    holds_json: bool,
}

/// A fact's name: a constant, or made of a number and a constant.
pub(super) type FactName = Cow<'static, str>;

impl FactSheet {
    /// Adds a fact if there is a value.
    pub(super) fn put(&mut self, name: impl Into<FactName>, value: Option<DiffValue>) {
        self.put_at(PlaceRoot::Fact, "", name, value.map(ChangeSide::from));
    }

    /// Adds a text if there is one.
    pub(super) fn put_text(&mut self, name: impl Into<FactName>, text: Option<impl Into<String>>) {
        self.put(name, text.map(|text| DiffValue::Text(text.into())));
    }

    /// Adds a text that should hold JSON.
    pub(super) fn put_json_text(&mut self, name: impl Into<FactName>, text: &str) {
        self.put_text(name, Some(text));
        if let Some(last) = self.facts.last_mut() {
            last.holds_json = true;
        }
    }

    /// Adds a number if there is one.
    pub(super) fn put_count(&mut self, name: impl Into<FactName>, number: Option<u64>) {
        self.put(name, number.map(DiffValue::Count));
    }

    /// Adds a duration in microseconds if there is one.
    pub(super) fn put_micros(&mut self, name: impl Into<FactName>, micros: Option<u64>) {
        self.put(name, micros.map(DiffValue::Micros));
    }

    /// Adds a fact, or a header field, to a group if there is a value.
    pub(super) fn put_at(
        &mut self,
        root: fn(RepeatedName) -> PlaceRoot,
        group: &'static str,
        name: impl Into<FactName>,
        value: Option<ChangeSide>,
    ) {
        let Some(value) = value else { return };
        let name = name.into();
        let count = self.name_counts.entry(name.clone()).or_default();
        *count = count.saturating_add(1);
        let name = RepeatedName { name, nth: *count };
        self.facts.push(NamedFact {
            place: DiffPlace::all_of(root(name)),
            group,
            value,
            holds_json: false,
        });
    }

    /// The places of all facts, in order.
    pub(super) fn places(&self) -> impl Iterator<Item = &DiffPlace> {
        self.facts.iter().map(|fact| &fact.place)
    }

    /// Returns what differs from `self` to `right`, in the order of the left side; facts that only the right side has
    /// come before the fact that they precede there.
    pub(super) fn compare(&self, right: &Self) -> Vec<DiffChange> {
        let lefts: HashSet<_> = self.places().collect();
        let rights: HashMap<_, _> = right.places().zip(0..).collect();
        let mut changes = Vec::new();
        let mut done = 0usize;
        let mut add_new_until = |end: usize, changes: &mut Vec<DiffChange>| {
            let new = right.facts.get(done..end).unwrap_or_default().iter();
            let new = new.filter(|fact| !lefts.contains(&fact.place));
            changes.extend(new.flat_map(|fact| fact.compare(None, Some(fact))));
            done = done.max(end);
        };
        for left in &self.facts {
            let other = rights.get(&left.place).copied();
            if let Some(n) = other {
                add_new_until(n, &mut changes);
            }
            let other = other.and_then(|n| right.facts.get(n));
            changes.extend(left.compare(Some(left), other));
        }
        add_new_until(right.facts.len(), &mut changes);
        changes
    }
}

impl NamedFact {
    /// The changes from one value of this fact to the other.
    fn compare(&self, left: Option<&Self>, right: Option<&Self>) -> Vec<DiffChange> {
        let value = |fact: Option<&Self>| fact.map(|fact| fact.value.clone());
        let change = DiffChange::from_sides(self.place.clone(), value(left), value(right));
        let Some(mut change) = change else {
            return vec![];
        };
        change.group = self.group;
        if let (true, Some(left), Some(right)) = (self.holds_json, left, right) {
            let [left, right] = [left, right].map(|fact| fact.value.value.to_string());
            match json_changes::compare(left.as_bytes(), right.as_bytes(), &self.place) {
                // Only white space differs.
                Some((inside, _)) if inside.is_empty() => change.what = ChangeKind::Respelled,
                Some((inside, _)) => {
                    return inside
                        .into_iter()
                        .map(|one| one.with_group(self.group))
                        .collect();
                }
                None => {}
            }
        }
        vec![change]
    }
}

/// Bytes as text; bytes that are not UTF-8 as `\xff`, so that different bytes give different texts.
pub(super) fn escape_non_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let escaped = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        text.extend(escaped);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::change::ChangeKind;

    fn sheet(entries: &[(&'static str, &str)]) -> FactSheet {
        let mut sheet = FactSheet::default();
        for &(at, text) in entries {
            sheet.put_text(at, Some(text));
        }
        sheet
    }

    #[test]
    fn different_bytes_give_different_texts() {
        assert_eq!(escape_non_utf8("é".as_bytes()), "é");
        assert_eq!(escape_non_utf8(b"caf\xe9!"), "caf\\xe9!");
        assert_ne!(escape_non_utf8(b"\xe9"), escape_non_utf8(b"\xe8"));
    }

    #[test]
    fn changes_are_in_the_order_of_the_facts() {
        let left = sheet(&[("a", "1"), ("b", "1"), ("c", "1"), ("e", "1")]);
        let right = sheet(&[
            ("a", "1"),
            ("new", "x"),
            ("c", "2"),
            ("e", "1"),
            ("last", "y"),
        ]);
        let changes = left.compare(&right);
        let found: Vec<_> = changes
            .iter()
            .map(|change| (change.at.to_string(), change.what))
            .collect();
        let expected = [
            ("b", ChangeKind::Removed),
            ("new", ChangeKind::Added),
            ("c", ChangeKind::Changed),
            ("last", ChangeKind::Added),
        ];
        assert_eq!(found, expected.map(|(at, what)| (at.to_owned(), what)));
        assert_eq!(left.compare(&left), vec![]);
        let mirrored: Vec<_> = right
            .compare(&left)
            .iter()
            .map(|c| c.what.mirrored())
            .collect();
        assert_eq!(mirrored.len(), 4);
        assert!(mirrored.contains(&ChangeKind::Changed));
    }
}
