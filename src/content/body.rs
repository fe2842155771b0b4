//! A whole body decoded, with the way back from each decoded byte to the wire.

use super::{Coding, Decoder, Limits, Trouble};
use crate::span::Span;

/// How many coded bytes are decoded at a time: as exactly, within one run, as moments can be told.
const STEP: usize = 512;

/// A decoded body, and which wire bytes released which part of it.
#[derive(Clone, Debug, Default)]
pub struct Body {
    /// The decoded bytes; up to where the trouble began, if there is any.
    pub bytes: Vec<u8>,
    /// Where in `bytes` each run begins, and the wire bytes whose arrival released it. Ascending in both.
    ///
    /// Wire bytes that released nothing by themselves, such as the head of a coded stream, belong to the run
    /// after them. What stands between two runs on the wire, such as a chunk head, belongs to neither, unless
    /// the run was released from both sides of it.
    pub pieces: Vec<(u64, Span)>,
    /// Whether `bytes` are the wire's own, so that each of them has a wire byte of its own.
    pub identity: bool,
    /// Why decoding stopped, if it did.
    pub trouble: Option<Trouble>,
    /// Wire offset of [`Trouble::at`].
    pub trouble_at: Option<u64>,
}

impl Body {
    /// Undoes `codings`, given in the order in which they were applied.
    ///
    /// `runs` are the body's bytes with their places on the wire, in order. The place of a decoded byte is
    /// told to within 512 wire bytes of one run: whoever wants exact moments ends a run where a read ended.
    /// What comes out of a coding is never more than [`Limits::held`].
    pub fn decode<'a>(
        codings: &[Coding],
        runs: impl IntoIterator<Item = (Span, &'a [u8])>,
        limits: Limits,
    ) -> Self {
        let identity = codings.iter().all(|&coding| coding == Coding::Identity);
        let size = if identity {
            limits.size
        } else {
            limits.size.min(limits.held)
        };
        let limits = Limits { size, ..limits };
        let mut decoding = Decoding {
            decoder: Decoder::new(codings, limits),
            body: Self {
                identity,
                ..Self::default()
            },
            waiting: None,
            fed: 0,
            places: Vec::new(),
        };
        let went = runs
            .into_iter()
            .try_for_each(|(span, run)| decoding.run(span, run));
        let ended = went.and_then(|()| decoding.decoder.finish());
        decoding.ended(ended)
    }

    /// The wire bytes that released the decoded bytes of `decoded`; those of the identity, and what stands
    /// between them on the wire.
    ///
    /// Of an empty span, or one past the end, the place where its first byte is or would be.
    pub fn wire_span(&self, decoded: Span) -> Span {
        let end = decoded.end.min(self.bytes.len() as u64);
        let Some((at, piece)) = self.piece(decoded.start) else {
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
            None => Span::at(start),
        }
    }

    /// The wire offset of the last byte that had to arrive before the decoded byte at `offset` could be
    /// known; `None` past the end. The moment of that wire byte is the moment of the decoded one.
    pub fn wire_offset(&self, offset: u64) -> Option<u64> {
        if offset >= self.bytes.len() as u64 {
            return None;
        }
        let (at, piece) = self.piece(offset)?;
        match self.identity {
            true => Some(piece.start.saturating_add(offset.saturating_sub(at))),
            false => piece.end.checked_sub(1),
        }
    }

    /// The decoded byte that the wire byte at `wire` is; `None` where it is no byte of the body, and where the
    /// body is coded.
    pub fn offset_of(&self, wire: u64) -> Option<u64> {
        let after = self
            .pieces
            .partition_point(|(_, piece)| piece.start <= wire);
        let (at, piece) = self.pieces.get(after.checked_sub(1)?)?;
        let here = self.identity && piece.contains(wire);
        here.then(|| at.saturating_add(wire.saturating_sub(piece.start)))
    }

    /// The last piece that begins at `offset` or before it.
    fn piece(&self, offset: u64) -> Option<(u64, Span)> {
        let after = self.pieces.partition_point(|&(at, _)| at <= offset);
        self.pieces.get(after.checked_sub(1)?).copied()
    }
}

struct Decoding {
    decoder: Decoder,
    body: Body,
    /// Wire offset of the first byte since the last piece.
    waiting: Option<u64>,
    /// Coded bytes of the runs before.
    fed: u64,
    /// Where each run begins: in the coded bytes, and on the wire.
    places: Vec<(u64, Span)>,
}

impl Decoding {
    fn run(&mut self, span: Span, run: &[u8]) -> Result<(), Trouble> {
        if run.is_empty() {
            return Ok(());
        }
        self.places.push((self.fed, span));
        self.fed = self.fed.saturating_add(run.len() as u64);
        let step = if self.body.identity { run.len() } else { STEP };
        let mut at = span.start;
        for bytes in run.chunks(step) {
            let end = at.saturating_add(bytes.len() as u64);
            self.step(Span::new(at, end), bytes)?;
            at = end;
        }
        Ok(())
    }

    fn step(&mut self, wire: Span, bytes: &[u8]) -> Result<(), Trouble> {
        let before = self.body.bytes.len();
        let result = self.decoder.push(bytes, &mut self.body.bytes);
        let start = *self.waiting.get_or_insert(wire.start);
        if self.body.bytes.len() > before {
            self.body
                .pieces
                .push((before as u64, Span::new(start, wire.end)));
            self.waiting = None;
        }
        result
    }

    fn ended(mut self, result: Result<(), Trouble>) -> Body {
        if let Err(trouble) = result {
            let after = self.places.partition_point(|&(fed, _)| fed <= trouble.at);
            let place = after.checked_sub(1).and_then(|last| self.places.get(last));
            self.body.trouble_at = place.map(|&(fed, wire)| {
                wire.end
                    .min(wire.start.saturating_add(trouble.at.saturating_sub(fed)))
            });
            self.body.trouble = Some(trouble);
        }
        self.body
    }
}
