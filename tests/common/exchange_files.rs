//! The exchanges of `tests/exchanges`: their files, and a tape made of a request, a response and its reads.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]
#![allow(unreachable_pub, reason = "shared by several test binaries")]

use std::path::PathBuf;

use wire::span::{Moment, StreamSide};
use wire::tape::{CloseKind, ConnectionFact, ConnectionParty, Tape, TapeOrigin, WireSink as _};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/exchanges")
}

/// The names of all exchanges, sorted.
pub fn names() -> Vec<String> {
    let names = std::fs::read_dir(folder()).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        Some(name.strip_suffix(".expected.json")?.to_owned())
    });
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

/// The bytes of one file of an exchange, such as `request.http`.
pub fn file(name: &str, part: &str) -> Vec<u8> {
    let path = folder().join(format!("{name}.{part}"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The time in microseconds and the length of each read of the response.
pub fn reads(name: &str) -> Vec<(u64, usize)> {
    serde_json::from_slice(&file(name, "reads.json")).unwrap()
}

/// A tape on which the response came in `reads`, and the peer closed.
pub fn tape(name: &str, request: &[u8], response: &[u8], reads: &[(u64, usize)]) -> Tape {
    let mut tape = Tape::new(TapeOrigin {
        id: name.to_owned(),
        started: jiff::Timestamp::UNIX_EPOCH,
        via: "send".to_owned(),
        url: "https://api.example.com/".to_owned(),
        tool: "wire".to_owned(),
        connection: None,
    });
    tape.bytes(StreamSide::Sent, Moment::default(), request);
    let (mut rest, mut last) = (response, Moment::default());
    for &(micros, bytes) in reads {
        let (piece, after) = rest.split_at(bytes.min(rest.len()));
        rest = after;
        last = Moment::from_micros(micros);
        tape.bytes(StreamSide::Received, last, piece);
    }
    tape.bytes(StreamSide::Received, last, rest);
    let closed = ConnectionFact::Closed {
        by: ConnectionParty::Peer,
        how: CloseKind::Eof,
    };
    tape.fact(last, &closed);
    tape
}
