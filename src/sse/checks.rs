//! Assertions of the guarantees in the module page, for any bytes and any split: shared by tests and fuzzing.

use super::{EventDecoder, StreamFormat, StreamItem};
use crate::tape::RollingBuffer;

/// Decodes `bytes`, fed in pieces of `sizes`, which repeat. Returns the items.
pub(super) fn decode_in_pieces(
    format: StreamFormat,
    limit: u64,
    bytes: &[u8],
    sizes: &[usize],
) -> Vec<StreamItem> {
    let mut decoder = EventDecoder::with_limit(format, limit);
    let (mut rolling, mut found, mut rest) = (RollingBuffer::default(), Vec::new(), bytes);
    let mut sizes = sizes.iter().cycle();
    loop {
        let size = sizes.next().copied().unwrap_or(rest.len()).min(rest.len());
        let (piece, after) = rest.split_at(size);
        rest = after;
        let ended = rest.is_empty();
        rolling.feed(piece, ended, |seen| {
            while let Some(item) = decoder.step(seen) {
                assert!(decoder.at() <= seen.end());
                assert!(decoder.ready_at() <= seen.end());
                found.push(item);
            }
            decoder.at()
        });
        if ended {
            return found;
        }
    }
}

/// Asserts that the items cover the whole input and that only comments lie inside other items.
pub(super) fn assert_covers(items: &[StreamItem], length: u64) {
    let mut at = 0;
    let mut comments = Vec::new();
    for item in items {
        let span = item.span();
        if matches!(item, StreamItem::Comment { .. }) {
            comments.push(span);
            continue;
        }
        while at < span.start {
            let comment = comments.iter().find(|comment| comment.start == at);
            at = comment.unwrap_or_else(|| panic!("a gap at {at}")).end;
        }
        assert_eq!(at, span.start, "items overlap");
        at = span.end;
    }
    for comment in comments {
        if comment.start == at {
            at = comment.end;
        }
    }
    assert_eq!(at, length, "the end is not covered");
}
