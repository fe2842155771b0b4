//! The meaning of an exchange with a model: one [`Completion`] for the answers of all dialects, read from
//! decoded bodies, streamed or plain, by one [`Reader`].
//!
//! Where each part lives: `dialect` says what a dialect is and lists them all, one file each (`openai`,
//! `responses`, `anthropic`, `gemini`, `interactions`, `ollama`, `cohere`, `embeddings`); they write into `gather`, which joins
//! the pieces and tells each as a [`Delta`]; `usage`, `finish`, `errors`, `models` hold the tables; `verdict`
//! judges the end. A new dialect is one file and one line in [`DIALECTS`].
//!
//! ```text
//!  decoded body --> sniff --> sse::Decoder --> json --> Dialect --> Gather --> Completion
//!                                                                     |
//!                                                                     +------> Hear (each Delta)
//! ```
//!
//! Guarantees, held by property tests and fuzzing: any split of the body gives the same answer; nothing that
//! a peer sends is an error of ours; what was not sent is absent, never empty or zero; and a body that was cut
//! never reads as whole.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

mod calls;
mod completion;
mod delta;
mod dialect;
mod dialects;
mod errors;
mod finish;
mod gather;
mod models;
mod plain;
mod provider;
mod reader;
mod settle;
mod sniff;
pub mod timeline;
mod usage;
mod verdict;
mod wait;

#[cfg(test)]
mod tests;

pub use completion::{Arguments, Choice, Citation, Completion, Media, Note, NoteKind, ToolCall};
pub use delta::{Delta, DeltaKind, Hear, Stamp};
pub use dialect::{Asked, Dialect, Ends};
pub use dialects::{DIALECTS, by_name};
pub use errors::{ApiError, Code};
pub use finish::{Finish, FinishKind};
pub use gather::Gather;
pub use models::{Match, compare};
pub use reader::{Moments, Reader};
pub use usage::{Cost, Usage};
pub use verdict::{Ending, Verdict};
pub use wait::Wait;

use crate::exchange::Exchange;
use crate::sse::MAX_EVENT_BYTES;

/// How much of an answer a reader keeps.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Keep {
    /// Its text, and a [`Stamp`] of every piece.
    #[default]
    All,
    /// Its text.
    Text,
    /// The beginning of each text, up to 1 MiB: memory stays bounded, and short answers are whole.
    Beginning,
    /// Only sums, identities and ends: memory stays bounded however long the stream is.
    Sums,
}

/// How much of a text is its beginning, in bytes.
const BEGINNING: usize = 1 << 20;

impl Keep {
    /// Appends `piece` to `known`, which holds all of the `before` bytes that came until now, or only their
    /// beginning.
    fn append(self, known: &mut String, before: u64, piece: &str) {
        let room = match self {
            Self::All | Self::Text => usize::MAX,
            Self::Beginning => BEGINNING,
            Self::Sums => 0,
        };
        let is_whole = known.len() as u64 == before;
        if is_whole && known.len().saturating_add(piece.len()) <= room {
            known.push_str(piece);
        }
    }
}

/// How an answer is to be read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The dialect, where the user named it.
    pub dialect: Option<&'static dyn Dialect>,
    /// How much is kept.
    pub keep: Keep,
    /// Longest event, or plain body, in bytes.
    pub limit: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            dialect: None,
            keep: Keep::All,
            limit: MAX_EVENT_BYTES,
        }
    }
}

impl Completion {
    /// Reads a whole answer. Both bodies without content coding; `moments` tells when each byte of the
    /// response's came.
    pub fn read(
        exchange: &Exchange,
        request_body: &[u8],
        body: &[u8],
        moments: Moments<'_>,
        options: Options,
    ) -> Self {
        let mut reader = Reader::begin(exchange, request_body, options);
        reader.push_with(body, moments, &mut ());
        reader.finish(Ending::of(exchange), &mut ())
    }
}

/// Reads `bytes` as the body of every dialect, and of none that is named. The body of a fuzz target.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    alike(bytes, None);
    for &dialect in DIALECTS {
        alike(bytes, Some(dialect));
    }
}

/// Reads `bytes` as the body of the dialect called `name`; of none, as one whose dialect the body tells. The
/// body of a fuzz target for each.
#[doc(hidden)]
pub fn fuzz_as(name: Option<&str>, bytes: &[u8]) {
    let dialect = name.and_then(by_name);
    assert_eq!(name, dialect.map(Dialect::name), "no such dialect");
    alike(bytes, dialect);
}

/// Asserts that any split gives the same answer, and that what was cut never reads as whole.
fn alike(bytes: &[u8], dialect: Option<&'static dyn Dialect>) {
    for keep in [Keep::All, Keep::Sums] {
        let options = Options {
            dialect,
            keep,
            limit: MAX_EVENT_BYTES,
        };
        let whole = in_pieces(bytes, options, bytes.len(), Ending::Whole);
        for size in [1, 7] {
            let split = in_pieces(bytes, options, size, Ending::Whole);
            assert_eq!(whole, split, "{dialect:?}: a split changes the answer");
        }
        let (cut, _) = in_pieces(bytes, options, bytes.len(), Ending::Cut { within: None });
        assert!(!cut.verdict.is_whole(), "{dialect:?}: cut, and yet whole");
    }
}

fn in_pieces(
    bytes: &[u8],
    options: Options,
    size: usize,
    ending: Ending,
) -> (Completion, Vec<String>) {
    let mut told = Vec::new();
    let mut hear = |delta: &Delta<'_>| {
        told.push(format!("{:?} {} {}", delta.kind, delta.text, delta.span));
    };
    let mut reader = Reader::begin(&Exchange::default(), &[], options);
    for piece in bytes.chunks(size.max(1)) {
        reader.push(piece, crate::span::Moment::default(), &mut hear);
    }
    let completion = reader.finish(ending, &mut hear);
    (completion, told)
}
