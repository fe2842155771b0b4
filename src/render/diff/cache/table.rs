//! A conversation as a table: one line for each pair of requests.

use std::io::{self, Write};

use super::super::super::{OutputStyle, TextStyle, wording};
use super::short_text::{NAME_LIMIT, clip, kept_percent};
use crate::prompt_cache::{CacheComparison, PrefixState};

/// Writes one line for each pair: the share that is kept, the reported and the lost tokens, and the place of the break.
pub(super) fn write_table(
    steps: &[CacheComparison],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let head = format!(
        "{:>4} {:>7} {:>16} {:>9}  {}",
        "STEP", "KEPT", "CACHED", "LOST", "WHERE"
    );
    writeln!(out, "{}", style.paint(TextStyle::Strong, &head))?;
    for (n, step) in steps.iter().enumerate() {
        let telling = step.effective_prefix();
        let cached = match (step.check.cached, step.check.input) {
            (None, _) => "-".to_owned(),
            (Some(cached), None) => wording::format_count(cached),
            (Some(cached), Some(input)) => {
                format!(
                    "{}/{}",
                    wording::format_count(cached),
                    wording::format_count(input)
                )
            }
        };
        let (look, place) = break_cell(step);
        let row = format!(
            "{:>4} {:>7} {cached:>16} {:>9}  ",
            n.saturating_add(1),
            kept_percent(telling),
            wording::format_count(telling.lost.tokens),
        );
        writeln!(out, "{row}{}", style.paint(look, &place))?;
    }
    let of = |state| steps.iter().filter(|step| step.state == state).count() as u64;
    let respelled = match of(PrefixState::Respelled) {
        0 => String::new(),
        count => format!(", {} respell it", wording::format_count(count)),
    };
    let lost = steps.iter().map(|step| step.effective_prefix().lost.tokens);
    let lost = lost.fold(0u64, u64::saturating_add);
    let text = format!(
        "{} of {} steps break the prefix{respelled}; some {} tokens that were sent before stand behind a break",
        wording::format_count(of(PrefixState::Broken)),
        wording::format_count(steps.len() as u64),
        wording::format_count(lost)
    );
    writeln!(out, "{}", style.dim(&text))
}

fn break_cell(step: &CacheComparison) -> (TextStyle, String) {
    let first = step.written.divergence.as_ref();
    match (step.state, &step.effective_prefix().divergence) {
        (PrefixState::Intact | PrefixState::Shortened, _) => {
            (TextStyle::Success, "intact".to_owned())
        }
        (PrefixState::Respelled, _) => {
            let segment = first.map(|first| clip(&first.segment, NAME_LIMIT));
            (
                TextStyle::Warning,
                format!("respelled at {}", segment.unwrap_or_default()),
            )
        }
        (PrefixState::Broken, None) => (TextStyle::Error, "broken".to_owned()),
        (PrefixState::Broken, Some(divergence)) => {
            let what = match divergence.spellings.is_empty() {
                true => divergence.what.name(),
                false => "respelled",
            };
            (
                TextStyle::Error,
                format!("{} {what}", clip(&divergence.segment, NAME_LIMIT)),
            )
        }
    }
}
