//! What numbers and strings mean, whatever way they are spelled: one form for all spellings of a value.

use std::borrow::Cow;

/// The text of a number in the one form that all spellings of it share: `digits e exponent`, no zero at
/// either end of the digits. Exact: no double is in between.
pub(super) fn number(text: &[u8]) -> Cow<'_, [u8]> {
    if text.iter().all(u8::is_ascii_digit) && !text.ends_with(b"0") {
        return Cow::Borrowed(text);
    }
    let (negative, unsigned) = match text.strip_prefix(b"-") {
        Some(unsigned) => (true, unsigned),
        None => (false, text),
    };
    let at = unsigned.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = unsigned.split_at(at.unwrap_or(unsigned.len()));
    let point = mantissa.iter().position(|&byte| byte == b'.');
    let fraction = point.map_or(0, |point| mantissa.len() - point - 1);
    let digits = mantissa.iter().copied().filter(|&byte| byte != b'.');
    let mut digits: Vec<u8> = digits.skip_while(|&byte| byte == b'0').collect();
    let before = digits.len();
    digits.truncate(
        digits
            .iter()
            .rposition(|&byte| byte != b'0')
            .map_or(0, |at| at + 1),
    );
    if digits.is_empty() {
        return Cow::Borrowed(b"0");
    }
    // Exponents that no machine number holds differ by their own text.
    let written = exponent.get(1..).unwrap_or_default();
    let written = written.strip_prefix(b"+").unwrap_or(written);
    let written = match std::str::from_utf8(written).unwrap_or_default() {
        "" => Some(0),
        text => text.parse::<i64>().ok(),
    };
    let shift = (before - digits.len()) as i64 - fraction as i64;
    let exponent = match written.and_then(|written| written.checked_add(shift)) {
        Some(0) => Vec::new(),
        Some(exponent) => format!("e{exponent}").into_bytes(),
        None => return Cow::Borrowed(text),
    };
    let sign: &[u8] = if negative { b"-" } else { b"" };
    Cow::Owned([sign, &digits, &exponent].concat())
}

/// The characters between the quotes of a string, escapes undone, as UTF-8; half of a surrogate pair, which
/// UTF-8 has no form for, as if it had (WTF-8), so that no two strings are mistaken for each other.
pub(super) fn string(inner: &str) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner.as_bytes());
    }
    let mut plain = Vec::with_capacity(inner.len());
    for (_, piece) in pieces(inner) {
        match piece {
            Piece::Plain(text) => plain.extend_from_slice(text.as_bytes()),
            Piece::Character(character) => {
                plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Piece::Half(unit) => {
                let low = |shift: u16| 0x80 | (unit >> shift & 0x3f) as u8;
                plain.extend([0xED, low(6), low(0)]);
            }
        }
    }
    Cow::Owned(plain)
}

/// Where the pieces of a string begin: offsets in its characters, escapes undone, and in the text between its
/// quotes. Between two of them both run alike.
pub(super) fn offsets(inner: &str) -> Vec<(u32, u32)> {
    let (mut plain, mut raw) = (0u32, 0u32);
    let mut offsets = Vec::new();
    for (length, piece) in pieces(inner) {
        offsets.push((plain, raw));
        plain += match piece {
            Piece::Plain(text) => text.len() as u32,
            Piece::Character(character) => character.len_utf8() as u32,
            Piece::Half(_) => char::REPLACEMENT_CHARACTER.len_utf8() as u32,
        };
        raw += length as u32;
    }
    offsets.push((plain, raw));
    offsets
}

enum Piece<'a> {
    Plain(&'a str),
    Character(char),
    Half(u16),
}

/// The runs without escapes and the escapes of a string, each with its length as it is written.
fn pieces(inner: &str) -> impl Iterator<Item = (usize, Piece<'_>)> {
    let mut rest = inner;
    std::iter::from_fn(move || {
        let escape = memchr::memchr(b'\\', rest.as_bytes());
        let (length, piece) = match escape {
            _ if rest.is_empty() => return None,
            Some(0) => escaped(rest),
            plain => {
                let plain = &rest[..plain.unwrap_or(rest.len())];
                (plain.len(), Piece::Plain(plain))
            }
        };
        rest = rest.get(length..).unwrap_or_default();
        Some((length, piece))
    })
}

/// The escape at the front of `text`, and how long it is.
fn escaped(text: &str) -> (usize, Piece<'_>) {
    let character = match text.as_bytes().get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return code_point(text),
        Some(&byte) => byte.into(),
        None => '\\',
    };
    (2, Piece::Character(character))
}

fn code_point(text: &str) -> (usize, Piece<'_>) {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let first = unit(0).unwrap_or(0xFFFD);
    let pair = unit(6).and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    match (char::from_u32(first.into()), pair) {
        (Some(character), _) => (6, Piece::Character(character)),
        (None, Some(character)) => (12, Piece::Character(character)),
        (None, None) => (6, Piece::Half(first)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_form() {
        let case = |text: &str, form: &str| {
            let found = number(text.as_bytes()).into_owned();
            assert_eq!(String::from_utf8(found).unwrap(), form, "{text}");
        };
        for one in ["1", "1.0", "1e0", "10e-1", "0.1E+1", "0.001e3", "1.000"] {
            case(one, "1");
        }
        for zero in ["0", "-0", "0.0", "0e99999999999999999999", "-0.00e5"] {
            case(zero, "0");
        }
        case("100", "1e2");
        case("1e2", "1e2");
        case("-12.50", "-125e-1");
        case("9007199254740993", "9007199254740993");
        case("1e9223372036854775807", "1e9223372036854775807");
        case("10e9223372036854775807", "10e9223372036854775807");
        case("1e-99999999999999999999", "1e-99999999999999999999");
    }

    #[test]
    fn a_string_has_one_form() {
        let case = |text: &str, form: &[u8]| assert_eq!(&*string(text), form, "{text}");
        case("é", "é".as_bytes());
        case("\\u00E9", "é".as_bytes());
        case("a\\/\\n\\\"", b"a/\n\"");
        case("\\ud83d\\ude00!", "😀!".as_bytes());
        case("\\ud83d", b"\xED\xA0\xBD");
        case("\\ud83d\\ud83d\\ude00", b"\xED\xA0\xBD\xF0\x9F\x98\x80");
        case("\\ude00x", b"\xED\xB8\x80x");
    }

    #[test]
    fn offsets_lead_back_to_the_text() {
        assert_eq!(offsets("ab"), [(0, 0), (2, 2)]);
        assert_eq!(
            offsets("a\\\"\\u00e9b"),
            [(0, 0), (1, 1), (2, 3), (4, 9), (5, 10)]
        );
    }
}
