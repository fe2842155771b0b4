//! A watcher that appends each event to a capture, as one whole line in one write: whenever the process
//! dies, what was written is whole lines, and at most one torn one.

use std::io::Write;

use super::line;
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, TapeOrigin, WireSink};

/// Writes a capture. The first error ends the writing, not the exchange: it is kept for
/// [`CaptureWriter::finish`] and [`CaptureWriter::error`].
///
/// A writer masks nothing: put a [`Masker`](super::Masker) before it when the bytes come from a network.
#[derive(Debug)]
pub struct CaptureWriter<W> {
    file: W,
    line: Vec<u8>,
    bytes_written: u64,
    first_error: Option<std::io::Error>,
}

impl<W: Write> CaptureWriter<W> {
    /// Begins a capture with its first line.
    pub fn new(file: W, origin: &TapeOrigin) -> Self {
        let mut writer = Self {
            file,
            line: Vec::new(),
            bytes_written: 0,
            first_error: None,
        };
        line::put_origin(&mut writer.line, origin);
        writer.write_line();
        writer
    }

    /// The error that ended the writing, if one did.
    pub fn error(&self) -> Option<&std::io::Error> {
        self.first_error.as_ref()
    }

    /// Bytes written to the file.
    pub fn bytes_written(&self) -> u64 {
        self.bytes_written
    }

    /// What it wrote into; or the error that ended the writing, if one did.
    pub fn finish(self) -> std::io::Result<W> {
        match self.first_error {
            Some(error) => Err(error),
            None => Ok(self.file),
        }
    }

    fn write_line(&mut self) {
        if self.first_error.is_none() {
            match self.file.write_all(&self.line) {
                Ok(()) => {
                    self.bytes_written = self.bytes_written.saturating_add(self.line.len() as u64)
                }
                Err(error) => self.first_error = Some(error),
            }
        }
        self.line.clear();
    }
}

impl<W: Write> WireSink for CaptureWriter<W> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        line::put_fact(&mut self.line, moment, fact);
        self.write_line();
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        if bytes.is_empty() || self.first_error.is_some() {
            return;
        }
        line::put_bytes(&mut self.line, moment, side, bytes);
        self.write_line();
    }
}
