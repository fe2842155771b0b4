//! The models that the demo server has: their list, what it serves for an alias, and the special names.

use serde_json::{Value, json};

use super::problem::Problem;
use super::{Context, head};
use crate::serve::reply::Reply;

/// Models with what each does; any other name is served as well, in the ordinary way.
pub const MODELS: &[(&str, &str)] = &[
    (
        "gpt-4o-mini",
        "answers; is served by gpt-4o-mini-2024-07-18",
    ),
    ("gpt-4o", "answers; is served by gpt-4o-2024-08-06"),
    ("demo", "answers"),
    (
        "demo-reasoning",
        "thinks first: reasoning_content, reasoning_tokens",
    ),
    ("demo-refusal", "refuses: refusal in place of content"),
    ("demo-long", "never stops by itself: finish_reason length"),
    ("demo-filter", "is stopped by the content filter"),
    ("demo-slow", "pauses long between events"),
    ("demo-stall", "goes silent after three events, and stays so"),
    ("demo-cut", "drops the connection inside the body"),
    ("demo-garbage", "breaks the chunked framing inside the body"),
    (
        "demo-error-in-stream",
        "answers 200, then sends an error as an event",
    ),
    (
        "demo-big-16",
        "a body of some 16 MiB; any other number does as well",
    ),
    (
        "error-429",
        "the error of that status; any other from 400 to 599 does as well",
    ),
    ("nope", "is not found: 404 model_not_found"),
];

/// The dated snapshot that serves an alias (<https://platform.openai.com/docs/models>).
pub(super) fn served(model: &str) -> &str {
    match model {
        "gpt-4o-mini" => "gpt-4o-mini-2024-07-18",
        "gpt-4o" => "gpt-4o-2024-08-06",
        "gpt-4.1" => "gpt-4.1-2025-04-14",
        "gpt-4.1-mini" => "gpt-4.1-mini-2025-04-14",
        "gpt-4.1-nano" => "gpt-4.1-nano-2025-04-14",
        other => other,
    }
}

/// Whether no such model exists here.
pub(super) fn is_unknown(model: &str) -> bool {
    model.starts_with("unknown-") || model.starts_with("nope")
}

/// N of `demo-big-N`, in reason: a body of 1 TiB takes hours.
pub(super) fn big(model: &str) -> Option<u64> {
    let number = model.strip_prefix("demo-big-")?.parse::<u64>().ok()?;
    Some(number.min(1 << 20))
}

/// `GET /v1/models`.
pub(super) fn list(seen: Context) -> Reply {
    let exists = MODELS.iter().filter(|(name, _)| !is_unknown(name));
    let data: Vec<Value> = exists.map(|(name, _)| object(name)).collect();
    reply(&json!({"object": "list", "data": data}), seen)
}

/// `GET /v1/models/{id}`.
pub(super) fn one(id: &str, seen: Context) -> Result<Reply, Problem> {
    let known = MODELS
        .iter()
        .any(|(name, _)| *name == id || served(name) == id);
    if is_unknown(id) || !(known || big(id).is_some()) {
        return Err(Problem::no_model(id));
    }
    Ok(reply(&object(id), seen))
}

fn object(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_715_367_049, "owned_by": "system"})
}

fn reply(value: &Value, seen: Context) -> Reply {
    let fields = head::fields("application/json", seen, 0);
    Reply::plain(200, fields, head::pretty(value))
}
