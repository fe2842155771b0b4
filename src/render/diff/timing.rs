//! Two timelines side by side, with the ratio of each pair and a small picture.

use std::io::{self, Write};

use super::super::{Look, Style, words};
use super::Shows;
use crate::diff::{Change, Compared, Shown, Value};

/// The most columns of one bar, and the fewest that show anything.
const BAR: std::ops::RangeInclusive<usize> = 4..=16;

/// Columns beside the name of a row and its two bars.
const REST: usize = 40;

/// Writes a row for each time that differs.
pub(super) fn table(
    compared: &Compared,
    shows: Shows,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    if compared.changes.is_empty() {
        return Ok(());
    }
    let name = style.paint(Look::Strong, compared.layer.name());
    let width = compared
        .changes
        .iter()
        .map(|change| change.at.chars().count());
    let width = width.max().unwrap_or(0).min(40);
    let margin = " ".repeat(width.saturating_sub("timing".len()).saturating_add(4));
    let columns = format!("{margin}{:>12} {:>12} {:>7}", "left", "right", "ratio");
    writeln!(out, "{name}{}", style.dim(&columns))?;
    let most = compared.changes.iter().flat_map(|change| {
        let micros = [micros(&change.left), micros(&change.right)];
        micros.into_iter().flatten()
    });
    let most = most.max().unwrap_or(1).max(1);
    // Where there is no room for pictures, there are none.
    let room = style.width.saturating_sub(width.saturating_add(REST));
    let columns = room.div_euclid(2).min(*BAR.end());
    let bars = Bars {
        columns: if BAR.contains(&columns) { columns } else { 0 },
        most,
    };
    for change in &compared.changes {
        row(change, width, bars, shows, style, out)?;
    }
    Ok(())
}

/// How bars are drawn.
#[derive(Clone, Copy)]
struct Bars {
    /// The longest.
    columns: usize,
    /// What that stands for, in microseconds.
    most: u64,
}

fn row(
    change: &Change,
    width: usize,
    bars: Bars,
    shows: Shows,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let value = |shown: &Option<Shown>| match shown {
        Some(shown) => super::values::value(&shown.value, 12),
        None => "-".to_owned(),
    };
    let number = |shown: &Option<Shown>| shown.as_ref().and_then(|shown| shown.value.number());
    let ratio = match (number(&change.left), number(&change.right)) {
        (Some(left), Some(right)) if left > 0.0 => format!("{:.2}", right / left),
        _ => String::new(),
    };
    let bars = [
        bar(&change.left, bars, style),
        bar(&change.right, bars, style),
    ]
    .join(" ");
    let name = format!("  {:<width$}", words::line(&change.at));
    let line = format!(
        "{:>12} {:>12} {ratio:>7}  {bars}",
        value(&change.left),
        value(&change.right)
    );
    let usual = match (&change.usual, &change.noise) {
        (Some(usual), None) => format!("  (baseline: {})", words::line(usual)),
        _ => String::new(),
    };
    let outside = change.noise.is_none() && !shows.all;
    let sign = if outside { "~" } else { " " };
    let sign = style.paint(Look::Odd, sign);
    let line = format!("{name} {sign}{}{}", line.trim_end(), style.dim(&usual));
    writeln!(out, "{line}")
}

fn micros(shown: &Option<Shown>) -> Option<u64> {
    match shown.as_ref()?.value {
        Value::Micros(micros) => Some(micros),
        _ => None,
    }
}

fn bar(shown: &Option<Shown>, Bars { columns, most }: Bars, style: &Style) -> String {
    let Some(micros) = micros(shown) else {
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
    use crate::diff::{Layer, What};

    #[test]
    fn rows_fit_the_terminal() {
        let time = |micros| Some(Value::Micros(micros).into());
        let change = |at| Change::new(at, What::Changed, time(1_000), time(60_000_000));
        let compared = Compared {
            layer: Layer::Timing,
            changes: vec![change("x-envoy-upstream-service-time"), change("wait")],
            notes: vec![],
        };
        for (width, pictured) in [(70, false), (80, true), (100, true), (200, true)] {
            let style = Style {
                width,
                ..Style::default()
            };
            let mut out = Vec::new();
            table(&compared, Shows::default(), &style, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
            assert_eq!(text.contains('#'), pictured, "{width}: {text}");
        }
    }
}
