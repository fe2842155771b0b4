//! Two heads: the start line, and the fields by name, value, spelling of the name and order.

use std::collections::{HashMap, HashSet};

use crate::capture::{mask_field_value, mask_url};
use crate::diff::change::{ChangeKind, DiffChange, DiffValue, PlacedValue};
use crate::diff::fact_sheet::{FactSheet, escape_non_utf8};
use crate::diff::increasing::longest_increasing;
use crate::diff::place::{DiffPlace, PlaceRoot, RepeatedName};
use crate::http1::{HttpMessage, StartLine};
use crate::service::{self, HeaderMeaning, ServiceFacts};
use crate::span::Span;

/// Returns what differs between two heads. `grouped`: fields of responses are grouped by what they are about.
pub(crate) fn compare(left: &HttpMessage, right: &HttpMessage, grouped: bool) -> Vec<DiffChange> {
    let mut changes = start_line_facts(left).compare(&start_line_facts(right));
    let facts = grouped.then(|| [left, right].map(|message| service::read_head(&message.head)));
    let group = |name: &RepeatedName| match &facts {
        Some(facts) => field_group(&name.name, facts),
        None => "field",
    };
    let [left, right] = [left, right].map(FieldTable::from_message);
    changes.extend(compare_values(&left, &right, &group));
    changes.iter_mut().for_each(mask_secrets);
    changes.extend(compare_names(&left, &right, &group));
    changes.extend(compare_order(&left, &right));
    changes
}

fn start_line_facts(message: &HttpMessage) -> FactSheet {
    let mut sheet = FactSheet::default();
    let text = |span| escape_non_utf8(message.head.slice(span));
    let mut put =
        |at: &'static str, span: Span| sheet.put_text_at("start line", at, text(span), span);
    match message.start {
        Some(StartLine::Request {
            method,
            target,
            version,
            ..
        }) => {
            put("method", method);
            put(TARGET, target);
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

/// The fields of a head by name.
struct FieldTable {
    names: Vec<RepeatedName>,
    by_name: HashMap<RepeatedName, FieldLine>,
}

struct FieldLine {
    /// The name as it is spelled.
    spelling: String,
    value: String,
    span: Span,
}

impl FieldTable {
    fn from_message(message: &HttpMessage) -> Self {
        let mut counts: HashMap<String, u32> = HashMap::new();
        let mut names = Vec::new();
        let text = |span| escape_non_utf8(message.head.slice(span));
        let fields = message.head.fields.iter().map(|field| {
            let spelling = text(field.name);
            let name = spelling.to_ascii_lowercase();
            let count = counts.entry(name.clone()).or_default();
            *count = count.saturating_add(1);
            let name = RepeatedName {
                name: name.into(),
                nth: *count,
            };
            names.push(name.clone());
            let line = FieldLine {
                spelling,
                value: text(field.value),
                span: field.line,
            };
            (name, line)
        });
        let by_name = fields.collect();
        Self { names, by_name }
    }

    fn has(&self, name: &RepeatedName) -> bool {
        self.by_name.contains_key(name)
    }

    /// The value or the spelling of a field, with its line.
    fn text(&self, name: &RepeatedName, which: fn(&FieldLine) -> &String) -> Option<PlacedValue> {
        let line = self.by_name.get(name)?;
        Some(PlacedValue::at(
            DiffValue::Text(which(line).clone()),
            line.span,
        ))
    }
}

type GroupLookup<'a> = &'a dyn Fn(&RepeatedName) -> &'static str;

/// Returns the change of the value, or of the spelling, of one field.
fn compare_field(
    name: &RepeatedName,
    [left, right]: [&FieldTable; 2],
    which: fn(&FieldLine) -> &String,
    group: GroupLookup<'_>,
) -> Option<DiffChange> {
    let place = DiffPlace::all_of(PlaceRoot::Field(name.clone()));
    let sides = (left.text(name, which), right.text(name, which));
    let change = DiffChange::from_sides(place, sides.0, sides.1)?;
    Some(change.with_group(group(name)))
}

/// Returns the fields that only one side has, or that have another value.
fn compare_values(
    left: &FieldTable,
    right: &FieldTable,
    group: GroupLookup<'_>,
) -> Vec<DiffChange> {
    let new = right.names.iter().filter(|name| !left.has(name));
    let names = left.names.iter().chain(new);
    let change = |name| compare_field(name, [left, right], |line| &line.value, group);
    names.filter_map(change).collect()
}

/// Masks keys: a request file may hold one, which is compared but not shown.
fn mask_secrets(change: &mut DiffChange) {
    for value in [&mut change.left, &mut change.right].into_iter().flatten() {
        match (&change.at.root, &mut value.value) {
            (PlaceRoot::Field(name), DiffValue::Text(text)) => {
                *text = mask_field_value(&name.name, text);
            }
            (PlaceRoot::Fact(name), DiffValue::Text(text)) if name.name == TARGET => {
                *text = mask_url(text);
            }
            _ => {}
        }
    }
}

/// Fields whose names are spelled differently are one change from this number on: one client writes all names in small
/// letters, another none.
const MIN_RESPELLED_TOGETHER: usize = 4;

/// Returns the fields whose names are spelled with other capital letters.
fn compare_names(left: &FieldTable, right: &FieldTable, group: GroupLookup<'_>) -> Vec<DiffChange> {
    let both = left.names.iter().filter(|name| right.has(name));
    let change = |name| {
        let change = compare_field(name, [left, right], |line| &line.spelling, group)?;
        Some(change.with_kind(ChangeKind::Respelled))
    };
    let changes: Vec<_> = both.filter_map(change).collect();
    if changes.len() < MIN_RESPELLED_TOGETHER {
        return changes;
    }
    let all = |side: fn(&DiffChange) -> &Option<PlacedValue>| {
        let names = changes.iter().filter_map(|change| side(change).as_ref());
        let names: Vec<_> = names.map(|name| name.value.to_string()).collect();
        Some(DiffValue::Text(names.join(", ")).into())
    };
    let (left, right) = (all(|change| &change.left), all(|change| &change.right));
    let place = DiffPlace::fact("names");
    vec![DiffChange::new(place, ChangeKind::Respelled, left, right).with_group("field")]
}

/// Returns the fields that moved among those that both sides have: as few as explain the order.
fn compare_order(left: &FieldTable, right: &FieldTable) -> Option<DiffChange> {
    let both = |fields: &FieldTable, other: &FieldTable| -> Vec<RepeatedName> {
        let names = fields.names.iter().filter(|name| other.has(name));
        names.cloned().collect()
    };
    let (lefts, rights) = (both(left, right), both(right, left));
    let places: HashMap<_, _> = rights.iter().zip(0u32..).collect();
    let order: Vec<u32> = lefts
        .iter()
        .filter_map(|name| places.get(name).copied())
        .collect();
    let kept: HashSet<_> = longest_increasing(&order).into_iter().collect();
    let moved = lefts.iter().enumerate().filter(|(n, _)| !kept.contains(n));
    let moved: Vec<_> = moved.map(|(_, name)| name.to_string()).collect();
    if moved.is_empty() {
        return None;
    }
    let moved = DiffValue::Text(moved.join(", ")).into();
    let change = DiffChange::new(
        DiffPlace::fact("order"),
        ChangeKind::Reordered,
        None,
        Some(moved),
    );
    Some(change.with_group("order"))
}

/// The name of the fact that holds the request target, which may have a key in its query.
const TARGET: &str = "target";

/// Returns what a field of a response is about.
fn field_group(name: &str, facts: &[ServiceFacts; 2]) -> &'static str {
    let is = |field: &String| field.eq_ignore_ascii_case(name);
    for facts in facts {
        if facts.limits.iter().any(|limit| limit.fields.iter().any(is)) {
            return "rate limits";
        }
        if let Some(fact) = facts.others.iter().find(|fact| is(&fact.field)) {
            return meaning_group(fact.kind);
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
