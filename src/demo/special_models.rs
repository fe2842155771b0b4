//! The faults of the special models: they make an ordinary reply slow, cut, stalled, broken, or failing in the
//! middle. They are keyed by model name here; the server only knows steps.

use std::time::Duration;

use super::context::DemoContext;
use super::{big_body, models};
use crate::serve::reply::{BodyAction, BodyStep, ReplyBody, ServerReply};

/// Whether a model fails inside a stream, and so fails at once without one.
pub(super) fn fails_without_stream(model: &str) -> bool {
    model == "demo-error-in-stream"
}

/// Applies the fault of `model` to `reply`. `failure` makes the events of an error, given the number of events
/// before it.
pub(super) fn apply_behaviour(
    model: &str,
    reply: ServerReply,
    context: DemoContext,
    failure: impl FnOnce(usize) -> Vec<String>,
) -> ServerReply {
    if let Some(mebibytes) = models::big_body_mebibytes(model) {
        return big_body::expand_mark(reply, mebibytes);
    }
    match model {
        // 40 pauses are 0.6 s at the default pace: slow enough to see, and to reach a short time limit.
        "demo-slow" => slow_down(reply, context.pauses(40)),
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
                .map(|event| BodyStep::bytes_after(context.pace, event))
                .collect()
        }),
        _ => reply,
    }
}

/// The place in a body where a fault begins.
#[derive(Clone, Copy)]
enum SplicePoint {
    /// After half of the steps.
    Half,
    /// After the third step.
    ThirdStep,
}

/// Replaces the steps after `place` by the result of `then`, which gets the number of steps before and the replaced ones.
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

/// A whole body as chunks, so that there is framing to break.
fn into_chunked(mut reply: ServerReply) -> ServerReply {
    if let ReplyBody::Whole(bytes) = &reply.body {
        reply.body = ReplyBody::Chunked(Box::new(split_body(bytes).into_iter()));
    }
    reply
}

/// A whole body in about eight pieces: enough to cut in the middle.
fn split_body(bytes: &[u8]) -> Vec<BodyStep> {
    let size = bytes.len().div_ceil(8).max(1);
    bytes
        .chunks(size)
        .map(|piece| BodyStep::bytes_after(Duration::ZERO, piece))
        .collect()
}

/// Delays the head and every event by `pause`.
fn slow_down(mut reply: ServerReply, pause: Duration) -> ServerReply {
    reply.delay = pause;
    if let ReplyBody::Chunked(steps) = reply.body {
        let slowed = steps.map(move |step| BodyStep { pause, ..step });
        reply.body = ReplyBody::Chunked(Box::new(slowed));
    }
    reply
}
