//! The options of a view: which parts are shown, how, and where.

use super::OutputStyle;

/// The parts to show and their form.
#[derive(Clone, Copy, Debug)]
pub struct ViewOptions {
    /// The parts.
    pub parts: ExchangeParts,
    /// Whether lines have the marks `>`, `<` and `*`; otherwise parts are written unchanged.
    pub with_marks: bool,
    /// How far the response's body is decoded.
    pub decode: DecodeLevel,
    /// The form of the response's body.
    pub answer_form: AnswerForm,
    /// Whether JSON is laid out for reading in the response's body.
    pub pretty: bool,
    /// Whether JSON is laid out for reading among the notes.
    pub pretty_notes: bool,
    /// Whether the response's body goes to a terminal and must be escaped.
    pub on_screen: bool,
}

/// How far a body is decoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DecodeLevel {
    /// Transfer and content coding are removed.
    All,
    /// Chunks are removed; compressed data stay compressed.
    TransferOnly,
    /// Nothing is removed.
    Nothing,
}

/// The form in which an answer is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AnswerForm {
    /// The body itself.
    Body,
    /// One line for each event.
    Events,
    /// Only its text.
    Text,
}

/// The parts of an exchange, named by the letters of HTTPie and xh.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ExchangeParts {
    /// `H`: the request's head.
    pub request_head: bool,
    /// `B`: the request's body.
    pub request_body: bool,
    /// `h`: the heads of the responses.
    pub response_head: bool,
    /// `b`: the response's body.
    pub response_body: bool,
    /// `m`: facts, oddities, timing.
    pub meta: bool,
}

impl ExchangeParts {
    /// Every part.
    pub const ALL: Self = Self {
        request_head: true,
        request_body: true,
        response_head: true,
        response_body: true,
        meta: true,
    };

    /// Reads letters such as `hb`. The error is the first letter that names no part.
    pub fn parse(letters: &str) -> Result<Self, char> {
        let mut parts = Self::default();
        for letter in letters.chars() {
            *match letter {
                'H' => &mut parts.request_head,
                'B' => &mut parts.request_body,
                'h' => &mut parts.response_head,
                'b' => &mut parts.response_body,
                'm' => &mut parts.meta,
                other => return Err(other),
            } = true;
        }
        Ok(parts)
    }
}

/// An output and its style.
#[derive(Debug)]
pub struct StyledOutput<W> {
    /// The output itself.
    pub out: W,
    /// Its style.
    pub style: OutputStyle,
}
