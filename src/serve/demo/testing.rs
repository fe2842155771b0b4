//! What the tests of all APIs need: requests, and what replies hold.

use std::time::Duration;

use serde_json::Value;

use super::Context;
use crate::serve::reply::{Act, Body, Reply, Step};
use crate::serve::request::Request;

pub(super) const SEEN: Context = Context {
    seq: 1,
    created_secs: 1_795_425_246,
    pace: Duration::ZERO,
};

pub(super) fn request(method: &str, target: &str, body: impl Into<Vec<u8>>) -> Request {
    Request {
        method: method.to_owned(),
        target: target.to_owned(),
        fields: Vec::new(),
        body: body.into(),
    }
}

pub(super) fn steps(reply: Reply) -> Vec<Step> {
    match reply.body {
        Body::Plain(bytes) => vec![Step::now(Act::Bytes(bytes))],
        Body::Counted { steps, .. } | Body::Events(steps) => steps.collect(),
    }
}

/// The body of a reply, its faults left out.
pub(super) fn text(reply: Reply) -> String {
    let bytes = |step: Step| match step.act {
        Act::Bytes(bytes) => bytes,
        _ => Vec::new(),
    };
    let all: Vec<u8> = steps(reply).into_iter().flat_map(bytes).collect();
    String::from_utf8(all).unwrap()
}
