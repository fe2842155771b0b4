//! The layers in which exchanges are compared.

use serde::Serialize;

/// The parts of an exchange that are compared, in the order in which they are told.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiffLayer {
    /// Names, addresses, TLS.
    Connection,
    /// Start line, fields and body of the request.
    Request,
    /// Start line and fields of the response.
    Head,
    /// How both bodies are framed and coded, and how the response ended.
    Framing,
    /// The response's body: as JSON, as text, as bytes; of a stream, what its events are made of.
    Body,
    /// The sequence of events.
    Stream,
    /// What the answer means.
    Meaning,
    /// When what came.
    Timing,
}

impl DiffLayer {
    /// All of them, in order.
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

    /// Its name, as users write it.
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
