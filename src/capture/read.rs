//! Reads the lines of a capture into a tape. A damaged file is read up to the damage, and a note says where that is.

use std::io::{BufRead, Read};

use thiserror::Error;

use super::FORMAT_VERSION;
use super::line::{self, CaptureEvent};
use crate::tape::{Tape, TapeOrigin, WireSink};

/// Longest line that is read, in bytes (256 MiB): thousands of times the line of one read, so that only a file that is
/// no capture exceeds it.
const MAX_LINE_BYTES: u64 = 1 << 28;

/// A capture file read into memory: the tape, and notes about lines that were skipped.
#[derive(Debug)]
pub struct ParsedCapture {
    /// The tape that the lines describe.
    pub tape: Tape,
    /// The lines that were skipped or could not be read.
    pub notes: Vec<CaptureNote>,
}

/// A note about a capture file: a line that was skipped or could not be read.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CaptureNote {
    /// Line number, from 1.
    pub line: u64,
    /// The problem in that line.
    pub kind: CaptureNoteKind,
}

/// A problem in a line of a capture after the first.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CaptureNoteKind {
    /// An event of a later format version, which was skipped: its name.
    UnknownEvent(String),
    /// The last line is incomplete, since the writer was interrupted in it. It was skipped.
    TornLine,
    /// The line cannot be read; it and all after it were skipped.
    BrokenLine {
        /// Column in the line, from 1.
        column: usize,
        /// Why.
        reason: String,
    },
    /// The line is longer than 256 MiB; it and all after it were skipped.
    LineTooLong,
}

/// The error for a file that cannot be read as a capture.
#[derive(Debug, Error)]
pub enum CaptureReadError {
    /// The first line is not the first line of a capture.
    #[error("this is not a capture: line 1, column {column}: {reason}")]
    NotACapture {
        /// Column, from 1.
        column: usize,
        /// Why.
        reason: String,
    },
    /// The file has a later format version: its number.
    #[error(
        "this capture has format version {0}; this program reads up to version {FORMAT_VERSION}"
    )]
    NewerVersion(u64),
    /// The file could not be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Reads a capture file. Damage after the first line is a note, not an error: all lines before it are returned.
pub fn read(file: &mut dyn BufRead) -> Result<ParsedCapture, CaptureReadError> {
    let origin = read_origin(file)?;
    let mut line = Vec::new();
    let mut reading = ParsedCapture {
        tape: Tape::new(origin),
        notes: Vec::new(),
    };
    for number in 2.. {
        let whole = next_line(file, &mut line)?;
        // An empty line comes from an editor, not from a writer; the lines after it are read.
        let is_blank = whole && line.trim_ascii().is_empty();
        if !is_blank && (line.is_empty() || !reading.apply_line(number, &line, whole)) {
            break;
        }
    }
    reading.tape.sent.ended = true;
    reading.tape.received.ended = true;
    Ok(reading)
}

/// Reads only the first line of a capture: its origin.
pub(super) fn read_origin(file: &mut dyn BufRead) -> Result<TapeOrigin, CaptureReadError> {
    let mut line = Vec::new();
    next_line(file, &mut line)?;
    let (version, origin) =
        line::parse_origin(&line).map_err(|error| CaptureReadError::NotACapture {
            column: error.column(),
            reason: error_reason(&error),
        })?;
    if version > FORMAT_VERSION {
        return Err(CaptureReadError::NewerVersion(version));
    }
    Ok(origin)
}

/// Reads the next line into `line`, without its line end. Returns whether it had a line end.
fn next_line(file: &mut dyn BufRead, line: &mut Vec<u8>) -> std::io::Result<bool> {
    line.clear();
    file.take(MAX_LINE_BYTES).read_until(b'\n', line)?;
    Ok(line.pop_if(|last| *last == b'\n').is_some())
}

impl ParsedCapture {
    /// Adds the event or problem of one line. Returns whether later lines can be read.
    fn apply_line(&mut self, number: u64, line: &[u8], whole: bool) -> bool {
        let parsed = line::parse_event(line);
        let kind = match parsed {
            // A last line without its end can still be complete: only the writer's last byte was lost.
            Ok((moment, event)) => {
                match event {
                    CaptureEvent::Fact(fact) => self.tape.facts.push((moment, fact)),
                    CaptureEvent::Bytes(side, bytes) => self.tape.bytes(side, moment, &bytes),
                    CaptureEvent::Unknown(name) => {
                        let kind = CaptureNoteKind::UnknownEvent(name);
                        self.notes.push(CaptureNote { line: number, kind });
                    }
                }
                return whole;
            }
            Err(_) if !whole && line.len() as u64 >= MAX_LINE_BYTES => CaptureNoteKind::LineTooLong,
            Err(_) if !whole => CaptureNoteKind::TornLine,
            Err(error) => CaptureNoteKind::BrokenLine {
                column: error.column(),
                reason: error_reason(&error),
            },
        };
        self.notes.push(CaptureNote { line: number, kind });
        false
    }
}

/// The message of a serde_json error without its position, which is reported separately.
fn error_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

/// Reads any bytes as a capture and asserts that writing and reading it again gives the same tape. The body of a fuzz
/// target.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    let Ok(reading) = read(&mut &*bytes) else {
        return;
    };
    let mut file = Vec::new();
    let mut writer = super::CaptureWriter::new(&mut file, &reading.tape.origin);
    reading.tape.replay(&mut writer);
    assert!(writer.finish().is_ok());
    let Ok(again) = read(&mut &*file) else {
        panic!("the written capture cannot be read");
    };
    assert!(again.notes.is_empty(), "{:?}", again.notes);
    assert_eq!(again.tape.sent.bytes, reading.tape.sent.bytes);
    assert_eq!(again.tape.received.bytes, reading.tape.received.bytes);
    assert_eq!(again.tape.facts.len(), reading.tape.facts.len());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::span::{Moment, StreamSide};
    use crate::tape::{CloseKind, ConnectionFact, ConnectionParty};

    const FIRST: &str = r#"{"wire":1,"id":"x","started":"2026-11-23T14:00:00.123456Z","via":"send","url":"http://h/","tool":"wire 0.1.0","later":[1]}"#;

    fn reading(lines: &str) -> ParsedCapture {
        read(&mut format!("{FIRST}\n{lines}").as_bytes()).unwrap()
    }

    #[test]
    fn bytes_are_read_back_unchanged() {
        let got = reading(
            "{\"t\":5,\"sent\":\"a\\r\\n\\u00e9\"}\n{\"t\":7,\"sent\":{\"base64\":\"/wA=\"}}\n",
        );
        assert!(got.notes.is_empty());
        assert_eq!(got.tape.sent.bytes, b"a\r\n\xc3\xa9\xff\0");
        assert_eq!(got.tape.sent.moment_at(5), Some(Moment::from_micros(7)));
    }

    #[test]
    fn a_line_of_bytes_is_json_to_its_end() {
        for line in [
            "{\"t\":01,\"sent\":\"a\"}\n",
            "{\"t\":1,\"sent\":\"a\"}}\n",
            "{\"t\":1,\"sent\":{\"base64\":\"?\"}}\n",
        ] {
            let got = reading(line);
            assert_eq!(got.notes.len(), 1, "{line}");
            assert!(got.tape.sent.bytes.is_empty(), "{line}");
        }
    }

    #[test]
    fn empty_lines_are_skipped() {
        let got =
            reading("\n\r\n{\"t\":1,\"received\":\"ab\"}\r\n\n{\"t\":2,\"received\":\"cd\"}\n\n");
        assert!(got.notes.is_empty(), "{:?}", got.notes);
        assert_eq!(got.tape.received.bytes, b"abcd");
    }

    #[test]
    fn lines_before_a_broken_one_are_kept() {
        #[track_caller]
        fn case(tail: &str, kind: CaptureNoteKind) {
            let got = reading(&format!("{{\"t\":1,\"received\":\"ab\"}}\n{tail}"));
            assert_eq!(got.notes, [CaptureNote { line: 3, kind }]);
            assert_eq!(got.tape.received.bytes, b"ab");
        }
        case("{\"t\":2,\"rec", CaptureNoteKind::TornLine);
        case(
            "{\"t\":2,\"dreamt\":{}}\n",
            CaptureNoteKind::UnknownEvent("dreamt".into()),
        );
        let why = "expected value".to_owned();
        case(
            "{\"t\":x}\n{\"t\":3,\"received\":\"cd\"}\n",
            CaptureNoteKind::BrokenLine {
                column: 6,
                reason: why,
            },
        );
    }

    #[test]
    fn a_file_that_is_no_capture_is_refused() {
        assert!(matches!(
            read(&mut b"".as_slice()),
            Err(CaptureReadError::NotACapture { .. })
        ));
        assert!(matches!(
            read(&mut b"{}\n".as_slice()),
            Err(CaptureReadError::NotACapture { .. })
        ));
        let newer = FIRST.replace("\"wire\":1", "\"wire\":2");
        assert!(matches!(
            read(&mut newer.as_bytes()),
            Err(CaptureReadError::NewerVersion(2))
        ));
    }

    fn origin() -> TapeOrigin {
        line::parse_origin(FIRST.as_bytes()).unwrap().1
    }

    proptest::proptest! {
        #[test]
        fn a_tape_written_and_read_again_is_equal(
            runs in proptest::collection::vec(
                (proptest::bool::ANY, 0u64..1000, proptest::collection::vec(0u8.., 0..50)), 0..20),
        ) {
            let mut tape = Tape::new(origin());
            let mut now = 0;
            for (sent, gap, bytes) in runs {
                now += gap;
                let side = if sent { StreamSide::Sent } else { StreamSide::Received };
                tape.bytes(side, Moment::from_micros(now), &bytes);
            }
            let closed = ConnectionFact::Closed { by: ConnectionParty::Peer, how: CloseKind::Reset };
            tape.fact(Moment::from_micros(now), &closed);
            let mut file = Vec::new();
            let mut writer = super::super::CaptureWriter::new(&mut file, &tape.origin);
            tape.replay(&mut writer);
            writer.finish().unwrap();
            let got = read(&mut file.as_slice()).unwrap();
            proptest::prop_assert!(got.notes.is_empty());
            proptest::prop_assert_eq!(got.tape.origin, tape.origin);
            proptest::prop_assert_eq!(got.tape.sent.bytes, tape.sent.bytes);
            proptest::prop_assert_eq!(got.tape.sent.marks, tape.sent.marks);
            proptest::prop_assert_eq!(got.tape.received.bytes, tape.received.bytes);
            proptest::prop_assert_eq!(got.tape.received.marks, tape.received.marks);
            proptest::prop_assert_eq!(got.tape.facts, tape.facts);
        }
    }
}
