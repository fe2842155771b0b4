//! The responses that the recorder writes itself.

use serde_json::json;

/// A response of the recorder: the request was refused, or the server could not be reached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum OwnReply {
    /// The request is not sound.
    BadRequest,
    /// No upstream takes this path.
    NotFound,
    /// The server could not be reached.
    BadGateway,
    /// No descriptor is left for another connection.
    Unavailable,
}

impl OwnReply {
    pub(super) fn status(self) -> u16 {
        match self {
            Self::BadRequest => 400,
            Self::NotFound => 404,
            Self::BadGateway => 502,
            Self::Unavailable => 503,
        }
    }

    fn phrase(self) -> &'static str {
        match self {
            Self::BadRequest => "Bad Request",
            Self::NotFound => "Not Found",
            Self::BadGateway => "Bad Gateway",
            Self::Unavailable => "Service Unavailable",
        }
    }

    /// The whole response. The body has the shape of an error of the OpenAI API, which most clients print.
    pub(super) fn bytes(self, reason: &str) -> Vec<u8> {
        let message = format!("wire record: {reason}");
        let body = json!({ "error": { "message": message, "type": "wire_record" } }).to_string();
        let (status, phrase, length) = (self.status(), self.phrase(), body.len());
        let head = format!(
            "HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n"
        );
        [head.into_bytes(), body.into_bytes()].concat()
    }
}
