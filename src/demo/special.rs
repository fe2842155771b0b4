//! What the special models do to a reply that is otherwise whole: slow, cut, stalled, broken, or failing
//! in the middle.

use std::time::Duration;

use super::{Context, big, models};
use crate::serve::reply::{Act, Body, Reply, Step};

/// Whether a model can only fail inside a stream: without one, it fails at once.
pub(super) fn fails_plain(model: &str) -> bool {
    model == "demo-error-in-stream"
}

/// Does to `reply` what `model` is there for. `failure` makes the events of an error that comes after so
/// many events.
pub(super) fn spoil(
    model: &str,
    reply: Reply,
    seen: Context,
    failure: impl FnOnce(usize) -> Vec<String>,
) -> Reply {
    if let Some(mebibytes) = models::big(model) {
        return big::grow(reply, mebibytes);
    }
    match model {
        "demo-slow" => slow(reply, seen.pace.saturating_mul(40)),
        "demo-cut" => spliced(reply, Place::Half, |_, _| vec![Step::now(Act::Cut)]),
        "demo-stall" => spliced(reply, Place::Third, |_, _| vec![Step::now(Act::Stall)]),
        "demo-garbage" => spliced(chunked(reply), Place::Half, |_, rest| {
            let garbage = Act::Raw(b"zz-this-is-no-chunk-size\r\n".to_vec());
            std::iter::once(Step::now(garbage)).chain(rest).collect()
        }),
        "demo-error-in-stream" => spliced(reply, Place::Half, |at, _| {
            let events = failure(at).into_iter();
            events.map(|event| Step::bytes(seen.pace, event)).collect()
        }),
        _ => reply,
    }
}

/// Where in a body something happens.
#[derive(Clone, Copy)]
enum Place {
    /// After half of the steps.
    Half,
    /// After the third step.
    Third,
}

/// Puts `then` in the place of the steps after `place`: it is given how many came before, and those.
fn spliced(
    mut reply: Reply,
    place: Place,
    then: impl FnOnce(usize, Vec<Step>) -> Vec<Step>,
) -> Reply {
    let splice = |mut steps: Vec<Step>| {
        let at = match place {
            Place::Half => steps.len() / 2,
            Place::Third => 3,
        };
        let rest = steps.split_off(at.min(steps.len()));
        steps.extend(then(steps.len(), rest));
        Box::new(steps.into_iter())
    };
    reply.body = match reply.body {
        Body::Plain(bytes) => Body::Counted {
            length: bytes.len() as u64,
            steps: splice(pieces(&bytes)),
        },
        Body::Counted { length, steps } => Body::Counted {
            length,
            steps: splice(steps.collect()),
        },
        Body::Events(steps) => Body::Events(splice(steps.collect())),
    };
    reply
}

/// A plain body in chunks, so that there is a framing to break.
fn chunked(mut reply: Reply) -> Reply {
    if let Body::Plain(bytes) = &reply.body {
        reply.body = Body::Events(Box::new(pieces(bytes).into_iter()));
    }
    reply
}

/// A plain body in some eight pieces.
fn pieces(bytes: &[u8]) -> Vec<Step> {
    let size = bytes.len().div_ceil(8).max(1);
    bytes
        .chunks(size)
        .map(|piece| Step::bytes(Duration::ZERO, piece))
        .collect()
}

fn slow(mut reply: Reply, pause: Duration) -> Reply {
    reply.delay = pause;
    if let Body::Events(steps) = reply.body {
        let slowed = steps.map(move |step| Step { pause, ..step });
        reply.body = Body::Events(Box::new(slowed));
    }
    reply
}
