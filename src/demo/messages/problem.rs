//! An error as Anthropic's API words it: `{"type":"error","error":{type, message},"request_id"}`
//! (<https://docs.claude.com/en/api/errors>).

use serde_json::{Value, json};

use super::head;
use crate::demo::models::Fault;
use crate::demo::usage::Usage;
use crate::demo::{Context, gateway};
use crate::serve::reply::Reply;

/// What is wrong with a request, or with the server that it asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Problem {
    pub(super) status: u16,
    kind: &'static str,
    message: String,
    /// Fields that only this reply has.
    fields: Vec<(&'static str, &'static str)>,
    /// Whether the head tells the limits.
    limits: bool,
}

impl Problem {
    fn of(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            message: message.into(),
            fields: Vec::new(),
            limits: false,
        }
    }

    /// A request that cannot be answered.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::of(400, "invalid_request_error", message).field("x-should-retry", "false")
    }

    pub(super) fn bad_key() -> Self {
        Self::of(401, "authentication_error", "invalid x-api-key")
    }

    pub(super) fn not_found(what: impl Into<String>) -> Self {
        Self::of(404, "not_found_error", what)
    }

    pub(super) fn method(allowed: &'static str) -> Self {
        Self::of(405, "invalid_request_error", "Method Not Allowed").field("allow", allowed)
    }

    /// What a server says that has too much to do.
    pub(super) fn overloaded() -> Self {
        Self::of(529, "overloaded_error", "Overloaded").field("x-should-retry", "true")
    }

    /// The problem that a fault is.
    pub(super) fn of_fault(fault: Fault, model: &str) -> Self {
        let status = match fault {
            Fault::Unknown => 404,
            Fault::Status(status) => status,
        };
        match status {
            400 => Self::invalid("model: this demo model refuses every request"),
            401 => Self::bad_key(),
            402 => Self::of(status, "billing_error", "Your credit balance is too low."),
            403 => {
                let message =
                    "Your API key does not have permission to use the specified resource.";
                Self::of(status, "permission_error", message)
            }
            404 => Self::not_found(format!("model: {model}")),
            409 => Self::of(status, "conflict_error", "The resource is being changed."),
            413 => {
                let message = "Request exceeds the maximum allowed number of bytes.";
                Self::of(status, "request_too_large", message)
            }
            429 => Self::limited(),
            502 => Self::of(status, "api_error", "502 Bad Gateway"),
            504 => Self::of(status, "timeout_error", "Request timed out."),
            529 => Self::overloaded(),
            500.. => Self::of(status, "api_error", "Internal server error"),
            _ => Self::of(
                status,
                "invalid_request_error",
                format!("This demo model answers {status}."),
            ),
        }
    }

    fn limited() -> Self {
        let message = "This request would exceed your organization's rate limit of 400,000 output tokens \
                       per minute. Please reduce the prompt length or the maximum tokens requested, or \
                       try again later.";
        let mut problem = Self::of(429, "rate_limit_error", message)
            .field("retry-after", "36")
            .field("x-should-retry", "true");
        problem.limits = true;
        problem
    }

    fn field(mut self, name: &'static str, value: &'static str) -> Self {
        self.fields.push((name, value));
        self
    }

    /// The JSON that tells it.
    pub(super) fn json(&self, seen: Context) -> Value {
        json!({
            "type": "error",
            "error": {"type": self.kind, "message": self.message},
            "request_id": head::request_id(seen),
        })
    }

    pub(super) fn reply(&self, seen: Context) -> Reply {
        if self.status == 502 {
            return gateway::page(self.status, &self.message, seen);
        }
        let mut fields = head::first("application/json", seen);
        if self.limits {
            fields.extend(head::limits(Usage::default(), seen));
        }
        let own = self.fields.iter();
        fields.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        fields.extend(head::last(seen));
        Reply::plain(self.status, fields, self.json(seen).to_string())
    }
}
