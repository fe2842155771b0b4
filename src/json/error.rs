//! What is wrong with a text that is not JSON, and where.

/// Deepest nesting of containers that is read. Programs write a dozen levels; the limit bounds the memory for the open
/// containers of a hostile text.
pub const MAX_DEPTH: usize = 512;

/// Why a text is not JSON, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{kind} (byte {at}, line {line} column {column})")]
pub struct JsonError {
    /// Offset of the first byte that does not fit.
    pub at: u64,
    /// Its line, counted from one.
    pub line: u64,
    /// Its column in that line, counted in characters from one.
    pub column: u64,
    /// What is wrong.
    pub kind: JsonFault,
}

impl JsonError {
    pub(super) fn new(bytes: &[u8], at: usize, kind: JsonFault) -> Self {
        let before = bytes.get(..at).unwrap_or(bytes);
        let line = memchr::memrchr(b'\n', before).map_or(0, |newline| newline.saturating_add(1));
        let in_line = before.get(line..).unwrap_or_default();
        let is_first = |byte: &&u8| **byte & 0b1100_0000 != 0b1000_0000;
        let counted = |count: usize| (count as u64).saturating_add(1);
        Self {
            at: before.len() as u64,
            line: counted(memchr::memchr_iter(b'\n', before).count()),
            column: counted(in_line.iter().filter(is_first).count()),
            kind,
        }
    }
}

/// What is wrong with a text that is not JSON.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JsonFault {
    /// There is nothing, or nothing but white space.
    #[error("there is no JSON: the text is empty")]
    Empty,
    /// RFC 8259, section 8.1: a text must not begin with one.
    #[error("a byte order mark stands before the JSON")]
    ByteOrderMark,
    /// RFC 8259, section 8.1: a text is UTF-8.
    #[error("the bytes are not UTF-8")]
    NotUtf8,
    /// Something else is here.
    #[error("expected {0}")]
    Expected(ExpectedToken),
    /// A comma before a closing bracket.
    #[error("a comma with nothing after it")]
    TrailingComma,
    /// A control character that should have been escaped (RFC 8259, section 7).
    #[error("a control character, 0x{0:02x}, in a string")]
    ControlCharacter(u8),
    /// A `\` before something that it cannot escape.
    #[error("an escape that JSON does not know")]
    BadEscape,
    /// A zero before other digits (RFC 8259, section 6).
    #[error("a number with a leading zero")]
    LeadingZero,
    /// Another value, or anything else, after the end.
    #[error("text after the end of the JSON")]
    TrailingText,
    /// More than [`MAX_DEPTH`] containers inside each other.
    #[error("more than {MAX_DEPTH} levels of nesting")]
    TooDeep,
    /// 4 GiB and more.
    #[error("4 GiB of JSON are more than can be read")]
    TooLong,
    /// The text stops too early.
    #[error("ends inside {within} that began at byte {began}")]
    Truncated {
        /// The innermost thing that is not complete.
        within: JsonElementKind,
        /// Offset of its first byte.
        began: u64,
    },
}

/// The syntax that was expected.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExpectedToken {
    /// Any value.
    Value,
    /// A key or the end of an object.
    Key,
    /// `:`
    Colon,
    /// `,` or the end of an object.
    CommaOrBrace,
    /// `,` or the end of an array.
    CommaOrBracket,
    /// A digit in a number.
    Digit,
}

impl std::fmt::Display for ExpectedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value => "a value",
            Self::Key => "a key in double quotes",
            Self::Colon => "`:` after a key",
            Self::CommaOrBrace => "`,` or `}` after a member",
            Self::CommaOrBracket => "`,` or `]` after an item",
            Self::Digit => "a digit in a number",
        })
    }
}

/// A syntax element that the end of the text cut off.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JsonElementKind {
    /// From `{` on.
    Object,
    /// From `[` on.
    Array,
    /// From the opening quote on.
    String,
    /// From its sign or first digit on.
    Number,
    /// `true`, `false` or `null`.
    Literal,
}

impl std::fmt::Display for JsonElementKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::Array => "an array",
            Self::String => "a string",
            Self::Number => "a number",
            Self::Literal => "a word",
        })
    }
}
