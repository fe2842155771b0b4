//! Waits that a provider asks for in a body: Google's `RetryInfo`, or words such as
//! `Please try again in 1.87s` (OpenAI, Groq, Azure). `service` reads what it says in header fields.

use serde::Serialize;

use crate::json::JsonValue;
use crate::service::value::parse_duration_prefix;

/// A wait that the body of an error asks for.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RetryDelay {
    /// The wait as written: `34.4s`, `2 seconds`.
    pub text: String,
    /// The wait in microseconds.
    pub micros: u64,
    /// Name of the member that has it: `retryDelay`, `message`.
    pub named: &'static str,
}

/// Words before a wait, in lower case.
const DELAY_PHRASES: &[&str] = &["try again in ", "retry in ", "retry after ", "again after "];

impl RetryDelay {
    /// The wait in the details of an error, else in its message.
    pub(super) fn from_error(error: JsonValue<'_>, message: &str) -> Option<Self> {
        let details = error.get("details").into_iter().flat_map(JsonValue::items);
        let delay = details
            .filter_map(|detail| detail.get("retryDelay"))
            .find_map(JsonValue::as_str);
        let listed = delay.and_then(|delay| Self::parse(&delay, "retryDelay"));
        listed.or_else(|| Self::from_message(message))
    }

    fn from_message(message: &str) -> Option<Self> {
        // ASCII only, so that offsets stay valid.
        let small = message.to_ascii_lowercase();
        DELAY_PHRASES.iter().find_map(|before| {
            let (start, _) = small.match_indices(before).next()?;
            let after = message.get(start.saturating_add(before.len())..)?;
            Self::parse(after, "message")
        })
    }

    /// Reads numbers with units at the beginning of `text`: `1.87s`, `6m0s`, `120ms`, `2 seconds`.
    fn parse(text: &str, named: &'static str) -> Option<Self> {
        let (micros, end) = parse_duration_prefix(text)?;
        Some(Self {
            text: text.get(..end)?.to_owned(),
            micros,
            named,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::RetryDelay;
    use crate::json::JsonDocument;

    #[test]
    fn waits_in_bodies() {
        let case = |error: &str, message: &str, expected: Option<(&str, u64)>| {
            let document = JsonDocument::parse(error.as_bytes()).unwrap();
            let found = RetryDelay::from_error(document.root(), message);
            let found = found.as_ref().map(|wait| (wait.text.as_str(), wait.micros));
            assert_eq!(found, expected, "{message}");
        };
        let info = r#"{"details":[{"@type":"x"},{"retryDelay":"34.4s"}]}"#;
        case(info, "Please retry in 9s.", Some(("34.4s", 34_400_000)));
        case("{}", "Please retry in 34.4s.", Some(("34.4s", 34_400_000)));
        case(
            "{}",
            "Please try again in 1.87s. Visit",
            Some(("1.87s", 1_870_000)),
        );
        case(
            "{}",
            "Try again in 2 seconds",
            Some(("2 seconds", 2_000_000)),
        );
        case(
            "{}",
            "Please try again in 7m12.5s",
            Some(("7m12.5s", 432_500_000)),
        );
        case(
            "{}",
            "Please retry after 86400 seconds.",
            Some(("86400 seconds", 86_400_000_000)),
        );
        case("{}", "try again in 120ms", Some(("120ms", 120_000)));
        for none in [
            "",
            "try again later",
            "try again in a while",
            "try again in 5",
            "again in é",
        ] {
            case("{}", none, None);
        }
    }
}
