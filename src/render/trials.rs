//! One request at several targets as a table: a row each; of repeated ones medians and spreads.

use std::io::{self, Write};

use super::{Look, Style, words};
use crate::call::runs::{Stat, Trial, Trials};

/// Heading, and whether the column is one of numbers.
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

/// The widest a column may be.
const WIDE: usize = 28;

/// Writes the table, and for repeated trials what varied.
pub fn table(all: &[Trials], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let rows: Vec<_> = all.iter().flat_map(rows).collect();
    let width = |n: usize| {
        let cells = rows.iter().filter_map(|row| row.get(n));
        let cells = cells.map(|cell| cell.chars().count());
        let heading = COLUMNS.get(n).map_or(0, |(name, _)| name.len());
        cells.max().unwrap_or(0).max(heading)
    };
    let widths: Vec<_> = (0..COLUMNS.len()).map(width).collect();
    let headings = COLUMNS.map(|(name, _)| name.to_owned());
    writeln!(out, "{}", style.dim(&line(&headings, &widths)))?;
    for row in &rows {
        writeln!(out, "{}", line(row, &widths))?;
    }
    for trials in all.iter().filter(|trials| trials.trials.len() > 1) {
        repeated(trials, style, out)?;
    }
    Ok(())
}

fn line(cells: &[String; 11], widths: &[usize]) -> String {
    let cells = cells.iter().zip(widths).zip(COLUMNS);
    let cells: Vec<_> = cells
        .map(|((cell, &width), (_, number))| match number {
            true => format!("{cell:>width$}"),
            false => format!("{cell:<width$}"),
        })
        .collect();
    cells.join("  ").trim_end().to_owned()
}

/// A row for each trial; the target is named once. One that was never asked, after an interruption, says so.
fn rows(trials: &Trials) -> Vec<[String; 11]> {
    if trials.trials.is_empty() {
        let trial = Trial {
            verdict: "not asked".to_owned(),
            ..Trial::default()
        };
        return vec![row(clip(&trials.target), &trial)];
    }
    let row = |(n, trial): (usize, &Trial)| {
        let target = if n == 0 {
            clip(&trials.target)
        } else {
            String::new()
        };
        row(target, trial)
    };
    trials.trials.iter().enumerate().map(row).collect()
}

fn row(target: String, trial: &Trial) -> [String; 11] {
    let dash = || "-".to_owned();
    let time = |micros: Option<u64>| micros.map_or_else(dash, words::time);
    let count = |number: Option<u64>| number.map_or_else(dash, words::count);
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
    let text = words::line(text);
    match text.char_indices().nth(WIDE) {
        None => text.into_owned(),
        Some(_) => {
            let kept: String = text.chars().take(WIDE.saturating_sub(2)).collect();
            format!("{kept}..")
        }
    }
}

/// Medians with least and greatest, and whether the answers were one and the same.
fn repeated(trials: &Trials, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let spread = &trials.spread;
    let all = trials.trials.len();
    let target = style.paint(Look::Strong, &words::line(&trials.target));
    let same = match (spread.answered, trials.answers) {
        (0, _) => "none was answered".to_owned(),
        (1, _) => "one was answered".to_owned(),
        (answered, 1) => format!("{answered} answers, identical"),
        (answered, answers) => format!("{answered} answers, {answers} different ones"),
    };
    let time = |micros: f64| words::time(micros.round() as u64);
    let number = |number: f64| format!("{number:.1}");
    let parts = [
        stat("TTFT", spread.first_content, time),
        stat("total", spread.total, time),
        stat("tokens", spread.output, |count| {
            words::count(count.round() as u64)
        }),
        stat("tokens/s", spread.speed, number),
    ];
    let parts: Vec<_> = std::iter::once(Some(same)).chain(parts).flatten().collect();
    writeln!(out, "{target} x{all}: {}", parts.join("; "))
}

fn stat(name: &str, stat: Option<Stat>, words: impl Fn(f64) -> String) -> Option<String> {
    let stat = stat?;
    let (least, most) = (words(stat.least), words(stat.most));
    Some(format!("{name} {} ({least} .. {most})", words(stat.median)))
}
