//! Anthropic's Messages, whole and streamed, and its list of models
//! (<https://docs.claude.com/en/api/messages>, <https://docs.claude.com/en/api/models-list>).

mod check;
mod error;
mod head;
mod message;
mod reply;
mod request;

use serde_json::{Value, json};

use self::error::{error_reply, method_not_allowed, not_found};
use self::message::AnthropicMessage;
use super::api_answer::reply_with;
use super::api_error::ApiResult;
use super::context::DemoContext;
use super::head::{JSON_TYPE, bearer_token, is_bad_key, is_read};
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

/// The reply to a request for this API.
pub(super) fn answer(request: &ServerRequest, context: DemoContext) -> ServerReply {
    route(request, context).unwrap_or_else(|error| error_reply(&error, context))
}

fn route(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    let key = request.field("x-api-key");
    if is_bad_key(key.or_else(|| bearer_token(request))) {
        return Err(error::bad_key());
    }
    let path = request.path();
    match (path, path.strip_prefix("/v1/models/")) {
        ("/v1/messages", _) if request.method() == "POST" => create_message(request, context),
        ("/v1/messages", _) => Err(method_not_allowed("POST")),
        ("/v1/models", _) | (_, Some(_)) if !is_read(request) => {
            Err(method_not_allowed("GET, HEAD"))
        }
        ("/v1/models", _) => Ok(list_models(context)),
        (_, Some(id)) if models::is_listed(id) => Ok(json_reply(&model_object(id), context)),
        (_, Some(id)) => Err(not_found(format!("model: {id}"))),
        _ => Err(not_found("Not Found")),
    }
}

/// `POST /v1/messages`.
fn create_message(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    let version = check::api_version(request)?;
    let body = check::parse_body(&request.body)?;
    let model = check::required_model(&body)?;
    models::check_fault(model, error::model_error)?;
    check::check_parameters(&body, version)?;
    let question = request::read_request(&body);
    check::check_length(&question)?;
    let message = AnthropicMessage::generate(&body, &question, context);
    reply_with(&message, &question, context)
}

/// `GET /v1/models`.
fn list_models(context: DemoContext) -> ServerReply {
    let data: Vec<Value> = models::model_names().map(model_object).collect();
    let id = |model: Option<&Value>| model.map(|model| model["id"].clone());
    let (first, last) = (id(data.first()), id(data.last()));
    let list = json!({"data": data, "has_more": false, "first_id": first, "last_id": last});
    json_reply(&list, context)
}

fn model_object(id: &str) -> Value {
    json!({
        "type": "model",
        "id": id,
        "display_name": id,
        "created_at": "2024-05-10T00:00:00Z",
    })
}

fn json_reply(value: &Value, context: DemoContext) -> ServerReply {
    let fields = head::head_fields(JSON_TYPE, GeneratedUsage::default(), context);
    ServerReply::whole(200, fields, value.to_string())
}

#[cfg(test)]
mod tests;
