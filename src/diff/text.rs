//! What differs between two texts, word by word or line by line.
//!
//! A difference should read as a person would have made it, so what is the same between two changes and is
//! less than either of them, as a lone space or `the`, is taken into one change with them (the "semantic
//! cleanup" of Neil Fraser's Diff Match Patch).

use std::collections::HashMap;

use serde::Serialize;

use super::sequence::{self, SequenceAligner};
use super::work_limit::{StepMeter, WorkLimit};
use crate::span::Span;

/// A piece of two texts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct TextRun {
    /// Which text has it.
    pub kind: TextRunKind,
    /// Its bytes in the left text; of what was added, the empty place where it would stand.
    pub left: Span,
    /// Its bytes in the right text; of what was removed, the empty place where it would stand.
    pub right: Span,
}

/// Which of two texts has a piece.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextRunKind {
    /// Both.
    Same,
    /// The left one only.
    Removed,
    /// The right one only.
    Added,
}

/// The pieces of two texts, cut between words; together they are the whole of both. What was removed comes
/// before what was added in its place.
///
/// Texts of several lines are first compared line by line, and word by word only where lines differ.
///
/// Once the meter has run out, whatever is not yet aligned is different.
pub fn diff_words(left: &str, right: &str, meter: &mut StepMeter) -> Vec<TextRun> {
    let whole = [
        Span::new(0, left.len() as u64),
        Span::new(0, right.len() as u64),
    ];
    let mut changes = Vec::new();
    for lines in align([left, right], whole, line_len, meter) {
        let in_lines = align([left, right], lines, word_len, meter);
        changes.extend(join_close(in_lines));
    }
    to_runs(whole, &join_close(changes))
}

/// The pieces of two texts, cut between lines; a line ends with its line feed.
pub fn diff_lines(left: &str, right: &str, effort: WorkLimit) -> Vec<TextRun> {
    let mut meter = StepMeter::new(effort.max_steps);
    let whole = [
        Span::new(0, left.len() as u64),
        Span::new(0, right.len() as u64),
    ];
    to_runs(whole, &align([left, right], whole, line_len, &mut meter))
}

/// What was removed, and what was added in its place; one of both may be empty.
type TextReplacement = [Span; 2];

/// What differs between two parts of texts, cut where `next` says that a symbol ends.
fn align(
    texts: [&str; 2],
    parts: TextReplacement,
    next: fn(&str) -> usize,
    meter: &mut StepMeter,
) -> Vec<TextReplacement> {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut ends: [Vec<u64>; 2] = parts.map(|part| vec![part.start]);
    let mut symbols = [Vec::new(), Vec::new()];
    for side in 0..2 {
        let mut rest = parts[side].of_text(texts[side]);
        let mut at = parts[side].start;
        while !rest.is_empty() {
            let (symbol, after) = rest.split_at(next(rest));
            let number = numbers.len() as u32;
            symbols[side].push(*numbers.entry(symbol).or_insert(number));
            at += symbol.len() as u64;
            ends[side].push(at);
            rest = after;
        }
    }
    let place = |side: usize, index: usize| ends[side][index];
    let mut from = [0, 0];
    let mut changes = Vec::new();
    // Both ways round the same one is searched; the other is its mirror image.
    let first = usize::from((texts[0].len(), texts[0]) > (texts[1].len(), texts[1]));
    let mut aligner = SequenceAligner::new(numbers.len());
    let (one, other) = (&symbols[first], &symbols[1 - first]);
    let runs = aligner.align(one, other, meter);
    let end = sequence::EqualRun {
        left: one.len(),
        right: other.len(),
        len: 0,
    };
    for run in runs.into_iter().chain([end]) {
        let mut to = [run.left, run.right];
        if first == 1 {
            to.swap(0, 1);
        }
        if from != to {
            changes
                .push([0, 1].map(|side| Span::new(place(side, from[side]), place(side, to[side]))));
        }
        from = to.map(|at| at + run.len);
    }
    changes
}

/// Changes with nothing between them but what is less than either.
fn join_close(changes: Vec<TextReplacement>) -> Vec<TextReplacement> {
    let size = |[removed, added]: TextReplacement| removed.len().max(added.len());
    let mut joined: Vec<TextReplacement> = Vec::new();
    for mut change in changes {
        while let Some(&before) = joined.last() {
            let same = change[0].start.saturating_sub(before[0].end);
            // Where both only add, what is between would have to be told as removed.
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

/// The changes, and what is the same between them.
fn to_runs(whole: [Span; 2], changes: &[TextReplacement]) -> Vec<TextRun> {
    let mut runs = Vec::new();
    let mut push = |kind, left: Span, right: Span| {
        if !left.is_empty() || !right.is_empty() {
            runs.push(TextRun { kind, left, right });
        }
    };
    let mut from = whole.map(|text| text.start);
    let end = whole.map(|text| Span::empty_at(text.end));
    for &[removed, added] in changes.iter().chain([&end]) {
        let same = [
            Span::new(from[0], removed.start),
            Span::new(from[1], added.start),
        ];
        push(TextRunKind::Same, same[0], same[1]);
        push(TextRunKind::Removed, removed, Span::empty_at(added.start));
        push(TextRunKind::Added, Span::empty_at(removed.end), added);
        from = [removed.end, added.end];
    }
    runs
}

/// How long the line at the front is, its line feed included.
fn line_len(text: &str) -> usize {
    memchr::memchr(b'\n', text.as_bytes()).map_or(text.len(), |feed| feed + 1)
}

/// How long the word at the front is; each other character stands for itself, but for a row of spaces.
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

/// Whether it makes a word with its neighbours; Chinese and Japanese characters are words of their own.
fn is_word_char(character: char) -> bool {
    let alone = matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}');
    !alone && (character.is_alphanumeric() || matches!(character, '_' | '\'' | '’'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn within(left: &str, right: &str, effort: WorkLimit) -> Vec<TextRun> {
        diff_words(left, right, &mut StepMeter::new(effort.max_steps))
    }

    fn shown(left: &str, right: &str, runs: &[TextRun]) -> String {
        let piece = |run: &TextRun| match run.kind {
            TextRunKind::Same => run.left.of_text(left).to_owned(),
            TextRunKind::Removed => format!("[-{}-]", run.left.of_text(left)),
            TextRunKind::Added => format!("[+{}+]", run.right.of_text(right)),
        };
        runs.iter().map(piece).collect()
    }

    fn case(left: &str, right: &str, expected: &str) {
        let told = within(left, right, WorkLimit::default());
        assert_eq!(shown(left, right, &told), expected);
        assert_runs(left, right, &told);
    }

    fn assert_runs(left: &str, right: &str, runs: &[TextRun]) {
        let (mut x, mut y) = (0, 0);
        let mut before = None;
        for run in runs {
            assert_eq!((run.left.start, run.right.start), (x, y));
            (x, y) = (run.left.end, run.right.end);
            match run.kind {
                TextRunKind::Same => assert_eq!(run.left.of_text(left), run.right.of_text(right)),
                TextRunKind::Removed => assert!(run.right.is_empty() && !run.left.is_empty()),
                TextRunKind::Added => assert!(run.left.is_empty() && !run.right.is_empty()),
            }
            assert!(
                before != Some(run.kind),
                "pieces of one kind that touch are one"
            );
            assert!((before, run.kind) != (Some(TextRunKind::Added), TextRunKind::Removed));
            before = Some(run.kind);
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
            "# Rules\nBe kind.\n[+Never lie.\n+]Be[+ very+] brief.\n",
        );
        let (left, right) = ("a\nb\nc", "a\nx\nc\n");
        let told = diff_lines(left, right, WorkLimit::default());
        assert_eq!(shown(left, right, &told), "a\n[-b\nc-][+x\nc\n+]");
    }

    #[test]
    fn without_effort_all_is_different() {
        let effort = WorkLimit {
            max_steps: 0,
            max_bytes: 0,
        };
        let told = within("one two three", "one 2 3", effort);
        assert_eq!(
            shown("one two three", "one 2 3", &told),
            "one [-two three-][+2 3+]"
        );
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_texts(
            left in "([ab]{1,2}|[ ,.\n]|é|日){0,30}",
            right in "([ab]{1,2}|[ ,.\n]|é|日){0,30}",
            steps in 0u64..300,
        ) {
            for effort in [WorkLimit::default(), WorkLimit { max_steps: steps, max_bytes: 0 }] {
                assert_runs(&left, &right, &within(&left, &right, effort));
                assert_runs(&left, &right, &diff_lines(&left, &right, effort));
            }
            let mirrored = within(&right, &left, WorkLimit::default());
            let kept = |run: &&TextRun| run.kind == TextRunKind::Same;
            let told = within(&left, &right, WorkLimit::default());
            let one: Vec<_> = told.iter().filter(kept).map(|run| (run.left, run.right)).collect();
            let two: Vec<_> = mirrored.iter().filter(kept).map(|run| (run.right, run.left)).collect();
            prop_assert_eq!(one, two);
        }
    }
}
