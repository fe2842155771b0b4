//! The table of prices, a row a model.

use std::io::{self, Write};

use super::{Style, words};
use crate::price::{Rate, Row, Source};

/// Writes `rows` under a heading that says where they come from.
pub fn table(
    rows: &[Row<'_>],
    source: &Source,
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = source.name.as_deref().unwrap_or("a file of your own");
    let published = source.published.as_ref();
    let published = published
        .map(|published| format!(", published {published}"))
        .unwrap_or_default();
    let from = format!("{name}{published}; dollars per million tokens");
    writeln!(out, "{}", style.dim(&words::line(&from)))?;
    let heading = format!(
        "{:<44} {:<12} {:>10} {:>10} {:>10} {:>10}",
        "MODEL", "PROVIDER", "INPUT", "CACHED", "WRITTEN", "OUTPUT"
    );
    writeln!(out, "{}", style.dim(&heading))?;
    for row in rows {
        let retires = row
            .retires
            .map(|day| format!("  until {day}"))
            .unwrap_or_default();
        let long = row
            .long_above
            .map(|above| format!("  more above {}", words::count(above)))
            .unwrap_or_default();
        let own = if row.own { "  (yours)" } else { "" };
        writeln!(
            out,
            "{:<44} {:<12} {:>10} {:>10} {:>10} {:>10}{long}{retires}{own}",
            words::line(row.model),
            words::line(row.provider),
            row.input,
            rate(row.cached_input),
            rate(row.cache_write),
            row.output,
        )?;
    }
    Ok(())
}

fn rate(rate: Option<Rate>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| rate.to_string())
}
