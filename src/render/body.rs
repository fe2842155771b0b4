//! A body on a terminal, as it arrives: JSON laid out and coloured, other text escaped, binary named
//! instead of shown. To a pipe bodies go as they are, and not through here.

use std::fmt::Write as _;

use super::escape::Escaper;
use super::{Look, Style};

/// Lays out one body, piece by piece.
#[derive(Debug)]
pub struct Painter {
    style: Style,
    escaper: Escaper,
    kind: Kind,
    bytes: u64,
}

#[derive(Debug)]
enum Kind {
    Text,
    /// Text, be it full of control characters.
    Anything,
    Json(Json),
    /// Not for the eye.
    Binary,
}

impl Painter {
    /// A painter for a body of that media type. `pretty`: JSON is laid out anew.
    pub fn new(media: &[u8], pretty: bool, style: Style) -> Self {
        let kind = if pretty && is_json(media) {
            Kind::Json(Json::default())
        } else {
            Kind::Text
        };
        Self {
            style,
            escaper: Escaper::default(),
            kind,
            bytes: 0,
        }
    }

    /// A painter for bytes that are no body: all of them are shown, escaped.
    pub fn anything(style: Style) -> Self {
        Self {
            kind: Kind::Anything,
            ..Self::new(b"", false, style)
        }
    }

    /// Appends what `bytes` look like to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut String) {
        let undecided = self.bytes == 0 && !matches!(self.kind, Kind::Anything);
        if undecided && is_binary(bytes) {
            self.kind = Kind::Binary;
        }
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        match &mut self.kind {
            Kind::Text | Kind::Anything => self.escaper.push(bytes, out),
            Kind::Json(json) => json.push(bytes, &mut self.escaper, self.style, out),
            Kind::Binary => {}
        }
    }

    /// Appends what was held back.
    pub fn finish(&mut self, out: &mut String) {
        self.escaper.finish(out);
        if let Kind::Json(json) = &mut self.kind {
            json.close(self.style, out);
        }
        if let Kind::Binary = self.kind {
            let text = format!(
                "[{} of binary, not shown; a pipe gets them as they are, `wire show --hex` dumps them]\n",
                super::words::bytes(self.bytes)
            );
            out.push_str(&self.style.dim(&text));
        }
    }
}

fn is_json(media: &[u8]) -> bool {
    let essence = media.split(|&byte| byte == b';').next().unwrap_or_default();
    let essence = essence.trim_ascii().to_ascii_lowercase();
    essence == b"application/json"
        || essence.ends_with(b"+json")
        || essence == b"application/x-ndjson"
        || essence == b"application/jsonl"
}

fn is_binary(bytes: &[u8]) -> bool {
    let seen = bytes.get(..1024).unwrap_or(bytes);
    seen.contains(&0) || seen.starts_with(b"\x1f\x8b") || seen.starts_with(b"\x28\xb5\x2f\xfd")
}

/// Lays JSON out as it streams. It judges nothing: what is not JSON comes out all the same.
#[derive(Debug, Default)]
struct Json {
    /// Closing bytes of the open containers.
    open: Vec<u8>,
    /// Containers deeper than are remembered.
    deeper: u64,
    token: Token,
    /// A container was opened and nothing stands in it yet.
    fresh: bool,
    /// The next string in this object is a key.
    key: bool,
    /// A value ended. Another one begins on a new line at the top, and after a space where a comma is
    /// missing.
    ended: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Token {
    #[default]
    None,
    String {
        escaped: bool,
    },
    /// Numbers and literals: until a byte that cannot belong to them.
    Word,
}

/// Deeper than this, layout is no help.
const DEEPEST: usize = 64;

impl Json {
    fn push(&mut self, bytes: &[u8], escaper: &mut Escaper, style: Style, out: &mut String) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            match self.token {
                Token::String { escaped } => {
                    let length = string_run(rest, escaped);
                    let (run, after) = rest.split_at(length);
                    escaper.push(run, out);
                    self.string_went_on(run, escaped, escaper, style, out);
                    rest = after;
                }
                Token::Word if is_word(byte) => {
                    let length = rest.iter().position(|&byte| !is_word(byte));
                    let (run, after) = rest.split_at(length.unwrap_or(rest.len()));
                    escaper.push(run, out);
                    rest = after;
                }
                Token::Word => {
                    escaper.finish(out);
                    self.end_token(style, out);
                }
                Token::None => {
                    self.structural(byte, style, out);
                    // A word's first byte is read again, as part of it.
                    if self.token != Token::Word {
                        rest = after;
                    }
                }
            }
        }
    }

    fn string_went_on(
        &mut self,
        run: &[u8],
        escaped: bool,
        escaper: &mut Escaper,
        style: Style,
        out: &mut String,
    ) {
        match run.last() {
            Some(b'\\') if !(escaped && run.len() == 1) => {
                self.token = Token::String { escaped: true };
            }
            Some(b'"') if !(escaped && run.len() == 1) => {
                escaper.finish(out);
                self.end_token(style, out);
            }
            _ => self.token = Token::String { escaped: false },
        }
    }

    fn end_token(&mut self, style: Style, out: &mut String) {
        self.token = Token::None;
        if style.colour {
            let _ = write!(out, "{}", anstyle::Reset);
        }
        self.ended = true;
    }

    fn structural(&mut self, byte: u8, style: Style, out: &mut String) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'}' | b']' => self.close_container(byte, out),
            b',' => {
                out.push(',');
                self.ended = false;
                self.line(out);
                self.key = self.open.last() == Some(&b'}');
            }
            b':' => {
                out.push_str(": ");
                (self.key, self.ended) = (false, false);
            }
            _ => self.begin(byte, style, out),
        }
    }

    fn begin(&mut self, byte: u8, style: Style, out: &mut String) {
        match self.ended && !self.open.is_empty() {
            true => out.push(' '),
            false if self.ended || self.fresh => self.line(out),
            false => {}
        }
        (self.ended, self.fresh) = (false, false);
        match byte {
            b'{' | b'[' => {
                out.push(char::from(byte));
                if self.open.len() < DEEPEST {
                    self.open.push(if byte == b'{' { b'}' } else { b']' });
                } else {
                    self.deeper = self.deeper.saturating_add(1);
                }
                self.fresh = true;
                self.key = byte == b'{';
            }
            b'"' => {
                let look = if self.key { Look::Name } else { Look::Text };
                colour(look, style, out);
                out.push('"');
                self.token = Token::String { escaped: false };
            }
            _ => {
                let literal = matches!(byte, b't' | b'f' | b'n');
                colour(
                    if literal { Look::Literal } else { Look::Number },
                    style,
                    out,
                );
                self.token = Token::Word;
            }
        }
    }

    fn close_container(&mut self, byte: u8, out: &mut String) {
        if self.deeper > 0 {
            self.deeper = self.deeper.saturating_sub(1);
        } else {
            self.open.pop();
        }
        if !self.fresh {
            self.line(out);
        }
        out.push(char::from(byte));
        self.fresh = false;
        self.key = false;
        self.ended = true;
    }

    fn line(&self, out: &mut String) {
        if self.deeper > 0 {
            return;
        }
        out.push('\n');
        for _ in &self.open {
            out.push_str("  ");
        }
    }

    /// The body is over: colours end, and so does the line.
    fn close(&mut self, style: Style, out: &mut String) {
        if self.token != Token::None {
            self.end_token(style, out);
        }
        if self.ended && self.open.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    }
}

fn colour(look: Look, style: Style, out: &mut String) {
    if style.colour {
        let _ = write!(out, "{}", look.style());
    }
}

/// How much of `bytes`, which lie in a string, can be taken at once: up to a quote or backslash, that
/// included.
fn string_run(bytes: &[u8], escaped: bool) -> usize {
    if escaped {
        return bytes.len().min(1);
    }
    memchr::memchr2(b'"', b'\\', bytes).map_or(bytes.len(), |place| place.saturating_add(1))
}

fn is_word(byte: u8) -> bool {
    !matches!(
        byte,
        b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn painted(media: &str, pieces: &[&[u8]], style: Style) -> String {
        let mut painter = Painter::new(media.as_bytes(), true, style);
        let mut out = String::new();
        for piece in pieces {
            painter.push(piece, &mut out);
        }
        painter.finish(&mut out);
        out
    }

    #[test]
    fn json_is_laid_out() {
        #[track_caller]
        fn case(body: &str, expected: &str) {
            let plain = Style::default();
            assert_eq!(
                painted("application/json; charset=utf-8", &[body.as_bytes()], plain),
                expected
            );
        }
        case(
            "{\"a\":[1,true],\"b\":{},\"c\":[]}",
            "{\n  \"a\": [\n    1,\n    true\n  ],\n  \"b\": {},\n  \"c\": []\n}\n",
        );
        case("\"a\\\"b\\\\\"", "\"a\\\"b\\\\\"\n");
        case(
            "{\"a\":1}\n{\"b\":2}\n",
            "{\n  \"a\": 1\n}\n{\n  \"b\": 2\n}\n",
        );
        case("-1.50e+3", "-1.50e+3\n");
        case(
            "{\"a\":\"\x1b[2J\u{202e}\"}",
            "{\n  \"a\": \"\\x1b[2J\\u{202e}\"\n}\n",
        );
        case("]]not json", "\n]\n]\nnot\njson\n");
        case("[1 2{}\"a\"]", "[\n  1 2 {} \"a\"\n]\n");
        case("{\"a\" \"b\":1}", "{\n  \"a\" \"b\": 1\n}\n");
    }

    #[test]
    fn colours_are_closed() {
        let style = Style {
            colour: true,
            ..Style::default()
        };
        let out = painted("application/json", &[b"{\"a\":12"], style);
        assert_eq!(out, "{\n  \x1b[34m\"a\"\x1b[0m: \x1b[36m12\x1b[0m");
    }

    #[test]
    fn other_bodies_are_escaped_or_named() {
        let plain = Style::default();
        assert_eq!(
            painted("text/event-stream", &[b"data: \x1b]0;x\x07\n\n"], plain),
            "data: \\x1b]0;x\\x07\n\n"
        );
        assert!(
            painted("audio/mpeg", &[b"ID3\0\0\0", b"abc"], plain).starts_with("[9 bytes of binary")
        );
    }

    proptest! {
        #[test]
        fn no_split_changes_the_layout(
            body in "[{}\\[\\],:\"\\\\a1 \nü\u{202e}]{0,40}",
            step in 1usize..5,
        ) {
            let style = Style { colour: true, ..Style::default() };
            let whole = painted("application/json", &[body.as_bytes()], style);
            let pieces: Vec<_> = body.as_bytes().chunks(step).collect();
            prop_assert_eq!(painted("application/json", &pieces, style), whole);
        }
    }
}
