//! An error as Google's APIs word it: `{"error":{code, message, status, details}}`
//! (<https://ai.google.dev/gemini-api/docs/troubleshooting>, <https://google.aip.dev/193>).

use serde_json::{Value, json};

use super::head;
use crate::demo::models::ModelFault;
use crate::demo::{DemoContext, gateway};
use crate::serve::reply::ServerReply;

/// An error of this API.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GeminiError {
    pub(super) status: u16,
    message: String,
    details: Vec<Value>,
}

impl GeminiError {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            details: Vec::new(),
        }
    }

    /// The error of a bad request.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    /// The error of a value with a wrong type or range.
    pub(super) fn field_violation(field: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let violation = json!({"field": field, "description": message});
        Self {
            details: vec![json!({
                "@type": "type.googleapis.com/google.rpc.BadRequest",
                "fieldViolations": [violation],
            })],
            ..Self::new(400, message)
        }
    }

    pub(super) fn bad_key() -> Self {
        let message = "API key not valid. Please pass a valid API key.";
        Self {
            details: vec![
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
            ],
            ..Self::new(400, message)
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "Requested entity was not found.")
    }

    pub(super) fn unknown_model(model: &str, version: &str) -> Self {
        Self::new(
            404,
            format!(
                "models/{model} is not found for API version {version}, or is not supported for \
                 generateContent. Call ListModels to see the list of available models and their \
                 supported methods."
            ),
        )
    }

    pub(super) fn overloaded() -> Self {
        Self::new(503, "The model is overloaded. Please try again later.")
    }

    /// The error for the fault that a model's name asks for.
    pub(super) fn from_fault(fault: ModelFault, model: &str, version: &str) -> Self {
        let status = match fault {
            ModelFault::Unknown => 404,
            ModelFault::Status(status) => status,
        };
        let problem = |message: &str| Self::new(status, message);
        match status {
            401 => problem(
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login \
                 cookie or other valid authentication credential.",
            ),
            403 => problem("The caller does not have permission"),
            404 => Self::unknown_model(model, version),
            429 => Self::quota_exhausted(model),
            500 => problem("An internal error has occurred. Please retry the request."),
            502 => problem("502 Bad Gateway"),
            503 => Self::overloaded(),
            504 => problem("Deadline expired before operation could complete."),
            _ => problem(&format!("This demo model answers {status}.")),
        }
    }

    fn quota_exhausted(model: &str) -> Self {
        let dimensions = json!({"location": "global", "model": model});
        let violation = json!({
            "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
            "quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
            "quotaDimensions": dimensions,
            "quotaValue": "10",
        });
        let link = json!({
            "description": "Learn more about Gemini API quotas",
            "url": "https://ai.google.dev/gemini-api/docs/rate-limits",
        });
        let message =
            "You exceeded your current quota, please check your plan and billing details.";
        Self {
            details: vec![
                json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [violation]}),
                json!({"@type": "type.googleapis.com/google.rpc.Help", "links": [link]}),
                json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"}),
            ],
            ..Self::new(429, message)
        }
    }

    /// The error as JSON.
    pub(super) fn to_json(&self) -> Value {
        let mut error = json!({
            "code": self.status,
            "message": self.message,
            "status": status_name(self.status),
        });
        if !self.details.is_empty() {
            error["details"] = json!(self.details);
        }
        json!({"error": error})
    }

    /// The error as a reply; in an array of one if the request asked for an array.
    pub(super) fn to_reply(&self, listed: bool, seen: DemoContext) -> ServerReply {
        if self.status == 502 {
            return gateway::error_page(self.status, &self.message, seen);
        }
        let error = format!("{:#}\n", self.to_json());
        let body = if listed {
            format!("[{error}]\n")
        } else {
            error
        };
        ServerReply::whole(
            self.status,
            head::head_fields(head::JSON_TYPE, 0, seen),
            body,
        )
    }
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
