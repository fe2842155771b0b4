//! An error as OpenAI's API words it: a status and `{"error":{message, type, param, code}}`
//! (<https://platform.openai.com/docs/guides/error-codes>).

use serde_json::{Value, json};

use super::head;
use crate::demo::{Context, gateway};
use crate::serve::reply::Reply;

/// What is wrong with a request, or with the server that it asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::demo) struct Problem {
    pub(in crate::demo) status: u16,
    pub(in crate::demo) message: String,
    pub(in crate::demo) kind: &'static str,
    pub(in crate::demo) param: Option<String>,
    pub(in crate::demo) code: Option<&'static str>,
    /// Fields that only this reply has.
    pub(in crate::demo) fields: Vec<(&'static str, String)>,
    /// A page of a gateway, in place of the JSON.
    pub(in crate::demo) html: bool,
}

impl Problem {
    pub(in crate::demo) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            kind: "invalid_request_error",
            param: None,
            code: None,
            fields: Vec::new(),
            html: false,
        }
    }

    pub(in crate::demo) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub(in crate::demo) fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(in crate::demo) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(in crate::demo) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub(in crate::demo) fn unknown_url(method: &str, path: &str) -> Self {
        let message = format!(
            "Unknown request URL: {method} {path}. Please check the URL for typos, or see the docs at \
             https://platform.openai.com/docs/api-reference/."
        );
        Self::new(404, message).code("unknown_url")
    }

    pub(in crate::demo) fn method(method: &str, path: &str, allowed: &str) -> Self {
        let message = format!(
            "Not allowed to {method} on {path}. (HINT: Perhaps you meant to make your request using a \
             different HTTP method?)"
        );
        Self::new(405, message)
            .code("method_not_supported")
            .field("allow", allowed)
    }

    pub(in crate::demo) fn bad_key(key: &str) -> Self {
        let message = format!(
            "Incorrect API key provided: {key}. You can find your API key at \
             https://platform.openai.com/account/api-keys."
        );
        Self::new(401, message)
            .code("invalid_api_key")
            .field("www-authenticate", "Bearer realm=\"OpenAI API\"")
    }

    pub(in crate::demo) fn no_model(model: &str) -> Self {
        let message =
            format!("The model `{model}` does not exist or you do not have access to it.");
        Self::new(404, message).code("model_not_found")
    }

    /// The JSON that tells it.
    pub(in crate::demo) fn json(&self) -> Value {
        json!({"error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }})
    }

    pub(in crate::demo) fn reply(&self, seen: Context) -> Reply {
        if self.html {
            return gateway::page(self.status, &self.message, seen);
        }
        let mut fields = head::fields("application/json", seen, 3);
        for (name, value) in &self.fields {
            set(&mut fields, name, value);
        }
        Reply::plain(self.status, fields, head::pretty(&self.json()))
    }
}

/// Gives a field another value in its place, or adds it before the last field, the server's name.
fn set(fields: &mut Vec<(String, String)>, name: &str, value: &str) {
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
