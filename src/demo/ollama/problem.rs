//! An error as Ollama words it: `{"error":"text"}` (<https://docs.ollama.com/api/errors>).

use serde_json::{Value, json};

use super::head;
use crate::demo::models::Fault;
use crate::demo::{Context, gateway};
use crate::serve::reply::Reply;

/// What is wrong with a request, or with the server that it asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Problem {
    status: u16,
    message: String,
    /// Text in place of JSON: what the router says, not the API.
    text: bool,
}

impl Problem {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            text: false,
        }
    }

    /// A request that cannot be answered.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(super) fn bad_key() -> Self {
        Self::new(401, "unauthorized")
    }

    pub(super) fn no_model(model: &str) -> Self {
        Self::new(404, format!("model '{model}' not found"))
    }

    pub(super) fn no_page() -> Self {
        Self {
            text: true,
            ..Self::new(404, "404 page not found")
        }
    }

    pub(super) fn method() -> Self {
        Self {
            text: true,
            ..Self::new(405, "405 method not allowed")
        }
    }

    /// What goes wrong while a model runs.
    pub(super) fn running() -> Self {
        let message = "an error was encountered while running the model: CUDA error";
        Self::new(500, message)
    }

    /// The problem that a fault is.
    pub(super) fn of_fault(fault: Fault, model: &str) -> Self {
        match fault {
            Fault::Unknown | Fault::Status(404) => Self::no_model(model),
            Fault::Status(401) => Self::bad_key(),
            Fault::Status(429) => Self::new(429, "too many requests"),
            Fault::Status(500) => Self::running(),
            Fault::Status(502) => Self::new(502, "502 Bad Gateway"),
            Fault::Status(503) => Self::new(
                503,
                "server busy, please try again. maximum pending requests exceeded",
            ),
            Fault::Status(status) => Self::new(status, format!("this demo model answers {status}")),
        }
    }

    /// The JSON that tells it.
    pub(super) fn json(&self) -> Value {
        json!({"error": self.message})
    }

    pub(super) fn reply(&self, seen: Context) -> Reply {
        if self.status == 502 {
            return gateway::page(self.status, &self.message, seen);
        }
        if self.text {
            let fields = head::fields("text/plain", seen);
            return Reply::plain(self.status, fields, self.message.as_str());
        }
        let fields = head::fields(head::JSON, seen);
        Reply::plain(self.status, fields, self.json().to_string())
    }
}
