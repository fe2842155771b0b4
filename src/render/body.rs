//! A body on a terminal, as it arrives: JSON is laid out and coloured, other text is escaped, binary data is
//! only counted. Bodies written to a pipe do not pass through here.

use std::fmt::Write as _;

use super::escape::StreamEscaper;
use super::{OutputStyle, TextStyle};

/// Lays out one body, piece by piece.
#[derive(Debug)]
pub struct BodyPrinter {
    style: OutputStyle,
    escaper: StreamEscaper,
    kind: BodyKind,
    bytes: u64,
}

#[derive(Debug)]
enum BodyKind {
    Text,
    /// Text, even if it is full of control characters.
    AnyBytes,
    Json(JsonPrinter),
    /// Binary data: counted, not shown.
    Binary,
}

impl BodyPrinter {
    /// A printer for a body of the media type `media`. `pretty`: JSON is laid out anew.
    pub fn new(media: &[u8], pretty: bool, style: OutputStyle) -> Self {
        let kind = if pretty && is_json(media) {
            BodyKind::Json(JsonPrinter {
                style,
                ..JsonPrinter::default()
            })
        } else {
            BodyKind::Text
        };
        Self {
            style,
            escaper: StreamEscaper::default(),
            kind,
            bytes: 0,
        }
    }

    /// A printer for bytes that are no body: all are shown, escaped.
    pub fn for_any_bytes(style: OutputStyle) -> Self {
        Self {
            kind: BodyKind::AnyBytes,
            ..Self::new(b"", false, style)
        }
    }

    /// Appends the text for `bytes` to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut String) {
        let undecided = self.bytes == 0 && !matches!(self.kind, BodyKind::AnyBytes);
        if undecided && is_binary(bytes) {
            self.kind = BodyKind::Binary;
        }
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        match &mut self.kind {
            BodyKind::Text | BodyKind::AnyBytes => self.escaper.push(bytes, out),
            BodyKind::Json(json) => json.push(bytes, &mut self.escaper, out),
            BodyKind::Binary => {}
        }
    }

    /// Appends the rest: bytes that waited for more, closing colours, the note about binary data.
    pub fn finish(&mut self, out: &mut String) {
        self.escaper.finish(out);
        if let BodyKind::Json(json) = &mut self.kind {
            json.finish(out);
        }
        if let BodyKind::Binary = self.kind {
            let text = format!(
                "[{} of binary data, not shown; a pipe receives them unchanged, `wire show --hex` dumps them]\n",
                super::wording::format_bytes(self.bytes)
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

/// Whether a body that begins with `bytes` is binary: a zero byte in the first KiB, as git and grep decide, or
/// the magic number of gzip or Zstandard.
fn is_binary(bytes: &[u8]) -> bool {
    let seen = bytes.get(..1024).unwrap_or(bytes);
    seen.contains(&0) || seen.starts_with(b"\x1f\x8b") || seen.starts_with(b"\x28\xb5\x2f\xfd")
}

/// Lays JSON out as it arrives. It checks nothing: bytes that are not JSON are written too.
#[derive(Debug, Default)]
struct JsonPrinter {
    style: OutputStyle,
    /// The closing bytes of the open containers.
    open_containers: Vec<u8>,
    /// Open containers below [`MAX_INDENT_DEPTH`], whose closing bytes are not kept.
    extra_depth: u64,
    token: JsonToken,
    /// A container was opened and is empty so far.
    container_empty: bool,
    /// The next string in this object is a key.
    expects_key: bool,
    /// A value ended. Another one begins on a new line at the top, and after a space where a comma is
    /// missing.
    value_ended: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum JsonToken {
    #[default]
    None,
    String {
        escaped: bool,
    },
    /// A number or literal; it ends at a byte that cannot belong to one.
    Word,
}

/// Containers that are indented: deeper ones would fill a line with spaces (two a level).
const MAX_INDENT_DEPTH: usize = 64;

impl JsonPrinter {
    fn push(&mut self, bytes: &[u8], escaper: &mut StreamEscaper, out: &mut String) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            match self.token {
                JsonToken::String { escaped } => {
                    let length = string_run_len(rest, escaped);
                    let (run, after) = rest.split_at(length);
                    escaper.push(run, out);
                    self.continue_string(run, escaped, escaper, out);
                    rest = after;
                }
                JsonToken::Word if is_word_byte(byte) => {
                    let length = rest.iter().position(|&byte| !is_word_byte(byte));
                    let (run, after) = rest.split_at(length.unwrap_or(rest.len()));
                    escaper.push(run, out);
                    rest = after;
                }
                JsonToken::Word => {
                    escaper.finish(out);
                    self.end_token(out);
                }
                JsonToken::None => {
                    self.push_structural(byte, out);
                    // A word's first byte is read again, as part of it.
                    if self.token != JsonToken::Word {
                        rest = after;
                    }
                }
            }
        }
    }

    fn continue_string(
        &mut self,
        run: &[u8],
        escaped: bool,
        escaper: &mut StreamEscaper,
        out: &mut String,
    ) {
        match run.last() {
            Some(b'\\') if !(escaped && run.len() == 1) => {
                self.token = JsonToken::String { escaped: true };
            }
            Some(b'"') if !(escaped && run.len() == 1) => {
                escaper.finish(out);
                self.end_token(out);
            }
            _ => self.token = JsonToken::String { escaped: false },
        }
    }

    fn end_token(&mut self, out: &mut String) {
        self.token = JsonToken::None;
        if self.style.colour {
            let _ = write!(out, "{}", anstyle::Reset);
        }
        self.value_ended = true;
    }

    fn push_structural(&mut self, byte: u8, out: &mut String) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => {}
            b'}' | b']' => self.close_container(byte, out),
            b',' => {
                out.push(',');
                self.value_ended = false;
                self.new_line(out);
                self.expects_key = self.open_containers.last() == Some(&b'}');
            }
            b':' => {
                out.push_str(": ");
                (self.expects_key, self.value_ended) = (false, false);
            }
            _ => self.begin_value(byte, out),
        }
    }

    fn begin_value(&mut self, byte: u8, out: &mut String) {
        match self.value_ended && !self.open_containers.is_empty() {
            true => out.push(' '),
            false if self.value_ended || self.container_empty => self.new_line(out),
            false => {}
        }
        (self.value_ended, self.container_empty) = (false, false);
        match byte {
            b'{' | b'[' => {
                out.push(char::from(byte));
                if self.open_containers.len() < MAX_INDENT_DEPTH {
                    self.open_containers
                        .push(if byte == b'{' { b'}' } else { b']' });
                } else {
                    self.extra_depth = self.extra_depth.saturating_add(1);
                }
                self.container_empty = true;
                self.expects_key = byte == b'{';
            }
            b'"' => {
                self.push_colour(
                    if self.expects_key {
                        TextStyle::Name
                    } else {
                        TextStyle::Text
                    },
                    out,
                );
                out.push('"');
                self.token = JsonToken::String { escaped: false };
            }
            _ => {
                self.push_colour(
                    match byte {
                        b't' | b'f' | b'n' => TextStyle::Literal,
                        _ => TextStyle::Number,
                    },
                    out,
                );
                self.token = JsonToken::Word;
            }
        }
    }

    fn close_container(&mut self, byte: u8, out: &mut String) {
        if self.extra_depth > 0 {
            self.extra_depth = self.extra_depth.saturating_sub(1);
        } else {
            self.open_containers.pop();
        }
        if !self.container_empty {
            self.new_line(out);
        }
        out.push(char::from(byte));
        self.container_empty = false;
        self.expects_key = false;
        self.value_ended = true;
    }

    fn push_colour(&self, look: TextStyle, out: &mut String) {
        if self.style.colour {
            let _ = write!(out, "{}", look.ansi_style());
        }
    }

    fn new_line(&self, out: &mut String) {
        if self.extra_depth > 0 {
            return;
        }
        out.push('\n');
        for _ in &self.open_containers {
            out.push_str("  ");
        }
    }

    /// Ends colours and the line at the end of the body.
    fn finish(&mut self, out: &mut String) {
        if self.token != JsonToken::None {
            self.end_token(out);
        }
        if self.value_ended && self.open_containers.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
    }
}

/// Bytes of a string that can be taken at once: up to and with a quote or backslash
/// (`bytes` lie inside a string).
fn string_run_len(bytes: &[u8], escaped: bool) -> usize {
    if escaped {
        return bytes.len().min(1);
    }
    memchr::memchr2(b'"', b'\\', bytes).map_or(bytes.len(), |place| place.saturating_add(1))
}

fn is_word_byte(byte: u8) -> bool {
    !matches!(
        byte,
        b' ' | b'\t' | b'\r' | b'\n' | b',' | b':' | b'{' | b'}' | b'[' | b']' | b'"'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn painted(media: &str, pieces: &[&[u8]], style: OutputStyle) -> String {
        let mut painter = BodyPrinter::new(media.as_bytes(), true, style);
        let mut out = String::new();
        for piece in pieces {
            painter.push(piece, &mut out);
        }
        painter.finish(&mut out);
        out
    }

    #[test]
    fn json_is_laid_out_on_lines() {
        #[track_caller]
        fn case(body: &str, expected: &str) {
            let plain = OutputStyle::default();
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
        let style = OutputStyle {
            colour: true,
            ..OutputStyle::default()
        };
        let out = painted("application/json", &[b"{\"a\":12"], style);
        assert_eq!(out, "{\n  \x1b[34m\"a\"\x1b[0m: \x1b[36m12\x1b[0m");
    }

    #[test]
    fn other_bodies_are_escaped_or_named() {
        let plain = OutputStyle::default();
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
            let style = OutputStyle { colour: true, ..OutputStyle::default() };
            let whole = painted("application/json", &[body.as_bytes()], style);
            let pieces: Vec<_> = body.as_bytes().chunks(step).collect();
            prop_assert_eq!(painted("application/json", &pieces, style), whole);
        }
    }
}
