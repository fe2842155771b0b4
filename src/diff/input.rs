//! One side of a comparison: a call, or a request file that was not sent.

use crate::call::{Call, ReadOptions};
use crate::content::DecodedBody;
use crate::exchange::{ExchangeReader, decode_body};
use crate::http1::{BodyRetention, HttpMessage};
use crate::span::{Moment, StreamSide};
use crate::tape::{Stream, TapeOrigin};

/// One side of a comparison: a call, or a request file that was not sent.
#[derive(Debug)]
pub struct DiffInput {
    /// Name that reports show.
    pub name: String,
    source: DiffSource,
}

#[derive(Debug)]
enum DiffSource {
    Call(Box<Call>),
    /// A request file. `message` is `None` where the file is a body alone.
    Request {
        message: Option<Box<HttpMessage>>,
        body: DecodedBody,
    },
}

impl DiffInput {
    /// A call that was read from a capture with [`crate::chat::AnswerRetention::Everything`].
    pub fn from_call(name: String, call: Call) -> Self {
        Self {
            name,
            source: DiffSource::Call(Box::new(call)),
        }
    }

    /// A request file: a whole HTTP/1.1 message if it begins with a request line, else a body.
    pub fn from_request(name: String, bytes: Vec<u8>, options: &ReadOptions) -> Self {
        let source = match looks_like_request(&bytes) {
            true => {
                let mut reader = ExchangeReader::new(BodyRetention::WholeBody, options.http1);
                let mut sent = Stream::new(StreamSide::Sent);
                sent.push(Moment::default(), &bytes);
                reader.bytes(StreamSide::Sent, Moment::default(), &bytes, &mut ());
                reader.ended(StreamSide::Sent, &mut ());
                let message = reader.exchange.request;
                DiffSource::Request {
                    body: decode_body(&message, &sent, options.content),
                    message: Some(Box::new(message)),
                }
            }
            false => DiffSource::Request {
                message: None,
                body: DecodedBody {
                    bytes,
                    ..DecodedBody::default()
                },
            },
        };
        Self { name, source }
    }

    /// The call; `None` for a request file.
    pub fn call(&self) -> Option<&Call> {
        match &self.source {
            DiffSource::Call(call) => Some(call),
            DiffSource::Request { .. } => None,
        }
    }

    /// The request message; `None` where only a body is known.
    pub fn request(&self) -> Option<&HttpMessage> {
        match &self.source {
            DiffSource::Call(call) => Some(&call.exchange.request),
            DiffSource::Request { message, .. } => message.as_deref(),
        }
    }

    /// The request's body, content codings undone.
    pub fn request_body(&self) -> &DecodedBody {
        match &self.source {
            DiffSource::Call(call) => &call.request_body,
            DiffSource::Request { body, .. } => body,
        }
    }

    /// Where the call was recorded; `None` for a request file.
    pub fn origin(&self) -> Option<&TapeOrigin> {
        self.call().map(|call| &call.tape.origin)
    }
}

/// Returns whether a file begins with a request line: `POST /path HTTP/1.1`.
fn looks_like_request(bytes: &[u8]) -> bool {
    let line = bytes
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let words: Vec<_> = line.trim_ascii_end().split(|&byte| byte == b' ').collect();
    let method = words
        .first()
        .is_some_and(|method| !method.is_empty() && method.iter().all(u8::is_ascii_uppercase));
    method
        && words
            .last()
            .is_some_and(|version| version.starts_with(b"HTTP/"))
}
