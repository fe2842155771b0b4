//! A difference in two columns, left and right, where the terminal is wide enough for both.

use std::io::{self, Write};

use super::super::{OutputStyle, TextStyle, wording};
use super::change_lines;
use super::view::{DiffView, write_layer_heading};
use crate::diff::DiffChange;

/// The least width of a column: below it, most words would be broken.
const MIN_COLUMN_WIDTH: usize = 20;

/// Writes each change as its place, and below it both values beside each other.
pub fn write_side_by_side(
    view: DiffView<'_>,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    // Seven columns are the margin and the bar.
    let column = style.width.saturating_sub(7).div_euclid(2);
    let column = column.max(MIN_COLUMN_WIDTH);
    let names = [&view.difference.left, &view.difference.right];
    let names = names.map(|name| wording::escape_line(name).into_owned());
    write_pair(&names, [TextStyle::Strong; 2], column, style, out)?;
    for (layer, changes) in view.shown_layers() {
        write_layer_heading(layer, style, out)?;
        for change in changes {
            write_change(change, column, style, out)?;
        }
    }
    view.write_ending(style, out)
}

fn write_change(
    change: &DiffChange,
    column: usize,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (sign, look) = change_lines::change_mark(change.what);
    let sign = style.paint(look, &sign.to_string());
    let at = style.paint(TextStyle::Name, &change_lines::place_text(change));
    let extra = style.dim(&change_lines::kind_and_remarks(change));
    writeln!(out, "  {sign} {at}{extra}")?;
    let sides = change_lines::side_lines(change).map(Option::unwrap_or_default);
    let looks = [TextStyle::Error, TextStyle::Success];
    write_pair(&sides, looks, column, style, out)
}

/// Writes two texts beside each other, each broken into lines of `column` characters.
fn write_pair(
    sides: &[String; 2],
    looks: [TextStyle; 2],
    column: usize,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let [left, right] = sides.each_ref().map(|text| wrap_text(text, column));
    let bar = if style.unicode { "│" } else { "|" };
    for n in 0..left.len().max(right.len()) {
        let text = |lines: &[String]| lines.get(n).cloned().unwrap_or_default();
        let pad = column.saturating_sub(text(&left).chars().count());
        let [one, other] = [(&left, looks[0]), (&right, looks[1])]
            .map(|(lines, look)| style.paint(look, &text(lines)));
        let line = format!("    {one}{} {bar} {other}", " ".repeat(pad));
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Lines of at most `column` characters, broken at a space where there is one in their last third.
fn wrap_text(text: &str, column: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some((end, _)) = rest.char_indices().nth(column) {
        let line = rest.get(..end).unwrap_or(rest);
        let third = line.len().saturating_sub(line.len().div_euclid(3));
        let space = line.rfind(' ').filter(|at| *at >= third);
        let cut = space.map_or(end, |at| at.saturating_add(1));
        let (line, after) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        lines.push(line.trim_end().to_owned());
        rest = after;
    }
    lines.push(rest.to_owned());
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap_text("one two three", 9), ["one two", "three"]);
        assert_eq!(wrap_text("onetwothree", 4), ["onet", "woth", "ree"]);
        assert_eq!(wrap_text("", 4), [""]);
    }
}
