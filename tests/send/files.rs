//! Capture files that cannot be kept, and folders with files that are no captures.

use std::process::Command;

use crate::OK;
use crate::common::{Home, Run, Server, Step, write};

#[test]
fn an_existing_file_is_replaced_only_by_force() {
    let home = Home::new();
    home.request();
    home.file("mine.wire", "precious");
    let send = |url: &str, more: &[&str]| {
        let arguments = ["send", "r.json", "--url", url, "--capture", "mine.wire"];
        home.wire(&[&arguments[..], more].concat())
    };
    // Nothing is sent: no server listens there.
    send("http://127.0.0.1:1/", &[])
        .exits_with(6)
        .err_contains("mine.wire exists already")
        .err_contains("--force");
    assert_eq!(std::fs::read(home.path("mine.wire")).unwrap(), b"precious");
    let server = Server::answering(OK);
    send(&server.url(), &["--force"]).exits_with(0);
    home.wire(&["show", "mine.wire"]).exits_with(0);
}

#[test]
fn a_capture_folder_that_is_removed_meanwhile_is_reported() {
    let home = Home::new();
    home.request();
    let server = Server::start(vec![Step::Read, Step::Wait, write(OK)]);
    let child = home
        .command(&["send", "r.json", "--url", &server.url(), "-q"])
        .spawn()
        .unwrap();
    while home.captures().is_empty() {
        std::thread::yield_now();
    }
    std::fs::remove_dir_all(home.path("captures")).unwrap();
    server.resume();
    Run::from_output(child.wait_with_output().unwrap())
        .exits_with(6)
        .err_contains("the capture is lost: its file was removed");
}

#[test]
fn a_size_limit_of_files_is_reported() {
    let home = Home::new();
    home.request();
    let body = "a".repeat(64 << 10);
    let server = Server::answering(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    // In blocks of 512 bytes: the answer, which goes to a pipe, is not limited.
    let script = r#"ulimit -f 16; exec "$0" send r.json --url "$1" -q"#;
    let sent = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_wire"), &server.url()])
        .current_dir(home.path("."))
        .output()
        .unwrap();
    let sent = Run::from_output(sent).exits_with(6);
    let sent = sent.err_contains("the capture breaks off after");
    assert_eq!(sent.out.len(), body.len());
}

#[test]
fn a_named_pipe_in_the_folder_blocks_no_view() {
    let home = Home::new();
    home.request();
    let server = Server::answering(OK);
    home.wire(&["send", "r.json", "--url", &server.url()])
        .exits_with(0);
    let pipe = home.path("captures/a.wire");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    for arguments in [&["ls"][..], &["ls", "--grep", "hi"], &["show"]] {
        home.wire(arguments).exits_with(0);
    }
    let listed = home.wire(&["ls", "--json"]).exits_with(0);
    assert_eq!(listed.out().lines().count(), 1, "{}", listed.out());
    for arguments in [
        &["diff", "captures/a.wire", "@"][..],
        &["show", "captures/a.wire"],
    ] {
        home.wire(arguments)
            .exits_with(2)
            .err_contains("a.wire is not a regular file");
    }
    home.wire(&["diff", "captures"]).exits_with(2);
}
