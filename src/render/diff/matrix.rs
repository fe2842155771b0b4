//! Several exchanges as a table: a column each, a row for each fact that is not equal in all.

use std::io::{self, Write};

use super::super::{Look, Style, words};
use super::values;
use crate::diff::{Layer, Matrix, Row};

/// The narrowest a column of values may be.
const NARROW: usize = 12;

/// The widest a column may be.
const WIDE: usize = 32;

/// Writes the table. Noise is left out unless `all`; times are left out of that rule, for they are why one looks.
pub fn matrix(matrix: &Matrix, all: bool, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let shown = |row: &&Row| all || row.noise.is_none() || row.layer == Layer::Timing;
    let rows: Vec<_> = matrix.rows.iter().filter(shown).collect();
    let names: Vec<_> = matrix.names.iter().map(|name| words::line(name)).collect();
    for (letter, name) in ('A'..='Z').chain('a'..='z').zip(&names) {
        writeln!(
            out,
            "{} {name}",
            style.paint(Look::Strong, &letter.to_string())
        )?;
    }
    if rows.is_empty() {
        return writeln!(out, "{}", style.paint(Look::Good, "no difference"));
    }
    let longest = rows.iter().map(|row| row.at.chars().count()).max();
    let place = longest.unwrap_or_default().clamp(8, WIDE);
    let columns = matrix.names.len().max(1);
    let room = style.width.saturating_sub(place.saturating_add(2));
    let column = room.checked_div(columns).unwrap_or_default();
    let column = column.saturating_sub(2).clamp(NARROW, WIDE);
    let letters = ('A'..='Z').chain('a'..='z').take(columns);
    let head: Vec<_> = letters.map(|letter| format!("{letter:<column$}")).collect();
    writeln!(
        out,
        "{}",
        style.dim(format!("{:place$}  {}", "", head.join("  ")).trim_end())
    )?;
    let mut layer = None;
    for row in &rows {
        if layer.replace(row.layer) != Some(row.layer) {
            writeln!(out, "{}", style.paint(Look::Strong, row.layer.name()))?;
        }
        line(row, place, column, style, out)?;
    }
    let folded = matrix.rows.len().saturating_sub(rows.len());
    if folded > 0 {
        let text = format!("noise: {folded} rows that say nothing; --all shows them");
        writeln!(out, "{}", style.dim(&text))?;
    }
    Ok(())
}

fn line(
    row: &Row,
    place: usize,
    column: usize,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let cells: Vec<_> = row
        .cells
        .iter()
        .map(|cell| {
            let text = match cell {
                Some(value) => narrow(&values::value(value, 400), column),
                None => "-".to_owned(),
            };
            format!("{text:<column$}")
        })
        .collect();
    let at = narrow(&words::line(&row.at), place);
    let at = style.paint(Look::Name, &format!("{at:<place$}"));
    writeln!(out, "{}", format!("{at}  {}", cells.join("  ")).trim_end())
}

/// At most `width` characters: of a longer text the beginning and the end.
fn narrow(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let tail = width.saturating_sub(2).div_euclid(3);
    let head = width.saturating_sub(2).saturating_sub(tail);
    let begin: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(length.saturating_sub(tail)).collect();
    format!("{begin}..{end}")
}
