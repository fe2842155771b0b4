//! The coders themselves, brought to one shape: some bytes in, some bytes out.

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::{Decompress, DecompressError, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Operation};

use super::{Coding, Kind, Limits};

/// What one call did.
pub(super) struct Step {
    /// Bytes taken from the input.
    pub(super) read: usize,
    /// Bytes put into the output. If it is full, more may be ready.
    pub(super) written: usize,
    /// Whether it can go on.
    pub(super) result: Result<(), Failure>,
}

/// Why it cannot go on.
pub(super) struct Failure {
    pub(super) kind: Kind,
    /// How many bytes before the last one taken the fault begins.
    pub(super) back: u64,
}

impl Step {
    fn took(read: usize) -> Self {
        Self {
            read,
            written: 0,
            result: Ok(()),
        }
    }

    fn failed(kind: Kind, back: u64) -> Self {
        Self {
            read: 0,
            written: 0,
            result: Err(Failure { kind, back }),
        }
    }
}

/// The state of one coding.
pub(super) enum Engine {
    Identity,
    Gzip(Gzip),
    Deflate(Deflate),
    Brotli(Box<Brotli>),
    Zstd(Zstd),
    /// The coder could not be set up.
    Broken(String),
}

impl Engine {
    pub(super) fn new(coding: Coding, limits: Limits) -> Self {
        match coding {
            Coding::Identity => Self::Identity,
            Coding::Gzip => Self::Gzip(Gzip::Before { members: 0 }),
            Coding::Deflate => Self::Deflate(Deflate::Before),
            Coding::Brotli => Self::Brotli(Box::new(Brotli::new())),
            Coding::Zstd => match Zstd::new(limits.window) {
                Ok(zstd) => Self::Zstd(zstd),
                Err(error) => Self::Broken(error.to_string()),
            },
        }
    }

    /// Decodes some of `input` into `out`. Without input, what is still held back comes out.
    pub(super) fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let step = match self {
            Self::Identity => copy(input, out),
            Self::Gzip(gzip) => gzip.step(input, out),
            Self::Deflate(deflate) => deflate.step(input, out),
            Self::Brotli(brotli) => brotli.step(input, out),
            Self::Zstd(zstd) => zstd.step(input, out),
            Self::Broken(why) => Step::failed(Kind::Corrupt(why.clone()), 0),
        };
        let stuck = step.read == 0 && step.written == 0 && !input.is_empty();
        match stuck && step.result.is_ok() {
            true => Step::failed(Kind::Corrupt("the coder takes no more".to_owned()), 0),
            false => step,
        }
    }

    /// Whether the coded bytes may end here.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::Identity => true,
            Self::Gzip(gzip) => matches!(gzip, Gzip::Before { .. }),
            Self::Deflate(deflate) => matches!(deflate, Deflate::Ended),
            Self::Brotli(brotli) => brotli.ended,
            Self::Zstd(zstd) => zstd.is_between(),
            Self::Broken(_) => false,
        }
    }
}

fn copy(input: &[u8], out: &mut [u8]) -> Step {
    let count = input.len().min(out.len());
    if let (Some(to), Some(from)) = (out.get_mut(..count), input.get(..count)) {
        to.copy_from_slice(from);
    }
    Step {
        written: count,
        ..Step::took(count)
    }
}

/// RFC 1952. The first two bytes of each member are judged here, so that what follows the last one can be
/// told from a broken one.
pub(super) enum Gzip {
    /// At the begin, or after `members` whole ones.
    Before { members: u64 },
    /// After the first byte, 0x1f.
    Magic { members: u64 },
    /// Inside the member after `members` others.
    Inside {
        members: u64,
        member: Box<Decompress>,
    },
}

impl Gzip {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        match (&mut *self, input.first()) {
            (Self::Before { .. } | Self::Magic { .. }, None) => Step::took(0),
            (Self::Before { members }, Some(0x1f)) => {
                *self = Self::Magic { members: *members };
                Step::took(1)
            }
            (Self::Magic { members }, Some(0x8b)) => {
                *self = Self::inside(*members);
                Step::took(1)
            }
            (Self::Before { members }, Some(_)) => Step::failed(after(*members), 0),
            (Self::Magic { members }, Some(_)) => Step::failed(after(*members), 1),
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
        // Two bytes of a header cannot fail: they are the right ones.
        let _ = member.decompress(&[0x1f, 0x8b], &mut [], FlushDecompress::None);
        Self::Inside { members, member }
    }
}

/// What bytes are that do not begin a stream, after `streams` whole ones.
fn after(streams: u64) -> Kind {
    match streams {
        0 => Kind::NotCoded,
        _ => Kind::Trailing,
    }
}

/// RFC 9110, 8.4.1.2, has a zlib stream; some servers leave the wrapping off, and readers put up with it.
pub(super) enum Deflate {
    Before,
    /// After a first byte that may begin a zlib stream.
    First(u8),
    Inside(Box<Decompress>),
    Ended,
}

impl Deflate {
    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let Some(&next) = input.first() else {
            return self.inflate(input, out);
        };
        match *self {
            Self::Ended => return Step::failed(Kind::Trailing, 0),
            // RFC 1950, 2.2: method 8. Bare data would begin with a stored block and a bit set that every
            // encoder leaves clear.
            Self::Before if next & 0x0f == 8 => {
                *self = Self::First(next);
                return Step::took(1);
            }
            Self::Before => *self = Self::inside(false),
            Self::First(first) => {
                let wrapped = u16::from_be_bytes([first, next]) % 31 == 0 && first >> 4 <= 7;
                *self = Self::inside(wrapped);
                if let Self::Inside(inflate) = self {
                    // Only begins a header: nothing comes out and nothing can fail yet.
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

    fn inflate(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let Self::Inside(member) = self else {
            return Step::took(0);
        };
        let (step, ended) = inflate(member, input, out);
        if ended {
            *self = Self::Ended;
        }
        step
    }
}

/// One call of the inflater, and whether its stream ended with it.
fn inflate(member: &mut Decompress, input: &[u8], out: &mut [u8]) -> (Step, bool) {
    let (read, written) = (member.total_in(), member.total_out());
    let status = member.decompress(input, out, FlushDecompress::None);
    let since = |now: u64, then| usize::try_from(now.saturating_sub(then)).unwrap_or(usize::MAX);
    let ended = matches!(status, Ok(Status::StreamEnd));
    let failure = |error: DecompressError| Failure {
        kind: Kind::Corrupt(match error.needs_dictionary() {
            Some(_) => "a dictionary is needed that nobody sent".to_owned(),
            None => reason(error.message().unwrap_or_default()).to_owned(),
        }),
        back: 0,
    };
    let step = Step {
        read: since(member.total_in(), read),
        written: since(member.total_out(), written),
        result: status.map(|_| ()).map_err(failure),
    };
    (step, ended)
}

/// The inflater's own words, but for those that depend on how far it could look ahead.
fn reason(message: &str) -> &str {
    let is_vague = |start: &&str| message.starts_with(*start);
    let vague = ["invalid distance", "invalid literal", "repeated call"];
    match vague.iter().any(is_vague) || message.is_empty() {
        true => "an invalid code or distance",
        false => message,
    }
}

/// RFC 7932, with windows of up to 16 MiB as it has them.
pub(super) struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    ended: bool,
    /// Bytes taken since the last full [`Brotli::STRIDE`].
    taken: usize,
    /// A count that the coder wants to keep.
    total: usize,
}

impl Brotli {
    /// On a fault the coder keeps back what the same call had decoded, so calls are kept short.
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

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        if self.ended {
            return match input.is_empty() {
                true => Step::took(0),
                false => Step::failed(Kind::Trailing, 0),
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
        let corrupt = || Failure {
            kind: Kind::Corrupt("no brotli data".to_owned()),
            back: 0,
        };
        Step {
            read,
            written,
            result: match result {
                BrotliResult::ResultFailure => Err(corrupt()),
                _ => Ok(()),
            },
        }
    }
}

/// RFC 8878: frames, and skippable frames between them.
///
/// On a fault the coder keeps back what the same call had decoded, and does not say how much it took. So it is
/// fed unit by unit, a header or a block at a time, as it asks for them itself.
pub(super) struct Zstd {
    decoder: zstd::stream::raw::Decoder<'static>,
    window: u32,
    /// Bytes still to be fed of the current unit.
    want: usize,
    /// Bytes fed of it.
    fed: u64,
    /// Whether a frame has begun and not ended.
    inside: bool,
    /// Frames that ended.
    frames: u64,
}

impl Zstd {
    /// The least that begins a frame: magic number and descriptor.
    const HEADER: usize = 5;
    /// A block header, which the coder asks for together with the block before it.
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

    fn is_between(&self) -> bool {
        !self.inside && self.fed == 0
    }

    fn step(&mut self, input: &[u8], out: &mut [u8]) -> Step {
        let input = input.get(..self.want).unwrap_or(input);
        match self.decoder.run_on_buffers(input, out) {
            Ok(status) => {
                self.took(status.bytes_read, status.remaining);
                Step {
                    written: status.bytes_written,
                    ..Step::took(status.bytes_read)
                }
            }
            Err(error) => Step::failed(self.fault(&error.to_string()), self.fed),
        }
    }

    /// Accounts for `read` bytes, after which the coder asks for `hint` more; none at the end of a frame.
    fn took(&mut self, read: usize, hint: usize) {
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

    /// The coder tells its faults by name only.
    fn fault(&self, name: &str) -> Kind {
        match name {
            "Unknown frame descriptor" if !self.inside => after(self.frames),
            "Frame requires too much memory for decoding" => Kind::WindowLimit(self.window),
            _ => Kind::Corrupt(name.to_lowercase()),
        }
    }
}
