//! The bytes of the request: head, body, edits, raw messages.

use std::io::Write as _;

use crate::OK;
use crate::common::{Home, REQUEST, Run, Server, Step, read_until, write};

#[test]
fn the_request_body_is_the_file_byte_for_byte() {
    let home = Home::new();
    let body = "{\"model\" : \"m\",\n\t\"x\":1.0e+2,\"x\":\"\\u00fc\"  }\n\n";
    home.file("r.json", body);
    let server = Server::answering(OK);
    let url = server.url();
    home.wire(&[
        "send",
        "r.json",
        "--url",
        &url,
        "-H",
        "x-ONE:  1 ",
        "-H",
        "Accept:",
        "-H",
        "User-Agent;",
        "-H",
        "x-one: 2",
    ])
    .exits_with(0);
    let expected = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nUser-Agent:\r\nContent-Type: application/json\r\nContent-Length: {}\r\nx-ONE: 1\r\nx-one: 2\r\n\r\n{body}",
        url.strip_prefix("http://")
            .unwrap()
            .split('/')
            .next()
            .unwrap(),
        body.len()
    );
    assert_eq!(String::from_utf8(server.received()).unwrap(), expected);
}

#[test]
fn edits_change_only_the_values_that_they_name() {
    #[track_caller]
    fn case(flags: &[&str], expected: &str) {
        let home = Home::new();
        home.request();
        let mut arguments = vec!["send", "r.json", "--to", "demo", "--dry-run"];
        arguments.extend(flags);
        let run = home.wire(&arguments).exits_with(0);
        assert_eq!(run.out().split_once("\r\n\r\n").unwrap().1, expected);
        assert!(home.captures().is_empty());
    }
    case(&[], REQUEST);
    case(&["-m", "o\"1"], &REQUEST.replace("gpt-4o-mini", "o\\\"1"));
    case(
        &["--stream"],
        &REQUEST.replace("}]}", "}],  \"stream\": true}"),
    );
    case(
        &["--set", "/messages/0/content=\"x\""],
        &REQUEST.replace("\"hi\"", "\"x\""),
    );
    case(
        &[
            "--set",
            "messages.0.content=null",
            "--set",
            "messages[0].role=1",
        ],
        &REQUEST.replace("\"hi\"", "null").replace("\"user\"", "1"),
    );
}

#[test]
fn raw_messages_are_sent_unchanged() {
    let home = Home::new();
    let raw = b"POST  /x HTTP/1.1\nHost : h\nX-\xff: \x00\r\n\r\n{broken";
    home.file("raw.http", raw);
    let server = Server::start(vec![Step::Take(raw.len()), write(OK)]);
    home.wire(&["send", "raw.http", "--raw", "--url", &server.url()])
        .exits_with(0);
    assert_eq!(server.received(), raw);
    assert_eq!(home.wire(&["show", "-p", "HB"]).exits_with(0).out, raw);
    let shown = home.wire(&["show"]).exits_with(0);
    for text in [
        "> POST  /x HTTP/1.1\n> Host : h\n> X-\\xff: \\x00\\r\n> \\r\n> {broken\n",
        "the request is unreadable from byte 27: a NUL byte in the head",
    ] {
        assert!(shown.out().contains(text), "{}", shown.out());
    }
    let tape = wire::capture::store::open(&home.capture()).unwrap().tape;
    assert_eq!(tape.sent.bytes, raw);
}

#[test]
fn bytes_after_a_raw_request_are_shown_too() {
    let home = Home::new();
    let raw = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
    home.file("raw.http", raw);
    let server = Server::start(vec![Step::Take(raw.len()), write(OK)]);
    home.wire(&["send", "raw.http", "--raw", "--url", &server.url()])
        .exits_with(0)
        .err_contains("> GET /2 HTTP/1.1");
    assert_eq!(home.wire(&["show", "-p", "HB"]).exits_with(0).out(), raw);
}

#[test]
fn a_body_that_the_server_declines_is_not_sent() {
    let home = Home::new();
    home.request();
    let expect = ["-H", "Expect: 100-continue", "--url"];
    let dry = |url: &str| {
        let run = home.wire(&[&["send", "r.json", "--dry-run"], &expect[..], &[url]].concat());
        run.exits_with(0).out.len() - REQUEST.len()
    };
    // The length of the head does not depend on the digits of a port that has five.
    let head = dry("http://127.0.0.1:10000/v1/chat/completions");
    let server = Server::start(vec![
        Step::Take(head),
        write("HTTP/1.1 417 No\r\nContent-Length: 2\r\n\r\n"),
        Step::Wait,
        write("no"),
        Step::Drain,
    ]);
    assert_eq!(server.addr.port().to_string().len(), 5);
    let url = server.url();
    let mut child = home
        .command(&[&["send", "r.json"], &expect[..], &[&url]].concat())
        .spawn()
        .unwrap();
    read_until(child.stderr.as_mut().unwrap(), "< HTTP/1.1 417 No");
    server.resume();
    let run = Run::from_output(child.wait_with_output().unwrap()).exits_with(0);
    assert_eq!(run.out(), "no");
    assert_eq!(server.received().len(), head);
}

#[test]
fn a_request_comes_from_standard_input_or_has_no_body() {
    let home = Home::new();
    let mut child = home
        .command(&["send", "-", "--to", "demo"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(REQUEST.as_bytes())
        .unwrap();
    Run::from_output(child.wait_with_output().unwrap()).exits_with(0);
    let models = home
        .wire(&["send", "-X", "GET", "--to", "demo", "--path", "/models"])
        .exits_with(0);
    assert_eq!(models.json()["object"], "list");
    let head = home
        .wire(&[
            "send",
            "-X",
            "GET",
            "--to",
            "demo",
            "--dry-run",
            "--http1.0",
        ])
        .exits_with(0);
    assert!(
        head.out()
            .starts_with("GET /v1/chat/completions HTTP/1.0\r\n")
            && !head.out().contains("Content-")
    );
}

#[test]
fn wrong_arguments_exit_with_code_2_and_a_hint() {
    #[track_caller]
    fn case(flags: &[&str], text: &str, hint: &str) {
        let home = Home::new();
        home.request();
        home.file("bad.json", "{\"model\": }");
        let mut arguments = vec!["send"];
        arguments.extend(flags);
        home.wire(&arguments)
            .exits_with(2)
            .err_contains(text)
            .err_contains(hint);
        assert!(home.captures().is_empty());
    }
    case(&["r.json"], "OPENAI_API_KEY is not set", "--to demo");
    case(
        &["r.json", "--to", "anthropic"],
        "ANTHROPIC_API_KEY is not set",
        "hint: set ANTHROPIC_API_KEY",
    );
    case(
        &["missing.json", "--to", "demo"],
        "missing.json: No such file",
        "standard input",
    );
    case(&["--to", "demo"], "no request file", "- for standard input");
    case(
        &["r.json", "--to", "nowhere"],
        "no target `nowhere`",
        "openai, anthropic",
    );
    case(
        &["r.json", "--to", "demo", "--set", "a"],
        "there is no `=`",
        "PATH=JSON",
    );
    case(
        &["r.json", "--to", "demo", "--set", "model=x"],
        "the value is not JSON",
        "model=\"x\"",
    );
    case(
        &["r.json", "--to", "demo", "--set", "/messages/7/content=1"],
        "/messages/7",
        "",
    );
    case(
        &["bad.json", "--to", "demo", "-m", "x"],
        "--model cannot be applied to bad.json",
        "byte 10",
    );
    case(&["r.json", "--to", "demo", "-H", "nocolon"], "no colon", "");
    case(
        &["r.json", "--to", "demo", "-p", "x"],
        "`x` names no part",
        "hint: H request head",
    );
    case(&["r.json", "--url", "localhost:1"], "localhost:1", "");
    case(
        &[
            "r.json",
            "--url",
            "https://localhost:1/",
            "--cacert",
            "missing.pem",
        ],
        "missing.pem: No such file",
        "",
    );
    case(
        &["r.json", "--to", "gemini", "--dry-run"],
        "GOOGLE_API_KEY or GEMINI_API_KEY",
        "",
    );
    case(&["r.json", "--nonsense"], "--nonsense", "");
}
