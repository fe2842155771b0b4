//! What differs between exchanges, as text: layer by layer, noise folded into one line.

mod bytes;
mod cache;
mod markdown;
mod matrix;
mod side;
mod timing;
mod values;

pub use bytes::bytes;
pub use cache::cache;
pub use markdown::markdown;
pub use matrix::{markdown_matrix, matrix};
pub use side::side_by_side;

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{Look, Style, words};
use crate::diff::noise::TABLE;
use crate::diff::{Change, Compared, Difference, Layer, What};

/// What is shown of a difference.
#[derive(Clone, Copy, Debug, Default)]
pub struct Shows {
    /// Noise too.
    pub all: bool,
}

impl Shows {
    fn shows(self, change: &Change) -> bool {
        self.all || change.noise.is_none()
    }
}

/// Writes the difference: each layer where something differs, then what was folded and what is the same.
pub fn unified(
    difference: &Difference,
    shows: Shows,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    heading(difference, style, out)?;
    for compared in &difference.layers {
        if compared.layer == Layer::Timing {
            continue;
        }
        layer(compared, shows, style, out)?;
    }
    if let Some(compared) = of_layer(difference, Layer::Timing) {
        timing::table(compared, shows, style, out)?;
    }
    ending(difference, shows, style, out)
}

/// Writes a line for each layer: how many changes of each kind, and how many are noise.
pub fn stat(difference: &Difference, style: &Style, out: &mut dyn Write) -> io::Result<()> {
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
            .map(|(name, count)| format!("{} {name}", words::count(count)))
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
pub fn rules(out: &mut dyn Write) -> io::Result<()> {
    for (layer, places, why) in TABLE {
        writeln!(out, "{:<11} {places:<52} {why}", layer.name())?;
    }
    Ok(())
}

fn of_layer(difference: &Difference, layer: Layer) -> Option<&Compared> {
    let mut layers = difference.layers.iter();
    layers.find(|compared| compared.layer == layer)
}

fn heading(difference: &Difference, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let left = format!("--- {}", words::line(&difference.left));
    let right = format!("+++ {}", words::line(&difference.right));
    writeln!(out, "{}", style.paint(Look::Strong, &left))?;
    writeln!(out, "{}", style.paint(Look::Strong, &right))
}

/// Writes the changes of one layer under its name; nothing where none is shown.
fn layer(compared: &Compared, shows: Shows, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let shown: Vec<_> = compared
        .changes
        .iter()
        .filter(|change| shows.shows(change))
        .collect();
    if shown.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}", style.paint(Look::Strong, compared.layer.name()))?;
    notes(compared, style, out)?;
    let steps = values::steps(&shown);
    for group in groups(&shown) {
        if !group.is_empty() {
            writeln!(out, "  {}", style.dim(group))?;
        }
        for change in shown.iter().filter(|change| change.group == group) {
            values::change(change, steps, style, out)?;
        }
    }
    Ok(())
}

/// What is to be said of how a layer was compared.
fn notes(compared: &Compared, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for note in &compared.notes {
        writeln!(out, "  {}", style.dim(&format!("({})", words::line(note))))?;
    }
    Ok(())
}

/// The groups, in the order in which they come.
fn groups(changes: &[&Change]) -> Vec<&'static str> {
    let mut groups = Vec::new();
    for change in changes {
        if !groups.contains(&change.group) {
            groups.push(change.group);
        }
    }
    groups
}

/// What is folded, and what is the same.
fn ending(
    difference: &Difference,
    shows: Shows,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let different = |compared: &&Compared| {
        let mut changes = compared.changes.iter();
        changes.any(|change| shows.shows(change))
    };
    let (differ, same): (Vec<_>, Vec<_>) = difference.layers.iter().partition(different);
    let names = |layers: &[&Compared]| {
        let names: Vec<_> = layers
            .iter()
            .map(|compared| compared.layer.name())
            .collect();
        names.join(", ")
    };
    let same: Vec<_> = same
        .into_iter()
        .filter(|compared| compared.layer != Layer::Timing)
        .collect();
    if differ.is_empty() {
        writeln!(out, "{}", style.paint(Look::Good, "no difference"))?;
    } else if !same.is_empty() {
        writeln!(out, "{}", style.dim(&format!("same: {}", names(&same))))?;
    }
    match folded(difference).filter(|_| !shows.all) {
        Some(text) => writeln!(out, "{}", style.dim(&text)),
        None => Ok(()),
    }
}

/// `noise: 12 differences that say nothing: ids are new each time (3), ...; --all shows them`. The times of two
/// exchanges are shown as a table, and not counted.
fn folded(difference: &Difference) -> Option<String> {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    let noise = difference
        .changes()
        .filter(|(layer, _)| *layer != Layer::Timing)
        .filter_map(|(_, change)| change.noise.as_deref());
    for why in noise {
        let count = reasons.entry(why).or_default();
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
        .map(|(why, count)| format!("{} ({})", words::line(why), words::count(count)))
        .collect();
    let what = if total == 1 {
        "difference that says"
    } else {
        "differences that say"
    };
    Some(format!(
        "noise: {} {what} nothing: {}; --all shows them",
        words::count(total),
        reasons.join(", ")
    ))
}

/// What stands before a change, and its looks.
fn mark(what: What) -> (char, Look) {
    match what {
        What::Added => ('+', Look::Good),
        What::Removed => ('-', Look::Bad),
        What::Changed => ('~', Look::Odd),
        What::Respelled | What::Moved | What::Reordered => ('=', Look::Dim),
    }
}
