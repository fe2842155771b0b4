//! Time limits, signals and kills: what was received before is kept.

use std::process::Child;

use crate::common::{Home, Run, Server, Step, read_until, signal, wait_until_asleep, write};

/// A home with the request file that all tests here send.
fn home_with_request() -> Home {
    let home = Home::new();
    home.request();
    home
}

/// A server that sends the first 5 of 30 bytes and then waits.
fn pausing_server() -> Server {
    Server::start(vec![
        Step::Read,
        write("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nbegin"),
        Step::Drain,
    ])
}

/// A running `wire send` to `url`.
fn spawn_send(home: &Home, url: &str) -> Child {
    let mut command = home.command(&["send", "r.json", "--url", url]);
    command.spawn().unwrap()
}

#[test]
fn time_and_size_limits_end_the_exchange() {
    let home = home_with_request();
    for (flags, text) in [
        (["--idle-timeout", "0.05"], "no byte came or went"),
        (["--max-time", "0.05"], "--max-time"),
    ] {
        let server = Server::start(vec![
            Step::Read,
            write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na"),
            Step::Drain,
        ]);
        let url = server.url();
        let mut arguments = vec!["send", "r.json", "--url", &url];
        arguments.extend(flags);
        let run = home.wire(&arguments).exits_with(5).err_contains(text);
        assert_eq!(run.out(), "a");
    }
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(3000));
    let server = Server::answering(head);
    home.wire(&["send", "r.json", "--url", &server.url(), "--max-head", "2K"])
        .exits_with(4)
        .err_contains("longer than the limit");
}

#[test]
fn max_time_stops_a_peer_that_never_pauses() {
    let home = home_with_request();
    // Parsing these lines one by one takes longer than sending them.
    let lines = ":\r\n\r\n".repeat(1 << 13);
    let server = Server::start(vec![
        write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"),
        Step::Pour(lines.into()),
    ]);
    let url = server.url();
    let arguments = ["send", "r.json", "--url", &url, "--no-capture"];
    home.wire(&[&arguments[..], &["--max-time", "0.2"]].concat())
        .exits_with(5)
        .err_contains("--max-time");
}

#[test]
fn an_interrupt_keeps_what_was_received() {
    for (name, code) in [("INT", 130), ("TERM", 130)] {
        let home = home_with_request();
        let server = pausing_server();
        let mut child = spawn_send(&home, &server.url());
        read_until(child.stdout.as_mut().unwrap(), "begin");
        signal(&child, name);
        let run = Run::from_output(child.wait_with_output().unwrap()).exits_with(code);
        assert!(
            run.err.contains("interrupted") && run.err.contains("captured in"),
            "{}",
            run.err
        );
        let shown = home.wire(&["show", "-p", "b"]).exits_with(130);
        assert_eq!(shown.out(), "begin");
    }
}

#[test]
fn an_interrupt_while_connecting_names_the_stage() {
    let home = home_with_request();
    let server = Server::start(vec![Step::Drain]);
    let url = format!("https://{}/", server.addr);
    let mut child = spawn_send(&home, &url);
    let progress = read_until(child.stderr.as_mut().unwrap(), "connected to");
    wait_until_asleep(&child);
    signal(&child, "INT");
    let run = Run::from_output(child.wait_with_output().unwrap()).exits_with(130);
    assert!(
        run.err.contains("(Ctrl-C) while agreeing on TLS"),
        "{progress}{}",
        run.err
    );
}

#[test]
fn a_second_interrupt_ends_even_a_blocked_write() {
    let home = home_with_request();
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let server = Server::start(vec![
        Step::Read,
        write(head),
        Step::Pour(vec![b'x'; 1 << 16]),
    ]);
    let mut child = home
        .command(&["send", "r.json", "--url", &server.url(), "-q"])
        .spawn()
        .unwrap();
    read_until(child.stdout.as_mut().unwrap(), "x");
    // The reader has stopped: the pipe fills up.
    wait_until_asleep(&child);
    let status = loop {
        signal(&child, "INT");
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(status.code(), Some(130));
    let shown = home.wire(&["show", "-p", "m"]).exits_with(4);
    assert!(
        shown.out().contains("the recording stops"),
        "{}",
        shown.out()
    );
}

#[test]
fn a_killed_process_leaves_whole_lines() {
    let home = home_with_request();
    let server = pausing_server();
    let mut child = spawn_send(&home, &server.url());
    read_until(child.stdout.as_mut().unwrap(), "begin");
    signal(&child, "KILL");
    child.wait().unwrap();
    let shown = home.wire(&["show"]).exits_with(4);
    assert!(
        shown.out().contains("the recording stops after"),
        "{}",
        shown.out()
    );
    // Cut anywhere, the file still opens, up to its last whole line.
    let text = std::fs::read(home.capture()).unwrap();
    let first = text.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for end in first..text.len() {
        // A line that lacks nothing but its end is whole.
        let whole = text[..=end].iter().filter(|&&byte| byte == b'\n').count();
        let reading = wire::capture::read(&mut &text[..end]).unwrap();
        let events = reading.tape.facts.len()
            + reading.tape.sent.marks.len()
            + reading.tape.received.marks.len();
        assert_eq!(events + 1, whole, "cut at {end}");
        assert_eq!(
            reading.notes.is_empty(),
            text[end - 1] == b'\n' || text[end] == b'\n',
            "cut at {end}"
        );
    }
}
