//! What differs between exchanges, as text: layer by layer, noise folded into one line.

mod bytes;
mod cache;
mod change_lines;
mod markdown;
mod matrix;
mod side_by_side;
mod timing;

pub use bytes::write_bytes;
pub use cache::write_cache;
pub use markdown::write_markdown;
pub use matrix::{write_markdown_matrix, write_matrix};
pub use side_by_side::write_side_by_side;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{OutputStyle, TextStyle, wording};
use crate::diff::noise::NOISE_TABLE;
use crate::diff::{ChangeKind, DiffChange, DiffLayer, ExchangeDiff, LayerDiff};

/// What is shown of a difference.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiffViewOptions {
    /// Noise too.
    pub with_noise: bool,
}

impl DiffViewOptions {
    fn includes(self, change: &DiffChange) -> bool {
        self.with_noise || change.noise.is_none()
    }
}

/// Writes the difference: each layer where something differs, then what was folded and what is the same.
pub fn write_unified(
    difference: &ExchangeDiff,
    shows: DiffViewOptions,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_heading(difference, style, out)?;
    for compared in &difference.layers {
        if compared.layer == DiffLayer::Timing {
            continue;
        }
        write_layer(compared, shows, style, out)?;
    }
    if let Some(compared) = find_layer(difference, DiffLayer::Timing) {
        timing::write_table(compared, shows, style, out)?;
    }
    write_ending(difference, shows, style, out)
}

/// Writes a line for each layer: how many changes of each kind, and how many are noise.
pub fn write_stat(
    difference: &ExchangeDiff,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    for compared in &difference.layers {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for change in &compared.changes {
            let name = match &change.noise {
                Some(_) => "noise",
                None => change.what.name(),
            };
            let count = counts.entry(name).or_default();
            *count = count.saturating_add(1);
        }
        let counts: Vec<_> = counts
            .into_iter()
            .map(|(name, count)| format!("{} {name}", wording::format_count(count)))
            .collect();
        let text = match counts.is_empty() {
            true => style.dim("same"),
            false => counts.join(", "),
        };
        writeln!(out, "{:<11} {text}", compared.layer.name())?;
    }
    Ok(())
}

/// Writes the table of what says nothing.
pub fn write_noise_rules(out: &mut dyn Write) -> io::Result<()> {
    for (layer, places, why) in NOISE_TABLE {
        writeln!(out, "{:<11} {places:<52} {}", layer.name(), why.text())?;
    }
    Ok(())
}

fn find_layer(difference: &ExchangeDiff, layer: DiffLayer) -> Option<&LayerDiff> {
    let mut layers = difference.layers.iter();
    layers.find(|compared| compared.layer == layer)
}

fn write_heading(
    difference: &ExchangeDiff,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let left = format!("--- {}", wording::escape_line(&difference.left));
    let right = format!("+++ {}", wording::escape_line(&difference.right));
    writeln!(out, "{}", style.paint(TextStyle::Strong, &left))?;
    writeln!(out, "{}", style.paint(TextStyle::Strong, &right))
}

/// Writes the changes of one layer under its name; nothing where none is shown.
fn write_layer(
    compared: &LayerDiff,
    shows: DiffViewOptions,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let shown: Vec<_> = compared
        .changes
        .iter()
        .filter(|change| shows.includes(change))
        .collect();
    if shown.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "{}",
        style.paint(TextStyle::Strong, compared.layer.name())
    )?;
    write_notes(compared, style, out)?;
    let steps = change_lines::steps_per_change(&shown);
    for group in change_groups(&shown) {
        if !group.is_empty() {
            writeln!(out, "  {}", style.dim(group))?;
        }
        for change in shown.iter().filter(|change| change.group == group) {
            change_lines::write_change(change, steps, style, out)?;
        }
    }
    Ok(())
}

/// What is to be said of how a layer was compared.
fn write_notes(compared: &LayerDiff, style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    for note in &compared.notes {
        writeln!(
            out,
            "  {}",
            style.dim(&format!("({})", wording::escape_line(note)))
        )?;
    }
    Ok(())
}

/// The groups, in the order in which they come.
fn change_groups(changes: &[&DiffChange]) -> Vec<&'static str> {
    let mut groups = Vec::new();
    for change in changes {
        if !groups.contains(&change.group) {
            groups.push(change.group);
        }
    }
    groups
}

/// What is folded, and what is the same.
fn write_ending(
    difference: &ExchangeDiff,
    shows: DiffViewOptions,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let different = |compared: &&LayerDiff| {
        let mut changes = compared.changes.iter();
        changes.any(|change| shows.includes(change))
    };
    let (differ, same): (Vec<_>, Vec<_>) = difference.layers.iter().partition(different);
    let names = |layers: &[&LayerDiff]| {
        let names: Vec<_> = layers
            .iter()
            .map(|compared| compared.layer.name())
            .collect();
        names.join(", ")
    };
    let same: Vec<_> = same
        .into_iter()
        .filter(|compared| compared.layer != DiffLayer::Timing)
        .collect();
    if differ.is_empty() {
        writeln!(out, "{}", style.paint(TextStyle::Success, "no difference"))?;
    } else if !same.is_empty() {
        writeln!(out, "{}", style.dim(&format!("same: {}", names(&same))))?;
    }
    match noise_summary(difference).filter(|_| !shows.with_noise) {
        Some(text) => writeln!(out, "{}", style.dim(&format!("{text}; --all shows them"))),
        None => Ok(()),
    }
}

/// Returns `noise: 12 differences that say nothing: ids are new each time (3), ...`; `None` without noise. Times are
/// not counted, since they have a table of their own.
fn noise_summary(difference: &ExchangeDiff) -> Option<String> {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    let noise = difference
        .changes()
        .filter(|(layer, _)| *layer != DiffLayer::Timing)
        .filter_map(|(_, change)| change.noise);
    for why in noise {
        let count = reasons.entry(why.text()).or_default();
        *count = count.saturating_add(1);
    }
    let total: u64 = reasons.values().sum();
    if total == 0 {
        return None;
    }
    let mut reasons: Vec<_> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let reasons: Vec<_> = reasons
        .into_iter()
        .map(|(why, count)| format!("{} ({})", why, wording::format_count(count)))
        .collect();
    let what = if total == 1 {
        "difference that says"
    } else {
        "differences that say"
    };
    Some(format!(
        "noise: {} {what} nothing: {}",
        wording::format_count(total),
        reasons.join(", ")
    ))
}

/// What stands before a change, and its looks.
fn change_mark(what: ChangeKind) -> (char, TextStyle) {
    match what {
        ChangeKind::Added => ('+', TextStyle::Success),
        ChangeKind::Removed => ('-', TextStyle::Error),
        ChangeKind::Changed => ('~', TextStyle::Warning),
        ChangeKind::Respelled | ChangeKind::Moved | ChangeKind::Reordered => ('=', TextStyle::Dim),
    }
}
