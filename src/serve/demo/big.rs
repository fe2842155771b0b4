//! Bodies of many mebibytes that are made while they are written, and never held.

use std::time::Duration;

use serde_json::json;

use super::ask::Ask;
use super::completion::{self, Choice, Completion};
use super::plain;
use super::stream::{self, Delta};
use super::usage::Usage;
use super::words::tokens;
use super::{Context, head};
use crate::serve::reply::{Body, Reply, Step};

/// Some `mebibytes` of text. Each piece is written in one go, so it stays within one TLS record.
pub(super) fn reply(ask: &Ask, mebibytes: u64, seen: Context) -> Reply {
    let count = mebibytes.saturating_mul((1 << 20) / BLOCK as u64);
    let usage = Usage {
        prompt: ask.prompt_tokens,
        completion: tokens(count.saturating_mul(BLOCK as u64)),
        reasoning: 0,
    };
    let choice = Choice {
        text: vec![MARK.to_owned()],
        finish: "stop",
        ..Choice::default()
    };
    let completion = completion::envelope(ask, vec![choice], usage, seen);
    let (kind, body) = if ask.stream {
        (
            "text/event-stream; charset=utf-8",
            events(ask, &completion, count),
        )
    } else {
        ("application/json", object(ask, &completion, count))
    };
    Reply {
        status: 200,
        fields: head::fields(kind, seen, usage.total()),
        body,
        delay: Duration::ZERO,
        close: false,
    }
}

/// Bytes of text in one piece.
const BLOCK: usize = 8 << 10;
const LINE: &str = "The quick brown fox jumps over the lazy dog, again and again. ";
/// Where the text goes; nothing else in the object holds these letters.
const MARK: &str = "@wire-demo-big@";

fn block() -> String {
    LINE.chars().cycle().take(BLOCK).collect()
}

/// The object with `count` blocks as its content.
fn object(ask: &Ask, completion: &Completion, count: u64) -> Body {
    let text = head::pretty(&plain::object(ask, completion));
    let (before, after) = text.split_once(MARK).unwrap_or((&text, ""));
    let around = before.len().saturating_add(after.len()) as u64;
    let block = block();
    let blocks = (0..count).map(move |_| Step::bytes(Duration::ZERO, block.as_str()));
    let first = std::iter::once(Step::bytes(Duration::ZERO, before));
    let last = std::iter::once(Step::bytes(Duration::ZERO, after));
    Body::Counted {
        length: around.saturating_add(count.saturating_mul(BLOCK as u64)),
        steps: Box::new(first.chain(blocks).chain(last)),
    }
}

/// Events with `count` blocks as their contents.
fn events(ask: &Ask, completion: &Completion, count: u64) -> Body {
    let event = |delta: Delta| stream::line(&stream::chunk(ask, completion, 0, delta));
    let first = event(Delta::of(
        json!({"role": "assistant", "content": "", "refusal": null}),
    ));
    let content = event(Delta::of(json!({"content": block()})));
    let mut last = event(Delta {
        finish: Some("stop"),
        ..Delta::of(json!({}))
    });
    if ask.include_usage {
        let usage = Some(completion.usage.json());
        last.push_str(&stream::line(&stream::envelope(
            completion,
            json!([]),
            usage,
        )));
    }
    last.push_str(stream::DONE);
    let step = |text: String| std::iter::once(Step::bytes(Duration::ZERO, text));
    let contents = (0..count).map(move |_| Step::bytes(Duration::ZERO, content.as_str()));
    Body::Events(Box::new(step(first).chain(contents).chain(step(last))))
}
