//! The errors that a model's name asks for, in the words of OpenAI's API
//! (<https://platform.openai.com/docs/guides/error-codes>).

use super::problem::Problem;
use crate::demo::models::Fault;

/// The problem that a fault is.
pub(in crate::demo) fn of_fault(fault: Fault, model: &str) -> Problem {
    match fault {
        Fault::Unknown => Problem::no_model(model),
        Fault::Status(status) => of_status(status, model),
    }
}

/// The error that OpenAI's API, or what stands before it, has for a status.
fn of_status(status: u16, model: &str) -> Problem {
    let problem = |message: &str| Problem::new(status, message);
    match status {
        400 => problem("Invalid value for 'model': this demo model refuses every request.")
            .param("model")
            .code("invalid_value"),
        401 => Problem::bad_key("sk-demo*************************0000"),
        402 => problem("Insufficient Balance")
            .kind("insufficient_quota")
            .code("insufficient_balance"),
        403 => problem("Country, region, or territory not supported")
            .kind("request_forbidden")
            .code("unsupported_country_region_territory"),
        404 => Problem::no_model(model),
        408 => problem("Request timed out.")
            .kind("timeout")
            .code("request_timeout"),
        409 => problem("The resource is locked by another request. Please try again.")
            .kind("conflict_error"),
        422 => problem("The request was well-formed but could not be processed."),
        429 => limited(model),
        502 => gateway(status, "502 Bad Gateway"),
        504 => gateway(status, "504 Gateway Time-out"),
        503 => problem("The server is overloaded. Please try again later.")
            .kind("service_unavailable_error")
            .code("server_is_overloaded")
            .field("retry-after", "5"),
        529 => problem("Overloaded")
            .kind("overloaded_error")
            .field("x-should-retry", "true"),
        500.. => server(status),
        _ => problem(&format!("This demo model answers {status}.")),
    }
}

/// The server's own fault, in the words of OpenAI's API.
pub(in crate::demo) fn server(status: u16) -> Problem {
    let message = "The server had an error while processing your request. Sorry about that!";
    Problem::new(status, message).kind("server_error")
}

fn limited(model: &str) -> Problem {
    let message = format!(
        "Rate limit reached for {model} in organization demo on tokens per min (TPM): Limit 2000000, \
         Used 1998120, Requested 64230. Please try again in 1.87s. Visit \
         https://platform.openai.com/account/rate-limits to learn more."
    );
    Problem::new(429, message)
        .kind("tokens")
        .code("rate_limit_exceeded")
        .field("x-ratelimit-remaining-requests", "9998")
        .field("x-ratelimit-remaining-tokens", "1880")
        .field("x-ratelimit-reset-tokens", "59.943s")
        .field("retry-after", "2")
        .field("retry-after-ms", "1870")
}

fn gateway(status: u16, title: &str) -> Problem {
    let mut problem = Problem::new(status, title);
    problem.html = true;
    problem
}
