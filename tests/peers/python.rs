//! Python's `http.server`: what mocks are made of. It speaks HTTP/1.0 unless told otherwise, and some die.

use std::process::{Command, Stdio};

use super::counterpart::{Running, python, script};
use crate::common::{Home, REQUEST, Run, check_schema};

/// What `plain.py` answers with.
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
        let port = running.says(|line| line.strip_prefix("listening ")?.parse().ok());
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
fn opens_again(home: &Home, run: &Run) {
    check_schema(&home.capture());
    let shown = home.wire(&["show", "-p", "b"]);
    assert_eq!((shown.code, &shown.out), (run.code, &run.out));
}

#[test]
fn bodies_end_as_each_version_has_it() {
    #[track_caller]
    fn case(protocol: &str, path: &str, body: &str, how: &[&str]) {
        let Some(server) = Plain::start(protocol) else {
            return;
        };
        let home = Home::new();
        let run = server.send(&home, path).ends(0).says("< Server: BaseHTTP/");
        let run = run.says(&format!("< {protocol} 200 OK"));
        for words in how {
            assert!(run.err.contains(words), "{words}: {}", run.err);
        }
        assert_eq!(run.out(), body);
        opens_again(&home, &run);
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
fn methods_that_are_not_served_are_refused_in_its_words() {
    let Some(server) = Plain::start("HTTP/1.0") else {
        return;
    };
    let home = Home::new();
    let url = server.url("length");
    let delete = ["send", "-X", "DELETE", "-f", "--url", &url];
    let run = home.wire(&delete).ends(1).says("501 Unsupported method");
    assert!(run.out().contains("DELETE"), "{}", run.out());
    let shown = home.wire(&["show", "-p", "b"]).ends(0);
    assert_eq!(shown.out, run.out);
}

#[test]
fn a_reset_is_told_as_a_reset() {
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
        let run = server.send(&home, path).ends(4).says(words);
        assert_eq!(run.out(), body);
        assert!(run.err.contains("reset by the peer"), "{}", run.err);
        opens_again(&home, &run);
        let text = std::fs::read_to_string(home.capture()).unwrap();
        assert!(
            text.contains(r#""closed":{"by":"peer","how":"reset"}"#),
            "{text}"
        );
        let shown = home.wire(&["show"]).ends(4);
        assert!(shown.out().contains(words), "{}", shown.out());
        let url = server.url(path);
        let quiet = home.wire(&["send", "r.json", "-q", "--url", &url]);
        quiet.ends(4).says("wire: ").says("reset");
    }
}
