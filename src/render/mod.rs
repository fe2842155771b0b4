//! Views: values and feeds in, text out into a given `Write`. Nothing here opens, reads or decides where
//! output goes; colour, width and character set come in as a [`OutputStyle`].

mod answer_tail;
pub mod body;
mod body_output;
mod deltas;
pub mod diff;
pub mod escape;
pub mod events;
mod head;
pub mod hex;
pub mod json_output;
pub mod listing;
pub mod live;
mod live_answer;
pub mod prices;
mod service;
mod sparkline;
pub mod summary;
mod timing;
pub mod trials;
pub mod view_options;
pub mod wording;

use anstyle::{AnsiColor, Effects};

use crate::call::Call;
use crate::call::meaning::CallMeaning;
use crate::content::DecodeError;
use crate::exchange::Exchange;

/// What the output can show. Passed in, never global.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OutputStyle {
    /// Whether colours and weights are written.
    pub colour: bool,
    /// Whether characters beyond ASCII may be drawn.
    pub unicode: bool,
    /// Columns.
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

/// What a piece of text is, as far as its looks go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TextStyle {
    /// As everything else.
    Plain,
    /// Beside the matter: times, marks.
    Dim,
    /// What the eye should find first.
    Strong,
    /// A name: a field's, a JSON key.
    Name,
    /// A JSON string.
    Text,
    /// A number.
    Number,
    /// `true`, `false`, `null`.
    Literal,
    /// It went well.
    Success,
    /// Strange, or slow.
    Warning,
    /// It went wrong.
    Error,
}

impl OutputStyle {
    /// `text` with its looks, or as it is where colours are off.
    pub fn paint(&self, look: TextStyle, text: &str) -> String {
        if !self.colour || text.is_empty() || look == TextStyle::Plain {
            return text.to_owned();
        }
        let style = look.ansi_style();
        format!("{style}{text}{style:#}")
    }

    /// Text beside the matter.
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

/// What a painted exchange leaves behind, for whoever decides how to go on.
#[derive(Debug)]
pub struct RenderedExchange {
    /// The exchange.
    pub exchange: Exchange,
    /// What it means; `None` where no response began.
    pub meaning: Option<CallMeaning>,
    /// What is wrong with the coding of the response's body.
    pub decode_error: Option<DecodeError>,
    /// The error that ended the painting.
    pub output_error: Option<std::io::Error>,
}

impl RenderedExchange {
    /// What a view of the whole `call` leaves behind.
    pub fn from_call(call: Call, output_error: Option<std::io::Error>) -> Self {
        Self {
            exchange: call.exchange,
            meaning: Some(call.meaning),
            decode_error: call.response_body.error,
            output_error,
        }
    }
}
