//! What of an exchange is shown, how, and where.

use super::OutputStyle;

/// Which parts are shown, and how.
#[derive(Clone, Copy, Debug)]
pub struct ViewOptions {
    /// The parts.
    pub parts: ExchangeParts,
    /// Whether lines carry `>`, `<` and `*`; otherwise parts are shown as they are.
    pub with_marks: bool,
    /// How far the response's body is decoded.
    pub decode: DecodeLevel,
    /// In what form the response's body is shown.
    pub answer_form: AnswerForm,
    /// Whether JSON is laid out for reading, in the response's body.
    pub pretty: bool,
    /// And in what stands among the notes.
    pub pretty_notes: bool,
    /// Whether the response's body goes to a screen, so that it is made safe to look at.
    pub on_screen: bool,
}

/// How far a body is decoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DecodeLevel {
    /// From transfer and content coding.
    All,
    /// From chunks alone: compressed data stay compressed.
    TransferOnly,
    /// Not at all.
    Nothing,
}

/// In what form an answer is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AnswerForm {
    /// The body itself.
    Body,
    /// A line for each event.
    Events,
    /// Its text alone.
    Text,
}

/// Parts of an exchange, in the letters of HTTPie and xh.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ExchangeParts {
    /// `H`: the request's head.
    pub request_head: bool,
    /// `B`: its body.
    pub request_body: bool,
    /// `h`: the heads of the responses.
    pub response_head: bool,
    /// `b`: the body.
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

    /// Reads letters such as `hb`; the first letter that names no part is the error.
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

/// Where output goes, and what it can show.
#[derive(Debug)]
pub struct StyledOutput<W> {
    /// The output itself.
    pub out: W,
    /// What it can show.
    pub style: OutputStyle,
}
