//! Recorded requests of real clients and answers of real servers: each is read to its end, in any split, and
//! is read back from a capture byte for byte.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]

use std::path::{Path, PathBuf};

use wire::capture;
use wire::content;
use wire::exchange::{Exchange, ExchangeOutcome, decode_body};
use wire::http1::{HttpLimits, OddityKind};
use wire::json::JsonDocument;
use wire::span::{Moment, StreamSide};
use wire::tape::{CloseKind, ConnectionFact, ConnectionParty, Tape, TapeOrigin, WireSink};

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder);
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut found: Vec<_> = entries
        .filter(|path| path.to_str().unwrap().ends_with(ending))
        .collect();
    found.sort();
    assert!(found.len() > 20);
    found
}

fn origin() -> TapeOrigin {
    TapeOrigin {
        id: "0".into(),
        started: jiff::Timestamp::UNIX_EPOCH,
        via: "test".into(),
        url: "http://h/".into(),
        tool: "test".into(),
        connection: None,
    }
}

/// A tape of both messages; `pieces` are moment and length of each read of the answer.
fn tape(request: &[u8], response: &[u8], pieces: &[(u64, usize)]) -> Tape {
    let mut tape = Tape::new(origin());
    tape.bytes(StreamSide::Sent, Moment::default(), request);
    let mut rest = response;
    for &(micros, length) in pieces {
        let (piece, after) = rest.split_at(length.min(rest.len()));
        tape.bytes(StreamSide::Received, Moment::from_micros(micros), piece);
        rest = after;
    }
    assert!(rest.is_empty(), "the pieces cover it");
    for side in [StreamSide::Sent, StreamSide::Received] {
        tape.ended(side, Moment::default());
    }
    let last = pieces.last().map_or(0, |piece| piece.0);
    tape.fact(
        Moment::from_micros(last),
        &ConnectionFact::Closed {
            by: ConnectionParty::Peer,
            how: CloseKind::Eof,
        },
    );
    tape
}

/// Moment and length of each read of an answer; one read if they were not recorded.
fn reads(response: &Path, length: usize) -> Vec<(u64, usize)> {
    let times = response.to_str().unwrap().replace(".resp.http", ".times");
    let Ok(times) = std::fs::read_to_string(times) else {
        return vec![(0, length)];
    };
    let read = |line: &str| {
        let (micros, length) = line.split_once(' ')?;
        Some((micros.parse().ok()?, length.parse().ok()?))
    };
    let reads: Vec<_> = times.lines().filter_map(read).collect();
    let covered: usize = reads.iter().map(|read: &(u64, usize)| read.1).sum();
    if covered == length {
        reads
    } else {
        vec![(0, length)]
    }
}

fn write_and_read_capture(tape: &Tape) -> Tape {
    let mut writer = capture::CaptureWriter::new(Vec::new(), &tape.origin);
    tape.replay(&mut writer);
    let file = writer.finish().unwrap();
    let reading = capture::read(&mut &file[..]).unwrap();
    assert!(reading.notes.is_empty());
    reading.tape
}

#[test]
fn requests_of_real_clients_are_read_to_their_end() {
    for path in files("sdk-requests", ".http") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for step in [bytes.len(), 64, 1] {
            let mut tape = Tape::new(origin());
            for piece in bytes.chunks(step) {
                tape.bytes(StreamSide::Sent, Moment::default(), piece);
            }
            tape.ended(StreamSide::Sent, Moment::default());
            let exchange = Exchange::read(&tape, HttpLimits::default());
            let request = &exchange.request;
            // One file holds only a head: its client waited for `100 Continue`.
            if name.contains("headonly") {
                assert!(
                    request.framing.is_some() && request.body_length == 0,
                    "{name}"
                );
                continue;
            }
            assert!(
                request.end.is_some_and(|end| end.is_whole()),
                "{name}: {:?}",
                request.end
            );
            assert_eq!(request.oddities, [], "{name}");
            let body = decode_body(request, &tape.sent, content::DecodeLimits::default());
            let document =
                JsonDocument::parse(&body.bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(!document.root().is_empty(), "{name}");
        }
    }
}

#[test]
fn answers_of_real_servers_are_read_to_their_end_in_any_split() {
    let mut read = 0;
    for path in files("server-exchanges", ".resp.http") {
        let name = path.file_name().unwrap().to_str().unwrap();
        let response = std::fs::read(&path).unwrap();
        let request = std::fs::read(path.to_str().unwrap().replace(".resp.", ".req.")).unwrap();
        let whole = tape(&request, &response, &[(0, response.len())]);
        let expected = Exchange::read(&whole, HttpLimits::default());
        let outcome = expected.outcome();
        // Where the server quoted its own source, a path in it was replaced after the recording.
        if response.windows(8).any(|bytes| bytes == b"${PEERS}") {
            assert!(
                matches!(outcome, ExchangeOutcome::Cut { .. }),
                "{name}: {outcome:?}"
            );
            continue;
        }
        assert!(outcome.is_whole(), "{name}: {outcome:?}");
        let odd = expected
            .response
            .oddities
            .iter()
            .find(|odd| odd.kind == OddityKind::StrictRefuses);
        assert_eq!(odd, None, "{name}");
        let body = decode_body(
            &expected.response,
            &whole.received,
            content::DecodeLimits::default(),
        );
        assert_eq!(body.error, None, "{name}");

        let single: Vec<_> = (0..response.len()).map(|at| (at as u64, 1)).collect();
        for pieces in [reads(&path, response.len()), single] {
            let tape = tape(&request, &response, &pieces);
            let exchange = Exchange::read(&tape, HttpLimits::default());
            assert_eq!(exchange.response.body, expected.response.body, "{name}");
            assert_eq!(
                exchange.response.head.fields, expected.response.head.fields,
                "{name}"
            );
            let again = decode_body(
                &exchange.response,
                &tape.received,
                content::DecodeLimits::default(),
            );
            assert_eq!(again.bytes, body.bytes, "{name}");
            let reread = write_and_read_capture(&tape);
            assert_eq!(reread.received.bytes, response, "{name}");
            assert_eq!(reread.received.marks, tape.received.marks, "{name}");
            assert_eq!(reread.sent.bytes, request, "{name}");
        }
        read += 1;
    }
    assert!(read > 100);
}
