//! HTTP/1.1 messages of public test suites with their expected readings: each reads as expected, in any split.
//! `WIRE_CONFORMANCE` names the folder that holds them.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests look at files and variables themselves"
)]
use std::io::Read as _;
use std::path::PathBuf;

use serde_json::Value;
use wire::content;
use wire::exchange::{Exchange, decode_body};
use wire::http1::{HttpLimits, HttpMessage};
use wire::span::{Moment, StreamSide};
use wire::tape::{CloseKind, ConnectionFact, ConnectionParty, Tape, TapeOrigin, WireSink};

fn rows(name: &str) -> Option<Vec<Value>> {
    let Some(folder) = std::env::var_os("WIRE_CONFORMANCE").map(PathBuf::from) else {
        eprintln!("SKIPPED: WIRE_CONFORMANCE names no folder");
        return None;
    };
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    Some(
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect(),
    )
}

fn base64(value: &Value) -> Vec<u8> {
    base64_simd::STANDARD
        .decode_to_vec(value.as_str().unwrap())
        .unwrap()
}

fn raw(row: &Value, name: &str) -> Vec<u8> {
    if let Some(coded) = row.get(format!("raw_{name}_base64")) {
        return base64(coded);
    }
    let coded = base64(&row[format!("raw_{name}_zlib_base64")]);
    let mut raw = Vec::new();
    flate2::read::ZlibDecoder::new(&coded[..])
        .read_to_end(&mut raw)
        .unwrap();
    raw
}

fn tape(method: &str, response: &[u8], pieces: usize) -> Tape {
    let origin = TapeOrigin {
        id: "0".into(),
        started: jiff::Timestamp::UNIX_EPOCH,
        via: "test".into(),
        url: "http://h/".into(),
        tool: "test".into(),
        connection: None,
    };
    let mut tape = Tape::new(origin);
    let request = format!("{method} / HTTP/1.1\r\nHost: h\r\n\r\n");
    tape.bytes(StreamSide::Sent, Moment::default(), request.as_bytes());
    for piece in response.chunks(pieces) {
        tape.bytes(StreamSide::Received, Moment::default(), piece);
    }
    for side in [StreamSide::Sent, StreamSide::Received] {
        tape.ended(side, Moment::default());
    }
    tape.fact(
        Moment::default(),
        &ConnectionFact::Closed {
            by: ConnectionParty::Peer,
            how: CloseKind::Eof,
        },
    );
    tape
}

/// The first difference between `message` and its expected reading.
fn differences(
    message: &HttpMessage,
    tape: &Tape,
    side: StreamSide,
    expected: &Value,
) -> Option<String> {
    let stream = tape.stream(side);
    let body: Vec<u8> = message
        .body
        .iter()
        .flat_map(|span| stream.slice(*span))
        .copied()
        .collect();
    if body != base64(&expected["body_base64"]) {
        return Some(format!("the body is {:?}", String::from_utf8_lossy(&body)));
    }
    if let Some(status) = expected["status"].as_u64()
        && message.status().map(u64::from) != Some(status)
    {
        return Some(format!("the status is {:?}", message.status()));
    }
    let pairs: Vec<_> = message
        .head
        .pairs()
        .map(|(name, value)| {
            let unfolded: Vec<_> = value
                .split(|&byte| byte == b'\n')
                .map(<[u8]>::trim_ascii)
                .collect();
            (
                String::from_utf8_lossy(name).into_owned(),
                String::from_utf8_lossy(&unfolded.join(&b' ')).into_owned(),
            )
        })
        .collect();
    for header in expected["headers"].as_array().unwrap() {
        let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
        let latin = |text: &str| text.chars().filter(char::is_ascii).collect::<String>();
        if value.is_ascii()
            && !pairs
                .iter()
                .any(|(n, v)| n.eq_ignore_ascii_case(name) && latin(v) == latin(value))
        {
            return Some(format!("{name}: {value:?} is not in {pairs:?}"));
        }
    }
    if let Some(plain) = expected.get("decoded_base64") {
        let body = decode_body(message, stream, content::DecodeLimits::default());
        if body.bytes != base64(plain) {
            return Some("the decoded body differs".into());
        }
    }
    let trailers = expected
        .get("trailers")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    (message.trailers.fields.len() != trailers).then(|| "the trailers differ".into())
}

#[test]
fn responses_of_public_suites_read_as_judged() {
    let Some(rows) = rows("http1/responses.jsonl") else {
        return;
    };
    let mut wrong = Vec::new();
    for row in &rows {
        let response = raw(row, "response");
        let method = row["request_method"].as_str().unwrap();
        let splits = [usize::MAX, 7, 2, 1];
        // Single bytes would take too long for a body of megabytes, and prove no more.
        for pieces in splits
            .into_iter()
            .filter(|&pieces| pieces > 100 || response.len() < 100_000)
        {
            let tape = tape(method, &response, pieces.min(response.len().max(1)));
            let exchange = Exchange::read(&tape, HttpLimits::default());
            let whole = exchange.outcome().is_whole();
            let problem = match row["expect"]["verdict"].as_str().unwrap() {
                "accept" if !whole => Some(format!("{:?}", exchange.outcome())),
                "accept" => differences(
                    &exchange.response,
                    &tape,
                    StreamSide::Received,
                    &row["expect"],
                ),
                "reject" => whole.then(|| "it was taken".to_owned()),
                _ => None,
            };
            if let Some(problem) = problem {
                wrong.push(format!("{} in pieces of {pieces}: {problem}", row["id"]));
                break;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        rows.len(),
        wrong.join("\n")
    );
    eprintln!("{} responses read as judged", rows.len());
}

#[test]
fn requests_that_all_servers_accept_read_alike() {
    let Some(rows) = rows("http1/requests.jsonl") else {
        return;
    };
    let mut wrong = Vec::new();
    for row in rows
        .iter()
        .filter(|row| row["expect"]["verdict"] == "accept")
    {
        let request = raw(row, "request");
        for pieces in [usize::MAX, 7, 1] {
            let mut tape = tape("GET", b"", 1);
            tape.sent = wire::tape::Stream::new(StreamSide::Sent);
            for piece in request.chunks(pieces.min(request.len())) {
                tape.bytes(StreamSide::Sent, Moment::default(), piece);
            }
            tape.ended(StreamSide::Sent, Moment::default());
            let exchange = Exchange::read(&tape, HttpLimits::default());
            let message = &exchange.request;
            let problem = match message.end {
                Some(end) if end.is_whole() => {
                    differences(message, &tape, StreamSide::Sent, &row["expect"])
                }
                end => Some(format!("{end:?}")),
            };
            if let Some(problem) = problem {
                wrong.push(format!("{} in pieces of {pieces}: {problem}", row["id"]));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
