//! Gemini's generateContent, whole and streamed, and its list of models
//! (<https://ai.google.dev/api/generate-content>, <https://ai.google.dev/api/models>).

mod check;
mod content;
mod request;
mod rules;

use serde_json::{Value, json};

use self::content::{GeminiContent, ReplyForm};
use self::rules::{JSON_TYPE, RULES, error_json, head_fields};
use super::api_answer::{ReplyPlan, reply_with};
use super::api_error::{ApiError, ApiResult};
use super::context::DemoContext;
use super::head::{is_bad_key, is_read};
use super::models;
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// Whether a request is for this API, by its version, its method after a colon, or the field of its key.
pub(super) fn accepts(request: &ServerRequest) -> bool {
    let path = request.path();
    let models = path == "/v1/models" || path.starts_with("/v1/models/");
    let method = path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent");
    let key = request.field("x-goog-api-key").is_some();
    path.starts_with("/v1beta/") || (models && (method || key))
}

/// Answers a request for this API.
pub(super) fn route(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    let not_found = || RULES.error("not_found", &[]);
    // The version of the API, and the path below it.
    let path = request.path().trim_start_matches('/').split_once('/');
    let (version, path) = path.ok_or_else(not_found)?;
    let key = request.field("x-goog-api-key");
    if is_bad_key(key.or_else(|| request.query_param("key"))) {
        return Err(RULES.error("bad_key", &[]));
    }
    let id = path.strip_prefix("models/");
    match (id.and_then(|id| id.rsplit_once(':')), id) {
        (Some((model, "generateContent" | "streamGenerateContent")), _)
            if request.method() == "POST" =>
        {
            generate_content(request, model, version, context)
        }
        (None, None) if path == "models" && is_read(request) => Ok(list_models(context)),
        (None, Some(id)) if is_read(request) && models::is_listed(id) => {
            Ok(json_reply(&RULES.model(id), context))
        }
        (None, Some(id)) if is_read(request) => {
            Err(RULES.status_error(404, &[("model", id), ("version", version)]))
        }
        _ => Err(not_found()),
    }
}

/// The error as a reply; in an array of one if the request asked for an array.
pub(super) fn error_reply(
    error: &ApiError,
    request: &ServerRequest,
    context: DemoContext,
) -> ServerReply {
    let mut body = format!("{:#}\n", error_json(error));
    if ReplyForm::from_request(request) == ReplyForm::Array {
        body = format!("[{body}]\n");
    }
    error.to_reply(head_fields(JSON_TYPE, 0, context), body, context)
}

/// `POST .../models/{model}:generateContent`, and the same as a stream.
fn generate_content(
    request: &ServerRequest,
    model: &str,
    version: &str,
    context: DemoContext,
) -> ApiResult<ServerReply> {
    // The input limit of gemini-2.5-flash (<https://ai.google.dev/gemini-api/docs/models>).
    const CONTEXT_TOKENS: u64 = 1_048_576;
    RULES.check_fault(model, &[("model", model), ("version", version)])?;
    let body = RULES.parse_object(&request.body)?;
    check::check_parameters(&body)?;
    let form = ReplyForm::from_request(request);
    let question = request::read_request(model, &body, form != ReplyForm::Whole);
    RULES.check_length(question.prompt_tokens, CONTEXT_TOKENS, "prompt_too_long")?;
    let content = GeminiContent::generate(&body, &question, form, context);
    let plan = ReplyPlan {
        fields: head_fields(form.content_type(), content.usage.total_tokens(), context),
        tokens: content.usage.completion_tokens,
        hidden_tokens: content.hidden_tokens(),
        failure: RULES.status_error(503, &[]),
    };
    reply_with(&content, plan, &question, context)
}

/// `GET .../models`.
fn list_models(context: DemoContext) -> ServerReply {
    let all = models::list(|id| RULES.model(id));
    json_reply(&json!({"models": all}), context)
}

fn json_reply(value: &Value, context: DemoContext) -> ServerReply {
    let fields = head_fields(JSON_TYPE, 0, context);
    ServerReply::whole(200, fields, format!("{value:#}\n"))
}

#[cfg(test)]
mod tests;
