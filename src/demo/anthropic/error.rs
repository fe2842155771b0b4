//! Errors in the words of Anthropic's API, written as `{"type":"error","error":{type, message},"request_id"}`
//! (<https://docs.claude.com/en/api/errors>).

use serde_json::{Value, json};

use super::head;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::head::JSON_TYPE;
use crate::demo::models::ModelFault;
use crate::demo::usage::GeneratedUsage;
use crate::serve::reply::ServerReply;

/// The error of a bad request.
pub(super) fn invalid(message: impl Into<Box<str>>) -> ApiError {
    ApiError::new(400, message).with_field("x-should-retry", "false")
}

pub(super) fn bad_key() -> ApiError {
    ApiError::new(401, "invalid x-api-key").with_type("authentication_error")
}

pub(super) fn not_found(message: impl Into<Box<str>>) -> ApiError {
    ApiError::new(404, message).with_type("not_found_error")
}

pub(super) fn method_not_allowed(allowed: &str) -> ApiError {
    ApiError::new(405, "Method Not Allowed").with_field("allow", allowed)
}

/// The error of an overloaded server.
pub(super) fn overloaded() -> ApiError {
    ApiError::new(529, "Overloaded")
        .with_type("overloaded_error")
        .with_field("x-should-retry", "true")
}

/// The error for the fault that a model's name asks for.
pub(super) fn model_error(fault: ModelFault, model: &str) -> ApiError {
    let status = fault.status();
    let error = |error_type: &'static str, message: &str| {
        ApiError::new(status, message).with_type(error_type)
    };
    match status {
        400 => invalid("model: this demo model refuses every request"),
        401 => bad_key(),
        402 => error("billing_error", "Your credit balance is too low."),
        403 => error(
            "permission_error",
            "Your API key does not have permission to use the specified resource.",
        ),
        404 => not_found(format!("model: {model}")),
        409 => error("conflict_error", "The resource is being changed."),
        413 => error(
            "request_too_large",
            "Request exceeds the maximum allowed number of bytes.",
        ),
        429 => error(
            "rate_limit_error",
            "This request would exceed your organization's rate limit of 400,000 output tokens \
             per minute. Please reduce the prompt length or the maximum tokens requested, or \
             try again later.",
        )
        .with_field("retry-after", "36")
        .with_field("x-should-retry", "true"),
        502 => ApiError::gateway(status, "502 Bad Gateway"),
        504 => error("timeout_error", "Request timed out."),
        529 => overloaded(),
        500.. => error("api_error", "Internal server error"),
        _ => ApiError::new(status, format!("This demo model answers {status}.")),
    }
}

/// The error as JSON.
pub(super) fn error_json(error: &ApiError, context: DemoContext) -> Value {
    json!({
        "type": "error",
        "error": {"type": error.error_type, "message": error.message},
        "request_id": head::request_id(context),
    })
}

/// The error as a reply.
pub(super) fn error_reply(error: &ApiError, context: DemoContext) -> ServerReply {
    let mut fields = head::leading_fields(JSON_TYPE, context);
    if error.status == 429 {
        fields.extend(head::rate_limit_fields(GeneratedUsage::default(), context));
    }
    let own = error.extra_fields.iter();
    fields.extend(own.map(|(name, value)| ((*name).to_owned(), value.clone())));
    fields.extend(head::trailing_fields(context));
    error.to_reply(fields, error_json(error, context).to_string(), context)
}
