//! What SDKs do after a failure, by the rules in their code: retry or not, when, how often.
//!
//! Read in the packages of openai-python 3.54.0, openai-node 7.5.0, anthropic-python 2.12.0, anthropic-ts
//! 1.12.0 and groq-python 1.7.0; those of anthropic-python 0.121.0, google-genai 3.4.0 and the Vercel AI SDK 6
//! after notes on their sources. All rules are defaults: a program may set its own number of retries.

mod checks;
mod sdks;

#[doc(hidden)]
pub use checks::fuzz;
pub use sdks::{SDKS, SdkFamily, SdkProfile};

use jiff::Timestamp;
use serde::Serialize;

use crate::service::value::MICROS_PER_SECOND;
use crate::service::{RetryAfter, ServiceFacts};
use sdks::{BackoffJitter, LongWaitPolicy, WaitPolicy};

/// A failure of a call, as an SDK sees it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CallFailure {
    /// A response came, with this status.
    Status(u16),
    /// No head of a response came: no connection, a time limit, or the connection broke.
    NoResponse,
    /// The body broke off, or reported an error, after a successful head.
    AfterHead,
}

impl SdkProfile {
    /// The SDK that sends this `user-agent`: `AsyncOpenAI/Python 3.54.0`, `Anthropic/JS 1.12.0`.
    pub fn from_user_agent(agent: &str) -> Option<&'static Self> {
        let agent = agent.strip_prefix("Async").unwrap_or(agent);
        let fits = SDKS
            .iter()
            .filter(|sdk| agent.starts_with(sdk.agent_prefix));
        // The one that says more: `Anthropic/Python 0.` before `Anthropic/Python`.
        fits.max_by_key(|sdk| sdk.agent_prefix.len())
    }

    /// The advice after `failure`. A wait until an instant counts from `now`, else from the response's `Date`.
    pub fn advise(
        &self,
        failure: CallFailure,
        facts: &ServiceFacts,
        now: Option<Timestamp>,
    ) -> RetryAdvice {
        let asked = RequestedWait::from_facts(facts, now);
        match self.decide(failure, facts, asked) {
            RetryDecision::GiveUp(because) => RetryAdvice::new(self, false, Vec::new(), because),
            RetryDecision::Retry(because) if self.max_retries == 0 => {
                let because = format!("it never does by default, though {because}");
                RetryAdvice::new(self, false, Vec::new(), because)
            }
            RetryDecision::Retry(because) => {
                let (waits, how) = self.plan_waits(asked);
                RetryAdvice::new(self, true, waits, format!("{because}; {how}"))
            }
        }
    }

    fn decide(
        &self,
        failure: CallFailure,
        facts: &ServiceFacts,
        asked: Option<RequestedWait<'_>>,
    ) -> RetryDecision {
        let status = match failure {
            CallFailure::NoResponse => return RetryDecision::Retry("no answer came".to_owned()),
            CallFailure::AfterHead => {
                return RetryDecision::GiveUp(
                    "nothing is tried again once a body has begun".to_owned(),
                );
            }
            CallFailure::Status(status) if status < 400 => {
                return RetryDecision::GiveUp(format!("status {status} is no error"));
            }
            CallFailure::Status(status) => status,
        };
        if let (Some(asked), WaitPolicy::ObeysUpTo(most, LongWaitPolicy::GivesUp)) =
            (asked, self.wait_policy)
            && asked.micros > most.saturating_mul(MICROS_PER_SECOND)
        {
            return RetryDecision::GiveUp(format!(
                "{asked} is more than the {most} s it would wait"
            ));
        }
        match facts.retry.should.filter(|_| self.obeys_should_retry) {
            Some(true) => return RetryDecision::Retry(override_reason(true, status)),
            Some(false) => return RetryDecision::GiveUp(override_reason(false, status)),
            None => {}
        }
        if status >= 500 && self.retries_server_error(status)
            || self.retried_statuses.contains(&status)
        {
            return RetryDecision::Retry(format!("status {status} is one to try again"));
        }
        RetryDecision::GiveUp(format!(
            "status {status} is none to try again ({})",
            self.describe_statuses()
        ))
    }

    fn retries_server_error(&self, status: u16) -> bool {
        self.family != SdkFamily::Google || matches!(status, 500 | 502 | 503 | 504)
    }

    /// The statuses that the SDK retries, in words.
    fn describe_statuses(&self) -> String {
        let listed: Vec<String> = self.retried_statuses.iter().map(u16::to_string).collect();
        let servers = match self.family {
            SdkFamily::Google => "500, 502, 503, 504 are",
            _ => "500 and up are",
        };
        format!("{}, {servers}", listed.join(", "))
    }

    /// The waits before the retries, and the reason in words.
    fn plan_waits(&self, asked: Option<RequestedWait<'_>>) -> (Vec<WaitRange>, String) {
        let Some(asked) = asked else {
            return (
                self.own_waits(),
                "no field asks for a wait, so by its own rule".to_owned(),
            );
        };
        let WaitPolicy::ObeysUpTo(most, beyond) = self.wait_policy else {
            return (self.own_waits(), format!("{asked} is not looked at"));
        };
        let exact = |micros| {
            vec![WaitRange {
                least_micros: micros,
                most_micros: micros,
            }]
        };
        let limit = most
            .saturating_mul(MICROS_PER_SECOND)
            .saturating_sub(self.limit_exclusive.into());
        match beyond {
            _ if asked.micros == 0 && !self.obeys_zero_wait => (
                self.own_waits(),
                format!("{asked} is no wait, so by its own rule"),
            ),
            _ if asked.micros <= limit => (exact(asked.micros), format!("{asked} is obeyed")),
            LongWaitPolicy::WaitsMaximum => {
                (exact(limit), format!("{asked} is obeyed up to {most} s"))
            }
            LongWaitPolicy::OwnRule | LongWaitPolicy::GivesUp => {
                let how = format!("{asked} is beyond the {most} s it accepts, so by its own rule");
                (self.own_waits(), how)
            }
        }
    }

    /// The SDK's own waits, one for each retry.
    fn own_waits(&self) -> Vec<WaitRange> {
        let tries = 0..u32::from(self.max_retries);
        let steps = tries.map(|step| {
            let doubled = self
                .backoff
                .first_micros
                .saturating_mul(2_u64.saturating_pow(step));
            let wait = doubled.min(self.backoff.max_micros);
            match self.backoff.jitter {
                BackoffJitter::None => (wait, wait),
                BackoffJitter::QuarterLess => (wait.saturating_sub(wait.div_euclid(4)), wait),
                BackoffJitter::SecondMore => (wait, wait.saturating_add(MICROS_PER_SECOND)),
            }
        });
        let ranges = steps.map(|(least_micros, most_micros)| WaitRange {
            least_micros,
            most_micros,
        });
        ranges.collect()
    }
}

fn override_reason(should: bool, status: u16) -> String {
    format!("x-should-retry: {should} wins over status {status}")
}

/// Whether an SDK retries, with the reason in words.
enum RetryDecision {
    Retry(String),
    GiveUp(String),
}

/// A wait that a response asks for, in microseconds from now.
#[derive(Clone, Copy)]
struct RequestedWait<'a> {
    wait: &'a RetryAfter,
    micros: u64,
}

impl<'a> RequestedWait<'a> {
    fn from_facts(facts: &'a ServiceFacts, now: Option<Timestamp>) -> Option<Self> {
        let wait = facts.retry.requested_wait()?;
        let micros = wait.until.wait_micros(now)?;
        Some(Self { wait, micros })
    }
}

impl std::fmt::Display for RequestedWait<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.wait.field, self.wait.until.text)
    }
}

/// What one SDK does after a failure.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct RetryAdvice {
    /// Name of the SDK.
    pub sdk: &'static str,
    /// Versions whose code was read.
    pub versions: &'static str,
    /// Family of providers that the SDK is made for.
    pub family: SdkFamily,
    /// Whether it retries.
    pub retries: bool,
    /// Most retries; zero if it does not retry.
    pub times: u8,
    /// Waits: one before the next retry if a field asks for it, else one before each retry.
    pub waits: Vec<WaitRange>,
    /// The rule that decided, in words.
    pub because: String,
    /// The advice as a sentence.
    pub words: String,
}

/// Range of a wait of an SDK, jitter included.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct WaitRange {
    /// Shortest wait in microseconds.
    pub least_micros: u64,
    /// Longest wait in microseconds.
    pub most_micros: u64,
}

impl std::fmt::Display for WaitRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let most = format_seconds(self.most_micros);
        if self.least_micros == self.most_micros {
            return write!(f, "{most} s");
        }
        write!(f, "{} to {most} s", format_seconds(self.least_micros))
    }
}

/// Seconds to the millisecond, without zeros at the end.
fn format_seconds(micros: u64) -> String {
    let (whole, millis) = (
        micros.div_euclid(MICROS_PER_SECOND),
        micros.rem_euclid(MICROS_PER_SECOND).div_euclid(1000),
    );
    let shown = format!("{whole}.{millis:03}");
    shown.trim_end_matches('0').trim_end_matches('.').to_owned()
}

impl RetryAdvice {
    fn new(sdk: &SdkProfile, retries: bool, waits: Vec<WaitRange>, because: String) -> Self {
        let words = if retries {
            let shown: Vec<String> = waits.iter().map(WaitRange::to_string).collect();
            let (after, times) = (shown.join(", then "), sdk.max_retries);
            let name = sdk.name;
            format!("{name} would try again after {after}, {times} times at most: {because}")
        } else {
            format!("{} would not try again: {because}", sdk.name)
        };
        Self {
            sdk: sdk.name,
            versions: sdk.versions,
            family: sdk.family,
            retries,
            times: if retries { sdk.max_retries } else { 0 },
            waits,
            because,
            words,
        }
    }
}

/// The advice of each of the [`SDKS`], in their order.
pub fn advise_all(
    failure: CallFailure,
    facts: &ServiceFacts,
    now: Option<Timestamp>,
) -> Vec<RetryAdvice> {
    SDKS.iter()
        .map(|sdk| sdk.advise(failure, facts, now))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_500_is_tried_again_by_seven_sdks() {
        let advice = advise_all(CallFailure::Status(500), &ServiceFacts::default(), None);
        assert_eq!(advice.iter().filter(|advice| advice.retries).count(), 7);
    }

    fn words(agent: &str, failure: CallFailure, fields: &[(&str, &str)]) -> String {
        let pairs = fields
            .iter()
            .map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let facts = crate::service::read_fields(pairs);
        SdkProfile::from_user_agent(agent)
            .unwrap()
            .advise(failure, &facts, None)
            .words
    }

    fn case(agent: &str, status: u16, fields: &[(&str, &str)], expected: &str) {
        assert_eq!(words(agent, CallFailure::Status(status), fields), expected);
    }

    #[test]
    fn what_sdks_would_do() {
        let openai = "AsyncOpenAI/Python 3.54.0";
        // openai-429-tpm
        case(
            openai,
            429,
            &[("retry-after", "2"), ("retry-after-ms", "1870")],
            "openai-python would try again after 1.87 s, 2 times at most: \
             status 429 is one to try again; retry-after-ms: 1870 is obeyed",
        );
        // openai-429-insufficient-quota
        case(
            openai,
            429,
            &[],
            "openai-python would try again after 0.375 to 0.5 s, then 0.75 to 1 s, 2 times at most: \
             status 429 is one to try again; no field asks for a wait, so by its own rule",
        );
        case(
            openai,
            429,
            &[("Retry-After", "86400"), ("x-should-retry", "true")],
            "openai-python would not try again: Retry-After: 86400 is more than the 120 s it would wait",
        );
        // anthropic-400-credit
        case(
            "Anthropic/Python 2.12.0",
            400,
            &[("x-should-retry", "false")],
            "anthropic-python would not try again: x-should-retry: false wins over status 400",
        );
        // anthropic-529
        case(
            "Anthropic/JS 1.12.0",
            529,
            &[("x-should-retry", "true")],
            "anthropic-ts would try again after 0.375 to 0.5 s, then 0.75 to 1 s, 2 times at most: \
             x-should-retry: true wins over status 529; no field asks for a wait, so by its own rule",
        );
        case(
            "Anthropic/Python 2.12.0",
            429,
            &[("retry-after", "3600")],
            "anthropic-python would try again after 3600 s, 2 times at most: \
             status 429 is one to try again; retry-after: 3600 is obeyed",
        );
        case(
            "Anthropic/Python 0.121.0",
            429,
            &[("retry-after", "61")],
            "anthropic-python 0 would try again after 0.375 to 0.5 s, then 0.75 to 1 s, 2 times at most: \
             status 429 is one to try again; retry-after: 61 is beyond the 60 s it accepts, so by its own rule",
        );
    }

    #[test]
    fn what_other_sdks_would_do() {
        case(
            "google-genai-sdk/3.4.0 gl-python/3.11.7",
            429,
            &[],
            "google-genai would not try again: it never does by default, \
             though status 429 is one to try again",
        );
        case(
            "google-genai-sdk/3.4.0",
            501,
            &[],
            "google-genai would not try again: status 501 is none to try again \
             (408, 429, 500, 502, 503, 504 are)",
        );
        case(
            "ai/6.0.326 ai-sdk/provider-utils/4",
            429,
            &[("x-should-retry", "false")],
            "Vercel AI SDK would try again after 2 s, then 4 s, 2 times at most: \
             status 429 is one to try again; no field asks for a wait, so by its own rule",
        );
        case(
            "OpenAI/JS 7.5.0",
            400,
            &[],
            "openai-node would not try again: status 400 is none to try again (408, 409, 429, 500 and up are)",
        );
        case(
            "OpenAI/JS 7.5.0",
            200,
            &[],
            "openai-node would not try again: status 200 is no error",
        );
    }

    #[test]
    fn instants_and_failures_without_a_status() {
        let date = ("Date", "Mon, 23 Nov 2026 09:14:07 GMT");
        let after = ("Retry-After", "Mon, 23 Nov 2026 09:14:37 GMT");
        let failure = CallFailure::Status(503);
        let said = words("OpenAI/JS", failure, &[date, after]);
        assert!(
            said.starts_with("openai-node would try again after 30 s"),
            "{said}"
        );
        // Without a clock of any side, the wait is not known.
        let said = words("OpenAI/JS", failure, &[after]);
        assert!(said.contains("after 0.375 to 0.5 s"), "{said}");
        let said = words("OpenAI/JS", CallFailure::NoResponse, &[]);
        assert!(said.contains("no answer came"), "{said}");
        let said = words("OpenAI/JS", CallFailure::AfterHead, &[]);
        assert!(
            said.ends_with("nothing is tried again once a body has begun"),
            "{said}"
        );
    }

    #[test]
    fn agents() {
        let name = |agent| SdkProfile::from_user_agent(agent).map(|sdk| sdk.name);
        assert_eq!(
            name("AsyncAnthropic/Python 0.99"),
            Some("anthropic-python 0")
        );
        assert_eq!(name("Groq/Python 1.7.0"), Some("groq-python"));
        assert_eq!(name("curl/8"), None);
        assert_eq!(
            advise_all(CallFailure::NoResponse, &ServiceFacts::default(), None).len(),
            SDKS.len()
        );
    }
}
