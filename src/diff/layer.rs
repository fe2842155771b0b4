//! The layers in which exchanges are compared.

use serde::Serialize;

/// A part of an exchange that is compared on its own. Reports have the layers in this order.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffLayer {
    /// Host, addresses, proxy, TLS.
    Connection,
    /// Start line, fields and body of the request.
    Request,
    /// Start line and fields of the response.
    Head,
    /// How both bodies are framed and coded, and how the response ended.
    Framing,
    /// The body of the response as JSON, text or bytes; of a stream, the shape of its events.
    Body,
    /// The sequence of events of a stream.
    Stream,
    /// The meaning of the answer: text, tool calls, usage.
    Meaning,
    /// Times of connection, events and answer.
    Timing,
}

impl DiffLayer {
    /// All layers, in order.
    pub const ALL: [Self; 8] = [
        Self::Connection,
        Self::Request,
        Self::Head,
        Self::Framing,
        Self::Body,
        Self::Stream,
        Self::Meaning,
        Self::Timing,
    ];

    /// The name, as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Request => "request",
            Self::Head => "head",
            Self::Framing => "framing",
            Self::Body => "body",
            Self::Stream => "stream",
            Self::Meaning => "meaning",
            Self::Timing => "timing",
        }
    }

    /// The layer of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|layer| layer.name() == name)
    }
}
