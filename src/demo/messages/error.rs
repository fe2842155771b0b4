//! An error as Anthropic's API words it: `{"type":"error","error":{type, message},"request_id"}`
//! (<https://docs.claude.com/en/api/errors>).

use serde_json::{Value, json};

use super::head;
use crate::demo::models::ModelFault;
use crate::demo::usage::GeneratedUsage;
use crate::demo::{DemoContext, gateway};
use crate::serve::reply::ServerReply;

/// An error of this API.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct AnthropicError {
    pub(super) status: u16,
    error_type: &'static str,
    message: String,
    /// Head fields that only this error has.
    extra_fields: Vec<(&'static str, &'static str)>,
    /// Whether the head has the rate limits.
    with_limits: bool,
}

impl AnthropicError {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            error_type: kind,
            message: message.into(),
            extra_fields: Vec::new(),
            with_limits: false,
        }
    }

    /// The error of a bad request.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message).with_field("x-should-retry", "false")
    }

    pub(super) fn bad_key() -> Self {
        Self::new(401, "authentication_error", "invalid x-api-key")
    }

    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::new(404, "not_found_error", what)
    }

    pub(super) fn method_not_allowed(allowed: &'static str) -> Self {
        Self::new(405, "invalid_request_error", "Method Not Allowed").with_field("allow", allowed)
    }

    /// The error of an overloaded server.
    pub(super) fn overloaded() -> Self {
        Self::new(529, "overloaded_error", "Overloaded").with_field("x-should-retry", "true")
    }

    /// The error for the fault that a model's name asks for.
    pub(super) fn from_fault(fault: ModelFault, model: &str) -> Self {
        let status = match fault {
            ModelFault::Unknown => 404,
            ModelFault::Status(status) => status,
        };
        match status {
            400 => Self::invalid("model: this demo model refuses every request"),
            401 => Self::bad_key(),
            402 => Self::new(status, "billing_error", "Your credit balance is too low."),
            403 => {
                let message =
                    "Your API key does not have permission to use the specified resource.";
                Self::new(status, "permission_error", message)
            }
            404 => Self::not_found(format!("model: {model}")),
            409 => Self::new(status, "conflict_error", "The resource is being changed."),
            413 => {
                let message = "Request exceeds the maximum allowed number of bytes.";
                Self::new(status, "request_too_large", message)
            }
            429 => Self::rate_limited(),
            502 => Self::new(status, "api_error", "502 Bad Gateway"),
            504 => Self::new(status, "timeout_error", "Request timed out."),
            529 => Self::overloaded(),
            500.. => Self::new(status, "api_error", "Internal server error"),
            _ => Self::new(
                status,
                "invalid_request_error",
                format!("This demo model answers {status}."),
            ),
        }
    }

    fn rate_limited() -> Self {
        let message = "This request would exceed your organization's rate limit of 400,000 output tokens \
                       per minute. Please reduce the prompt length or the maximum tokens requested, or \
                       try again later.";
        let mut problem = Self::new(429, "rate_limit_error", message)
            .with_field("retry-after", "36")
            .with_field("x-should-retry", "true");
        problem.with_limits = true;
        problem
    }

    fn with_field(mut self, name: &'static str, value: &'static str) -> Self {
        self.extra_fields.push((name, value));
        self
    }

    /// The error as JSON.
    pub(super) fn to_json(&self, seen: DemoContext) -> Value {
        json!({
            "type": "error",
            "error": {"type": self.error_type, "message": self.message},
            "request_id": head::request_id(seen),
        })
    }

    pub(super) fn to_reply(&self, seen: DemoContext) -> ServerReply {
        if self.status == 502 {
            return gateway::error_page(self.status, &self.message, seen);
        }
        let mut fields = head::leading_fields("application/json", seen);
        if self.with_limits {
            fields.extend(head::rate_limit_fields(GeneratedUsage::default(), seen));
        }
        let own = self.extra_fields.iter();
        fields.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        fields.extend(head::trailing_fields(seen));
        ServerReply::whole(self.status, fields, self.to_json(seen).to_string())
    }
}
