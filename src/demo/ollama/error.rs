//! Errors in Ollama's words, written as `{"error":"text"}` (<https://docs.ollama.com/api/errors>).

use serde_json::{Value, json};

use super::head::{JSON_TYPE, head_fields};
use crate::demo::api_error::{ApiError, ErrorForm};
use crate::demo::context::DemoContext;
use crate::demo::models::ModelFault;
use crate::serve::reply::ServerReply;

/// The error of a bad request.
pub(super) fn invalid(message: impl Into<Box<str>>) -> ApiError {
    ApiError::new(400, message)
}

pub(super) fn bad_key() -> ApiError {
    ApiError::new(401, "unauthorized")
}

/// An error of the router, which writes plain text.
pub(super) fn router_error(status: u16, message: &str) -> ApiError {
    ApiError::new(status, message).with_form(ErrorForm::PlainText)
}

/// An error while a model runs.
pub(super) fn model_failed() -> ApiError {
    let message = "an error was encountered while running the model: CUDA error";
    ApiError::new(500, message)
}

/// The error for the fault that a model's name asks for.
pub(super) fn model_error(fault: ModelFault, model: &str) -> ApiError {
    let status = fault.status();
    match status {
        401 => bad_key(),
        404 => ApiError::new(404, format!("model '{model}' not found")),
        429 => ApiError::new(429, "too many requests"),
        500 => model_failed(),
        502 => ApiError::gateway(502, "502 Bad Gateway"),
        503 => {
            let message = "server busy, please try again. maximum pending requests exceeded";
            ApiError::new(503, message)
        }
        _ => ApiError::new(status, format!("this demo model answers {status}")),
    }
}

/// The error as JSON.
pub(super) fn error_json(error: &ApiError) -> Value {
    json!({"error": error.message})
}

/// The error as a reply.
pub(super) fn error_reply(error: &ApiError, context: DemoContext) -> ServerReply {
    let (content_type, body) = match error.form {
        ErrorForm::PlainText => ("text/plain", error.message.to_string()),
        _ => (JSON_TYPE, error_json(error).to_string()),
    };
    error.to_reply(head_fields(content_type, context), body, context)
}
