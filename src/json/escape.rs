//! Strings: escapes undone and made (RFC 8259, section 7), and foreign text made fit for a message.

/// `text` as a JSON string, quotes included. Escapes what must be escaped and nothing else.
pub fn quote(text: &str) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len().saturating_add(2));
    quoted.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend([b'\\', byte]),
            b'\n' => quoted.extend(b"\\n"),
            b'\r' => quoted.extend(b"\\r"),
            b'\t' => quoted.extend(b"\\t"),
            0x08 => quoted.extend(b"\\b"),
            0x0c => quoted.extend(b"\\f"),
            0..0x20 => quoted.extend(format!("\\u{byte:04x}").bytes()),
            _ => quoted.push(byte),
        }
    }
    quoted.push(b'"');
    quoted
}

/// The text of a well-formed JSON string, without quotes, with its escapes undone.
pub(super) fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut characters = escape.chars();
        let character = match characters.next() {
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let (character, after) = code_point(characters.as_str());
                plain.push(character);
                rest = after;
                continue;
            }
            Some(itself) => itself,
            None => char::REPLACEMENT_CHARACTER,
        };
        plain.push(character);
        rest = characters.as_str();
    }
    plain.push_str(rest);
    plain
}

/// The character that `1F00...` or `D83D\uDE00...` names, and what comes after it.
fn code_point(text: &str) -> (char, &str) {
    let (unit, rest) = code_unit(text);
    let second = rest.strip_prefix("\\u").map(code_unit);
    if let (0xD800..0xDC00, Some((low @ 0xDC00..0xE000, after))) = (unit, second) {
        let pair = char::decode_utf16([unit, low]).next();
        let character = pair.and_then(Result::ok);
        return (character.unwrap_or(char::REPLACEMENT_CHARACTER), after);
    }
    let character = char::from_u32(unit.into());
    (character.unwrap_or(char::REPLACEMENT_CHARACTER), rest)
}

fn code_unit(text: &str) -> (u16, &str) {
    let (digits, rest) = text.split_at_checked(4).unwrap_or((text, ""));
    (u16::from_str_radix(digits, 16).unwrap_or(0xFFFD), rest)
}

/// `text` with characters escaped that could break a line or control a terminal.
pub(super) fn escape_controls(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            // Marks and overrides of direction, and the separators, reorder or break what is around them.
            '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => {
                shown.extend(character.escape_unicode());
            }
            _ if character.is_control() => shown.extend(character.escape_default()),
            _ => shown.push(character),
        }
    }
    shown
}
