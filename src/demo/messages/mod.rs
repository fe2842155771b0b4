//! Anthropic's Messages, plain and streamed, and its list of models
//! (<https://docs.claude.com/en/api/messages>, <https://docs.claude.com/en/api/models-list>).

mod ask;
mod check;
mod head;
mod message;
mod problem;
mod stream;

use serde_json::{Value, json};

use self::message::Message;
use self::problem::Problem;
use super::usage::Usage;
use super::{Context, flow, models, special, token};
use crate::serve::reply::Reply;
use crate::serve::request::Request;

/// Whether a request means this API: by its path, or by the version that it names.
pub(super) fn is_meant(request: &Request) -> bool {
    let path = request.path();
    let models = path == "/v1/models" || path.starts_with("/v1/models/");
    path == "/v1/messages"
        || path.starts_with("/v1/messages/")
        || (models && request.field("anthropic-version").is_some())
}

/// The reply.
pub(super) fn answer(request: &Request, seen: Context) -> Reply {
    match route(request, seen) {
        Ok(reply) => reply,
        Err(problem) => problem.reply(seen),
    }
}

fn route(request: &Request, seen: Context) -> Result<Reply, Problem> {
    let bearer = request.field("authorization").and_then(token);
    if request.field("x-api-key").or(bearer) == Some("bad-key") {
        return Err(Problem::bad_key());
    }
    let path = request.path();
    let reading = matches!(request.method.as_str(), "GET" | "HEAD");
    match (path, path.strip_prefix("/v1/models/")) {
        ("/v1/messages", _) if request.method == "POST" => create(request, seen),
        ("/v1/messages", _) => Err(Problem::method("POST")),
        ("/v1/models", _) | (_, Some(_)) if !reading => Err(Problem::method("GET, HEAD")),
        ("/v1/models", _) => Ok(list(seen)),
        (_, Some(id)) if models::is_listed(id) => Ok(listing(&model(id), seen)),
        (_, Some(id)) => Err(Problem::not_found(format!("model: {id}"))),
        _ => Err(Problem::not_found("Not Found")),
    }
}

/// `POST /v1/messages`.
fn create(request: &Request, seen: Context) -> Result<Reply, Problem> {
    let version = check::version(request)?;
    let body = check::json(&request.body)?;
    let model = check::model(&body)?;
    if let Some(fault) = models::fault(model) {
        return Err(Problem::of_fault(fault, model));
    }
    check::parameters(&body, version)?;
    let ask = ask::read(&body);
    check::length(&ask)?;
    let message = Message::write(&body, &ask, seen);
    let reply = if ask.stream {
        stream::reply(&message, seen)
    } else if special::fails_plain(model) {
        return Err(Problem::overloaded());
    } else {
        plain(&message, seen)
    };
    let failure = |_| vec![stream::failure(&Problem::overloaded().json(seen))];
    Ok(special::spoil(model, reply, seen, failure))
}

fn plain(message: &Message, seen: Context) -> Reply {
    let fields = head::fields("application/json", message.usage, seen);
    let body = message.json(true).to_string();
    flow::whole(fields, body, message.usage.completion, seen)
}

/// `GET /v1/models`.
fn list(seen: Context) -> Reply {
    let data: Vec<Value> = models::names().map(model).collect();
    let id = |model: Option<&Value>| model.and_then(|model| model.get("id")).cloned();
    let (first, last) = (id(data.first()), id(data.last()));
    let list = json!({"data": data, "has_more": false, "first_id": first, "last_id": last});
    listing(&list, seen)
}

fn model(id: &str) -> Value {
    json!({
        "type": "model",
        "id": id,
        "display_name": id,
        "created_at": "2024-05-10T00:00:00Z",
    })
}

fn listing(value: &Value, seen: Context) -> Reply {
    let fields = head::fields("application/json", Usage::default(), seen);
    Reply::plain(200, fields, value.to_string())
}

#[cfg(test)]
mod tests;
