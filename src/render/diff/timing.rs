//! Two timelines side by side, with the ratio of each pair and a small picture.

use std::io::{self, Write};

use super::super::{OutputStyle, TextStyle, wording};
use super::DiffViewOptions;
use crate::diff::{DiffChange, DiffValue, LayerDiff, PlacedValue};

/// The most columns of one bar, and the fewest that show anything.
const BAR_WIDTHS: std::ops::RangeInclusive<usize> = 4..=16;

/// Columns beside the name of a row and its two bars.
const FIXED_COLUMNS: usize = 40;

/// Writes a row for each time that differs.
pub(super) fn write_table(
    compared: &LayerDiff,
    shows: DiffViewOptions,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    if compared.changes.is_empty() {
        return Ok(());
    }
    let name = style.paint(TextStyle::Strong, compared.layer.name());
    let width = compared
        .changes
        .iter()
        .map(|change| change.at.chars().count());
    let width = width.max().unwrap_or(0).min(40);
    let margin = " ".repeat(width.saturating_sub("timing".len()).saturating_add(4));
    let columns = format!("{margin}{:>12} {:>12} {:>7}", "left", "right", "ratio");
    writeln!(out, "{name}{}", style.dim(&columns))?;
    let most = compared.changes.iter().flat_map(|change| {
        let micros = [shown_micros(&change.left), shown_micros(&change.right)];
        micros.into_iter().flatten()
    });
    let most = most.max().unwrap_or(1).max(1);
    // Where there is no room for pictures, there are none.
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
        max_micros: most,
    };
    for change in &compared.changes {
        write_row(change, width, bars, shows, style, out)?;
    }
    Ok(())
}

/// How bars are drawn.
#[derive(Clone, Copy)]
struct BarScale {
    /// The longest.
    max_columns: usize,
    /// What that stands for, in microseconds.
    max_micros: u64,
}

fn write_row(
    change: &DiffChange,
    width: usize,
    bars: BarScale,
    shows: DiffViewOptions,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let value = |shown: &Option<PlacedValue>| match shown {
        Some(shown) => super::change_lines::clip_value(&shown.value, 12),
        None => "-".to_owned(),
    };
    let number =
        |shown: &Option<PlacedValue>| shown.as_ref().and_then(|shown| shown.value.as_f64());
    let ratio = match (number(&change.left), number(&change.right)) {
        (Some(left), Some(right)) if left > 0.0 => format!("{:.2}", right / left),
        _ => String::new(),
    };
    let bars = [
        draw_bar(&change.left, bars, style),
        draw_bar(&change.right, bars, style),
    ]
    .join(" ");
    let name = format!("  {:<width$}", wording::escape_line(&change.at));
    let line = format!(
        "{:>12} {:>12} {ratio:>7}  {bars}",
        value(&change.left),
        value(&change.right)
    );
    let usual = match (&change.usual, &change.noise) {
        (Some(usual), None) => format!("  (baseline: {})", wording::escape_line(usual)),
        _ => String::new(),
    };
    let outside = change.noise.is_none() && !shows.with_noise;
    let sign = if outside { "~" } else { " " };
    let sign = style.paint(TextStyle::Warning, sign);
    let line = format!("{name} {sign}{}{}", line.trim_end(), style.dim(&usual));
    writeln!(out, "{line}")
}

fn shown_micros(shown: &Option<PlacedValue>) -> Option<u64> {
    match shown.as_ref()?.value {
        DiffValue::Micros(micros) => Some(micros),
        _ => None,
    }
}

fn draw_bar(
    shown: &Option<PlacedValue>,
    BarScale {
        max_columns: columns,
        max_micros: most,
    }: BarScale,
    style: &OutputStyle,
) -> String {
    let Some(micros) = shown_micros(shown) else {
        return " ".repeat(columns);
    };
    let filled = u128::from(micros)
        .saturating_mul(columns as u128)
        .div_ceil(u128::from(most));
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
    use crate::diff::{ChangeKind, DiffLayer};

    #[test]
    fn rows_fit_the_terminal() {
        let time = |micros| Some(DiffValue::Micros(micros).into());
        let change = |at| DiffChange::new(at, ChangeKind::Changed, time(1_000), time(60_000_000));
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
            write_table(&compared, DiffViewOptions::default(), &style, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
            assert_eq!(text.contains('#'), pictured, "{width}: {text}");
        }
    }
}
