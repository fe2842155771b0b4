//! Foreign bytes made safe for a terminal: bytes from a network or a file cannot move the cursor, change a
//! colour, ring, type in the user's place, reverse the direction of text, or hide in it.
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
    push_escaped(bytes, keep, &mut TextBefore::default(), &mut out);
    Cow::Owned(out)
}

/// Whether a byte is printable by itself, in every context.
fn is_plain(byte: u8, keep: KeptWhitespace) -> bool {
    matches!(byte, b' '..=b'~') || keep == KeptWhitespace::Lines && matches!(byte, b'\n' | b'\t')
}

/// Appends the safe form of `bytes` to `out`. `before` is the state after the text before them, and is moved on.
fn push_escaped(bytes: &[u8], keep: KeptWhitespace, before: &mut TextBefore, out: &mut String) {
    for chunk in bytes.utf8_chunks() {
        let mut text = chunk.valid();
        while !text.is_empty() {
            let plain = text
                .bytes()
                .position(|byte| !is_plain(byte, keep))
                .unwrap_or(text.len());
            let (run, rest) = text.split_at(plain);
            out.push_str(run);
            if let Some(last) = run.chars().next_back() {
                before.move_past(last);
            }
            let mut rest = rest.chars();
            if let Some(char) = rest.next() {
                if before.shows(char, rest.clone().next()) {
                    out.push(char);
                    before.move_past(char);
                } else {
                    push_escaped_char(char, out);
                    *before = TextBefore::default();
                }
            }
            text = rest.as_str();
        }
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02x}");
            *before = TextBefore::default();
        }
    }
}

fn push_escaped_char(char: char, out: &mut String) {
    let _ = match char {
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        char if char.is_ascii() => write!(out, "\\x{:02x}", u32::from(char)),
        char => write!(out, "\\u{{{:x}}}", u32::from(char)),
    };
}

/// Whether a character controls the terminal or hides: controls (C0, DEL, C1), line and paragraph separators, the
/// characters that are invisible by the property Default_Ignorable_Code_Point (Unicode 16, DerivedCoreProperties.txt),
/// marks of annotations, and the blank Braille pattern. Spaces with a width are visible. [`TextBefore`] makes
/// exceptions.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

const NON_JOINER: char = '\u{200c}';
const JOINER: char = '\u{200d}';
/// Chooses the form of the character before it: as text, or as an emoji.
const TEXT_FORM: char = '\u{fe0e}';
const EMOJI_FORM: char = '\u{fe0f}';
/// Draws a key around the characters before it.
const KEYCAP: char = '\u{20e3}';

/// The end of the text before a character, on which it depends whether an invisible character has a visible effect
/// there: one that joins emoji or shapes letters stays as it is.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum TextBefore {
    #[default]
    Other,
    /// An emoji that may have another form.
    Emoji,
    /// An emoji whose form was chosen.
    FormedEmoji,
    /// A digit, `#` or `*`, which may become a key.
    KeyLabel,
    /// A letter or mark of a script whose letters join or stack: Arabic, Syriac, those of India and South-East Asia.
    JoiningScript,
}

impl TextBefore {
    /// Whether `char` is shown as it is. `after` is the character that follows it.
    fn shows(self, char: char, after: Option<char>) -> bool {
        match char {
            JOINER | NON_JOINER if self == Self::JoiningScript => true,
            JOINER => {
                matches!(self, Self::Emoji | Self::FormedEmoji) && after.is_some_and(is_emoji)
            }
            TEXT_FORM | EMOJI_FORM => {
                self == Self::Emoji || self == Self::KeyLabel && after == Some(KEYCAP)
            }
            _ => !is_unsafe(char),
        }
    }

    /// Moves the state past a character that is shown.
    fn move_past(&mut self, char: char) {
        *self = match char {
            TEXT_FORM | EMOJI_FORM => Self::FormedEmoji,
            '0'..='9' | '#' | '*' => Self::KeyLabel,
            char if is_emoji(char) => Self::Emoji,
            '\u{620}'..='\u{74f}'
            | '\u{840}'..='\u{8ff}'
            | '\u{900}'..='\u{dff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}' => Self::JoiningScript,
            _ => Self::Other,
        };
    }
}

/// Whether a character is an emoji: the blocks in which nearly all characters have the property Extended_Pictographic,
/// and those that have it elsewhere (Unicode 16, emoji-data.txt).
fn is_emoji(char: char) -> bool {
    matches!(char,
        '\u{a9}' | '\u{ae}' | '\u{203c}' | '\u{2049}' | '\u{2122}' | '\u{2139}' | '\u{2194}'..='\u{2199}'
        | '\u{21a9}'..='\u{21aa}' | '\u{231a}'..='\u{231b}' | '\u{2328}' | '\u{23cf}'
        | '\u{23e9}'..='\u{23fa}' | '\u{24c2}' | '\u{25aa}'..='\u{25ab}' | '\u{25b6}' | '\u{25c0}'
        | '\u{25fb}'..='\u{25fe}' | '\u{2600}'..='\u{27bf}' | '\u{2934}'..='\u{2935}'
        | '\u{2b05}'..='\u{2b07}' | '\u{2b1b}'..='\u{2b1c}' | '\u{2b50}' | '\u{2b55}' | '\u{3030}'
        | '\u{303d}' | '\u{3297}' | '\u{3299}' | '\u{1f000}'..='\u{1faff}')
}

/// JSON text with every unsafe character written as a JSON escape. The value stays the same: outside strings
/// the only such character is CR, which becomes a space.
pub fn escape_json(text: &str) -> Cow<'_, str> {
    let acts = |char: char| !matches!(char, '\n' | '\t') && is_unsafe(char);
    if text.is_ascii() && !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let (mut before, mut rest) = (TextBefore::default(), text.chars());
    while let Some(char) = rest.next() {
        if char == '\r' {
            out.push(' ');
        } else if acts(char) && !before.shows(char, rest.clone().next()) {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
            before = TextBefore::default();
            continue;
        } else {
            out.push(char);
        }
        before.move_past(char);
    }
    Cow::Owned(out)
}

/// Escapes a stream piece by piece; a character that is split between two pieces stays whole.
#[derive(Clone, Debug, Default)]
pub struct StreamEscaper {
    /// The last bytes of a piece, if the next piece decides how they are shown: a character that depends on the one after
    /// it, and the first bytes of an incomplete character.
    undecided: Vec<u8>,
    before: TextBefore,
}

impl StreamEscaper {
    /// Appends the safe form of `bytes`, line ends and tabs kept, to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut String) {
        if self.undecided.is_empty() {
            self.push_decided(bytes, out);
            return;
        }
        let mut joined = std::mem::take(&mut self.undecided);
        joined.extend_from_slice(bytes);
        self.push_decided(&joined, out);
    }

    fn push_decided(&mut self, bytes: &[u8], out: &mut String) {
        let (decided, rest) =
            bytes.split_at(bytes.len().saturating_sub(undecided_suffix_len(bytes)));
        push_escaped(decided, KeptWhitespace::Lines, &mut self.before, out);
        self.undecided = rest.to_vec();
    }

    /// Appends the bytes that waited for a next piece.
    pub fn finish(&mut self, out: &mut String) {
        let last = std::mem::take(&mut self.undecided);
        push_escaped(&last, KeptWhitespace::Lines, &mut self.before, out);
    }
}

/// The number of bytes at the end whose form the next piece decides.
fn undecided_suffix_len(bytes: &[u8]) -> usize {
    let incomplete = incomplete_suffix_len(bytes);
    let complete = bytes.get(..bytes.len().saturating_sub(incomplete));
    let depends = [JOINER, TEXT_FORM, EMOJI_FORM].into_iter().any(|char| {
        let mut utf8 = [0; 4];
        complete.is_some_and(|complete| complete.ends_with(char.encode_utf8(&mut utf8).as_bytes()))
    });
    // Each of the three is three bytes long.
    incomplete.saturating_add(if depends { 3 } else { 0 })
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
    let hides = |char: char| {
        is_unsafe(char) && !matches!(char, JOINER | NON_JOINER | TEXT_FORM | EMOJI_FORM)
    };
    let whole = escape(bytes, KeptWhitespace::Lines);
    assert!(
        !whole
            .chars()
            .any(|char| !matches!(char, '\n' | '\t') && hides(char))
    );
    assert!(!escape(bytes, KeptWhitespace::SpacesOnly).contains(hides));
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
    fn invisible_characters_are_shown_and_emoji_stay_whole() {
        #[track_caller]
        fn case(text: &str, expected: &str) {
            assert_eq!(
                escape(text.as_bytes(), KeptWhitespace::SpacesOnly),
                expected
            );
            let json = serde_json::to_string(text).unwrap();
            let safe = escape_json(&json);
            assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
            assert_eq!(safe == json, text == expected, "{safe}");
            for split in 1..text.len() {
                let (mut escaper, mut pieces) = (StreamEscaper::default(), String::new());
                escaper.push(&text.as_bytes()[..split], &mut pieces);
                escaper.push(&text.as_bytes()[split..], &mut pieces);
                escaper.finish(&mut pieces);
                assert_eq!(pieces, expected, "split at {split}");
            }
        }
        for hidden in [
            '\u{ad}',
            '\u{34f}',
            '\u{115f}',
            '\u{1160}',
            '\u{17b4}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{2060}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe00}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff0}',
            '\u{1bca0}',
            '\u{1d173}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            let expected = format!("a\\u{{{:x}}}b", u32::from(hidden));
            case(&format!("a{hidden}b"), &expected);
        }
        let same = |text: &str| case(text, text);
        same("👩\u{200d}💻 👨🏽\u{200d}🚀 🏳\u{fe0f}\u{200d}🌈 ❤\u{fe0f} ☎\u{fe0e}");
        same("1\u{fe0f}\u{20e3} #\u{fe0f}\u{20e3}");
        same("می\u{200c}خواهم क्\u{200d}ष");
        same("全角\u{3000}空白, 12\u{a0}000");
        case("👩\u{200d}a", "👩\\u{200d}a");
        case("👩\u{200d}", "👩\\u{200d}");
        case("❤\u{fe0f}\u{fe0f}", "❤\u{fe0f}\\u{fe0f}");
        case("1\u{fe0f}2", "1\\u{fe0f}2");
        case("می\u{200c}\u{200c}خ", "می\u{200c}\\u{200c}خ");
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

        #[test]
        fn no_split_changes_emoji(chars in prop::collection::vec(
            prop_oneof![Just('a'), Just('1'), Just('❤'), Just('👩'), Just('م'), Just(JOINER), Just(NON_JOINER),
                Just(TEXT_FORM), Just(EMOJI_FORM), Just(KEYCAP)], 0..16)) {
            let text: String = chars.into_iter().collect();
            for start in ["", "\u{1}", "\u{2}"] {
                fuzz(format!("{start}{text}").as_bytes());
            }
        }
    }
}
