//! A body with its content codings undone, and the wire offset of each decoded byte.

use super::{ContentCoding, ContentDecoder, DecodeError, DecodeLimits};
use crate::span::Span;

/// Coded bytes decoded at a time. Within one run, wire offsets are exact to this many bytes: about one event of a
/// stream. Each piece costs 24 bytes of memory.
const DECODE_CHUNK: usize = 512;

/// A body with its content codings undone, and the mapping from decoded bytes to wire bytes.
#[derive(Clone, Debug, Default)]
pub struct DecodedBody {
    /// The decoded bytes, up to the error if there is one.
    pub bytes: Vec<u8>,
    /// Start offset in `bytes` of each piece, and the wire bytes that were needed to decode it. Ascending in both.
    ///
    /// Wire bytes that decode to nothing by themselves, such as the head of a coded stream, belong to the piece after
    /// them. Wire bytes between two pieces, such as a chunk head, belong to neither, unless one piece needed bytes
    /// from both sides of them.
    pub pieces: Vec<(u64, Span)>,
    /// Whether no coding was undone, so that each byte of `bytes` is one wire byte.
    pub identity: bool,
    /// Why decoding stopped, if it did.
    pub error: Option<DecodeError>,
    /// The wire offset that [`DecodeError::at`] is at.
    pub error_at: Option<u64>,
}

impl DecodedBody {
    /// The body of a message that has none.
    pub const EMPTY: Self = Self {
        bytes: Vec::new(),
        pieces: Vec::new(),
        identity: false,
        error: None,
        error_at: None,
    };

    /// Undoes `codings`, given in the order in which they were applied.
    ///
    /// `runs` are the body's bytes with their wire spans, in order. Wire offsets of decoded bytes are exact to 512 wire
    /// bytes inside a run; pass one run per read to get exact times. A coded body decodes to at most
    /// [`DecodeLimits::held_size`] bytes.
    pub fn decode<'a>(
        codings: &[ContentCoding],
        runs: impl IntoIterator<Item = (Span, &'a [u8])>,
        limits: DecodeLimits,
    ) -> Self {
        let identity = codings
            .iter()
            .all(|&coding| coding == ContentCoding::Identity);
        let size = if identity {
            limits.size
        } else {
            limits.size.min(limits.held_size)
        };
        let limits = DecodeLimits { size, ..limits };
        let mut decoding = BodyBuilder {
            decoder: ContentDecoder::new(codings, limits),
            body: Self {
                identity,
                ..Self::default()
            },
            pending_start: None,
            fed: 0,
            run_starts: Vec::new(),
        };
        let went = runs
            .into_iter()
            .try_for_each(|(span, run)| decoding.push_run(span, run));
        let ended = went.and_then(|()| decoding.decoder.finish());
        decoding.finish(ended)
    }

    /// The wire span that had to arrive to decode the bytes of `decoded`; without a coding, the span of those bytes.
    ///
    /// For an empty span, or one past the end, it is empty and at the wire offset of the first byte.
    pub fn wire_span(&self, decoded: Span) -> Span {
        let end = decoded.end.min(self.bytes.len() as u64);
        let Some((at, piece)) = self.piece_at(decoded.start) else {
            return Span::default();
        };
        let start = match self.identity {
            true => piece.start.saturating_add(decoded.start.saturating_sub(at)),
            false => piece.start,
        };
        let start = start.min(piece.end);
        let last = end.checked_sub(1).filter(|&last| last >= decoded.start);
        match last.and_then(|last| self.wire_offset(last)) {
            Some(last) => Span::new(start, last.saturating_add(1)),
            None => Span::empty_at(start),
        }
    }

    /// The wire offset of the last byte that had to arrive before the decoded byte at `offset` could be
    /// known; `None` past the end. The moment of that wire byte is the moment of the decoded one.
    pub fn wire_offset(&self, offset: u64) -> Option<u64> {
        if offset >= self.bytes.len() as u64 {
            return None;
        }
        let (at, piece) = self.piece_at(offset)?;
        match self.identity {
            true => Some(piece.start.saturating_add(offset.saturating_sub(at))),
            false => piece.end.checked_sub(1),
        }
    }

    /// The offset in the decoded body of the wire byte at `wire`; `None` if it is not in the body, or if the body is
    /// coded.
    pub fn decoded_offset(&self, wire: u64) -> Option<u64> {
        let after = self
            .pieces
            .partition_point(|(_, piece)| piece.start <= wire);
        let (at, piece) = self.pieces.get(after.checked_sub(1)?)?;
        let here = self.identity && piece.contains(wire);
        here.then(|| at.saturating_add(wire.saturating_sub(piece.start)))
    }

    /// The piece that holds the decoded byte at `offset`.
    fn piece_at(&self, offset: u64) -> Option<(u64, Span)> {
        let after = self.pieces.partition_point(|&(at, _)| at <= offset);
        self.pieces.get(after.checked_sub(1)?).copied()
    }
}

struct BodyBuilder {
    decoder: ContentDecoder,
    body: DecodedBody,
    /// Wire offset of the first byte after the last piece.
    pending_start: Option<u64>,
    /// Number of coded bytes in the runs so far.
    fed: u64,
    /// Offset in the coded bytes and wire span of each run.
    run_starts: Vec<(u64, Span)>,
}

impl BodyBuilder {
    fn push_run(&mut self, span: Span, run: &[u8]) -> Result<(), DecodeError> {
        if run.is_empty() {
            return Ok(());
        }
        self.run_starts.push((self.fed, span));
        self.fed = self.fed.saturating_add(run.len() as u64);
        let step = if self.body.identity {
            run.len()
        } else {
            DECODE_CHUNK
        };
        let mut at = span.start;
        for bytes in run.chunks(step) {
            let end = at.saturating_add(bytes.len() as u64);
            self.push_chunk(Span::new(at, end), bytes)?;
            at = end;
        }
        Ok(())
    }

    fn push_chunk(&mut self, wire: Span, bytes: &[u8]) -> Result<(), DecodeError> {
        let before = self.body.bytes.len();
        let result = self.decoder.push(bytes, &mut self.body.bytes);
        let start = *self.pending_start.get_or_insert(wire.start);
        if self.body.bytes.len() > before {
            self.body
                .pieces
                .push((before as u64, Span::new(start, wire.end)));
            self.pending_start = None;
        }
        result
    }

    fn finish(mut self, result: Result<(), DecodeError>) -> DecodedBody {
        if let Err(trouble) = result {
            let after = self
                .run_starts
                .partition_point(|&(fed, _)| fed <= trouble.at);
            let place = after
                .checked_sub(1)
                .and_then(|last| self.run_starts.get(last));
            self.body.error_at = place.map(|&(fed, wire)| {
                wire.end
                    .min(wire.start.saturating_add(trouble.at.saturating_sub(fed)))
            });
            self.body.error = Some(trouble);
        }
        self.body
    }
}
