//! One change as lines: on one where both values are short, else one below the other; prose by words.

use std::borrow::Cow;
use std::io::{self, Write};

use super::super::{Look, Style, words};
use super::mark;
use crate::diff::effort::Meter;
use crate::diff::text::{self, RunKind};
use crate::diff::{Change, Shown, Value, What};
use crate::json::JsonDocument;
use crate::span::Span;

/// How much of one value is shown, in characters.
const VALUE: usize = 2000;

/// How long both values may be together to stand on one line.
const SHORT: usize = 72;

/// From how many characters on a text with spaces is read as prose.
const PROSE: usize = 24;

/// How much of an unchanged stretch is shown around what changed, in characters.
const CONTEXT: usize = 48;

/// How many steps the words of all changes together may take to be compared: some tenths of a second.
const STEPS: u64 = 20_000_000;

/// How many steps the words of each of these changes may take.
pub(super) fn steps(changes: &[&Change]) -> u64 {
    let changed = changes.iter().filter(|change| change.what == What::Changed);
    let count = changed.count().max(1) as u64;
    STEPS.div_euclid(count)
}

/// Writes one change, below the heading of its layer; its words are compared in so many `steps`.
pub(super) fn change(
    change: &Change,
    steps: u64,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (sign, look) = mark(change.what);
    let at = style.paint(Look::Name, &place(change));
    let sign = style.paint(look, &sign.to_string());
    let extra = style.dim(&extra(change));
    let [left, right] = sides(change);
    let prose = || prose(change).filter(|_| change.what == What::Changed);
    match (&left, &right) {
        (Some(left), Some(right)) if is_short(left, right) => {
            let left = style.paint(Look::Bad, left);
            let right = style.paint(Look::Good, right);
            writeln!(out, "  {sign} {at}  {left} -> {right}{extra}")
        }
        (Some(_), Some(_)) if let Some((left, right)) = prose() => {
            writeln!(out, "  {sign} {at}{extra}")?;
            writeln!(out, "      {}", by_words(&left, &right, steps, style))
        }
        _ => {
            let inline = |value: &String| value.chars().count() <= SHORT;
            let one = left
                .as_ref()
                .xor(right.as_ref())
                .filter(|value| inline(value));
            if let Some(value) = one {
                return writeln!(out, "  {sign} {at}  {}{extra}", style.paint(look, value));
            }
            writeln!(out, "  {sign} {at}{extra}")?;
            for (sign, look, value) in [('-', Look::Bad, left), ('+', Look::Good, right)] {
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

/// Where a change is, as a reader sees it.
pub(super) fn place(change: &Change) -> String {
    match change.at.is_empty() {
        true => "(the whole)".to_owned(),
        false => words::line(&change.at).into_owned(),
    }
}

/// What kind of change it is, where the sign does not say it; and what is to be remarked.
pub(super) fn extra(change: &Change) -> String {
    let kind = match change.what {
        What::Respelled | What::Moved => Some(change.what.name().to_owned()),
        What::Reordered => Some("stand in another order".to_owned()),
        _ => None,
    };
    let all: Vec<_> = kind.into_iter().chain(remarks(change)).collect();
    match all.is_empty() {
        true => String::new(),
        false => format!("  ({})", words::line(&all.join("; "))),
    }
}

/// Where it comes from; how the baseline is; why it is noise.
pub(super) fn remarks(change: &Change) -> Option<String> {
    let moved = |shown: &Option<Shown>| shown.as_ref()?.path.clone();
    let from = moved(&change.left).filter(|path| *path != change.at);
    let from = from.map(|path| format!("from {}", words::line(&path)));
    let usual = change
        .usual
        .as_ref()
        .map(|usual| format!("baseline: {usual}"));
    let noise = change.noise.as_ref().map(|why| format!("noise: {why}"));
    let all: Vec<_> = [from, usual, noise].into_iter().flatten().collect();
    (!all.is_empty()).then(|| words::line(&all.join("; ")).into_owned())
}

fn is_short(left: &str, right: &str) -> bool {
    left.chars().count().saturating_add(right.chars().count()) <= SHORT
}

/// A value as one line.
pub(super) fn shown(shown: &Option<Shown>) -> Option<String> {
    let shown = shown.as_ref()?;
    Some(value(&shown.value, VALUE))
}

/// Both values, each as one line: of long ones that begin alike, from shortly before where they part.
pub(super) fn sides(change: &Change) -> [Option<String>; 2] {
    let texts = [&change.left, &change.right].map(|shown| Some(text(&shown.as_ref()?.value)));
    let from = match &texts {
        [Some(left), Some(right)] => parting(left, right),
        _ => 0,
    };
    texts.map(|text| {
        let text = text?;
        Some(match text.get(from..).filter(|_| from > 0) {
            Some(rest) => format!("... {}", clip(rest, VALUE)),
            None => clip(&text, VALUE),
        })
    })
}

/// Where to begin with two texts, in bytes: 0, unless what differs would not be seen.
fn parting(left: &str, right: &str) -> usize {
    let pairs = left.char_indices().zip(right.chars());
    let mut alike = pairs.take_while(|((_, left), right)| left == right);
    // Half of what is shown may be alike.
    if alike.by_ref().take(VALUE.div_euclid(2)).count() < VALUE.div_euclid(2) {
        return 0;
    }
    let end = alike.last().map_or(0, |((at, _), _)| at);
    let before = left.get(..end).unwrap_or_default();
    let context = before.char_indices().rev().take(CONTEXT);
    context.last().map_or(0, |(at, _)| at)
}

/// A value on one line of at most `most` characters, and how it goes on.
pub(super) fn value(value: &Value, most: usize) -> String {
    clip(&text(value), most)
}

/// A value as text, foreign as it is.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Json(text) => Cow::Owned(one_line(text)),
        // A field may be there, and hold nothing.
        Value::Text(text) if text.is_empty() => Cow::Borrowed("(empty)"),
        Value::Text(text) | Value::Events(text) => Cow::Borrowed(text),
        Value::Count(number) => Cow::Owned(words::count(*number)),
        Value::Micros(micros) => Cow::Owned(words::time(*micros)),
        Value::Number(number) => Cow::Owned(format!("{number:.1}")),
    }
}

/// JSON with one space after commas and colons, and none else between its tokens.
fn one_line(json: &str) -> String {
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

fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => words::line(text).into_owned(),
        Some((end, _)) => {
            let size = words::bytes(text.len() as u64);
            let head = words::line(text.get(..end).unwrap_or(text));
            format!("{head}... ({size})")
        }
    }
}

/// Both sides as plain text, where they are prose: worth comparing word by word.
pub(super) fn prose(change: &Change) -> Option<(String, String)> {
    let left = plain(&change.left.as_ref()?.value)?;
    let right = plain(&change.right.as_ref()?.value)?;
    // Of a masked secret nothing but its length is left.
    let is_prose = |text: &str| {
        text.contains(char::is_whitespace) && text.len() >= PROSE && !text.contains("********")
    };
    (is_prose(&left) && is_prose(&right)).then_some((left, right))
}

/// The text of a string; `None` for other values.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Json(json) if json.starts_with('"') => {
            let document = JsonDocument::parse(json.as_bytes()).ok()?;
            document.root().as_str().map(Cow::into_owned)
        }
        _ => None,
    }
}

/// Both texts in one: `[-only left-]`, `{+only right+}`. Long stretches that both have are folded.
pub(super) fn by_words(left: &str, right: &str, steps: u64, style: &Style) -> String {
    let mut meter = Meter::new(steps);
    let runs = text::words(left, right, &mut meter);
    let last = runs.len().saturating_sub(1);
    let mut line = String::new();
    for (n, run) in runs.iter().enumerate() {
        let (text, span) = match run.kind {
            RunKind::Same | RunKind::Removed => (left, run.left),
            RunKind::Added => (right, run.right),
        };
        let text = piece(text, span);
        match run.kind {
            RunKind::Same => line.push_str(&stretch(text, n > 0, n < last)),
            RunKind::Removed => {
                let text = format!("[-{}-]", clip(text, VALUE));
                line.push_str(&style.paint(Look::Bad, &text));
            }
            RunKind::Added => {
                let text = format!("{{+{}+}}", clip(text, VALUE));
                line.push_str(&style.paint(Look::Good, &text));
            }
        }
    }
    if meter.ran_out() {
        let note = "  (compared more coarsely, for want of time)";
        line.push_str(&style.dim(note));
    }
    line
}

fn piece(text: &str, span: Span) -> &str {
    let at = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
    text.get(at(span.start)..at(span.end)).unwrap_or_default()
}

/// What both have, without its middle where it is long: of the beginning what follows a change, of the end what
/// comes before one.
fn stretch(text: &str, after: bool, before: bool) -> String {
    let length = text.chars().count();
    let kept = [after, before].into_iter().filter(|side| *side).count();
    if length <= CONTEXT.saturating_mul(kept.max(1)).saturating_add(8) {
        return words::line(text).into_owned();
    }
    let at = |n: usize| text.char_indices().nth(n).map_or(text.len(), |(at, _)| at);
    let head = if after { at(CONTEXT) } else { 0 };
    let tail = if before {
        at(length.saturating_sub(CONTEXT))
    } else {
        text.len()
    };
    let head = words::line(text.get(..head).unwrap_or_default());
    let tail = words::line(text.get(tail..).unwrap_or_default());
    format!("{head} ... {tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_fits_a_line() {
        let json = "{\n  \"a, \\\"b\" : [1,2 ],\n  \"c\": {}}";
        assert_eq!(one_line(json), r#"{"a, \"b": [1, 2], "c": {}}"#);
    }

    #[test]
    fn all_changes_together_take_no_more_than_one() {
        let change = Change::new("", What::Changed, None, None);
        let many = vec![&change; 100];
        assert!(steps(&many) * 100 <= STEPS);
        let (left, right) = ("a b c d e f g h i j", "k a l b m c n d o e");
        let line = by_words(left, right, 3, &Style::default());
        assert!(
            line.ends_with("(compared more coarsely, for want of time)"),
            "{line}"
        );
    }

    #[test]
    fn what_is_empty_can_be_seen() {
        let value = |text: &str| Some(Value::Text(text.to_owned()).into());
        let emptied = Change::new("x-field", What::Changed, value("a"), value(""));
        let mut out = Vec::new();
        change(&emptied, 0, &Style::default(), &mut out).unwrap();
        assert_eq!(out, b"  ~ x-field  a -> (empty)\n");
    }

    #[test]
    fn where_long_values_part_is_seen() {
        let long = |end: &str| Some(Value::Text(format!("{}{end}", "é".repeat(9000))).into());
        let change = Change::new("", What::Changed, long("one"), long("other"));
        let [left, right] = sides(&change).map(Option::unwrap_or_default);
        assert!(
            left.starts_with("... é") && left.ends_with("éone"),
            "{left}"
        );
        assert!(
            right.ends_with("éother") && right.chars().count() < 70,
            "{right}"
        );
        let change = Change::new("", What::Changed, long(""), long("more"));
        let [left, right] = sides(&change).map(Option::unwrap_or_default);
        assert_ne!(left, right);
    }

    #[test]
    fn words_that_differ_stand_in_their_context() {
        let plain = Style::default();
        let long = "one two three four five six seven eight nine ten ".repeat(6);
        let left = format!("{long}left end");
        let right = format!("{long}right end");
        let line = by_words(&left, &right, u64::MAX, &plain);
        assert!(line.contains("[-left-]{+right+}"), "{line}");
        assert!(line.contains(" ... ") && line.len() < 120, "{line}");
    }
}
