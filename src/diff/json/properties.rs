//! What the module page promises, for pairs of which one is the other, changed at random. Real bodies are
//! compared in `tests/json_diff.rs`.

use std::fmt::Write;

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::work_limit::WorkLimit;
use super::checks::{assert_promises, fuzz, is_equal};
use super::{compare, patch};
use crate::json::JsonDocument;

/// JSON with duplicate keys, and scalars as they are written.
#[derive(Clone, Debug)]
enum Tree {
    Scalar(&'static str),
    Array(Vec<Self>),
    Object(Vec<(&'static str, Self)>),
}

const SCALARS: [&str; 24] = [
    "1",
    "1.0",
    "1e0",
    "2",
    "10",
    "-0",
    "0",
    "12.50",
    "true",
    "null",
    "\"\"",
    "\"a\"",
    "\"\\u0061\"",
    "\"one two three four\"",
    "\"one two three five\"",
    "\"zero one two three four\"",
    "\"{\\\"a\\\":1}\"",
    "\"{\\\"a\\\": 1}\"",
    "\"{\\\"a\\\":[1,2],\\\"b\\\":\\\"\\\\u00e9\\\"}\"",
    "\"{\\\"a\\\":[2,1,3],\\\"b\\\":\\\"é\\\"}\"",
    "\"[1\"",
    "\"日本\"",
    "\"user\"",
    "1e400",
];

const KEYS: [&str; 10] = [
    "a", "b", "\\u0061", "id", "name", "role", "type", "content", "x/y~", "function",
];

fn tree() -> impl Strategy<Value = Tree> {
    let scalar = prop::sample::select(SCALARS.to_vec()).prop_map(Tree::Scalar);
    scalar.prop_recursive(4, 40, 6, |inner| {
        let key = prop::sample::select(KEYS.to_vec());
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::Array),
            prop::collection::vec((key, inner), 0..5).prop_map(Tree::Object),
        ]
    })
}

impl Tree {
    fn print(&self, text: &mut String) {
        match self {
            Self::Scalar(scalar) => text.push_str(scalar),
            Self::Array(items) => {
                text.push('[');
                for (n, item) in items.iter().enumerate() {
                    text.push_str(if n > 0 { ", " } else { "" });
                    item.print(text);
                }
                text.push(']');
            }
            Self::Object(members) => {
                text.push('{');
                for (n, (key, value)) in members.iter().enumerate() {
                    write!(text, "{}\"{key}\":", if n > 0 { "," } else { "" }).unwrap();
                    value.print(text);
                }
                text.push('}');
            }
        }
    }

    fn text(&self) -> String {
        let mut text = String::new();
        self.print(&mut text);
        text
    }

    fn size(&self) -> usize {
        1 + match self {
            Self::Scalar(_) => 0,
            Self::Array(items) => items.iter().map(Self::size).sum(),
            Self::Object(members) => members.iter().map(|(_, value)| value.size()).sum(),
        }
    }

    /// The value that comes after `before` others.
    fn nth(&mut self, before: &mut usize) -> Option<&mut Self> {
        let Some(fewer) = before.checked_sub(1) else {
            return Some(self);
        };
        *before = fewer;
        match self {
            Self::Scalar(_) => None,
            Self::Array(items) => items.iter_mut().find_map(|item| item.nth(before)),
            Self::Object(members) => members.iter_mut().find_map(|(_, value)| value.nth(before)),
        }
    }

    fn change(&mut self, change: &Change) {
        let mut before = change.value.index(self.size());
        let Some(value) = self.nth(&mut before) else {
            return;
        };
        match value {
            Self::Array(items) => alter(items, change, change.new.clone()),
            Self::Object(members) => alter(members, change, (change.key, change.new.clone())),
            Self::Scalar(_) => *value = change.new.clone(),
        }
    }
}

/// Puts in, takes out, replaces, moves, turns around or doubles entries.
fn alter<T: Clone>(entries: &mut Vec<T>, change: &Change, new: T) {
    let [from, to] = [change.from, change.to].map(|at| at.index(entries.len() + 1));
    let is_there = from < entries.len();
    match change.how {
        0 if is_there => drop(entries.remove(from)),
        1 if is_there => entries[from] = new,
        2 if is_there => {
            let entry = entries.remove(from);
            entries.insert(to.min(entries.len()), entry);
        }
        3 => entries.reverse(),
        4 if is_there => entries.insert(to, entries[from].clone()),
        _ => entries.insert(from, new),
    }
}

#[derive(Clone, Debug)]
struct Change {
    value: Index,
    how: u8,
    from: Index,
    to: Index,
    key: &'static str,
    new: Tree,
}

fn change() -> impl Strategy<Value = Change> {
    let key = prop::sample::select(KEYS.to_vec());
    let places = any::<(Index, Index, Index)>();
    (places, 0u8..6, key, tree()).prop_map(|((value, from, to), how, key, new)| Change {
        value,
        how,
        from,
        to,
        key,
        new,
    })
}

fn assert_pair(left: &str, right: &str) {
    let left = JsonDocument::parse(left.as_bytes()).unwrap();
    let right = JsonDocument::parse(right.as_bytes()).unwrap();
    assert_promises(&left, &right);
    // The judge that others wrote.
    let read =
        |document: &JsonDocument<'_>| serde_json::from_slice::<serde_json::Value>(document.bytes());
    let diff = compare(&left, &right, WorkLimit::default());
    if let (Ok(mut value), Ok(expected)) = (read(&left), read(&right)) {
        let operations: json_patch::Patch = serde_json::from_str(&patch(&diff, &right)).unwrap();
        json_patch::patch(&mut value, &operations).unwrap();
        assert!(is_equal(&value, &expected), "{value}\n{expected}");
    }
}

proptest! {
    #[test]
    fn one_is_the_other_changed(left in tree(), changes in prop::collection::vec(change(), 0..6)) {
        let mut right = left.clone();
        for change in &changes {
            right.change(change);
        }
        assert_pair(&left.text(), &right.text());
    }

    #[test]
    fn any_two(left in tree(), right in tree()) {
        assert_pair(&left.text(), &right.text());
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(prop::sample::select(b"{}[]:,\"\\ue1.0t\0 ".to_vec()), 0..60)) {
        fuzz(&bytes);
    }
}
