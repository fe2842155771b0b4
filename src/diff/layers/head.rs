//! Two heads: start line, and fields told apart by name, value, spelling and order.

use std::collections::{HashMap, HashSet};

use crate::capture::{mask_url, mask_value};
use crate::diff::change::{Change, Shown, Value, What};
use crate::diff::sequence;
use crate::diff::sheet::{Sheet, readable};
use crate::http1::{HttpMessage, StartLine};
use crate::service::{self, Kind, ServiceFacts};
use crate::span::Span;

/// What differs between two heads. `grouped`: fields of responses are told by what they are about.
pub(in crate::diff) fn compare(
    left: &HttpMessage,
    right: &HttpMessage,
    grouped: bool,
) -> Vec<Change> {
    let changes = start(left).compare(&start(right)).into_iter();
    let mut changes: Vec<_> = changes.map(masked).collect();
    let fields = [Fields::of(left), Fields::of(right)];
    let groups = grouped.then(|| [left, right].map(|message| service::read(&message.head)));
    let group = |name: &str| match &groups {
        Some(facts) => group(name, facts),
        None => "field",
    };
    let [left, right] = &fields;
    changes.extend(values(left, right, &group));
    changes.extend(names(left, right, &group));
    changes.extend(order(left, right));
    changes
}

fn start(message: &HttpMessage) -> Sheet {
    let mut sheet = Sheet::default();
    let text = |span| readable(message.head.slice(span));
    let mut put = |at: &str, span: Span| sheet.placed("start line", at, text(span), span);
    match message.start {
        Some(StartLine::Request {
            method,
            target,
            version,
            ..
        }) => {
            put("method", method);
            put("target", target);
            put("version", version);
        }
        Some(StartLine::Status {
            version,
            code,
            reason,
            ..
        }) => {
            put("version", version);
            put("reason", reason);
            sheet.put_in(
                "start line",
                "status",
                Some(Value::Count(code.into()).into()),
            );
        }
        None => {}
    }
    sheet
}

/// The fields of a head, by the name in small letters and the how manieth of that name.
struct Fields {
    keys: Vec<String>,
    /// Name as spelled, value, and all of the line.
    lines: HashMap<String, (String, String, Span)>,
}

impl Fields {
    fn of(message: &HttpMessage) -> Self {
        let mut times: HashMap<String, u64> = HashMap::new();
        let mut fields = Self {
            keys: Vec::new(),
            lines: HashMap::new(),
        };
        let text = |span| readable(message.head.slice(span));
        for field in &message.head.fields {
            let name = text(field.name);
            let lower = name.to_ascii_lowercase();
            let time = times.entry(lower.clone()).or_default();
            *time = time.saturating_add(1);
            let key = match *time {
                1 => lower,
                time => format!("{lower} ({time})"),
            };
            fields.keys.push(key.clone());
            fields
                .lines
                .insert(key, (name, text(field.value), field.line));
        }
        fields
    }

    fn has(&self, key: &str) -> bool {
        self.lines.contains_key(key)
    }

    /// The value under a key.
    fn value(&self, key: &str) -> Option<Shown> {
        let (_, value, line) = self.lines.get(key)?;
        Some(shown(value, *line))
    }

    /// The name as spelled under a key.
    fn name(&self, key: &str) -> Option<Shown> {
        let (name, _, line) = self.lines.get(key)?;
        Some(shown(name, *line))
    }
}

fn shown(text: &str, line: Span) -> Shown {
    Shown {
        value: Value::Text(text.to_owned()),
        span: Some(line),
        path: None,
    }
}

type Group<'a> = &'a dyn Fn(&str) -> &'static str;

/// Fields that one side alone has, or with another value.
fn values(left: &Fields, right: &Fields, group: Group<'_>) -> Vec<Change> {
    let new = right.keys.iter().filter(|key| !left.has(key));
    let keys = left.keys.iter().chain(new);
    let change = |key: &String| {
        let change = Change::between(key, left.value(key), right.value(key))?;
        Some(masked(change).grouped(group(key)))
    };
    keys.filter_map(change).collect()
}

/// A request file may hold a key, which is compared and not shown.
fn masked(mut change: Change) -> Change {
    let name = change.at.split(" (").next().unwrap_or_default().to_owned();
    for shown in [&mut change.left, &mut change.right].into_iter().flatten() {
        if let Value::Text(text) = &mut shown.value {
            *text = match &*name {
                "target" => mask_url(text),
                name => mask_value(name, text),
            };
        }
    }
    change
}

/// From how many on names that are spelled otherwise are told together: one client writes all of them small.
const MANY: usize = 4;

/// Fields whose names are spelled in other letters.
fn names(left: &Fields, right: &Fields, group: Group<'_>) -> Vec<Change> {
    let both = left.keys.iter().filter(|key| right.has(key));
    let change = |key: &String| {
        let change = Change::between(key, left.name(key), right.name(key))?;
        let respelled = Change {
            what: What::Respelled,
            ..change
        };
        Some(respelled.grouped(group(key)))
    };
    let changes: Vec<_> = both.filter_map(change).collect();
    if changes.len() < MANY {
        return changes;
    }
    let all = |side: fn(&Change) -> &Option<Shown>| {
        let names = changes.iter().filter_map(|change| side(change).as_ref());
        let names: Vec<_> = names.map(|shown| shown.value.to_string()).collect();
        Some(Value::Text(names.join(", ")).into())
    };
    let (left, right) = (all(|change| &change.left), all(|change| &change.right));
    vec![Change::new("names", What::Respelled, left, right).grouped("field")]
}

/// The fields that stand elsewhere among those that both have: as few as explain the order.
fn order(left: &Fields, right: &Fields) -> Option<Change> {
    let both = |fields: &Fields, other: &Fields| -> Vec<String> {
        let keys = fields.keys.iter().filter(|key| other.has(key));
        keys.cloned().collect()
    };
    let (lefts, rights) = (both(left, right), both(right, left));
    let places: HashMap<_, _> = rights.iter().zip(0u32..).collect();
    let order: Vec<u32> = lefts
        .iter()
        .filter_map(|key| places.get(key).copied())
        .collect();
    let kept: HashSet<_> = sequence::longest_rising(&order).into_iter().collect();
    let moved = lefts.iter().enumerate().filter(|(n, _)| !kept.contains(n));
    let moved: Vec<_> = moved.map(|(_, key)| key.as_str()).collect();
    if moved.is_empty() {
        return None;
    }
    let moved = Value::Text(moved.join(", ")).into();
    Some(Change::new("order", What::Reordered, None, Some(moved)).grouped("order"))
}

/// What a field of a response is about.
fn group(key: &str, facts: &[ServiceFacts; 2]) -> &'static str {
    let name = key.split(" (").next().unwrap_or(key);
    let is = |field: &String| field.eq_ignore_ascii_case(name);
    for facts in facts {
        if facts.limits.iter().any(|limit| limit.fields.iter().any(is)) {
            return "rate limits";
        }
        if let Some(told) = facts.told.iter().find(|told| is(&told.field)) {
            return of_kind(told.kind);
        }
        if facts.times.iter().any(|time| is(&time.field)) {
            return "server time";
        }
    }
    match name {
        "retry-after" | "retry-after-ms" | "x-should-retry" => "rate limits",
        "cache-control" | "etag" | "expires" | "age" | "last-modified" | "vary" | "pragma" => {
            "caching"
        }
        "alt-svc" | "nel" | "report-to" | "set-cookie" => "edge",
        name if name.contains("ratelimit") => "rate limits",
        name if name.starts_with("cf-") => "edge",
        _ => "field",
    }
}

fn of_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::RequestId
        | Kind::GatewayId
        | Kind::GenerationId
        | Kind::TraceId
        | Kind::ClientId
        | Kind::Organization
        | Kind::Project
        | Kind::Model
        | Kind::Deployment
        | Kind::Provider
        | Kind::Version => "identity",
        Kind::EdgeId | Kind::Site | Kind::Region | Kind::Server | Kind::Via => "edge",
        Kind::CacheStatus | Kind::CachedTokens => "caching",
        Kind::Policy | Kind::Utilization | Kind::Attempts => "rate limits",
        Kind::Cost | Kind::PromptTokens => "identity",
    }
}
