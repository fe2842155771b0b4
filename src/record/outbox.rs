//! Bytes on their way to one side of a relayed connection.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

/// Bytes that a connection has not taken yet. Nothing more is read for it until it is empty, so it holds no more than
/// one read.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    at: usize,
    needs_flush: bool,
}

impl Outbox {
    /// Whether all bytes are with the connection.
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.bytes.len() && !self.needs_flush
    }

    /// Writes `bytes` as far as the connection takes them now, and keeps the rest.
    pub(super) fn write(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> io::Result<()> {
        let mut rest = bytes;
        if self.at >= self.bytes.len() {
            (self.bytes, self.at) = (Vec::new(), 0);
            while !rest.is_empty() {
                match Pin::new(&mut *io).poll_write(context, rest) {
                    Poll::Pending => break,
                    Poll::Ready(taken) => rest = rest.get(not_zero(taken)?..).unwrap_or_default(),
                }
            }
            self.needs_flush = true;
        }
        self.bytes.extend_from_slice(rest);
        let _ = self.poll_empty(io, context)?;
        Ok(())
    }

    /// Writes and flushes what is left. `Pending`: the connection takes no more for now.
    pub(super) fn poll_empty(
        &mut self,
        io: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> io::Result<Poll<()>> {
        while let Some(rest) = self.bytes.get(self.at..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut *io).poll_write(context, rest) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(taken) => self.at = self.at.saturating_add(not_zero(taken)?),
            }
        }
        if self.needs_flush {
            match Pin::new(io).poll_flush(context) {
                Poll::Pending => return Ok(Poll::Pending),
                Poll::Ready(flushed) => flushed?,
            }
            self.needs_flush = false;
        }
        (self.bytes, self.at) = (Vec::new(), 0);
        Ok(Poll::Ready(()))
    }
}

fn not_zero(taken: io::Result<usize>) -> io::Result<usize> {
    match taken {
        Ok(0) => Err(io::ErrorKind::WriteZero.into()),
        taken => taken,
    }
}
