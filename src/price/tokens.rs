//! Token counts by kind, as prices apply to them.

use serde::{Deserialize, Serialize};

/// Token counts of a call in any dialect. `None` if the response does not have the count.
///
/// `input` and `output` are totals; the other counts are parts of them. Dialects that report the parts beside
/// the total (Anthropic's cache counts, Gemini's thoughts) must be added up first.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct TokenCounts {
    /// All tokens of the prompt: read from a cache, written to one, and fresh.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// Of `input`: read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached_input: Option<u64>,
    /// Of `input`: written to a cache, for any lifetime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<u64>,
    /// Of `cache_write`: to be kept for an hour (Anthropic's `ephemeral_1h_input_tokens`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_write_1h: Option<u64>,
    /// Of `input`: audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_input: Option<u64>,
    /// All generated tokens: text, audio and reasoning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<u64>,
    /// Of `output`: reasoning, shown or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<u64>,
    /// Of `output`: audio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_output: Option<u64>,
}
