//! Foreign bytes made safe to look at: nothing that comes from a network or a file can move the cursor,
//! change a colour, ring, answer for the user, or turn text around.
//!
//! What is shown is for the eye, not for reading back: a backslash stays a backslash. `--hex` shows the
//! bytes themselves.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Which white space stays as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeptWhitespace {
    /// None but spaces: the text must stay on its line.
    SpacesOnly,
    /// Line ends and tabs.
    Lines,
}

/// `bytes` as text: printable characters as they are, all else as `\n`, `\x1b`, `\u{202e}`.
pub fn escape(bytes: &[u8], keep: KeptWhitespace) -> Cow<'_, str> {
    if bytes.iter().all(|&byte| is_plain(byte, keep)) {
        // Plain bytes are ASCII.
        return String::from_utf8_lossy(bytes);
    }
    let mut out = String::with_capacity(bytes.len().saturating_add(16));
    push_escaped(bytes, keep, &mut out);
    Cow::Owned(out)
}

/// Whether a byte can stand as it is, without looking at its neighbours.
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

/// Characters that act instead of being seen: controls (C0, DEL, C1), line and paragraph separators,
/// marks that turn the direction of writing, invisible ones that hide differences, and tags.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{061c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// JSON text with every character that acts written as a JSON escape. Outside strings JSON has none but CR,
/// which becomes a space, so the value stays the same.
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

/// Escapes a stream: a character that is cut between two pieces stays whole.
#[derive(Clone, Debug, Default)]
pub struct StreamEscaper {
    /// The beginning of a character whose end has not come: at most three bytes.
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

    /// Appends what was held back.
    pub fn finish(&mut self, out: &mut String) {
        push_escaped(
            &std::mem::take(&mut self.partial_char),
            KeptWhitespace::Lines,
            out,
        );
    }
}

/// How many bytes at the end begin a character that is not complete.
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

/// For fuzzing: nothing that acts survives, and no split changes what is shown.
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
    fn what_acts_is_shown_instead() {
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
    fn json_stays_json() {
        let text = "{\r\"a\":\"\u{202e}\u{9b}\u{e0041}ü\"}";
        let safe = escape_json(text);
        assert_eq!(safe, "{ \"a\":\"\\u202e\\u009b\\udb40\\udc41ü\"}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&safe), read(text));
    }

    proptest! {
        #[test]
        fn no_split_changes_what_is_shown(bytes in prop::collection::vec(
            prop_oneof![any::<u8>(), Just(0x1b), Just(0xe2), Just(0x80), Just(0xae), Just(0xf0)], 0..64)) {
            fuzz(&bytes);
        }
    }
}
