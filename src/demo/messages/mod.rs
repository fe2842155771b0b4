//! Anthropic's Messages, whole and streamed, and its list of models
//! (<https://docs.claude.com/en/api/messages>, <https://docs.claude.com/en/api/models-list>).

mod check;
mod error;
mod head;
mod message;
mod request;
mod stream;

use serde_json::{Value, json};

use self::error::AnthropicError;
use self::message::AnthropicMessage;
use super::usage::GeneratedUsage;
use super::{DemoContext, bearer_token, models, pacing, special_models};
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// Whether a request is for this API, by its path or by its version field.
pub(super) fn is_for_anthropic(request: &ServerRequest) -> bool {
    let path = request.path();
    let models = path == "/v1/models" || path.starts_with("/v1/models/");
    path == "/v1/messages"
        || path.starts_with("/v1/messages/")
        || (models && request.field("anthropic-version").is_some())
}

/// The reply to a request for this API.
pub(super) fn answer(request: &ServerRequest, seen: DemoContext) -> ServerReply {
    match route(request, seen) {
        Ok(reply) => reply,
        Err(problem) => problem.to_reply(seen),
    }
}

fn route(request: &ServerRequest, seen: DemoContext) -> Result<ServerReply, AnthropicError> {
    let bearer = request.field("authorization").and_then(bearer_token);
    if request.field("x-api-key").or(bearer) == Some("bad-key") {
        return Err(AnthropicError::bad_key());
    }
    let path = request.path();
    let reading = matches!(request.method(), "GET" | "HEAD");
    match (path, path.strip_prefix("/v1/models/")) {
        ("/v1/messages", _) if request.method() == "POST" => create_message(request, seen),
        ("/v1/messages", _) => Err(AnthropicError::method_not_allowed("POST")),
        ("/v1/models", _) | (_, Some(_)) if !reading => {
            Err(AnthropicError::method_not_allowed("GET, HEAD"))
        }
        ("/v1/models", _) => Ok(list_models(seen)),
        (_, Some(id)) if models::is_listed(id) => Ok(json_reply(&model_object(id), seen)),
        (_, Some(id)) => Err(AnthropicError::not_found(format!("model: {id}"))),
        _ => Err(AnthropicError::not_found("Not Found")),
    }
}

/// `POST /v1/messages`.
fn create_message(
    request: &ServerRequest,
    seen: DemoContext,
) -> Result<ServerReply, AnthropicError> {
    let version = check::api_version(request)?;
    let body = check::parse_body(&request.body)?;
    let model = check::required_model(&body)?;
    if let Some(fault) = models::model_fault(model) {
        return Err(AnthropicError::from_fault(fault, model));
    }
    check::check_parameters(&body, version)?;
    let ask = request::read_request(&body);
    check::check_length(&ask)?;
    let message = AnthropicMessage::generate(&body, &ask, seen);
    let reply = if ask.stream {
        stream::stream_reply(&message, seen)
    } else if special_models::fails_without_stream(model) {
        return Err(AnthropicError::overloaded());
    } else {
        whole_reply(&message, seen)
    };
    let failure = |_| {
        vec![stream::error_event(
            &AnthropicError::overloaded().to_json(seen),
        )]
    };
    Ok(special_models::apply_behaviour(model, reply, seen, failure))
}

fn whole_reply(message: &AnthropicMessage, seen: DemoContext) -> ServerReply {
    let fields = head::head_fields("application/json", message.usage, seen);
    let body = message.to_json(true).to_string();
    pacing::whole_reply(fields, body, message.usage.completion_tokens, seen)
}

/// `GET /v1/models`.
fn list_models(seen: DemoContext) -> ServerReply {
    let data: Vec<Value> = models::model_names().map(model_object).collect();
    let id = |model: Option<&Value>| model.and_then(|model| model.get("id")).cloned();
    let (first, last) = (id(data.first()), id(data.last()));
    let list = json!({"data": data, "has_more": false, "first_id": first, "last_id": last});
    json_reply(&list, seen)
}

fn model_object(id: &str) -> Value {
    json!({
        "type": "model",
        "id": id,
        "display_name": id,
        "created_at": "2024-05-10T00:00:00Z",
    })
}

fn json_reply(value: &Value, seen: DemoContext) -> ServerReply {
    let fields = head::head_fields("application/json", GeneratedUsage::default(), seen);
    ServerReply::whole(200, fields, value.to_string())
}

#[cfg(test)]
mod tests;
