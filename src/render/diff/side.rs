//! A difference in two columns, left and right, where the terminal is wide enough for both.

use std::io::{self, Write};

use super::super::{Look, Style, words};
use super::{Shows, mark, of_layer, timing, values};
use crate::diff::{Change, Difference, Layer};

/// The narrowest a column may be.
const NARROW: usize = 20;

/// Writes each change as its place, and below it both values beside each other.
pub fn side_by_side(
    difference: &Difference,
    shows: Shows,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let column = style.width.saturating_sub(7).div_euclid(2).max(NARROW);
    let names = [&difference.left, &difference.right].map(|name| words::line(name).into_owned());
    pair(&names, [Look::Strong; 2], column, style, out)?;
    for compared in &difference.layers {
        let mut changes = compared
            .changes
            .iter()
            .filter(|change| shows.shows(change))
            .peekable();
        if compared.layer == Layer::Timing || changes.peek().is_none() {
            continue;
        }
        writeln!(out, "{}", style.paint(Look::Strong, compared.layer.name()))?;
        super::notes(compared, style, out)?;
        for change in changes {
            one(change, column, style, out)?;
        }
    }
    if let Some(compared) = of_layer(difference, Layer::Timing) {
        timing::table(compared, shows, style, out)?;
    }
    super::ending(difference, shows, style, out)
}

fn one(change: &Change, column: usize, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let (sign, look) = mark(change.what);
    let sign = style.paint(look, &sign.to_string());
    let at = style.paint(Look::Name, &values::place(change));
    let extra = style.dim(&values::extra(change));
    writeln!(out, "  {sign} {at}{extra}")?;
    let sides = values::sides(change).map(Option::unwrap_or_default);
    pair(&sides, [Look::Bad, Look::Good], column, style, out)
}

/// Both texts beside each other, each broken into lines of `column` characters.
fn pair(
    sides: &[String; 2],
    looks: [Look; 2],
    column: usize,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let [left, right] = sides.each_ref().map(|text| broken(text, column));
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
fn broken(text: &str, column: usize) -> Vec<String> {
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
        assert_eq!(broken("one two three", 9), ["one two", "three"]);
        assert_eq!(broken("onetwothree", 4), ["onet", "woth", "ree"]);
        assert_eq!(broken("", 4), [""]);
    }
}
