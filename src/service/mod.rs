//! Facts that a service states in the header fields of a response: rate limits, retry times, ids to quote to support,
//! times that it measured, who served the request and where.
//!
//! Every provider has its own names and five ways to write a point in time. Here they are grouped by meaning,
//! in the order of the head; [`ServiceFacts::fields`] lists each field that was used, as it was spelled, so
//! that a view can show what remains. A known field with an unreadable value lands in
//! [`ServiceFacts::unread`]. No clock is asked: instants are compared to the response's own `Date`.
//!
//! ```
//! use wire::service::{self, LimitCount, LimitUnit};
//!
//! let head = [
//!     ("Date", "Mon, 23 Nov 2026 09:14:07 GMT"),
//!     ("x-ratelimit-limit-tokens", "2000000"),
//!     ("x-ratelimit-remaining-tokens", "1880"),
//!     ("x-ratelimit-reset-tokens", "59.943s"),
//! ];
//! let facts = service::read_fields(head.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())));
//! let [limit] = &facts.limits[..] else { panic!("one limit") };
//! assert_eq!((&limit.what, limit.remaining), (&LimitUnit::Tokens, Some(LimitCount::Known(1880))));
//! assert_eq!(limit.reset.as_ref().unwrap().after_micros, Some(59_943_000));
//! ```

mod known_headers;
mod limit_name;
mod policy;
mod reader;
pub(crate) mod value;

pub use known_headers::{HeaderMeaning, ServerTime, ServerTimeKind};
pub use limit_name::{LimitUnit, LimitWindow};
pub use reader::{read_fields, read_head};
pub use value::{LimitCount, ResetTime, TimeFormat};

use jiff::Timestamp;
use serde::Serialize;

use limit_name::LimitKey;

/// Most limits that are read: a head may consist of such fields alone.
const MAX_LIMITS: usize = 64;

/// What LiteLLM puts before the names of fields that it passes on.
const LITELLM_PREFIX: &str = "llm_provider-";

/// Facts from the header fields of a response; each list in the order of the head.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ServiceFacts {
    /// When the response was made, by the server's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Timestamp>,
    /// The limits.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<RateLimit>,
    /// Whether and when to come again.
    #[serde(skip_serializing_if = "RetryFields::is_empty")]
    pub retry: RetryFields,
    /// Times that servers measured.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<ServerTime>,
    /// Everything else: ids, places, accounts, versions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<HeaderFact>,
    /// Fields of a known name whose value cannot be read as it should.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadableField>,
    /// The names of all fields that are used above, as spelled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// One limit, put together from all fields about it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RateLimit {
    /// What it counts.
    pub what: LimitUnit,
    /// Whose it is, or of which kind: `project`, `priority`, the name of a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// For how long it holds, where the field or the provider's documents say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<LimitWindow>,
    /// How much there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitCount>,
    /// How much is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<LimitCount>,
    /// How much is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<LimitCount>,
    /// How much this request took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<LimitCount>,
    /// When it is fresh again. For OpenAI: full again, which is later than when a request would pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<ResetTime>,
    /// Which part is used, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilization: Option<String>,
    /// The provider's word about it, as written: `allowed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The names of its fields, as spelled.
    pub fields: Vec<String>,
}

impl RateLimit {
    fn new(key: LimitKey) -> Self {
        Self {
            what: key.unit,
            scope: key.scope,
            window: key.window,
            limit: None,
            remaining: None,
            used: None,
            cost: None,
            reset: None,
            utilization: None,
            status: None,
            fields: Vec::new(),
        }
    }

    /// Whether nothing is left. Not so where the provider does not know (`-1`).
    pub fn is_exhausted(&self) -> bool {
        self.remaining == Some(LimitCount::Known(0)) && self.limit != Some(LimitCount::NotKnown)
    }

    fn has_key(&self, key: &LimitKey) -> bool {
        self.what == key.unit && self.scope == key.scope && self.window == key.window
    }
}

/// Whether and when to come again.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct RetryFields {
    /// `retry-after-ms`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<RetryAfter>,
    /// `retry-after` (RFC 9110, 10.2.3).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<RetryAfter>,
    /// `x-should-retry`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub should: Option<bool>,
}

impl RetryFields {
    /// Whether there is none of them.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The wait that is asked for: the finer field first, as SDKs read them.
    pub fn requested_wait(&self) -> Option<&RetryAfter> {
        self.after_ms.as_ref().or(self.after.as_ref())
    }
}

/// A wait that a field asks for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RetryAfter {
    /// The name of the field, as spelled.
    pub field: String,
    /// Until when.
    #[serde(flatten)]
    pub until: ResetTime,
}

/// A header field whose value is a fact by itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct HeaderFact {
    /// What it is.
    pub kind: HeaderMeaning,
    /// The value, or the part of it that holds the fact.
    pub value: String,
    /// The name of the field, as spelled.
    pub field: String,
}

/// A field of a known name with a value that makes no sense.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct UnreadableField {
    /// The name of the field, as spelled.
    pub field: String,
    /// The value as it was written; bytes that are not UTF-8 as U+FFFD.
    pub value: String,
}

impl ServiceFacts {
    /// The id to quote to the provider: its own, else a gateway's, else the edge's.
    pub fn request_id(&self) -> Option<&HeaderFact> {
        let ids = self.told.iter().filter(|told| {
            told.kind <= HeaderMeaning::EdgeId
                && !told.field.to_ascii_lowercase().starts_with(LITELLM_PREFIX)
        });
        // Of equals the first.
        ids.min_by_key(|told| told.kind)
    }

    /// All facts of one kind, in order.
    pub fn values_of(&self, kind: HeaderMeaning) -> impl Iterator<Item = &str> {
        let of_kind = self.told.iter().filter(move |told| told.kind == kind);
        of_kind.map(|told| told.value.as_str())
    }
}

/// Reads `bytes` as fields, one a line, and asserts that none is lost. Half the body of a fuzz target: [`crate::sdk::fuzz`]
/// goes on with what it returns.
pub(crate) fn check_fields(bytes: &[u8]) -> ServiceFacts {
    let lines = bytes.split(|&byte| byte == b'\n');
    let pairs: Vec<(&[u8], &[u8])> = lines
        .map(|line| {
            let colon = line.iter().position(|&byte| byte == b':');
            let (name, value) = line
                .split_at_checked(colon.unwrap_or(line.len()))
                .unwrap_or((line, b""));
            (name, value.get(1..).unwrap_or_default())
        })
        .collect();
    let facts = read_fields(pairs.iter().copied());
    let spelled = |field: &String| {
        pairs
            .iter()
            .any(|(name, _)| String::from_utf8_lossy(name) == *field)
    };
    assert!(
        facts.fields.iter().all(spelled),
        "a field that is not there"
    );
    assert!(facts.limits.len() <= MAX_LIMITS);
    assert!(facts.fields.len().saturating_add(facts.unread.len()) <= pairs.len());
    for reset in facts.limits.iter().filter_map(|limit| limit.reset.as_ref()) {
        assert!(reset.at.is_some() || reset.after_micros.is_some());
    }
    facts
}

#[cfg(test)]
mod tests;
