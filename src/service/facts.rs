//! Plain values of the facts that a service states: limits, waits, and everything else.

use jiff::Timestamp;
use serde::Serialize;

use super::known_headers::{HeaderMeaning, ServerTime};
use super::limit_name::{LimitKey, LimitUnit, LimitWindow};
use super::value::{LimitCount, ResetTime};

/// Most limits that are read: no service has as many, and a head of such fields alone must not cost quadratic time.
pub(super) const MAX_LIMITS: usize = 64;

/// Prefix of the fields that LiteLLM passes on from the provider.
pub(super) const LITELLM_PREFIX: &str = "llm_provider-";

/// Facts from the header fields of a response; each list in the order of the head.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ServiceFacts {
    /// Date of the response, by the server's clock.
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
    /// Other facts: ids, places, accounts, versions.
    #[serde(rename = "told", skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<HeaderFact>,
    /// Fields with a known name and an unreadable value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<UnreadableField>,
    /// The names of all fields that are used above, as spelled.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<String>,
}

/// One rate limit, joined from all fields about it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct RateLimit {
    /// What it counts.
    pub what: LimitUnit,
    /// Whose it is, or of which kind: `project`, `priority`, the name of a policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// For how long it holds, where the field or the provider's documents say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<LimitWindow>,
    /// The limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<LimitCount>,
    /// Amount left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<LimitCount>,
    /// Amount used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub used: Option<LimitCount>,
    /// Amount that this request took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<LimitCount>,
    /// Time of the reset. For OpenAI: the limit is full again, which is later than the next request would pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reset: Option<ResetTime>,
    /// Share that is used, as written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utilization: Option<String>,
    /// The provider's word about it, as written: `allowed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The names of its fields, as spelled.
    pub fields: Vec<String>,
}

impl RateLimit {
    pub(super) fn new(key: LimitKey) -> Self {
        Self {
            what: key.unit,
            scope: key.scope,
            window: key.window,
            ..Self::default()
        }
    }

    /// Whether the limit is used up; false if the provider does not know (`-1`).
    pub fn is_exhausted(&self) -> bool {
        self.remaining == Some(LimitCount::Known(0)) && self.limit != Some(LimitCount::NotKnown)
    }

    pub(super) fn has_key(&self, key: &LimitKey) -> bool {
        self.what == key.unit && self.scope == key.scope && self.window == key.window
    }
}

/// Fields about retries: whether and when to try again.
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
    /// Whether the response has no field about retries.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The wait that is asked for: the finer field first, as SDKs read them.
    pub fn requested_wait(&self) -> Option<&RetryAfter> {
        self.after_ms.as_ref().or(self.after.as_ref())
    }
}

/// A wait that a header field asks for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RetryAfter {
    /// The name of the field, as spelled.
    pub field: String,
    /// End of the wait.
    #[serde(flatten)]
    pub until: ResetTime,
}

/// A header field that is shown as it is, without further reading: an id, a region, a version.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct HeaderFact {
    /// Meaning of the field.
    pub kind: HeaderMeaning,
    /// The value, or the part of it that holds the fact.
    pub value: String,
    /// The name of the field, as spelled.
    pub field: String,
}

/// A field with a known name and a value that cannot be read.
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
        let ids = self.others.iter().filter(|fact| {
            fact.kind <= HeaderMeaning::EdgeId
                && !fact.field.to_ascii_lowercase().starts_with(LITELLM_PREFIX)
        });
        // Of equals the first.
        ids.min_by_key(|fact| fact.kind)
    }

    /// All facts of one kind, in order.
    pub fn values_of(&self, kind: HeaderMeaning) -> impl Iterator<Item = &str> {
        let of_kind = self.others.iter().filter(move |fact| fact.kind == kind);
        of_kind.map(|fact| fact.value.as_str())
    }
}
