//! Two timelines side by side, with the ratio of each pair and a small picture.

use std::io::{self, Write};

use super::super::{Look, Style, words};
use super::Shows;
use crate::diff::{Change, Compared, Shown, Value};

/// Columns of one bar.
const BAR: u64 = 16;

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
    for change in &compared.changes {
        row(change, width, most, shows, style, out)?;
    }
    Ok(())
}

fn row(
    change: &Change,
    width: usize,
    most: u64,
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
        bar(&change.left, most, style),
        bar(&change.right, most, style),
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
    writeln!(out, "{name} {sign}{line}{}", style.dim(&usual))
}

fn micros(shown: &Option<Shown>) -> Option<u64> {
    match shown.as_ref()?.value {
        Value::Micros(micros) => Some(micros),
        _ => None,
    }
}

fn bar(shown: &Option<Shown>, most: u64, style: &Style) -> String {
    let Some(micros) = micros(shown) else {
        return " ".repeat(usize::try_from(BAR).unwrap_or_default());
    };
    let filled = u128::from(micros)
        .saturating_mul(u128::from(BAR))
        .div_ceil(u128::from(most));
    let filled = usize::try_from(filled).unwrap_or_default();
    let (full, empty) = match style.unicode {
        true => ("█", "·"),
        false => ("#", "."),
    };
    let rest = usize::try_from(BAR)
        .unwrap_or_default()
        .saturating_sub(filled);
    format!("{}{}", full.repeat(filled), empty.repeat(rest))
}
