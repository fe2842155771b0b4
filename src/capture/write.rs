//! A watcher that appends each event to a capture, as one whole line in one write: whenever the process
//! dies, what was written is whole lines, and at most one torn one.

use std::io::Write;

use super::line;
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, TapeOrigin, WireSink};

/// Writes a capture. The first error ends the writing, not the exchange: it is kept for
/// [`Writer::finish`] and [`Writer::error`].
///
/// A writer masks nothing: whoever feeds it from a network puts a [`Masker`](super::Masker) before it.
#[derive(Debug)]
pub struct Writer<W> {
    file: W,
    line: Vec<u8>,
    written: u64,
    failed: Option<std::io::Error>,
}

impl<W: Write> Writer<W> {
    /// Begins a capture with its first line.
    pub fn new(file: W, origin: &TapeOrigin) -> Self {
        let mut writer = Self {
            file,
            line: Vec::new(),
            written: 0,
            failed: None,
        };
        line::put_origin(&mut writer.line, origin);
        writer.flush();
        writer
    }

    /// The error that ended the writing, if one did.
    pub fn error(&self) -> Option<&std::io::Error> {
        self.failed.as_ref()
    }

    /// How many bytes stand in the file.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// What it wrote into; or the error that ended the writing, if one did.
    pub fn finish(self) -> std::io::Result<W> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.file),
        }
    }

    fn flush(&mut self) {
        if self.failed.is_none() {
            match self.file.write_all(&self.line) {
                Ok(()) => self.written = self.written.saturating_add(self.line.len() as u64),
                Err(error) => self.failed = Some(error),
            }
        }
        self.line.clear();
    }
}

impl<W: Write> WireSink for Writer<W> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        line::put_fact(&mut self.line, moment, fact);
        self.flush();
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        if bytes.is_empty() || self.failed.is_some() {
            return;
        }
        line::put_bytes(&mut self.line, moment, side, bytes);
        self.flush();
    }
}
