//! What stands around the choices of a completion, and the names that Chat Completions gives to their ends
//! and costs (<https://platform.openai.com/docs/api-reference/chat/object>).

use serde_json::{Value, json};

use crate::demo::ask::Ask;
use crate::demo::thought::{self, Answer, Finish, Thought};
use crate::demo::usage::Usage;
use crate::demo::{Context, ids, models};

/// A completion, for a plain reply and for a stream alike.
#[derive(Clone, Debug)]
pub(super) struct Completion {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) model: String,
    pub(super) fingerprint: String,
    pub(super) choices: Vec<Thought>,
    pub(super) usage: Usage,
}

/// Generates.
pub(super) fn write(ask: &Ask, seen: Context) -> Completion {
    let Answer { thoughts, usage } = thought::answer(ask, seen);
    let model = models::served(&ask.model).to_owned();
    let seed = ids::hash(&model) ^ ids::mix(ask.seed.map_or(0, i64::cast_unsigned));
    Completion {
        id: ids::id("chatcmpl-demo", thought::salt(seen), 25),
        created: seen.created_secs,
        fingerprint: ids::hex("fp_", seed, 10),
        model,
        choices: thoughts,
        usage,
    }
}

/// The `finish_reason`.
pub(super) fn finish(choice: &Thought) -> &'static str {
    match choice.finish {
        Finish::Stop | Finish::Sequence(_) => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
        Finish::Filtered => "content_filter",
    }
}

/// The `usage` object.
pub(super) fn usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.total(),
        "prompt_tokens_details": {"cached_tokens": usage.cached(), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
