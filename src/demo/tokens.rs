//! Text in pieces: how a reply is cut into tokens, and how many tokens a text may have.

/// Cuts `text` into pieces of a word or less; joined they are `text` again. A piece stands for a token.
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

/// Whether a character continues the piece before it.
fn joins_piece(last: Option<CharClass>, kind: CharClass, piece: &str) -> bool {
    match (last, kind) {
        (Some(CharClass::Space), _) => true,
        (Some(CharClass::Letter), CharClass::Letter) => piece.len() < 9,
        (Some(CharClass::Mark), CharClass::Mark) => piece.len() < 4,
        _ => false,
    }
}

/// An estimate of the tokens of a text of so many bytes: some four bytes make a token.
pub(super) fn estimate_tokens(bytes: u64) -> u64 {
    bytes.div_ceil(4)
}

/// The beginning of `text`, on one line, at most `limit` characters and an ellipsis.
pub(super) fn first_chars(text: &str, limit: usize) -> String {
    // A long text is not to be walked for its beginning.
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
    fn pieces_join_to_the_text() {
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
    fn beginnings() {
        assert_eq!(first_chars("one\n two", 20), "one two");
        assert_eq!(first_chars("ääää", 3), "äää…");
    }
}
