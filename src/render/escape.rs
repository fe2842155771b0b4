//! Foreign bytes made safe for a terminal: bytes from a network or a file cannot move the cursor, change a
//! colour, ring, type in the user's place, or reverse the direction of text.
//!
//! The result cannot be read back: a backslash stays a backslash. `--hex` shows the bytes themselves.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The white space that is not escaped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeptWhitespace {
    /// Spaces only: the text stays on its line.
    SpacesOnly,
    /// Line ends and tabs.
    Lines,
}

/// `bytes` as text: printable characters unchanged, others as `\n`, `\x1b`, `\u{202e}`.
pub fn escape(bytes: &[u8], keep: KeptWhitespace) -> Cow<'_, str> {
    if bytes.iter().all(|&byte| is_plain(byte, keep)) {
        // Plain bytes are ASCII.
        return String::from_utf8_lossy(bytes);
    }
    let mut out = String::with_capacity(bytes.len().saturating_add(16));
    push_escaped(bytes, keep, &mut out);
    Cow::Owned(out)
}

/// Whether a byte is printable by itself, in every context.
fn is_plain(byte: u8, keep: KeptWhitespace) -> bool {
    matches!(byte, b' '..=b'~') || keep == KeptWhitespace::Lines && matches!(byte, b'\n' | b'\t')
}

fn push_escaped(bytes: &[u8], keep: KeptWhitespace, out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        let mut text = chunk.valid();
        while !text.is_empty() {
            let plain = text
                .bytes()
                .position(|byte| !is_plain(byte, keep))
                .unwrap_or(text.len());
            let (run, rest) = text.split_at(plain);
            out.push_str(run);
            let mut rest = rest.chars();
            if let Some(char) = rest.next() {
                push_escaped_char(char, out);
            }
            text = rest.as_str();
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
        }
    }
}

fn push_escaped_char(char: char, out: &mut String) {
    let _ = match char {
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        char if char.is_control() && char.is_ascii() => write!(out, "\\x{:02x}", u32::from(char)),
        char if is_unsafe(char) => write!(out, "\\u{{{:x}}}", u32::from(char)),
        char => {
            out.push(char);
            Ok(())
        }
    };
}

/// Whether a character controls the terminal or hides text: controls (C0, DEL, C1), line and paragraph
/// separators, marks of writing direction, invisible characters, tags.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{061c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// JSON text with every unsafe character written as a JSON escape. The value stays the same: outside strings
/// the only such character is CR, which becomes a space.
pub fn escape_json(text: &str) -> Cow<'_, str> {
    let acts = |char: char| !matches!(char, '\n' | '\t') && is_unsafe(char);
    if text.is_ascii() && !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        if char == '\r' {
            out.push(' ');
        } else if acts(char) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

/// Escapes a stream piece by piece; a character that is split between two pieces stays whole.
#[derive(Clone, Debug, Default)]
pub struct StreamEscaper {
    /// The first bytes of an incomplete character: at most three.
    partial_char: Vec<u8>,
}

impl StreamEscaper {
    /// Appends the safe form of `bytes`, line ends and tabs kept, to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut String) {
        if self.partial_char.is_empty() {
            self.push_complete(bytes, out);
            return;
        }
        let mut joined = std::mem::take(&mut self.partial_char);
        joined.extend_from_slice(bytes);
        self.push_complete(&joined, out);
    }

    fn push_complete(&mut self, bytes: &[u8], out: &mut String) {
        let (whole, cut) = bytes.split_at(bytes.len().saturating_sub(incomplete_suffix_len(bytes)));
        push_escaped(whole, KeptWhitespace::Lines, out);
        self.partial_char = cut.to_vec();
    }

    /// Appends the bytes of a last incomplete character.
    pub fn finish(&mut self, out: &mut String) {
        push_escaped(
            &std::mem::take(&mut self.partial_char),
            KeptWhitespace::Lines,
            out,
        );
    }
}

/// The number of bytes at the end that begin an incomplete character.
fn incomplete_suffix_len(bytes: &[u8]) -> usize {
    let tail = bytes.get(bytes.len().saturating_sub(3)..).unwrap_or(bytes);
    for (back, &byte) in tail.iter().rev().enumerate() {
        let have = back.saturating_add(1);
        let needed = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if have < needed { have } else { 0 };
    }
    0
}

/// Fuzz target: no unsafe character remains, and no split changes the result.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let whole = escape(bytes, KeptWhitespace::Lines);
    assert!(
        !whole
            .chars()
            .any(|char| !matches!(char, '\n' | '\t') && is_unsafe(char))
    );
    assert!(!escape(bytes, KeptWhitespace::SpacesOnly).contains(is_unsafe));
    let step = usize::from(bytes.first().copied().unwrap_or(0) % 7).saturating_add(1);
    let mut escaper = StreamEscaper::default();
    let mut pieces = String::new();
    for piece in bytes.chunks(step) {
        escaper.push(piece, &mut pieces);
    }
    escaper.finish(&mut pieces);
    assert_eq!(pieces, whole);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn unsafe_characters_are_escaped() {
        #[track_caller]
        fn case(bytes: &[u8], expected: &str) {
            assert_eq!(escape(bytes, KeptWhitespace::SpacesOnly), expected);
        }
        case(b"plain text", "plain text");
        case("Köln ☀ 東京".as_bytes(), "Köln ☀ 東京");
        case(b"\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07");
        case(b"a\r\nb\tc\0\x7f", "a\\r\\nb\\tc\\x00\\x7f");
        case("\u{9b}31m\u{85}".as_bytes(), "\\u{9b}31m\\u{85}");
        case(
            "a\u{202e}b\u{2066}c\u{200b}d".as_bytes(),
            "a\\u{202e}b\\u{2066}c\\u{200b}d",
        );
        case(b"\xff\xc3(\xe2\x82", "\\xff\\xc3(\\xe2\\x82");
        assert_eq!(escape(b"a\n\tb\r", KeptWhitespace::Lines), "a\n\tb\\r");
    }

    #[test]
    fn escaped_json_keeps_its_value() {
        let text = "{\r\"a\":\"\u{202e}\u{9b}\u{e0041}ü\"}";
        let safe = escape_json(text);
        assert_eq!(safe, "{ \"a\":\"\\u202e\\u009b\\udb40\\udc41ü\"}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&safe), read(text));
    }

    proptest! {
        #[test]
        fn no_split_changes_the_result(bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(0x1b), Just(0xe2), Just(0x80), Just(0xae), Just(0xf0)], 0..64)) {
            fuzz(&bytes);
        }
    }
}
