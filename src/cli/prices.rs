//! `wire prices`, and the table that every verb counts by.

use std::io::Write;

use super::args::{self, Common};
use super::complain::Complaint;
use super::exit::Exit;
use super::{env, output};
use crate::price::{Prices, rows};
use crate::render::prices;

/// Runs `wire prices`.
pub(super) fn run(common: &Common, args: &args::Prices) -> Result<Exit, Complaint> {
    let table = table(common)?;
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

/// The embedded table, with the user's own entries before it.
#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
pub(super) fn table(common: &Common) -> Result<Prices, Complaint> {
    let embedded = Prices::embedded();
    let Some(path) = common.prices.clone().or_else(|| env::path("WIRE_PRICES")) else {
        return Ok(embedded.clone());
    };
    let bytes = std::fs::read(&path).map_err(|error| Complaint::file(&path, &error))?;
    let own = Prices::parse(&bytes).map_err(|error| {
        Complaint::usage(format!("{}: {error}", path.display())).hint(
            r#"a file looks like {"models": [{"model": "...", "input": 0.15, "output": 0.6}]}"#,
        )
    })?;
    Ok(embedded.with(own))
}
