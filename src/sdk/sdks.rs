//! The table of SDKs with their retry rules, read from their code.

use serde::Serialize;

/// Family of providers that an SDK is made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SdkFamily {
    /// OpenAI, Azure, and all that speak their dialect.
    OpenAi,
    /// Anthropic, and all that speak its dialect.
    Anthropic,
    /// Groq.
    Groq,
    /// Google.
    Google,
    /// Any provider.
    Any,
}

impl SdkFamily {
    /// The family of SDKs that a provider makes for its own service, beside the dialect that it speaks.
    pub fn of_provider(provider: Option<&str>) -> Option<Self> {
        provider.filter(|name| *name == "groq").map(|_| Self::Groq)
    }
}

/// Retry rules of one SDK.
#[derive(Debug, Eq, PartialEq)]
pub struct SdkProfile {
    /// Name of the SDK.
    pub name: &'static str,
    /// Versions whose code was read.
    pub versions: &'static str,
    /// Family of providers that the SDK is made for.
    pub family: SdkFamily,
    /// Default number of retries after the first attempt.
    pub max_retries: u8,
    /// Prefix of its `user-agent`, without `Async`.
    pub(super) agent_prefix: &'static str,
    /// Whether `x-should-retry` overrides the status.
    pub(super) obeys_should_retry: bool,
    /// Statuses below 500 that it retries. From 500 up it retries all (Google: 500, 502, 503, 504).
    pub(super) retried_statuses: &'static [u16],
    /// How it treats `retry-after-ms` and `retry-after`.
    pub(super) wait_policy: WaitPolicy,
    /// Whether it obeys a wait of zero.
    pub(super) obeys_zero_wait: bool,
    /// Whether the limit of the wait itself is not accepted.
    pub(super) limit_exclusive: bool,
    pub(super) backoff: BackoffRule,
}

/// How an SDK treats a wait that a response asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum WaitPolicy {
    /// It ignores the fields.
    IgnoresFields,
    /// It waits as asked, up to a number of seconds; longer waits are treated by the policy.
    ObeysUpTo(u64, LongWaitPolicy),
}

/// How an SDK treats a wait above its limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LongWaitPolicy {
    /// It waits by its own rule.
    OwnRule,
    /// It does not retry, regardless of `x-should-retry`.
    GivesUp,
    /// It waits as long as its limit.
    WaitsMaximum,
}

/// An SDK's own waits: doubling from the first to the maximum.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct BackoffRule {
    pub(super) first_micros: u64,
    pub(super) max_micros: u64,
    pub(super) jitter: BackoffJitter,
}

/// Jitter of an SDK's own waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum BackoffJitter {
    None,
    /// Up to a quarter shorter.
    QuarterLess,
    /// Up to a second longer.
    SecondMore,
}

const STAINLESS_BACKOFF: BackoffRule = BackoffRule {
    first_micros: 500_000,
    max_micros: 8_000_000,
    jitter: BackoffJitter::QuarterLess,
};

const STAINLESS_STATUSES: &[u16] = &[408, 409, 429];

const BASE_PROFILE: SdkProfile = SdkProfile {
    name: "",
    versions: "",
    family: SdkFamily::Any,
    agent_prefix: "",
    max_retries: 2,
    obeys_should_retry: true,
    retried_statuses: STAINLESS_STATUSES,
    wait_policy: WaitPolicy::ObeysUpTo(60, LongWaitPolicy::OwnRule),
    obeys_zero_wait: false,
    limit_exclusive: false,
    backoff: STAINLESS_BACKOFF,
};

/// All known SDKs.
pub static SDKS: [SdkProfile; 8] = [
    SdkProfile {
        name: "openai-python",
        versions: "3.3.1 to 3.54.0",
        family: SdkFamily::OpenAi,
        agent_prefix: "OpenAI/Python",
        wait_policy: WaitPolicy::ObeysUpTo(120, LongWaitPolicy::GivesUp),
        ..BASE_PROFILE
    },
    SdkProfile {
        name: "openai-node",
        versions: "7.5.0",
        family: SdkFamily::OpenAi,
        agent_prefix: "OpenAI/JS",
        obeys_zero_wait: true,
        ..BASE_PROFILE
    },
    SdkProfile {
        name: "anthropic-python",
        versions: "2.12.0",
        family: SdkFamily::Anthropic,
        agent_prefix: "Anthropic/Python",
        // The longest sleep on every platform.
        wait_policy: WaitPolicy::ObeysUpTo(4_294_967, LongWaitPolicy::WaitsMaximum),
        ..BASE_PROFILE
    },
    SdkProfile {
        name: "anthropic-python 0",
        versions: "0.121.0",
        family: SdkFamily::Anthropic,
        agent_prefix: "Anthropic/Python 0.",
        ..BASE_PROFILE
    },
    SdkProfile {
        name: "anthropic-ts",
        versions: "0.120.0 to 1.12.0",
        family: SdkFamily::Anthropic,
        agent_prefix: "Anthropic/JS",
        // As long as one timer can run: 2^31 - 1 ms.
        wait_policy: WaitPolicy::ObeysUpTo(2_147_483, LongWaitPolicy::OwnRule),
        ..BASE_PROFILE
    },
    SdkProfile {
        name: "groq-python",
        versions: "1.7.0",
        family: SdkFamily::Groq,
        agent_prefix: "Groq/Python",
        ..BASE_PROFILE
    },
    SdkProfile {
        name: "google-genai",
        versions: "2.19 to 3.4.0",
        family: SdkFamily::Google,
        agent_prefix: "google-genai-sdk/",
        max_retries: 0,
        obeys_should_retry: false,
        retried_statuses: &[408, 429],
        wait_policy: WaitPolicy::IgnoresFields,
        obeys_zero_wait: false,
        limit_exclusive: false,
        backoff: BackoffRule {
            first_micros: 1_000_000,
            max_micros: 60_000_000,
            jitter: BackoffJitter::SecondMore,
        },
    },
    SdkProfile {
        name: "Vercel AI SDK",
        versions: "6",
        agent_prefix: "ai/",
        obeys_should_retry: false,
        obeys_zero_wait: true,
        limit_exclusive: true,
        backoff: BackoffRule {
            first_micros: 2_000_000,
            max_micros: u64::MAX,
            jitter: BackoffJitter::None,
        },
        ..BASE_PROFILE
    },
];
