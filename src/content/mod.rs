//! Content codings undone while the bytes come in (RFC 9110, 8.4; as transfer codings RFC 9112, 7.2), within
//! limits; and for every decoded byte, which wire byte released it.
//!
//! ```text
//!  coded bytes --> last coding applied --> ... --> first coding applied --> out
//!                  16 KiB at a time, limits checked after each
//! ```
//!
//! Guarantees, held by property tests and fuzzing:
//!
//! - all that the bytes so far allow comes out at once: a server that flushes after each event is read event
//!   by event;
//! - what came out before trouble stays, and is never more than the limit;
//! - any split of a sound stream gives the same bytes and the same trouble. Of a corrupt one, every decoded
//!   byte is given that the coder gives back; with `br` a split may cost the last of them.

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

/// A way in which a body is coded.
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
    /// Not coded at all.
    Identity,
}

impl ContentCoding {
    /// The codings that `names` name, in the order in which they were applied.
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

/// A coding that cannot be undone here.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("unknown content coding `{}`", name.escape_ascii())]
pub struct UnknownCoding {
    /// As the peer wrote it.
    pub name: Vec<u8>,
}

/// How much a decoder will make.
#[derive(Clone, Copy, Debug)]
pub struct DecodeLimits {
    /// Decoded bytes, of each coding, where they pass by; by default 4 GiB.
    pub size: u64,
    /// The same where a coded body is held whole, as [`DecodedBody`] does, which costs several times as much memory;
    /// by default 256 MiB. A body that is not coded is as long as its wire bytes, and has [`DecodeLimits::size`].
    pub held_size: u64,
    /// Decoded bytes for each coded byte; by default 200. `gzip` and `deflate` cannot do better than 1032, so
    /// that a greater number would catch none of their bombs. Counts beyond the first 16 MiB of output only: what
    /// is small does no harm, and is honest at any ratio.
    pub ratio: u64,
    /// Base-2 logarithm of the window that a `zstd` frame may ask for; by default 27, which is 128 MiB.
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

/// Decoded bytes that may come out however few went in.
const RATIO_EXEMPT_BYTES: u64 = 16 << 20;

/// More codings on one body than any honest sender applies; each costs memory.
const MAX_CODINGS: usize = 8;

/// Why decoding stopped, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{coding}: {kind} (byte {at} of the coded body)")]
pub struct DecodeError {
    /// Offset in the coded bytes: of the first byte at fault where the coder reports it, else of a byte by which
    /// the fault has shown.
    pub at: u64,
    /// The coding that could not be undone.
    pub coding: ContentCoding,
    /// What happened.
    pub kind: CodingFault,
}

/// What can go wrong with coded bytes.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CodingFault {
    /// The very first bytes say that they are not coded so.
    #[error("the body does not begin as this coding does")]
    NotCoded,
    /// The coder refused them.
    #[error("the coded bytes are corrupt: {0}")]
    Corrupt(String),
    /// No more bytes come, but the coded stream has not ended.
    #[error("the coded bytes stop before their end")]
    Truncated,
    /// The coded stream has ended, but more bytes come.
    #[error("more bytes follow the end of the coded ones")]
    TrailingBytes,
    /// [`DecodeLimits::size`] or [`DecodeLimits::held_size`].
    #[error("more than {0} bytes come out")]
    SizeLimit(u64),
    /// [`DecodeLimits::ratio`].
    #[error("more than {0} bytes come out for each that went in")]
    RatioLimit(u64),
    /// [`DecodeLimits::window_log`].
    #[error("a window of more than 2^{0} bytes is needed")]
    WindowLimit(u32),
    /// The body was coded more often than can be undone.
    #[error("{0} codings are on this body, more than can be undone")]
    TooManyCodings(usize),
}

impl CodingFault {
    /// Whether it is a limit of ours that was met, and nothing may be wrong with the bytes.
    pub fn is_limit(&self) -> bool {
        matches!(self, Self::SizeLimit(_) | Self::RatioLimit(_))
    }
}

/// Undoes the codings of one body, piece by piece as it comes.
pub struct ContentDecoder {
    /// Outermost first: the coding that was applied last. Never empty.
    stages: Vec<DecoderStage>,
    limits: DecodeLimits,
    /// Coded bytes that the outermost coding has taken.
    taken: u64,
    error: Option<DecodeError>,
}

struct DecoderStage {
    coding: ContentCoding,
    engine: DecoderEngine,
    /// Bytes that came in.
    bytes_in: u64,
    /// Bytes that came out.
    bytes_out: u64,
}

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

    /// Takes the next coded bytes and appends to `out` all that can be decoded by now.
    ///
    /// # Errors
    ///
    /// On an error, the bytes decoded before it are in `out`. Later calls change nothing and return the same
    /// error.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        self.push_to(bytes, &mut |piece| out.extend_from_slice(piece))
    }

    /// Decodes without holding the output: `out` receives at most 16 KiB at a time, however much
    /// a few coded bytes become.
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

    /// No more bytes will come.
    ///
    /// A body without any byte is whole whatever its coding: the answer to HEAD, or a 204, keeps the field.
    ///
    /// # Errors
    ///
    /// With [`CodingFault::Truncated`] when a coded stream has not ended, and with the trouble there was before.
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

/// One push through all stages.
struct StagePipeline<'a> {
    limits: DecodeLimits,
    taken: &'a mut u64,
    out: &'a mut dyn FnMut(&[u8]),
}

impl StagePipeline<'_> {
    /// Runs `input` through the first stage, and what comes out through those after it.
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
        let mut buffer = [0; 16 << 10];
        let mut rest = input;
        loop {
            // One byte more than is allowed, so that more is seen to come.
            let left = self
                .limits
                .size
                .saturating_sub(stage.bytes_out)
                .saturating_add(1);
            let room = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            let room = buffer.get_mut(..room).unwrap_or_default();
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
