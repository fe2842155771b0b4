//! `wire record` between a client and a server, on sockets: what crosses, and what the captures say.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and sockets themselves"
)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};

use common::{Home, Run, Server, Step, check_schema, read_until, signal, write};

const ANSWER: &str =
    "HTTP/1.1 200 OK\r\ncontent-TYPE:  application/json\r\nContent-Length: 2\r\n\r\n{}";

/// A recorder that forwards to one server.
struct Recorder {
    child: Child,
    address: String,
}

impl Recorder {
    fn start(home: &Home, upstream: &str) -> Self {
        Self::start_with(home, upstream, &[])
    }

    fn start_with(home: &Home, upstream: &str, more: &[&str]) -> Self {
        let listen = ["record", "--listen", "127.0.0.1:0", "--upstream", upstream];
        let mut child = home.command(&[&listen, more].concat()).spawn().unwrap();
        let line = read_until(child.stderr.as_mut().unwrap(), ",");
        let address = line.split("http://").nth(1).unwrap();
        let address = address.trim_end_matches(',').to_owned();
        Self { child, address }
    }

    fn connect(&self) -> TcpStream {
        let address = self.address.split('/').next().unwrap();
        TcpStream::connect(address).unwrap()
    }

    /// The request as a client writes it to this recorder.
    fn request(&self, body: &str) -> String {
        let length = body.len();
        let host = &self.address;
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhOST:   {host}\r\nX-A: b\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    }

    fn stop(self) -> Run {
        signal(&self.child, "INT");
        Run::from_output(self.child.wait_with_output().unwrap())
    }
}

fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn read_exactly(stream: &mut TcpStream, text: &str) {
    let mut bytes = vec![0; text.len()];
    stream.read_exact(&mut bytes).unwrap();
    assert_eq!(String::from_utf8_lossy(&bytes), text);
}

/// The events of a capture.
fn events(path: &std::path::Path) -> Vec<serde_json::Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn joined(events: &[serde_json::Value], side: &str) -> String {
    events
        .iter()
        .filter_map(|event| event[side].as_str())
        .collect()
}

#[test]
fn bytes_pass_unchanged_but_for_the_host_and_the_capture_says_so() {
    let home = Home::new();
    let server = Server::answering(ANSWER);
    let upstream = server.addr.to_string();
    let recorder = Recorder::start(&home, &format!("http://{upstream}"));
    let request = recorder.request(r#"{"model": "gpt-x"}"#);
    let mut client = recorder.connect();
    client.write_all(request.as_bytes()).unwrap();
    assert_eq!(read_all(&mut client), ANSWER);
    let forwarded = request.replace(&recorder.address, &upstream);
    assert_eq!(String::from_utf8(server.received()).unwrap(), forwarded);

    let address = recorder.address.clone();
    recorder.stop().exits_with(0).err_contains("1 exchange");
    let path = home.capture();
    assert!(path.display().to_string().contains("-gpt-x-"), "{path:?}");
    check_schema(&path);
    let events = events(&path);
    assert_eq!(events[0]["via"], "record");
    assert_eq!(events[0]["connection"]["exchange"], 1);
    let sent = joined(&events, "sent");
    assert_eq!(sent, forwarded);
    assert_eq!(joined(&events, "received"), ANSWER);
    let edit = events.iter().find_map(|event| event.get("edited")).unwrap();
    assert_eq!(edit["was"], address);
    let end = |name: &str| edit["span"][name].as_u64().unwrap() as usize;
    assert_eq!(&sent[end("start")..end("end")], upstream);
    let shown = home.wire(&["show"]).exits_with(0);
    assert!(
        shown.out().contains("the recorder changed"),
        "{}",
        shown.out()
    );
}

#[test]
fn each_exchange_of_a_kept_connection_is_a_capture() {
    let home = Home::new();
    let first = "POST /v1/chat/completions HTTP/1.1\r\n";
    let server = Server::start(vec![
        Step::Read,
        write(ANSWER),
        Step::Wait,
        Step::Take(first.len()),
        write(ANSWER),
    ]);
    let recorder = Recorder::start(&home, &format!("http://{}", server.addr));
    let request = recorder.request("{}");
    let mut client = recorder.connect();
    client.write_all(request.as_bytes()).unwrap();
    read_exactly(&mut client, ANSWER);
    client.write_all(request.as_bytes()).unwrap();
    server.resume();
    assert_eq!(read_all(&mut client), ANSWER);
    recorder.stop().exits_with(0);
    let captures = home.captures();
    assert_eq!(captures.len(), 2);
    let both: Vec<_> = captures.iter().map(|path| events(path)).collect();
    let number = |events: &[serde_json::Value]| events[0]["connection"]["exchange"].as_u64();
    let mut numbers: Vec<_> = both.iter().map(|events| number(events)).collect();
    numbers.sort();
    assert_eq!(numbers, [Some(1), Some(2)]);
    assert_eq!(
        both[0][0]["connection"]["id"],
        both[1][0]["connection"]["id"]
    );
    for events in &both {
        assert_eq!(joined(events, "received"), ANSWER);
        let reused = events.iter().any(|event| event.get("reused").is_some());
        assert_eq!(reused, number(events) == Some(2));
    }
}

#[test]
fn a_request_that_could_smuggle_another_never_reaches_the_server() {
    let home = Home::new();
    let server = Server::start(vec![Step::Drain]);
    let recorder = Recorder::start(&home, &format!("http://{}", server.addr));
    let bad = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let mut client = recorder.connect();
    client.write_all(bad.as_bytes()).unwrap();
    let answer = read_all(&mut client);
    assert!(
        answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
        "{answer}"
    );
    assert!(answer.contains("RFC 9112, 6.3, clause 3"), "{answer}");
    recorder.stop().exits_with(0);
    // The server never saw a connection: this is the first.
    drop(TcpStream::connect(server.addr).unwrap());
    assert_eq!(server.received(), b"");
    let events = events(&home.capture());
    check_schema(&home.capture());
    assert_eq!(joined(&events, "sent"), bad);
    let replied = events
        .iter()
        .find_map(|event| event.get("replied"))
        .unwrap();
    assert_eq!(replied["status"], 400);
    let shown = home.wire(&["show"]);
    assert!(
        shown.out().contains("the recorder itself answered 400"),
        "{}",
        shown.out()
    );
}

#[test]
fn an_unreachable_server_is_a_clear_502_and_captured() {
    let home = Home::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = free.local_addr().unwrap();
    drop(free);
    let recorder = Recorder::start(&home, &format!("http://{upstream}"));
    let mut client = recorder.connect();
    client.write_all(recorder.request("{}").as_bytes()).unwrap();
    let answer = read_all(&mut client);
    assert!(
        answer.starts_with("HTTP/1.1 502 Bad Gateway\r\n"),
        "{answer}"
    );
    assert!(answer.contains("connection refused"), "{answer}");
    recorder.stop().exits_with(0);
    check_schema(&home.capture());
    home.wire(&["show", "-q"]).exits_with(3);
}

#[test]
fn a_client_that_leaves_ends_the_stream_and_the_capture_says_who_left() {
    let home = Home::new();
    let event = "data: {\"choices\":[]}\n\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let server = Server::start(vec![Step::Read, write(head), Step::Pour(event.into())]);
    let recorder = Recorder::start(&home, &format!("http://{}", server.addr));
    let mut client = recorder.connect();
    client.write_all(recorder.request("{}").as_bytes()).unwrap();
    read_exactly(&mut client, head);
    client.shutdown(Shutdown::Both).unwrap();
    drop(client);
    // Ends only because its connection was closed.
    server.received();
    recorder.stop().exits_with(0);
    let events = events(&home.capture());
    let closed = events.iter().find_map(|event| event.get("closed")).unwrap();
    assert_eq!(closed["by"], "program");
    home.wire(&["show", "-q"]).exits_with(4);
}

#[test]
fn a_server_that_dies_ends_the_client_and_the_capture_is_cut() {
    let home = Home::new();
    let part = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a";
    let server = Server::answering(part);
    let recorder = Recorder::start(&home, &format!("http://{}", server.addr));
    let mut client = recorder.connect();
    client.write_all(recorder.request("{}").as_bytes()).unwrap();
    assert_eq!(read_all(&mut client), part);
    recorder.stop().exits_with(0);
    let events = events(&home.capture());
    let closed = events.iter().find_map(|event| event.get("closed")).unwrap();
    assert_eq!(closed["by"], "peer");
    home.wire(&["show", "-q"]).exits_with(4);
}

#[test]
fn a_half_closed_client_still_gets_its_answer() {
    let home = Home::new();
    let server = Server::start(vec![Step::Read, Step::Drain, write(ANSWER)]);
    let recorder = Recorder::start(&home, &format!("http://{}", server.addr));
    let mut client = recorder.connect();
    client.write_all(recorder.request("{}").as_bytes()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut client), ANSWER);
    recorder.stop().exits_with(0);
}

#[test]
fn a_stream_in_flight_is_cut_after_the_grace_and_the_capture_is_closed() {
    let home = Home::new();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let server = Server::start(vec![Step::Read, write(head), Step::Drain]);
    let upstream = format!("http://{}", server.addr);
    let recorder = Recorder::start_with(&home, &upstream, &["--grace", "0"]);
    let mut client = recorder.connect();
    client.write_all(recorder.request("{}").as_bytes()).unwrap();
    read_exactly(&mut client, head);
    signal(&recorder.child, "TERM");
    assert_eq!(read_all(&mut client), "");
    Run::from_output(recorder.child.wait_with_output().unwrap()).exits_with(0);
    let events = events(&home.capture());
    assert_eq!(events.last().unwrap()["failed"]["cause"], "interrupted");
}

#[test]
fn the_capture_of_a_killed_recorder_is_readable() {
    let home = Home::new();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n";
    let server = Server::start(vec![Step::Read, write(head), Step::Drain]);
    let recorder = Recorder::start(&home, &format!("http://{}", server.addr));
    let mut client = recorder.connect();
    client.write_all(recorder.request("{}").as_bytes()).unwrap();
    read_exactly(&mut client, head);
    // The file grows while the exchange runs.
    while home.captures().is_empty() || !joined(&events(&home.capture()), "received").contains(head)
    {
        std::thread::yield_now();
    }
    signal(&recorder.child, "KILL");
    recorder.child.wait_with_output().unwrap();
    let shown = home.wire(&["show"]).exits_with(4);
    assert!(shown.out().contains("data: {}"), "{}", shown.out());
}

#[test]
fn keys_stay_off_the_disk() {
    let home = Home::new();
    let key = "sk-proj-Zq9xUNIQ7f3aTw8KdLmP2";
    let echo = format!(
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: {}\r\n\r\n{key}",
        key.len()
    );
    let server = Server::answering(echo.clone());
    let recorder = Recorder::start(&home, &format!("http://{}", server.addr));
    let mut client = recorder.connect();
    // The model names the file.
    let request = recorder.request(&format!(r#"{{"model":"{key}"}}"#));
    let request = request.replace("X-A: b", &format!("Authorization: Bearer {key}"));
    client.write_all(request.as_bytes()).unwrap();
    assert_eq!(
        read_all(&mut client),
        echo,
        "the client gets the bytes as they came"
    );
    assert!(String::from_utf8(server.received()).unwrap().contains(key));
    recorder.stop().exits_with(0);
    let text = std::fs::read_to_string(home.capture()).unwrap();
    assert!(!text.contains("Zq9xUNIQ7f3aTw8KdLmP2"), "{text}");
    let name = home.capture().display().to_string();
    assert!(
        name.contains("-sk-proj-") && !name.contains("Zq9xUN"),
        "{name}"
    );
}

#[test]
fn only_the_newest_captures_stay_and_those_of_others() {
    let home = Home::new();
    std::fs::create_dir(home.path("captures")).unwrap();
    let other = home.file("captures/20200101-000000.000-old-0000.wire", "{}");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = format!("http://{}", free.local_addr().unwrap());
    drop(free);
    let recorder = Recorder::start_with(&home, &upstream, &["--keep", "1"]);
    for number in 0..3 {
        let mut client = recorder.connect();
        let request = recorder.request(&format!("[{number}]"));
        client.write_all(request.as_bytes()).unwrap();
        assert!(read_all(&mut client).contains("502"));
    }
    recorder.stop().exits_with(0).err_contains("3 exchanges");
    let left = home.captures();
    assert_eq!(left.len(), 2, "{left:?}");
    assert_eq!(left[0], other);
    assert!(joined(&events(&left[1]), "sent").ends_with("[2]"));
}

#[test]
fn values_like_a_prefix_are_masked_too() {
    let home = Home::new();
    let server = Server::answering(ANSWER);
    let upstream = format!("http://{}", server.addr);
    let recorder = Recorder::start_with(&home, &upstream, &["--mask-like", "tok_"]);
    let mut client = recorder.connect();
    let request = recorder.request(r#"{"note":"tok_ab12cd34ef56gh78"}"#);
    client.write_all(request.as_bytes()).unwrap();
    assert_eq!(read_all(&mut client), ANSWER);
    recorder.stop().exits_with(0);
    let text = std::fs::read_to_string(home.capture()).unwrap();
    assert!(!text.contains("ab12cd34ef56gh78"), "{text}");
}

#[test]
fn paths_choose_the_server_and_the_edit_is_captured() {
    let home = Home::new();
    let server = Server::answering(ANSWER);
    let upstream = format!("chat=http://{}/base", server.addr);
    let recorder = Recorder::start(&home, &upstream);
    let host = recorder.address.split('/').next().unwrap().to_owned();
    let mut client = recorder.connect();
    client
        .write_all(format!("GET /chat/v1/models?a=b HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())
        .unwrap();
    assert_eq!(read_all(&mut client), ANSWER);
    let received = String::from_utf8(server.received()).unwrap();
    assert!(
        received.starts_with("GET /base/v1/models?a=b HTTP/1.1\r\n"),
        "{received}"
    );
    let mut client = recorder.connect();
    let other = format!("GET /chatter HTTP/1.1\r\nHost: {host}\r\n\r\n");
    client.write_all(other.as_bytes()).unwrap();
    let answer = read_all(&mut client);
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    recorder.stop().exits_with(0);
    let edits: Vec<_> = events(&home.captures()[0])
        .iter()
        .filter_map(|event| event.get("edited")?.get("was")?.as_str().map(str::to_owned))
        .collect();
    assert_eq!(edits, ["/chat", host.as_str()]);
}

#[test]
fn a_client_beyond_the_limit_of_descriptors_gets_a_503_and_the_others_go_on() {
    let home = Home::new();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let server = Server::start(vec![
        Step::Read,
        write(head),
        Step::Wait,
        write("data: {}\n\n"),
    ]);
    let wire = env!("CARGO_BIN_EXE_wire");
    let upstream = format!("http://{}", server.addr);
    // Room for one connection beside the descriptors of the recorder itself.
    let script =
        format!("ulimit -n 50; exec {wire} record --listen 127.0.0.1:0 --upstream {upstream}");
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &script]).current_dir(home.path(""));
    shell.stderr(Stdio::piped()).stdout(Stdio::piped());
    let mut child = shell.spawn().unwrap();
    let line = read_until(child.stderr.as_mut().unwrap(), ",");
    let address = line
        .split("http://")
        .nth(1)
        .unwrap()
        .trim_end_matches(',')
        .to_owned();
    let recorder = Recorder { child, address };
    let mut first = recorder.connect();
    first.write_all(recorder.request("{}").as_bytes()).unwrap();
    read_exactly(&mut first, head);
    let mut second = recorder.connect();
    second.write_all(recorder.request("{}").as_bytes()).unwrap();
    let answer = read_all(&mut second);
    assert!(
        answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"),
        "{answer}"
    );
    server.resume();
    assert_eq!(read_all(&mut first), "data: {}\n\n");
    recorder.stop().exits_with(0).err_contains("1 exchange");
}

#[test]
fn wrong_arguments_say_what_to_write() {
    let home = Home::new();
    home.wire(&["record", "--upstream", "api.openai.com"])
        .exits_with(2)
        .err_contains("https://api.openai.com");
    home.wire(&["record", "--upstream", "http://h", "--listen", "0.0.0.0:0"])
        .exits_with(2)
        .err_contains("open to other machines");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    home.wire(&["record", "--upstream", "http://h", "--listen", &taken])
        .exits_with(3)
        .err_contains("--listen 127.0.0.1:0");
}
