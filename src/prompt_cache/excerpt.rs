//! Excerpts around the first difference of two texts, cut at whole characters and whole words.

use serde::Serialize;

use crate::diff::bytes::common_prefix_len;

/// Excerpt around the first difference of two texts.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct TextExcerpt {
    /// Common text before the difference.
    pub before: String,
    /// Text that only left has.
    pub left: String,
    /// Text that only right has.
    pub right: String,
    /// Common text after the difference.
    pub after: String,
}

/// Context shown on each side of a difference, in characters: enough to recognise a sentence, and both sides fit a line.
const CONTEXT_CHARS: usize = 24;

/// Longest difference shown, in characters: left and right fit two lines of a terminal.
const MAX_DIFFERENCE_CHARS: usize = 64;

impl TextExcerpt {
    /// The excerpt around the first difference of `left` and `right`.
    pub(super) fn around_difference(left: &str, right: &str) -> Self {
        let before =
            char_boundary_before(left, common_prefix_len(left.as_bytes(), right.as_bytes()));
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
        // The difference is widened to whole words.
        let word = |char: char| !char.is_whitespace();
        let start: usize = head
            .chars()
            .rev()
            .take(CONTEXT_CHARS)
            .take_while(|char| word(*char))
            .map(char::len_utf8)
            .sum();
        let end: usize = tail
            .chars()
            .take(CONTEXT_CHARS)
            .take_while(|char| word(*char))
            .map(char::len_utf8)
            .sum();
        let (head, first) = head.split_at(head.len().saturating_sub(start));
        let (last, tail) = tail.split_at(end);
        Self {
            before: truncate_start(head, CONTEXT_CHARS),
            left: truncate_end(&[first, one, last].concat(), MAX_DIFFERENCE_CHARS),
            right: truncate_end(&[first, other, last].concat(), MAX_DIFFERENCE_CHARS),
            after: truncate_end(tail, CONTEXT_CHARS),
        }
    }
}

/// The last character boundary at or before `at`.
fn char_boundary_before(text: &str, at: usize) -> usize {
    (0..=at.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0)
}

pub(super) fn truncate_end(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
    }
}

fn truncate_start(text: &str, most: usize) -> String {
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
            let excerpt = TextExcerpt::around_difference(left, right);
            assert_eq!(
                [
                    &excerpt.before[..],
                    &excerpt.left,
                    &excerpt.right,
                    &excerpt.after
                ],
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
        let excerpt = TextExcerpt::around_difference(&long, "y");
        assert_eq!(excerpt.left.chars().count(), MAX_DIFFERENCE_CHARS + 3);
    }
}
