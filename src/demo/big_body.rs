//! Bodies of many mebibytes that are made while they are written and never held in memory: an ordinary reply has a
//! mark in place of its text, and the mark is expanded.

use std::time::Duration;

use super::tokens::estimate_tokens;
use crate::serve::reply::{BodyAction, BodyStep, ReplyBody, ServerReply};

/// The mark in place of the text; no other part of a reply contains it.
pub(super) const BIG_TEXT_MARK: &str = "@wire-demo-big@";

/// Bytes of text in one write: half of the longest TLS record, so that each write is one record.
const BLOCK_BYTES: usize = 8 << 10;
const FILL_LINE: &str = "The quick brown fox jumps over the lazy dog, again and again. ";

/// The tokens of a text of `mebibytes` MiB.
pub(super) fn big_text_tokens(mebibytes: u64) -> u64 {
    estimate_tokens(block_count(mebibytes).saturating_mul(BLOCK_BYTES as u64))
}

/// Replaces the mark in the body of `reply` by `mebibytes` MiB of text.
pub(super) fn expand_mark(mut reply: ServerReply, mebibytes: u64) -> ServerReply {
    let count = block_count(mebibytes);
    reply.delay = Duration::ZERO;
    reply.body = match reply.body {
        ReplyBody::Whole(bytes) => expand_object(&bytes, count),
        ReplyBody::KnownLength { steps, .. } | ReplyBody::Chunked(steps) => {
            expand_events(steps, count)
        }
    };
    reply
}

fn block_count(mebibytes: u64) -> u64 {
    mebibytes.saturating_mul((1 << 20) / BLOCK_BYTES as u64)
}

fn text_block() -> String {
    FILL_LINE.chars().cycle().take(BLOCK_BYTES).collect()
}

/// A whole body with the text in place of the mark.
fn expand_object(bytes: &[u8], count: u64) -> ReplyBody {
    let text = String::from_utf8_lossy(bytes);
    let around = text.replacen(BIG_TEXT_MARK, "", 1).len() as u64;
    ReplyBody::KnownLength {
        length: around.saturating_add(count.saturating_mul(BLOCK_BYTES as u64)),
        steps: Box::new(expand_in_place(&text, count)),
    }
}

/// A stream with the text: the first event with the mark is a delta and is repeated; a later one has the whole
/// text and is written in pieces.
fn expand_events(steps: Box<dyn Iterator<Item = BodyStep> + Send>, count: u64) -> ReplyBody {
    let mut has_repeated = false;
    let grown = steps.flat_map(move |step| -> Box<dyn Iterator<Item = BodyStep> + Send> {
        let text = match &step.action {
            BodyAction::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => return Box::new(std::iter::once(step)),
        };
        if !text.contains(BIG_TEXT_MARK) {
            return Box::new(std::iter::once(immediate_step(&text)));
        }
        if std::mem::replace(&mut has_repeated, true) {
            return Box::new(expand_in_place(&text, count));
        }
        let delta = text.replacen(BIG_TEXT_MARK, &text_block(), 1);
        Box::new((0..count).map(move |_| immediate_step(&delta)))
    });
    ReplyBody::Chunked(Box::new(grown))
}

/// Replaces the mark in `text` by `count` blocks of filler text.
fn expand_in_place(text: &str, count: u64) -> impl Iterator<Item = BodyStep> + Send + use<> {
    let (before, after) = text.split_once(BIG_TEXT_MARK).unwrap_or((text, ""));
    let (first, last, block) = (immediate_step(before), immediate_step(after), text_block());
    std::iter::once(first)
        .chain((0..count).map(move |_| immediate_step(&block)))
        .chain(std::iter::once(last))
}

fn immediate_step(text: &str) -> BodyStep {
    BodyStep::bytes_after(Duration::ZERO, text)
}
