//! Facts with names, one list a side: layers that are no text are compared as these.

use std::collections::{HashMap, HashSet};

use super::change::{Change, Shown, Value};
use crate::span::Span;

/// Facts of one side, in the order in which they are told. A name that comes again is numbered: `name (2)`.
#[derive(Clone, Debug, Default)]
pub(super) struct Sheet {
    entries: Vec<Entry>,
    /// How often each name came.
    names: HashMap<String, u64>,
}

#[derive(Clone, Debug)]
struct Entry {
    at: String,
    group: &'static str,
    shown: Shown,
}

impl Sheet {
    /// Notes a fact, where there is one.
    pub(super) fn put(&mut self, at: &str, value: Option<Value>) {
        self.put_in("", at, value.map(Shown::from));
    }

    /// Notes a text, where there is one.
    pub(super) fn text(&mut self, at: &str, text: Option<impl Into<String>>) {
        self.put(at, text.map(|text| Value::Text(text.into())));
    }

    /// Notes a number, where there is one.
    pub(super) fn count(&mut self, at: &str, number: Option<u64>) {
        self.put(at, number.map(Value::Count));
    }

    /// Notes a duration in microseconds, where there is one.
    pub(super) fn micros(&mut self, at: &str, micros: Option<u64>) {
        self.put(at, micros.map(Value::Micros));
    }

    /// Notes a fact of a group.
    pub(super) fn put_in(&mut self, group: &'static str, at: &str, shown: Option<Shown>) {
        let Some(shown) = shown else { return };
        let times = self.names.entry(at.to_owned()).or_default();
        *times = times.saturating_add(1);
        let at = match *times {
            1 => at.to_owned(),
            times => format!("{at} ({times})"),
        };
        self.entries.push(Entry { at, group, shown });
    }

    /// Notes a text with its place.
    pub(super) fn placed(&mut self, group: &'static str, at: &str, text: String, span: Span) {
        let shown = Shown {
            value: Value::Text(text),
            span: Some(span),
            path: None,
        };
        self.put_in(group, at, Some(shown));
    }

    /// What differs from `self` to `right`, in the order of the left side; what only the right side has comes
    /// before what it precedes there.
    pub(super) fn compare(&self, right: &Self) -> Vec<Change> {
        let lefts: HashSet<_> = self.entries.iter().map(|left| left.at.as_str()).collect();
        let entries = right.entries.iter().enumerate();
        let rights: HashMap<_, _> = entries.map(|(n, right)| (right.at.as_str(), n)).collect();
        let mut changes = Vec::new();
        let mut told = 0usize;
        let mut new_until = |end: usize, changes: &mut Vec<Change>| {
            let new = right.entries.get(told..end).unwrap_or_default().iter();
            let new = new.filter(|entry| !lefts.contains(entry.at.as_str()));
            changes.extend(new.filter_map(|entry| entry.change(None, Some(entry))));
            told = told.max(end);
        };
        for left in &self.entries {
            let other = rights.get(left.at.as_str()).copied();
            if let Some(n) = other {
                new_until(n, &mut changes);
            }
            let other = other.and_then(|n| right.entries.get(n));
            changes.extend(left.change(Some(left), other));
        }
        new_until(right.entries.len(), &mut changes);
        changes
    }
}

/// Bytes as text; what is no UTF-8 as `\xff`, so that no two are mistaken for each other.
pub(super) fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let escaped = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        text.extend(escaped);
    }
    text
}

impl Entry {
    fn change(&self, left: Option<&Self>, right: Option<&Self>) -> Option<Change> {
        let shown = |entry: Option<&Self>| entry.map(|entry| entry.shown.clone());
        let change = Change::between(&self.at, shown(left), shown(right))?;
        Some(change.grouped(self.group))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::change::What;

    fn sheet(entries: &[(&str, &str)]) -> Sheet {
        let mut sheet = Sheet::default();
        for (at, text) in entries {
            sheet.text(at, Some(*text));
        }
        sheet
    }

    #[test]
    fn bytes_that_are_no_text_are_told_apart() {
        assert_eq!(readable("é".as_bytes()), "é");
        assert_eq!(readable(b"caf\xe9!"), "caf\\xe9!");
        assert_ne!(readable(b"\xe9"), readable(b"\xe8"));
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
            ("b", What::Removed),
            ("new", What::Added),
            ("c", What::Changed),
            ("last", What::Added),
        ];
        assert_eq!(told, expected);
        assert_eq!(left.compare(&left), vec![]);
        let mirrored: Vec<_> = right
            .compare(&left)
            .iter()
            .map(|c| c.what.mirrored())
            .collect();
        assert_eq!(mirrored.len(), 4);
        assert!(mirrored.contains(&What::Changed));
    }
}
