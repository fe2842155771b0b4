//! What the special models do to a reply that is otherwise whole: slow, cut, stalled, broken, or failing
//! in the middle.

use std::time::Duration;

use super::{DemoContext, big_body, models};
use crate::serve::reply::{BodyAction, BodyStep, ReplyBody, ServerReply};

/// Whether a model can only fail inside a stream: without one, it fails at once.
pub(super) fn fails_without_stream(model: &str) -> bool {
    model == "demo-error-in-stream"
}

/// Does to `reply` what `model` is there for. `failure` makes the events of an error that comes after so
/// many events.
pub(super) fn apply_behaviour(
    model: &str,
    reply: ServerReply,
    seen: DemoContext,
    failure: impl FnOnce(usize) -> Vec<String>,
) -> ServerReply {
    if let Some(mebibytes) = models::big_body_mebibytes(model) {
        return big_body::expand_mark(reply, mebibytes);
    }
    match model {
        "demo-slow" => slow_down(reply, seen.pace.saturating_mul(40)),
        "demo-cut" => splice_steps(reply, SplicePoint::Half, |_, _| {
            vec![BodyStep::immediate(BodyAction::Disconnect)]
        }),
        "demo-stall" => splice_steps(reply, SplicePoint::ThirdStep, |_, _| {
            vec![BodyStep::immediate(BodyAction::Stall)]
        }),
        "demo-garbage" => splice_steps(into_chunked(reply), SplicePoint::Half, |_, rest| {
            let garbage = BodyAction::RawBytes(b"zz-this-is-no-chunk-size\r\n".to_vec());
            std::iter::once(BodyStep::immediate(garbage))
                .chain(rest)
                .collect()
        }),
        "demo-error-in-stream" => splice_steps(reply, SplicePoint::Half, |at, _| {
            let events = failure(at).into_iter();
            events
                .map(|event| BodyStep::bytes_after(seen.pace, event))
                .collect()
        }),
        _ => reply,
    }
}

/// Where in a body something happens.
#[derive(Clone, Copy)]
enum SplicePoint {
    /// After half of the steps.
    Half,
    /// After the third step.
    ThirdStep,
}

/// Puts `then` in the place of the steps after `place`: it is given how many came before, and those.
fn splice_steps(
    mut reply: ServerReply,
    place: SplicePoint,
    then: impl FnOnce(usize, Vec<BodyStep>) -> Vec<BodyStep>,
) -> ServerReply {
    let splice = |mut steps: Vec<BodyStep>| {
        let at = match place {
            SplicePoint::Half => steps.len() / 2,
            SplicePoint::ThirdStep => 3,
        };
        let rest = steps.split_off(at.min(steps.len()));
        steps.extend(then(steps.len(), rest));
        Box::new(steps.into_iter())
    };
    reply.body = match reply.body {
        ReplyBody::Whole(bytes) => ReplyBody::KnownLength {
            length: bytes.len() as u64,
            steps: splice(split_body(&bytes)),
        },
        ReplyBody::KnownLength { length, steps } => ReplyBody::KnownLength {
            length,
            steps: splice(steps.collect()),
        },
        ReplyBody::Chunked(steps) => ReplyBody::Chunked(splice(steps.collect())),
    };
    reply
}

/// A plain body in chunks, so that there is a framing to break.
fn into_chunked(mut reply: ServerReply) -> ServerReply {
    if let ReplyBody::Whole(bytes) = &reply.body {
        reply.body = ReplyBody::Chunked(Box::new(split_body(bytes).into_iter()));
    }
    reply
}

/// A plain body in some eight pieces.
fn split_body(bytes: &[u8]) -> Vec<BodyStep> {
    let size = bytes.len().div_ceil(8).max(1);
    bytes
        .chunks(size)
        .map(|piece| BodyStep::bytes_after(Duration::ZERO, piece))
        .collect()
}

fn slow_down(mut reply: ServerReply, pause: Duration) -> ServerReply {
    reply.delay = pause;
    if let ReplyBody::Chunked(steps) = reply.body {
        let slowed = steps.map(move |step| BodyStep { pause, ..step });
        reply.body = ReplyBody::Chunked(Box::new(slowed));
    }
    reply
}
