//! Undoes content codings while the bytes arrive (RFC 9110, 8.4; as transfer codings RFC 9112, 7.2), within limits,
//! and gives the wire offset of every decoded byte.
//!
//! ```text
//!  coded bytes --> last coding applied --> ... --> first coding applied --> out
//!                  16 KiB at a time, limits checked after each
//! ```
//!
//! Guarantees, held by property tests and fuzzing:
//!
//! - every byte that can be decoded from the input so far is returned at once: a server that flushes after each event
//!   is read event by event;
//! - bytes decoded before an error are kept, and are never more than the limit;
//! - any split of a valid stream gives the same bytes. A corrupt one gives the same error, and all bytes that the
//!   decoder library returns; with `br` a split may lose the last of them.

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

mod body;
mod checks;
mod engine;
#[cfg(test)]
mod tests;

pub use body::DecodedBody;
#[doc(hidden)]
pub use checks::fuzz;

use engine::DecoderEngine;

/// A content coding: how the bytes of a body are compressed.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentCoding {
    /// `gzip` or `x-gzip`: RFC 1952, of one member or several.
    Gzip,
    /// `deflate`: a zlib stream (RFC 1950), or the bare deflate data (RFC 1951) that some servers send.
    Deflate,
    /// `br`: RFC 7932.
    Brotli,
    /// `zstd`: RFC 8878, of one frame or several.
    Zstd,
    /// `identity`: not coded.
    Identity,
}

impl ContentCoding {
    /// Parses Content-Encoding values into codings, in the order in which they were applied.
    ///
    /// Each name may be one coding or a whole field value with commas. Case does not count; `identity` and
    /// empty elements are dropped.
    pub fn parse<'a>(
        names: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Vec<Self>, UnknownCoding> {
        let elements = names
            .into_iter()
            .flat_map(|name| name.split(|&byte| byte == b','));
        let names = elements
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty());
        let codings = names
            .map(Self::from_name)
            .filter(|coding| *coding != Ok(Self::Identity));
        codings.collect()
    }

    fn from_name(name: &[u8]) -> Result<Self, UnknownCoding> {
        match name.to_ascii_lowercase().as_slice() {
            b"gzip" | b"x-gzip" => Ok(Self::Gzip),
            b"deflate" => Ok(Self::Deflate),
            b"br" => Ok(Self::Brotli),
            b"zstd" => Ok(Self::Zstd),
            b"identity" => Ok(Self::Identity),
            _ => Err(UnknownCoding {
                name: name.to_vec(),
            }),
        }
    }

    /// The registered name of the coding.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
            Self::Identity => "identity",
        }
    }
}

impl std::fmt::Display for ContentCoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// The error for a content coding that `wire` does not know.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown content coding `{}`", name.escape_ascii())]
pub struct UnknownCoding {
    /// The name, as the peer wrote it.
    pub name: Vec<u8>,
}

/// Limits on the output of a decoder, against decompression bombs.
#[derive(Clone, Copy, Debug)]
pub struct DecodeLimits {
    /// Most decoded bytes of each coding that are passed on without being held; by default 4 GiB, more than any answer
    /// of an API has.
    pub size: u64,
    /// Most decoded bytes of a coded body that is held in memory ([`DecodedBody`]), where each costs several bytes;
    /// by default 256 MiB. A body without coding is as long as its wire bytes, and has [`DecodeLimits::size`].
    pub held_size: u64,
    /// Most decoded bytes for each coded byte; by default 200. `gzip` and `deflate` reach at most 1032, so that a limit
    /// above it would catch none of their bombs. Applies after the first 16 MiB of output: less does no harm, and
    /// honest small bodies reach any ratio.
    pub ratio: u64,
    /// Base-2 logarithm of the window that a `zstd` frame may ask for; by default 27, which is 128 MiB of
    /// memory and the default limit of the `zstd` program.
    pub window_log: u32,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self {
            size: 4 << 30,
            held_size: 256 << 20,
            ratio: 200,
            window_log: 27,
        }
    }
}

/// Decoded bytes before [`DecodeLimits::ratio`] applies: an amount that does no harm in memory.
const RATIO_EXEMPT_BYTES: u64 = 16 << 20;

/// Most codings of one body: honest senders apply one or two, and each costs memory.
const MAX_CODINGS: usize = 8;

/// The error that ended decoding: coding, fault and offset.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{coding}: {kind} (byte {at} of the coded body)")]
pub struct DecodeError {
    /// Offset in the coded bytes: of the first byte at fault where the coder reports it, else of a byte by which
    /// the fault has shown.
    pub at: u64,
    /// The coding that could not be undone.
    pub coding: ContentCoding,
    /// The fault.
    pub kind: CodingFault,
}

/// A fault of coded bytes, or a limit that they exceed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodingFault {
    /// The first bytes cannot begin a body in this coding.
    #[error("the body does not begin as this coding does")]
    NotCoded,
    /// The decoder library reports corrupt bytes: its message.
    #[error("the coded bytes are corrupt: {0}")]
    Corrupt(String),
    /// The bytes end before the coded stream does.
    #[error("the coded bytes stop before their end")]
    Truncated,
    /// More bytes follow the end of the coded stream.
    #[error("more bytes follow the end of the coded ones")]
    TrailingBytes,
    /// The output exceeds [`DecodeLimits::size`] or [`DecodeLimits::held_size`].
    #[error("more than {0} bytes come out")]
    SizeLimit(u64),
    /// The output exceeds [`DecodeLimits::ratio`].
    #[error("more than {0} bytes come out for each that went in")]
    RatioLimit(u64),
    /// A frame needs a window over [`DecodeLimits::window_log`].
    #[error("a window of more than 2^{0} bytes is needed")]
    WindowLimit(u32),
    /// The body has more codings than [`MAX_CODINGS`]: their number.
    #[error("{0} codings are on this body, more than can be undone")]
    TooManyCodings(usize),
}

impl CodingFault {
    /// Whether the fault is a limit of `wire` on the output, and the bytes may be valid.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::SizeLimit(_) | Self::RatioLimit(_))
    }
}

/// Decodes the content codings of one body, piece by piece.
pub struct ContentDecoder {
    /// One stage for each coding, the coding that was applied last first. Never empty.
    stages: Vec<DecoderStage>,
    limits: DecodeLimits,
    /// Number of coded bytes that the outermost coding has read.
    taken: u64,
    error: Option<DecodeError>,
}

struct DecoderStage {
    coding: ContentCoding,
    engine: DecoderEngine,
    /// Number of bytes read.
    bytes_in: u64,
    /// Number of bytes written.
    bytes_out: u64,
    /// Room for the output of one step. It is kept, since to fill 16 KiB with zeros takes longer than to copy an event.
    buffer: Vec<u8>,
}

/// Most bytes that one step of a stage writes.
const STEP_SIZE: usize = 16 << 10;

impl ContentDecoder {
    /// A decoder for a body to which `codings` were applied in this order.
    pub fn new(codings: &[ContentCoding], limits: DecodeLimits) -> Self {
        let identity = [ContentCoding::Identity];
        let codings = if codings.is_empty() {
            &identity
        } else {
            codings
        };
        let stage = |&coding: &ContentCoding| DecoderStage {
            coding,
            engine: DecoderEngine::new(coding, limits),
            bytes_in: 0,
            bytes_out: 0,
            buffer: Vec::new(),
        };
        Self {
            stages: codings.iter().rev().take(MAX_CODINGS).map(stage).collect(),
            limits,
            taken: 0,
            error: (codings.len() > MAX_CODINGS).then(|| DecodeError {
                at: 0,
                coding: codings.last().copied().unwrap_or(ContentCoding::Identity),
                kind: CodingFault::TooManyCodings(codings.len()),
            }),
        }
    }

    /// Decodes the next coded bytes and appends to `out` all that can be decoded so far.
    ///
    /// # Errors
    ///
    /// On an error, the bytes decoded before it are in `out`. Later calls change nothing and return the same
    /// error.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        self.push_to(bytes, &mut |piece| out.extend_from_slice(piece))
    }

    /// Decodes the next coded bytes without holding the output: `out` gets at most 16 KiB at a time.
    ///
    /// # Errors
    ///
    /// As [`ContentDecoder::push`].
    pub fn push_to(&mut self, bytes: &[u8], out: &mut dyn FnMut(&[u8])) -> Result<(), DecodeError> {
        if self.error.is_none() && !bytes.is_empty() {
            let mut flow = StagePipeline {
                limits: self.limits,
                taken: &mut self.taken,
                out,
            };
            self.error = flow.push_through(&mut self.stages, true, bytes).err();
        }
        self.current_result()
    }

    /// Ends the body; an error if it is truncated.
    ///
    /// A body without any byte is complete in every coding: the answer to HEAD, or a 204, keeps the field.
    ///
    /// # Errors
    ///
    /// [`CodingFault::Truncated`] if a coded stream has not ended; the earlier error if there was one.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        let cut = |stage: &&DecoderStage| stage.bytes_in > 0 && !stage.engine.is_whole();
        if let (None, Some(stage)) = (&self.error, self.stages.iter().find(cut)) {
            self.error = Some(DecodeError {
                at: self.taken,
                coding: stage.coding,
                kind: CodingFault::Truncated,
            });
        }
        self.current_result()
    }

    fn current_result(&self) -> Result<(), DecodeError> {
        self.error.clone().map_or(Ok(()), Err)
    }
}

impl std::fmt::Debug for ContentDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let codings: Vec<ContentCoding> = self.stages.iter().map(|stage| stage.coding).collect();
        f.debug_struct("Decoder")
            .field("codings", &codings)
            .field("taken", &self.taken)
            .field("trouble", &self.error)
            .finish()
    }
}

/// One call of `push`: runs bytes through all stages to the output.
struct StagePipeline<'a> {
    limits: DecodeLimits,
    taken: &'a mut u64,
    out: &'a mut dyn FnMut(&[u8]),
}

impl StagePipeline<'_> {
    /// Runs `input` through the first stage, and its output through the stages after it.
    fn push_through(
        &mut self,
        stages: &mut [DecoderStage],
        outermost: bool,
        input: &[u8],
    ) -> Result<(), DecodeError> {
        let Some((stage, inner)) = stages.split_first_mut() else {
            (self.out)(input);
            return Ok(());
        };
        stage.buffer.resize(STEP_SIZE, 0);
        let mut rest = input;
        loop {
            // One byte over the limit, so that exceeding it shows.
            let left = self
                .limits
                .size
                .saturating_sub(stage.bytes_out)
                .saturating_add(1);
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(STEP_SIZE);
            let room = stage.buffer.get_mut(..room).unwrap_or_default();
            let step = stage.engine.step(rest, room);
            let full = step.written >= room.len();
            rest = rest.get(step.read..).unwrap_or_default();
            stage.bytes_in = stage.bytes_in.saturating_add(step.read as u64);
            if outermost {
                *self.taken = stage.bytes_in;
            }
            let made = usize::try_from(left.saturating_sub(1)).unwrap_or(usize::MAX);
            let made = room.get(..step.written.min(made)).unwrap_or_default();
            if !made.is_empty() {
                self.push_through(inner, false, made)?;
            }
            stage.bytes_out = stage.bytes_out.saturating_add(step.written as u64);
            self.check_limits(stage)?;
            step.result.map_err(|failure| {
                let back = if outermost { failure.bytes_back } else { 0 };
                self.decode_error(stage, back, failure.kind)
            })?;
            if rest.is_empty() && !full {
                return Ok(());
            }
        }
    }

    fn check_limits(&self, stage: &DecoderStage) -> Result<(), DecodeError> {
        let DecodeLimits { size, ratio, .. } = self.limits;
        if stage.bytes_out > size {
            return Err(self.decode_error(stage, 0, CodingFault::SizeLimit(size)));
        }
        if stage.bytes_out > RATIO_EXEMPT_BYTES
            && stage.bytes_out > self.taken.saturating_mul(ratio)
        {
            return Err(self.decode_error(stage, 0, CodingFault::RatioLimit(ratio)));
        }
        Ok(())
    }

    fn decode_error(&self, stage: &DecoderStage, back: u64, kind: CodingFault) -> DecodeError {
        DecodeError {
            at: self.taken.saturating_sub(back),
            coding: stage.coding,
            kind,
        }
    }
}
