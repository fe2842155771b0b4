//! Writes text as a JSON string, 16 bytes at a time: one comparison finds the bytes that need an escape, and one byte
//! shuffle for each eight bytes makes room for the backslashes before them.
//!
//! In streams of JSON every eighth byte or so is a quote. A loop that branches at each of them, as in serde_json, was a
//! third of all work of recording at full speed.

use vsimd::isa::{SSSE3, detect};
use vsimd::native::Native;
use vsimd::{SIMD128, vector::V128};

use crate::json::plain_length;

/// Bytes that are searched at once: one vector register.
const BLOCK_SIZE: usize = 16;

/// Most bytes that one block becomes, with every byte as `\u00XX`.
const MAX_ESCAPED_BLOCK: usize = BLOCK_SIZE * 6;

/// Appends `text` as a JSON string, quotes included (RFC 8259, section 7).
pub(super) fn put_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    match detect::<SSSE3>() {
        Some(simd) => Native::detect().exec(
            #[inline(always)]
            || put_in_blocks(simd, text.as_bytes(), out),
        ),
        None => text.bytes().for_each(|byte| put_escaped_byte(byte, out)),
    }
    out.push(b'"');
}

/// Appends `text` with its escapes.
#[inline(always)]
fn put_in_blocks(simd: SSSE3, text: &[u8], out: &mut Vec<u8>) {
    let (blocks, rest) = text.as_chunks::<BLOCK_SIZE>();
    // The last block is filled up with spaces, which need no escape and are cut off at the end.
    let mut last = [b' '; BLOCK_SIZE];
    let spaces = BLOCK_SIZE.wrapping_sub(rest.len());
    if let Some(start) = last.get_mut(..rest.len()) {
        start.copy_from_slice(rest);
    }
    let mut end = out.len();
    for block in blocks.iter().chain(std::iter::once(&last)) {
        if out.len().wrapping_sub(end) < MAX_ESCAPED_BLOCK {
            // In small steps: bytes that are not used are filled with zeros for nothing.
            let more = (text.len() / 4).wrapping_add(MAX_ESCAPED_BLOCK);
            out.resize(end.wrapping_add(more), 0);
        }
        let room = out.get_mut(end..).and_then(<[u8]>::first_chunk_mut);
        let length = room.map_or(0, |room| put_escaped_block(simd, block, room));
        end = end.wrapping_add(length);
    }
    out.truncate(end.wrapping_sub(spaces));
}

/// Writes one escaped block to the beginning of `room`; returns its length. Bytes after it may be changed too.
#[inline(always)]
fn put_escaped_block(
    simd: SSSE3,
    block: &[u8; BLOCK_SIZE],
    room: &mut [u8; MAX_ESCAPED_BLOCK],
) -> usize {
    let mut bytes = V128::from_bytes(*block);
    let is_at_most = |most| simd.u8x16_eq(simd.u8x16_min(bytes, simd.u8x16_splat(most)), bytes);
    let is = |byte| simd.u8x16_eq(bytes, simd.u8x16_splat(byte));
    let is_control = is_at_most(0x1f);
    let is_escaped = simd.v128_or(simd.v128_or(is(b'"'), is(b'\\')), is_control);
    let [first_half, second_half] = simd.u8x16_bitmask(is_escaped).to_le_bytes();
    if simd.u8x16_bitmask(is_control) != 0 {
        let is_low = is_at_most(0x0f);
        let letters = simd.u8x16_swizzle(V128::from_bytes(ESCAPE_LETTERS), bytes);
        let letters = simd.v128_and(is_low, letters);
        let has_none = simd.u8x16_eq(letters, simd.v128_create_zero());
        if simd.u8x16_bitmask(simd.v128_and(is_control, has_none)) != 0 {
            return put_long_escapes(block, room);
        }
        bytes = simd.v128_or(simd.v128_andnot(bytes, is_low), letters);
    }
    let (halves, _) = bytes.as_bytes().as_chunks::<8>();
    let mut end = 0usize;
    for (half, escaped) in halves.iter().zip([first_half, second_half]) {
        // The half, and backslashes behind it.
        let half = u128::from(u64::from_le_bytes(*half)) | BACKSLASHES;
        let (order, length) = SPREADS
            .get(usize::from(escaped))
            .copied()
            .unwrap_or_default();
        let half = V128::from_bytes(half.to_le_bytes());
        let spread = simd.u8x16_swizzle(half, V128::from_bytes(order));
        if let Some(place) = room.get_mut(end..).and_then(<[u8]>::first_chunk_mut) {
            *place = *spread.as_bytes();
        }
        end = end.wrapping_add(usize::from(length));
    }
    end
}

/// Eight backslashes in the upper half of a register.
const BACKSLASHES: u128 = 0x5c5c_5c5c_5c5c_5c5c << 64;

/// For each set of bytes to escape among eight, bit 0 for the first: the order in which a shuffle puts the eight bytes
/// (0 to 7) and backslashes (8), and the number of bytes that result.
#[allow(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "made at compile time: a place beyond the table would not compile"
)]
const SPREADS: [([u8; 16], u8); 256] = {
    let mut spreads = [([0; 16], 0); 256];
    let mut escaped = 0;
    while escaped < spreads.len() {
        let (order, length) = &mut spreads[escaped];
        let mut byte = 0;
        while byte < 8 {
            if escaped >> byte & 1 == 1 {
                order[*length as usize] = 8;
                *length += 1;
            }
            order[*length as usize] = byte;
            *length += 1;
            byte += 1;
        }
        escaped += 1;
    }
    spreads
};

/// The letter after the backslash for each of the first 16 bytes that has a short escape, else 0.
const ESCAPE_LETTERS: [u8; 16] = *b"\0\0\0\0\0\0\0\0btn\0fr\0\0";

/// Writes an escaped block that has a long escape, which is rare in text.
#[cold]
fn put_long_escapes(block: &[u8; BLOCK_SIZE], room: &mut [u8; MAX_ESCAPED_BLOCK]) -> usize {
    let mut escaped = Vec::with_capacity(MAX_ESCAPED_BLOCK);
    for byte in block {
        put_escaped_byte(*byte, &mut escaped);
    }
    if let Some(place) = room.get_mut(..escaped.len()) {
        place.copy_from_slice(&escaped);
    }
    escaped.len()
}

fn put_escaped_byte(byte: u8, out: &mut Vec<u8>) {
    match ESCAPE_LETTERS.get(usize::from(byte)) {
        _ if byte == b'"' || byte == b'\\' => out.extend([b'\\', byte]),
        Some(letter @ 1..) => out.extend([b'\\', *letter]),
        _ if byte < b' ' => out.extend(format!("\\u{byte:04x}").into_bytes()),
        _ => out.push(byte),
    }
}

/// The bytes of the inside of a JSON string; `None` if it is not valid, or has an escape other than the short ones.
pub(super) fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(text).ok()?;
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        let (before, escape) = rest.split_at_checked(plain_length(rest))?;
        plain.extend_from_slice(before);
        let &[b'\\', letter, ref after @ ..] = escape else {
            // A quote or a control character.
            return escape.is_empty().then_some(plain);
        };
        plain.push(match letter {
            b'"' | b'\\' | b'/' => letter,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 0x08,
            b'f' => 0x0c,
            _ => return None,
        });
        rest = after;
    }
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
        let inside = expected.strip_prefix("before \"").unwrap();
        let read = unescape(inside.strip_suffix('"').unwrap().as_bytes());
        let has_long = expected.contains("\\u00");
        assert_eq!(read.as_deref(), (!has_long).then_some(text.as_bytes()));
    }

    #[test]
    fn invalid_strings_are_not_unescaped() {
        for text in ["a\\", "\\x", "a\"b", "a\nb", "\\u00e9"] {
            assert_eq!(unescape(text.as_bytes()), None, "{text}");
        }
        assert_eq!(unescape(b"\xff"), None);
        assert_eq!(unescape(b"a\\/b").as_deref(), Some(b"a/b".as_slice()));
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
