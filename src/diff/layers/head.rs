//! Two heads: start line, and fields told apart by name, value, spelling and order.

use std::collections::{HashMap, HashSet};

use crate::capture::{mask_field_value, mask_url};
use crate::diff::change::{ChangeKind, DiffChange, DiffValue, PlacedValue};
use crate::diff::fact_sheet::{FactSheet, escape_non_utf8};
use crate::diff::sequence;
use crate::http1::{HttpMessage, StartLine};
use crate::service::{self, HeaderMeaning, ServiceFacts};
use crate::span::Span;

/// What differs between two heads. `grouped`: fields of responses are told by what they are about.
pub(in crate::diff) fn compare(
    left: &HttpMessage,
    right: &HttpMessage,
    grouped: bool,
) -> Vec<DiffChange> {
    let changes = start_line_facts(left)
        .compare(&start_line_facts(right))
        .into_iter();
    let mut changes: Vec<_> = changes.map(mask_change).collect();
    let fields = [
        FieldTable::from_message(left),
        FieldTable::from_message(right),
    ];
    let groups = grouped.then(|| [left, right].map(|message| service::read_head(&message.head)));
    let group = |name: &str| match &groups {
        Some(facts) => field_group(name, facts),
        None => "field",
    };
    let [left, right] = &fields;
    changes.extend(compare_values(left, right, &group));
    changes.extend(compare_names(left, right, &group));
    changes.extend(compare_order(left, right));
    changes
}

fn start_line_facts(message: &HttpMessage) -> FactSheet {
    let mut sheet = FactSheet::default();
    let text = |span| escape_non_utf8(message.head.slice(span));
    let mut put = |at: &str, span: Span| sheet.put_text_at("start line", at, text(span), span);
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
            sheet.put_in_group(
                "start line",
                "status",
                Some(DiffValue::Count(code.into()).into()),
            );
        }
        None => {}
    }
    sheet
}

/// The fields of a head, by the name in small letters and the how manieth of that name.
struct FieldTable {
    keys: Vec<String>,
    /// Name as spelled, value, and all of the line.
    by_key: HashMap<String, (String, String, Span)>,
}

impl FieldTable {
    fn from_message(message: &HttpMessage) -> Self {
        let mut times: HashMap<String, u64> = HashMap::new();
        let mut fields = Self {
            keys: Vec::new(),
            by_key: HashMap::new(),
        };
        let text = |span| escape_non_utf8(message.head.slice(span));
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
                .by_key
                .insert(key, (name, text(field.value), field.line));
        }
        fields
    }

    fn has_key(&self, key: &str) -> bool {
        self.by_key.contains_key(key)
    }

    /// The value under a key.
    fn value(&self, key: &str) -> Option<PlacedValue> {
        let (_, value, line) = self.by_key.get(key)?;
        Some(placed_value(value, *line))
    }

    /// The name as spelled under a key.
    fn spelled_name(&self, key: &str) -> Option<PlacedValue> {
        let (name, _, line) = self.by_key.get(key)?;
        Some(placed_value(name, *line))
    }
}

fn placed_value(text: &str, line: Span) -> PlacedValue {
    PlacedValue {
        value: DiffValue::Text(text.to_owned()),
        span: Some(line),
        path: None,
    }
}

type GroupLookup<'a> = &'a dyn Fn(&str) -> &'static str;

/// Fields that one side alone has, or with another value.
fn compare_values(
    left: &FieldTable,
    right: &FieldTable,
    group: GroupLookup<'_>,
) -> Vec<DiffChange> {
    let new = right.keys.iter().filter(|key| !left.has_key(key));
    let keys = left.keys.iter().chain(new);
    let change = |key: &String| {
        let change = DiffChange::from_sides(key, left.value(key), right.value(key))?;
        Some(mask_change(change).with_group(group(key)))
    };
    keys.filter_map(change).collect()
}

/// A request file may hold a key, which is compared and not shown.
fn mask_change(mut change: DiffChange) -> DiffChange {
    let name = change.at.split(" (").next().unwrap_or_default().to_owned();
    for shown in [&mut change.left, &mut change.right].into_iter().flatten() {
        if let DiffValue::Text(text) = &mut shown.value {
            *text = match &*name {
                "target" => mask_url(text),
                name => mask_field_value(name, text),
            };
        }
    }
    change
}

/// From how many on names that are spelled otherwise are told together: one client writes all of them small.
const MIN_RESPELLED_TOGETHER: usize = 4;

/// Fields whose names are spelled in other letters.
fn compare_names(left: &FieldTable, right: &FieldTable, group: GroupLookup<'_>) -> Vec<DiffChange> {
    let both = left.keys.iter().filter(|key| right.has_key(key));
    let change = |key: &String| {
        let change = DiffChange::from_sides(key, left.spelled_name(key), right.spelled_name(key))?;
        let respelled = DiffChange {
            what: ChangeKind::Respelled,
            ..change
        };
        Some(respelled.with_group(group(key)))
    };
    let changes: Vec<_> = both.filter_map(change).collect();
    if changes.len() < MIN_RESPELLED_TOGETHER {
        return changes;
    }
    let all = |side: fn(&DiffChange) -> &Option<PlacedValue>| {
        let names = changes.iter().filter_map(|change| side(change).as_ref());
        let names: Vec<_> = names.map(|shown| shown.value.to_string()).collect();
        Some(DiffValue::Text(names.join(", ")).into())
    };
    let (left, right) = (all(|change| &change.left), all(|change| &change.right));
    vec![DiffChange::new("names", ChangeKind::Respelled, left, right).with_group("field")]
}

/// The fields that stand elsewhere among those that both have: as few as explain the order.
fn compare_order(left: &FieldTable, right: &FieldTable) -> Option<DiffChange> {
    let both = |fields: &FieldTable, other: &FieldTable| -> Vec<String> {
        let keys = fields.keys.iter().filter(|key| other.has_key(key));
        keys.cloned().collect()
    };
    let (lefts, rights) = (both(left, right), both(right, left));
    let places: HashMap<_, _> = rights.iter().zip(0u32..).collect();
    let order: Vec<u32> = lefts
        .iter()
        .filter_map(|key| places.get(key).copied())
        .collect();
    let kept: HashSet<_> = sequence::longest_increasing(&order).into_iter().collect();
    let moved = lefts.iter().enumerate().filter(|(n, _)| !kept.contains(n));
    let moved: Vec<_> = moved.map(|(_, key)| key.as_str()).collect();
    if moved.is_empty() {
        return None;
    }
    let moved = DiffValue::Text(moved.join(", ")).into();
    Some(DiffChange::new("order", ChangeKind::Reordered, None, Some(moved)).with_group("order"))
}

/// What a field of a response is about.
fn field_group(key: &str, facts: &[ServiceFacts; 2]) -> &'static str {
    let name = key.split(" (").next().unwrap_or(key);
    let is = |field: &String| field.eq_ignore_ascii_case(name);
    for facts in facts {
        if facts.limits.iter().any(|limit| limit.fields.iter().any(is)) {
            return "rate limits";
        }
        if let Some(told) = facts.told.iter().find(|told| is(&told.field)) {
            return meaning_group(told.kind);
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

fn meaning_group(kind: HeaderMeaning) -> &'static str {
    match kind {
        HeaderMeaning::RequestId
        | HeaderMeaning::GatewayId
        | HeaderMeaning::GenerationId
        | HeaderMeaning::TraceId
        | HeaderMeaning::ClientId
        | HeaderMeaning::Organization
        | HeaderMeaning::Project
        | HeaderMeaning::Model
        | HeaderMeaning::Deployment
        | HeaderMeaning::Provider
        | HeaderMeaning::Version => "identity",
        HeaderMeaning::EdgeId
        | HeaderMeaning::Site
        | HeaderMeaning::Region
        | HeaderMeaning::Server
        | HeaderMeaning::Via => "edge",
        HeaderMeaning::CacheStatus | HeaderMeaning::CachedTokens => "caching",
        HeaderMeaning::Policy | HeaderMeaning::Utilization | HeaderMeaning::Attempts => {
            "rate limits"
        }
        HeaderMeaning::Cost | HeaderMeaning::PromptTokens => "identity",
    }
}
