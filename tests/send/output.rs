//! Standard output, standard input and capture files that are pipes, full, or closed.

use std::io::{Read as _, Write as _};

use crate::common::{Home, Run, Server, Step, read_until, write};

#[test]
fn a_full_disk_is_reported_and_the_exchange_goes_on() {
    let home = Home::new();
    home.request();
    let run = home
        .wire(&["send", "r.json", "--to", "demo", "--capture", "/dev/full"])
        .exits_with(6)
        .err_contains("No space left on device");
    assert_eq!(run.json()["object"], "chat.completion");
    home.wire(&["send", "r.json", "--to", "demo", "--captures", "/proc/none"])
        .exits_with(6)
        .err_contains("--no-capture");
}

#[test]
fn standard_output_that_cannot_be_written_is_reported() {
    let home = Home::new();
    home.request();
    for arguments in [
        &["--help"][..],
        &["man"],
        &["send", "r.json", "--to", "demo", "-q"],
        &["send", "r.json", "--to", "demo", "--json"],
        &["show", "-p", "b"],
        &["show", "--json"],
        &["ls"],
    ] {
        let full = std::fs::File::create("/dev/full").unwrap();
        let output = home.command(arguments).stdout(full).output().unwrap();
        let run = Run::from_output(output).exits_with(6);
        run.err_contains("No space left on device");
    }
}

#[test]
fn a_capture_can_be_read_from_a_pipe() {
    let home = Home::new();
    home.request();
    home.wire(&["send", "r.json", "--to", "demo", "-q"])
        .exits_with(0);
    let expected = home.wire(&["show", "-p", "HBhb"]).exits_with(0).out;
    for name in ["-", "/dev/stdin"] {
        let file = std::fs::read(home.capture()).unwrap();
        let mut child = home
            .command(&["show", name, "-p", "HBhb"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&file).unwrap();
        let run = Run::from_output(child.wait_with_output().unwrap()).exits_with(0);
        assert_eq!(run.out, expected);
    }
}

#[test]
fn a_reader_that_closes_standard_output_is_no_error() {
    let home = Home::new();
    home.request();
    let line = "a".repeat(1000);
    let server = Server::start(vec![
        Step::Read,
        write(format!("HTTP/1.1 200 OK\r\n\r\n{line}\n")),
        Step::Wait,
        write(line.clone()),
        Step::Wait,
        write(line.clone()),
        Step::Drain,
    ]);
    let mut child = home
        .command(&["send", "r.json", "--url", &server.url()])
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    read_until(&mut out, "\n");
    drop(out);
    server.resume();
    server.resume();
    let sent = Run::from_output(child.wait_with_output().unwrap()).exits_with(0);
    let stopped = "stopped by us: the reader of the output went away";
    sent.err_contains(stopped);
    let shown = home.wire(&["show"]).exits_with(0);
    assert!(shown.out().contains(stopped), "{}", shown.out());
    let document = home.wire(&["show", "--json"]).exits_with(0).json();
    assert_eq!(document["outcome"]["kind"], "stopped");
    assert_eq!(
        document["report"]["completion"]["verdict"]["kind"],
        "cancelled"
    );
    let listed = home.wire(&["ls"]).exits_with(0);
    assert!(listed.out().contains("200 stop"), "{}", listed.out());
}

#[test]
fn a_coded_body_whose_reader_left_is_not_called_broken() {
    let home = Home::new();
    home.request();
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    let mut chunk = |text: &str| {
        coder.write_all(text.as_bytes()).unwrap();
        coder.flush().unwrap();
        let bytes = std::mem::take(coder.get_mut());
        [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat()
    };
    let server = Server::start(vec![
        Step::Read,
        write([head.as_bytes(), &chunk("first\n")].concat()),
        Step::Wait,
        write(chunk("second\n")),
        Step::Drain,
    ]);
    let mut child = home
        .command(&["send", "r.json", "--url", &server.url(), "-q"])
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    read_until(&mut out, "first\n");
    drop(out);
    server.resume();
    Run::from_output(child.wait_with_output().unwrap()).exits_with(0);
    home.wire(&["show"]).exits_with(0);
}

#[test]
fn an_exchange_goes_on_without_a_reader_of_standard_error() {
    let home = Home::new();
    home.request();
    let (first, second) = ("data: 1\n\n", "data: 2\n\n");
    let server = Server::start(vec![
        Step::Read,
        write(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{first}"
        )),
        Step::Wait,
        write(second),
    ]);
    let url = format!("http://{}/unknown", server.addr);
    let mut child = home
        .command(&["send", "r.json", "--url", &url])
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    let mut out = child.stdout.take().unwrap();
    read_until(&mut out, first);
    server.resume();
    let mut rest = String::new();
    out.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, second);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let shown = home.wire(&["show", "-q"]).exits_with(0);
    assert_eq!(shown.out(), format!("{first}{second}"));
}
