//! An error as Ollama words it: `{"error":"text"}` (<https://docs.ollama.com/api/errors>).

use serde_json::{Value, json};

use super::head;
use crate::demo::models::ModelFault;
use crate::demo::{DemoContext, gateway};
use crate::serve::reply::ServerReply;

/// An error of this API.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct OllamaError {
    status: u16,
    message: String,
    /// Plain text instead of JSON: an error of the router.
    plain_text: bool,
}

impl OllamaError {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            plain_text: false,
        }
    }

    /// The error of a bad request.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(super) fn bad_key() -> Self {
        Self::new(401, "unauthorized")
    }

    pub(super) fn unknown_model(model: &str) -> Self {
        Self::new(404, format!("model '{model}' not found"))
    }

    pub(super) fn page_not_found() -> Self {
        Self {
            plain_text: true,
            ..Self::new(404, "404 page not found")
        }
    }

    pub(super) fn method_not_allowed() -> Self {
        Self {
            plain_text: true,
            ..Self::new(405, "405 method not allowed")
        }
    }

    /// An error while a model runs.
    pub(super) fn model_failed() -> Self {
        let message = "an error was encountered while running the model: CUDA error";
        Self::new(500, message)
    }

    /// The error for the fault that a model's name asks for.
    pub(super) fn from_fault(fault: ModelFault, model: &str) -> Self {
        match fault {
            ModelFault::Unknown | ModelFault::Status(404) => Self::unknown_model(model),
            ModelFault::Status(401) => Self::bad_key(),
            ModelFault::Status(429) => Self::new(429, "too many requests"),
            ModelFault::Status(500) => Self::model_failed(),
            ModelFault::Status(502) => Self::new(502, "502 Bad Gateway"),
            ModelFault::Status(503) => Self::new(
                503,
                "server busy, please try again. maximum pending requests exceeded",
            ),
            ModelFault::Status(status) => {
                Self::new(status, format!("this demo model answers {status}"))
            }
        }
    }

    /// The error as JSON.
    pub(super) fn to_json(&self) -> Value {
        json!({"error": self.message})
    }

    pub(super) fn to_reply(&self, seen: DemoContext) -> ServerReply {
        if self.status == 502 {
            return gateway::error_page(self.status, &self.message, seen);
        }
        if self.plain_text {
            let fields = head::head_fields("text/plain", seen);
            return ServerReply::whole(self.status, fields, self.message.as_str());
        }
        let fields = head::head_fields(head::JSON_TYPE, seen);
        ServerReply::whole(self.status, fields, self.to_json().to_string())
    }
}
