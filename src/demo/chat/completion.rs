//! A completion before it is shaped, and the names of its finish reasons and token counts in Chat Completions
//! (<https://platform.openai.com/docs/api-reference/chat/object>).

use serde_json::{Value, json};

use crate::demo::generation::{self, FinishCause, GeneratedAnswer, GenerationResult};
use crate::demo::model_request::ModelRequest;
use crate::demo::usage::GeneratedUsage;
use crate::demo::{DemoContext, ids, models};

/// A completion, source of a whole reply and of a stream.
#[derive(Clone, Debug)]
pub(super) struct ChatCompletion {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) model: String,
    pub(super) fingerprint: String,
    pub(super) choices: Vec<GeneratedAnswer>,
    pub(super) usage: GeneratedUsage,
}

/// Generates the completion for `ask`.
pub(super) fn generate_completion(ask: &ModelRequest, seen: DemoContext) -> ChatCompletion {
    let GenerationResult {
        answers: thoughts,
        usage,
    } = generation::generate(ask, seen);
    let model = models::served_model(&ask.model).to_owned();
    let seed = ids::hash_text(&model) ^ ids::mix_bits(ask.seed.map_or(0, i64::cast_unsigned));
    ChatCompletion {
        id: ids::alphanumeric_id("chatcmpl-demo", generation::request_salt(seen), 25),
        created: seen.created_secs,
        fingerprint: ids::hex_id("fp_", seed, 10),
        model,
        choices: thoughts,
        usage,
    }
}

/// The `finish_reason` of an answer.
pub(super) fn finish_reason(choice: &GeneratedAnswer) -> &'static str {
    match choice.finish {
        FinishCause::Stop | FinishCause::StopSequence(_) => "stop",
        FinishCause::Length => "length",
        FinishCause::ToolCalls => "tool_calls",
        FinishCause::Filtered => "content_filter",
    }
}

/// The `usage` object.
pub(super) fn usage_object(usage: GeneratedUsage) -> Value {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens(),
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens(), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
