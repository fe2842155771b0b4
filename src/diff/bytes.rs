//! Two raw streams, byte by byte: the runs that both have, and the first byte that differs, with its offset, its role
//! and its place in the JSON of the body.

use serde::Serialize;

use super::text::{self, DiffRun, MAX_TOKENS};
use crate::call::Call;
use crate::content::DecodedBody;
use crate::exchange::roles::{RoleSpan, role_spans};
use crate::http1::{ByteRole, HttpLimits};
use crate::json::{self, JsonDocument};
use crate::span::{Span, StreamSide};

/// The difference between the same stream of two exchanges.
#[derive(Clone, Debug, Serialize)]
pub struct ByteStreamDiff {
    /// Which stream.
    pub side: StreamSide,
    /// Runs that tile both streams, in order.
    pub runs: Vec<DiffRun>,
    /// The first byte that differs; `None` where the streams are equal.
    pub first: Option<FirstDifference>,
    /// Whether the streams were too long to compare more than whole lines.
    pub coarse: bool,
    /// The roles of the bytes of both.
    #[serde(skip)]
    pub tiles: [Vec<RoleSpan>; 2],
}

/// The first byte in which two streams differ.
#[derive(Clone, Debug, Serialize)]
pub struct FirstDifference {
    /// In the left stream.
    pub left: ByteAddress,
    /// In the right stream.
    pub right: ByteAddress,
}

/// The offset of one byte in a stream, and what the byte belongs to.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ByteAddress {
    /// Its offset.
    pub offset: u64,
    /// Its role; `None` past the end.
    pub role: Option<ByteRole>,
    /// The field's name, for fields and trailers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its place in the JSON of the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

/// Compares the same stream of two exchanges.
pub fn compare(left: &Call, right: &Call, side: StreamSide, limits: HttpLimits) -> ByteStreamDiff {
    let sides = [left, right];
    let streams = sides.map(|answered| answered.tape.stream(side).bytes.as_slice());
    let tiles = sides.map(|answered| {
        let mut tiles = role_spans(&answered.tape, limits);
        tiles.retain(|tile| tile.side == side);
        tiles
    });
    let (runs, coarse) = align_runs(streams, MAX_TOKENS);
    // Not the start of the first run that differs: runs begin where words do, and an added run may begin like the text
    // behind it.
    let at = common_prefix_len(streams[0], streams[1]) as u64;
    let first = (streams[0] != streams[1]).then(|| FirstDifference {
        left: byte_address(left, side, &tiles[0], at),
        right: byte_address(right, side, &tiles[1], at),
    });
    ByteStreamDiff {
        side,
        runs,
        first,
        coarse,
        tiles,
    }
}

/// The number of equal bytes at the beginning of two texts.
pub(crate) fn common_prefix_len(left: &[u8], right: &[u8]) -> usize {
    let pairs = left.iter().zip(right);
    pairs.take_while(|(left, right)| left == right).count()
}

fn align_runs(streams: [&[u8]; 2], max_tokens: usize) -> (Vec<DiffRun>, bool) {
    let split = |side: usize, part: Span| split_words(streams.get(side).unwrap_or(&&b""[..]), part);
    let (changes, coarse) = text::replacements(streams, split, max_tokens);
    (text::to_runs(streams, changes), coarse)
}

/// Runs of letters and digits, of spaces, and of bytes beyond ASCII in a part of a stream; any other byte by itself.
fn split_words(stream: &[u8], part: Span) -> Vec<Span> {
    let class = |byte: u8| match byte {
        b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' => 1,
        b' ' => 2,
        0x80.. => 3,
        _ => 0,
    };
    let mut words: Vec<Span> = Vec::new();
    let mut before = 0;
    for (at, &byte) in (part.start..).zip(part.of(stream)) {
        let now = class(byte);
        match words.last_mut() {
            // A word of any length would be equal as a whole or not at all; the data of an image may be one.
            Some(last) if now != 0 && now == before && last.len() < 64 => {
                last.end = at.saturating_add(1);
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
    let body = match side {
        StreamSide::Sent => &answered.request_body,
        StreamSide::Received => &answered.response_body,
    };
    ByteAddress {
        offset,
        role: tile.map(|tile| tile.role),
        name: tile.and_then(|tile| tile.name.clone()),
        pointer: json_pointer(body, offset),
    }
}

/// The place of the wire byte at `offset` in the JSON of a body without content coding.
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
            let (runs, coarse) = align_runs(streams, MAX_TOKENS);
            assert!(!coarse);
            let joined = |of: fn(&DiffRun) -> Span, bytes: &[u8]| -> Vec<u8> {
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
