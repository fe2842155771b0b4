//! From bytes to nodes in one pass, without recursion.

use super::error::{ExpectedToken, JsonElementKind, JsonError, JsonFault, MAX_DEPTH};
use super::node::{JsonKind, JsonNode};

/// Parses a JSON text. Returns the text as UTF-8 and its nodes, at least one.
pub(super) fn parse(bytes: &[u8]) -> Result<(&str, Vec<JsonNode>), JsonError> {
    let fail = |at, fault| Err(JsonError::new(bytes, at, fault));
    if u32::try_from(bytes.len()).is_err() {
        return fail(0, JsonFault::TooLong);
    }
    let mut parser = JsonParser::new(bytes);
    let read = parser.parse_document();
    // The first fault counts. A last character that is cut short is reported as the character it began.
    match (std::str::from_utf8(bytes), read) {
        (Ok(text), Ok(())) => Ok((text, parser.nodes)),
        (Err(bad), Err(fault)) if parser.at < bad.valid_up_to() || bad.error_len().is_none() => {
            fail(parser.at, fault)
        }
        (Err(bad), _) => fail(bad.valid_up_to(), JsonFault::NotUtf8),
        (Ok(_), Err(fault)) => fail(parser.at, fault),
    }
}

struct JsonParser<'a> {
    bytes: &'a [u8],
    /// Offset of the next byte; where a fault lies, if there was one.
    at: usize,
    nodes: Vec<JsonNode>,
    /// The containers that are still open, by index.
    open_containers: Vec<usize>,
}

impl<'a> JsonParser<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            // A guess that is low for dense numbers and high for long prompts; an event of a stream, with a node every
            // eight bytes or so, fits.
            nodes: Vec::with_capacity((bytes.len() / 32).max(bytes.len().min(512) / 8)),
            open_containers: Vec::with_capacity(8),
        }
    }

    fn parse_document(&mut self) -> Result<(), JsonFault> {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            return Err(JsonFault::ByteOrderMark);
        }
        self.skip_space();
        if self.peek().is_none() {
            return Err(JsonFault::Empty);
        }
        // A container that was opened, or a comma, is followed by a value.
        while self.start_value()? || self.find_next_value()? {}
        self.skip_space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(JsonFault::TrailingText),
        }
    }

    /// Starts a value. Returns true if it opened a container and is at its first value, false if the value is complete.
    fn start_value(&mut self) -> Result<bool, JsonFault> {
        match self.peek() {
            Some(b'"') => self.read_string()?,
            Some(b'-' | b'0'..=b'9') => self.read_number()?,
            Some(b'{') => {
                self.open_container(JsonKind::Object)?;
                if self.peek() != Some(b'}') {
                    return self.read_key().map(|()| true);
                }
                self.close_container();
            }
            Some(b'[') => {
                self.open_container(JsonKind::Array)?;
                if self.peek() != Some(b']') {
                    return Ok(true);
                }
                self.close_container();
            }
            Some(b't') => self.read_literal(b"true", JsonKind::True)?,
            Some(b'f') => self.read_literal(b"false", JsonKind::False)?,
            Some(b'n') => self.read_literal(b"null", JsonKind::Null)?,
            _ => return Err(self.unexpected_fault(ExpectedToken::Value)),
        }
        Ok(false)
    }

    /// Closes the containers that end after a value. Returns whether another value follows.
    fn find_next_value(&mut self) -> Result<bool, JsonFault> {
        while let Some(kind) = self.innermost_kind() {
            self.skip_space();
            match (kind, self.peek()) {
                (_, Some(b',')) => return self.read_comma(kind).map(|()| true),
                (JsonKind::Object, Some(b'}')) | (JsonKind::Array, Some(b']')) => {
                    self.close_container()
                }
                (JsonKind::Object, _) => {
                    return Err(self.unexpected_fault(ExpectedToken::CommaOrBrace));
                }
                _ => return Err(self.unexpected_fault(ExpectedToken::CommaOrBracket)),
            }
        }
        Ok(false)
    }

    fn read_comma(&mut self, kind: JsonKind) -> Result<(), JsonFault> {
        let comma = self.at;
        self.skip(1);
        self.skip_space();
        if matches!(self.peek(), Some(b'}' | b']')) {
            self.at = comma;
            return Err(JsonFault::TrailingComma);
        }
        match kind {
            JsonKind::Object => self.read_key(),
            _ => Ok(()),
        }
    }

    /// Reads a key and its colon, up to the place of the value.
    fn read_key(&mut self) -> Result<(), JsonFault> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected_fault(ExpectedToken::Key));
        }
        self.read_string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected_fault(ExpectedToken::Colon));
        }
        self.skip(1);
        self.skip_space();
        Ok(())
    }

    fn open_container(&mut self, kind: JsonKind) -> Result<(), JsonFault> {
        if self.open_containers.len() >= MAX_DEPTH {
            return Err(JsonFault::TooDeep);
        }
        self.open_containers.push(self.nodes.len());
        let start = self.at;
        self.skip(1);
        self.push_node(kind, start, false);
        self.skip_space();
        Ok(())
    }

    fn close_container(&mut self) {
        self.skip(1);
        let next = to_u32(self.nodes.len());
        let node = self
            .open_containers
            .pop()
            .and_then(|open| self.nodes.get_mut(open));
        if let Some(node) = node {
            node.end = to_u32(self.at);
            node.next = next;
        }
    }

    /// Adds a node from `start` to the current offset, without children.
    fn push_node(&mut self, kind: JsonKind, start: usize, escaped: bool) {
        self.nodes.push(JsonNode {
            start: to_u32(start),
            end: to_u32(self.at),
            next: to_u32(self.nodes.len().saturating_add(1)),
            kind,
            escaped,
        });
    }

    fn read_string(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        self.skip(1);
        let mut escaped = false;
        loop {
            self.skip(plain_length(self.rest()));
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.read_escape(start)?,
                Some(control) => return Err(JsonFault::ControlCharacter(control)),
                None => return Err(self.truncated_fault(JsonElementKind::String, start)),
            }
            escaped = true;
        }
        self.skip(1);
        self.push_node(JsonKind::String, start, escaped);
        Ok(())
    }

    /// Reads one escape of the string that began at `string`. The place of a fault is its `\`.
    fn read_escape(&mut self, string: usize) -> Result<(), JsonFault> {
        let rest = self.rest();
        let length = match rest.get(1) {
            Some(b'u') => 6,
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(_) => return Err(JsonFault::BadEscape),
            None => return Err(self.truncated_fault(JsonElementKind::String, string)),
        };
        let digits = rest.get(2..length.min(rest.len())).unwrap_or_default();
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(JsonFault::BadEscape);
        }
        if rest.len() < length {
            return Err(self.truncated_fault(JsonElementKind::String, string));
        }
        self.skip(length);
        Ok(())
    }

    /// Reads a number (RFC 8259, section 6).
    fn read_number(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        self.skip_if(b"-");
        let zero = self.peek() == Some(b'0');
        let first = self.at;
        self.read_digits(start)?;
        if zero && self.at > first.saturating_add(1) {
            self.at = first;
            return Err(JsonFault::LeadingZero);
        }
        if self.skip_if(b".") {
            self.read_digits(start)?;
        }
        if self.skip_if(b"eE") {
            self.skip_if(b"+-");
            self.read_digits(start)?;
        }
        self.push_node(JsonKind::Number, start, false);
        Ok(())
    }

    /// Reads at least one digit of the number that began at `number`.
    fn read_digits(&mut self, number: usize) -> Result<(), JsonFault> {
        let digits = |bytes: &[u8]| {
            bytes
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        match (digits(self.rest()), self.peek()) {
            (0, None) => Err(self.truncated_fault(JsonElementKind::Number, number)),
            (0, Some(_)) => Err(JsonFault::Expected(ExpectedToken::Digit)),
            (count, _) => {
                self.skip(count);
                Ok(())
            }
        }
    }

    fn read_literal(&mut self, word: &[u8], kind: JsonKind) -> Result<(), JsonFault> {
        let (start, rest) = (self.at, self.rest());
        if rest.starts_with(word) {
            self.skip(word.len());
            self.push_node(kind, start, false);
            return Ok(());
        }
        match word.starts_with(rest) {
            true => Err(self.truncated_fault(JsonElementKind::Literal, start)),
            false => Err(JsonFault::Expected(ExpectedToken::Value)),
        }
    }

    /// The error for an unexpected byte, or for the end of the text.
    fn unexpected_fault(&mut self, expected: ExpectedToken) -> JsonFault {
        match (
            self.peek(),
            self.open_containers
                .last()
                .and_then(|&open| self.nodes.get(open)),
        ) {
            (None, Some(&JsonNode { start, kind, .. })) => {
                let part = if kind == JsonKind::Object {
                    JsonElementKind::Object
                } else {
                    JsonElementKind::Array
                };
                self.truncated_fault(part, usize::try_from(start).unwrap_or(usize::MAX))
            }
            _ => JsonFault::Expected(expected),
        }
    }

    fn truncated_fault(&mut self, within: JsonElementKind, began: usize) -> JsonFault {
        self.at = self.bytes.len();
        JsonFault::Truncated {
            within,
            began: began as u64,
        }
    }

    fn innermost_kind(&self) -> Option<JsonKind> {
        Some(self.nodes.get(*self.open_containers.last()?)?.kind)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, count: usize) {
        self.at = self.at.saturating_add(count);
    }

    fn skip_if(&mut self, any_of: &[u8]) -> bool {
        let skips = self.peek().is_some_and(|byte| any_of.contains(&byte));
        self.skip(usize::from(skips));
        skips
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.skip(1);
        }
    }
}

/// Converts an offset, which fits: longer texts are refused, and no text has more nodes than bytes.
fn to_u32(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// The number of bytes before the first quote, `\` or control character.
pub(crate) fn plain_length(bytes: &[u8]) -> usize {
    let mut words = bytes.chunks_exact(8);
    let mut passed = 0usize;
    for word in words.by_ref() {
        let word = word.try_into().map_or(0, u64::from_le_bytes);
        let stops = stop_bits(word);
        if stops != 0 {
            let byte = stops.trailing_zeros().checked_div(8).unwrap_or(0);
            return passed.saturating_add(usize::try_from(byte).unwrap_or(0));
        }
        passed = passed.saturating_add(8);
    }
    let rest = words.remainder();
    let is_stop = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    passed.saturating_add(rest.iter().position(is_stop).unwrap_or(rest.len()))
}

/// Marks the high bit of the first of eight bytes that ends a plain run; those above it may be marked in error.
///
/// The carry trick of "Bit Twiddling Hacks": `x - 1` borrows into the high bit only where `x` is zero.
fn stop_bits(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    const SLASHES: u64 = u64::from_ne_bytes([b'\\'; 8]);
    const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let (quote, slash) = (word ^ QUOTES, word ^ SLASHES);
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_slash = slash.wrapping_sub(ONES) & !slash;
    let is_control = word.wrapping_sub(SPACES) & !word;
    (is_quote | is_slash | is_control) & HIGH
}
