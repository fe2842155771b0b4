//! A difference for an issue or a pull request: headings, lists and `diff` blocks of GitHub's Markdown.

use std::io::{self, Write};

use super::super::{OutputStyle, wording};
use super::{DiffViewOptions, change_lines, noise_summary};
use crate::diff::{DiffChange, DiffLayer, ExchangeDiff, PlacedValue};

/// Writes the difference as Markdown.
pub fn write_markdown(
    difference: &ExchangeDiff,
    shows: DiffViewOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let plain = OutputStyle::default();
    writeln!(
        out,
        "### {} → {}\n",
        inline_code(&difference.left),
        inline_code(&difference.right)
    )?;
    let mut any = false;
    for compared in &difference.layers {
        let changes = compared.changes.iter();
        let changes: Vec<_> = changes.filter(|change| shows.includes(change)).collect();
        if compared.layer == DiffLayer::Timing || changes.is_empty() {
            continue;
        }
        any = true;
        writeln!(out, "**{}**\n", compared.layer.name())?;
        for note in &compared.notes {
            writeln!(out, "({})\n", wording::escape_line(note))?;
        }
        let steps = change_lines::steps_per_change(&changes);
        for change in changes {
            write_change(change, steps, &plain, out)?;
        }
        writeln!(out)?;
    }
    if !any {
        writeln!(out, "No difference.\n")?;
    }
    write_times(difference, out)?;
    match noise_summary(difference).filter(|_| !shows.with_noise) {
        Some(text) => writeln!(out, "_{}_", text),
        None => Ok(()),
    }
}

fn write_change(
    change: &DiffChange,
    steps: u64,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let [left, right] = change_lines::side_lines(change);
    let what = change.what.name();
    // Paths and reasons may hold anything.
    let remarks =
        change_lines::change_remarks(change).map(|remarks| format!(", {}", inline_code(&remarks)));
    let remarks = remarks.unwrap_or_default();
    writeln!(
        out,
        "- {} {what}{remarks}",
        inline_code(&change_lines::place_text(change))
    )?;
    if let Some((left, right)) = change_lines::prose_texts(change) {
        let words = change_lines::word_diff(&left, &right, steps, style);
        return write_diff_block(&[("", &words)], out);
    }
    let lines: Vec<_> = [("- ", &left), ("+ ", &right)]
        .into_iter()
        .filter_map(|(sign, value)| Some((sign, value.as_deref()?)))
        .collect();
    write_diff_block(&lines, out)
}

/// A `diff` block below an item of a list. Its fence is longer than any run of backticks within.
fn write_diff_block(lines: &[(&str, &str)], out: &mut dyn Write) -> io::Result<()> {
    let longest = lines
        .iter()
        .map(|(_, text)| longest_backtick_run(text))
        .max();
    let fence = "`".repeat(longest.unwrap_or(0).saturating_add(1).max(3));
    writeln!(out, "  {fence}diff")?;
    for (sign, text) in lines {
        writeln!(out, "  {sign}{text}")?;
    }
    writeln!(out, "  {fence}")
}

fn write_times(difference: &ExchangeDiff, out: &mut dyn Write) -> io::Result<()> {
    let Some(compared) = super::find_layer(difference, DiffLayer::Timing) else {
        return Ok(());
    };
    if compared.changes.is_empty() {
        return Ok(());
    }
    writeln!(out, "| timing | left | right | ratio |\n|---|--:|--:|--:|")?;
    for change in &compared.changes {
        let text = |shown: &Option<PlacedValue>| {
            change_lines::value_line(shown).unwrap_or_else(|| "-".to_owned())
        };
        let number =
            |shown: &Option<PlacedValue>| shown.as_ref().and_then(|shown| shown.value.as_f64());
        let ratio = match (number(&change.left), number(&change.right)) {
            (Some(left), Some(right)) if left > 0.0 => format!("{:.2}", right / left),
            _ => String::new(),
        };
        let name = table_cell(&change.at);
        let (left, right) = (text(&change.left), text(&change.right));
        writeln!(out, "| {name} | {left} | {right} | {ratio} |")?;
    }
    writeln!(out)
}

/// As inline code in a table, which no `|` ends.
pub(super) fn table_cell(text: &str) -> String {
    inline_code(text).replace('|', "\\|")
}

/// As inline code; its fence is longer than any run of backticks within.
pub(super) fn inline_code(text: &str) -> String {
    let text = wording::escape_line(text);
    match longest_backtick_run(&text) {
        0 => format!("`{text}`"),
        longest => {
            let fence = "`".repeat(longest.saturating_add(1));
            format!("{fence} {text} {fence}")
        }
    }
}

fn longest_backtick_run(text: &str) -> usize {
    let runs = text.split(|char| char != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_foreign_stands_in_code() {
        use crate::diff::{ChangeKind, DiffValue, LayerDiff};
        let evil = "<img src=x>";
        let shown = |path: Option<&str>| {
            Some(PlacedValue {
                path: path.map(str::to_owned),
                ..DiffValue::Text("1".to_owned()).into()
            })
        };
        let moved = DiffChange::new("/a", ChangeKind::Moved, shown(Some(evil)), shown(None));
        let time = |micros| Some(DiffValue::Micros(micros).into());
        let time = DiffChange::new(evil, ChangeKind::Changed, time(1), time(2));
        let layer = |layer, change| LayerDiff {
            layer,
            changes: vec![change],
            notes: vec![],
        };
        let difference = ExchangeDiff {
            left: evil.to_owned(),
            right: evil.to_owned(),
            layers: vec![
                layer(DiffLayer::Body, moved),
                layer(DiffLayer::Timing, time),
            ],
        };
        let mut out = Vec::new();
        write_markdown(&difference, DiffViewOptions::default(), &mut out).unwrap();
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
        assert_eq!(inline_code("a"), "`a`");
        assert_eq!(inline_code("a`b"), "`` a`b ``");
        assert_eq!(table_cell("a|b"), "`a\\|b`");
        let mut out = Vec::new();
        write_diff_block(&[("- ", "```"), ("+ ", "x")], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "  ````diff\n  - ```\n  + x\n  ````\n");
    }
}
