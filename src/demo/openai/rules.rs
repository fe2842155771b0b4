//! What both APIs of OpenAI share: error words, head fields, checks, the layout of JSON
//! (<https://platform.openai.com/docs/guides/error-codes>,
//! <https://platform.openai.com/docs/api-reference/debugging-requests>).

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::demo::api_answer::ReplyPlan;
use crate::demo::api_error::{ApiError, ApiResult};
use crate::demo::context::DemoContext;
use crate::demo::head::{EVENTS_TYPE, JSON_TYPE, ReplyFields, processing_millis};
use crate::demo::ids;
use crate::demo::json_values::non_null;
use crate::demo::model_request::{DeclaredTool, ModelRequest};
use crate::demo::rules::ApiRules;
use crate::demo::usage::GeneratedUsage;
use crate::serve::reply::ServerReply;

/// The rules of OpenAI's APIs.
pub(super) static RULES: LazyLock<ApiRules> =
    LazyLock::new(|| ApiRules::parse(include_str!("rules.json")));

/// The limit of tokens a minute that the reply reports: invented, of the size that a paid account has.
const TOKEN_LIMIT: u64 = 2_000_000;

/// The error `name` about the parameter `path`.
pub(super) fn parameter_error(name: &str, path: &str) -> ApiError {
    RULES.error(name, &[("path", path)])
}

/// The head fields, delay and failure of an answer with these token counts.
pub(super) fn reply_plan(
    question: &ModelRequest,
    usage: GeneratedUsage,
    context: DemoContext,
) -> ReplyPlan {
    let content_type = match question.stream {
        true => EVENTS_TYPE,
        false => JSON_TYPE,
    };
    ReplyPlan {
        fields: head_fields(content_type, usage.total_tokens(), &[], context),
        tokens: usage.completion_tokens,
        hidden_tokens: 0,
        failure: RULES.status_error(500, &[]),
    }
}

/// A reply with this JSON.
pub(super) fn json_reply(value: &Value, context: DemoContext) -> ServerReply {
    let fields = head_fields(JSON_TYPE, 0, &[], context);
    ServerReply::whole(200, fields, pretty_json(value))
}

/// The error as JSON.
pub(super) fn error_json(error: &ApiError) -> Value {
    json!({"error": {
        "message": error.message,
        "type": error.error_type,
        "param": error.param,
        "code": error.code,
    }})
}

/// The head fields of a reply that used `tokens` tokens.
pub(super) fn head_fields(
    content_type: &str,
    tokens: u64,
    extra: &[(String, String)],
    context: DemoContext,
) -> ReplyFields {
    let used = tokens.min(TOKEN_LIMIT);
    let date = context.http_date();
    let values = [
        ("date", date.as_str()),
        ("type", content_type),
        ("millis", &processing_millis(used).to_string()),
        ("tokens_left", &TOKEN_LIMIT.saturating_sub(used).to_string()),
        ("reset", &reset_duration(used)),
        ("id", &ids::hex_id("req_", context.request_seed(), 32)),
    ];
    RULES.head_fields(&values, extra)
}

/// The time until `tokens` are available again at the rate of the limit a minute, written as a Go duration.
fn reset_duration(tokens: u64) -> String {
    let millis = tokens.saturating_mul(60_000).div_ceil(TOKEN_LIMIT);
    match (millis / 1000, millis % 1000) {
        (0, millis) => format!("{millis}ms"),
        (seconds, 0) => format!("{seconds}s"),
        (seconds, millis) => format!("{seconds}.{millis:03}s"),
    }
}

/// JSON in OpenAI's layout of whole replies: two spaces of indent, a line end at the end.
pub(super) fn pretty_json(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The `tool_choice` of the request, unless it is absent.
pub(super) fn tool_choice(body: &Value) -> ApiResult<Option<&Value>> {
    let choice = non_null(body, "tool_choice");
    if let Some(choice) = choice.filter(|choice| choice.get("type").is_none()) {
        RULES.one_of("tool_choice", choice, &["none", "auto", "required"])?;
    }
    Ok(choice)
}

/// Checks that the tool called `name`, if any, is declared. The error calls it `shown`.
pub(super) fn check_named_tool(name: &Value, declared: &[DeclaredTool], shown: &str) -> ApiResult {
    match name.as_str() {
        Some(name) if !declared.iter().any(|tool| tool.name == name) => {
            Err(RULES.error("unknown_tool", &[("name", shown)]))
        }
        _ => Ok(()),
    }
}

/// The type of the answer format at `path`. `without_json` is the error if the type is `json_object` and `input`
/// does not mention JSON.
pub(super) fn format_type<'a>(
    path: &str,
    format: &'a Value,
    input: &Value,
    without_json: &str,
) -> ApiResult<&'a str> {
    let path = format!("{path}.type");
    let kind = RULES.required(&path, format.get("type"))?;
    let kind = RULES.one_of(&path, kind, &["json_object", "json_schema", "text"])?;
    let mentions_json = || input.to_string().to_ascii_lowercase().contains("json");
    if kind == "json_object" && !mentions_json() {
        return Err(RULES.error(without_json, &[]));
    }
    Ok(kind)
}

/// Refuses sampling parameters, which reasoning models do not take unless they have their default value
/// (<https://platform.openai.com/docs/guides/reasoning>). `error` is the name of the error.
pub(super) fn refuse_sampling(body: &Value, error: &str) -> ApiResult {
    for name in ["temperature", "top_p"] {
        if let Some(value) = non_null(body, name).filter(|value| value.as_f64() != Some(1.0)) {
            let value = value.to_string();
            return Err(RULES.error(error, &[("path", name), ("value", &value)]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reset_times_are_go_durations() {
        assert_eq!(reset_duration(100), "3ms");
        assert_eq!(reset_duration(2_000_000), "60s");
        assert_eq!(reset_duration(50_000), "1.500s");
    }
}
