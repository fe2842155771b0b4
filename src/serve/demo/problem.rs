//! An error as OpenAI's API words it: a status and `{"error":{message, type, param, code}}`
//! (<https://platform.openai.com/docs/guides/error-codes>).

use serde_json::{Value, json};

use super::{Context, head};
use crate::serve::reply::Reply;

/// What is wrong with a request, or with the server that it asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) message: String,
    pub(super) kind: &'static str,
    pub(super) param: Option<String>,
    pub(super) code: Option<&'static str>,
    /// Fields that only this reply has.
    pub(super) fields: Vec<(&'static str, String)>,
    /// A page of a gateway, in place of the JSON.
    pub(super) html: bool,
}

impl Problem {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
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

    pub(super) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub(super) fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    pub(super) fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    pub(super) fn field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    pub(super) fn unknown_url(method: &str, path: &str) -> Self {
        let message = format!(
            "Unknown request URL: {method} {path}. Please check the URL for typos, or see the docs at \
             https://platform.openai.com/docs/api-reference/."
        );
        Self::new(404, message).code("unknown_url")
    }

    pub(super) fn method(method: &str, path: &str, allowed: &str) -> Self {
        let message = format!(
            "Not allowed to {method} on {path}. (HINT: Perhaps you meant to make your request using a \
             different HTTP method?)"
        );
        Self::new(405, message)
            .code("method_not_supported")
            .field("allow", allowed)
    }

    pub(super) fn bad_key(key: &str) -> Self {
        let message = format!(
            "Incorrect API key provided: {key}. You can find your API key at \
             https://platform.openai.com/account/api-keys."
        );
        Self::new(401, message)
            .code("invalid_api_key")
            .field("www-authenticate", "Bearer realm=\"OpenAI API\"")
    }

    pub(super) fn no_model(model: &str) -> Self {
        let message =
            format!("The model `{model}` does not exist or you do not have access to it.");
        Self::new(404, message).code("model_not_found")
    }

    /// The JSON that tells it.
    pub(super) fn json(&self) -> Value {
        json!({"error": {
            "message": self.message,
            "type": self.kind,
            "param": self.param,
            "code": self.code,
        }})
    }

    pub(super) fn reply(&self, seen: Context) -> Reply {
        if self.html {
            return self.page(seen);
        }
        let mut fields = head::fields("application/json", seen, 3);
        for (name, value) in &self.fields {
            set(&mut fields, name, value);
        }
        Reply::plain(self.status, fields, head::pretty(&self.json()))
    }

    /// What a gateway says when nobody behind it answers: none of the API's own fields.
    fn page(&self, seen: Context) -> Reply {
        let title = &self.message;
        let page = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
             <center><h1>{title}</h1></center>\r\n<hr><center>wire-demo</center>\r\n</body>\r\n</html>\r\n"
        );
        let mut reply = Reply::plain(self.status, Vec::new(), page)
            .with("Date", head::date(seen.created_secs))
            .with("Content-Type", "text/html")
            .with("Server", "wire-demo");
        reply.close = true;
        reply
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
