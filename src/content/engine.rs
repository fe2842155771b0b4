//! The decoders of gzip, deflate, Brotli and Zstandard behind one interface: some bytes in, some bytes out.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, DecompressError, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Operation};

use super::{CodingFault, ContentCoding, DecodeLimits};

/// The result of one decoder step: bytes read, bytes written, and an error if decoding cannot go on.
pub(super) struct EngineStep {
    /// Bytes taken from the input.
    pub(super) read: usize,
    /// Bytes put into the output. If it is full, more may be ready.
    pub(super) written: usize,
    /// The error that ends decoding.
    pub(super) result: Result<(), EngineFailure>,
}

/// The error of a decoder step.
pub(super) struct EngineFailure {
    pub(super) kind: CodingFault,
    /// How many bytes before the last one taken the fault begins.
    pub(super) bytes_back: u64,
}

impl EngineStep {
    fn consumed(read: usize) -> Self {
        Self {
            read,
            written: 0,
            result: Ok(()),
        }
    }

    fn failed(kind: CodingFault, back: u64) -> Self {
        Self {
            read: 0,
            written: 0,
            result: Err(EngineFailure {
                kind,
                bytes_back: back,
            }),
        }
    }
}

/// The decoder of one content coding.
pub(super) enum DecoderEngine {
    Identity,
    Gzip(GzipDecoder),
    Deflate(DeflateDecoder),
    Brotli(Box<BrotliDecoder>),
    Zstd(ZstdDecoder),
    /// The decoder library could not be set up: its error message.
    Broken(String),
}

impl DecoderEngine {
    pub(super) fn new(coding: ContentCoding, limits: DecodeLimits) -> Self {
        match coding {
            ContentCoding::Identity => Self::Identity,
            ContentCoding::Gzip => Self::Gzip(GzipDecoder::Before { members: 0 }),
            ContentCoding::Deflate => Self::Deflate(DeflateDecoder::Before),
            ContentCoding::Brotli => Self::Brotli(Box::new(BrotliDecoder::new())),
            ContentCoding::Zstd => match ZstdDecoder::new(limits.window_log) {
                Ok(zstd) => Self::Zstd(zstd),
                Err(error) => Self::Broken(error.to_string()),
            },
        }
    }

    /// Decodes some of `input` into `out`. Without input, it writes decoded bytes that it still holds.
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> EngineStep {
        let step = match self {
            Self::Identity => copy_bytes(input, out),
            Self::Gzip(gzip) => gzip.step(input, out),
            Self::Deflate(deflate) => deflate.step(input, out),
            Self::Brotli(brotli) => brotli.step(input, out),
            Self::Zstd(zstd) => zstd.step(input, out),
            Self::Broken(why) => EngineStep::failed(CodingFault::Corrupt(why.clone()), 0),
        };
        let stuck = step.read == 0 && step.written == 0 && !input.is_empty();
        match stuck && step.result.is_ok() {
            true => EngineStep::failed(
                CodingFault::Corrupt("the coder takes no more".to_owned()),
                0,
            ),
            false => step,
        }
    }

    /// Whether the coded bytes may end here.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Identity => true,
            Self::Gzip(gzip) => matches!(gzip, GzipDecoder::Before { .. }),
            Self::Deflate(deflate) => matches!(deflate, DeflateDecoder::Ended),
            Self::Brotli(brotli) => brotli.ended,
            Self::Zstd(zstd) => zstd.is_between_frames(),
            Self::Broken(_) => false,
        }
    }
}

fn copy_bytes(input: &[u8], out: &mut [u8]) -> EngineStep {
    let count = input.len().min(out.len());
    if let (Some(to), Some(from)) = (out.get_mut(..count), input.get(..count)) {
        to.copy_from_slice(from);
    }
    EngineStep {
        written: count,
        ..EngineStep::consumed(count)
    }
}

/// A gzip decoder (RFC 1952). The first two bytes of each member are judged here, so that bytes after the last
/// one and a broken member are distinguished.
pub(super) enum GzipDecoder {
    /// Before the first member, or after `members` whole ones.
    Before { members: u64 },
    /// After the first byte of a member, 0x1f.
    Magic { members: u64 },
    /// Inside the member after `members` others.
    Inside {
        members: u64,
        member: Box<Decompress>,
    },
}

impl GzipDecoder {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> EngineStep {
        match (&mut *self, input.first()) {
            (Self::Before { .. } | Self::Magic { .. }, None) => EngineStep::consumed(0),
            (Self::Before { members }, Some(0x1f)) => {
                *self = Self::Magic { members: *members };
                EngineStep::consumed(1)
            }
            (Self::Magic { members }, Some(0x8b)) => {
                *self = Self::inside(*members);
                EngineStep::consumed(1)
            }
            (Self::Before { members }, Some(_)) => {
                EngineStep::failed(fault_after_streams(*members), 0)
            }
            (Self::Magic { members }, Some(_)) => {
                EngineStep::failed(fault_after_streams(*members), 1)
            }
            (Self::Inside { members, member }, _) => {
                let (step, ended) = inflate(member, input, out);
                if ended {
                    *self = Self::Before {
                        members: members.saturating_add(1),
                    };
                }
                step
            }
        }
    }

    fn inside(members: u64) -> Self {
        let mut member = Box::new(Decompress::new_gzip(15));
        // This cannot fail: both bytes are those that a gzip header begins with.
        let _ = member.decompress(&[0x1f, 0x8b], &mut [], FlushDecompress::None);
        Self::Inside { members, member }
    }
}

/// The fault of bytes that do not begin a stream, after `streams` whole streams.
fn fault_after_streams(streams: u64) -> CodingFault {
    match streams {
        0 => CodingFault::NotCoded,
        _ => CodingFault::TrailingBytes,
    }
}

/// A decoder of `deflate`: a zlib stream (RFC 9110, 8.4.1.2), or raw deflate data, which some servers send.
pub(super) enum DeflateDecoder {
    Before,
    /// After a first byte that may begin a zlib stream.
    First(u8),
    Inside(Box<Decompress>),
    Ended,
}

impl DeflateDecoder {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> EngineStep {
        let Some(&next) = input.first() else {
            return self.inflate(input, out);
        };
        match *self {
            Self::Ended => return EngineStep::failed(CodingFault::TrailingBytes, 0),
            // RFC 1950, 2.2: method 8. Bare data would begin with a stored block and a bit set that every
            // encoder leaves clear.
            Self::Before if next & 0x0f == 8 => {
                *self = Self::First(next);
                return EngineStep::consumed(1);
            }
            Self::Before => *self = Self::inside(false),
            Self::First(first) => {
                let wrapped = u16::from_be_bytes([first, next]) % 31 == 0 && first >> 4 <= 7;
                *self = Self::inside(wrapped);
                if let Self::Inside(inflate) = self {
                    // One byte of a header decodes to nothing and cannot fail.
                    let _ = inflate.decompress(&[first], &mut [], FlushDecompress::None);
                }
            }
            Self::Inside(_) => {}
        }
        self.inflate(input, out)
    }

    fn inside(wrapped: bool) -> Self {
        Self::Inside(Box::new(Decompress::new(wrapped)))
    }

    fn inflate(&mut self, input: &[u8], out: &mut [u8]) -> EngineStep {
        let Self::Inside(member) = self else {
            return EngineStep::consumed(0);
        };
        let (step, ended) = inflate(member, input, out);
        if ended {
            *self = Self::Ended;
        }
        step
    }
}

/// Calls the inflater once. Returns its step, and whether its stream ended.
fn inflate(member: &mut Decompress, input: &[u8], out: &mut [u8]) -> (EngineStep, bool) {
    let (read, written) = (member.total_in(), member.total_out());
    let status = member.decompress(input, out, FlushDecompress::None);
    let since = |now: u64, then| usize::try_from(now.saturating_sub(then)).unwrap_or(usize::MAX);
    let ended = matches!(status, Ok(Status::StreamEnd));
    let failure = |error: DecompressError| EngineFailure {
        kind: CodingFault::Corrupt(match error.needs_dictionary() {
            Some(_) => "they need a dictionary that was not sent".to_owned(),
            None => stable_reason(error.message().unwrap_or_default()).to_owned(),
        }),
        bytes_back: 0,
    };
    let step = EngineStep {
        read: since(member.total_in(), read),
        written: since(member.total_out(), written),
        result: status.map(|_| ()).map_err(failure),
    };
    (step, ended)
}

/// The inflater's message, or a general one where the message depends on how the input was split.
fn stable_reason(message: &str) -> &str {
    let is_vague = |start: &&str| message.starts_with(*start);
    let vague = ["invalid distance", "invalid literal", "repeated call"];
    match vague.iter().any(is_vague) || message.is_empty() {
        true => "an invalid code or distance",
        false => message,
    }
}

/// A Brotli decoder (RFC 7932), with windows of up to 16 MiB.
pub(super) struct BrotliDecoder {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    ended: bool,
    /// Bytes taken since the last full [`BrotliDecoder::STRIDE`].
    taken: usize,
    /// Output count that the decoder library keeps here.
    total: usize,
}

impl BrotliDecoder {
    /// Most bytes fed in one call. On a fault the library drops what the same call had decoded, so calls are short.
    const STRIDE: usize = 256;

    fn new() -> Self {
        let alloc = StandardAlloc::default;
        Self {
            state: BrotliState::new_strict(alloc(), alloc(), alloc()),
            ended: false,
            taken: 0,
            total: 0,
        }
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> EngineStep {
        if self.ended {
            return match input.is_empty() {
                true => EngineStep::consumed(0),
                false => EngineStep::failed(CodingFault::TrailingBytes, 0),
            };
        }
        let stride = Self::STRIDE.saturating_sub(self.taken);
        let input = input.get(..stride).unwrap_or(input);
        let (mut left, mut read) = (input.len(), 0);
        let (mut room, mut written) = (out.len(), 0);
        let result = BrotliDecompressStream(
            &mut left,
            &mut read,
            input,
            &mut room,
            &mut written,
            out,
            &mut self.total,
            &mut self.state,
        );
        self.taken = self
            .taken
            .saturating_add(read)
            .checked_rem(Self::STRIDE)
            .unwrap_or(0);
        self.ended = matches!(result, BrotliResult::ResultSuccess);
        let corrupt = || EngineFailure {
            kind: CodingFault::Corrupt("no brotli data".to_owned()),
            bytes_back: 0,
        };
        EngineStep {
            read,
            written,
            result: match result {
                BrotliResult::ResultFailure => Err(corrupt()),
                _ => Ok(()),
            },
        }
    }
}

/// A Zstandard decoder (RFC 8878): frames, and skippable frames between them.
///
/// On a fault the library drops what the same call had decoded, and does not say how much it read. So it is fed one
/// unit at a time, a header or a block, as it asks for them itself.
pub(super) struct ZstdDecoder {
    decoder: zstd::stream::raw::Decoder<'static>,
    window: u32,
    /// Bytes still to be fed of the current unit.
    want: usize,
    /// Bytes fed of the current unit.
    fed: u64,
    /// Whether a frame has begun and not ended.
    inside: bool,
    /// Number of frames that ended.
    frames: u64,
}

impl ZstdDecoder {
    /// Bytes of the shortest frame header: magic number and descriptor (RFC 8878, 3.1.1).
    const HEADER: usize = 5;
    /// Bytes of a block header (RFC 8878, 3.1.1.2), which the library asks for together with the block before it.
    const BLOCK_HEADER: usize = 3;

    fn new(window: u32) -> std::io::Result<Self> {
        let mut decoder = zstd::stream::raw::Decoder::new()?;
        decoder.set_parameter(DParameter::WindowLogMax(window))?;
        Ok(Self {
            decoder,
            window,
            want: Self::HEADER,
            fed: 0,
            inside: false,
            frames: 0,
        })
    }

    fn is_between_frames(&self) -> bool {
        !self.inside && self.fed == 0
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> EngineStep {
        let input = input.get(..self.want).unwrap_or(input);
        match self.decoder.run_on_buffers(input, out) {
            Ok(status) => {
                self.account_read(status.bytes_read, status.remaining);
                EngineStep {
                    written: status.bytes_written,
                    ..EngineStep::consumed(status.bytes_read)
                }
            }
            Err(error) => EngineStep::failed(self.fault_from_name(&error.to_string()), self.fed),
        }
    }

    /// Counts `read` bytes of the current unit. `hint` is how many bytes the library asks for next; 0 ends a frame.
    fn account_read(&mut self, read: usize, hint: usize) {
        self.fed = self.fed.saturating_add(read as u64);
        self.want = self.want.saturating_sub(read);
        if hint == 0 {
            self.frames = self.frames.saturating_add(1);
            self.inside = false;
            self.want = Self::HEADER;
            self.fed = 0;
        } else if self.want == 0 {
            self.inside = true;
            let block = hint.saturating_sub(Self::BLOCK_HEADER);
            self.want = if block == 0 { hint } else { block };
            self.fed = 0;
        }
    }

    /// The fault for an error message of the library.
    fn fault_from_name(&self, name: &str) -> CodingFault {
        match name {
            "Unknown frame descriptor" if !self.inside => fault_after_streams(self.frames),
            "Frame requires too much memory for decoding" => CodingFault::WindowLimit(self.window),
            _ => CodingFault::Corrupt(name.to_lowercase()),
        }
    }
}
