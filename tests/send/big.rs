//! `wire send` with answers so big that a writer thread writes their capture: captures keep all their promises
//! there too.

use std::io::Read;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::JoinHandle;

use crate::common::{Home, Run, Server, Step, check_schema, signal, write};

const MIB: usize = 1 << 20;

/// How many bytes of a capture may be missing after a kill: a full queue, as much that is being written,
/// and the longest read of each.
const UNWRITTEN: usize = 2 * MIB + 2 * (64 << 10);

/// The body of an answer, with what must be escaped, and letters beyond ASCII.
fn body(size: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(size + 100);
    while body.len() < size {
        let event = format!(
            "data: {{\"n\": {}, \"text\": \"K\u{f6}ln\\n\"}}\n\n",
            body.len()
        );
        body.extend_from_slice(event.as_bytes());
    }
    body.truncate(size);
    body
}

/// A response with `body` whose Content-Length is `promised`.
fn answer(promised: usize, body: &[u8]) -> Vec<u8> {
    let mut answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {promised}\r\n\r\n"
    )
    .into_bytes();
    answer.extend_from_slice(body);
    answer
}

fn start(home: &Home, server: &Server, flags: &[&str]) -> Child {
    home.request();
    let url = url(server);
    let arguments = [&["send", "r.json", "-q", "--url", &url], flags].concat();
    home.command(&arguments).spawn().unwrap()
}

/// Sends a request to a server that answers with all of `body`.
fn send_whole(home: &Home, body: &[u8], flags: &[&str]) -> Run {
    home.request();
    let server = Server::answering(answer(body.len(), body));
    let url = url(&server);
    home.wire(&[&["send", "r.json", "--url", &url], flags].concat())
}

/// A URL that belongs to no known API, so that the answer is not decoded as a chat answer.
fn url(server: &Server) -> String {
    format!("http://{}/big", server.addr)
}

/// Reads `length` bytes from the standard output of a child.
fn read(child: &mut Child, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    child
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut bytes)
        .unwrap();
    bytes
}

/// The received bytes of a capture whose writer was killed.
fn received_bytes(path: &Path) -> Vec<u8> {
    let reading = wire::capture::read(&mut &*std::fs::read(path).unwrap()).unwrap();
    reading.tape.received.bytes
}

#[test]
fn the_capture_holds_every_byte_of_a_big_answer() {
    let home = Home::new();
    let body = body(5 * MIB);
    let sent = send_whole(&home, &body, &[]).exits_with(0);
    assert!(sent.out == body);
    check_schema(&home.capture());
    assert!(received_bytes(&home.capture()) == answer(body.len(), &body));
}

#[test]
fn an_interrupt_keeps_all_bytes_of_a_big_answer() {
    let home = Home::new();
    let body = body(3 * MIB);
    let server = Server::start(vec![Step::Read, write(answer(4 * MIB, &body)), Step::Drain]);
    let mut child = start(&home, &server, &[]);
    assert!(read(&mut child, body.len()) == body);
    signal(&child, "INT");
    Run::from_output(child.wait_with_output().unwrap()).exits_with(130);
    assert!(received_bytes(&home.capture()) == answer(4 * MIB, &body));
    let text = std::fs::read_to_string(home.capture()).unwrap();
    assert!(
        text.lines().last().unwrap().contains("\"interrupted\""),
        "{text:.500}"
    );
}

#[test]
fn a_killed_process_loses_at_most_the_queued_lines() {
    let home = Home::new();
    let body = body(64 * MIB);
    let server = Server::start(vec![Step::Read, write(answer(body.len(), &body))]);
    let mut child = start(&home, &server, &[]);
    let seen = 8 * MIB;
    read(&mut child, seen);
    signal(&child, "KILL");
    child.wait().unwrap();
    let kept = received_bytes(&home.capture());
    assert!(
        kept.len() + UNWRITTEN >= seen,
        "{} of {seen} bytes",
        kept.len()
    );
    assert!(answer(body.len(), &body).starts_with(&kept));
    home.wire(&["show", "-q"]).exits_with(4);
}

#[test]
fn all_bytes_of_an_idle_stream_are_on_disk() {
    let home = Home::new();
    let body = body(3 * MIB);
    let server = Server::start(vec![Step::Read, write(answer(4 * MIB, &body)), Step::Drain]);
    let mut child = start(&home, &server, &[]);
    assert!(read(&mut child, body.len()) == body);
    // No more bytes come: this waits for the writer thread alone.
    while received_bytes(&home.capture()).len() < answer(4 * MIB, &body).len() {
        std::thread::yield_now();
    }
    signal(&child, "KILL");
    child.wait().unwrap();
    assert!(received_bytes(&home.capture()) == answer(4 * MIB, &body));
}

/// A capture file that is a pipe whose reader closes early, like a disk that becomes full.
fn pipe(home: &Home, taken: usize) -> JoinHandle<Vec<u8>> {
    let path = home.path("pipe");
    assert!(
        Command::new("mkfifo")
            .arg(&path)
            .status()
            .unwrap()
            .success()
    );
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).unwrap();
        file.take(taken as u64).read_to_end(&mut bytes).unwrap();
        bytes
    })
}

#[test]
fn a_capture_that_cannot_be_written_is_reported_and_the_exchange_goes_on() {
    let body = body(6 * MIB);
    for (taken, whole) in [
        (0, false),
        (MIB / 2, false),
        (3 * MIB, false),
        (9 * MIB, true),
    ] {
        let home = Home::new();
        let pipe = pipe(&home, taken);
        let sent = send_whole(&home, &body, &["--capture", "pipe"]);
        let sent = sent.exits_with(if whole { 0 } else { 6 });
        assert!(sent.out == body, "after {taken} bytes");
        let breaks_off = sent.err.contains("pipe: the capture breaks off after");
        assert_eq!(breaks_off, !whole, "{}", sent.err);
        let written = pipe.join().unwrap();
        assert!(whole || written.len() == taken);
    }
    let sent = send_whole(&Home::new(), &body, &["--capture", "/dev/full"])
        .exits_with(6)
        .err_contains("No space left on device");
    assert!(sent.out == body);
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_answer() {
    let home = Home::new();
    let size = 40 * MIB;
    let server = Server::start(vec![
        Step::Read,
        write(answer(size + 1, &body(size))),
        Step::Wait,
        write("\n"),
    ]);
    let mut child = start(&home, &server, &[]);
    for _ in 0..size / MIB {
        read(&mut child, MIB);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 32 << 10, "{peak} KiB");
    server.resume();
    Run::from_output(child.wait_with_output().unwrap()).exits_with(0);
}

#[test]
fn a_long_answer_has_a_verdict() {
    let chunk = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let piece = chunk(&format!("{{\"content\":\"{}\"}}", "x".repeat(4000)), "null");
    let long = piece.repeat((17 << 20) / piece.len());
    let done = format!("{}data: [DONE]\n\n", chunk("{}", "\"stop\""));
    for (end, code) in [(done.as_str(), 0), ("", 4)] {
        let home = Home::new();
        home.request();
        let server = Server::answering(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{long}{end}",
            long.len() + end.len()
        ));
        let url = server.url();
        let sent = home
            .wire(&["send", "r.json", "--url", &url, "--no-capture"])
            .exits_with(code);
        assert!(
            sent.err.contains("are not explained while they arrive"),
            "{}",
            sent.err
        );
        assert!(sent.err.contains("verdict"), "{}", sent.err);
    }
}

/// Sends a request that is answered with `body`, and shows the capture: all end with `code`.
#[track_caller]
fn assert_big_answer_ends_with(media: &str, body: &str, code: i32) {
    let home = Home::new();
    home.request();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let server = Server::answering(head + body);
    let sent = home
        .wire(&["send", "r.json", "--url", &server.url()])
        .exits_with(code);
    assert!(sent.out == body.as_bytes());
    let verdict = sent.err.lines().rfind(|line| line.contains("verdict"));
    let verdict = verdict.unwrap_or_default().trim_start_matches("* ");
    assert!(verdict.contains("broken off") == (code == 4), "{verdict}");
    let shown = home.wire(&["show", "--summary"]).exits_with(code);
    assert!(shown.out().contains(verdict), "{verdict}");
    home.wire(&["show", "-q"]).exits_with(code);
}

#[test]
fn a_big_body_whose_json_is_cut_is_never_a_success() {
    let text = "a".repeat(20 << 20);
    let whole = format!(
        "{{\"id\":\"c\",\"object\":\"chat.completion\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":\"{text}\"}},\"finish_reason\":\"stop\"}}]}}"
    );
    assert_big_answer_ends_with("application/json", &whole, 0);
    assert_big_answer_ends_with("application/json", &whole[..whole.len() - 40], 4);
}

#[test]
fn a_big_event_that_is_cut_is_never_a_success() {
    let text = "a".repeat(17 << 20);
    let event = format!(
        "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":\"stop\"}}]}}"
    );
    let whole = format!("{event}\n\ndata: [DONE]\n\n");
    assert_big_answer_ends_with("text/event-stream", &whole, 0);
    assert_big_answer_ends_with("text/event-stream", &event[..event.len() - 40], 4);
    let comments = format!(": {}\n", "a".repeat(1000)).repeat(17 << 10);
    assert_big_answer_ends_with("text/event-stream", &comments, 4);
}
