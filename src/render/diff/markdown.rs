//! A difference for an issue or a pull request: headings, lists and `diff` blocks of GitHub's Markdown.

use std::io::{self, Write};

use super::super::{OutputStyle, wording};
use super::view::DiffView;
use super::{change_lines, timing};
use crate::diff::{ChangeSide, DiffChange};

/// Writes the difference as Markdown.
pub fn write_markdown(view: DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let names = [&view.difference.left, &view.difference.right];
    let [left, right] = names.map(|name| inline_code(name));
    writeln!(out, "### {left} → {right}\n")?;
    let mut is_same = true;
    for (layer, changes) in view.shown_layers() {
        is_same = false;
        writeln!(out, "**{}**\n", layer.layer.name())?;
        for note in &layer.notes {
            writeln!(out, "({})\n", note.text())?;
        }
        let limit = change_lines::words_per_change(&changes);
        for change in changes {
            write_change(change, limit, out)?;
        }
        writeln!(out)?;
    }
    if is_same {
        writeln!(out, "No difference.\n")?;
    }
    write_times(view, out)?;
    match view.noise_summary() {
        Some(text) => writeln!(out, "_{text}_"),
        None => Ok(()),
    }
}

fn write_change(change: &DiffChange, words: usize, out: &mut dyn Write) -> io::Result<()> {
    // Paths and reasons may hold anything.
    let remarks = change_lines::change_remarks(change);
    let remarks = remarks.map(|remarks| format!(", {}", inline_code(&remarks)));
    let place = inline_code(&change_lines::place_text(change));
    let what = change.what.name();
    writeln!(out, "- {place} {what}{}", remarks.unwrap_or_default())?;
    if let Some((left, right)) = change_lines::prose_texts(change) {
        let plain = OutputStyle::default();
        let words = change_lines::word_diff(&left, &right, words, &plain);
        return write_diff_block(&[("", &words)], out);
    }
    let [left, right] = change_lines::side_lines(change);
    let lines = [("- ", &left), ("+ ", &right)].into_iter();
    let lines = lines.filter_map(|(sign, value)| Some((sign, value.as_deref()?)));
    write_diff_block(&lines.collect::<Vec<_>>(), out)
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

fn write_times(view: DiffView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let Some(layer) = view.timing() else {
        return Ok(());
    };
    writeln!(out, "| timing | left | right | ratio |\n|---|--:|--:|--:|")?;
    for change in &layer.changes {
        let text = |value: &Option<ChangeSide>| {
            change_lines::value_line(value).unwrap_or_else(|| "-".to_owned())
        };
        let name = table_cell(&change_lines::place_text(change));
        let (left, right) = (text(&change.left), text(&change.right));
        let ratio = timing::ratio_text(change);
        writeln!(out, "| {name} | {left} | {right} | {ratio} |")?;
    }
    writeln!(out)
}

/// A text as inline code in a table: `|` is escaped, since it ends a cell.
pub(super) fn table_cell(text: &str) -> String {
    inline_code(text).replace('|', "\\|")
}

/// A text as inline code. The fence is longer than any run of backticks in the text.
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
        use crate::diff::{ChangeKind, DiffLayer, DiffPlace, DiffValue, ExchangeDiff, LayerDiff};
        let evil = "<img src=x>";
        let shown = |path: Option<&'static str>| {
            Some(ChangeSide {
                path: path.map(DiffPlace::fact),
                ..DiffValue::Text("1".to_owned()).into()
            })
        };
        let moved = DiffChange::new(
            DiffPlace::fact("/a"),
            ChangeKind::Moved,
            shown(Some(evil)),
            shown(None),
        );
        let time = |micros| Some(DiffValue::Micros(micros).into());
        let time = DiffChange::new(DiffPlace::fact(evil), ChangeKind::Changed, time(1), time(2));
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
        let view = DiffView {
            difference: &difference,
            noise: crate::render::diff::NoiseView::Hidden(""),
        };
        write_markdown(view, &mut out).unwrap();
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
