//! curl and `wire` read the same responses: their bodies must be equal.

use std::process::{Command, Output};

use super::counterpart::program;
use crate::common::{Home, Server, Step, write};

/// The outputs of curl and of `wire` for the same server script.
struct BothOutputs {
    curl: Output,
    wire: crate::common::Run,
    /// The body that `wire show` prints from the capture.
    shown: Vec<u8>,
}

/// Runs curl and `wire send` with `body` against servers that follow `steps`; `None` without curl.
fn run_both(steps: &[Step], body: &[u8]) -> Option<BothOutputs> {
    let curl = program("curl")?;
    let home = Home::new();
    let file = home.file("r.json", body);
    let server = Server::start(steps.to_vec());
    let curl = Command::new(curl)
        .args(["-q", "--silent", "--compressed", "--max-time", "60"])
        .args(["--noproxy", "*", "-H", "Content-Type: application/json"])
        .args(["-H", "Expect:", "--data-binary"])
        .arg(format!("@{}", file.display()))
        .arg(server.url())
        .output()
        .unwrap();
    let server = Server::start(steps.to_vec());
    let wire = home.wire(&["send", "r.json", "--url", &server.url(), "-q"]);
    Some(BothOutputs {
        curl,
        wire,
        shown: home.wire(&["show", "-p", "b"]).out,
    })
}

#[track_caller]
fn assert_same_body(steps: &[Step], body: &[u8]) {
    let Some(BothOutputs { curl, wire, shown }) = run_both(steps, body) else {
        return;
    };
    let same = curl.stdout == wire.out && curl.stdout == shown;
    let lengths = (curl.stdout.len(), wire.out.len(), shown.len());
    assert!(same, "{lengths:?} bytes by curl, send, show: {}", wire.err);
    let broken = !curl.status.success();
    let codes = (curl.status.code(), wire.code);
    assert_eq!(broken, wire.code != Some(0), "{codes:?}: {}", wire.err);
    assert!(matches!(wire.code, Some(0 | 4)), "{codes:?}: {}", wire.err);
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn bodies_are_the_same_as_with_curl() {
    #[track_caller]
    fn case(response: &[u8]) {
        assert_same_body(&[Step::Read, write(response)], b"{}");
    }
    case(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\": 1}\n");
    case(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc and what belongs to nobody");
    case(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    case(b"HTTP/1.0 200 OK\r\n\r\nuntil\0the\xffclose");
    case(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the close");
    case(b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n");
    case(b"HTTP/1.1 503 Busy\r\ncontent-length:4\r\n\r\nbusy");
    case(b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok");
    case(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok");
    case(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\"\r\na\nb\r\n00A\r\n0123456789\r\n0\r\nX: trailer\r\n\r\n");
    case(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\nContent-Length: 1\r\n\r\n2\r\nab\r\n0\r\n\r\n");
    case(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    case(b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\nok");
    // Bodies that break off, in each framing: both programs report it and print what was received.
    case(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    case(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    case(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
    case(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nzz\r\n");
    case(b"");
}

#[test]
fn compressed_bodies_are_the_same_as_with_curl() {
    let text = b"data: {\"a\":1}\n\n".repeat(500);
    let coded = gzipped(&text);
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n";
    let length = format!("{head}Content-Length: {}\r\n\r\n", coded.len());
    assert_same_body(
        &[Step::Read, write([length.as_bytes(), &coded].concat())],
        b"{}",
    );
    let mut chunks = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for piece in coded.chunks(7) {
        chunks.extend(format!("{:x}\r\n", piece.len()).as_bytes());
        chunks.extend([piece, b"\r\n"].concat());
    }
    chunks.extend(b"0\r\n\r\n");
    assert_same_body(&[Step::Read, write(chunks)], b"{}");
}

#[test]
fn an_answer_may_begin_before_the_request_is_sent() {
    // More than two sockets buffer, so that the answer begins while a part of the request is still unsent.
    let request = b"0123456789abcdef".repeat(1 << 20);
    assert_same_body(
        &[
            write("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nbegin,"),
            Step::Read,
            write(" end.\n"),
        ],
        &request,
    );
}
