//! Several exchanges as a table: a column each, a row for each fact that is not equal in all.

use std::io::{self, Write};

use super::super::{OutputStyle, TextStyle, wording};
use super::view::NoiseView;
use super::{change_lines, markdown};
use crate::diff::{DiffLayer, DiffMatrix, DiffValue, MatrixRow};

/// Least width of a column of values: a number with its unit, or the beginning of a word, fits.
const MIN_COLUMN_WIDTH: usize = 12;

/// Greatest width of a column: three exchanges then fit 120 columns.
const MAX_COLUMN_WIDTH: usize = 32;

/// Writes the table.
pub fn write_matrix(
    matrix: &DiffMatrix,
    noise: NoiseView<'_>,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let rows = shown_rows(matrix, noise);
    for (n, name) in matrix.names.iter().enumerate() {
        let letter = style.paint(TextStyle::Strong, &column_letter(n));
        writeln!(out, "{letter} {}", wording::escape_line(name))?;
    }
    if rows.is_empty() {
        return writeln!(out, "{}", style.paint(TextStyle::Success, "no difference"));
    }
    let longest = rows
        .iter()
        .map(|row| row.at.to_string().chars().count())
        .max();
    let place = longest.unwrap_or_default().clamp(8, MAX_COLUMN_WIDTH);
    let room = style.width.saturating_sub(place.saturating_add(2));
    let most = room.div_euclid(MIN_COLUMN_WIDTH.saturating_add(2)).max(2);
    for columns in column_blocks(matrix.names.len(), most) {
        let column = room.checked_div(columns.len()).unwrap_or_default();
        let column = column.saturating_sub(2);
        let column = column.clamp(MIN_COLUMN_WIDTH, MAX_COLUMN_WIDTH);
        write_block(&rows, &columns, (place, column), style, out)?;
    }
    let folded = matrix.rows.len().saturating_sub(rows.len());
    if let (true, NoiseView::Hidden(hint)) = (folded > 0, noise) {
        let text = format!("noise: {folded} rows that say nothing; {hint}");
        writeln!(out, "{}", style.dim(&text))?;
    }
    Ok(())
}

/// The rows that are not noise, and those of times, which a reader of the table looks for; all rows if noise is shown.
fn shown_rows<'a>(matrix: &'a DiffMatrix, noise: NoiseView<'_>) -> Vec<&'a MatrixRow> {
    let shown = |row: &&MatrixRow| {
        noise.is_shown() || row.noise.is_none() || row.layer == DiffLayer::Timing
    };
    matrix.rows.iter().filter(shown).collect()
}

/// The columns of each part of a table of which `most` fit beside each other. The first column is in all parts, since
/// the others are compared with it.
fn column_blocks(columns: usize, most: usize) -> Vec<Vec<usize>> {
    let others: Vec<_> = (1..columns).collect();
    if columns <= most {
        return vec![(0..columns).collect()];
    }
    let parts = others.chunks(most.saturating_sub(1).max(1));
    parts.map(|part| [&[0], part].concat()).collect()
}

/// Writes some columns of the table.
fn write_block(
    rows: &[&MatrixRow],
    columns: &[usize],
    (place, column): (usize, usize),
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let letters = columns.iter().map(|&n| column_letter(n));
    let head: Vec<_> = letters.map(|letter| format!("{letter:<column$}")).collect();
    let head = format!("{:place$}  {}", "", head.join("  "));
    writeln!(out, "{}", style.dim(head.trim_end()))?;
    let mut layer = None;
    for row in rows {
        // Where the table is written in parts, a row may be equal in all columns of one part.
        if columns
            .iter()
            .all(|&n| row.cells.get(n) == row.cells.first())
        {
            continue;
        }
        if layer.replace(row.layer) != Some(row.layer) {
            writeln!(out, "{}", style.paint(TextStyle::Strong, row.layer.name()))?;
        }
        write_row(row, columns, (place, column), style, out)?;
    }
    Ok(())
}

/// Writes the table as one of GitHub's Markdown.
pub fn write_markdown_matrix(
    matrix: &DiffMatrix,
    noise: NoiseView<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (n, name) in matrix.names.iter().enumerate() {
        let name = markdown::inline_code(name);
        writeln!(out, "- {} {name}", column_letter(n))?;
    }
    let rows = shown_rows(matrix, noise);
    if rows.is_empty() {
        return writeln!(out, "\nNo difference.");
    }
    let letters: Vec<_> = (0..matrix.names.len()).map(column_letter).collect();
    let lines = "|---".repeat(letters.len().saturating_add(2));
    writeln!(out, "\n| layer | | {} |\n{lines}|", letters.join(" | "))?;
    for row in rows {
        let cell =
            |value: &Option<DiffValue>| match shorten_middle(&cell_text(value), MAX_COLUMN_WIDTH) {
                text if value.is_none() => text,
                text => markdown::table_cell(&text),
            };
        let cells: Vec<_> = row.cells.iter().map(cell).collect();
        let at = markdown::table_cell(&row.at.to_string());
        let layer = row.layer.name();
        writeln!(out, "| {layer} | {at} | {} |", cells.join(" | "))?;
    }
    Ok(())
}

/// The name of the column of that number: `A`, ..., `Z`, `AA`, ...
fn column_letter(n: usize) -> String {
    let (before, own) = (n.div_euclid(26), n.rem_euclid(26));
    let own = (b'A'..=b'Z').nth(own).map_or('?', char::from);
    match before.checked_sub(1) {
        Some(before) => format!("{}{own}", column_letter(before)),
        None => own.to_string(),
    }
}

/// How much of the beginning and of the end of a value can be shown, in characters: more than any column has.
const CELL_END_CHARS: usize = 200;

/// A value on one line, without the middle if it is long; a dash if there is none.
fn cell_text(cell: &Option<DiffValue>) -> String {
    let Some(value) = cell else {
        return "-".to_owned();
    };
    let text = change_lines::value_text(value);
    let length = text.chars().count();
    if length <= CELL_END_CHARS.saturating_mul(2) {
        return wording::escape_line(&text).into_owned();
    }
    let head: String = text.chars().take(CELL_END_CHARS).collect();
    let tail = text.chars().skip(length.saturating_sub(CELL_END_CHARS));
    let tail: String = tail.collect();
    wording::escape_line(&head).into_owned() + &wording::escape_line(&tail)
}

fn write_row(
    row: &MatrixRow,
    columns: &[usize],
    (place, column): (usize, usize),
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let cell =
        |cell: &Option<DiffValue>| format!("{:<column$}", shorten_middle(&cell_text(cell), column));
    let cells = columns.iter().filter_map(|&n| row.cells.get(n));
    let cells: Vec<_> = cells.map(cell).collect();
    let at = shorten_middle(&wording::escape_line(&row.at.to_string()), place);
    let at = style.paint(TextStyle::Name, &format!("{at:<place$}"));
    writeln!(out, "{}", format!("{at}  {}", cells.join("  ")).trim_end())
}

/// The text if it has at most `width` characters, else its beginning and end.
fn shorten_middle(text: &str, width: usize) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{DiffPlace, RowPlace};

    #[test]
    fn columns_that_do_not_fit_come_in_parts() {
        assert_eq!(column_blocks(3, 4), [vec![0, 1, 2]]);
        assert_eq!(
            column_blocks(6, 3),
            [vec![0, 1, 2], vec![0, 3, 4], vec![0, 5]]
        );
        assert_eq!(column_blocks(1, 2), [vec![0]]);
    }

    #[test]
    fn every_column_has_a_letter_of_its_own() {
        let letters = [0, 25, 26, 51, 52, 701, 702].map(column_letter);
        assert_eq!(letters, ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]);
    }

    #[test]
    fn of_a_long_value_both_ends_are_shown() {
        let long = format!("begin {}end", "x".repeat(9000));
        let cell = cell_text(&Some(DiffValue::Text(long)));
        assert_eq!(shorten_middle(&cell, 12), "begin x..end");
    }

    #[test]
    fn a_cell_of_markdown_stays_one() {
        let value = |text: &str| Some(DiffValue::Text(text.to_owned()));
        let matrix = DiffMatrix {
            names: vec!["a".to_owned(), "b".to_owned()],
            rows: vec![MatrixRow {
                layer: DiffLayer::Meaning,
                at: RowPlace {
                    place: DiffPlace::fact("text"),
                    kind: None,
                },
                group: "",
                cells: vec![value("<img>|`x`"), None],
                noise: None,
            }],
        };
        let mut out = Vec::new();
        write_markdown_matrix(&matrix, NoiseView::Hidden(""), &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert!(
            out.ends_with("| meaning | `text` | `` <img>\\|`x` `` | - |\n"),
            "{out}"
        );
    }
}
