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

mod checks;
mod facts;
mod known_headers;
mod limit_name;
mod policy;
mod reader;
pub(crate) mod value;

pub(crate) use checks::check_fields;
pub use facts::{HeaderFact, RateLimit, RetryAfter, RetryFields, ServiceFacts, UnreadableField};
pub use known_headers::{HeaderMeaning, ServerTime, ServerTimeKind};
pub use limit_name::{LimitUnit, LimitWindow};
pub use reader::{read_fields, read_head};
pub use value::{LimitCount, ResetTime, TimeFormat};

#[cfg(test)]
mod tests;
