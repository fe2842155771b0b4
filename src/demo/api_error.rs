//! An error as values, before an API writes it in its own shape.

use serde::Deserialize;
use serde_json::Value;

use super::context::DemoContext;
use super::head::ReplyFields;
use crate::serve::reply::ServerReply;

/// The result of a step that an API can refuse.
pub(super) type ApiResult<T = ()> = Result<T, ApiError>;

/// An error in the words of one API. Each API writes only the values that it has.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) message: Box<str>,
    /// The kind of error, as OpenAI and Anthropic name it.
    #[serde(rename = "type")]
    pub(super) error_type: Box<str>,
    /// The parameter at fault.
    pub(super) param: Option<Box<str>>,
    pub(super) code: Option<Box<str>>,
    /// Google's details.
    pub(super) details: Vec<Value>,
    /// Head fields that only this error has.
    pub(super) fields: ReplyFields,
    pub(super) form: ErrorForm,
}

/// The form of an error's body.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum ErrorForm {
    #[default]
    Json,
    /// The message alone, from the router of a server.
    PlainText,
    /// The HTML page of a gateway whose upstream does not answer.
    GatewayPage,
}

impl Default for ApiError {
    fn default() -> Self {
        Self {
            status: 400,
            message: Box::default(),
            error_type: "invalid_request_error".into(),
            param: None,
            code: None,
            details: Vec::new(),
            fields: ReplyFields::new(),
            form: ErrorForm::Json,
        }
    }
}

impl ApiError {
    pub(super) fn new(status: u16, message: impl Into<Box<str>>) -> Self {
        Self {
            status,
            message: message.into(),
            ..Self::default()
        }
    }

    /// The error as a reply with these fields and this body, or as a gateway's page.
    pub(super) fn to_reply(
        &self,
        fields: ReplyFields,
        body: String,
        context: DemoContext,
    ) -> ServerReply {
        if self.form != ErrorForm::GatewayPage {
            return ServerReply::whole(self.status, fields, body);
        }
        let title = &self.message;
        let page = format!(
            "<html>\r\n<head><title>{title}</title></head>\r\n<body>\r\n\
             <center><h1>{title}</h1></center>\r\n<hr><center>wire-demo</center>\r\n</body>\r\n</html>\r\n"
        );
        let mut reply = ServerReply::whole(self.status, Vec::new(), page)
            .with_field("Date", context.http_date())
            .with_field("Content-Type", "text/html")
            .with_field("Server", "wire-demo");
        reply.close_after = true;
        reply
    }
}
