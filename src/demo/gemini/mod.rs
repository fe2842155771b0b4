//! Gemini's generateContent, whole and streamed, and its list of models
//! (<https://ai.google.dev/api/generate-content>, <https://ai.google.dev/api/models>).

mod check;
mod content;
mod error;
mod head;
mod reply;
mod request;

use serde_json::{Value, json};

use self::content::GeminiContent;
use self::error::{error_reply, not_found, unknown_model};
use self::reply::{GeminiAnswer, ReplyForm};
use super::api_answer::reply_with;
use super::api_error::ApiResult;
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

/// The reply to a request for this API.
pub(super) fn answer(request: &ServerRequest, context: DemoContext) -> ServerReply {
    let in_array = ReplyForm::from_request(request) == ReplyForm::Array;
    route(request, context).unwrap_or_else(|error| error_reply(&error, in_array, context))
}

fn route(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    // The version of the API, and the path below it.
    let path = request.path().trim_start_matches('/').split_once('/');
    let (version, path) = path.ok_or_else(not_found)?;
    let key = request.field("x-goog-api-key");
    if is_bad_key(key.or_else(|| request.query_param("key"))) {
        return Err(error::bad_key());
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
            Ok(json_reply(&model_object(id), context))
        }
        (None, Some(id)) if is_read(request) => Err(unknown_model(id, version)),
        _ => Err(not_found()),
    }
}

/// `POST .../models/{model}:generateContent`, and the same as a stream.
fn generate_content(
    request: &ServerRequest,
    model: &str,
    version: &str,
    context: DemoContext,
) -> ApiResult<ServerReply> {
    models::check_fault(model, |fault, model| {
        error::model_error(fault, model, version)
    })?;
    let body = check::parse_body(&request.body)?;
    check::check_parameters(&body)?;
    let form = ReplyForm::from_request(request);
    let question = request::read_request(model, &body, form != ReplyForm::Whole);
    check::check_length(&question)?;
    let content = GeminiContent::generate(&body, &question, context);
    reply_with(&GeminiAnswer { content, form }, &question, context)
}

/// `GET .../models`.
fn list_models(context: DemoContext) -> ServerReply {
    let all: Vec<Value> = models::model_names().map(model_object).collect();
    json_reply(&json!({"models": all}), context)
}

fn model_object(id: &str) -> Value {
    json!({
        "name": format!("models/{id}"),
        "version": "001",
        "displayName": id,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent"],
    })
}

fn json_reply(value: &Value, context: DemoContext) -> ServerReply {
    let fields = head::head_fields(head::JSON_TYPE, 0, context);
    ServerReply::whole(200, fields, format!("{value:#}\n"))
}

#[cfg(test)]
mod tests;
