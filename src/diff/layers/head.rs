//! Two heads: the start line, and the fields by name, value, spelling of the name and order.

use std::collections::{HashMap, HashSet};

use crate::capture::{mask_field_value, mask_url};
use crate::diff::change::{ChangeKind, ChangeSide, DiffChange, DiffValue};
use crate::diff::fact_sheet::{FactSheet, escape_non_utf8};
use crate::diff::increasing::longest_increasing;
use crate::diff::place::{DiffPlace, PlaceRoot};
use crate::http1::{HeadField, HttpMessage, StartLine};
use crate::service::{self, HeaderMeaning, ServiceFacts};
use crate::span::Span;

/// Returns what differs between two heads. `grouped`: fields of responses are grouped by what they are about.
pub(crate) fn compare(left: &HttpMessage, right: &HttpMessage, grouped: bool) -> Vec<DiffChange> {
    let mut changes = start_line_facts(left).compare(&start_line_facts(right));
    let facts = grouped.then(|| [left, right].map(|message| service::read_head(&message.head)));
    let sheets = |text: fn(&HeadField) -> Span| {
        [left, right].map(|message| {
            let mut sheet = FactSheet::default();
            for field in &message.head.fields {
                let [name, text] =
                    [field.name, text(field)].map(|span| escape_non_utf8(message.head.slice(span)));
                let name = name.to_ascii_lowercase();
                let group = facts
                    .as_ref()
                    .map_or("field", |facts| field_group(&name, facts));
                let value = ChangeSide::at(DiffValue::Text(text), field.line);
                sheet.put_at(PlaceRoot::Field, group, name, Some(value));
            }
            sheet
        })
    };
    let [lefts, rights] = sheets(|field| field.value);
    let mut values = lefts.compare(&rights);
    // New fields come last.
    values.sort_by_key(|change| change.what == ChangeKind::Added);
    changes.extend(values);
    changes.iter_mut().for_each(mask_secrets);
    let [left_names, right_names] = sheets(|field| field.name);
    changes.extend(join_respelled(left_names.compare(&right_names)));
    changes.extend(compare_order(&lefts, &rights));
    changes
}

fn start_line_facts(message: &HttpMessage) -> FactSheet {
    let mut sheet = FactSheet::default();
    let text = |span| escape_non_utf8(message.head.slice(span));
    let mut put = |name: &'static str, span: Span| {
        let value = ChangeSide::at(DiffValue::Text(text(span)), span);
        sheet.put_at(PlaceRoot::Fact, "start line", name, Some(value));
    };
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
            let code = DiffValue::Count(code.into()).into();
            sheet.put_at(PlaceRoot::Fact, "start line", "status", Some(code));
        }
        None => {}
    }
    sheet
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

/// Returns the fields whose names are spelled with other capital letters; `changes` are all differences of the names.
fn join_respelled(mut changes: Vec<DiffChange>) -> Vec<DiffChange> {
    changes.retain(|change| change.what == ChangeKind::Changed);
    changes
        .iter_mut()
        .for_each(|change| change.what = ChangeKind::Respelled);
    if changes.len() < MIN_RESPELLED_TOGETHER {
        return changes;
    }
    let all = |side: fn(&DiffChange) -> &Option<ChangeSide>| {
        let names = changes.iter().filter_map(|change| side(change).as_ref());
        let names: Vec<_> = names.map(|name| name.value.to_string()).collect();
        Some(DiffValue::Text(names.join(", ")).into())
    };
    let (left, right) = (all(|change| &change.left), all(|change| &change.right));
    let place = DiffPlace::fact("names");
    vec![DiffChange::new(place, ChangeKind::Respelled, left, right).with_group("field")]
}

/// Returns the fields that moved among those that both sides have: as few as explain the order.
fn compare_order(left: &FactSheet, right: &FactSheet) -> Option<DiffChange> {
    let positions: HashMap<_, _> = right.places().zip(0u32..).collect();
    let both = left
        .places()
        .filter_map(|place| Some((place, *positions.get(place)?)));
    let (both, order): (Vec<_>, Vec<_>) = both.unzip();
    let kept: HashSet<_> = longest_increasing(&order).into_iter().collect();
    let moved = both.iter().enumerate().filter(|(n, _)| !kept.contains(n));
    let moved: Vec<_> = moved.map(|(_, place)| place.to_string()).collect();
    let moved = (!moved.is_empty()).then(|| DiffValue::Text(moved.join(", ")).into());
    let change = DiffChange::from_sides(DiffPlace::fact("order"), None, moved)?;
    Some(change.with_kind(ChangeKind::Reordered).with_group("order"))
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
