//! The table of `wire ls`: one row for each capture.

use std::io::{self, Write};

use serde::Serialize;

use super::{OutputStyle, TextStyle, escape, wording};
use crate::catalog::row::{CatalogOutcome, CatalogRow};
use crate::lint::FindingCounts;
use crate::price::TokenCounts;

/// Writes the heading of the table.
pub fn write_heading(style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    let text = format!(
        "{:<5} {:<19} {:<22} {:<20} {:<8} {:<10} {:>13} {:>11} {:>10} {:>9} {:>10}",
        "ID",
        "STARTED",
        "HOST",
        "MODEL",
        "STATUS",
        "FINISH",
        "TOKENS",
        "COST",
        "BYTES",
        "TTFT",
        "TIME"
    );
    writeln!(out, "{}", style.dim(&text))
}

/// Writes the row of one capture as a line of JSON.
pub fn write_json_row(
    name: &str,
    entry: &CatalogRow,
    cost: Option<&str>,
    out: &mut dyn Write,
) -> io::Result<()> {
    #[derive(Serialize)]
    struct JsonRow<'a> {
        name: &'a str,
        #[serde(flatten)]
        entry: &'a CatalogRow,
        cost: Option<&'a str>,
    }
    let row = serde_json::to_string(&JsonRow { name, entry, cost })?;
    writeln!(out, "{}", escape::escape_json(&row))
}

/// The end of a capture's file name, which finds it.
fn name_tag(name: &str) -> &str {
    let stem = name.strip_suffix(".wire").unwrap_or(name);
    stem.rsplit('-').next().unwrap_or(stem)
}

/// Writes the row of one capture. `cost` is its price as text.
pub fn write_row(
    name: &str,
    entry: &CatalogRow,
    cost: Option<&str>,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_cells(name_tag(name), entry, cost, style, out)
}

/// Writes the row of the call with that number, from 1, below the row of its connection.
pub fn write_call_row(
    number: usize,
    entry: &CatalogRow,
    cost: Option<&str>,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_cells(&format!("  .{number}"), entry, cost, style, out)
}

fn write_cells(
    tag: &str,
    entry: &CatalogRow,
    cost: Option<&str>,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let started = entry.started.to_string();
    let started = started.split('.').next().unwrap_or_default();
    let started = started.trim_end_matches('Z').replace('T', " ");
    let status = entry
        .status
        .map_or_else(|| "-".to_owned(), |status| status.to_string());
    let (status, look) = match entry.ending {
        CatalogOutcome::Whole if entry.status.is_some_and(|status| status >= 400) => {
            (status, TextStyle::Warning)
        }
        CatalogOutcome::Whole => (status, TextStyle::Success),
        broken => (
            format!("{status} {}", ending_word(broken)),
            TextStyle::Error,
        ),
    };
    let model = match (&entry.model, entry.calls.len()) {
        (Some(model), _) => model.clone(),
        (None, 0) => "-".to_owned(),
        (None, 1) => "1 call".to_owned(),
        (None, count) => format!("{count} calls"),
    };
    let finish = match entry.warm_up {
        true => "warm-up",
        false => entry.finish.as_deref().unwrap_or("-"),
    };
    let mut mark = match entry.unverified {
        true => style.paint(TextStyle::Warning, "  NOT VERIFIED"),
        false => String::new(),
    };
    mark.push_str(&findings_mark(entry.findings, style));
    writeln!(
        out,
        "{:<5} {started:<19} {:<22} {:<20} {} {:<10} {:>13} {:>11} {:>10} {:>9} {:>10}{mark}",
        wording::escape_line(tag),
        wording::clip_to_width(&entry.host, 22),
        wording::clip_to_width(&model, 20),
        style.paint(look, &format!("{status:<8}")),
        wording::clip_to_width(finish, 10),
        entry
            .tokens
            .as_ref()
            .map_or_else(|| "-".to_owned(), format_tokens),
        cost.unwrap_or("-"),
        wording::format_count(entry.bytes),
        entry.ttft.map_or_else(|| "-".to_owned(), short_duration),
        short_duration(entry.micros),
    )
}

/// The numbers of findings at the end of a row; empty without any.
fn findings_mark(findings: FindingCounts, style: &OutputStyle) -> String {
    let kinds = [
        (findings.error, "error", TextStyle::Error),
        (findings.warning, "warning", TextStyle::Warning),
    ];
    let parts = kinds.iter().filter(|(count, ..)| *count > 0);
    let parts = parts.map(|(count, noun, look)| {
        let plural = if *count == 1 { "" } else { "s" };
        style.paint(*look, &format!("  {count} {noun}{plural}"))
    });
    parts.collect()
}

/// Token counts as `in+out`.
fn format_tokens(tokens: &TokenCounts) -> String {
    let count =
        |count: Option<u64>| count.map_or_else(|| "?".to_owned(), |count| count.to_string());
    format!("{}+{}", count(tokens.input), count(tokens.output))
}

/// A duration for a narrow column.
fn short_duration(micros: u64) -> String {
    match micros {
        0..10_000_000 => format!("{} ms", micros.div_euclid(1000)),
        _ => format!("{:.1} s", micros as f64 / 1e6),
    }
}

/// Writes the row of a file that cannot be read as a capture.
pub fn write_unreadable(
    name: &str,
    error: &str,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let text = format!(
        "{}: {}",
        wording::escape_line(name),
        wording::escape_line(error)
    );
    writeln!(out, "{}", style.paint(TextStyle::Error, &text))
}

fn ending_word(ending: CatalogOutcome) -> &'static str {
    match ending {
        CatalogOutcome::Whole => "",
        CatalogOutcome::Broken => "brk",
        CatalogOutcome::Down => "down",
        CatalogOutcome::Late => "late",
        CatalogOutcome::Interrupted => "^C",
        CatalogOutcome::Stopped => "stop",
        CatalogOutcome::Silent => "none",
        CatalogOutcome::Cut => "cut",
        CatalogOutcome::Lost => "lost",
        CatalogOutcome::Open => "open",
    }
}
