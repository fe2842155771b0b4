//! Assertions of the guarantees in the module page, for any bytes: shared by tests and fuzzing.

use super::{CodingFault, ContentCoding, ContentDecoder, DecodeError, DecodeLimits, DecodedBody};
use crate::span::Span;

/// Decodes `bytes`, whose first three choose codings, step size and limit, and asserts the guarantees of the module
/// page. The body of a fuzz target.
pub fn fuzz(bytes: &[u8]) {
    let Some((&[codings, step, size], bytes)) = bytes.split_first_chunk() else {
        return;
    };
    let codings = choose_codings(codings);
    let limits = DecodeLimits {
        size: u64::from(size) << 6,
        window_log: 20,
        ..DecodeLimits::default()
    };
    assert_same_when_split(&codings, bytes, usize::from(step).max(1), limits);
    let half = bytes.len().checked_div(2).unwrap_or(0);
    let (one, other) = bytes.split_at(half);
    let place =
        |start: u64, bytes: &[u8]| Span::new(start, start.saturating_add(bytes.len() as u64));
    let runs = [(place(100, one), one), (place(90_000_000, other), other)];
    assert_places(
        &DecodedBody::decode(&codings, runs, limits),
        runs.map(|(span, _)| span),
    );
}

/// Chooses one to three codings by the bits of `choice`.
fn choose_codings(choice: u8) -> Vec<ContentCoding> {
    let coding = |shift: u8| match (choice >> shift) & 3 {
        0 => ContentCoding::Gzip,
        1 => ContentCoding::Deflate,
        2 => ContentCoding::Brotli,
        _ => ContentCoding::Zstd,
    };
    let count = usize::from(choice >> 6);
    let mut codings: Vec<ContentCoding> = [0, 2, 4].map(coding).into_iter().take(count).collect();
    if codings.is_empty() {
        codings.push(coding(0));
    }
    codings
}

/// Asserts that decoding whole, in steps and byte by byte gives the same result.
pub(super) fn assert_same_when_split(
    codings: &[ContentCoding],
    bytes: &[u8],
    step: usize,
    limits: DecodeLimits,
) {
    let whole = decode_in_steps(codings, bytes, bytes.len().max(1), limits);
    assert!(whole.0.len() as u64 <= limits.size, "more than the limit");
    for step in [step, 1] {
        let split = decode_in_steps(codings, bytes, step, limits);
        let vague = |trouble: &Option<DecodeError>| {
            matches!(
                trouble,
                Some(DecodeError {
                    coding: ContentCoding::Brotli,
                    kind: CodingFault::Corrupt(_),
                    ..
                })
            )
        };
        if vague(&whole.1) || vague(&split.1) {
            let nested = whole.0.starts_with(&split.0) || split.0.starts_with(&whole.0);
            assert!(nested, "a split changed what came out");
            continue;
        }
        assert!(whole.0 == split.0, "a split changed what came out");
        let kind =
            |trouble: &Option<DecodeError>| trouble.as_ref().map(|t| (t.coding, t.kind.clone()));
        assert_eq!(
            kind(&whole.1),
            kind(&split.1),
            "a split changed the trouble"
        );
        // The offset of an inner coding's error, or of a limit, depends on how far the outer coding was read.
        let limit = matches!(kind(&whole.1), Some((_, CodingFault::SizeLimit(_))));
        if codings.len() == 1 && !limit {
            assert_eq!(whole.1, split.1, "a split moved the trouble");
        }
    }
}

/// Decodes `bytes`, fed in steps. Returns the decoded bytes and the first error.
pub(super) fn decode_in_steps(
    codings: &[ContentCoding],
    bytes: &[u8],
    step: usize,
    limits: DecodeLimits,
) -> (Vec<u8>, Option<DecodeError>) {
    let mut decoder = ContentDecoder::new(codings, limits);
    let mut out = Vec::new();
    for part in bytes.chunks(step) {
        let result = decoder.push(part, &mut out);
        assert_eq!(
            decoder.push(&[], &mut out),
            result,
            "an empty push changed the result"
        );
    }
    let trouble = decoder.finish().err();
    assert_eq!(decoder.finish().err(), trouble, "the same trouble again");
    (out, trouble)
}

/// Asserts that the pieces of `body` ascend, lie inside the runs, and cover every decoded byte.
fn assert_places(body: &DecodedBody, [one, other]: [Span; 2]) {
    let inside = |offset| one.contains(offset) || other.contains(offset);
    let mut before = 0;
    for offset in 0..(body.bytes.len() as u64).min(4096) {
        let wire = body.wire_offset(offset).unwrap_or(u64::MAX);
        assert!(
            inside(wire) && wire >= before,
            "a decoded byte without a place"
        );
        assert_eq!(
            body.wire_span(Span::new(offset, offset.saturating_add(1)))
                .end,
            wire.saturating_add(1)
        );
        before = wire;
    }
    for pair in body.pieces.windows(2) {
        if let [(at, wire), (next_at, next_wire)] = pair {
            assert!(
                at < next_at && wire.end <= next_wire.start,
                "pieces out of order"
            );
        }
    }
    assert_eq!(body.wire_offset(body.bytes.len() as u64), None);
}
