//! `wire ls`: the captures of the folder, newest first.

use std::io::Write;

use super::args::{self, Common};
use super::complain::Complaint;
use super::exit::Exit;
use super::output;
use crate::capture::store::{self, Store};
use crate::listing::Entry;
use crate::render::{escape, listing};

/// Runs `wire ls`.
pub(super) fn run(common: &Common, args: &args::Ls) -> Result<Exit, Complaint> {
    let store = output::store(common);
    let names = store.names().map_err(Complaint::usage)?;
    let wanted = names.iter().rev().take(args.limit.unwrap_or(usize::MAX));
    let mut text = Vec::new();
    let written = match args.json {
        true => wanted
            .into_iter()
            .try_for_each(|name| document(&store, name, &mut text)),
        false => table(common, &store, wanted, &mut text),
    };
    written.map_err(Complaint::usage)?;
    if names.is_empty() {
        let folder = store.folder().display();
        Complaint::usage(format!("no captures in {folder}"))
            .hint("`wire send` makes one")
            .tell();
    }
    match args.json {
        true => output::plain(&text),
        false => output::report(&text),
    }
}

fn table<'a>(
    common: &Common,
    store: &Store,
    names: impl Iterator<Item = &'a String>,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    let style = output::stdout_style(common);
    let mut names = names.peekable();
    if names.peek().is_some() {
        listing::heading(&style, out)?;
    }
    for name in names {
        match store::open(&store.path(name)) {
            Ok(reading) => listing::row(tag(name), &Entry::of(&reading.tape), &style, out)?,
            Err(error) => listing::unreadable(name, &error.to_string(), &style, out)?,
        }
    }
    Ok(())
}

/// The end of a file's name, which names the capture.
fn tag(name: &str) -> &str {
    let stem = name.strip_suffix(".wire").unwrap_or(name);
    stem.rsplit('-').next().unwrap_or(stem)
}

fn document(store: &Store, name: &str, out: &mut Vec<u8>) -> std::io::Result<()> {
    #[derive(serde::Serialize)]
    struct Row {
        name: String,
        #[serde(flatten)]
        entry: Option<Entry>,
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    }
    let (entry, error) = match store::open(&store.path(name)) {
        Ok(reading) => (Some(Entry::of(&reading.tape)), None),
        Err(error) => (None, Some(error.to_string())),
    };
    let row = serde_json::to_string(&Row {
        name: name.to_owned(),
        entry,
        error,
    })?;
    writeln!(out, "{}", escape::json_safe(&row))
}
