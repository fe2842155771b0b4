//! A whole body decoded, with the way back from each decoded byte to the wire.

use super::{ContentCoding, ContentDecoder, DecodeError, DecodeLimits};
use crate::span::Span;

/// Coded bytes decoded at a time. Within one run, wire offsets are exact to this many bytes.
const DECODE_CHUNK: usize = 512;

/// A decoded body, with the mapping from decoded bytes to wire bytes.
#[derive(Clone, Debug, Default)]
pub struct DecodedBody {
    /// The decoded bytes; up to where the trouble began, if there is any.
    pub bytes: Vec<u8>,
    /// Where in `bytes` each run begins, and the wire bytes whose arrival released it. Ascending in both.
    ///
    /// Wire bytes that released nothing by themselves, such as the head of a coded stream, belong to the run
    /// after them. Wire bytes between two runs, such as a chunk head, belong to neither, unless
    /// the run was released from both sides of it.
    pub pieces: Vec<(u64, Span)>,
    /// Whether `bytes` are the wire's own, so that each of them has a wire byte of its own.
    pub identity: bool,
    /// Why decoding stopped, if it did.
    pub error: Option<DecodeError>,
    /// Wire offset of [`DecodeError::at`].
    pub error_at: Option<u64>,
}

impl DecodedBody {
    /// The body of a message without one.
    pub const EMPTY: Self = Self {
        bytes: Vec::new(),
        pieces: Vec::new(),
        identity: false,
        error: None,
        error_at: None,
    };

    /// Undoes `codings`, given in the order in which they were applied.
    ///
    /// `runs` are the body's bytes with their places on the wire, in order. The place of a decoded byte is
    /// exact to 512 wire bytes inside a run. Pass one run per read to get exact times.
    /// What comes out of a coding is never more than [`DecodeLimits::held_size`].
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

    /// The wire bytes that released the decoded bytes of `decoded`; those of the identity, and what stands
    /// between them on the wire.
    ///
    /// Of an empty span, or one past the end, the place where its first byte is or would be.
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

    /// The last piece that begins at `offset` or before it.
    fn piece_at(&self, offset: u64) -> Option<(u64, Span)> {
        let after = self.pieces.partition_point(|&(at, _)| at <= offset);
        self.pieces.get(after.checked_sub(1)?).copied()
    }
}

struct BodyBuilder {
    decoder: ContentDecoder,
    body: DecodedBody,
    /// Wire offset of the first byte since the last piece.
    pending_start: Option<u64>,
    /// Coded bytes of the runs before.
    fed: u64,
    /// Where each run begins: in the coded bytes, and on the wire.
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
