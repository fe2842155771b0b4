//! A difference for an issue or a pull request: headings, lists and `diff` blocks of GitHub's Markdown.

use std::io::{self, Write};

use super::super::{Style, words};
use super::{Shows, folded, values};
use crate::diff::{Change, Difference, Layer, Shown};

/// Writes the difference as Markdown.
pub fn markdown(difference: &Difference, shows: Shows, out: &mut dyn Write) -> io::Result<()> {
    let plain = Style::default();
    writeln!(
        out,
        "### {} → {}\n",
        code(&difference.left),
        code(&difference.right)
    )?;
    let mut any = false;
    for compared in &difference.layers {
        let changes = compared.changes.iter();
        let changes: Vec<_> = changes.filter(|change| shows.shows(change)).collect();
        if compared.layer == Layer::Timing || changes.is_empty() {
            continue;
        }
        any = true;
        writeln!(out, "**{}**\n", compared.layer.name())?;
        for note in &compared.notes {
            writeln!(out, "({})\n", words::line(note))?;
        }
        let steps = values::steps(&changes);
        for change in changes {
            one(change, steps, &plain, out)?;
        }
        writeln!(out)?;
    }
    if !any {
        writeln!(out, "No difference.\n")?;
    }
    times(difference, out)?;
    match folded(difference).filter(|_| !shows.all) {
        Some(text) => writeln!(out, "_{}_", text.replace("; --all shows them", "")),
        None => Ok(()),
    }
}

fn one(change: &Change, steps: u64, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let [left, right] = values::sides(change);
    let what = change.what.name();
    // Paths and reasons may hold anything.
    let remarks = values::remarks(change).map(|remarks| format!(", {}", code(&remarks)));
    let remarks = remarks.unwrap_or_default();
    writeln!(out, "- {} {what}{remarks}", code(&values::place(change)))?;
    if let Some((left, right)) = values::prose(change) {
        let words = values::by_words(&left, &right, steps, style);
        return block(&[("", &words)], out);
    }
    let lines: Vec<_> = [("- ", &left), ("+ ", &right)]
        .into_iter()
        .filter_map(|(sign, value)| Some((sign, value.as_deref()?)))
        .collect();
    block(&lines, out)
}

/// A `diff` block below an item of a list. Its fence is longer than any run of backticks within.
fn block(lines: &[(&str, &str)], out: &mut dyn Write) -> io::Result<()> {
    let longest = lines.iter().map(|(_, text)| longest_run(text)).max();
    let fence = "`".repeat(longest.unwrap_or(0).saturating_add(1).max(3));
    writeln!(out, "  {fence}diff")?;
    for (sign, text) in lines {
        writeln!(out, "  {sign}{text}")?;
    }
    writeln!(out, "  {fence}")
}

fn times(difference: &Difference, out: &mut dyn Write) -> io::Result<()> {
    let Some(compared) = super::of_layer(difference, Layer::Timing) else {
        return Ok(());
    };
    if compared.changes.is_empty() {
        return Ok(());
    }
    writeln!(out, "| timing | left | right | ratio |\n|---|--:|--:|--:|")?;
    for change in &compared.changes {
        let text = |shown: &Option<Shown>| values::shown(shown).unwrap_or_else(|| "-".to_owned());
        let number = |shown: &Option<Shown>| shown.as_ref().and_then(|shown| shown.value.number());
        let ratio = match (number(&change.left), number(&change.right)) {
            (Some(left), Some(right)) if left > 0.0 => format!("{:.2}", right / left),
            _ => String::new(),
        };
        let name = cell(&change.at);
        let (left, right) = (text(&change.left), text(&change.right));
        writeln!(out, "| {name} | {left} | {right} | {ratio} |")?;
    }
    writeln!(out)
}

/// As inline code in a table, which no `|` ends.
pub(super) fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// As inline code; its fence is longer than any run of backticks within.
pub(super) fn code(text: &str) -> String {
    let text = words::line(text);
    match longest_run(&text) {
        0 => format!("`{text}`"),
        longest => {
            let fence = "`".repeat(longest.saturating_add(1));
            format!("{fence} {text} {fence}")
        }
    }
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|char| char != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_foreign_stands_in_code() {
        use crate::diff::{Compared, Value, What};
        let evil = "<img src=x>";
        let shown = |path: Option<&str>| {
            Some(Shown {
                path: path.map(str::to_owned),
                ..Value::Text("1".to_owned()).into()
            })
        };
        let moved = Change::new("/a", What::Moved, shown(Some(evil)), shown(None));
        let time = |micros| Some(Value::Micros(micros).into());
        let time = Change::new(evil, What::Changed, time(1), time(2));
        let layer = |layer, change| Compared {
            layer,
            changes: vec![change],
            notes: vec![],
        };
        let difference = Difference {
            left: evil.to_owned(),
            right: evil.to_owned(),
            layers: vec![layer(Layer::Body, moved), layer(Layer::Timing, time)],
        };
        let mut out = Vec::new();
        markdown(&difference, Shows::default(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches(evil).count(), 4, "{text}");
        for (at, _) in text.match_indices(evil) {
            let ticks = text[..at].matches('`').count();
            let fenced = text[..at].matches("```").count() * 3;
            assert_eq!((ticks - fenced) % 2, 1, "{text}");
        }
    }

    #[test]
    fn fences_hold() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(cell("a|b"), "`a\\|b`");
        let mut out = Vec::new();
        block(&[("- ", "```"), ("+ ", "x")], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "  ````diff\n  - ```\n  + x\n  ````\n");
    }
}
