//! A conversation as a table: one line a step.

use std::io::{self, Write};

use super::super::super::{Look, Style, words};
use super::{NAME, clip, percent};
use crate::prompt_cache::{CacheStep, State};

/// One line a step: how much is kept, what was reported, what is lost, and where.
pub(super) fn table(steps: &[CacheStep], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let head = format!(
        "{:>4} {:>7} {:>16} {:>9}  {}",
        "STEP", "KEPT", "CACHED", "LOST", "WHERE"
    );
    writeln!(out, "{}", style.paint(Look::Strong, &head))?;
    for (n, step) in steps.iter().enumerate() {
        let telling = step.telling();
        let cached = match (step.check.cached, step.check.input) {
            (None, _) => "-".to_owned(),
            (Some(cached), None) => words::count(cached),
            (Some(cached), Some(input)) => {
                format!("{}/{}", words::count(cached), words::count(input))
            }
        };
        let (look, place) = place(step);
        let row = format!(
            "{:>4} {:>7} {cached:>16} {:>9}  ",
            n.saturating_add(1),
            percent(telling),
            words::count(telling.lost.tokens),
        );
        writeln!(out, "{row}{}", style.paint(look, &place))?;
    }
    let of = |state| steps.iter().filter(|step| step.state == state).count() as u64;
    let respelled = match of(State::Respelled) {
        0 => String::new(),
        count => format!(", {} respell it", words::count(count)),
    };
    let lost = steps.iter().map(|step| step.telling().lost.tokens);
    let lost = lost.fold(0u64, u64::saturating_add);
    let text = format!(
        "{} of {} steps break the prefix{respelled}; some {} tokens that were sent before stand behind a break",
        words::count(of(State::Broken)),
        words::count(steps.len() as u64),
        words::count(lost)
    );
    writeln!(out, "{}", style.dim(&text))
}

fn place(step: &CacheStep) -> (Look, String) {
    let first = step.written.divergence.as_ref();
    match (step.state, &step.telling().divergence) {
        (State::Intact | State::Shortened, _) => (Look::Good, "intact".to_owned()),
        (State::Respelled, _) => {
            let segment = first.map(|first| clip(&first.segment, NAME));
            (
                Look::Odd,
                format!("respelled at {}", segment.unwrap_or_default()),
            )
        }
        (State::Broken, None) => (Look::Bad, "broken".to_owned()),
        (State::Broken, Some(divergence)) => {
            let what = match divergence.spellings.is_empty() {
                true => divergence.what.name(),
                false => "respelled",
            };
            (
                Look::Bad,
                format!("{} {what}", clip(&divergence.segment, NAME)),
            )
        }
    }
}
