//! Follows the brackets and quotes of a JSON text in constant memory, for texts that are too long to be held.

use memchr::memchr2;

/// Open brackets and strings at the end of the bytes read so far. Nothing else of the text is checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct NestingScanner {
    depth: u64,
    in_string: bool,
    /// Whether the next byte of the string is escaped.
    is_escaped: bool,
}

impl NestingScanner {
    /// Reads the next bytes of the text.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            rest = match self.in_string {
                true => self.skip_string(rest),
                false => self.skip_to_string(rest),
            };
        }
    }

    /// Whether the text stops inside a string, an array or an object.
    pub fn is_open(&self) -> bool {
        self.in_string || self.depth > 0
    }

    /// Reads bytes outside of strings. Returns those after the next opening quote.
    fn skip_to_string<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        for (at, byte) in bytes.iter().enumerate() {
            match byte {
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                b'"' => {
                    self.in_string = true;
                    return bytes.get(at.saturating_add(1)..).unwrap_or_default();
                }
                _ => {}
            }
        }
        &[]
    }

    /// Reads bytes of a string. Returns those after its closing quote, or after the next escape.
    fn skip_string<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if std::mem::take(&mut self.is_escaped) {
            return bytes.get(1..).unwrap_or_default();
        }
        let Some(found) = memchr2(b'"', b'\\', bytes) else {
            return &[];
        };
        self.is_escaped = bytes.get(found) == Some(&b'\\');
        self.in_string = self.is_escaped;
        bytes.get(found.saturating_add(1)..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{JsonDocument, JsonFault};
    use proptest::prelude::*;

    fn is_open(pieces: &[&[u8]]) -> bool {
        let mut scanner = NestingScanner::default();
        for piece in pieces {
            scanner.push(piece);
        }
        scanner.is_open()
    }

    #[test]
    fn a_text_is_open_until_its_last_bracket() {
        let text = br#"{"a":["}\"]\\",{"b":"[{"}],"c":1}"#;
        for end in 1..text.len() {
            assert!(is_open(&[&text[..end]]), "{end}");
        }
        assert!(!is_open(&[text]));
        assert!(!is_open(&[]));
    }

    proptest! {
        #[test]
        fn any_split_gives_the_result_of_the_parser(
            text in r#"[\[\]{}:,"\\a1 ]{0,24}"#,
            step in 1usize..5,
        ) {
            let whole = is_open(&[text.as_bytes()]);
            let pieces: Vec<_> = text.as_bytes().chunks(step).collect();
            prop_assert_eq!(is_open(&pieces), whole);
            match JsonDocument::parse(text.as_bytes()) {
                Ok(_) => prop_assert!(!whole),
                Err(error) if matches!(error.kind, JsonFault::Truncated { .. }) => prop_assert!(whole),
                Err(_) => {}
            }
        }
    }
}
