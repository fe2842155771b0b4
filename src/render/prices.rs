//! The table of prices: a row for each model.

use std::io::{self, Write};

use super::{OutputStyle, wording};
use crate::price::{PriceRow, PriceSource, TokenRate};

/// Writes `rows` under a heading that names their source.
pub fn write_table(
    rows: &[PriceRow<'_>],
    source: &PriceSource,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = source.name.as_deref().unwrap_or("a file of your own");
    let published = source.published.as_ref();
    let published = published
        .map(|published| format!(", published {published}"))
        .unwrap_or_default();
    let from = format!("{name}{published}; dollars per million tokens");
    writeln!(out, "{}", style.dim(&wording::escape_line(&from)))?;
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
            .map(|above| format!("  more above {}", wording::format_count(above)))
            .unwrap_or_default();
        let own = if row.own { "  (yours)" } else { "" };
        writeln!(
            out,
            "{:<44} {:<12} {:>10} {:>10} {:>10} {:>10}{long}{retires}{own}",
            wording::escape_line(row.model),
            wording::escape_line(row.provider),
            row.input,
            rate_cell(row.cached_input),
            rate_cell(row.cache_write),
            row.output,
        )?;
    }
    Ok(())
}

fn rate_cell(rate: Option<TokenRate>) -> String {
    rate.map_or_else(|| "-".to_owned(), |rate| rate.to_string())
}
