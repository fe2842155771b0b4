//! One exchange has one exit code: `wire show` ends as `wire send` did, whatever it shows.

use crate::common::{Home, Server, Step, write};

/// All views of `wire show`.
const VIEWS: &[&[&str]] = &[
    &[],
    &["-q"],
    &["-p", "hb"],
    &["--text"],
    &["--events"],
    &["--raw-events"],
    &["--summary"],
    &["--tools"],
    &["--usage"],
    &["--hex"],
    &["--json"],
];

#[track_caller]
fn assert_views_end_with(home: &Home, code: i32) {
    for view in VIEWS {
        let run = home.wire(&[&["show"], *view].concat());
        assert_eq!(run.code, Some(code), "{view:?}: {}", run.err);
    }
}

/// Sends a request to a server that follows `script`, and shows the capture in all views.
#[track_caller]
fn case(script: Vec<Step>, flags: &[&str], code: i32) {
    let home = Home::new();
    home.request();
    let server = Server::start([vec![Step::Read], script].concat());
    let url = server.url();
    let arguments = [&["send", "r.json", "--url", &url], flags].concat();
    home.wire(&arguments).exits_with(code);
    assert_views_end_with(&home, code);
}

fn answer(head: &str, body: &str) -> Vec<Step> {
    let length = body.len();
    let text = format!("HTTP/1.1 200 OK\r\n{head}Content-Length: {length}\r\n\r\n{body}");
    vec![write(text)]
}

const STREAM: &str = "Content-Type: text/event-stream\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

#[test]
fn whole_answers_end_with_0_in_all_views() {
    case(answer("", "text"), &[], 0);
    case(answer(JSON, "{}"), &[], 0);
    case(vec![write("HTTP/1.1 200 OK\r\n\r\naaaa")], &[], 0);
    case(vec![write("HTTP/1.1 204 No Content\r\n\r\n")], &[], 0);
    let finish = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n";
    case(answer(STREAM, finish), &[], 0);
}

#[test]
fn broken_and_failed_answers_end_with_4_in_all_views() {
    case(vec![], &[], 4);
    case(vec![write("HTTP/1.1 200 OK\r\nContent-Le")], &[], 4);
    case(
        vec![write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")],
        &[],
        4,
    );
    case(vec![write("no HTTP at all\r\n\r\n")], &[], 4);
    case(answer("Content-Encoding: gzip\r\n", "nope"), &[], 4);
    case(answer(JSON, "{\"choices\":[{\"index\":0"), &[], 4);
    case(answer(JSON, "{\"error\":{\"message\":\"no\"}}"), &[], 4);
    case(answer(STREAM, ""), &[], 4);
    case(
        answer(STREAM, "data: {\"error\":{\"message\":\"no\"}}\n\n"),
        &[],
        4,
    );
    let first = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\"}}]}\n\n";
    case(answer(STREAM, first), &[], 4);
    case(answer(STREAM, &format!("{first}data: {{\"cho\n\n")), &[], 4);
}

#[test]
fn timeouts_end_with_5_in_all_views() {
    let idle = ["--idle-timeout", "0.05"];
    case(vec![Step::Drain], &idle, 5);
    for begin in [
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n",
    ] {
        case(vec![write(begin), Step::Drain], &idle, 5);
    }
}

#[test]
fn a_refused_connection_ends_with_3_in_all_views() {
    let home = Home::new();
    home.request();
    // A port that was free a moment ago refuses connections.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/v1/chat/completions",
        listener.local_addr().unwrap()
    );
    drop(listener);
    home.wire(&["send", "r.json", "--url", &url]).exits_with(3);
    assert_views_end_with(&home, 3);
}
