//! OpenAI's API: routes, keys and the list of models
//! (<https://platform.openai.com/docs/api-reference/introduction>).

mod chat;
mod check;
mod error;
mod head;
mod responses;

use serde_json::{Value, json};

use self::error::error_reply;
use super::api_error::{ApiError, ApiResult};
use super::context::DemoContext;
use super::head::{JSON_TYPE, bearer_token, is_bad_key, is_read};
use super::models;
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// The reply to a request for this API, which also gets all paths of no API.
pub(super) fn answer(request: &ServerRequest, context: DemoContext) -> ServerReply {
    route(request, context).unwrap_or_else(|error| error_reply(&error, context))
}

/// The reply to a request that cannot be read.
pub(super) fn refuse(status: u16, fault: &str, context: DemoContext) -> ServerReply {
    error_reply(&ApiError::new(status, fault), context)
}

fn route(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    let (method, path) = (request.method(), request.path());
    let Some(resource) = path.strip_prefix("/v1/") else {
        return Err(error::unknown_url(method, path));
    };
    if is_bad_key(bearer_token(request)) {
        return Err(error::bad_key("bad-key"));
    }
    let not_allowed = |allowed: &str| Err(error::method_not_allowed(method, path, allowed));
    match (resource, resource.strip_prefix("models/")) {
        ("chat/completions" | "responses", _) if method != "POST" => not_allowed("POST"),
        ("chat/completions", _) => chat::create_completion(request, context),
        ("responses", _) => responses::create_response(request, context),
        (_, Some("")) => Err(error::unknown_url(method, path)),
        ("models", _) | (_, Some(_)) if !is_read(request) => not_allowed("GET, HEAD"),
        ("models", _) => Ok(list_models(context)),
        (_, Some(id)) if models::is_listed(id) => Ok(json_reply(&model_object(id), context)),
        (_, Some(id)) => Err(error::unknown_model(id)),
        _ => Err(match resource.strip_prefix("responses/") {
            Some(id) => responses::stored_response_error(id),
            None => error::unknown_url(method, path),
        }),
    }
}

/// `GET /v1/models` (<https://platform.openai.com/docs/api-reference/models>).
fn list_models(context: DemoContext) -> ServerReply {
    let data: Vec<Value> = models::model_names().map(model_object).collect();
    json_reply(&json!({"object": "list", "data": data}), context)
}

fn model_object(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_715_367_049, "owned_by": "system"})
}

fn json_reply(value: &Value, context: DemoContext) -> ServerReply {
    let fields = head::head_fields(JSON_TYPE, 0, context);
    ServerReply::whole(200, fields, head::pretty_json(value))
}
