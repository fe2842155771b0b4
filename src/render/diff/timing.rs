//! The times of two exchanges as a table, with the ratio of each pair and bars.

use std::io::{self, Write};

use super::super::{OutputStyle, TextStyle};
use super::change_lines;
use crate::diff::{ChangeSide, DiffChange, DiffValue, LayerDiff};

/// The most columns of one bar, and the fewest in which a difference can be seen.
const BAR_WIDTHS: std::ops::RangeInclusive<usize> = 4..=16;

/// Columns that a row needs beside its name and its two bars: three columns of numbers, and the gaps.
const FIXED_COLUMNS: usize = 40;

/// Writes a row for each time that differs.
pub(super) fn write_table(
    layer: &LayerDiff,
    with_noise: bool,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = style.paint(TextStyle::Strong, layer.layer.name());
    let changes = layer.changes.iter();
    let width = changes.map(|change| change_lines::place_text(change).chars().count());
    let width = width.max().unwrap_or(0).min(40);
    let margin = " ".repeat(width.saturating_sub("timing".len()).saturating_add(4));
    let columns = format!("{margin}{:>12} {:>12} {:>7}", "left", "right", "ratio");
    writeln!(out, "{name}{}", style.dim(&columns))?;
    let values = layer.changes.iter();
    let values = values.flat_map(|change| [&change.left, &change.right]);
    let room = style
        .width
        .saturating_sub(width.saturating_add(FIXED_COLUMNS));
    let columns = room.div_euclid(2).min(*BAR_WIDTHS.end());
    let bars = BarScale {
        max_columns: if BAR_WIDTHS.contains(&columns) {
            columns
        } else {
            0
        },
        max_micros: values.filter_map(micros).max().unwrap_or(1).max(1),
    };
    layer
        .changes
        .iter()
        .try_for_each(|change| write_row(change, width, bars, with_noise, style, out))
}

/// The size of bars.
#[derive(Clone, Copy)]
struct BarScale {
    /// Columns of the longest bar; 0 where the terminal has no room for bars.
    max_columns: usize,
    /// The time of the longest bar, in microseconds.
    max_micros: u64,
}

fn write_row(
    change: &DiffChange,
    width: usize,
    bars: BarScale,
    with_noise: bool,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let value = |value: &Option<ChangeSide>| match value {
        Some(value) => change_lines::clip_value(&value.value, 12),
        None => "-".to_owned(),
    };
    let bars = [&change.left, &change.right].map(|value| draw_bar(value, bars, style));
    let name = format!("  {:<width$}", change_lines::place_text(change));
    let line = format!(
        "{:>12} {:>12} {:>7}  {}",
        value(&change.left),
        value(&change.right),
        ratio_text(change),
        bars.join(" ")
    );
    let usual = match (&change.usual, &change.noise) {
        (Some(usual), None) => format!("  (baseline: {usual})"),
        _ => String::new(),
    };
    let is_unusual = change.noise.is_none() && !with_noise;
    let sign = style.paint(TextStyle::Warning, if is_unusual { "~" } else { " " });
    writeln!(out, "{name} {sign}{}{}", line.trim_end(), style.dim(&usual))
}

/// Right divided by left, or nothing where that has no meaning.
pub(super) fn ratio_text(change: &DiffChange) -> String {
    let number = |value: &Option<ChangeSide>| value.as_ref()?.value.as_f64();
    match (number(&change.left), number(&change.right)) {
        (Some(left), Some(right)) if left > 0.0 => format!("{:.2}", right / left),
        _ => String::new(),
    }
}

fn micros(value: &Option<ChangeSide>) -> Option<u64> {
    match value.as_ref()?.value {
        DiffValue::Micros(micros) => Some(micros),
        _ => None,
    }
}

fn draw_bar(value: &Option<ChangeSide>, scale: BarScale, style: &OutputStyle) -> String {
    let columns = scale.max_columns;
    let Some(micros) = micros(value) else {
        return " ".repeat(columns);
    };
    let filled = u128::from(micros)
        .saturating_mul(columns as u128)
        .div_ceil(u128::from(scale.max_micros));
    let filled = usize::try_from(filled).unwrap_or_default();
    let (full, empty) = match style.unicode {
        true => ("█", "·"),
        false => ("#", "."),
    };
    let rest = columns.saturating_sub(filled);
    format!("{}{}", full.repeat(filled), empty.repeat(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{ChangeKind, DiffLayer, DiffPlace};

    #[test]
    fn rows_fit_the_terminal() {
        let time = |micros| Some(DiffValue::Micros(micros).into());
        let change = |at| {
            DiffChange::new(
                DiffPlace::fact(at),
                ChangeKind::Changed,
                time(1_000),
                time(60_000_000),
            )
        };
        let compared = LayerDiff {
            layer: DiffLayer::Timing,
            changes: vec![change("x-envoy-upstream-service-time"), change("wait")],
            notes: vec![],
        };
        for (width, pictured) in [(70, false), (80, true), (100, true), (200, true)] {
            let style = OutputStyle {
                width,
                ..OutputStyle::default()
            };
            let mut out = Vec::new();
            write_table(&compared, false, &style, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
            assert_eq!(text.contains('#'), pictured, "{width}: {text}");
        }
    }
}
