//! Helpers of the tests of all dialects: they make requests and read replies.

use std::time::Duration;

use serde_json::Value;

use super::{DemoContext, answer};
use crate::serve::reply::{BodyAction, BodyStep, ReplyBody, ServerReply};
use crate::serve::request::ServerRequest;

pub(super) const SEEN: DemoContext = DemoContext {
    request_number: 1,
    created_secs: 1_795_425_246,
    pace: Duration::ZERO,
};

pub(super) fn request(method: &str, target: &str, body: impl Into<Vec<u8>>) -> ServerRequest {
    ServerRequest {
        method: method.into(),
        target: target.into(),
        fields: Vec::new(),
        body: body.into(),
    }
}

pub(super) fn steps(reply: ServerReply) -> Vec<BodyStep> {
    match reply.body {
        ReplyBody::Whole(bytes) => vec![BodyStep::immediate(BodyAction::Bytes(bytes))],
        ReplyBody::KnownLength { steps, .. } | ReplyBody::Chunked(steps) => steps.collect(),
    }
}

/// The reply to a JSON body.
pub(super) fn post(target: &str, body: &Value) -> ServerReply {
    answer(&request("POST", target, body.to_string()), SEEN)
}

/// `body` with the keys of `more`; null removes a key.
pub(super) fn with(mut body: Value, more: Value) -> Value {
    let object = body.as_object_mut().unwrap();
    for (key, value) in more.as_object().unwrap() {
        match value {
            Value::Null => drop(object.remove(key)),
            value => drop(object.insert(key.clone(), value.clone())),
        }
    }
    body
}

/// The body of a reply with this status, as JSON.
#[track_caller]
pub(super) fn json_of(reply: ServerReply, status: u16) -> Value {
    let found = reply.status;
    let text = text(reply);
    assert_eq!(found, status, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// Checks that the reply is OpenAI's error 400 with this parameter and code, empty if null, and this message.
#[track_caller]
pub(super) fn assert_refused_by_openai(reply: ServerReply, param: &str, code: &str, message: &str) {
    let found = json_of(reply, 400);
    let error = &found["error"];
    assert_eq!(error["message"], message);
    assert_eq!(error["param"].as_str().unwrap_or_default(), param);
    assert_eq!(error["code"].as_str().unwrap_or_default(), code);
    assert_eq!(error["type"], "invalid_request_error");
}

/// The values of the fields called `name`.
pub(super) fn field<'a>(reply: &'a ServerReply, name: &str) -> Vec<&'a str> {
    let found = reply.fields.iter().filter(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str()).collect()
}

/// Events with their names: `event: name`, `data: JSON`.
pub(super) fn named_events(text: &str) -> Vec<(String, Value)> {
    let event = |event: &str| {
        let (name, data) = event.split_once("\ndata: ").unwrap();
        let name = name.strip_prefix("event: ").unwrap();
        (name.to_owned(), serde_json::from_str(data).unwrap())
    };
    text.split_terminator("\n\n").map(event).collect()
}

/// All texts at `pointer`, joined.
pub(super) fn joined<'a>(values: impl IntoIterator<Item = &'a Value>, pointer: &str) -> String {
    let texts = values
        .into_iter()
        .filter_map(|value| value.pointer(pointer));
    texts.filter_map(Value::as_str).collect()
}

/// The body of a reply without its faults.
pub(super) fn text(reply: ServerReply) -> String {
    let bytes = |step: BodyStep| match step.action {
        BodyAction::Bytes(bytes) => bytes,
        _ => Vec::new(),
    };
    let all: Vec<u8> = steps(reply).into_iter().flat_map(bytes).collect();
    String::from_utf8(all).unwrap()
}
