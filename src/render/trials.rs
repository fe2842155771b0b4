//! The table of one request sent to several targets: a row for each run, and medians and ranges of repeated runs.

use std::io::{self, Write};

use serde::Serialize;

use super::diff::{NoiseView, write_matrix};
use super::{OutputStyle, TextStyle, json_output, wording};
use crate::call::runs::{MedianRange, TargetRun, TargetRuns};
use crate::diff::DiffMatrix;

/// The heading of each column, and whether it holds numbers.
const COLUMNS: [(&str, bool); 11] = [
    ("TARGET", false),
    ("MODEL", false),
    ("STATUS", true),
    ("TTFT", true),
    ("TOTAL", true),
    ("IN", true),
    ("OUT", true),
    ("TOK/S", true),
    ("COST", true),
    ("FINISH", false),
    ("TOOLS", false),
];

/// The widest column, in characters: eleven columns should fit a wide terminal.
const MAX_COLUMN_WIDTH: usize = 28;

/// Writes the table of all runs, and for several targets what differs between their first answers.
pub fn write_report(
    all: &[TargetRuns],
    matrix: &DiffMatrix,
    noise: NoiseView<'_>,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    write_table(all, style, out)?;
    if matrix.names.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    write_matrix(matrix, noise, style, out)
}

/// Writes the runs and the differences as one JSON document.
pub fn write_json(
    targets: &[TargetRuns],
    matrix: &DiffMatrix,
    out: &mut dyn Write,
) -> io::Result<()> {
    #[derive(Serialize)]
    struct SendManyDocument<'a> {
        targets: &'a [TargetRuns],
        matrix: &'a DiffMatrix,
    }
    json_output::write_value(&SendManyDocument { targets, matrix }, out)
}

/// Writes the table, and for repeated runs the statistics.
fn write_table(all: &[TargetRuns], style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<_> = all.iter().flat_map(trial_rows).collect();
    let width = |n: usize| {
        let cells = rows.iter().filter_map(|row| row.get(n));
        let cells = cells.map(|cell| cell.chars().count());
        let heading = COLUMNS.get(n).map_or(0, |(name, _)| name.len());
        cells.max().unwrap_or(0).max(heading)
    };
    let widths: Vec<_> = (0..COLUMNS.len()).map(width).collect();
    let headings = COLUMNS.map(|(name, _)| name.to_owned());
    writeln!(out, "{}", style.dim(&format_row(&headings, &widths)))?;
    for row in &rows {
        writeln!(out, "{}", format_row(row, &widths))?;
    }
    for trials in all.iter().filter(|trials| trials.trials.len() > 1) {
        write_repeat_stats(trials, style, out)?;
    }
    Ok(())
}

fn format_row(cells: &[String; 11], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).zip(COLUMNS);
    let cells: Vec<_> = cells
        .map(|((cell, &width), (_, number))| match number {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        })
        .collect();
    cells.join("  ").trim_end().to_owned()
}

/// A row for each run; the first names the target. A target that was not reached before an interruption says so.
fn trial_rows(trials: &TargetRuns) -> Vec<[String; 11]> {
    if trials.trials.is_empty() {
        let trial = TargetRun {
            verdict: "not asked".to_owned(),
            ..TargetRun::default()
        };
        return vec![trial_row(clip(&trials.target), &trial)];
    }
    let row = |(n, trial): (usize, &TargetRun)| {
        let target = if n == 0 {
            clip(&trials.target)
        } else {
            String::new()
        };
        trial_row(target, trial)
    };
    trials.trials.iter().enumerate().map(row).collect()
}

fn trial_row(target: String, trial: &TargetRun) -> [String; 11] {
    let dash = || "-".to_owned();
    let time = |micros: Option<u64>| micros.map_or_else(dash, wording::format_duration);
    let count = |number: Option<u64>| number.map_or_else(dash, wording::format_count);
    let calls = trial.calls;
    [
        target,
        trial.model.as_deref().map_or_else(dash, clip),
        trial.status.map_or_else(dash, |status| status.to_string()),
        time(trial.first_content),
        time(trial.total),
        count(trial.input),
        count(trial.output),
        trial.speed.map_or_else(dash, |speed| format!("{speed:.1}")),
        trial.cost.map_or_else(dash, |cost| cost.to_string()),
        clip(trial.finish.as_deref().unwrap_or(&trial.verdict)),
        match calls.all {
            0 => dash(),
            all if all == calls.valid => format!("{all} valid"),
            all => format!("{} of {all} valid", calls.valid),
        },
    ]
}

fn clip(text: &str) -> String {
    wording::clip_to_width(text, MAX_COLUMN_WIDTH)
}

/// Writes median, min and max of repeated runs, and whether all answers were identical.
fn write_repeat_stats(
    trials: &TargetRuns,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let spread = &trials.spread;
    let all = trials.trials.len();
    let target = style.paint(TextStyle::Strong, &wording::escape_line(&trials.target));
    let same = match (spread.answered, trials.answers) {
        (0, _) => "none was answered".to_owned(),
        (1, _) => "one was answered".to_owned(),
        (answered, 1) => format!("{answered} answers, identical"),
        (answered, answers) => format!("{answered} answers, {answers} different ones"),
    };
    let time = |micros: f64| wording::format_duration(micros.round() as u64);
    let number = |number: f64| format!("{number:.1}");
    let parts = [
        describe_stat("TTFT", spread.first_content, time),
        describe_stat("total", spread.total, time),
        describe_stat("tokens", spread.output, |count| {
            wording::format_count(count.round() as u64)
        }),
        describe_stat("tokens/s", spread.speed, number),
    ];
    let parts: Vec<_> = std::iter::once(Some(same)).chain(parts).flatten().collect();
    writeln!(out, "{target} x{all}: {}", parts.join("; "))
}

fn describe_stat(
    name: &str,
    stat: Option<MedianRange>,
    words: impl Fn(f64) -> String,
) -> Option<String> {
    let stat = stat?;
    let (least, most) = (words(stat.least), words(stat.most));
    Some(format!("{name} {} ({least} .. {most})", words(stat.median)))
}
