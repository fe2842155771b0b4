//! `wire ls`: the captures of the folder, newest first.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::args::{self, CommonArgs};
use super::error::CliError;
use super::exit::ExitReason;
use super::{output, read_options};
use crate::call::meaning::CostEstimate;
use crate::capture::store::{self, CaptureStore, StoreError};
use crate::catalog::filter::{CatalogFilter, StatusCodeRange};
use crate::catalog::index::CatalogIndex;
use crate::catalog::row::CatalogRow;
use crate::catalog::search::{CaptureSearch, SearchQuery, SearchResult};
use crate::client::several::run_jobs;
use crate::net::Clock;
use crate::price::PriceTable;
use crate::render::{OutputStyle, escape, listing};

/// Runs `wire ls`.
pub(super) fn run(common: &CommonArgs, args: &args::LsArgs) -> Result<ExitReason, CliError> {
    let store = output::capture_store(common);
    let filter = build_filter(args)?;
    let mut names = store.names().map_err(CliError::usage)?;
    names.reverse();
    if names.is_empty() {
        let folder = store.folder().display();
        CliError::usage(format!("no captures in {folder}"))
            .with_hint("`wire send` makes one")
            .print();
    }
    let words = [
        args.grep.as_deref().map(SearchQuery::InBodies),
        args.answer.as_deref().map(SearchQuery::InAnswer),
    ];
    for words in words.into_iter().flatten() {
        names = find_matching(&store, names, &words);
    }
    let text = store.read_index();
    let mut list = LsReport {
        store: &store,
        index: CatalogIndex::new(&text, names.len()),
        filter,
        prices: read_options::load_prices(common)?,
        has_price: HashMap::new(),
        json: args.json,
        style: output::stdout_style(common),
        out: Vec::new(),
    };
    let listed = list.write_rows(&names, args.limit.unwrap_or(usize::MAX));
    let LsReport { index, out, .. } = list;
    if let Some((lines, anew)) = index.into_added() {
        store.write_index(&lines, anew);
    }
    listed.map_err(CliError::usage)?;
    match args.json {
        true => output::write_stdout(&out),
        false => output::print_report(&out),
    }
}

/// The row of one capture, as soon as it is whole.
pub(super) fn live_row(path: &Path, style: &OutputStyle) -> Vec<u8> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut row = Vec::new();
    // Writing to memory cannot fail.
    let _ = match store::open(path) {
        Ok(read) => listing::write_row(
            &name,
            &CatalogRow::read(read.tape, &read.notes),
            None,
            style,
            &mut row,
        ),
        Err(error) => listing::write_unreadable(&name, &error.to_string(), style, &mut row),
    };
    row
}

/// Writes the rows of captures in the folder, in the order given.
pub(super) fn write_table<'a>(
    common: &CommonArgs,
    paths: impl IntoIterator<Item = &'a PathBuf>,
    style: &OutputStyle,
    out: &mut Vec<u8>,
) -> std::io::Result<()> {
    let name = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
    let names: Vec<_> = paths.into_iter().filter_map(name).collect();
    let store = output::capture_store(common);
    let prices = read_options::load_prices(common).unwrap_or_default();
    let mut list = LsReport {
        store: &store,
        index: CatalogIndex::new(&[], names.len()),
        filter: CatalogFilter::default(),
        prices,
        has_price: HashMap::new(),
        json: false,
        style: *style,
        out: Vec::new(),
    };
    list.write_rows(&names, usize::MAX)?;
    out.append(&mut list.out);
    Ok(())
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Names of the captures that contain `words`, in the order given. A body that could not be searched to its end is
/// reported.
fn find_matching(store: &CaptureStore, names: Vec<String>, words: &SearchQuery<'_>) -> Vec<String> {
    let search = CaptureSearch::new(words);
    let look = |number: usize| -> Result<_, ()> {
        let name = names.get(number).ok_or(())?;
        let file = store.read(name).unwrap_or_default();
        Ok((number, search.search(&file)))
    };
    let (found, _) = run_jobs(names.len(), threads(), look);
    let matching = found.into_iter().filter_map(|(number, found)| {
        let name = names.get(number)?;
        if let SearchResult::SearchedInPart(trouble) = &found {
            output::print_note(&format!("{name} is searched in part: {trouble}"));
        }
        (found == SearchResult::Match).then(|| name.clone())
    });
    matching.collect()
}

fn build_filter(args: &args::LsArgs) -> Result<CatalogFilter, CliError> {
    let status = args.status.as_ref().map(|text| {
        StatusCodeRange::parse(text).ok_or_else(|| {
            CliError::usage(format!("--status {text}: this is no status"))
                .with_hint("write 429, 4xx or 400-499")
        })
    });
    let since = args.since.as_ref().map(|text| {
        parse_since(text, Clock::start().started()).ok_or_else(|| {
            CliError::usage(format!("--since {text}: this is no time"))
                .with_hint("write 30m, 2h, 3d, a day such as 2026-11-24, or 2026-11-24T14:00:00Z")
        })
    });
    Ok(CatalogFilter {
        model: args.model.clone(),
        host: args.host.clone(),
        status: status.transpose()?,
        since: since.transpose()?,
    })
}

/// The time that `text` means: `30m`, `2 hours` or `P1D` before `now`, `2026-11-24` (UTC), or an RFC 3339 time.
fn parse_since(text: &str, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    if let Ok(time) = format!("{text}T00:00:00Z").parse() {
        return Some(time);
    }
    let ago: jiff::Span = text.parse().ok()?;
    let ago = ago.to_duration(jiff::SpanRelativeTo::days_are_24_hours());
    // `2h ago` is negative and means the same as `2h`.
    now.checked_sub(ago.ok()?.abs()).ok()
}

struct LsReport<'a> {
    store: &'a CaptureStore,
    index: CatalogIndex<'a>,
    filter: CatalogFilter,
    prices: Cow<'static, PriceTable>,
    /// Whether there is a price, by both models and the provider: a list has many of few.
    has_price: HashMap<[Option<String>; 3], bool>,
    json: bool,
    style: OutputStyle,
    out: Vec<u8>,
}

impl LsReport<'_> {
    /// Writes at most `limit` rows. Blocks of captures are read by all cores.
    fn write_rows(&mut self, names: &[String], limit: usize) -> std::io::Result<()> {
        // Captures that are read before the limit is checked again: enough that starting the threads costs little.
        const LEAST_BLOCK: usize = 64;
        const LARGEST_BLOCK: usize = 4096;
        let (mut listed, mut names) = (0usize, names);
        while listed < limit && !names.is_empty() {
            let wanted = limit.saturating_sub(listed);
            let size = wanted.clamp(LEAST_BLOCK, LARGEST_BLOCK).min(names.len());
            let (block, rest) = names.split_at(size);
            names = rest;
            for (name, row) in block.iter().zip(self.read_rows(block)) {
                if listed >= limit {
                    break;
                }
                match row {
                    Err(error) => self.write_unreadable(name, &error.to_string())?,
                    Ok(row) if !self.filter.matches(&row) => continue,
                    Ok(row) => {
                        if listed == 0 && !self.json {
                            listing::write_heading(&self.style, &mut self.out)?;
                        }
                        self.write_row(name, &row)?;
                    }
                }
                listed = listed.saturating_add(1);
            }
        }
        Ok(())
    }

    /// The rows of `names`: from the index, or else from the files, which are then added to the index.
    fn read_rows(&mut self, names: &[String]) -> Vec<Result<CatalogRow, StoreError>> {
        let (index, folder) = (&self.index, self.store);
        let read = |number: usize| -> Result<_, ()> {
            let name = names.get(number).ok_or(())?;
            let stamp = folder.size_and_mtime(name);
            if let Some(row) = stamp.and_then(|stamp| index.row(name, stamp)) {
                return Ok((None, Ok(row)));
            }
            let row = store::open(&folder.path(name))
                .map(|read| CatalogRow::read(read.tape, &read.notes));
            Ok((stamp, row))
        };
        let (rows, _) = run_jobs(names.len(), threads(), read);
        let mut listed = Vec::with_capacity(rows.len());
        for (name, (stamp, row)) in names.iter().zip(rows) {
            if let (Some(stamp), Ok(row)) = (stamp, &row) {
                self.index.add(name, stamp, row);
            }
            listed.push(row);
        }
        listed
    }

    fn write_row(&mut self, name: &str, entry: &CatalogRow) -> std::io::Result<()> {
        let cost = self.row_cost(entry);
        match self.json {
            true => listing::write_json_row(name, entry, cost.as_deref(), &mut self.out),
            false => {
                listing::write_row(name, entry, cost.as_deref(), &self.style, &mut self.out)?;
                self.write_calls(entry)
            }
        }
    }

    /// Writes a row for each call of a WebSocket connection.
    fn write_calls(&mut self, entry: &CatalogRow) -> std::io::Result<()> {
        for (index, call) in entry.calls.iter().enumerate() {
            let (number, cost) = (index.saturating_add(1), self.row_cost(call));
            listing::write_call_row(number, call, cost.as_deref(), &self.style, &mut self.out)?;
        }
        Ok(())
    }

    /// The cost, if the provider reported it or a price is known. Names without a price are remembered.
    fn row_cost(&mut self, entry: &CatalogRow) -> Option<String> {
        if let Some(cost) = entry.provider_cost() {
            return Some(cost.to_string());
        }
        entry.tokens?;
        let key = [
            entry.served_model.clone(),
            entry.model.clone(),
            entry.provider.clone(),
        ];
        if self.has_price.get(&key) == Some(&false) {
            return None;
        }
        let priced = entry.cost(&self.prices);
        self.has_price
            .insert(key, !matches!(priced, CostEstimate::UnknownModel(_)));
        match priced {
            CostEstimate::Known { cost, .. } => Some(cost.total.to_string()),
            CostEstimate::UnknownModel(_) | CostEstimate::NotCounted => None,
        }
    }

    fn write_unreadable(&mut self, name: &str, error: &str) -> std::io::Result<()> {
        if self.json {
            let row = serde_json::json!({ "name": name, "error": error });
            return writeln!(self.out, "{}", escape::escape_json(&row.to_string()));
        }
        let path = self.store.path(name).display().to_string();
        let error = error.strip_prefix(&format!("{path}: ")).unwrap_or(error);
        listing::write_unreadable(name, error, &self.style, &mut self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_takes_durations_days_and_times() {
        let now: jiff::Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let case = |text| parse_since(text, now).map(|time| time.to_string());
        assert_eq!(case("2h").as_deref(), Some("2026-11-24T10:00:00Z"));
        assert_eq!(case("3d").as_deref(), Some("2026-11-21T12:00:00Z"));
        assert_eq!(case("1w").as_deref(), Some("2026-11-17T12:00:00Z"));
        let spelled_out = case("1 day 2 hours ago");
        assert_eq!(spelled_out.as_deref(), Some("2026-11-23T10:00:00Z"));
        assert_eq!(case("2026-11-01").as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(
            case("2026-11-01T05:00:00Z").as_deref(),
            Some("2026-11-01T05:00:00Z")
        );
        assert_eq!(case("soon"), None);
        assert_eq!(case(""), None);
    }
}
