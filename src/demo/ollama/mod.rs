//! Ollama's chat, whole and streamed, and its list of models (<https://docs.ollama.com/api>).

mod chat;
mod request;
mod rules;

use serde_json::json;

use self::chat::OllamaChat;
use self::rules::{JSON_TYPE, RULES, error_json, head_fields};
use super::api_answer::{ReplyPlan, reply_with};
use super::api_error::{ApiError, ApiResult, ErrorForm};
use super::context::DemoContext;
use super::head::{bearer_token, is_bad_key};
use super::json_values::{array_items, text_at};
use super::models;
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// Whether a request is for this API, by its path.
pub(super) fn accepts(request: &ServerRequest) -> bool {
    request.path().starts_with("/api/")
}

/// Answers a request for this API.
pub(super) fn route(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    if is_bad_key(bearer_token(request)) {
        return Err(RULES.status_error(401, &[]));
    }
    match (request.path(), request.method()) {
        ("/api/chat", "POST") => create_chat(request, context),
        ("/api/tags", "GET" | "HEAD") => Ok(list_tags(context)),
        ("/api/chat" | "/api/tags", _) => Err(RULES.error("bad_method", &[])),
        _ => Err(RULES.error("not_found", &[])),
    }
}

/// `POST /api/chat`.
fn create_chat(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    if request.body.is_empty() {
        return Err(RULES.error("no_body", &[]));
    }
    let body = RULES.parse_object(&request.body)?;
    RULES.required_model(&body)?;
    request::check_parameters(&body)?;
    if array_items(&body["messages"]).next().is_none() {
        let unloads = body["keep_alive"].as_i64() == Some(0);
        let reason = if unloads { "unload" } else { "load" };
        return Ok(chat::load_reply(text_at(&body, "model"), reason, context));
    }
    let question = request::read_request(&body);
    let chat = OllamaChat::generate(&question, context);
    let content_type = match question.stream {
        true => "application/x-ndjson",
        false => JSON_TYPE,
    };
    let plan = ReplyPlan {
        fields: head_fields(content_type, context),
        tokens: chat.usage.completion_tokens,
        hidden_tokens: 0,
        failure: RULES.status_error(500, &[]),
    };
    reply_with(&chat, plan, &question, context)
}

/// `GET /api/tags` (<https://docs.ollama.com/api/tags>).
fn list_tags(context: DemoContext) -> ServerReply {
    let all = models::list(|id| RULES.model(id));
    let fields = head_fields(JSON_TYPE, context);
    ServerReply::whole(200, fields, json!({"models": all}).to_string())
}

/// The error as a reply.
pub(super) fn error_reply(
    error: &ApiError,
    _: &ServerRequest,
    context: DemoContext,
) -> ServerReply {
    let (content_type, body) = match error.form {
        ErrorForm::PlainText => ("text/plain", error.message.to_string()),
        _ => (JSON_TYPE, error_json(error).to_string()),
    };
    error.to_reply(head_fields(content_type, context), body, context)
}

#[cfg(test)]
mod tests;
