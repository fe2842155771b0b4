//! Reads text with its escapes undone: JSON, percent and HTML escapes become the characters that they stand for.
//!
//! A server may repeat a key in any of these forms, also mixed, so that no list of patterns covers them.

use std::borrow::Cow;
use std::ops::Range;

/// Most backslashes before `/` or `u` that count as one escape: JSON inside JSON inside JSON has seven.
const MAX_BACKSLASHES: usize = 8;

/// Most digits of an HTML character reference: `&#1114111;`.
const MAX_HTML_DIGITS: usize = 7;

/// Named HTML references of the characters that HTML escapes; with `/`, `+` and `=`, which keys in base64 have.
const HTML_NAMES: [(&str, u8); 9] = [
    ("amp;", b'&'),
    ("apos;", b'\''),
    ("equals;", b'='),
    ("gt;", b'>'),
    ("lowbar;", b'_'),
    ("lt;", b'<'),
    ("plus;", b'+'),
    ("quot;", b'"'),
    ("sol;", b'/'),
];

/// Text with its escapes undone, and where each byte of it was.
#[derive(Debug)]
pub(super) struct Unescaped<'a> {
    /// The text.
    pub(super) text: Cow<'a, [u8]>,
    /// The bytes between escapes and the escapes, in order, by where they begin in the text and in the source. Empty: the
    /// text is the source.
    segments: Vec<Segment>,
    /// Length of an escape that the source ends inside.
    pub(super) incomplete: usize,
}

/// A run of plain bytes, or one escape.
#[derive(Debug)]
struct Segment {
    in_text: usize,
    in_source: usize,
    source_length: usize,
    is_escape: bool,
}

/// What a text has at a `\`, `%` or `&`.
enum Escape {
    /// An escape of this length, and its character.
    Whole(usize, Character),
    /// The beginning of what may be an escape.
    Incomplete,
    /// No escape.
    Plain,
}

/// A character as UTF-8, or a single byte that a percent escape stands for.
struct Character {
    bytes: [u8; 4],
    length: usize,
}

impl From<char> for Character {
    fn from(character: char) -> Self {
        let mut bytes = [0; 4];
        let length = character.encode_utf8(&mut bytes).len();
        Self { bytes, length }
    }
}

/// `source` with its escapes undone. An incomplete escape at its end is not part of the text, unless no bytes follow.
pub(super) fn unescape_with_places(source: &[u8], is_end: bool) -> Unescaped<'_> {
    let mut found = Unescaped {
        text: Cow::Borrowed(source),
        segments: Vec::new(),
        incomplete: 0,
    };
    let mut text = Vec::new();
    // The bytes before `copied` are in the text.
    let (mut at, mut copied) = (0usize, 0usize);
    while let Some(opener) = find_opener(source, at) {
        let start = first_backslash(source, copied, opener);
        match read_escape(source.get(start..).unwrap_or_default()) {
            Escape::Incomplete if !is_end => {
                found.incomplete = source.len().saturating_sub(start);
                break;
            }
            Escape::Plain | Escape::Incomplete => at = opener.saturating_add(1),
            Escape::Whole(length, character) => {
                found.copy_plain(&mut text, source, copied..start);
                found.segments.push(Segment {
                    in_text: text.len(),
                    in_source: start,
                    source_length: length,
                    is_escape: true,
                });
                text.extend(character.bytes.iter().take(character.length));
                at = start.saturating_add(length);
                copied = at;
            }
        }
    }
    if found.incomplete == 0 && !is_end {
        found.incomplete = opener_at_end(source.get(copied..).unwrap_or_default());
    }
    let end = source.len().saturating_sub(found.incomplete);
    if found.segments.is_empty() {
        found.text = Cow::Borrowed(source.get(..end).unwrap_or_default());
    } else {
        found.copy_plain(&mut text, source, copied..end);
        found.text = Cow::Owned(text);
    }
    found
}

/// Where the next two bytes are that may begin an escape.
fn find_opener(source: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let rest = source.get(at..)?;
        let next = memchr::memchr3(b'\\', b'%', b'&', rest)?;
        let pair = rest.get(next..)?.first_chunk::<2>()?;
        at = at.saturating_add(next);
        let is_opener = match pair {
            [b'\\', second] => matches!(second, b'/' | b'u'),
            [b'%', second] => second.is_ascii_hexdigit(),
            [_, second] => *second == b'#' || second.is_ascii_lowercase(),
        };
        if is_opener {
            return Some(at);
        }
        at = at.saturating_add(1);
    }
}

/// Where the backslashes begin that end at `opener`; other escapes have none before them.
fn first_backslash(source: &[u8], from: usize, opener: usize) -> usize {
    if source.get(opener) != Some(&b'\\') {
        return opener;
    }
    let before = source.get(from..opener).unwrap_or_default();
    opener.saturating_sub(backslashes_at_end(before).min(MAX_BACKSLASHES.saturating_sub(1)))
}

fn backslashes_at_end(text: &[u8]) -> usize {
    let last = text.iter().rev().take(MAX_BACKSLASHES);
    last.take_while(|&&byte| byte == b'\\').count()
}

/// Length of the first character of an escape, with its backslashes, at the end of `text`.
fn opener_at_end(text: &[u8]) -> usize {
    match text.last() {
        Some(b'%' | b'&') => 1,
        _ => backslashes_at_end(text),
    }
}

/// `source` with its escapes undone.
pub(super) fn unescape(source: &[u8]) -> Cow<'_, [u8]> {
    unescape_with_places(source, true).text
}

impl Unescaped<'_> {
    fn copy_plain(&mut self, text: &mut Vec<u8>, source: &[u8], range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        self.segments.push(Segment {
            in_text: text.len(),
            in_source: range.start,
            source_length: range.len(),
            is_escape: false,
        });
        text.extend_from_slice(source.get(range).unwrap_or_default());
    }

    /// The range in the source of a range of the text; an escape that is partly in it is wholly in it.
    pub(super) fn source_range(&self, range: Range<usize>) -> Range<usize> {
        if range.is_empty() {
            let at = self.source_offset(range.start);
            return at..at;
        }
        let start = self.source_offset(range.start);
        let last = range.end.saturating_sub(1);
        let end = match self.segment_at(last) {
            Some(segment) if segment.is_escape => {
                segment.in_source.saturating_add(segment.source_length)
            }
            _ => self.source_offset(last).saturating_add(1),
        };
        start..end
    }

    /// The offset in the source of the byte `at` of the text.
    pub(super) fn source_offset(&self, at: usize) -> usize {
        match self.segment_at(at) {
            None => at,
            Some(segment) if segment.is_escape => match at.saturating_sub(segment.in_text) {
                // One past the end of the text.
                past if at == self.text.len() && past > 0 => {
                    segment.in_source.saturating_add(segment.source_length)
                }
                _ => segment.in_source,
            },
            Some(segment) => segment
                .in_source
                .saturating_add(at.saturating_sub(segment.in_text)),
        }
    }

    fn segment_at(&self, at: usize) -> Option<&Segment> {
        let after = self.segments.partition_point(|part| part.in_text <= at);
        self.segments.get(after.checked_sub(1)?)
    }
}

fn read_escape(rest: &[u8]) -> Escape {
    match rest.first() {
        Some(b'\\') => read_json_escape(rest),
        Some(b'%') => read_percent_escape(rest),
        _ => read_html_reference(rest),
    }
}

/// Reads `\/` or `\u0041`; each `\` may be doubled, as in JSON inside a JSON string. Other escapes stand for no
/// character of a key.
fn read_json_escape(rest: &[u8]) -> Escape {
    let signs = rest.iter().take_while(|&&byte| byte == b'\\');
    let signs = signs.take(MAX_BACKSLASHES.saturating_add(1)).count();
    if signs > MAX_BACKSLASHES {
        return Escape::Plain;
    }
    match rest.get(signs) {
        None => Escape::Incomplete,
        Some(b'/') => Escape::Whole(signs.saturating_add(1), '/'.into()),
        Some(b'u') => {
            let from = signs.saturating_add(1);
            let digits = digits_at(rest, from, 4);
            match parse_number(digits, 16) {
                None if digits.is_empty() => Escape::Incomplete,
                None => Escape::Plain,
                Some(_) if digits.len() < 4 => Escape::Incomplete,
                // Half of a pair is no character; keys have none beyond U+FFFF.
                Some(code) => match char::from_u32(code) {
                    Some(character) => Escape::Whole(from.saturating_add(4), character.into()),
                    None => Escape::Plain,
                },
            }
        }
        Some(_) => Escape::Plain,
    }
}

fn read_percent_escape(rest: &[u8]) -> Escape {
    let digits = digits_at(rest, 1, 2);
    match parse_number(digits, 16) {
        None if digits.is_empty() => Escape::Incomplete,
        None => Escape::Plain,
        Some(_) if digits.len() < 2 => Escape::Incomplete,
        Some(code) => {
            let byte = u8::try_from(code).unwrap_or_default();
            let bytes = [byte, 0, 0, 0];
            Escape::Whole(3, Character { bytes, length: 1 })
        }
    }
}

/// The bytes of `rest` from the offset `from` on, `most` at most.
fn digits_at(rest: &[u8], from: usize, most: usize) -> &[u8] {
    let rest = rest.get(from..).unwrap_or_default();
    rest.get(..most).unwrap_or(rest)
}

fn read_html_reference(rest: &[u8]) -> Escape {
    let body = rest.get(1..).unwrap_or_default();
    let (radix, digits_at) = match body {
        [b'#', b'x' | b'X', ..] => (16, 2usize),
        [b'#', ..] => (10, 1),
        [first, ..] if !first.is_ascii_lowercase() => return Escape::Plain,
        _ => {
            for (name, byte) in HTML_NAMES {
                if body.starts_with(name.as_bytes()) {
                    let length = name.len().saturating_add(1);
                    return Escape::Whole(length, char::from(byte).into());
                }
                if name.as_bytes().starts_with(body) {
                    return Escape::Incomplete;
                }
            }
            return Escape::Plain;
        }
    };
    let digits = body.get(digits_at..).unwrap_or_default();
    let is_digit = |byte: &&u8| char::from(**byte).is_digit(radix);
    let count = digits
        .iter()
        .take(MAX_HTML_DIGITS.saturating_add(1))
        .take_while(is_digit)
        .count();
    let number = digits
        .get(..count)
        .and_then(|text| parse_number(text, radix));
    match (digits.get(count), number.and_then(char::from_u32)) {
        _ if count > MAX_HTML_DIGITS => Escape::Plain,
        (None, _) => Escape::Incomplete,
        (Some(b';'), Some(character)) => {
            let length = digits_at.saturating_add(count).saturating_add(2);
            Escape::Whole(length, character.into())
        }
        _ => Escape::Plain,
    }
}

/// The number that `digits` write; `None` if there are none, or others.
fn parse_number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.first() == Some(&b'+') {
        return None;
    }
    let text = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(text, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_keep_their_places() {
        for (source, expected) in [
            ("plain", "plain"),
            (r"a\/b", "a/b"),
            (r"a\\\/b", "a/b"),
            (r"\u0041\u00e9", "A\u{e9}"),
            (r"\\u0041", "A"),
            (r#"\n\"x"#, r#"\n\"x"#),
            (r"\ud83d\ude00", r"\ud83d\ude00"),
            ("%41%2fb%zz", "A/b%zz"),
            ("&amp;&#65;&#x42;&sol;&b", "&AB/&b"),
        ] {
            assert_eq!(unescape(source.as_bytes()), expected.as_bytes(), "{source}");
        }
        let found = unescape_with_places(br"ab\u0041cd%2", false);
        assert_eq!(&*found.text, b"abAcd");
        assert_eq!(found.incomplete, 2);
        assert_eq!(found.source_range(2..3), 2..8);
        assert_eq!(found.source_range(1..4), 1..9);
        assert_eq!(found.source_range(4..5), 9..10);
    }

    proptest::proptest! {
        #[test]
        fn an_incomplete_escape_hides_no_later_bytes(
            source in proptest::collection::vec(proptest::sample::select(br"\u041%&#x;amp/".to_vec()), 0..40),
            at in 0usize..40,
        ) {
            // Reading on from where a piece was left gives the same text as reading all.
            let cut = at.min(source.len());
            let first = unescape_with_places(&source[..cut], false);
            let left = cut - first.incomplete;
            let mut text = first.text.into_owned();
            text.extend_from_slice(&unescape(&source[left..]));
            proptest::prop_assert_eq!(text, unescape(&source).into_owned());
        }
    }
}
