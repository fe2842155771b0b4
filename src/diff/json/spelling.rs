//! The common form of numbers and strings: all spellings of a value give the same form.

use std::borrow::Cow;

/// Zeros that are written out at most, so that `1e999999999` stays short.
const MAX_ZEROS: u64 = 40;

/// Returns the form that all spellings of a number share: without an exponent and without zeros at the end of a
/// fraction; with an exponent if there would be more than [`MAX_ZEROS`] zeros. Exact: no rounding to a double.
pub(crate) fn normalize_number(text: &[u8]) -> Cow<'_, [u8]> {
    if is_normalized(text) {
        return Cow::Borrowed(text);
    }
    let (sign, unsigned): (&[u8], _) = match text.strip_prefix(b"-") {
        Some(unsigned) => (b"-", unsigned),
        None => (b"", text),
    };
    let at = (unsigned.iter()).position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = unsigned.split_at(at.unwrap_or(unsigned.len()));
    let point = mantissa.iter().position(|&byte| byte == b'.');
    let fraction = point.map_or(0, |point| mantissa.len() - point - 1);
    let digits = mantissa.iter().copied().filter(|&byte| byte != b'.');
    let mut digits: Vec<u8> = digits.skip_while(|&byte| byte == b'0').collect();
    let written = digits.len();
    digits.truncate((digits.iter().rposition(|&byte| byte != b'0')).map_or(0, |at| at + 1));
    if digits.is_empty() {
        return Cow::Borrowed(b"0");
    }
    let shift = (written - digits.len()) as i64 - fraction as i64;
    // An exponent beyond 64 bits stays as it is written.
    match parse_exponent(exponent).and_then(|exponent| exponent.checked_add(shift)) {
        Some(exponent) => Cow::Owned([sign, &write_decimal(digits, exponent)].concat()),
        None => Cow::Borrowed(text),
    }
}

/// Returns whether a number is written in the form that [`normalize_number`] gives.
fn is_normalized(text: &[u8]) -> bool {
    let whole = text.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'-'));
    match whole {
        true => text != b"-0",
        false => {
            let decimal = text
                .iter()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'.'));
            decimal && !text.ends_with(b"0")
        }
    }
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let Some(written) = text.get(1..) else {
        return Some(0);
    };
    let written = written.strip_prefix(b"+").unwrap_or(written);
    std::str::from_utf8(written).ok()?.parse().ok()
}

/// Writes a number given as digits without zeros at either end, times ten to the `exponent`.
fn write_decimal(mut digits: Vec<u8>, exponent: i64) -> Vec<u8> {
    let places = exponent.unsigned_abs();
    let zeros = |count: u64| vec![b'0'; count as usize];
    let inside = (digits.len() as u64)
        .checked_sub(places)
        .filter(|&whole| whole > 0);
    match (exponent >= 0, inside) {
        (true, _) if places <= MAX_ZEROS => digits.extend(zeros(places)),
        (false, Some(whole)) => digits.insert(whole as usize, b'.'),
        (false, None) if places - digits.len() as u64 <= MAX_ZEROS => {
            let zeros = zeros(places - digits.len() as u64);
            digits.splice(..0, [b"0.", &zeros[..]].concat());
        }
        _ => digits.extend(format!("e{exponent}").into_bytes()),
    }
    digits
}

/// Returns the characters of a string without escapes, as UTF-8. Half of a surrogate pair, which UTF-8 cannot hold, is
/// encoded as in WTF-8, so that different strings stay different.
pub(super) fn unescape_string(inner: &str) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Cow::Borrowed(inner.as_bytes());
    }
    let mut plain = Vec::with_capacity(inner.len());
    for (_, piece) in split_escapes(inner) {
        match piece {
            StringPiece::Plain(text) => plain.extend_from_slice(text.as_bytes()),
            StringPiece::Character(character) => {
                plain.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            }
            StringPiece::LoneSurrogate(unit) => {
                let low = |shift: u16| 0x80 | (unit >> shift & 0x3f) as u8;
                plain.extend([0xED, low(6), low(0)]);
            }
        }
    }
    Cow::Owned(plain)
}

/// Returns pairs of offsets: of the pieces of a string without escapes, and of the same pieces in the text between its
/// quotes. Inside a piece both offsets grow alike.
pub(super) fn escape_offsets(inner: &str) -> Vec<(u32, u32)> {
    let (mut plain, mut raw) = (0u32, 0u32);
    let mut offsets = Vec::new();
    for (length, piece) in split_escapes(inner) {
        offsets.push((plain, raw));
        plain += match piece {
            StringPiece::Plain(text) => text.len() as u32,
            StringPiece::Character(character) => character.len_utf8() as u32,
            StringPiece::LoneSurrogate(_) => char::REPLACEMENT_CHARACTER.len_utf8() as u32,
        };
        raw += length as u32;
    }
    offsets.push((plain, raw));
    offsets
}

enum StringPiece<'a> {
    Plain(&'a str),
    Character(char),
    LoneSurrogate(u16),
}

/// Returns the escapes of a string and the runs between them, each with its length as it is written.
fn split_escapes(inner: &str) -> impl Iterator<Item = (usize, StringPiece<'_>)> {
    let mut rest = inner;
    std::iter::from_fn(move || {
        let escape = memchr::memchr(b'\\', rest.as_bytes());
        let (length, piece) = match escape {
            _ if rest.is_empty() => return None,
            Some(0) => read_escape(rest),
            plain => {
                let plain = &rest[..plain.unwrap_or(rest.len())];
                (plain.len(), StringPiece::Plain(plain))
            }
        };
        rest = rest.get(length..).unwrap_or_default();
        Some((length, piece))
    })
}

/// Returns the escape at the front of `text`, with its length.
fn read_escape(text: &str) -> (usize, StringPiece<'_>) {
    let character = match text.as_bytes().get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return read_unicode_escape(text),
        Some(&byte) => byte.into(),
        None => '\\',
    };
    (2, StringPiece::Character(character))
}

fn read_unicode_escape(text: &str) -> (usize, StringPiece<'_>) {
    let unit = |at: usize| {
        let escape = text.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(escape, 16).ok()
    };
    let first = unit(0).unwrap_or(0xFFFD);
    let pair = unit(6).and_then(|second| char::decode_utf16([first, second]).next()?.ok());
    match (char::from_u32(first.into()), pair) {
        (Some(character), _) => (6, StringPiece::Character(character)),
        (None, Some(character)) => (12, StringPiece::Character(character)),
        (None, None) => (6, StringPiece::LoneSurrogate(first)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_one_form() {
        let case = |text: &str, form: &str| {
            let found = normalize_number(text.as_bytes()).into_owned();
            assert_eq!(String::from_utf8(found).unwrap(), form, "{text}");
        };
        for one in ["1", "1.0", "1e0", "10e-1", "0.1E+1", "0.001e3", "1.000"] {
            case(one, "1");
        }
        for zero in ["0", "-0", "0.0", "0e99999999999999999999", "-0.00e5"] {
            case(zero, "0");
        }
        case("100", "100");
        case("1e2", "100");
        case("1E+40", &format!("1{}", "0".repeat(40)));
        case("1E+41", "1e41");
        case("-12.50", "-12.5");
        case("5e-1", "0.5");
        case("25e-7", "0.0000025");
        case("0.0000025", "0.0000025");
        case("125e-41", &format!("0.{}125", "0".repeat(38)));
        case("1e-42", "1e-42");
        case("9007199254740993", "9007199254740993");
        case("1e9223372036854775807", "1e9223372036854775807");
        case("10e9223372036854775807", "10e9223372036854775807");
        case("1e-99999999999999999999", "1e-99999999999999999999");
    }

    #[test]
    fn a_string_has_one_form() {
        let case = |text: &str, form: &[u8]| assert_eq!(&*unescape_string(text), form, "{text}");
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
        assert_eq!(escape_offsets("ab"), [(0, 0), (2, 2)]);
        assert_eq!(
            escape_offsets("a\\\"\\u00e9b"),
            [(0, 0), (1, 1), (2, 3), (4, 9), (5, 10)]
        );
    }
}
