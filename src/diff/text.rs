//! Differences between two texts by words, and between two byte streams by runs of like bytes.
//!
//! Lines are aligned first, and words only in lines that differ: that is faster, and keeps equal lines whole. The crate
//! `similar` aligns both. Its work is bounded by the size of its input, never by the clock, and this module bounds the
//! input: lines with too many words are reported as changed as a whole.
//!
//! A difference should read as a person would have made it. So equal text between two changes that is shorter than
//! either of them, such as a single space or `the`, becomes part of one change with them (the "semantic cleanup" of
//! Neil Fraser's Diff Match Patch).

use std::ops::Range;

use serde::Serialize;

use super::alignment::{changed_ranges, common_ends};
use crate::span::Span;

/// Tokens of both sides together that are aligned at most: 100,000 words on each side that have no two equal lines take
/// a third of a second (benches/README.md, "Aligners").
pub const MAX_TOKENS: usize = 200_000;

/// The difference between two texts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TextDiff {
    /// Runs that cover both texts, in order.
    pub runs: Vec<DiffRun>,
    /// Whether there were too many tokens, so that lines were compared only as a whole.
    pub coarse: bool,
}

/// A run of bytes that both texts have, or of bytes of one in place of bytes of the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct DiffRun {
    /// Where in the left text; empty where only the right has any.
    pub left: Span,
    /// Where in the right text.
    pub right: Span,
    /// Whether the bytes are equal.
    pub same: bool,
}

/// Returns the difference between two texts by words; `max_tokens` is at most [`MAX_TOKENS`].
pub fn diff_words(left: &str, right: &str, max_tokens: usize) -> TextDiff {
    let split = |side: usize, part: Span| {
        let text = part.of_text([left, right][side]);
        split_tokens(text, part.start, word_len)
    };
    let texts = [left.as_bytes(), right.as_bytes()];
    let (changes, coarse) = replacements(texts, split, max_tokens);
    let runs = to_runs(texts, join_close(changes));
    TextDiff { runs, coarse }
}

/// A span of the left text, and the span of the right text in its place; one of both may be empty.
pub(super) type Replacement = [Span; 2];

/// Returns what differs between two texts, in ascending order, and whether lines were compared only as a whole because
/// they and their tokens are more than `max_tokens`. `split` returns the tokens of a part of one side.
pub(super) fn replacements(
    texts: [&[u8]; 2],
    split: impl Fn(usize, Span) -> Vec<Span>,
    max_tokens: usize,
) -> (Vec<Replacement>, bool) {
    let lines = texts.map(split_lines);
    let mut left = max_tokens.checked_sub(lines[0].len() + lines[1].len());
    let whole = texts.map(whole);
    let lines = match left {
        Some(_) => align_tokens(texts, whole, &lines),
        None => trim_equal_ends(texts, whole).into_iter().collect(),
    };
    let (mut changes, mut coarse) = (Vec::new(), left.is_none());
    for part in lines {
        let tokens = [0, 1].map(|side| split(side, part[side]));
        let fits = |tokens: &[Vec<Span>; 2]| left?.checked_sub(tokens[0].len() + tokens[1].len());
        let (middle, tokens) = match fits(&tokens) {
            Some(_) => (part, tokens),
            None => trim_equal_tokens(texts, part, tokens),
        };
        match fits(&tokens) {
            Some(rest) => {
                left = Some(rest);
                changes.extend(align_tokens(texts, middle, &tokens));
            }
            None => {
                coarse = true;
                changes.push(part);
            }
        }
    }
    (changes, coarse)
}

/// Removes the equal tokens at both ends of two parts of texts: one changed word in a long line costs no more than in a
/// short one.
fn trim_equal_tokens(
    texts: [&[u8]; 2],
    part: [Span; 2],
    tokens: [Vec<Span>; 2],
) -> ([Span; 2], [Vec<Span>; 2]) {
    let words = [0, 1].map(|side| slices(texts[side], &tokens[side]));
    let (before, after) = common_ends(&words[0], &words[1]);
    let kept = [0, 1].map(|side| {
        let end = tokens[side].len() - after;
        let at = |index: usize| {
            let token = tokens[side].get(index);
            token.map_or(part[side].end, |token| token.start)
        };
        (
            Span::new(at(before), at(end)),
            tokens[side][before..end].to_vec(),
        )
    });
    let [(left, left_tokens), (right, right_tokens)] = kept;
    ([left, right], [left_tokens, right_tokens])
}

/// Returns the changes between two parts of texts. The tokens cover the parts without gaps.
fn align_tokens(texts: [&[u8]; 2], parts: [Span; 2], tokens: &[Vec<Span>; 2]) -> Vec<Replacement> {
    let words = [0, 1].map(|side| slices(texts[side], &tokens[side]));
    let flipped = (texts[0].len(), texts[0]) > (texts[1].len(), texts[1]);
    let changed = changed_ranges([&words[0], &words[1]], flipped);
    let start = |side: usize, index: usize| {
        let token = tokens[side].get(index);
        token.map_or(parts[side].end, |token| token.start)
    };
    let span = |range: &[Range<usize>; 2], side: usize| {
        Span::new(start(side, range[side].start), start(side, range[side].end))
    };
    let changed = changed.iter();
    changed
        .map(|range| [0, 1].map(|side| span(range, side)))
        .collect()
}

fn slices<'a>(text: &'a [u8], tokens: &[Span]) -> Vec<&'a [u8]> {
    tokens.iter().map(|token| token.of(text)).collect()
}

/// Returns what is between the equal beginnings and ends of two texts, in whole characters; `None` if they are equal.
fn trim_equal_ends(texts: [&[u8]; 2], whole: [Span; 2]) -> Option<Replacement> {
    let [left, right] = texts;
    let is_start = |text: &[u8], at: usize| text.get(at).is_none_or(|byte| byte & 0xC0 != 0x80);
    let before = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let mut before_end = before;
    while !is_start(left, before_end) || !is_start(right, before_end) {
        before_end -= 1;
    }
    let ends = left[before_end..]
        .iter()
        .rev()
        .zip(right[before_end..].iter().rev());
    let mut after = ends.take_while(|(a, b)| a == b).count();
    while !is_start(left, left.len() - after) {
        after -= 1;
    }
    let part = |span: Span| Span::new(before_end as u64, span.end - after as u64);
    (left != right).then(|| whole.map(part))
}

fn whole(text: &[u8]) -> Span {
    Span::new(0, text.len() as u64)
}

/// The lines of a text, each with its line feed.
fn split_lines(text: &[u8]) -> Vec<Span> {
    let ends = memchr::memchr_iter(b'\n', text).map(|feed| feed as u64 + 1);
    let mut lines = Vec::new();
    let mut start = 0;
    for end in ends.chain([text.len() as u64]).filter(|end| *end > 0) {
        if end > start {
            lines.push(Span::new(start, end));
        }
        start = end;
    }
    lines
}

/// The tokens of a text whose first byte is at `start`; `len` returns the length of the token at the front.
fn split_tokens(text: &str, mut start: u64, len: fn(&str) -> usize) -> Vec<Span> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (token, after) = rest.split_at(len(rest));
        tokens.push(Span::new(start, start + token.len() as u64));
        start += token.len() as u64;
        rest = after;
    }
    tokens
}

/// Joins changes if the equal text between them is shorter than either.
fn join_close(changes: Vec<Replacement>) -> Vec<Replacement> {
    let size = |[removed, added]: Replacement| removed.len().max(added.len());
    let mut joined: Vec<Replacement> = Vec::new();
    for mut change in changes {
        while let Some(&before) = joined.last() {
            let same = change[0].start.saturating_sub(before[0].end);
            // Two changes that only add would become one that also removes.
            let both = |side: usize| before[side].len() + change[side].len() > 0;
            if same > size(before).min(size(change)) || !both(0) || !both(1) {
                break;
            }
            change = [0, 1].map(|side| Span::new(before[side].start, change[side].end));
            joined.pop();
        }
        joined.push(change);
    }
    joined
}

/// Returns the changes, and the equal runs between them.
pub(super) fn to_runs(texts: [&[u8]; 2], changes: Vec<Replacement>) -> Vec<DiffRun> {
    let mut runs = Vec::new();
    let mut from = [0, 0];
    let end = texts.map(|text| Span::empty_at(text.len() as u64));
    for [left, right] in changes.into_iter().chain([end]) {
        runs.push(DiffRun {
            left: Span::new(from[0], left.start),
            right: Span::new(from[1], right.start),
            same: true,
        });
        runs.push(DiffRun {
            left,
            right,
            same: false,
        });
        from = [left.end, right.end];
    }
    runs.retain(|run| !run.left.is_empty() || !run.right.is_empty());
    runs
}

/// The length of the word at the front. A run of spaces is a word, and so is each other character.
fn word_len(text: &str) -> usize {
    let Some(first) = text.chars().next() else {
        return 0;
    };
    let is_part: fn(char) -> bool = match first {
        ' ' | '\t' => |next| matches!(next, ' ' | '\t'),
        _ if is_word_char(first) => is_word_char,
        _ => |_| false,
    };
    let rest = &text[first.len_utf8()..];
    first.len_utf8() + rest.find(|next| !is_part(next)).unwrap_or(rest.len())
}

/// Returns whether a character makes a word with its neighbours. Chinese and Japanese characters, which no spaces
/// separate, are words of their own.
fn is_word_char(character: char) -> bool {
    let alone = matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
    !alone && (character.is_alphanumeric() || matches!(character, '_' | '\'' | '’'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(left: &str, right: &str) -> Vec<DiffRun> {
        diff_words(left, right, MAX_TOKENS).runs
    }

    fn shown(left: &str, right: &str, runs: &[DiffRun]) -> String {
        let piece = |run: &DiffRun| {
            let (left, right) = (run.left.of_text(left), run.right.of_text(right));
            match (left, right) {
                _ if run.same => left.to_owned(),
                (_, "") => format!("[-{left}-]"),
                ("", _) => format!("[+{right}+]"),
                _ => format!("[-{left}-][+{right}+]"),
            }
        };
        runs.iter().map(piece).collect()
    }

    fn case(left: &str, right: &str, expected: &str) {
        let runs = words(left, right);
        assert_eq!(shown(left, right, &runs), expected);
        assert_runs(left, right, &runs);
    }

    fn assert_runs(left: &str, right: &str, runs: &[DiffRun]) {
        let (mut x, mut y) = (0, 0);
        let mut before = None;
        for run in runs {
            assert_eq!((run.left.start, run.right.start), (x, y));
            (x, y) = (run.left.end, run.right.end);
            assert!(!run.same || run.left.of_text(left) == run.right.of_text(right));
            assert!(!run.left.is_empty() || !run.right.is_empty());
            assert_ne!(
                before,
                Some(run.same),
                "runs of one kind that touch are one"
            );
            before = Some(run.same);
        }
        assert_eq!((x, y), (left.len() as u64, right.len() as u64));
    }

    #[test]
    fn words_and_not_letters() {
        case(
            "You are terse. Today is Monday, 23 November 2026.",
            "You are terse. Today is Tuesday, 24 November 2026.",
            "You are terse. Today is [-Monday, 23-][+Tuesday, 24+] November 2026.",
        );
        case("the same", "the same", "the same");
        case("", "new", "[+new+]");
        case("a colour", "a color", "a [-colour-][+color+]");
        case(
            "Answer in French, please.",
            "Please answer in German and be brief.",
            "[-Answer in French, please-][+Please answer in German and be brief+].",
        );
        case("今日は寒い。", "今日は暑い。", "今日は[-寒-][+暑+]い。");
    }

    #[test]
    fn lines_first() {
        case(
            "# Rules\nBe kind.\nBe brief.\n",
            "# Rules\nBe kind.\nNever lie.\nBe very brief.\n",
            "# Rules\nBe kind.\n[+Never lie.\n+]Be [+very +]brief.\n",
        );
    }

    #[test]
    fn lines_with_too_many_words_differ_as_a_whole() {
        let (left, right) = ("same\none two three\nend", "same\none 2 3\nend");
        let diff = diff_words(left, right, 8);
        assert!(diff.coarse);
        assert_eq!(
            shown(left, right, &diff.runs),
            "same\n[-one two three\n-][+one 2 3\n+]end"
        );
        // Too many lines: only the ends are compared, in whole characters.
        let (left, right) = ("é\nè one\nend", "é\né one\nend");
        let diff = diff_words(left, right, 3);
        assert!(diff.coarse);
        assert_eq!(shown(left, right, &diff.runs), "é\n[-è-][+é+] one\nend");
    }

    #[test]
    fn one_changed_word_of_a_long_line_is_shown_alone() {
        let (left, right) = ("a b c d e f g h", "a b c d X f g h");
        let diff = diff_words(left, right, 8);
        assert!(!diff.coarse);
        let expected = "a b c d [-e-][+X+] f g h";
        assert_eq!(shown(left, right, &diff.runs), expected);
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_texts(
            left in "([ab]{1,2}|[ ,.\n]|é|日){0,30}",
            right in "([ab]{1,2}|[ ,.\n]|é|日){0,30}",
            tokens in 0usize..60,
        ) {
            for max_tokens in [MAX_TOKENS, tokens] {
                assert_runs(&left, &right, &diff_words(&left, &right, max_tokens).runs);
            }
            let mirrored = words(&right, &left);
            let kept = |run: &&DiffRun| run.same;
            let runs = words(&left, &right);
            let one: Vec<_> = runs.iter().filter(kept).map(|run| (run.left, run.right)).collect();
            let two: Vec<_> = mirrored.iter().filter(kept).map(|run| (run.right, run.left)).collect();
            prop_assert_eq!(one, two);
        }
    }
}
