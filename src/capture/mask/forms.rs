//! The forms in which a peer may repeat a known key: as it is, in another case, in base64, in hex, in UTF-16.
//!
//! Forms with escapes are no patterns: the searched text has its escapes undone (`escapes`).

use super::escapes::unescape;
use super::secret_value::is_mixed;

/// The bytes of a known key in one form.
#[derive(Clone, Debug)]
pub(super) struct KeyPattern {
    pub(super) form: KeyForm,
    pub(super) bytes: Vec<u8>,
    /// Number of the first bytes that are enough to recognise the key: from there on it is masked as far as it goes.
    pub(super) anchor: usize,
    /// Number of the key in the list of known keys; `None` for a prefix of unknown ones.
    pub(super) key: Option<usize>,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyForm {
    /// As the caller gave it.
    Plain,
    /// In capitals or small letters.
    OtherCase,
    Base64,
    Hex,
    Utf16,
    /// A prefix (`--mask-like`), which stays visible, and any characters of keys.
    Prefix,
}

impl KeyForm {
    /// The rule in the fact about a masked place.
    pub(super) fn rule(self) -> &'static str {
        match self {
            Self::Plain => "known key",
            Self::OtherCase => "known key (other case)",
            Self::Base64 => "known key (base64)",
            Self::Hex => "known key (hex)",
            Self::Utf16 => "known key (UTF-16)",
            Self::Prefix => "mask-like",
        }
    }
}

/// Fewest bytes that identify a random key of letters and digits. Six of 62 characters are 35 bits: some 1 in 60
/// thousand million places of random text begins like that. Five would hit an image of 10 MB in base64 once in a hundred
/// times, in ten forms.
const MIN_ANCHOR: usize = 6;

/// Fewest bytes that identify a key whose beginning is all hex digits: 32 bits.
const MIN_HEX_ANCHOR: usize = 8;

/// The patterns of the key number `key`; `secret` is its part without the visible prefix. Forms other than the plain one
/// are for keys that a request carries.
pub(super) fn key_patterns(key: usize, secret: &[u8], is_carried: bool) -> Vec<KeyPattern> {
    let plain = unescape(secret).into_owned();
    let anchor = anchor_length(&plain);
    let is_random = anchor < plain.len() || is_mixed(&plain);
    let mut found: Vec<KeyPattern> = Vec::new();
    let mut add = |form, bytes: Vec<u8>, anchor: usize| {
        let is_new = found.iter().all(|pattern| pattern.bytes != bytes);
        if is_new && !bytes.is_empty() {
            let anchor = anchor.clamp(1, bytes.len());
            found.push(KeyPattern {
                form,
                bytes,
                anchor,
                key: Some(key),
            });
        }
    };
    add(KeyForm::Plain, plain.clone(), anchor);
    for text in [plus_for_blanks(&plain), json_escaped(&plain)] {
        let anchor = anchor_length(&text);
        add(KeyForm::Plain, text, anchor);
    }
    if !is_carried {
        return found;
    }
    for text in [plain.to_ascii_uppercase(), plain.to_ascii_lowercase()] {
        // A word in capitals is a word.
        if is_random {
            let anchor = anchor_length(&text);
            add(KeyForm::OtherCase, text, anchor);
        }
    }
    for offset in 0..3 {
        let (text, anchor) = base64_at(&plain, anchor, offset);
        let url_safe = text.iter().map(|byte| match byte {
            b'+' => b'-',
            b'/' => b'_',
            other => *other,
        });
        let url_safe = url_safe.collect();
        add(KeyForm::Base64, text, anchor);
        add(KeyForm::Base64, url_safe, anchor);
    }
    for text in [hex::encode(&plain), hex::encode_upper(&plain)] {
        add(KeyForm::Hex, text.into_bytes(), anchor.saturating_mul(2));
    }
    // Begins and ends with a byte of the key, so that it is the same in either byte order.
    let mut wide: Vec<u8> = plain.iter().flat_map(|&byte| [byte, 0]).collect();
    wide.pop();
    let wide_anchor = anchor.saturating_mul(2).saturating_sub(1);
    add(KeyForm::Utf16, wide, wide_anchor);
    found
}

/// The pattern of any key that begins with `prefix`.
pub(super) fn prefix_pattern(prefix: &[u8]) -> KeyPattern {
    KeyPattern {
        form: KeyForm::Prefix,
        bytes: prefix.to_vec(),
        anchor: prefix.len(),
        key: None,
    }
}

/// The number of first bytes of `secret` that no word begins with by chance: all, if it looks like words.
fn anchor_length(secret: &[u8]) -> usize {
    let is_anchor = |length: &usize| {
        let head = secret.get(..*length).unwrap_or_default();
        let signs = |byte: &u8| !byte.is_ascii_alphanumeric();
        let bare: Vec<u8> = head.iter().copied().filter(|byte| !signs(byte)).collect();
        let is_long = *length >= MIN_HEX_ANCHOR || !head.iter().all(u8::is_ascii_hexdigit);
        is_long && is_mixed(&bare)
    };
    (MIN_ANCHOR..secret.len())
        .find(is_anchor)
        .unwrap_or(secret.len())
}

/// `secret` as a form of the Web writes it (`application/x-www-form-urlencoded`), percent escapes apart.
fn plus_for_blanks(secret: &[u8]) -> Vec<u8> {
    let plus = |byte: &u8| if *byte == b' ' { b'+' } else { *byte };
    secret.iter().map(plus).collect()
}

/// `secret` in a JSON string, as the search sees it.
fn json_escaped(secret: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(secret).ok();
    let quoted = text.and_then(|text| serde_json::to_string(text).ok());
    let inner = quoted
        .as_deref()
        .and_then(|text| text.get(1..text.len().saturating_sub(1)));
    unescape(inner.unwrap_or_default().as_bytes()).into_owned()
}

/// The characters of base64 that depend on `secret` alone if it begins at a byte whose number leaves `offset` when
/// divided by three, and how many of them the first `anchor` bytes decide.
fn base64_at(secret: &[u8], anchor: usize, offset: usize) -> (Vec<u8>, usize) {
    let mut bytes = vec![0; offset];
    bytes.extend_from_slice(secret);
    let text = base64_simd::STANDARD.encode_to_string(&bytes).into_bytes();
    let skipped = [0, 2, 3].get(offset).copied().unwrap_or_default();
    // Six bits a character; one that bytes after the key decide in part is left out.
    let decided = |length: usize| length.saturating_add(offset).saturating_mul(8) / 6;
    let text = text.get(skipped..decided(secret.len())).unwrap_or_default();
    (text.to_vec(), decided(anchor).saturating_sub(skipped))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor(secret: &str) -> &str {
        &secret[..anchor_length(secret.as_bytes())]
    }

    #[test]
    fn a_beginning_identifies_a_key_only_if_it_is_no_word() {
        assert_eq!(anchor("Zq9xUNIQ7f3aTw"), "Zq9xUN");
        assert_eq!(anchor("0d8f2c1a94b7"), "0d8f2c1a");
        assert_eq!(anchor("content-filter-2024-11"), "content-filter-2");
        assert_eq!(anchor("qwertzuiop"), "qwertzuiop");
        assert_eq!(anchor("Password"), "Password");
    }

    #[test]
    fn base64_is_found_at_each_offset() {
        let secret = b"Zq9xUNIQ7f3aTw8KdLmP2";
        for before in ["", "a", "ab", "abc", "abcd"] {
            for after in ["", "x", "xy"] {
                let text = [before.as_bytes(), secret, after.as_bytes()].concat();
                let text = base64_simd::STANDARD.encode_to_string(text);
                let patterns = key_patterns(0, secret, true);
                let found = patterns
                    .iter()
                    .filter(|pattern| pattern.form == KeyForm::Base64)
                    .any(|pattern| {
                        text.contains(std::str::from_utf8(&pattern.bytes).unwrap())
                            && pattern.anchor >= 6
                    });
                assert!(found, "{before} {after} {text}");
            }
        }
    }
}
