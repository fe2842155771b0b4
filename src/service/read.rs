//! From the fields of a head to facts, one field after the other.

use std::borrow::Cow;

use super::known::{self, Reading};
use super::name::{self, Key, Role};
use super::{
    Count, Kind, Limit, MOST, PASSED_ON, Reset, ServiceFacts, Told, Unread, Wait, What, Window,
    policy, value,
};
use crate::http1::FieldSection;

/// What the fields of a response head, or of its trailers, tell.
pub fn read(head: &FieldSection) -> ServiceFacts {
    of(head.pairs())
}

/// What these fields, pairs of name and value, tell.
pub fn of<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> ServiceFacts {
    let fields: Vec<(Cow<'_, str>, String)> = fields
        .map(|(name, value)| (String::from_utf8_lossy(name), text(value)))
        .collect();
    let mut reader = Reader::default();
    // The date may stand after what it is needed for.
    let is_date = |name: &str| name.eq_ignore_ascii_case("date");
    let date = fields.iter().find(|(name, _)| is_date(name));
    reader.facts.date = date.and_then(|(_, value)| value::http_date(value));
    for (name, value) in &fields {
        reader.field(name, value);
    }
    reader.finish()
}

/// The value as text, folds replaced by a space (RFC 9112, 5.2).
fn text(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// The facts as far as the fields were read.
#[derive(Default)]
struct Reader {
    facts: ServiceFacts,
    groq: bool,
}

impl Reader {
    fn field(&mut self, field: &str, value: &str) {
        let small = field.to_ascii_lowercase();
        let (name, passed_on) = match small.strip_prefix(PASSED_ON) {
            Some(name) => (name, true),
            None => (small.as_str(), false),
        };
        self.groq |= name == "x-groq-region";
        let read = match name {
            "date" | "retry-after" | "retry-after-ms" | "x-should-retry" if passed_on => return,
            "date" => Some(self.facts.date.is_some()),
            "retry-after" | "retry-after-ms" => Some(self.wait(name, field, value)),
            "x-should-retry" => Some(self.should(value)),
            "ratelimit" | "ratelimit-policy" => Some(self.policy(field, value)),
            _ => self.limit(name, field, value, passed_on),
        };
        match read.or_else(|| self.known(name, field, value)) {
            Some(true) => self.facts.fields.push(field.to_owned()),
            Some(false) => self.facts.unread.push(Unread {
                field: field.to_owned(),
                value: value.to_owned(),
            }),
            None => {}
        }
    }

    fn wait(&mut self, name: &str, field: &str, value: &str) -> bool {
        let date = self.facts.date;
        let (place, until) = match name {
            "retry-after" => (&mut self.facts.retry.after, Reset::read(value, date)),
            _ => (&mut self.facts.retry.after_ms, Reset::millis(value, date)),
        };
        let field = field.to_owned();
        put(place, until.map(|until| Wait { field, until }))
    }

    fn should(&mut self, value: &str) -> bool {
        // In small letters only, as the SDKs compare it.
        let should = match value {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        put(&mut self.facts.retry.should, should)
    }

    fn policy(&mut self, field: &str, value: &str) -> bool {
        let items = policy::read(value);
        let date = self.facts.date;
        let mut read = !items.is_empty();
        for item in items {
            let Some(limit) = self.matching(&item.key) else {
                return false;
            };
            limit.window = limit.window.or(item.key.window);
            let reset = item.reset.as_deref();
            let until = reset.and_then(|text| Reset::read(text, date));
            read &= item.limit.is_none() || put(&mut limit.limit, item.limit);
            read &= item.remaining.is_none() || put(&mut limit.remaining, item.remaining);
            read &= reset.is_none() || put(&mut limit.reset, until);
            limit.fields.push(field.to_owned());
        }
        read
    }

    /// The limit of a policy: the field with the quota knows its window, the other one does not.
    fn matching(&mut self, key: &Key) -> Option<&mut Limit> {
        let loose = |limit: &Limit| {
            let windows =
                limit.window == key.window || limit.window.is_none() || key.window.is_none();
            limit.what == key.what && limit.scope == key.scope && windows
        };
        let found = self.facts.limits.iter().position(loose);
        self.at(found, key.clone())
    }

    fn at(&mut self, found: Option<usize>, key: Key) -> Option<&mut Limit> {
        let limits = &mut self.facts.limits;
        match found {
            Some(index) => limits.get_mut(index),
            None if limits.len() >= MOST => None,
            None => Some(limits.push_mut(Limit::new(key))),
        }
    }

    /// `None` if the field is not about a limit.
    fn limit(&mut self, name: &str, field: &str, value: &str, passed_on: bool) -> Option<bool> {
        let (mut key, role) = name::read(name)?;
        let Some(role) = role else {
            self.tell(Kind::Policy, field, value);
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
        let found = self.facts.limits.iter().position(|limit| limit.is(&key));
        let Some(limit) = self.at(found, key) else {
            return Some(false);
        };
        let word = (!value.is_empty()).then(|| value.to_owned());
        let taken = match role {
            Role::Limit => put(&mut limit.limit, Count::read(value)),
            Role::Remaining => put(&mut limit.remaining, Count::read(value)),
            Role::Used => put(&mut limit.used, Count::read(value)),
            Role::Cost => put(&mut limit.cost, Count::read(value)),
            Role::Reset => put(&mut limit.reset, Reset::read(value, date)),
            Role::Utilization => put(&mut limit.utilization, word),
            Role::Status => put(&mut limit.status, word),
        };
        if taken {
            limit.fields.push(field.to_owned());
        } else {
            // A limit of which nothing could be read is none.
            self.facts.limits.retain(|limit| !limit.fields.is_empty());
        }
        Some(taken)
    }

    /// `None` if the field is not known.
    fn known(&mut self, name: &str, field: &str, value: &str) -> Option<bool> {
        let reading = known::reading(name)?;
        match reading {
            Reading::Plain(kind) => {
                self.tell(kind, field, value);
                return Some(true);
            }
            Reading::Ray => {
                self.tell(Kind::EdgeId, field, value);
                if let Some(site) = known::site(value) {
                    self.tell(Kind::Site, field, site);
                }
                return Some(true);
            }
            Reading::Millis(_) | Reading::Seconds(_) | Reading::Timing => {}
        }
        let times = known::times(reading, field, value);
        let read = !times.is_empty();
        self.facts.times.extend(times);
        Some(read)
    }

    fn tell(&mut self, kind: Kind, field: &str, value: &str) {
        self.facts.told.push(Told {
            kind,
            value: value.to_owned(),
            field: field.to_owned(),
        });
    }

    fn finish(mut self) -> ServiceFacts {
        if self.groq {
            for limit in &mut self.facts.limits {
                // Groq's documents: requests are counted by day, tokens by minute.
                limit.window = limit.window.or(match limit.what {
                    What::Requests => Some(Window::DAY),
                    What::Tokens => Some(Window::MINUTE),
                    _ => None,
                });
            }
        }
        self.facts
    }
}

/// Puts a value in an empty place; answers whether it did: what is said twice, or not readable, is not taken.
fn put<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let takes = place.is_none() && value.is_some();
    if takes {
        *place = value;
    }
    takes
}
