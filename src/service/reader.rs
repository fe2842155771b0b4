//! Reads the fields of a head into facts, one field after the other.

use std::borrow::Cow;

use super::facts::{LITELLM_PREFIX, MAX_LIMITS};
use super::known_headers::{self, HeaderValueFormat};
use super::limit_name::{self, LimitFieldRole, LimitKey};
use super::{
    HeaderFact, HeaderMeaning, LimitCount, LimitUnit, LimitWindow, RateLimit, ResetTime,
    RetryAfter, ServiceFacts, UnreadableField, policy, value,
};
use crate::http1::FieldSection;

/// Reads the facts from a response head, or from its trailers.
pub fn read_head(head: &FieldSection) -> ServiceFacts {
    read_fields(head.pairs())
}

/// Reads the facts from header fields: pairs of name and value.
pub fn read_fields<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> ServiceFacts {
    let fields: Vec<(Cow<'_, str>, String)> = fields
        .map(|(name, value)| (String::from_utf8_lossy(name), unfolded_text(value)))
        .collect();
    let mut reader = ServiceFactsReader::default();
    // The date may stand after what it is needed for.
    let is_date = |name: &str| name.eq_ignore_ascii_case("date");
    let date = fields.iter().find(|(name, _)| is_date(name));
    reader.facts.date = date.and_then(|(_, value)| value::parse_http_date(value));
    for (name, value) in &fields {
        reader.take_field(name, value);
    }
    reader.finish()
}

/// The value as text, folds replaced by a space (RFC 9112, 5.2).
fn unfolded_text(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Facts from the fields read so far.
#[derive(Default)]
struct ServiceFactsReader {
    facts: ServiceFacts,
    is_groq: bool,
}

impl ServiceFactsReader {
    fn take_field(&mut self, field: &str, value: &str) {
        let small = field.to_ascii_lowercase();
        let (name, passed_on) = match small.strip_prefix(LITELLM_PREFIX) {
            Some(name) => (name, true),
            None => (small.as_str(), false),
        };
        self.is_groq |= name == "x-groq-region";
        let read = match name {
            "date" | "retry-after" | "retry-after-ms" | "x-should-retry" if passed_on => return,
            "date" => Some(self.facts.date.is_some()),
            "retry-after" | "retry-after-ms" => Some(self.take_retry_after(name, field, value)),
            "x-should-retry" => Some(self.take_should_retry(value)),
            "ratelimit" | "ratelimit-policy" => Some(self.take_policy(field, value)),
            _ => self.take_limit_field(name, field, value, passed_on),
        };
        match read.or_else(|| self.take_known_field(name, field, value)) {
            Some(true) => self.facts.fields.push(field.to_owned()),
            Some(false) => self.facts.unread.push(UnreadableField {
                field: field.to_owned(),
                value: value.to_owned(),
            }),
            None => {}
        }
    }

    fn take_retry_after(&mut self, name: &str, field: &str, value: &str) -> bool {
        let date = self.facts.date;
        let (place, until) = match name {
            "retry-after" => (&mut self.facts.retry.after, ResetTime::parse(value, date)),
            _ => (
                &mut self.facts.retry.after_ms,
                ResetTime::parse_millis(value, date),
            ),
        };
        let field = field.to_owned();
        set_if_empty(place, until.map(|until| RetryAfter { field, until }))
    }

    fn take_should_retry(&mut self, value: &str) -> bool {
        // In small letters only, as the SDKs compare it.
        let should = match value {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        set_if_empty(&mut self.facts.retry.should, should)
    }

    fn take_policy(&mut self, field: &str, value: &str) -> bool {
        let items = policy::parse_policy(value);
        let date = self.facts.date;
        let mut read = !items.is_empty();
        for item in items {
            let Some(limit) = self.policy_limit(&item.key) else {
                return false;
            };
            limit.window = limit.window.or(item.key.window);
            let reset = item.reset.as_deref();
            let until = reset.and_then(|text| ResetTime::parse(text, date));
            read &= item.limit.is_none() || set_if_empty(&mut limit.limit, item.limit);
            read &= item.remaining.is_none() || set_if_empty(&mut limit.remaining, item.remaining);
            read &= reset.is_none() || set_if_empty(&mut limit.reset, until);
            limit.fields.push(field.to_owned());
        }
        read
    }

    /// The limit of a policy: the field with the quota knows its window, the other one does not.
    fn policy_limit(&mut self, key: &LimitKey) -> Option<&mut RateLimit> {
        let loose = |limit: &RateLimit| {
            let windows =
                limit.window == key.window || limit.window.is_none() || key.window.is_none();
            limit.what == key.unit && limit.scope == key.scope && windows
        };
        let found = self.facts.limits.iter().position(loose);
        self.limit_at(found, key.clone())
    }

    fn limit_at(&mut self, found: Option<usize>, key: LimitKey) -> Option<&mut RateLimit> {
        let limits = &mut self.facts.limits;
        match found {
            Some(index) => limits.get_mut(index),
            None if limits.len() >= MAX_LIMITS => None,
            None => Some(limits.push_mut(RateLimit::new(key))),
        }
    }

    /// Takes a field about a rate limit; `None` if it is about something else.
    fn take_limit_field(
        &mut self,
        name: &str,
        field: &str,
        value: &str,
        passed_on: bool,
    ) -> Option<bool> {
        let (mut key, role) = limit_name::parse_limit_name(name)?;
        let Some(role) = role else {
            self.push_fact(HeaderMeaning::Policy, field, value);
            return Some(true);
        };
        if passed_on {
            let scope = key.scope.into_iter();
            let scopes: Vec<String> = std::iter::once("upstream".to_owned())
                .chain(scope)
                .collect();
            key.scope = Some(scopes.join(" "));
        }
        let date = self.facts.date;
        let found = self
            .facts
            .limits
            .iter()
            .position(|limit| limit.has_key(&key));
        let Some(limit) = self.limit_at(found, key) else {
            return Some(false);
        };
        let word = (!value.is_empty()).then(|| value.to_owned());
        let taken = match role {
            LimitFieldRole::Limit => set_if_empty(&mut limit.limit, LimitCount::parse(value)),
            LimitFieldRole::Remaining => {
                set_if_empty(&mut limit.remaining, LimitCount::parse(value))
            }
            LimitFieldRole::Used => set_if_empty(&mut limit.used, LimitCount::parse(value)),
            LimitFieldRole::Cost => set_if_empty(&mut limit.cost, LimitCount::parse(value)),
            LimitFieldRole::Reset => set_if_empty(&mut limit.reset, ResetTime::parse(value, date)),
            LimitFieldRole::Utilization => set_if_empty(&mut limit.utilization, word),
            LimitFieldRole::Status => set_if_empty(&mut limit.status, word),
        };
        if taken {
            limit.fields.push(field.to_owned());
        } else {
            // A limit of which nothing could be read is none.
            self.facts.limits.retain(|limit| !limit.fields.is_empty());
        }
        Some(taken)
    }

    /// Takes a field of the table of known fields; `None` if it is not in it.
    fn take_known_field(&mut self, name: &str, field: &str, value: &str) -> Option<bool> {
        let reading = known_headers::header_format(name)?;
        match reading {
            HeaderValueFormat::Plain(kind) => {
                self.push_fact(kind, field, value);
                return Some(true);
            }
            HeaderValueFormat::CfRay => {
                self.push_fact(HeaderMeaning::EdgeId, field, value);
                if let Some(site) = known_headers::cf_ray_site(value) {
                    self.push_fact(HeaderMeaning::Site, field, site);
                }
                return Some(true);
            }
            HeaderValueFormat::Millis(_)
            | HeaderValueFormat::Seconds(_)
            | HeaderValueFormat::ServerTiming => {}
        }
        let times = known_headers::parse_times(reading, field, value);
        let read = !times.is_empty();
        self.facts.times.extend(times);
        Some(read)
    }

    fn push_fact(&mut self, kind: HeaderMeaning, field: &str, value: &str) {
        self.facts.others.push(HeaderFact {
            kind,
            value: value.to_owned(),
            field: field.to_owned(),
        });
    }

    fn finish(mut self) -> ServiceFacts {
        if self.is_groq {
            for limit in &mut self.facts.limits {
                // Groq's documents: requests are counted by day, tokens by minute.
                limit.window = limit.window.or(match limit.what {
                    LimitUnit::Requests => Some(LimitWindow::DAY),
                    LimitUnit::Tokens => Some(LimitWindow::MINUTE),
                    _ => None,
                });
            }
        }
        self.facts
    }
}

/// Sets an empty place to a value, and returns whether it did. A second value, and an unreadable one, are not taken.
fn set_if_empty<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let takes = place.is_none() && value.is_some();
    if takes {
        *place = value;
    }
    takes
}
