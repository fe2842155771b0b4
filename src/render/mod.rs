//! Views: values and feeds in, text out into a given `Write`. Nothing here opens, reads or decides where
//! output goes; colour, width and character set come in as a [`Style`].

pub mod body;
pub mod diff;
pub mod escape;
pub mod events;
mod flow;
mod head;
pub mod hex;
pub mod listing;
pub mod live;
pub mod machine;
mod meaning;
mod pieces;
pub mod plan;
pub mod prices;
mod service;
mod strip;
pub mod summary;
mod tail;
mod timing;
pub mod trials;
pub mod words;

use anstyle::{AnsiColor, Effects};

use crate::call::meaning::Report;
use crate::content::DecodeError;
use crate::exchange::Exchange;

/// What the output can show. Passed in, never global.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Style {
    /// Whether colours and weights are written.
    pub colour: bool,
    /// Whether characters beyond ASCII may be drawn.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Style {
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
pub enum Look {
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
    Good,
    /// Strange, or slow.
    Odd,
    /// It went wrong.
    Bad,
}

impl Style {
    /// `text` with its looks, or as it is where colours are off.
    pub fn paint(&self, look: Look, text: &str) -> String {
        if !self.colour || text.is_empty() || look == Look::Plain {
            return text.to_owned();
        }
        let style = look.style();
        format!("{style}{text}{style:#}")
    }

    /// Text beside the matter.
    pub fn dim(&self, text: &str) -> String {
        self.paint(Look::Dim, text)
    }
}

impl Look {
    fn style(self) -> anstyle::Style {
        let plain = anstyle::Style::new();
        let of = |colour: AnsiColor| plain.fg_color(Some(colour.into()));
        match self {
            Self::Plain => plain,
            Self::Dim => plain.effects(Effects::DIMMED),
            Self::Strong => plain.effects(Effects::BOLD),
            Self::Name => of(AnsiColor::Blue),
            Self::Text | Self::Good => of(AnsiColor::Green),
            Self::Number => of(AnsiColor::Cyan),
            Self::Literal => of(AnsiColor::Magenta),
            Self::Odd => of(AnsiColor::Yellow),
            Self::Bad => of(AnsiColor::Red).effects(Effects::BOLD),
        }
    }
}

/// What a painted exchange leaves behind, for whoever decides how to go on.
#[derive(Debug)]
pub struct Painted {
    /// The exchange.
    pub exchange: Exchange,
    /// What it means; `None` where no response began.
    pub report: Option<Report>,
    /// What is wrong with the coding of the response's body.
    pub trouble: Option<DecodeError>,
    /// The error that ended the painting.
    pub broken: Option<std::io::Error>,
}
