//! Views: they write values and live feeds as text to a given `Write`. Nothing here opens a file or chooses an
//! output; colour, width and character set are passed in as an [`OutputStyle`].

pub mod authority;
pub mod body;
mod body_output;
mod delta_view;
mod deltas;
pub mod diff;
pub mod escape;
mod event_docs;
pub mod events;
mod findings;
mod head;
pub mod hex;
pub mod json_output;
pub mod lint_report;
pub mod listing;
pub mod live;
pub mod prices;
pub mod program;
mod service;
mod sparkline;
pub mod summary;
mod timing;
pub mod trials;
pub mod view_options;
pub mod websocket;
pub mod wording;

use anstyle::{AnsiColor, Effects};

use crate::call::Call;
use crate::call::meaning::CallMeaning;
use crate::content::DecodeError;
use crate::exchange::Exchange;

/// The abilities of an output. Passed in, never global.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OutputStyle {
    /// Whether colours and weights are written.
    pub colour: bool,
    /// Whether characters beyond ASCII may be drawn.
    pub unicode: bool,
    /// Width in columns.
    pub width: usize,
}

impl Default for OutputStyle {
    fn default() -> Self {
        Self {
            colour: false,
            unicode: false,
            width: 80,
        }
    }
}

/// The role of a piece of text, which decides its colour and weight.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TextStyle {
    /// Ordinary text.
    Plain,
    /// Secondary text: times, marks.
    Dim,
    /// Text to find first.
    Strong,
    /// The name of a field, a JSON key.
    Name,
    /// A JSON string.
    Text,
    /// A number.
    Number,
    /// `true`, `false`, `null`.
    Literal,
    /// A success.
    Success,
    /// Something odd or slow.
    Warning,
    /// A failure.
    Error,
}

impl OutputStyle {
    /// `text` in the given style, unchanged if colours are off.
    pub fn paint(&self, look: TextStyle, text: &str) -> String {
        if !self.colour || text.is_empty() || look == TextStyle::Plain {
            return text.to_owned();
        }
        let style = look.ansi_style();
        format!("{style}{text}{style:#}")
    }

    /// `text` as secondary text.
    pub fn dim(&self, text: &str) -> String {
        self.paint(TextStyle::Dim, text)
    }
}

impl TextStyle {
    fn ansi_style(self) -> anstyle::Style {
        let plain = anstyle::Style::new();
        let of = |colour: AnsiColor| plain.fg_color(Some(colour.into()));
        match self {
            Self::Plain => plain,
            Self::Dim => plain.effects(Effects::DIMMED),
            Self::Strong => plain.effects(Effects::BOLD),
            Self::Name => of(AnsiColor::Blue),
            Self::Text | Self::Success => of(AnsiColor::Green),
            Self::Number => of(AnsiColor::Cyan),
            Self::Literal => of(AnsiColor::Magenta),
            Self::Warning => of(AnsiColor::Yellow),
            Self::Error => of(AnsiColor::Red).effects(Effects::BOLD),
        }
    }
}

/// The results of painting an exchange, which decide the exit code.
#[derive(Debug)]
pub struct RenderedExchange {
    /// The exchange.
    pub exchange: Exchange,
    /// The meaning of the call; `None` if no response began.
    pub meaning: Option<CallMeaning>,
    /// Why the response's body cannot be decoded.
    pub decode_error: Option<DecodeError>,
    /// The error that ended the painting.
    pub output_error: Option<std::io::Error>,
}

impl RenderedExchange {
    /// The results of a view that painted the whole `call`.
    pub fn from_call(call: Call, output_error: Option<std::io::Error>) -> Self {
        Self {
            exchange: call.exchange,
            meaning: Some(call.meaning),
            decode_error: call.response_body.error,
            output_error,
        }
    }

    /// Whether the response's body could be decoded and the answer in it did not break off.
    pub fn is_complete(&self) -> bool {
        let is_broken_off = |meaning: &CallMeaning| meaning.is_broken_off();
        self.decode_error.is_none() && !self.meaning.as_ref().is_some_and(is_broken_off)
    }
}
