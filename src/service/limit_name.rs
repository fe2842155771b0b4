//! Reads the name of a rate-limit field: which limit, and which property of it.
//!
//! No provider follows a standard, but all build the names from the same words in another order
//! (`x-ratelimit-limit-tokens-minute`, `anthropic-ratelimit-input-tokens-remaining`): so words are read,
//! and not a list of names.

use serde::{Serialize, Serializer};

/// Unit that a rate limit counts.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// Requests.
    #[default]
    Requests,
    /// Tokens, of prompt and answer.
    Tokens,
    /// Tokens of prompts.
    InputTokens,
    /// Generated tokens.
    OutputTokens,
    /// Something else, in the provider's words.
    Other(String),
}

impl std::fmt::Display for LimitUnit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input tokens",
            Self::OutputTokens => "output tokens",
            Self::Other(what) => what,
        })
    }
}

/// The length of time for which a limit holds. Shown as `minute`, `5h`; serialised the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LimitWindow {
    /// A calendar month, or thirty days: providers do not say.
    Month,
    /// That many seconds.
    Seconds(u64),
}

impl LimitWindow {
    /// One minute.
    pub const MINUTE: Self = Self::Seconds(60);
    /// One day.
    pub const DAY: Self = Self::Seconds(86_400);

    fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "second" => Self::Seconds(1),
            "minute" | "min" => Self::MINUTE,
            "hour" => Self::Seconds(3_600),
            "day" => Self::DAY,
            "week" => Self::Seconds(604_800),
            "month" => Self::Month,
            _ => return Self::from_count(word),
        })
    }

    /// A window of a number of units: `5h`, `7d`.
    fn from_count(word: &str) -> Option<Self> {
        let (count, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
        let unit: u64 = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let count: u64 = count.parse().ok()?;
        count.checked_mul(unit).map(Self::Seconds)
    }
}

impl std::fmt::Display for LimitWindow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = match *self {
            Self::Month => return f.pad("month"),
            Self::Seconds(seconds) => seconds,
        };
        let (unit, letter) = [(86_400, "d"), (3_600, "h"), (60, "m")]
            .into_iter()
            .find(|(unit, _)| seconds > 0 && seconds.is_multiple_of(*unit))
            .unwrap_or((1, "s"));
        match seconds {
            1 => f.pad("second"),
            60 => f.pad("minute"),
            3_600 => f.pad("hour"),
            86_400 => f.pad("day"),
            _ => f.pad(&format!("{}{letter}", seconds.div_euclid(unit))),
        }
    }
}

impl Serialize for LimitWindow {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

/// The property of a rate limit that a field states: the limit, what remains, when it resets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LimitFieldRole {
    /// The limit itself.
    Limit,
    /// Amount left.
    Remaining,
    /// Amount used.
    Used,
    /// Amount that this request took.
    Cost,
    /// Time at which the limit resets.
    Reset,
    /// Share that is used.
    Utilization,
    /// A word: `allowed`, `yes`.
    Status,
}

/// Identity of a limit among those of one response.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct LimitKey {
    pub(super) unit: LimitUnit,
    /// Whose, or of which kind: `project`, `priority`, the name of a policy.
    pub(super) scope: Option<String>,
    pub(super) window: Option<LimitWindow>,
}

/// Reads the name of a field, in small letters. `None`: not about a rate limit. Without a role it is about
/// limits, but says nothing that is known here.
pub(super) fn parse_limit_name(name: &str) -> Option<(LimitKey, Option<LimitFieldRole>)> {
    let (family, rest, scope, tokens) = split_family(name)?;
    let mut seen = LimitNameParser {
        has_tokens: tokens,
        scope,
        defaults_to_minute: family == "anthropic",
        ..LimitNameParser::default()
    };
    rest.split(['-', '_'])
        .filter(|word| !word.is_empty())
        .for_each(|word| seen.take_word(word));
    Some(seen.finish())
}

/// The family of a field name, the words about the limit, the scope of the family, and whether it counts tokens.
fn split_family(name: &str) -> Option<(&str, &str, Vec<&str>, bool)> {
    for (prefix, scope, tokens) in [
        ("anthropic-priority-", Some("priority"), false),
        ("anthropic-fast-", Some("fast"), false),
        ("x-ratelimitbysize-", Some("by size"), false),
        ("x-tokenlimit-", None, true),
    ] {
        if let Some(rest) = name.strip_prefix(prefix) {
            return Some(("", rest, scope.into_iter().collect(), tokens));
        }
    }
    let (before, rest) = name
        .split_once("ratelimit")
        .or_else(|| name.split_once("rate-limit"))?;
    let before = before.strip_prefix("x-").unwrap_or(before);
    let family = before.trim_end_matches('-');
    // The provider's own name says nothing about which limit it is.
    let scope = Some(family).filter(|family| !matches!(*family, "" | "anthropic" | "x"));
    Some((family, rest, scope.into_iter().collect(), false))
}

/// The words of a name, as far as they were read.
#[derive(Default)]
struct LimitNameParser<'a> {
    role: Option<LimitFieldRole>,
    has_requests: bool,
    has_tokens: bool,
    has_input: bool,
    has_output: bool,
    window: Option<LimitWindow>,
    scope: Vec<&'a str>,
    /// Whether limits without a window are per minute, as Anthropic documents its own.
    defaults_to_minute: bool,
}

impl<'a> LimitNameParser<'a> {
    fn take_word(&mut self, word: &'a str) {
        match word {
            "limit" => self.role = self.role.or(Some(LimitFieldRole::Limit)),
            "remaining" => self.role = Some(LimitFieldRole::Remaining),
            "used" => self.role = Some(LimitFieldRole::Used),
            "cost" => self.role = Some(LimitFieldRole::Cost),
            "reset" => self.role = Some(LimitFieldRole::Reset),
            "utilization" => self.role = Some(LimitFieldRole::Utilization),
            // `x-ratelimit-over-limit: yes` (Fireworks).
            "status" | "over" => self.role = Some(LimitFieldRole::Status),
            "requests" | "request" | "req" => self.has_requests = true,
            "tokens" | "token" => self.has_tokens = true,
            "input" | "prompt" => self.has_input = true,
            "output" | "generated" | "completion" => self.has_output = true,
            // A token of a prompt that the limit is counted by, not one of its scopes.
            "query" => {}
            _ => match LimitWindow::from_word(word) {
                Some(window) => self.window = Some(window),
                None => self.scope.push(word),
            },
        }
    }

    fn finish(self) -> (LimitKey, Option<LimitFieldRole>) {
        let mut scope = (!self.scope.is_empty()).then(|| self.scope.join(" "));
        let what = match (self.has_tokens, self.has_input, self.has_output) {
            (_, true, false) => LimitUnit::InputTokens,
            (_, false, true) => LimitUnit::OutputTokens,
            (true, ..) => LimitUnit::Tokens,
            _ if self.has_requests => LimitUnit::Requests,
            // A bare `x-ratelimit-limit` is about requests, wherever it is documented.
            _ => scope.take().map_or(LimitUnit::Requests, LimitUnit::Other),
        };
        let counted = self.has_requests || self.has_tokens;
        let window = self
            .window
            .or((self.defaults_to_minute && counted).then_some(LimitWindow::MINUTE));
        let key = LimitKey {
            unit: what,
            scope,
            window,
        };
        (key, self.role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Name, role, what, window, scope.
    const NAMES: &str = "
        x-ratelimit-limit-requests                     | Limit | requests | - | -
        x-ratelimit-remaining-tokens                   | Remaining | tokens | - | -
        x-ratelimit-reset-tokens_usage_based           | Reset | tokens | - | usage based
        x-ratelimit-limit-project-tokens               | Limit | tokens | - | project
        anthropic-ratelimit-requests-limit             | Limit | requests | minute | -
        anthropic-ratelimit-input-tokens-reset         | Reset | input tokens | minute | -
        anthropic-ratelimit-output-tokens-remaining    | Remaining | output tokens | minute | -
        anthropic-ratelimit-unified-5h-utilization     | Utilization | unified | 5h | -
        anthropic-ratelimit-unified-7d-reset           | Reset | unified | 7d | -
        anthropic-ratelimit-unified-claim              | - | unified claim | - | -
        anthropic-priority-input-tokens-limit          | Limit | input tokens | - | priority
        x-ratelimit-limit-req-minute                   | Limit | requests | minute | -
        x-ratelimit-limit-tokens-minute                | Limit | tokens | minute | -
        x-ratelimit-limit-tokens-month                 | Limit | tokens | month | -
        x-ratelimit-tokens-query-cost                  | Cost | tokens | - | -
        x-ratelimitbysize-remaining-minute             | Remaining | by size | minute | -
        x-ratelimit-limit                              | Limit | requests | - | -
        x-rate-limit-reset                             | Reset | requests | - | -
        ratelimit-remaining                            | Remaining | requests | - | -
        x-tokenlimit-remaining                         | Remaining | tokens | - | -
        x-ratelimit-limit-tokens-prompt                | Limit | input tokens | - | -
        x-ratelimit-limit-tokens-generated             | Limit | output tokens | - | -
        x-ratelimit-over-limit                         | Status | requests | - | -
        x-ratelimit-limit-requests-day                 | Limit | requests | day | -
        x-ratelimit-reset-tokens-30s                   | Reset | tokens | 30s | -
        x-ms-ratelimit-remaining-writes                | Remaining | ms writes | - | -
        x-ratelimit-limit-audio-seconds                | Limit | audio seconds | - | -";

    #[test]
    fn names_are_read_by_their_words() {
        for row in NAMES.lines().filter(|row| !row.is_empty()) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let (key, role) = parse_limit_name(cells[0]).unwrap();
            let role = role.map_or("-".to_owned(), |role| format!("{role:?}"));
            let window = key.window.map_or("-".to_owned(), |it| it.to_string());
            let scope = key.scope.as_deref().unwrap_or("-");
            let what = key.unit.to_string();
            assert_eq!([&role, &what, &window, scope], cells[1..], "{}", cells[0]);
        }
        for name in ["x-request-id", "retry-after", "", "rate"] {
            assert_eq!(parse_limit_name(name), None, "{name}");
        }
    }
}
