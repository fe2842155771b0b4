//! An error as values, before an API writes it in its own shape.

use serde_json::Value;

use super::context::DemoContext;
use super::head::ReplyFields;
use crate::serve::reply::ServerReply;

/// The result of a step that an API can refuse.
pub(super) type ApiResult<T = ()> = Result<T, ApiError>;

/// An error in the words of one API. Each API writes only the values that it has.
#[derive(Clone, Debug)]
pub(super) struct ApiError {
    pub(super) status: u16,
    pub(super) message: Box<str>,
    /// The kind of error, as OpenAI and Anthropic name it.
    pub(super) error_type: &'static str,
    /// The parameter at fault.
    pub(super) param: Option<Box<str>>,
    pub(super) code: Option<Box<str>>,
    /// Google's details.
    pub(super) details: Vec<Value>,
    /// Head fields that only this error has.
    pub(super) extra_fields: Vec<(&'static str, String)>,
    pub(super) form: ErrorForm,
}

/// The form of an error's body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum ErrorForm {
    Json,
    /// The message alone, from the router of a server.
    PlainText,
    /// The HTML page of a gateway whose upstream does not answer.
    GatewayPage,
}

impl ApiError {
    pub(super) fn new(status: u16, message: impl Into<Box<str>>) -> Self {
        Self {
            status,
            message: message.into(),
            error_type: "invalid_request_error",
            param: None,
            code: None,
            details: Vec::new(),
            extra_fields: Vec::new(),
            form: ErrorForm::Json,
        }
    }

    /// The HTML page of a gateway, which has no fields of the API.
    pub(super) fn gateway(status: u16, title: &str) -> Self {
        Self::new(status, title).with_form(ErrorForm::GatewayPage)
    }

    pub(super) fn with_type(self, error_type: &'static str) -> Self {
        Self { error_type, ..self }
    }

    pub(super) fn with_param(self, param: impl Into<Box<str>>) -> Self {
        let param = Some(param.into());
        Self { param, ..self }
    }

    pub(super) fn with_code(self, code: impl Into<Box<str>>) -> Self {
        let code = Some(code.into());
        Self { code, ..self }
    }

    pub(super) fn with_field(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.extra_fields.push((name, value.into()));
        self
    }

    pub(super) fn with_form(self, form: ErrorForm) -> Self {
        Self { form, ..self }
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
