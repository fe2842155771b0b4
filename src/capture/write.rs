//! The sink that appends each event to a capture file as one line in one write: if the process dies, the file holds
//! whole lines, and at most one torn one.

use std::io::{self, Write};

use super::line;
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, TapeOrigin, WireSink};

/// A file or queue that takes whole lines.
pub trait LineSink {
    /// Writes `line`. It may take the memory of the line and leave other bytes in its place.
    fn put_line(&mut self, line: &mut Vec<u8>) -> io::Result<()>;
}

impl<W: Write> LineSink for W {
    fn put_line(&mut self, line: &mut Vec<u8>) -> io::Result<()> {
        self.write_all(line)
    }
}

/// A sink that writes a capture file. The first error ends the writing, but not the exchange:
/// [`CaptureWriter::finish`] returns it.
///
/// A writer masks nothing: put a [`Masker`](super::Masker) before it when the bytes come from a network.
#[derive(Debug)]
pub struct CaptureWriter<W> {
    file: W,
    line: Vec<u8>,
    first_error: Option<io::Error>,
}

impl<W: LineSink> CaptureWriter<W> {
    /// Creates a writer and writes the first line of the capture.
    pub fn new(file: W, origin: &TapeOrigin) -> Self {
        let mut writer = Self {
            file,
            line: Vec::new(),
            first_error: None,
        };
        writer.put(|line| line::put_origin(line, origin));
        writer
    }

    /// Ends the capture. Returns the file, or the first error of writing.
    pub fn finish(self) -> io::Result<W> {
        self.first_error.map_or(Ok(self.file), Err)
    }

    fn put(&mut self, build: impl FnOnce(&mut Vec<u8>)) {
        if self.first_error.is_none() {
            self.line.clear();
            build(&mut self.line);
            self.first_error = self.file.put_line(&mut self.line).err();
        }
    }
}

impl<W: LineSink> WireSink for CaptureWriter<W> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.put(|line| line::put_fact(line, moment, fact));
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.put(|line| line::put_bytes(line, moment, side, bytes));
        }
    }
}
