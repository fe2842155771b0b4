//! Ollama's chat, whole and streamed, and its list of models (<https://docs.ollama.com/api>).

mod chat;
mod check;
mod error;
mod head;
mod request;

use serde_json::{Value, json};

use self::chat::OllamaChat;
use self::error::{error_reply, router_error};
use super::api_answer::reply_with;
use super::api_error::ApiResult;
use super::context::DemoContext;
use super::head::{bearer_token, is_bad_key};
use super::json_values::array_items;
use super::{ids, models};
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// Whether a request is for this API, by its path.
pub(super) fn accepts(request: &ServerRequest) -> bool {
    request.path().starts_with("/api/")
}

/// The reply to a request for this API.
pub(super) fn answer(request: &ServerRequest, context: DemoContext) -> ServerReply {
    route(request, context).unwrap_or_else(|error| error_reply(&error, context))
}

fn route(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    if is_bad_key(bearer_token(request)) {
        return Err(error::bad_key());
    }
    match (request.path(), request.method()) {
        ("/api/chat", "POST") => create_chat(request, context),
        ("/api/tags", "GET" | "HEAD") => Ok(list_tags(context)),
        ("/api/chat" | "/api/tags", _) => Err(router_error(405, "405 method not allowed")),
        _ => Err(router_error(404, "404 page not found")),
    }
}

/// `POST /api/chat`.
fn create_chat(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    let body = check::parse_body(&request.body)?;
    let model = check::required_model(&body)?;
    models::check_fault(model, error::model_error)?;
    check::check_parameters(&body)?;
    if array_items(&body["messages"]).next().is_none() {
        let unloads = body["keep_alive"].as_i64() == Some(0);
        let reason = if unloads { "unload" } else { "load" };
        return Ok(chat::load_reply(model, reason, context));
    }
    let question = request::read_request(&body);
    let chat = OllamaChat::generate(&question, context);
    reply_with(&chat, &question, context)
}

/// `GET /api/tags` (<https://docs.ollama.com/api/tags>).
fn list_tags(context: DemoContext) -> ServerReply {
    let all: Vec<Value> = models::model_names().map(model_object).collect();
    let fields = head::head_fields(head::JSON_TYPE, context);
    ServerReply::whole(200, fields, json!({"models": all}).to_string())
}

fn model_object(name: &str) -> Value {
    json!({
        "name": name,
        "model": name,
        "modified_at": "2026-11-01T08:00:00.000000Z",
        "size": 5_225_388_164_u64,
        "digest": ids::hex_id("", ids::hash_text(name), 64),
        "details": {
            "parent_model": "",
            "format": "gguf",
            "family": "demo",
            "families": ["demo"],
            "parameter_size": "8.2B",
            "quantization_level": "Q4_K_M",
        },
    })
}

#[cfg(test)]
mod tests;
