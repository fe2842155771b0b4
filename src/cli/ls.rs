//! `wire ls`: the captures of the folder, newest first.

use std::collections::HashMap;
use std::io::Write;

use super::args::{self, Common};
use super::complain::Complaint;
use super::exit::Exit;
use super::grep::{self, Words};
use super::index::Index;
use super::{means, output};
use crate::call::meaning::Priced;
use crate::capture::store::Store;
use crate::catalog::row::{Entry, Filter, Statuses};
use crate::net::Clock;
use crate::price::Prices;
use crate::render::{escape, listing};

/// Runs `wire ls`.
pub(super) fn run(common: &Common, args: &args::Ls) -> Result<Exit, Complaint> {
    let store = output::store(common);
    let filter = filter(args)?;
    let mut names = store.names().map_err(Complaint::usage)?;
    names.reverse();
    if names.is_empty() {
        let folder = store.folder().display();
        Complaint::usage(format!("no captures in {folder}"))
            .hint("`wire send` makes one")
            .tell();
    }
    let words = [
        args.grep.as_deref().map(Words::InBodies),
        args.answer.as_deref().map(Words::InAnswer),
    ];
    for words in words.into_iter().flatten() {
        names = grep::having(&store, names, &words);
    }
    let text = store.read_index();
    let mut list = List {
        store: &store,
        index: Index::new(&store, &text, names.len()),
        filter,
        prices: means::table(common)?,
        costs: HashMap::new(),
        json: args.json,
        style: output::stdout_style(common),
        out: Vec::new(),
    };
    let listed = list.all(&names, args.limit.unwrap_or(usize::MAX));
    let List { index, out, .. } = list;
    index.save();
    listed.map_err(Complaint::usage)?;
    match args.json {
        true => output::plain(&out),
        false => output::report(&out),
    }
}

fn filter(args: &args::Ls) -> Result<Filter, Complaint> {
    let status = args.status.as_ref().map(|text| {
        Statuses::parse(text).ok_or_else(|| {
            Complaint::usage(format!("--status {text}: this is no status"))
                .hint("write 429, 4xx or 400-499")
        })
    });
    let since = args.since.as_ref().map(|text| {
        since(text, Clock::start().started()).ok_or_else(|| {
            Complaint::usage(format!("--since {text}: this is no time"))
                .hint("write 30m, 2h, 3d, a day such as 2026-11-24, or 2026-11-24T14:00:00Z")
        })
    });
    Ok(Filter {
        model: args.model.clone(),
        host: args.host.clone(),
        status: status.transpose()?,
        since: since.transpose()?,
    })
}

/// Reads `30m` (before `now`), `2026-11-24` or an RFC 3339 time.
fn since(text: &str, now: jiff::Timestamp) -> Option<jiff::Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    if let Ok(time) = format!("{text}T00:00:00Z").parse() {
        return Some(time);
    }
    let unit = text.chars().next_back()?;
    let number: i64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let before = now.as_second().checked_sub(number.checked_mul(seconds)?)?;
    jiff::Timestamp::from_second(before).ok()
}

struct List<'a> {
    store: &'a Store,
    index: Index<'a>,
    filter: Filter,
    prices: Prices,
    /// Whether there is a price, by both models and the provider: a list has many of few.
    costs: HashMap<[Option<String>; 3], bool>,
    json: bool,
    style: crate::render::Style,
    out: Vec<u8>,
}

impl List<'_> {
    fn all(&mut self, names: &[String], limit: usize) -> std::io::Result<()> {
        let mut listed = 0usize;
        for name in names {
            if listed >= limit {
                break;
            }
            match self.index.entry(name) {
                Err(error) => self.unreadable(name, &error.to_string())?,
                Ok(entry) if !self.filter.wants(&entry) => continue,
                Ok(entry) => {
                    if listed == 0 && !self.json {
                        listing::heading(&self.style, &mut self.out)?;
                    }
                    self.entry(name, &entry)?;
                }
            }
            listed = listed.saturating_add(1);
        }
        Ok(())
    }

    fn entry(&mut self, name: &str, entry: &Entry) -> std::io::Result<()> {
        #[derive(serde::Serialize)]
        struct Row<'a> {
            name: &'a str,
            #[serde(flatten)]
            entry: &'a Entry,
            cost: &'a Option<String>,
        }
        let cost = self.cost(entry);
        if self.json {
            let row = serde_json::to_string(&Row {
                name,
                entry,
                cost: &cost,
            })?;
            return writeln!(self.out, "{}", escape::json_safe(&row));
        }
        let cost = cost.as_deref().unwrap_or("-");
        listing::row(tag(name), entry, cost, &self.style, &mut self.out)
    }

    /// The cost, if it was told or a price is known. Looking a name up in vain is remembered.
    fn cost(&mut self, entry: &Entry) -> Option<String> {
        if let Some(told) = entry.told_cost() {
            return Some(told.to_string());
        }
        entry.tokens?;
        let key = [
            entry.served_model.clone(),
            entry.model.clone(),
            entry.provider.clone(),
        ];
        if self.costs.get(&key) == Some(&false) {
            return None;
        }
        let priced = entry.cost(&self.prices);
        self.costs
            .insert(key, !matches!(priced, Priced::UnknownModel(_)));
        match priced {
            Priced::Known { cost, .. } => Some(cost.total.to_string()),
            Priced::UnknownModel(_) | Priced::NotCounted => None,
        }
    }

    fn unreadable(&mut self, name: &str, error: &str) -> std::io::Result<()> {
        if self.json {
            let row = serde_json::json!({ "name": name, "error": error });
            return writeln!(self.out, "{}", escape::json_safe(&row.to_string()));
        }
        let path = self.store.path(name).display().to_string();
        let error = error.strip_prefix(&format!("{path}: ")).unwrap_or(error);
        listing::unreadable(name, error, &self.style, &mut self.out)
    }
}

/// The end of a file's name, which names the capture.
fn tag(name: &str) -> &str {
    let stem = name.strip_suffix(".wire").unwrap_or(name);
    stem.rsplit('-').next().unwrap_or(stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_to_look_back_to() {
        let now: jiff::Timestamp = "2026-11-24T12:00:00Z".parse().unwrap();
        let case = |text| since(text, now).map(|time| time.to_string());
        assert_eq!(case("2h").as_deref(), Some("2026-11-24T10:00:00Z"));
        assert_eq!(case("3d").as_deref(), Some("2026-11-21T12:00:00Z"));
        assert_eq!(case("2026-11-01").as_deref(), Some("2026-11-01T00:00:00Z"));
        assert_eq!(
            case("2026-11-01T05:00:00Z").as_deref(),
            Some("2026-11-01T05:00:00Z")
        );
        assert_eq!(case("soon"), None);
        assert_eq!(case(""), None);
    }
}
