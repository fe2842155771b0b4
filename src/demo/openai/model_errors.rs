//! The errors that a model's name can ask for, in the words of OpenAI's API
//! (<https://platform.openai.com/docs/guides/error-codes>).

use super::error::OpenAiError;
use crate::demo::models::ModelFault;

/// The error for the fault that a model's name asks for.
pub(in crate::demo) fn error_for_fault(fault: ModelFault, model: &str) -> OpenAiError {
    match fault {
        ModelFault::Unknown => OpenAiError::unknown_model(model),
        ModelFault::Status(status) => error_for_status(status, model),
    }
}

/// The error of OpenAI's API, or of the gateway before it, for a status.
fn error_for_status(status: u16, model: &str) -> OpenAiError {
    let problem = |message: &str| OpenAiError::new(status, message);
    match status {
        400 => problem("Invalid value for 'model': this demo model refuses every request.")
            .with_param("model")
            .with_code("invalid_value"),
        401 => OpenAiError::bad_key("sk-demo*************************0000"),
        402 => problem("Insufficient Balance")
            .with_type("insufficient_quota")
            .with_code("insufficient_balance"),
        403 => problem("Country, region, or territory not supported")
            .with_type("request_forbidden")
            .with_code("unsupported_country_region_territory"),
        404 => OpenAiError::unknown_model(model),
        408 => problem("Request timed out.")
            .with_type("timeout")
            .with_code("request_timeout"),
        409 => problem("The resource is locked by another request. Please try again.")
            .with_type("conflict_error"),
        422 => problem("The request was well-formed but could not be processed."),
        429 => rate_limit_error(model),
        502 => gateway_error(status, "502 Bad Gateway"),
        504 => gateway_error(status, "504 Gateway Time-out"),
        503 => problem("The server is overloaded. Please try again later.")
            .with_type("service_unavailable_error")
            .with_code("server_is_overloaded")
            .with_field("retry-after", "5"),
        529 => problem("Overloaded")
            .with_type("overloaded_error")
            .with_field("x-should-retry", "true"),
        500.. => server_error(status),
        _ => problem(&format!("This demo model answers {status}.")),
    }
}

/// The error of a fault of the server, in the words of OpenAI's API.
pub(in crate::demo) fn server_error(status: u16) -> OpenAiError {
    let message = "The server had an error while processing your request. Sorry about that!";
    OpenAiError::new(status, message).with_type("server_error")
}

fn rate_limit_error(model: &str) -> OpenAiError {
    let message = format!(
        "Rate limit reached for {model} in organization demo on tokens per min (TPM): Limit 2000000, \
         Used 1998120, Requested 64230. Please try again in 1.87s. Visit \
         https://platform.openai.com/account/rate-limits to learn more."
    );
    OpenAiError::new(429, message)
        .with_type("tokens")
        .with_code("rate_limit_exceeded")
        .with_field("x-ratelimit-remaining-requests", "9998")
        .with_field("x-ratelimit-remaining-tokens", "1880")
        .with_field("x-ratelimit-reset-tokens", "59.943s")
        .with_field("retry-after", "2")
        .with_field("retry-after-ms", "1870")
}

fn gateway_error(status: u16, title: &str) -> OpenAiError {
    let mut problem = OpenAiError::new(status, title);
    problem.html_page = true;
    problem
}
