//! Assertions of the guarantees in the module page, for any bytes and any split: shared by tests and fuzzing.

use super::frames::checksum_of;
use super::{EventDecoder, MAX_EVENT_BYTES, StreamFormat, StreamItem};
use crate::tape::{RollingBuffer, Window};

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

/// Asserts that the items of `bytes` cover them and that no split changes the items.
pub(super) fn assert_guarantees(format: StreamFormat, bytes: &[u8]) {
    for limit in [MAX_EVENT_BYTES, 24] {
        let whole = decode_in_pieces(format, limit, bytes, &[bytes.len()]);
        assert_covers(&whole, bytes.len() as u64);
        for sizes in [&[1usize][..], &[3, 0, 1], &[7]] {
            let split = decode_in_pieces(format, limit, bytes, sizes);
            assert_eq!(whole, split, "a split changes the items");
        }
    }
}

/// A frame of AWS with headers whose values are strings.
pub fn encode_frame(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in headers {
        block.push(name.len() as u8);
        block.extend_from_slice(name.as_bytes());
        block.push(7);
        block.extend_from_slice(&(value.len() as u16).to_be_bytes());
        block.extend_from_slice(value.as_bytes());
    }
    encode_raw_frame(&block, payload)
}

/// A frame of AWS with the bytes of its headers.
pub(super) fn encode_raw_frame(block: &[u8], payload: &[u8]) -> Vec<u8> {
    let total = block.len().saturating_add(payload.len()).saturating_add(16);
    let mut frame = (total as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(&(block.len() as u32).to_be_bytes());
    frame.extend_from_slice(&checksum_of(&frame).to_be_bytes());
    frame.extend_from_slice(block);
    frame.extend_from_slice(payload);
    frame.extend_from_slice(&checksum_of(&frame).to_be_bytes());
    frame
}

/// Makes a frame of each line of `bytes`, asserts that they are read back, and that one changed bit does not go
/// unnoticed. The first two bytes choose the bit. The body of a fuzz target.
pub fn fuzz_frames(bytes: &[u8]) {
    let (place, rest) = bytes.split_at(bytes.len().min(2));
    let lines: Vec<_> = rest.split(|byte| *byte == b'\n').collect();
    let frames = lines.iter().map(|line| {
        let name = String::from_utf8_lossy(line.get(..20).unwrap_or(line));
        encode_frame(&[(":event-type", &name), (":message-type", "event")], line)
    });
    let mut stream = frames.collect::<Vec<_>>().concat();
    assert_guarantees(StreamFormat::Frames, &stream);
    assert_eq!(intact_payloads(&stream), lines, "a frame is not read back");
    let place = place
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    let changed = (place >> 3).checked_rem(stream.len()).unwrap_or_default();
    if let Some(byte) = stream.get_mut(changed) {
        *byte ^= 1 << (place & 7);
    }
    assert_guarantees(StreamFormat::Frames, &stream);
    let intact = intact_payloads(&stream).len();
    assert!(intact < lines.len(), "a changed bit goes unnoticed");
}

/// The payloads of the frames of `stream` that have no fault.
fn intact_payloads(stream: &[u8]) -> Vec<&[u8]> {
    let sizes = [stream.len()];
    let items = decode_in_pieces(StreamFormat::Frames, MAX_EVENT_BYTES, stream, &sizes);
    let seen = Window {
        base: 0,
        bytes: stream,
        ended: true,
    };
    let intact = items.into_iter().filter_map(|item| match item {
        StreamItem::Event(event) if event.frame?.fault.is_none() => event.first_data,
        _ => None,
    });
    intact.map(|payload| seen.slice(payload)).collect()
}
