//! The answer of a model: one [`Completion`] for all dialects, read from decoded bodies, streamed or plain, by one
//! [`AnswerReader`].
//!
//! ```text
//!  decoded body --> sniff --> sse::EventDecoder --> json --> Dialect --> AnswerBuilder --> Completion
//!                                                                             |
//!                                                                             +----------> DeltaSink
//! ```
//!
//! Where each part is: `dialect` has the trait, `dialects/` a file for each dialect and the table [`DIALECTS`]: a new dialect
//! is one file and one line there, and no code compares names. `profile` has the facts that are asked about a dialect, apart
//! from the trait because a [`Completion`] refers to them; `prompt_order` is one of these facts. `builder`
//! joins the pieces and passes each on as an [`AnswerDelta`]; `usage`, `finish`, `api_error` and `model_match` have the
//! tables; `judgement` finds the verdict.
//!
//! Guarantees, held by property tests and fuzzing: any split of the body gives the same answer; nothing that a peer sends
//! is an `Err`; a value that was not sent is absent, never empty or zero; and a body that was cut never reads as complete.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

mod api_error;
mod batch;
mod builder;
mod checks;
mod completion;
mod delta;
mod details;
mod dialect;
mod dialects;
mod final_checks;
mod finish;
mod frames;
mod judgement;
mod members;
pub(crate) mod model_match;
pub mod note;
mod plain_body;
mod profile;
pub mod prompt_order;
mod provider;
mod reader;
mod request_params;
mod retry_delay;
mod sniff;
mod socket_event;
mod stream_events;
mod stream_state;
pub mod timeline;
mod tool_calls;
mod usage;
mod verdict;

#[cfg(test)]
mod tests;

#[doc(hidden)]
pub use checks::{fuzz, fuzz_as};

pub use api_error::{ApiError, ErrorCode, UpstreamError};
pub use builder::AnswerBuilder;
pub use completion::{
    AnswerChoice, AnswerDetail, AnswerVectors, BodyMediaType, Citation, Completion,
    ToolArgumentCheck, ToolCall,
};
pub use delta::{AnswerDelta, DeltaKind, DeltaSink, DeltaStamp};
pub use dialect::{Dialect, ExchangeHeads};
pub use dialects::{DIALECTS, dialect_by_name, dialect_of_request, read_socket_event};
pub use finish::{FinishKind, FinishReason};
pub use model_match::{ModelMatch, compare_models};
pub use note::{AnswerNote, AnswerPlace, NoteFacts, Severity};
pub use profile::{DialectProfile, EndSignal};
pub use reader::{AnswerReader, MomentLookup};
pub use request_params::RequestParams;
pub use retry_delay::RetryDelay;
pub use socket_event::{SocketEvent, SocketRole};
pub use usage::{ReportedCost, TokenUsage};
pub use verdict::{AnswerVerdict, BodyEnding};

use crate::exchange::Exchange;
use crate::sse::MAX_EVENT_BYTES;

/// How much of an answer a reader keeps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum AnswerRetention {
    /// All text, and a [`DeltaStamp`] of every piece.
    #[default]
    Everything,
    /// All text.
    TextOnly,
    /// The beginning of each text, up to 1 MiB: memory stays bounded, and short answers are whole.
    TextStart,
    /// Only sums, identities and ends: memory stays bounded however long the stream is.
    TotalsOnly,
}

/// Longest beginning of a text that is kept, in bytes: longer than any answer of today's models.
const MAX_KEPT_TEXT: usize = 1 << 20;

impl AnswerRetention {
    /// Appends `piece` to `known`, which holds all of the `before` bytes that came until now, or only their
    /// beginning.
    fn append(self, known: &mut String, before: u64, piece: &str) {
        let room = match self {
            Self::Everything | Self::TextOnly => usize::MAX,
            Self::TextStart => MAX_KEPT_TEXT,
            Self::TotalsOnly => 0,
        };
        let is_whole = known.len() as u64 == before;
        if is_whole && known.len().saturating_add(piece.len()) <= room {
            known.push_str(piece);
        }
    }
}

/// Options for reading an answer: dialect, retention, size limit.
#[derive(Clone, Copy, Debug)]
pub struct AnswerReadOptions {
    /// The dialect, if the user named it.
    pub dialect: Option<&'static dyn Dialect>,
    /// How much of the answer is kept.
    pub retention: AnswerRetention,
    /// Longest event, or plain body, in bytes.
    pub size_limit: u64,
}

impl Default for AnswerReadOptions {
    fn default() -> Self {
        Self {
            dialect: None,
            retention: AnswerRetention::Everything,
            size_limit: MAX_EVENT_BYTES,
        }
    }
}

impl Completion {
    /// Reads a whole answer. Both bodies are without content coding; `moments` returns the arrival time of each byte of
    /// `body`.
    pub fn read(
        exchange: &Exchange,
        request_body: &[u8],
        body: &[u8],
        moments: MomentLookup<'_>,
        options: AnswerReadOptions,
    ) -> Self {
        let mut reader = AnswerReader::new(exchange, request_body, options);
        reader.push_with_moments(body, moments, &mut ());
        reader.finish(BodyEnding::from_exchange(exchange), &mut ())
    }
}
