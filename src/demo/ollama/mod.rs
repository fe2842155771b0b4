//! Ollama's chat, streamed and plain, and its list of models (<https://docs.ollama.com/api>).

mod ask;
mod chat;
mod check;
mod head;
mod problem;

use serde_json::{Value, json};

use self::chat::Chat;
use self::problem::Problem;
use super::ask::items;
use super::{Context, ids, models, special, token};
use crate::serve::reply::Reply;
use crate::serve::request::Request;

/// Whether a request means this API.
pub(super) fn is_meant(request: &Request) -> bool {
    request.path().starts_with("/api/")
}

/// The reply.
pub(super) fn answer(request: &Request, seen: Context) -> Reply {
    match route(request, seen) {
        Ok(reply) => reply,
        Err(problem) => problem.reply(seen),
    }
}

fn route(request: &Request, seen: Context) -> Result<Reply, Problem> {
    if request.field("authorization").and_then(token) == Some("bad-key") {
        return Err(Problem::bad_key());
    }
    match (request.path(), request.method.as_str()) {
        ("/api/chat", "POST") => create(request, seen),
        ("/api/tags", "GET" | "HEAD") => Ok(tags(seen)),
        ("/api/chat" | "/api/tags", _) => Err(Problem::method()),
        _ => Err(Problem::no_page()),
    }
}

/// `POST /api/chat`.
fn create(request: &Request, seen: Context) -> Result<Reply, Problem> {
    let body = check::json(&request.body)?;
    let model = check::model(&body)?;
    if let Some(fault) = models::fault(model) {
        return Err(Problem::of_fault(fault, model));
    }
    check::parameters(&body)?;
    if items(body.get("messages")).next().is_none() {
        let kept = body.get("keep_alive").and_then(Value::as_i64) != Some(0);
        let reason = if kept { "load" } else { "unload" };
        return Ok(chat::loaded(model, reason, seen));
    }
    let ask = ask::read(&body);
    let chat = Chat::write(&ask, seen);
    let reply = if ask.stream {
        chat.stream()
    } else if special::fails_plain(model) {
        return Err(Problem::running());
    } else {
        chat.plain()
    };
    let failure = |_| vec![format!("{}\n", Problem::running().json())];
    Ok(special::spoil(model, reply, seen, failure))
}

/// `GET /api/tags` (<https://docs.ollama.com/api/tags>).
fn tags(seen: Context) -> Reply {
    let all: Vec<Value> = models::names().map(model).collect();
    let fields = head::fields(head::JSON, seen);
    Reply::plain(200, fields, json!({"models": all}).to_string())
}

fn model(name: &str) -> Value {
    json!({
        "name": name,
        "model": name,
        "modified_at": "2026-11-01T08:00:00.000000Z",
        "size": 5_225_388_164_u64,
        "digest": ids::hex("", ids::hash(name), 64),
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
