//! Writes text as a JSON string, 64 bytes at a time: one pass finds the bytes that need an escape, and the bytes
//! between them are copied in steps of a fixed size.
//!
//! In streams of JSON every eighth byte or so is a quote. A loop over bytes, as in serde_json, branches
//! at each of them, and was a third of all work of recording at full speed.

use std::ops::Range;

/// Bytes that are searched at once: one for each bit of a `u64`.
const BLOCK_SIZE: usize = 64;

/// Bytes of one copy step: one vector register, and more than lie between most quotes.
const COPY_STEP: usize = 16;

/// Most bytes that one block becomes, with every byte as `\u00XX`, and one copy step that may reach beyond them.
const MAX_ESCAPED_BLOCK: usize = BLOCK_SIZE * 6 + COPY_STEP;

/// Appends `text` as a JSON string, quotes included (RFC 8259, section 7).
pub(super) fn put_json_string(out: &mut Vec<u8>, text: &str) {
    let (blocks, rest) = text.as_bytes().as_chunks::<BLOCK_SIZE>();
    // The last block is filled up with spaces, which need no escape and are cut off at the end.
    let mut last = [b' '; BLOCK_SIZE];
    let spaces = BLOCK_SIZE.wrapping_sub(rest.len());
    if let Some(start) = last.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    out.push(b'"');
    let mut end = out.len();
    for block in blocks.iter().chain(std::iter::once(&last)) {
        if out.len().wrapping_sub(end) < MAX_ESCAPED_BLOCK {
            let more = text.len().wrapping_add(MAX_ESCAPED_BLOCK);
            out.resize(end.wrapping_add(more), 0);
        }
        let room = out.get_mut(end..).and_then(<[u8]>::first_chunk_mut);
        end = end.wrapping_add(room.map_or(0, |room| put_escaped_block(block, room)));
    }
    out.truncate(end.wrapping_sub(spaces));
    out.push(b'"');
}

/// Writes one escaped block to the beginning of `room`; returns its length.
///
/// Not inlined: the loop of [`put_json_string`] would run out of registers, at a third of the speed.
#[inline(never)]
fn put_escaped_block(block: &[u8; BLOCK_SIZE], room: &mut [u8; MAX_ESCAPED_BLOCK]) -> usize {
    let mut escaped = escape_bits(block);
    let mut padded = [0; BLOCK_SIZE + COPY_STEP];
    if let Some(start) = padded.first_chunk_mut() {
        *start = *block;
    }
    let (mut from, mut end) = (0, 0);
    while escaped != 0 {
        let at = escaped.trailing_zeros() as usize;
        escaped &= escaped.wrapping_sub(1);
        end = copy_in_steps(&padded, from..at, room, end);
        end = put_escape(padded.get(at).copied().unwrap_or(0), room, end);
        from = at.wrapping_add(1);
    }
    copy_in_steps(&padded, from..BLOCK_SIZE, room, end)
}

/// A word in which bit n is set if byte n needs an escape in a JSON string.
fn escape_bits(block: &[u8; BLOCK_SIZE]) -> u64 {
    // Comparisons without a branch: the compiler makes vector instructions of them.
    let flags =
        block.map(|byte| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\'));
    let (words, _) = flags.as_chunks::<8>();
    words.iter().zip(0u32..).fold(0, |bits, (word, n)| {
        // Brings the lowest bits of eight bytes together in the highest byte, the first one lowest.
        let gathered = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080);
        bits | (gathered >> 56) << n.wrapping_mul(8)
    })
}

/// Copies the range `part` to `room` at `end` in whole steps; returns the offset where it ends. Bytes written beyond it
/// are overwritten later. Even an empty part takes one step, since most parts take exactly one.
fn copy_in_steps(
    padded: &[u8; BLOCK_SIZE + COPY_STEP],
    part: Range<usize>,
    room: &mut [u8; MAX_ESCAPED_BLOCK],
    end: usize,
) -> usize {
    let (mut from, mut to) = (part.start, end);
    loop {
        let source = padded.get(from..from.wrapping_add(COPY_STEP));
        let place = room.get_mut(to..to.wrapping_add(COPY_STEP));
        if let (Some(source), Some(place)) = (source, place) {
            place.copy_from_slice(source);
        }
        (from, to) = (from.wrapping_add(COPY_STEP), to.wrapping_add(COPY_STEP));
        if from >= part.end {
            return end.wrapping_add(part.len());
        }
    }
}

/// Writes the escape of `byte`; returns the offset where it ends.
fn put_escape(byte: u8, room: &mut [u8; MAX_ESCAPED_BLOCK], end: usize) -> usize {
    let Some(&short @ 1..) = SHORT_ESCAPES.get(usize::from(byte)) else {
        return put_long_escape(byte, room, end);
    };
    if let Some(place) = room.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
        *place = [b'\\', short];
    }
    end.wrapping_add(2)
}

/// The letter after the backslash for each byte with a short escape, else 0. A table, since branches would often be
/// predicted wrong.
#[allow(
    clippy::indexing_slicing,
    reason = "made at compile time: a place beyond the table would not compile"
)]
const SHORT_ESCAPES: [u8; 256] = {
    let mut short = [0; 256];
    short[b'"' as usize] = b'"';
    short[b'\\' as usize] = b'\\';
    short[b'\n' as usize] = b'n';
    short[b'\r' as usize] = b'r';
    short[b'\t' as usize] = b't';
    short[0x08] = b'b';
    short[0x0c] = b'f';
    short
};

#[cold]
fn put_long_escape(byte: u8, room: &mut [u8; MAX_ESCAPED_BLOCK], end: usize) -> usize {
    let digit = |nibble: u8| nibble.wrapping_add(if nibble < 10 { b'0' } else { b'a' - 10 });
    let long = [b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)];
    if let Some(place) = room.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
        *place = long;
    }
    end.wrapping_add(long.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn case(text: &str) {
        let mut out = b"before ".to_vec();
        put_json_string(&mut out, text);
        let expected = format!("before {}", serde_json::to_string(text).unwrap());
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn every_byte_is_escaped_at_every_position_of_a_block() {
        for byte in 0..=127u8 {
            for place in 0..=2 * BLOCK_SIZE {
                let mut text = "a".repeat(place);
                text.push(char::from(byte));
                case(&text);
                text.push_str(&"\u{e9}".repeat(BLOCK_SIZE));
                case(&text);
            }
        }
    }

    #[test]
    fn the_longest_escapes_fit_the_buffer() {
        for length in [0, 1, 63, 64, 65, 1000, 1 << 16] {
            case(&"\0".repeat(length));
            case(&"\"".repeat(length));
            case(&" ".repeat(length));
        }
    }

    proptest::proptest! {
        #[test]
        fn strings_are_escaped_as_by_serde_json(text in "[ -~\"\\\\\\x00-\\x1f\\x7f\u{e9}\u{65e5}\u{1f30d}]{0,300}") {
            case(&text);
        }
    }
}
