//! Facts with names, one list a side: layers that are no text are compared as these.

use std::collections::{HashMap, HashSet};

use super::change::{DiffChange, DiffValue, PlacedValue};
use crate::span::Span;

/// Facts of one side, in the order in which they are reported. A repeated name is numbered: `name (2)`.
#[derive(Clone, Debug, Default)]
pub(super) struct FactSheet {
    facts: Vec<NamedFact>,
    /// How often each name came.
    name_counts: HashMap<String, u64>,
}

#[derive(Clone, Debug)]
struct NamedFact {
    name: String,
    group: &'static str,
    value: PlacedValue,
}

impl FactSheet {
    /// Notes a fact, where there is one.
    pub(super) fn put(&mut self, at: &str, value: Option<DiffValue>) {
        self.put_in_group("", at, value.map(PlacedValue::from));
    }

    /// Notes a text, where there is one.
    pub(super) fn put_text(&mut self, at: &str, text: Option<impl Into<String>>) {
        self.put(at, text.map(|text| DiffValue::Text(text.into())));
    }

    /// Notes a number, where there is one.
    pub(super) fn put_count(&mut self, at: &str, number: Option<u64>) {
        self.put(at, number.map(DiffValue::Count));
    }

    /// Notes a duration in microseconds, where there is one.
    pub(super) fn put_micros(&mut self, at: &str, micros: Option<u64>) {
        self.put(at, micros.map(DiffValue::Micros));
    }

    /// Notes a fact of a group.
    pub(super) fn put_in_group(
        &mut self,
        group: &'static str,
        at: &str,
        shown: Option<PlacedValue>,
    ) {
        let Some(shown) = shown else { return };
        let times = self.name_counts.entry(at.to_owned()).or_default();
        *times = times.saturating_add(1);
        let at = match *times {
            1 => at.to_owned(),
            times => format!("{at} ({times})"),
        };
        self.facts.push(NamedFact {
            name: at,
            group,
            value: shown,
        });
    }

    /// Notes a text with its place.
    pub(super) fn put_text_at(&mut self, group: &'static str, at: &str, text: String, span: Span) {
        let shown = PlacedValue {
            value: DiffValue::Text(text),
            span: Some(span),
            path: None,
        };
        self.put_in_group(group, at, Some(shown));
    }

    /// What differs from `self` to `right`, in the order of the left side; what only the right side has comes
    /// before what it precedes there.
    pub(super) fn compare(&self, right: &Self) -> Vec<DiffChange> {
        let lefts: HashSet<_> = self.facts.iter().map(|left| left.name.as_str()).collect();
        let entries = right.facts.iter().enumerate();
        let rights: HashMap<_, _> = entries.map(|(n, right)| (right.name.as_str(), n)).collect();
        let mut changes = Vec::new();
        let mut told = 0usize;
        let mut new_until = |end: usize, changes: &mut Vec<DiffChange>| {
            let new = right.facts.get(told..end).unwrap_or_default().iter();
            let new = new.filter(|entry| !lefts.contains(entry.name.as_str()));
            changes.extend(new.filter_map(|entry| entry.change_between(None, Some(entry))));
            told = told.max(end);
        };
        for left in &self.facts {
            let other = rights.get(left.name.as_str()).copied();
            if let Some(n) = other {
                new_until(n, &mut changes);
            }
            let other = other.and_then(|n| right.facts.get(n));
            changes.extend(left.change_between(Some(left), other));
        }
        new_until(right.facts.len(), &mut changes);
        changes
    }
}

/// Bytes as text; what is no UTF-8 as `\xff`, so that no two are mistaken for each other.
pub(super) fn escape_non_utf8(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let escaped = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        text.extend(escaped);
    }
    text
}

impl NamedFact {
    fn change_between(&self, left: Option<&Self>, right: Option<&Self>) -> Option<DiffChange> {
        let shown = |entry: Option<&Self>| entry.map(|entry| entry.value.clone());
        let change = DiffChange::from_sides(&self.name, shown(left), shown(right))?;
        Some(change.with_group(self.group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::change::ChangeKind;

    fn sheet(entries: &[(&str, &str)]) -> FactSheet {
        let mut sheet = FactSheet::default();
        for (at, text) in entries {
            sheet.put_text(at, Some(*text));
        }
        sheet
    }

    #[test]
    fn bytes_that_are_no_text_are_told_apart() {
        assert_eq!(escape_non_utf8("é".as_bytes()), "é");
        assert_eq!(escape_non_utf8(b"caf\xe9!"), "caf\\xe9!");
        assert_ne!(escape_non_utf8(b"\xe9"), escape_non_utf8(b"\xe8"));
    }

    #[test]
    fn facts_are_told_where_they_stand() {
        let left = sheet(&[("a", "1"), ("b", "1"), ("c", "1"), ("e", "1")]);
        let right = sheet(&[
            ("a", "1"),
            ("new", "x"),
            ("c", "2"),
            ("e", "1"),
            ("last", "y"),
        ]);
        let changes = left.compare(&right);
        let told: Vec<_> = changes
            .iter()
            .map(|change| (&change.at[..], change.what))
            .collect();
        let expected = [
            ("b", ChangeKind::Removed),
            ("new", ChangeKind::Added),
            ("c", ChangeKind::Changed),
            ("last", ChangeKind::Added),
        ];
        assert_eq!(told, expected);
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
