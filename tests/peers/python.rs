//! `wire` against Python's `http.server`, on which many mocks are built. It speaks HTTP/1.0 by default.

use std::process::{Command, Stdio};

use super::counterpart::{Running, python, script};
use crate::common::{Home, REQUEST, Run, check_schema};

/// The body of every answer of `plain.py`.
const BODY: &str = "{\"object\": \"list\", \"data\": [1.0, \"\\u00fc\", \"ü\"]}\n";

struct Plain {
    port: u16,
    _running: Running,
}

impl Plain {
    #[track_caller]
    fn start(protocol: &str) -> Option<Self> {
        let mut command = Command::new(python("http.server")?);
        command
            .arg(script("plain.py"))
            .arg(protocol)
            .stdin(Stdio::piped());
        let running = Running::start(&mut command);
        let port = running.wait_for(|line| line.strip_prefix("listening ")?.parse().ok());
        Some(Self {
            port,
            _running: running,
        })
    }

    fn send(&self, home: &Home, path: &str) -> Run {
        home.request();
        home.wire(&["send", "r.json", "--url", &self.url(path)])
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}/{path}", self.port)
    }
}

#[track_caller]
fn assert_capture_reads_back(home: &Home, run: &Run) {
    check_schema(&home.capture());
    let shown = home.wire(&["show", "-p", "b"]);
    assert_eq!((shown.code, &shown.out), (run.code, &run.out));
}

#[test]
fn bodies_end_by_the_rules_of_their_http_version() {
    #[track_caller]
    fn case(protocol: &str, path: &str, body: &str, how: &[&str]) {
        let Some(server) = Plain::start(protocol) else {
            return;
        };
        let home = Home::new();
        let run = server
            .send(&home, path)
            .exits_with(0)
            .err_contains("< Server: BaseHTTP/");
        let run = run.err_contains(&format!("< {protocol} 200 OK"));
        for words in how {
            assert!(run.err.contains(words), "{words}: {}", run.err);
        }
        assert_eq!(run.out(), body);
        assert_capture_reads_back(&home, &run);
    }
    let length = format!("complete: 200, {} bytes of body", BODY.len());
    case("HTTP/1.0", "close", BODY, &[&length, "ended by the close"]);
    case("HTTP/1.0", "length", BODY, &[&length]);
    case("HTTP/1.0", "echo", REQUEST, &[]);
    case("HTTP/1.1", "close", BODY, &[&length, "ended by the close"]);
    case("HTTP/1.1", "length", BODY, &[&length, "closed by us"]);
    let chunks = format!("{length}, {} chunks", BODY.len());
    case("HTTP/1.1", "chunked", BODY, &[&chunks, "closed by us"]);
    case("HTTP/1.1", "echo", REQUEST, &["closed by us"]);
}

#[test]
fn unsupported_methods_get_the_servers_error_page() {
    let Some(server) = Plain::start("HTTP/1.0") else {
        return;
    };
    let home = Home::new();
    let url = server.url("length");
    let delete = ["send", "-X", "DELETE", "-f", "--url", &url];
    let run = home
        .wire(&delete)
        .exits_with(1)
        .err_contains("501 Unsupported method");
    assert!(run.out().contains("DELETE"), "{}", run.out());
    let shown = home.wire(&["show", "-p", "b"]).exits_with(0);
    assert_eq!(shown.out, run.out);
}

#[test]
fn a_reset_is_reported_as_a_reset() {
    let Some(server) = Plain::start("HTTP/1.1") else {
        return;
    };
    let half = BODY.len() / 2;
    let missing = format!("CUT in the body: {} bytes missing", BODY.len() - half);
    for (path, body, words) in [
        ("reset/0", "", "no response: "),
        (&*format!("reset/{half}"), &BODY[..half], &*missing),
    ] {
        let home = Home::new();
        let run = server.send(&home, path).exits_with(4).err_contains(words);
        assert_eq!(run.out(), body);
        assert!(run.err.contains("reset by the peer"), "{}", run.err);
        assert_capture_reads_back(&home, &run);
        let text = std::fs::read_to_string(home.capture()).unwrap();
        assert!(
            text.contains(r#""closed":{"by":"peer","how":"reset"}"#),
            "{text}"
        );
        let shown = home.wire(&["show"]).exits_with(4);
        assert!(shown.out().contains(words), "{}", shown.out());
        let url = server.url(path);
        let quiet = home.wire(&["send", "r.json", "-q", "--url", &url]);
        quiet
            .exits_with(4)
            .err_contains("wire: ")
            .err_contains("reset");
    }
}
