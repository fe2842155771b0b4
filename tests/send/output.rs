//! Standard output, standard input and capture files that are pipes, full, or closed.

use std::io::Write as _;

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
    Run::from_output(child.wait_with_output().unwrap()).exits_with(0);
}
