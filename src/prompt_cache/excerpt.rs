//! The words around the first difference of two texts, cut so that whole characters and whole words are shown.

use serde::Serialize;

use crate::diff::bytes::common;

/// The words around the first difference of two texts.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Excerpt {
    /// What both have before it.
    pub before: String,
    /// What only left has.
    pub left: String,
    /// What only right has.
    pub right: String,
    /// What both have after it, where it is the only difference.
    pub after: String,
}

/// How much is shown on either side of a difference, in characters.
const AROUND: usize = 24;

/// How much of a difference is shown, in characters.
const LONG: usize = 64;

impl Excerpt {
    /// Of two texts.
    pub(super) fn of(left: &str, right: &str) -> Self {
        let before = boundary(left, common(left.as_bytes(), right.as_bytes()));
        let (head, one) = left.split_at(before);
        let other = right.get(before..).unwrap_or_default();
        let ends = one.chars().rev().zip(other.chars().rev());
        let after: usize = ends
            .take_while(|(left, right)| left == right)
            .map(|(char, _)| char.len_utf8())
            .sum();
        let (one, tail) = one.split_at(one.len().saturating_sub(after));
        let other = other
            .get(..other.len().saturating_sub(after))
            .unwrap_or(other);
        // A word that is cut in two tells less than the whole word.
        let word = |char: char| !char.is_whitespace();
        let start: usize = head
            .chars()
            .rev()
            .take(AROUND)
            .take_while(|char| word(*char))
            .map(char::len_utf8)
            .sum();
        let end: usize = tail
            .chars()
            .take(AROUND)
            .take_while(|char| word(*char))
            .map(char::len_utf8)
            .sum();
        let (head, first) = head.split_at(head.len().saturating_sub(start));
        let (last, tail) = tail.split_at(end);
        Self {
            before: last_of(head, AROUND),
            left: first_of(&[first, one, last].concat(), LONG),
            right: first_of(&[first, other, last].concat(), LONG),
            after: first_of(tail, AROUND),
        }
    }
}

/// The last boundary of a character at or before `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

pub(super) fn first_of(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
    }
}

fn last_of(text: &str, most: usize) -> String {
    match text.char_indices().rev().nth(most) {
        None => text.to_owned(),
        Some((start, char)) => {
            let start = start.saturating_add(char.len_utf8());
            format!("...{}", text.get(start..).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excerpts_show_whole_words() {
        let case = |left: &str, right: &str, expected: [&str; 4]| {
            let told = Excerpt::of(left, right);
            assert_eq!(
                [&told.before[..], &told.left, &told.right, &told.after],
                expected
            );
        };
        case(
            "You are helpful. Today is 2026-11-25. Be brief.",
            "You are helpful. Today is 2026-11-26. Be brief.",
            [
                "...u are helpful. Today is ",
                "2026-11-25.",
                "2026-11-26.",
                " Be brief.",
            ],
        );
        case("aé", "aè", ["", "aé", "aè", ""]);
        case("same", "same and more", ["", "same", "same and more", ""]);
        case("", "x", ["", "", "x", ""]);
        let long = "x".repeat(500);
        let told = Excerpt::of(&long, "y");
        assert_eq!(told.left.chars().count(), LONG + 3);
    }
}
