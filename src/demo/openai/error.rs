//! Errors in the words of OpenAI's API, written as `{"error":{message, type, param, code}}`
//! (<https://platform.openai.com/docs/guides/error-codes>).

use serde_json::{Value, json};

use super::head;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::head::JSON_TYPE;
use crate::demo::models::ModelFault;
use crate::serve::reply::ServerReply;

/// The error of a bad value for `param`.
pub(super) fn invalid(param: &str, message: impl Into<Box<str>>) -> ApiError {
    ApiError::new(400, message).with_param(param)
}

pub(super) fn unknown_url(method: &str, path: &str) -> ApiError {
    let message = format!(
        "Unknown request URL: {method} {path}. Please check the URL for typos, or see the docs at \
         https://platform.openai.com/docs/api-reference/."
    );
    ApiError::new(404, message).with_code("unknown_url")
}

pub(super) fn method_not_allowed(method: &str, path: &str, allowed: &str) -> ApiError {
    let message = format!(
        "Not allowed to {method} on {path}. (HINT: Perhaps you meant to make your request using a \
         different HTTP method?)"
    );
    ApiError::new(405, message)
        .with_code("method_not_supported")
        .with_field("allow", allowed)
}

pub(super) fn bad_key(key: &str) -> ApiError {
    let message = format!(
        "Incorrect API key provided: {key}. You can find your API key at \
         https://platform.openai.com/account/api-keys."
    );
    ApiError::new(401, message)
        .with_code("invalid_api_key")
        .with_field("www-authenticate", "Bearer realm=\"OpenAI API\"")
}

pub(super) fn unknown_model(model: &str) -> ApiError {
    let message = format!("The model `{model}` does not exist or you do not have access to it.");
    ApiError::new(404, message).with_code("model_not_found")
}

/// The error of a fault of the server.
pub(super) fn server_error(status: u16) -> ApiError {
    let message = "The server had an error while processing your request. Sorry about that!";
    ApiError::new(status, message).with_type("server_error")
}

/// The error for the fault that a model's name asks for, of the API or of the gateway before it.
pub(super) fn model_error(fault: ModelFault, model: &str) -> ApiError {
    let status = fault.status();
    let error = |message: &str| ApiError::new(status, message);
    match status {
        400 => error("Invalid value for 'model': this demo model refuses every request.")
            .with_param("model")
            .with_code("invalid_value"),
        401 => bad_key("sk-demo*************************0000"),
        402 => error("Insufficient Balance")
            .with_type("insufficient_quota")
            .with_code("insufficient_balance"),
        403 => error("Country, region, or territory not supported")
            .with_type("request_forbidden")
            .with_code("unsupported_country_region_territory"),
        404 => unknown_model(model),
        408 => error("Request timed out.")
            .with_type("timeout")
            .with_code("request_timeout"),
        409 => error("The resource is locked by another request. Please try again.")
            .with_type("conflict_error"),
        422 => error("The request was well-formed but could not be processed."),
        429 => rate_limited(model),
        502 => ApiError::gateway(status, "502 Bad Gateway"),
        504 => ApiError::gateway(status, "504 Gateway Time-out"),
        503 => error("The server is overloaded. Please try again later.")
            .with_type("service_unavailable_error")
            .with_code("server_is_overloaded")
            .with_field("retry-after", "5"),
        529 => error("Overloaded")
            .with_type("overloaded_error")
            .with_field("x-should-retry", "true"),
        500.. => server_error(status),
        _ => error(&format!("This demo model answers {status}.")),
    }
}

fn rate_limited(model: &str) -> ApiError {
    let message = format!(
        "Rate limit reached for {model} in organization demo on tokens per min (TPM): Limit 2000000, \
         Used 1998120, Requested 64230. Please try again in 1.87s. Visit \
         https://platform.openai.com/account/rate-limits to learn more."
    );
    ApiError::new(429, message)
        .with_type("tokens")
        .with_code("rate_limit_exceeded")
        .with_field("x-ratelimit-remaining-requests", "9998")
        .with_field("x-ratelimit-remaining-tokens", "1880")
        .with_field("x-ratelimit-reset-tokens", "59.943s")
        .with_field("retry-after", "2")
        .with_field("retry-after-ms", "1870")
}

/// The error as JSON.
pub(super) fn error_json(error: &ApiError) -> Value {
    json!({"error": {
        "message": error.message,
        "type": error.error_type,
        "param": error.param,
        "code": error.code,
    }})
}

/// The error as a reply. Its fields replace those of the head, or are added before the last one, which names the
/// server.
pub(super) fn error_reply(error: &ApiError, context: DemoContext) -> ServerReply {
    let mut fields = head::head_fields(JSON_TYPE, 3, context);
    for (name, value) in &error.extra_fields {
        match fields.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => value.clone_into(old),
            None => {
                let last = fields.len().saturating_sub(1);
                fields.insert(last, ((*name).to_owned(), value.clone()));
            }
        }
    }
    error.to_reply(fields, head::pretty_json(&error_json(error)), context)
}
