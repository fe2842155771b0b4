//! Foreign formats: a raw HTTP message as a tape.

use crate::exchange::Exchange;
use crate::http1::{HttpLimits, OddityKind};
use crate::span::{Moment, StreamSide};
use crate::tape::{CloseKind, ConnectionFact, ConnectionParty, Tape, TapeOrigin, WireSink};

/// A tape with a raw HTTP message: a response if it begins with `HTTP/`, else a request, after which a response may
/// follow at the beginning of a line. No moment is known, so all are zero.
pub fn read_message(bytes: &[u8]) -> Tape {
    let response = match bytes.starts_with(b"HTTP/") {
        true => 0,
        false => end_of_request(bytes).unwrap_or(bytes.len()),
    };
    let (sent, received) = bytes.split_at_checked(response).unwrap_or((bytes, &[]));
    let mut tape = tape_with(sent, received);
    let end = ConnectionFact::Closed {
        by: ConnectionParty::Peer,
        how: CloseKind::Eof,
    };
    tape.fact(Moment::default(), &end);
    tape
}

fn tape_with(sent: &[u8], received: &[u8]) -> Tape {
    let mut tape = Tape::new(TapeOrigin {
        id: String::new(),
        started: jiff::Timestamp::UNIX_EPOCH,
        via: "file".to_owned(),
        url: String::new(),
        tool: String::new(),
        connection: None,
    });
    let now = Moment::default();
    for (side, bytes) in [(StreamSide::Sent, sent), (StreamSide::Received, received)] {
        if !bytes.is_empty() {
            tape.bytes(side, now, bytes);
        }
        tape.ended(side, now);
    }
    tape
}

/// Where a response begins after the request that `bytes` begin with; `None` if there is none.
fn end_of_request(bytes: &[u8]) -> Option<usize> {
    let exchange = Exchange::read(&tape_with(bytes, &[]), HttpLimits::default());
    let mut oddities = exchange.oddities();
    let (_, after) = oddities
        .find(|(side, oddity)| *side == StreamSide::Sent && oddity.kind == OddityKind::AfterEnd)?;
    let start = usize::try_from(after.at.start).ok()?;
    let rest = bytes.get(start..)?;
    let blank = rest.len().checked_sub(rest.trim_ascii_start().len())?;
    let is_response = rest.trim_ascii_start().starts_with(b"HTTP/");
    start.checked_add(blank).filter(|_| is_response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_follows_its_request() {
        let case = |bytes: &[u8], sent: u64, received: u64| {
            let tape = read_message(bytes);
            let lengths = [StreamSide::Sent, StreamSide::Received]
                .map(|side| tape.stream(side).bytes.len() as u64);
            assert_eq!(lengths, [sent, received]);
        };
        case(b"HTTP/1.1 200 OK\r\n\r\n", 0, 19);
        case(b"GET / HTTP/1.1\r\n\r\n", 18, 0);
        case(
            b"GET / HTTP/1.1\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
            18,
            27,
        );
    }
}
