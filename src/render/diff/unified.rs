//! A difference with one change below the other, and the short reports: counts and the table of noise rules.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::super::{OutputStyle, TextStyle, wording};
use super::change_lines;
use super::view::{DiffView, write_layer_heading};
use crate::diff::ExchangeDiff;
use crate::diff::noise::NOISE_TABLE;

/// Writes each layer that differs, then the equal layers and a summary of the noise.
pub fn write_unified(
    view: DiffView<'_>,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (sign, name) in [
        ("---", &view.difference.left),
        ("+++", &view.difference.right),
    ] {
        let line = format!("{sign} {}", wording::escape_line(name));
        writeln!(out, "{}", style.paint(TextStyle::Strong, &line))?;
    }
    for (layer, changes) in view.shown_layers() {
        write_layer_heading(layer, style, out)?;
        let limit = change_lines::words_per_change(&changes);
        // Groups in the order of their first change.
        let mut groups: Vec<&str> = Vec::new();
        for group in changes.iter().map(|change| change.group) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        for group in groups {
            if !group.is_empty() {
                writeln!(out, "  {}", style.dim(group))?;
            }
            for change in changes.iter().filter(|change| change.group == group) {
                change_lines::write_change(change, limit, style, out)?;
            }
        }
    }
    view.write_ending(style, out)
}

/// Writes one line for each layer: how many changes of each kind it has, and how many are noise.
pub fn write_stat(
    difference: &ExchangeDiff,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    for layer in &difference.layers {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for change in &layer.changes {
            let name = match &change.noise {
                Some(_) => "noise",
                None => change.what.name(),
            };
            let count = counts.entry(name).or_default();
            *count = count.saturating_add(1);
        }
        let counts = counts.into_iter();
        let counts = counts.map(|(name, count)| format!("{} {name}", wording::format_count(count)));
        let counts: Vec<_> = counts.collect();
        let text = match counts.is_empty() {
            true => style.dim("same"),
            false => counts.join(", "),
        };
        writeln!(out, "{:<11} {text}", layer.layer.name())?;
    }
    Ok(())
}

/// Writes the built-in noise rules: layer, places, reason.
pub fn write_noise_rules(out: &mut dyn Write) -> io::Result<()> {
    NOISE_TABLE.iter().try_for_each(|(layer, places, reason)| {
        writeln!(out, "{:<11} {places:<52} {}", layer.name(), reason.text())
    })
}
