//! Ollama's chat, whole and streamed, and its list of models (<https://docs.ollama.com/api>).

mod chat;
mod check;
mod error;
mod head;
mod request;

use serde_json::{Value, json};

use self::chat::OllamaChat;
use self::error::OllamaError;
use super::model_request::array_items;
use super::{DemoContext, bearer_token, ids, models, special_models};
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// Whether a request is for this API, by its path.
pub(super) fn is_for_ollama(request: &ServerRequest) -> bool {
    request.path().starts_with("/api/")
}

/// The reply to a request for this API.
pub(super) fn answer(request: &ServerRequest, seen: DemoContext) -> ServerReply {
    match route(request, seen) {
        Ok(reply) => reply,
        Err(problem) => problem.to_reply(seen),
    }
}

fn route(request: &ServerRequest, seen: DemoContext) -> Result<ServerReply, OllamaError> {
    if request.field("authorization").and_then(bearer_token) == Some("bad-key") {
        return Err(OllamaError::bad_key());
    }
    match (request.path(), request.method()) {
        ("/api/chat", "POST") => create_chat(request, seen),
        ("/api/tags", "GET" | "HEAD") => Ok(list_tags(seen)),
        ("/api/chat" | "/api/tags", _) => Err(OllamaError::method_not_allowed()),
        _ => Err(OllamaError::page_not_found()),
    }
}

/// `POST /api/chat`.
fn create_chat(request: &ServerRequest, seen: DemoContext) -> Result<ServerReply, OllamaError> {
    let body = check::parse_body(&request.body)?;
    let model = check::required_model(&body)?;
    if let Some(fault) = models::model_fault(model) {
        return Err(OllamaError::from_fault(fault, model));
    }
    check::check_parameters(&body)?;
    if array_items(body.get("messages")).next().is_none() {
        let kept = body.get("keep_alive").and_then(Value::as_i64) != Some(0);
        let reason = if kept { "load" } else { "unload" };
        return Ok(chat::load_reply(model, reason, seen));
    }
    let ask = request::read_request(&body);
    let chat = OllamaChat::generate(&ask, seen);
    let reply = if ask.stream {
        chat.stream_reply()
    } else if special_models::fails_without_stream(model) {
        return Err(OllamaError::model_failed());
    } else {
        chat.whole_reply()
    };
    let failure = |_| vec![format!("{}\n", OllamaError::model_failed().to_json())];
    Ok(special_models::apply_behaviour(model, reply, seen, failure))
}

/// `GET /api/tags` (<https://docs.ollama.com/api/tags>).
fn list_tags(seen: DemoContext) -> ServerReply {
    let all: Vec<Value> = models::model_names().map(model_object).collect();
    let fields = head::head_fields(head::JSON_TYPE, seen);
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
