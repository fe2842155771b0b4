//! `wire prices`: the table that every verb counts by.

use std::io::Write;

use super::args::{self, CommonArgs};
use super::error::CliError;
use super::exit::ExitReason;
use super::{output, read_options};
use crate::price::find_rows;
use crate::render::prices;

/// Runs `wire prices`.
pub(super) fn run(common: &CommonArgs, args: &args::PricesArgs) -> Result<ExitReason, CliError> {
    let table = read_options::load_prices(common)?;
    let rows = find_rows(&table, args.model.as_deref());
    if let (Some(model), true) = (&args.model, rows.is_empty()) {
        return Err(CliError::usage(format!("no price is known for `{model}`"))
            .with_hint("`wire prices` lists all; --prices FILE adds your own"));
    }
    let mut text = Vec::new();
    let written = match args.json {
        true => rows
            .iter()
            .try_for_each(|row| writeln!(text, "{}", serde_json::to_string(row)?)),
        false => prices::write_table(
            &rows,
            table.source(),
            &output::stdout_style(common),
            &mut text,
        ),
    };
    written.map_err(CliError::usage)?;
    match args.json {
        true => output::write_stdout(&text),
        false => output::print_report(&text),
    }
}
