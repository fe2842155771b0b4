//! Two raw streams, byte by byte: which runs both have, and the first byte that differs, named by offset, role
//! and place in the JSON of the body.

use std::collections::HashMap;

use serde::Serialize;

use super::sequence::SequenceAligner;
use super::work_limit::{StepMeter, WorkLimit};
use crate::call::Call;
use crate::content::DecodedBody;
use crate::exchange::roles::{RoleSpan, role_spans};
use crate::http1::{ByteRole, HttpLimits};
use crate::json::{self, JsonDocument};
use crate::span::{Span, StreamSide};

/// What differs between the same stream of two exchanges.
#[derive(Clone, Debug, Serialize)]
pub struct ByteStreamDiff {
    /// Which stream.
    pub side: StreamSide,
    /// Runs that tile both streams, in order.
    pub runs: Vec<ByteRun>,
    /// The first byte that differs; `None` where the streams are equal.
    pub first: Option<FirstDifference>,
    /// Whether runs were found more coarsely, for want of steps.
    pub coarse: bool,
    /// The tiles of both.
    #[serde(skip)]
    pub tiles: [Vec<RoleSpan>; 2],
}

/// Bytes that both have, or that stand in each other's place.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct ByteRun {
    /// Where in the left stream; empty where only the right has any.
    pub left: Span,
    /// Where in the right stream.
    pub right: Span,
    /// Whether the bytes are equal.
    pub same: bool,
}

/// Where two streams part.
#[derive(Clone, Debug, Serialize)]
pub struct FirstDifference {
    /// In the left one.
    pub left: ByteAddress,
    /// In the right one.
    pub right: ByteAddress,
}

/// One byte of one stream.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ByteAddress {
    /// Its offset.
    pub offset: u64,
    /// What it is; `None` past the end.
    pub role: Option<ByteRole>,
    /// The field's name, for fields and trailers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Where in the JSON of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

/// Compares one stream of both.
pub fn compare(left: &Call, right: &Call, side: StreamSide, limits: HttpLimits) -> ByteStreamDiff {
    let sides = [left, right];
    let streams = sides.map(|answered| answered.tape.stream(side).bytes.as_slice());
    let tiles = sides.map(|answered| {
        let mut tiles = role_spans(&answered.tape, limits);
        tiles.retain(|tile| tile.side == side);
        tiles
    });
    let mut meter = StepMeter::new(WorkLimit::default().max_steps);
    let runs = align_runs(streams, &mut meter);
    // Not the first run that differs: runs are cut where words are, and what was put in may begin as what it
    // stands in front of.
    let at = common_prefix_len(streams[0], streams[1]) as u64;
    let first = (streams[0] != streams[1]).then(|| FirstDifference {
        left: byte_address(left, side, &tiles[0], at),
        right: byte_address(right, side, &tiles[1], at),
    });
    ByteStreamDiff {
        side,
        runs,
        first,
        coarse: meter.ran_out(),
        tiles,
    }
}

/// How many bytes two texts have in common from their beginning.
pub(crate) fn common_prefix_len(left: &[u8], right: &[u8]) -> usize {
    let pairs = left.iter().zip(right);
    pairs.take_while(|(left, right)| left == right).count()
}

fn align_runs(streams: [&[u8]; 2], meter: &mut StepMeter) -> Vec<ByteRun> {
    let mut symbols = HashMap::new();
    let words = streams.map(|stream| {
        let words = split_words(stream);
        let mut number = |word: &Span| {
            let next = u32::try_from(symbols.len()).unwrap_or(u32::MAX);
            *symbols.entry(word.of(stream)).or_insert(next)
        };
        let numbers: Vec<_> = words.iter().map(&mut number).collect();
        (words, numbers)
    });
    let [(lefts, left), (rights, right)] = &words;
    let aligned = SequenceAligner::new(symbols.len()).align(left, right, meter);
    let mut runs = ByteRunBuilder::default();
    let start = |words: &[Span], n: usize, end: u64| words.get(n).map_or(end, |word| word.start);
    let ends = streams.map(|stream| stream.len() as u64);
    for run in aligned {
        let place = |offset: usize| {
            let left = start(lefts, run.left.saturating_add(offset), ends[0]);
            (
                left,
                start(rights, run.right.saturating_add(offset), ends[1]),
            )
        };
        runs.push_until(place(0), false);
        runs.push_until(place(run.len), true);
    }
    runs.push_until((ends[0], ends[1]), false);
    runs.runs
}

#[derive(Default)]
struct ByteRunBuilder {
    runs: Vec<ByteRun>,
    position: (u64, u64),
}

impl ByteRunBuilder {
    fn push_until(&mut self, (left, right): (u64, u64), same: bool) {
        let run = ByteRun {
            left: Span::new(self.position.0, left),
            right: Span::new(self.position.1, right),
            same,
        };
        self.position = (left, right);
        match self.runs.last_mut() {
            _ if run.left.is_empty() && run.right.is_empty() => {}
            Some(last) if last.same == same => {
                last.left.end = left;
                last.right.end = right;
            }
            _ => self.runs.push(run),
        }
    }
}

/// Runs of letters and digits, of spaces, of bytes beyond ASCII; any other byte by itself.
fn split_words(bytes: &[u8]) -> Vec<Span> {
    let class = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => 1,
        b' ' => 2,
        0x80.. => 3,
        _ => 0,
    };
    let mut words: Vec<Span> = Vec::new();
    let mut before = 0;
    for (at, &byte) in (0u64..).zip(bytes) {
        let now = class(byte);
        match words.last_mut() {
            // An endless word would be aligned as a whole or not at all.
            Some(last) if now != 0 && now == before && last.len() < 64 => {
                last.end = at.saturating_add(1)
            }
            _ => words.push(Span::new(at, at.saturating_add(1))),
        }
        before = now;
    }
    words
}

fn byte_address(answered: &Call, side: StreamSide, tiles: &[RoleSpan], offset: u64) -> ByteAddress {
    let after = tiles.partition_point(|tile| tile.span.start <= offset);
    let tile = after.checked_sub(1).and_then(|n| tiles.get(n));
    let tile = tile.filter(|tile| tile.span.contains(offset));
    let (message, body) = match side {
        StreamSide::Sent => (&answered.exchange.request, None),
        StreamSide::Received => (&answered.exchange.response, Some(&answered.response_body)),
    };
    let own;
    let body = match body {
        Some(body) => body,
        None => {
            let stream = &answered.tape.sent;
            own = crate::exchange::decode_body(
                message,
                stream,
                crate::content::DecodeLimits::default(),
            );
            &own
        }
    };
    ByteAddress {
        offset,
        role: tile.map(|tile| tile.role),
        name: tile.and_then(|tile| tile.name.clone()),
        pointer: json_pointer(body, offset),
    }
}

/// Where in the JSON of a plain body the wire byte at `offset` lies.
fn json_pointer(body: &DecodedBody, offset: u64) -> Option<String> {
    let at = body.decoded_offset(offset)?;
    let document = JsonDocument::parse(&body.bytes).ok()?;
    Some(json::pointer_at(&document, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_tile_both_streams() {
        let case = |left: &str, right: &str, same: &[&str]| {
            let streams = [left.as_bytes(), right.as_bytes()];
            let runs = align_runs(streams, &mut StepMeter::new(1 << 20));
            let joined = |of: fn(&ByteRun) -> Span, bytes: &[u8]| -> Vec<u8> {
                runs.iter()
                    .flat_map(|run| of(run).of(bytes).to_vec())
                    .collect()
            };
            assert_eq!(joined(|run| run.left, streams[0]), streams[0]);
            assert_eq!(joined(|run| run.right, streams[1]), streams[1]);
            let equal = runs.iter().filter(|run| run.same);
            let equal: Vec<_> = equal
                .map(|run| {
                    let text = run.left.of(streams[0]);
                    assert_eq!(text, run.right.of(streams[1]));
                    String::from_utf8(text.to_vec()).unwrap()
                })
                .collect();
            assert_eq!(equal, same);
        };
        case("", "", &[]);
        case("abc", "abc", &["abc"]);
        case(
            "GET / HTTP/1.1\r\n",
            "GET /x HTTP/1.1\r\n",
            &["GET /", " HTTP/1.1\r\n"],
        );
        case("a", "b", &[]);
        case("", "b", &[]);
    }
}
