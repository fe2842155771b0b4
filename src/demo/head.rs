//! Head fields: making those of a reply, and reading keys in those of a request.

use crate::serve::request::ServerRequest;

/// The head fields of a reply, in order.
pub(super) type ReplyFields = Vec<(String, String)>;

/// The content types of OpenAI and Anthropic.
pub(super) const JSON_TYPE: &str = "application/json";
pub(super) const EVENTS_TYPE: &str = "text/event-stream; charset=utf-8";

/// The milliseconds that a reply took, as its head states them: a plausible number.
pub(super) fn processing_millis(tokens: u64) -> u64 {
    80_u64.saturating_add(tokens.min(2_000))
}

/// Whether an HTTP method only reads: GET or HEAD.
pub(super) fn is_read(request: &ServerRequest) -> bool {
    matches!(request.method(), "GET" | "HEAD")
}

/// Whether `key` is the key that the demo refuses.
pub(super) fn is_bad_key(key: Option<&str>) -> bool {
    key == Some("bad-key")
}

/// The token of `Authorization: Bearer token` (RFC 6750, 2.1); the scheme is read in any case (RFC 9110, 11.1).
pub(super) fn bearer_token(request: &ServerRequest) -> Option<&str> {
    let (scheme, token) = request.field("authorization")?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
