//! Errors in the words of Google's APIs, written as `{"error":{code, message, status, details}}`
//! (<https://ai.google.dev/gemini-api/docs/troubleshooting>, <https://google.aip.dev/193>).

use serde_json::{Value, json};

use super::head;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::json_values::sparse_object;
use crate::demo::models::ModelFault;
use crate::serve::reply::ServerReply;

/// The error of a bad request.
pub(super) fn invalid(message: impl Into<Box<str>>) -> ApiError {
    ApiError::new(400, message)
}

/// The error of a value with a wrong type or range.
pub(super) fn field_violation(field: &str, message: String) -> ApiError {
    let details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{"field": field, "description": message}],
    })];
    let error = invalid(message);
    ApiError { details, ..error }
}

pub(super) fn bad_key() -> ApiError {
    let message = "API key not valid. Please pass a valid API key.";
    let details = vec![
        json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
            "metadata": {"service": "generativelanguage.googleapis.com"},
        }),
        json!({
            "@type": "type.googleapis.com/google.rpc.LocalizedMessage",
            "locale": "en-US",
            "message": message,
        }),
    ];
    let error = invalid(message);
    ApiError { details, ..error }
}

pub(super) fn not_found() -> ApiError {
    ApiError::new(404, "Requested entity was not found.")
}

pub(super) fn unknown_model(model: &str, version: &str) -> ApiError {
    let message = format!(
        "models/{model} is not found for API version {version}, or is not supported for \
         generateContent. Call ListModels to see the list of available models and their \
         supported methods."
    );
    ApiError::new(404, message)
}

pub(super) fn overloaded() -> ApiError {
    ApiError::new(503, "The model is overloaded. Please try again later.")
}

/// The error for the fault that a model's name asks for.
pub(super) fn model_error(fault: ModelFault, model: &str, version: &str) -> ApiError {
    let status = fault.status();
    let error = |message: &str| ApiError::new(status, message);
    match status {
        401 => error(
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
             cookie or other valid authentication credential.",
        ),
        403 => error("The caller does not have permission"),
        404 => unknown_model(model, version),
        429 => quota_exhausted(model),
        500 => error("An internal error has occurred. Please retry the request."),
        502 => ApiError::gateway(status, "502 Bad Gateway"),
        503 => overloaded(),
        504 => error("Deadline expired before operation could complete."),
        _ => error(&format!("This demo model answers {status}.")),
    }
}

fn quota_exhausted(model: &str) -> ApiError {
    let violation = json!({
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": "10",
    });
    let link = json!({
        "description": "Learn more about Gemini API quotas",
        "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
    });
    let message = "You exceeded your current quota, please check your plan and billing details.";
    let details = vec![
        json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}),
        json!({"@type": "type.googleapis.com/google.rpc.Help", "links": [link]}),
        json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}),
    ];
    let error = ApiError::new(429, message);
    ApiError { details, ..error }
}

/// The error as JSON.
pub(super) fn error_json(error: &ApiError) -> Value {
    let details = (!error.details.is_empty()).then(|| json!(error.details));
    let error = sparse_object([
        ("code", Some(json!(error.status))),
        ("message", Some(json!(error.message))),
        ("status", Some(json!(status_name(error.status)))),
        ("details", details),
    ]);
    json!({"error": error})
}

/// The error as a reply; in an array of one if the request asked for an array.
pub(super) fn error_reply(error: &ApiError, in_array: bool, context: DemoContext) -> ServerReply {
    let mut body = format!("{:#}\n", error_json(error));
    if in_array {
        body = format!("[{body}]\n");
    }
    let fields = head::head_fields(head::JSON_TYPE, 0, context);
    error.to_reply(fields, body, context)
}

/// The name of a status in Google's APIs (<https://google.aip.dev/193>).
fn status_name(status: u16) -> &'static str {
    match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        499 => "CANCELLED",
        500 => "INTERNAL",
        501 => "UNIMPLEMENTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "UNKNOWN",
    }
}
