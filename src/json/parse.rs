//! From bytes to nodes in one pass, without recursion.

use super::fault::{Expected, Fault, JsonError, Part};
use super::{Kind, Node};

/// How many containers may stand inside each other.
pub const DEPTH: usize = 512;

/// The text, known to be UTF-8, and its nodes; at least one.
pub(super) fn parse(bytes: &[u8]) -> Result<(&str, Vec<Node>), JsonError> {
    let fail = |at, fault| Err(JsonError::new(bytes, at, fault));
    if u32::try_from(bytes.len()).is_err() {
        return fail(0, Fault::TooLong);
    }
    let mut parser = Parser::new(bytes);
    let read = parser.document();
    // Whichever fault comes first; a last character that is cut short is told as what it is cut from.
    match (std::str::from_utf8(bytes), read) {
        (Ok(text), Ok(())) => Ok((text, parser.nodes)),
        (Err(bad), Err(fault)) if parser.at < bad.valid_up_to() || bad.error_len().is_none() => {
            fail(parser.at, fault)
        }
        (Err(bad), _) => fail(bad.valid_up_to(), Fault::NotUtf8),
        (Ok(_), Err(fault)) => fail(parser.at, fault),
    }
}

struct Parser<'a> {
    bytes: &'a [u8],
    /// Offset of the next byte; where a fault lies, if there was one.
    at: usize,
    nodes: Vec<Node>,
    /// The containers that are still open, by index.
    open: Vec<usize>,
}

impl<'a> Parser<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            // A guess that is low for dense numbers and high for long prompts.
            nodes: Vec::with_capacity(bytes.len().checked_div(32).unwrap_or(0).saturating_add(1)),
            open: Vec::new(),
        }
    }

    fn document(&mut self) -> Result<(), Fault> {
        if self.bytes.starts_with(b"\xEF\xBB\xBF") {
            return Err(Fault::ByteOrderMark);
        }
        self.skip_space();
        if self.peek().is_none() {
            return Err(Fault::Empty);
        }
        // A container that was opened, or a comma, is followed by a value.
        while self.begin()? || self.follow()? {}
        self.skip_space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Fault::Trailing),
        }
    }

    /// Reads a scalar or an empty container whole, and says false; or opens a container, goes to where its
    /// first value should begin, and says true.
    fn begin(&mut self) -> Result<bool, Fault> {
        match self.peek() {
            Some(b'"') => self.string()?,
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'{') => {
                self.open(Kind::Object)?;
                if self.peek() != Some(b'}') {
                    return self.key().map(|()| true);
                }
                self.close();
            }
            Some(b'[') => {
                self.open(Kind::Array)?;
                if self.peek() != Some(b']') {
                    return Ok(true);
                }
                self.close();
            }
            Some(b't') => self.word(b"true", Kind::True)?,
            Some(b'f') => self.word(b"false", Kind::False)?,
            Some(b'n') => self.word(b"null", Kind::Null)?,
            _ => return Err(self.wanted(Expected::Value)),
        }
        Ok(false)
    }

    /// After a value: closes the containers that end here, and says whether another value follows.
    fn follow(&mut self) -> Result<bool, Fault> {
        while let Some(kind) = self.innermost() {
            self.skip_space();
            match (kind, self.peek()) {
                (_, Some(b',')) => return self.comma(kind).map(|()| true),
                (Kind::Object, Some(b'}')) | (Kind::Array, Some(b']')) => self.close(),
                (Kind::Object, _) => return Err(self.wanted(Expected::CommaOrBrace)),
                _ => return Err(self.wanted(Expected::CommaOrBracket)),
            }
        }
        Ok(false)
    }

    fn comma(&mut self, kind: Kind) -> Result<(), Fault> {
        let comma = self.at;
        self.skip(1);
        self.skip_space();
        if matches!(self.peek(), Some(b'}' | b']')) {
            self.at = comma;
            return Err(Fault::LoneComma);
        }
        match kind {
            Kind::Object => self.key(),
            _ => Ok(()),
        }
    }

    /// A key and its colon, up to where the value should begin.
    fn key(&mut self) -> Result<(), Fault> {
        if self.peek() != Some(b'"') {
            return Err(self.wanted(Expected::Key));
        }
        self.string()?;
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.wanted(Expected::Colon));
        }
        self.skip(1);
        self.skip_space();
        Ok(())
    }

    fn open(&mut self, kind: Kind) -> Result<(), Fault> {
        if self.open.len() >= DEPTH {
            return Err(Fault::TooDeep);
        }
        self.open.push(self.nodes.len());
        let start = self.at;
        self.skip(1);
        self.push(kind, start, false);
        self.skip_space();
        Ok(())
    }

    fn close(&mut self) {
        self.skip(1);
        let next = offset(self.nodes.len());
        let node = self.open.pop().and_then(|open| self.nodes.get_mut(open));
        if let Some(node) = node {
            node.end = offset(self.at);
            node.next = next;
        }
    }

    /// A node from `start` up to here, with nothing inside yet.
    fn push(&mut self, kind: Kind, start: usize, escaped: bool) {
        self.nodes.push(Node {
            start: offset(start),
            end: offset(self.at),
            next: offset(self.nodes.len().saturating_add(1)),
            kind,
            escaped,
        });
    }

    fn string(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.skip(1);
        let mut escaped = false;
        loop {
            self.skip(plain(self.rest()));
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape(start)?,
                Some(control) => return Err(Fault::Control(control)),
                None => return Err(self.truncated(Part::String, start)),
            }
            escaped = true;
        }
        self.skip(1);
        self.push(Kind::String, start, escaped);
        Ok(())
    }

    /// One escape of the string that began at `string`. A fault lies at its `\`.
    fn escape(&mut self, string: usize) -> Result<(), Fault> {
        let rest = self.rest();
        let length = match rest.get(1) {
            Some(b'u') => 6,
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(_) => return Err(Fault::Escape),
            None => return Err(self.truncated(Part::String, string)),
        };
        let digits = rest.get(2..length.min(rest.len())).unwrap_or_default();
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(Fault::Escape);
        }
        if rest.len() < length {
            return Err(self.truncated(Part::String, string));
        }
        self.skip(length);
        Ok(())
    }

    /// RFC 8259, section 6.
    fn number(&mut self) -> Result<(), Fault> {
        let start = self.at;
        self.skip_if(b"-");
        let zero = self.peek() == Some(b'0');
        let first = self.at;
        self.digits(start)?;
        if zero && self.at > first.saturating_add(1) {
            self.at = first;
            return Err(Fault::LeadingZero);
        }
        if self.skip_if(b".") {
            self.digits(start)?;
        }
        if self.skip_if(b"eE") {
            self.skip_if(b"+-");
            self.digits(start)?;
        }
        self.push(Kind::Number, start, false);
        Ok(())
    }

    /// One digit or more of the number that began at `number`.
    fn digits(&mut self, number: usize) -> Result<(), Fault> {
        let digits = |bytes: &[u8]| {
            bytes
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        match (digits(self.rest()), self.peek()) {
            (0, None) => Err(self.truncated(Part::Number, number)),
            (0, Some(_)) => Err(Fault::Expected(Expected::Digit)),
            (count, _) => {
                self.skip(count);
                Ok(())
            }
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(), Fault> {
        let (start, rest) = (self.at, self.rest());
        if rest.starts_with(word) {
            self.skip(word.len());
            self.push(kind, start, false);
            return Ok(());
        }
        match word.starts_with(rest) {
            true => Err(self.truncated(Part::Word, start)),
            false => Err(Fault::Expected(Expected::Value)),
        }
    }

    /// Something else than what should stand here, or the end of the text.
    fn wanted(&mut self, expected: Expected) -> Fault {
        match (
            self.peek(),
            self.open.last().and_then(|&open| self.nodes.get(open)),
        ) {
            (None, Some(&Node { start, kind, .. })) => {
                let part = if kind == Kind::Object {
                    Part::Object
                } else {
                    Part::Array
                };
                self.truncated(part, usize::try_from(start).unwrap_or(usize::MAX))
            }
            _ => Fault::Expected(expected),
        }
    }

    fn truncated(&mut self, within: Part, began: usize) -> Fault {
        self.at = self.bytes.len();
        Fault::Truncated {
            within,
            began: began as u64,
        }
    }

    fn innermost(&self) -> Option<Kind> {
        Some(self.nodes.get(*self.open.last()?)?.kind)
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

/// Offsets fit, since longer texts are refused and no text has more nodes than bytes.
fn offset(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

/// How many bytes at the front may stand in a string as they are: up to a quote, `\` or control character.
fn plain(bytes: &[u8]) -> usize {
    let mut words = bytes.chunks_exact(8);
    let mut passed = 0usize;
    for word in words.by_ref() {
        let word = word.try_into().map_or(0, u64::from_le_bytes);
        let stops = stops(word);
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
fn stops(word: u64) -> u64 {
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
