//! A view of a difference: the changes that are shown, and the summary of those that are not.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::super::{OutputStyle, TextStyle, wording};
use super::timing;
use crate::diff::{DiffChange, DiffLayer, ExchangeDiff, LayerDiff};

/// Whether differences that are noise are shown.
#[derive(Clone, Copy, Debug)]
pub enum NoiseView<'a> {
    /// They are shown.
    Shown,
    /// They are counted only. The text says how to show them.
    Hidden(&'a str),
}

impl NoiseView<'_> {
    pub(super) fn is_shown(self) -> bool {
        matches!(self, Self::Shown)
    }
}

/// A difference between two exchanges, and whether its noise is shown too.
#[derive(Clone, Copy, Debug)]
pub struct DiffView<'a> {
    /// The difference.
    pub difference: &'a ExchangeDiff,
    /// Whether changes that are noise are shown.
    pub noise: NoiseView<'a>,
}

/// A layer, and those of its changes that are shown.
pub(super) type ShownLayer<'a> = (&'a LayerDiff, Vec<&'a DiffChange>);

impl<'a> DiffView<'a> {
    fn shown_changes(self, layer: &'a LayerDiff) -> Vec<&'a DiffChange> {
        let changes = layer.changes.iter();
        let shown = changes.filter(|change| self.noise.is_shown() || change.noise.is_none());
        shown.collect()
    }

    /// The layers that have a change to show, except timing, which has a table of its own.
    pub(super) fn shown_layers(self) -> impl Iterator<Item = ShownLayer<'a>> {
        let layers = self.difference.layers.iter();
        let layers = layers.filter(|layer| layer.layer != DiffLayer::Timing);
        let layers = layers.map(move |layer| (layer, self.shown_changes(layer)));
        layers.filter(|(_, changes)| !changes.is_empty())
    }

    /// The timing layer, if it was compared and differs.
    pub(super) fn timing(self) -> Option<&'a LayerDiff> {
        let mut layers = self.difference.layers.iter();
        layers.find(|layer| layer.layer == DiffLayer::Timing && !layer.changes.is_empty())
    }

    /// Writes the table of times, the layers that are equal, and a summary of the noise.
    pub(super) fn write_ending(self, style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
        if let Some(layer) = self.timing() {
            timing::write_table(layer, self.noise.is_shown(), style, out)?;
        }
        let layers = self.difference.layers.iter();
        let (differ, same): (Vec<_>, Vec<_>) =
            layers.partition(|layer| !self.shown_changes(layer).is_empty());
        let same = same.iter().map(|layer| layer.layer);
        let same = same.filter(|layer| *layer != DiffLayer::Timing);
        let same: Vec<_> = same.map(DiffLayer::name).collect();
        if differ.is_empty() {
            writeln!(out, "{}", style.paint(TextStyle::Success, "no difference"))?;
        } else if !same.is_empty() {
            writeln!(out, "{}", style.dim(&format!("same: {}", same.join(", "))))?;
        }
        match (self.noise_summary(), self.noise) {
            (Some(text), NoiseView::Hidden(hint)) => {
                writeln!(out, "{}", style.dim(&format!("{text}; {hint}")))
            }
            _ => Ok(()),
        }
    }

    /// Returns `noise: 12 differences that say nothing: ids are new each time (3), ...`; `None` if no noise is hidden.
    /// Times are not counted, since they have a table of their own.
    pub(super) fn noise_summary(self) -> Option<String> {
        if self.noise.is_shown() {
            return None;
        }
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        let changes = self.difference.changes();
        let changes = changes.filter(|(layer, _)| *layer != DiffLayer::Timing);
        for reason in changes.filter_map(|(_, change)| change.noise) {
            let count = reasons.entry(reason.text()).or_default();
            *count = count.saturating_add(1);
        }
        let total: u64 = reasons.values().sum();
        let what = match total {
            0 => return None,
            1 => "difference that says",
            _ => "differences that say",
        };
        let mut reasons: Vec<_> = reasons.into_iter().collect();
        reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let reasons = reasons.into_iter();
        let reasons =
            reasons.map(|(why, count)| format!("{why} ({})", wording::format_count(count)));
        let reasons: Vec<_> = reasons.collect();
        Some(format!(
            "noise: {} {what} nothing: {}",
            wording::format_count(total),
            reasons.join(", ")
        ))
    }
}

/// Writes the name of a layer, and the notes on how it was compared.
pub(super) fn write_layer_heading(
    layer: &LayerDiff,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = style.paint(TextStyle::Strong, layer.layer.name());
    writeln!(out, "{name}")?;
    layer
        .notes
        .iter()
        .try_for_each(|note| writeln!(out, "  {}", style.dim(&format!("({})", note.text()))))
}
