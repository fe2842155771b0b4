//! Bodies of many mebibytes that are made while they are written, and never held: a reply is made in the
//! ordinary way with a mark for its text, and the mark grows.

use std::time::Duration;

use super::words::tokens;
use crate::serve::reply::{Act, Body, Reply, Step};

/// What stands for the text; nothing else in a reply holds these letters.
pub(super) const MARK: &str = "@wire-demo-big@";

/// Bytes of text in one piece: each is written in one go, so it stays within one TLS record.
const BLOCK: usize = 8 << 10;
const LINE: &str = "The quick brown fox jumps over the lazy dog, again and again. ";

/// The tokens of a text of so many mebibytes.
pub(super) fn weight(mebibytes: u64) -> u64 {
    tokens(blocks(mebibytes).saturating_mul(BLOCK as u64))
}

/// Puts so many mebibytes of text in the place of the mark.
pub(super) fn grow(mut reply: Reply, mebibytes: u64) -> Reply {
    let count = blocks(mebibytes);
    reply.delay = Duration::ZERO;
    reply.body = match reply.body {
        Body::Plain(bytes) => object(&bytes, count),
        Body::Counted { steps, .. } | Body::Events(steps) => events(steps, count),
    };
    reply
}

fn blocks(mebibytes: u64) -> u64 {
    mebibytes.saturating_mul((1 << 20) / BLOCK as u64)
}

fn block() -> String {
    LINE.chars().cycle().take(BLOCK).collect()
}

/// A whole body with the text in its place.
fn object(bytes: &[u8], count: u64) -> Body {
    let text = String::from_utf8_lossy(bytes);
    let around = text.replacen(MARK, "", 1).len() as u64;
    Body::Counted {
        length: around.saturating_add(count.saturating_mul(BLOCK as u64)),
        steps: Box::new(inline(&text, count)),
    }
}

/// Events: the first that holds the mark is a delta, and comes again and again; a later one tells the
/// whole text, and does so in pieces.
fn events(steps: Box<dyn Iterator<Item = Step> + Send>, count: u64) -> Body {
    let mut told = false;
    let grown = steps.flat_map(move |step| -> Box<dyn Iterator<Item = Step> + Send> {
        let text = match &step.act {
            Act::Bytes(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => return Box::new(std::iter::once(step)),
        };
        if !text.contains(MARK) {
            return Box::new(std::iter::once(at_once(&text)));
        }
        if std::mem::replace(&mut told, true) {
            return Box::new(inline(&text, count));
        }
        let delta = text.replacen(MARK, &block(), 1);
        Box::new((0..count).map(move |_| at_once(&delta)))
    });
    Body::Events(Box::new(grown))
}

/// `text` with `count` blocks in the place of its mark.
fn inline(text: &str, count: u64) -> impl Iterator<Item = Step> + Send + use<> {
    let (before, after) = text.split_once(MARK).unwrap_or((text, ""));
    let (first, last, block) = (at_once(before), at_once(after), block());
    std::iter::once(first)
        .chain((0..count).map(move |_| at_once(&block)))
        .chain(std::iter::once(last))
}

fn at_once(text: &str) -> Step {
    Step::bytes(Duration::ZERO, text)
}
