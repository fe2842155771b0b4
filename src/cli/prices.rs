//! `wire prices`: the table that every verb counts by.

use std::io::Write;

use super::args::{self, Common};
use super::complain::Complaint;
use super::exit::Exit;
use super::{means, output};
use crate::price::rows;
use crate::render::prices;

/// Runs `wire prices`.
pub(super) fn run(common: &Common, args: &args::Prices) -> Result<Exit, Complaint> {
    let table = means::table(common)?;
    let rows = rows(&table, args.model.as_deref());
    if let (Some(model), true) = (&args.model, rows.is_empty()) {
        return Err(Complaint::usage(format!("no price is known for `{model}`"))
            .hint("`wire prices` lists all; --prices FILE adds your own"));
    }
    let mut text = Vec::new();
    let written = match args.json {
        true => rows
            .iter()
            .try_for_each(|row| writeln!(text, "{}", serde_json::to_string(row)?)),
        false => prices::table(
            &rows,
            table.source(),
            &output::stdout_style(common),
            &mut text,
        ),
    };
    written.map_err(Complaint::usage)?;
    match args.json {
        true => output::plain(&text),
        false => output::report(&text),
    }
}
