//! Tokens: cuts a text into them and estimates their number.

/// The tokens of `text`: pieces of a word or less. Joined they are `text` again.
pub(super) fn split_tokens(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut last = None;
    for char in text.chars() {
        let kind = CharClass::from_char(char);
        match pieces.last_mut() {
            Some(piece) if joins_piece(last, kind, piece) => piece.push(char),
            _ => pieces.push(char.to_string()),
        }
        last = Some(kind);
    }
    pieces
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum CharClass {
    Space,
    Letter,
    Mark,
}

impl CharClass {
    fn from_char(char: char) -> Self {
        if char.is_whitespace() {
            Self::Space
        } else if char.is_alphanumeric() {
            Self::Letter
        } else {
            Self::Mark
        }
    }
}

/// Whether a character continues the token before it.
fn joins_piece(last: Option<CharClass>, kind: CharClass, piece: &str) -> bool {
    match (last, kind) {
        (Some(CharClass::Space), _) => true,
        (Some(CharClass::Letter), CharClass::Letter) => piece.len() < 9,
        (Some(CharClass::Mark), CharClass::Mark) => piece.len() < 4,
        _ => false,
    }
}

/// The estimated tokens of a text of `bytes` bytes: four bytes a token, OpenAI's rule of thumb for English.
pub(super) fn estimate_tokens(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}

/// The beginning of `text` on one line: at most `limit` characters, then an ellipsis.
pub(super) fn first_chars(text: &str, limit: usize) -> String {
    // Only the beginning of a long text is read.
    let line = text
        .split_whitespace()
        .take(limit)
        .collect::<Vec<_>>()
        .join(" ");
    let mut short: String = line.chars().take(limit).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_join_to_the_text() {
        for text in [
            "",
            "Hello, world!",
            "  two  spaces\n\nand lines",
            "{\"city\":\"Zürich\",\"n\":[1,2]}",
            "Donaudampfschifffahrtsgesellschaft 你好世界 👋🏽…",
        ] {
            assert_eq!(split_tokens(text).concat(), text);
        }
        assert_eq!(split_tokens("Hello, world!"), ["Hello", ",", " world", "!"]);
    }

    #[test]
    fn first_chars_are_one_line_with_an_ellipsis() {
        assert_eq!(first_chars("one\n two", 20), "one two");
        assert_eq!(first_chars("ääää", 3), "äää…");
    }
}
