//! One change as lines: short values on one line, long ones below each other, prose compared by words.

use std::borrow::Cow;
use std::io::{self, Write};

use super::super::{OutputStyle, TextStyle, wording};
use crate::diff::text::{self, TextDiff};
use crate::diff::{ChangeKind, ChangeSide, DiffChange, DiffValue};
use crate::json::JsonDocument;

/// Characters of one value that are shown: about a screen.
const VALUE_LIMIT: usize = 2000;

/// Characters that both values may have together on one line, so that it fits 100 columns with a place.
const ONE_LINE_LIMIT: usize = 72;

/// Characters from which a text with spaces is prose: shorter ones are easier to read whole.
const MIN_PROSE: usize = 24;

/// Most characters of equal text that are shown on each side of a change: the words around it, and both sides fit a
/// line of 100 columns.
const CONTEXT_CHARS: usize = 48;

/// The most words and lines of each of these changes that are compared: together they take no longer than one long text.
pub(super) fn words_per_change(changes: &[&DiffChange]) -> usize {
    let changed = changes.iter();
    let changed = changed.filter(|change| change.what == ChangeKind::Changed);
    text::MAX_TOKENS.div_euclid(changed.count().max(1))
}

/// The sign in front of a change, and its style.
pub(super) fn change_mark(what: ChangeKind) -> (char, TextStyle) {
    match what {
        ChangeKind::Added => ('+', TextStyle::Success),
        ChangeKind::Removed => ('-', TextStyle::Error),
        ChangeKind::Changed => ('~', TextStyle::Warning),
        ChangeKind::Respelled | ChangeKind::Moved | ChangeKind::Reordered => ('=', TextStyle::Dim),
    }
}

/// Writes one change, below the heading of its layer. At most `words` of its words are compared.
pub(super) fn write_change(
    change: &DiffChange,
    words: usize,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (sign, look) = change_mark(change.what);
    let at = style.paint(TextStyle::Name, &place_text(change));
    let sign = style.paint(look, &sign.to_string());
    let extra = style.dim(&kind_and_remarks(change));
    let [left, right] = side_lines(change);
    let prose = || prose_texts(change).filter(|_| change.what == ChangeKind::Changed);
    match (&left, &right) {
        (Some(left), Some(right)) if fits_one_line(left, right) => {
            let left = style.paint(TextStyle::Error, left);
            let right = style.paint(TextStyle::Success, right);
            writeln!(out, "  {sign} {at}  {left} -> {right}{extra}")
        }
        (Some(_), Some(_)) if let Some((left, right)) = prose() => {
            writeln!(out, "  {sign} {at}{extra}")?;
            writeln!(out, "      {}", word_diff(&left, &right, words, style))
        }
        _ => {
            let inline = |value: &String| value.chars().count() <= ONE_LINE_LIMIT;
            let one = left
                .as_ref()
                .xor(right.as_ref())
                .filter(|value| inline(value));
            if let Some(value) = one {
                return writeln!(out, "  {sign} {at}  {}{extra}", style.paint(look, value));
            }
            writeln!(out, "  {sign} {at}{extra}")?;
            for (sign, look, value) in [
                ('-', TextStyle::Error, left),
                ('+', TextStyle::Success, right),
            ] {
                if let Some(value) = value {
                    writeln!(
                        out,
                        "      {}",
                        style.paint(look, &format!("{sign} {value}"))
                    )?;
                }
            }
            Ok(())
        }
    }
}

/// The place of a change, escaped.
pub(super) fn place_text(change: &DiffChange) -> String {
    match change.at.to_string() {
        place if place.is_empty() => "(the whole)".to_owned(),
        place => wording::escape_line(&place).into_owned(),
    }
}

/// The kind of a change, if its sign does not show it, and the remarks on it.
pub(super) fn kind_and_remarks(change: &DiffChange) -> String {
    let kind = match change.what {
        ChangeKind::Respelled | ChangeKind::Moved => Some(change.what.name().to_owned()),
        ChangeKind::Reordered => Some("stand in another order".to_owned()),
        _ => None,
    };
    let all: Vec<_> = kind.into_iter().chain(change_remarks(change)).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!("  ({})", wording::escape_line(&all.join("; "))),
    }
}

/// The remarks on a change: the old place, the values of the baseline, why it is noise.
pub(super) fn change_remarks(change: &DiffChange) -> Option<String> {
    let from = change.left.as_ref().and_then(|left| left.path.as_ref());
    let from = from.map(|from| format!("from {from}"));
    let usual = change.usual.as_ref();
    let usual = usual.map(|usual| format!("baseline: {usual}"));
    let noise = change.noise.map(|why| format!("noise: {}", why.text()));
    let all: Vec<_> = [from, usual, noise].into_iter().flatten().collect();
    (!all.is_empty()).then(|| wording::escape_line(&all.join("; ")).into_owned())
}

fn fits_one_line(left: &str, right: &str) -> bool {
    left.chars().count().saturating_add(right.chars().count()) <= ONE_LINE_LIMIT
}

/// A value as one line.
pub(super) fn value_line(shown: &Option<ChangeSide>) -> Option<String> {
    let shown = shown.as_ref()?;
    Some(clip_value(&shown.value, VALUE_LIMIT))
}

/// Both values, each as one line. Long values with an equal beginning start shortly before the first difference.
pub(super) fn side_lines(change: &DiffChange) -> [Option<String>; 2] {
    let texts = [&change.left, &change.right].map(|shown| Some(value_text(&shown.as_ref()?.value)));
    let from = match &texts {
        [Some(left), Some(right)] => difference_start(left, right),
        _ => 0,
    };
    texts.map(|text| {
        let text = text?;
        Some(match text.get(from..).filter(|_| from > 0) {
            Some(rest) => format!("... {}", clip_with_size(rest, VALUE_LIMIT)),
            None => clip_with_size(&text, VALUE_LIMIT),
        })
    })
}

/// Returns the byte at which two texts should start, so that the first difference is visible; 0 for short ones.
fn difference_start(left: &str, right: &str) -> usize {
    let pairs = left.char_indices().zip(right.chars());
    let mut alike = pairs.take_while(|((_, left), right)| left == right);
    // At most half of the shown characters may be equal.
    if alike.by_ref().take(VALUE_LIMIT.div_euclid(2)).count() < VALUE_LIMIT.div_euclid(2) {
        return 0;
    }
    let end = alike.last().map_or(0, |((at, _), _)| at);
    let before = left.get(..end).unwrap_or_default();
    let context = before.char_indices().rev().take(CONTEXT_CHARS);
    context.last().map_or(0, |(at, _)| at)
}

/// A value on one line of at most `most` characters, with its size if it is longer.
pub(super) fn clip_value(value: &DiffValue, most: usize) -> String {
    clip_with_size(&value_text(value), most)
}

/// A value as text, not escaped.
pub(super) fn value_text(value: &DiffValue) -> Cow<'_, str> {
    match value {
        DiffValue::Json(text) => Cow::Owned(json_one_line(text)),
        // A field may be present and empty.
        DiffValue::Text(text) if text.is_empty() => Cow::Borrowed("(empty)"),
        DiffValue::Text(text) | DiffValue::Events(text) => Cow::Borrowed(text),
        DiffValue::Count(number) => Cow::Owned(wording::format_count(*number)),
        DiffValue::Micros(micros) => Cow::Owned(wording::format_duration(*micros)),
        DiffValue::Number(number) => Cow::Owned(format!("{number:.1}")),
    }
}

/// JSON on one line, with a space after each comma and colon.
fn json_one_line(json: &str) -> String {
    let mut line = String::with_capacity(json.len());
    let (mut inside, mut escaped) = (false, false);
    for char in json.chars() {
        if !inside && char.is_ascii_whitespace() {
            continue;
        }
        line.push(char);
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = inside,
            '"' => inside = !inside,
            ',' | ':' if !inside => line.push(' '),
            _ => {}
        }
    }
    line
}

fn clip_with_size(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => wording::escape_line(text).into_owned(),
        Some((end, _)) => {
            let size = wording::format_bytes(text.len() as u64);
            let head = wording::escape_line(text.get(..end).unwrap_or(text));
            format!("{head}... ({size})")
        }
    }
}

/// Both values as plain text, if both are prose, which is compared by words.
pub(super) fn prose_texts(change: &DiffChange) -> Option<(String, String)> {
    let left = string_text(&change.left.as_ref()?.value)?;
    let right = string_text(&change.right.as_ref()?.value)?;
    // A masked secret has no words.
    let is_prose = |text: &str| {
        text.contains(char::is_whitespace) && text.len() >= MIN_PROSE && !text.contains("********")
    };
    (is_prose(&left) && is_prose(&right)).then_some((left, right))
}

/// The text of a string; `None` for other values.
fn string_text(value: &DiffValue) -> Option<String> {
    match value {
        DiffValue::Text(text) => Some(text.clone()),
        DiffValue::Json(json) if json.starts_with('"') => {
            let document = JsonDocument::parse(json.as_bytes()).ok()?;
            document.root().as_str().map(Cow::into_owned)
        }
        _ => None,
    }
}

/// Both texts in one: `[-only left-]`, `{+only right+}`. Long equal pieces are shortened.
pub(super) fn word_diff(left: &str, right: &str, words: usize, style: &OutputStyle) -> String {
    let TextDiff { runs, coarse } = text::diff_words(left, right, words);
    let last = runs.len().saturating_sub(1);
    let mut line = String::new();
    for (n, run) in runs.iter().enumerate() {
        let (left, right) = (run.left.of_text(left), run.right.of_text(right));
        if run.same {
            line.push_str(&fold_unchanged(left, n > 0, n < last));
            continue;
        }
        for (open, text, close, look) in [
            ("[-", left, "-]", TextStyle::Error),
            ("{+", right, "+}", TextStyle::Success),
        ] {
            if !text.is_empty() {
                let text = format!("{open}{}{close}", clip_with_size(text, VALUE_LIMIT));
                line.push_str(&style.paint(look, &text));
            }
        }
    }
    if coarse {
        line.push_str(&style.dim(BY_LINES));
    }
    line
}

/// The note on texts that are too long for a comparison by words.
const BY_LINES: &str = "  (too long to compare by words: compared by lines)";

/// A piece that both texts have. A long one is shortened to its start, if a change is before it, and to its end, if a
/// change is behind it.
fn fold_unchanged(text: &str, after: bool, before: bool) -> String {
    let length = text.chars().count();
    let kept = [after, before].into_iter().filter(|side| *side).count();
    if length <= CONTEXT_CHARS.saturating_mul(kept.max(1)).saturating_add(8) {
        return wording::escape_line(text).into_owned();
    }
    let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    let head = if after { at(CONTEXT_CHARS) } else { 0 };
    let tail = if before {
        at(length.saturating_sub(CONTEXT_CHARS))
    } else {
        text.len()
    };
    let head = wording::escape_line(text.get(..head).unwrap_or_default());
    let tail = wording::escape_line(text.get(tail..).unwrap_or_default());
    format!("{head} ... {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::DiffPlace;
    use crate::diff::place::JsonPath;

    #[test]
    fn json_fits_a_line() {
        let json = "{\n  \"a, \\\"b\" : [1,2 ],\n  \"c\": {}}";
        assert_eq!(json_one_line(json), r#"{"a, \"b": [1, 2], "c": {}}"#);
    }

    #[test]
    fn all_changes_together_take_no_more_than_one() {
        let change = DiffChange::new(
            DiffPlace::in_body(JsonPath::default()),
            ChangeKind::Changed,
            None,
            None,
        );
        let many = vec![&change; 100];
        assert!(words_per_change(&many) * 100 <= text::MAX_TOKENS);
        let (left, right) = ("a b c d e f g h i j", "k a l b m c n d o e");
        let line = word_diff(left, right, 3, &OutputStyle::default());
        assert!(line.ends_with(BY_LINES), "{line}");
    }

    #[test]
    fn what_is_empty_can_be_seen() {
        let value = |text: &str| Some(DiffValue::Text(text.to_owned()).into());
        let emptied = DiffChange::new(
            DiffPlace::fact("x-field"),
            ChangeKind::Changed,
            value("a"),
            value(""),
        );
        let mut out = Vec::new();
        write_change(&emptied, 0, &OutputStyle::default(), &mut out).unwrap();
        assert_eq!(out, b"  ~ x-field  a -> (empty)\n");
    }

    #[test]
    fn where_long_values_part_is_seen() {
        let long = |end: &str| Some(DiffValue::Text(format!("{}{end}", "é".repeat(9000))).into());
        let change = DiffChange::new(
            DiffPlace::in_body(JsonPath::default()),
            ChangeKind::Changed,
            long("one"),
            long("other"),
        );
        let [left, right] = side_lines(&change).map(Option::unwrap_or_default);
        assert!(
            left.starts_with("... é") && left.ends_with("éone"),
            "{left}"
        );
        assert!(
            right.ends_with("éother") && right.chars().count() < 70,
            "{right}"
        );
        let change = DiffChange::new(
            DiffPlace::in_body(JsonPath::default()),
            ChangeKind::Changed,
            long(""),
            long("more"),
        );
        let [left, right] = side_lines(&change).map(Option::unwrap_or_default);
        assert_ne!(left, right);
    }

    #[test]
    fn words_that_differ_stand_in_their_context() {
        let plain = OutputStyle::default();
        let long = "one two three four five six seven eight nine ten ".repeat(6);
        let left = format!("{long}left end");
        let right = format!("{long}right end");
        let line = word_diff(&left, &right, text::MAX_TOKENS, &plain);
        assert!(line.contains("[-left-]{+right+}"), "{line}");
        assert!(line.contains(" ... ") && line.len() < 120, "{line}");
    }
}
