//! The SDKs whose code was read, and their habits: a table, and nothing that acts on it.

use serde::Serialize;

/// Whom an SDK is made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
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

/// The habits of one SDK.
#[derive(Debug, Eq, PartialEq)]
pub struct Sdk {
    /// Its name.
    pub name: &'static str,
    /// The versions whose code was read.
    pub versions: &'static str,
    /// Whom it is made for.
    pub family: Family,
    /// How often it tries again, unless told otherwise.
    pub retries: u8,
    /// What `user-agent` begins with, `Async` before it left out.
    pub(super) agent: &'static str,
    /// Whether `x-should-retry` goes before the status.
    pub(super) obeys_should: bool,
    /// The statuses below 500 that it tries again; from 500 up it does with all (Google: with the usual four).
    pub(super) statuses: &'static [u16],
    /// What it makes of `retry-after-ms` and `retry-after`.
    pub(super) asked: Asked,
    /// Whether a wait of zero is obeyed as well.
    pub(super) obeys_zero: bool,
    /// Whether the longest wait that it accepts is just below its limit.
    pub(super) below: bool,
    pub(super) backoff: Backoff,
}

/// What an SDK makes of a wait that a response asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Asked {
    /// It does not look.
    Ignored,
    /// It waits as asked, up to so many seconds, and else does as said.
    UpTo(u64, Beyond),
}

/// What an SDK does when a response asks for too long a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Beyond {
    /// It waits by its own rule.
    OwnRule,
    /// It does not try again, whatever `x-should-retry` says.
    GivesUp,
    /// It waits that long.
    WaitsThatLong,
}

/// An SDK's own waits: doubling from the first to the most.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Backoff {
    pub(super) first_micros: u64,
    pub(super) most_micros: u64,
    pub(super) jitter: Jitter,
}

/// Chance in an SDK's own waits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Jitter {
    None,
    /// Up to a quarter shorter.
    QuarterLess,
    /// Up to a second longer.
    SecondMore,
}

const STAINLESS: Backoff = Backoff {
    first_micros: 500_000,
    most_micros: 8_000_000,
    jitter: Jitter::QuarterLess,
};

const STAINLESS_STATUSES: &[u16] = &[408, 409, 429];

const BASE: Sdk = Sdk {
    name: "",
    versions: "",
    family: Family::Any,
    agent: "",
    retries: 2,
    obeys_should: true,
    statuses: STAINLESS_STATUSES,
    asked: Asked::UpTo(60, Beyond::OwnRule),
    obeys_zero: false,
    below: false,
    backoff: STAINLESS,
};

/// The SDKs whose habits are known.
pub static SDKS: [Sdk; 8] = [
    Sdk {
        name: "openai-python",
        versions: "3.3.1 to 3.54.0",
        family: Family::OpenAi,
        agent: "OpenAI/Python",
        asked: Asked::UpTo(120, Beyond::GivesUp),
        ..BASE
    },
    Sdk {
        name: "openai-node",
        versions: "7.5.0",
        family: Family::OpenAi,
        agent: "OpenAI/JS",
        obeys_zero: true,
        ..BASE
    },
    Sdk {
        name: "anthropic-python",
        versions: "2.12.0",
        family: Family::Anthropic,
        agent: "Anthropic/Python",
        // As long as the sleep of any platform can be.
        asked: Asked::UpTo(4_294_967, Beyond::WaitsThatLong),
        ..BASE
    },
    Sdk {
        name: "anthropic-python 0",
        versions: "0.121.0",
        family: Family::Anthropic,
        agent: "Anthropic/Python 0.",
        ..BASE
    },
    Sdk {
        name: "anthropic-ts",
        versions: "0.120.0 to 1.12.0",
        family: Family::Anthropic,
        agent: "Anthropic/JS",
        // As long as one timer can run: 2^31 - 1 ms.
        asked: Asked::UpTo(2_147_483, Beyond::OwnRule),
        ..BASE
    },
    Sdk {
        name: "groq-python",
        versions: "1.7.0",
        family: Family::Groq,
        agent: "Groq/Python",
        ..BASE
    },
    Sdk {
        name: "google-genai",
        versions: "2.19 to 3.4.0",
        family: Family::Google,
        agent: "google-genai-sdk/",
        retries: 0,
        obeys_should: false,
        statuses: &[408, 429],
        asked: Asked::Ignored,
        obeys_zero: false,
        below: false,
        backoff: Backoff {
            first_micros: 1_000_000,
            most_micros: 60_000_000,
            jitter: Jitter::SecondMore,
        },
    },
    Sdk {
        name: "Vercel AI SDK",
        versions: "6",
        agent: "ai/",
        obeys_should: false,
        obeys_zero: true,
        below: true,
        backoff: Backoff {
            first_micros: 2_000_000,
            most_micros: u64::MAX,
            jitter: Jitter::None,
        },
        ..BASE
    },
];
