//! The list of captures: one row each.

use std::io::{self, Write};

use super::{Look, Style, words};
use crate::exchange::Outcome;
use crate::listing::Entry;

/// Writes the heading.
pub fn heading(style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let text = format!(
        "{:<6} {:<20} {:<24} {:<22} {:<9} {:>12} {:>12}",
        "ID", "STARTED", "HOST", "MODEL", "STATUS", "BYTES", "TIME"
    );
    writeln!(out, "{}", style.dim(text.trim_end()))
}

/// Writes the row of one capture. `tag` is the shortest name that finds it.
pub fn row(tag: &str, entry: &Entry, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let started = entry.started.to_string();
    let started = started
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end_matches('Z');
    let status = entry
        .status
        .map_or_else(|| "-".to_owned(), |status| status.to_string());
    let (status, look) = match &entry.outcome {
        Outcome::Whole if entry.status.is_some_and(|status| status >= 400) => (status, Look::Odd),
        Outcome::Whole => (status, Look::Good),
        broken => (format!("{status} {}", ending(broken)), Look::Bad),
    };
    writeln!(
        out,
        "{:<6} {started:<20} {:<24} {:<22} {} {:>12} {:>12}",
        words::line(tag),
        clip(&entry.host, 24),
        clip(entry.model.as_deref().unwrap_or("-"), 22),
        style.paint(look, &format!("{status:<9}")),
        words::count(entry.bytes),
        words::time(entry.micros),
    )
}

/// Writes the row of a file that is no capture.
pub fn unreadable(name: &str, error: &str, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let text = format!("{}: {}", words::line(name), words::line(error));
    writeln!(out, "{}", style.paint(Look::Bad, &text))
}

fn ending(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Whole => "",
        Outcome::NoConnection { .. } => "down",
        Outcome::TimedOut { .. } => "late",
        Outcome::Interrupted => "^C",
        Outcome::NoResponse { .. } => "none",
        Outcome::Cut { .. } => "cut",
        Outcome::Lost { .. } => "lost",
        Outcome::Unfinished => "open",
    }
}

/// At most `width` characters on one line.
fn clip(text: &str, width: usize) -> String {
    let text = words::line(text);
    if text.chars().count() <= width {
        return text.into_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(2)).collect();
    format!("{kept}..")
}
