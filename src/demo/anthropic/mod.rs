//! Anthropic's Messages, whole and streamed, and its list of models
//! (<https://docs.claude.com/en/api/messages>, <https://docs.claude.com/en/api/models-list>).

mod check;
mod message;
mod request;
mod rules;

use serde_json::{Value, json};

use self::message::AnthropicMessage;
use self::rules::{RULES, error_json, head_fields};
use super::api_answer::{ReplyPlan, reply_with};
use super::api_error::{ApiError, ApiResult};
use super::context::DemoContext;
use super::head::{EVENTS_TYPE, JSON_TYPE, bearer_token, is_bad_key, is_read};
use super::json_values::array_items;
use super::models;
use super::usage::GeneratedUsage;
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// Whether a request is for this API, by its path or by its version field.
pub(super) fn accepts(request: &ServerRequest) -> bool {
    let path = request.path();
    let models = path == "/v1/models" || path.starts_with("/v1/models/");
    path == "/v1/messages"
        || path.starts_with("/v1/messages/")
        || (models && request.field("anthropic-version").is_some())
}

/// Answers a request for this API.
pub(super) fn route(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    let key = request.field("x-api-key");
    if is_bad_key(key.or_else(|| bearer_token(request))) {
        return Err(RULES.status_error(401, &[]));
    }
    let not_allowed =
        |allowed: &str| Err(RULES.error("method_not_allowed", &[("allowed", allowed)]));
    let path = request.path();
    match (path, path.strip_prefix("/v1/models/")) {
        ("/v1/messages", _) if request.method() == "POST" => create_message(request, context),
        ("/v1/messages", _) => not_allowed("POST"),
        ("/v1/models", _) | (_, Some(_)) if !is_read(request) => not_allowed("GET, HEAD"),
        ("/v1/models", _) => Ok(list_models(context)),
        (_, Some(id)) if models::is_listed(id) => Ok(json_reply(&RULES.model(id), context)),
        (_, Some(id)) => Err(RULES.status_error(404, &[("model", id)])),
        _ => Err(RULES.error("not_found", &[])),
    }
}

/// `POST /v1/messages`.
fn create_message(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    // The context of the Claude models (<https://docs.claude.com/en/docs/build-with-claude/context-windows>).
    const CONTEXT_TOKENS: u64 = 200_000;
    let version = check::api_version(request)?;
    let body = RULES.parse_object(&request.body)?;
    RULES.required("model", body.get("model"))?;
    RULES.required_model(&body)?;
    check::check_parameters(&body, version)?;
    let question = request::read_request(&body);
    RULES.check_length(question.prompt_tokens, CONTEXT_TOKENS, "prompt_too_long")?;
    let message = AnthropicMessage::generate(&body, &question, context);
    let content_type = match question.stream {
        true => EVENTS_TYPE,
        false => JSON_TYPE,
    };
    let plan = ReplyPlan {
        fields: head_fields(content_type, message.usage, &[], context),
        tokens: message.usage.completion_tokens,
        hidden_tokens: 0,
        failure: RULES.status_error(529, &[]),
    };
    reply_with(&message, plan, &question, context)
}

/// `GET /v1/models`.
fn list_models(context: DemoContext) -> ServerReply {
    let data = models::list(|id| RULES.model(id));
    let id = |model: Option<&Value>| model.map(|model| model["id"].clone());
    let (first, last) = (id(data.get(0)), id(array_items(&data).last()));
    let list = json!({"data": data, "has_more": false, "first_id": first, "last_id": last});
    json_reply(&list, context)
}

fn json_reply(value: &Value, context: DemoContext) -> ServerReply {
    let fields = head_fields(JSON_TYPE, GeneratedUsage::default(), &[], context);
    ServerReply::whole(200, fields, value.to_string())
}

/// The error as a reply. Only an error 429 reports the rate limits.
pub(super) fn error_reply(
    error: &ApiError,
    _: &ServerRequest,
    context: DemoContext,
) -> ServerReply {
    let mut extra = error.fields.clone();
    if error.status == 400 {
        extra.push(("x-should-retry".to_owned(), "false".to_owned()));
    }
    let mut fields = head_fields(JSON_TYPE, GeneratedUsage::default(), &extra, context);
    fields.retain(|(name, _)| error.status == 429 || !name.starts_with("anthropic-ratelimit"));
    error.to_reply(fields, error_json(error, context).to_string(), context)
}

#[cfg(test)]
mod tests;
