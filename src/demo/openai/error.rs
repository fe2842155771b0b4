//! An error as OpenAI's API words it: a status and `{"error":{message, type, param, code}}`
//! (<https://platform.openai.com/docs/guides/error-codes>).

use serde_json::{Value, json};

use super::head;
use crate::demo::{DemoContext, gateway};
use crate::serve::reply::ServerReply;

/// An error of this API.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::demo) struct OpenAiError {
    pub(in crate::demo) status: u16,
    pub(in crate::demo) message: String,
    pub(in crate::demo) error_type: &'static str,
    pub(in crate::demo) param: Option<String>,
    pub(in crate::demo) code: Option<&'static str>,
    /// Head fields that only this error has.
    pub(in crate::demo) extra_fields: Vec<(&'static str, String)>,
    /// A gateway's page instead of JSON.
    pub(in crate::demo) html_page: bool,
}

impl OpenAiError {
    pub(in crate::demo) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            error_type: "invalid_request_error",
            param: None,
            code: None,
            extra_fields: Vec::new(),
            html_page: false,
        }
    }

    pub(in crate::demo) fn with_type(mut self, kind: &'static str) -> Self {
        self.error_type = kind;
        self
    }

    pub(in crate::demo) fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(in crate::demo) fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(in crate::demo) fn with_field(
        mut self,
        name: &'static str,
        value: impl Into<String>,
    ) -> Self {
        self.extra_fields.push((name, value.into()));
        self
    }

    pub(in crate::demo) fn unknown_url(method: &str, path: &str) -> Self {
        let message = format!(
            "Unknown request URL: {method} {path}. Please check the URL for typos, or see the docs at \
             https://platform.openai.com/docs/api-reference/."
        );
        Self::new(404, message).with_code("unknown_url")
    }

    pub(in crate::demo) fn method_not_allowed(method: &str, path: &str, allowed: &str) -> Self {
        let message = format!(
            "Not allowed to {method} on {path}. (HINT: Perhaps you meant to make your request using a \
             different HTTP method?)"
        );
        Self::new(405, message)
            .with_code("method_not_supported")
            .with_field("allow", allowed)
    }

    pub(in crate::demo) fn bad_key(key: &str) -> Self {
        let message = format!(
            "Incorrect API key provided: {key}. You can find your API key at \
             https://platform.openai.com/account/api-keys."
        );
        Self::new(401, message)
            .with_code("invalid_api_key")
            .with_field("www-authenticate", "Bearer realm=\"OpenAI API\"")
    }

    pub(in crate::demo) fn unknown_model(model: &str) -> Self {
        let message =
            format!("The model `{model}` does not exist or you do not have access to it.");
        Self::new(404, message).with_code("model_not_found")
    }

    /// The error as JSON.
    pub(in crate::demo) fn to_json(&self) -> Value {
        json!({"error": {
            "message": self.message,
            "type": self.error_type,
            "param": self.param,
            "code": self.code,
        }})
    }

    pub(in crate::demo) fn to_reply(&self, seen: DemoContext) -> ServerReply {
        if self.html_page {
            return gateway::error_page(self.status, &self.message, seen);
        }
        let mut fields = head::head_fields("application/json", seen, 3);
        for (name, value) in &self.extra_fields {
            set_field(&mut fields, name, value);
        }
        ServerReply::whole(self.status, fields, head::pretty_json(&self.to_json()))
    }
}

/// Sets a head field in place, or adds it before the last one, which names the server.
fn set_field(fields: &mut Vec<(String, String)>, name: &str, value: &str) {
    match fields
        .iter_mut()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
    {
        Some((_, old)) => value.clone_into(old),
        None => {
            let last = fields.len().saturating_sub(1);
            fields.insert(last, (name.to_owned(), value.to_owned()));
        }
    }
}
