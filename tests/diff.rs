//! `wire diff` and `wire send` to several, the whole program: captures made by the embedded server and by servers of
//! the tests, and request files.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]

mod common;

use std::path::PathBuf;

use common::{Home, Run, Server};

const STREAM: &str =
    r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Count."}]}"#;

/// Sends a request with further arguments, and forgets what it printed.
fn send(home: &Home, arguments: &[&str]) {
    let mut all = vec!["send", "r.json", "-q"];
    all.extend(arguments);
    home.wire(&all).exits_with(0);
}

fn check_schema(run: &Run) {
    let schema = serde_json::from_str(include_str!("../captures/diff.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&run.json())
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn two_models_differ_and_every_view_says_so() {
    let home = Home::new();
    home.file("r.json", STREAM);
    send(&home, &["--to", "demo"]);
    send(&home, &["--to", "demo", "-m", "gpt-4o"]);
    let run = home.wire(&["diff"]).exits_with(1);
    for part in [
        "~ /model  \"gpt-4o-mini\" -> \"gpt-4o\"",
        "~ served model  gpt-4o-mini-2024-07-18 -> gpt-4o-2024-08-06",
        "first content (TTFT)",
        "noise: ",
    ] {
        assert!(run.out().contains(part), "{part}: {}", run.out());
    }
    let json = home.wire(&["diff", "@~1", "@", "--json"]).exits_with(1);
    check_schema(&json);
    assert_eq!(json.json()["layers"].as_array().unwrap().len(), 8);
    for form in ["--stat", "--markdown", "--side-by-side"] {
        let run = home.wire(&["diff", form]).exits_with(1);
        assert!(run.out().contains("meaning"), "{form}: {}", run.out());
    }
    let only = home.wire(&["diff", "--only", "head,framing"]).exits_with(0);
    assert!(only.out().contains("no difference"), "{}", only.out());
    let mirrored = home
        .wire(&["diff", "@", "@~1", "--only", "request"])
        .exits_with(1);
    assert!(
        mirrored
            .out()
            .contains("/model  \"gpt-4o\" -> \"gpt-4o-mini\"")
    );
}

#[test]
fn what_differs_between_any_two_calls_is_folded() {
    let home = Home::new();
    home.request();
    for n in [1, 2] {
        let body = format!(r#"{{"id":"chatcmpl-{n}","created":170000000{n},"choices":[]}}"#);
        let server = Server::answering(format!(
            "HTTP/1.1 200 OK\r\nx-request-id: req_{n}\r\nSet-Cookie: c={n}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        send(&home, &["--url", &server.url()]);
    }
    let layers = "head,framing,body,stream,meaning";
    let run = home.wire(&["diff", "--only", layers]).exits_with(0);
    assert!(run.out().contains("no difference"), "{}", run.out());
    assert!(
        run.out().contains("ids are new each time (3)"),
        "{}",
        run.out()
    );
    let all = home
        .wire(&["diff", "--only", layers, "--all"])
        .exits_with(1);
    assert!(
        all.out().contains("~ x-request-id  req_1 -> req_2"),
        "{}",
        all.out()
    );
    home.wire(&["diff", "@", "@"]).exits_with(0);
    // The servers listened on different ports, which the user knows.
    home.wire(&["diff"]).exits_with(1);
    let ignore = ["--ignore", "url", "--ignore", "address", "--ignore", "host"];
    home.wire(&[&["diff"], &ignore[..]].concat()).exits_with(0);
}

#[test]
fn request_files_are_compared_as_json() {
    let home = Home::new();
    home.file(
        "a.json",
        r#"{"model": "m", "seed": 1, "stop": ["x"], "tools": []}"#,
    );
    home.file(
        "b.json",
        r#"{"model":"m","tools":[],"seed":1.0,"stop":["y","x"]}"#,
    );
    let run = home.wire(&["diff", "a.json", "b.json"]).exits_with(1);
    for part in [
        "= /seed  1 -> 1.0  (respelled)",
        "+ /stop/0  \"y\"",
        "stand in another order",
        "white space",
    ] {
        assert!(run.out().contains(part), "{part}: {}", run.out());
    }
    let patch = home
        .wire(&["diff", "--json-patch", "a.json", "b.json"])
        .exits_with(1);
    assert_eq!(
        patch.json(),
        serde_json::json!([{"op": "add", "path": "/stop/0", "value": "y"}])
    );
    home.wire(&["diff", "--json-patch", "a.json", "a.json"])
        .exits_with(0);
    // What a provider's cache sees is no nothing.
    home.file("c.json", r#"{"stop": ["x"]}"#);
    home.file("d.json", r#"{"stop": [ "x"]}"#);
    let spaces = home.wire(&["diff", "c.json", "d.json"]).exits_with(1);
    assert!(spaces.out().contains("white space"), "{}", spaces.out());
    // A capture against a request file: the body that was sent is compared.
    home.request();
    send(&home, &["--to", "demo"]);
    let same = home.wire(&["diff", "@", "r.json"]).exits_with(0);
    assert!(same.out().contains("no difference"));
}

#[test]
fn a_baseline_tells_what_is_noise() {
    let home = Home::new();
    home.request();
    let answer = |text: &str, tokens: u64| {
        let body = format!(
            r#"{{"id":"{text}","object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"completion_tokens":{tokens}}}}}"#
        );
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    for (text, tokens) in [
        ("one two", 10),
        ("three", 12),
        ("four five", 11),
        ("six", 13),
        ("far", 90),
    ] {
        let server = Server::answering(answer(text, tokens));
        send(&home, &["--url", &server.url()]);
    }
    let arguments = ["--only", "body", "--noise", "@~4..@~2", "--"];
    let inside = home
        .wire(&[&["diff"], &arguments[..], &["@~1"]].concat())
        .exits_with(0);
    assert!(
        inside.out().contains("varies in the baseline"),
        "{}",
        inside.out()
    );
    let outside = home
        .wire(&[&["diff"], &arguments[..], &["@"]].concat())
        .exits_with(1);
    let line = "~ /usage/completion_tokens  10 -> 90  (baseline: 10 .. 12 (n = 3))";
    assert!(outside.out().contains(line), "{}", outside.out());
}

#[test]
fn a_shape_is_held_against_a_folder_of_captures() {
    let home = Home::new();
    home.file("r.json", STREAM);
    for model in ["gpt-4o-mini", "gpt-4o", "gpt-4o-mini"] {
        send(&home, &["--to", "demo", "-m", model, "--pace", "0"]);
    }
    home.wire(&["diff", "--shape", "captures", "@"])
        .exits_with(0);
    let event = r#"{"id":7,"object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"x"},"finish_reason":"stop"}]}"#;
    let server = Server::answering(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {event}\n\ndata: [DONE]\n\n"
    ));
    home.wire(&[
        "send",
        "r.json",
        "-q",
        "--capture",
        "other.wire",
        "--url",
        &server.url(),
    ])
    .exits_with(0);
    let run = home
        .wire(&["diff", "--shape", "captures", "other.wire"])
        .exits_with(1);
    for part in ["~ /id  string -> number", "- /created  number", "sequence"] {
        assert!(run.out().contains(part), "{part}: {}", run.out());
    }
    assert!(
        !run.out().contains("gpt-4o\""),
        "values are left out: {}",
        run.out()
    );
}

#[test]
fn three_and_more_become_a_table() {
    let home = Home::new();
    home.request();
    for model in ["gpt-4o-mini", "gpt-4o", "error-429"] {
        send(&home, &["--to", "demo", "-m", model]);
    }
    let run = home.wire(&["diff", "@~2..@"]).exits_with(1);
    let row = run
        .out()
        .lines()
        .find(|line| line.starts_with("status "))
        .unwrap()
        .to_owned();
    let cells: Vec<_> = row.split_whitespace().collect();
    assert_eq!(cells, ["status", "200", "200", "429"]);
    let markdown = home.wire(&["diff", "@~2..@", "--markdown"]).exits_with(1);
    let row = "| meaning | `status` | `200` | `200` | `429` |";
    assert!(markdown.out().contains(row), "{}", markdown.out());
    let json = home
        .wire(&["diff", "@~2", "@~1", "@", "--json"])
        .exits_with(1);
    check_schema(&json);
    assert_eq!(json.json()["names"].as_array().unwrap().len(), 3);
}

#[test]
fn the_first_differing_byte_has_a_name() {
    let home = Home::new();
    home.file(
        "a.json",
        r#"{"model":"m","messages":[{"role":"user","content":"one"}]}"#,
    );
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n{\"a\":{\"b\":1}}";
    for text in [body.to_owned(), body.replace("\"b\":1", "\"b\":2")] {
        let server = Server::answering(text);
        home.wire(&["send", "a.json", "-q", "--url", &server.url()])
            .exits_with(0);
    }
    let run = home
        .wire(&["diff", "--bytes", "--only", "body"])
        .exits_with(1);
    let line = "first differs at byte 49 (data, /a/b)";
    assert!(run.out().contains(line), "{}", run.out());
    let sent = home
        .wire(&["diff", "--bytes", "--only", "request"])
        .exits_with(1);
    assert!(sent.out().contains("(field Host)"), "{}", sent.out());
    home.wire(&["diff", "--bytes", "@", "@"]).exits_with(0);
}

#[test]
fn trouble_ends_with_two() {
    let home = Home::new();
    home.request();
    home.file("text.txt", "not JSON");
    home.wire(&["diff"])
        .exits_with(2)
        .err_contains("no capture");
    send(&home, &["--to", "demo"]);
    home.wire(&["diff", "@", "nothing"])
        .exits_with(2)
        .err_contains("`nothing`");
    home.wire(&["diff", "@"])
        .exits_with(2)
        .err_contains("nothing to compare it to");
    home.wire(&["diff", "@", "@", "--only", "soul"])
        .exits_with(2)
        .err_contains("no such layer");
    home.wire(&["diff", "--bytes", "@", "r.json"])
        .exits_with(2)
        .err_contains("request file");
    home.wire(&["diff", "--noise", "@", "@"])
        .exits_with(2)
        .err_contains("nothing to compare to the baseline");
    home.wire(&["diff", "--shape", "@"])
        .exits_with(2)
        .err_contains("baseline");
    home.wire(&["diff", "--only", "head", "r.json", "r.json"])
        .exits_with(2)
        .err_contains("never answered");
    home.wire(&["diff", "-", "-"])
        .exits_with(2)
        .err_contains("only once");
    home.wire(&["diff", "--stat", "@", "@", "@"])
        .exits_with(2)
        .err_contains("this view takes two");
    home.wire(&["diff", "--shape", "@", "text.txt"])
        .exits_with(1);
    let patch = home.wire(&["diff", "--json-patch", "r.json", "text.txt"]);
    patch
        .exits_with(2)
        .err_contains("the right body is not JSON");
    // What is no JSON is text, and no trouble.
    home.wire(&["diff", "r.json", "text.txt"]).exits_with(1);
}

#[test]
fn nothing_foreign_drives_the_terminal() {
    let home = Home::new();
    let evil = "\u{1b}]0;x\u{7}\u{1b}[31m\u{202e}";
    for n in 0..2 {
        home.file("r.json", format!("{{\"model\":\"m{n}\",\"text\":\"{n}\"}}"));
        let body = format!("{evil}{n} {}", evil.repeat(20));
        let server = Server::answering(format!(
            "HTTP/1.1 200 {evil}\r\nX-{n}: {evil}{n}\r\nX-E: {evil}{n}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        home.wire(&["send", "r.json", "-q", "--url", &server.url()])
            .exits_with(0);
    }
    let forms: [&[&str]; 9] = [
        &[],
        &["--all"],
        &["--stat"],
        &["--side-by-side"],
        &["--markdown"],
        &["--json"],
        &["--bytes"],
        &["--shape"],
        &["@~1", "@", "@"],
    ];
    for form in forms {
        let run = home.wire(&[&["diff"], form].concat());
        assert!(matches!(run.code, Some(0 | 1)), "{form:?}: {}", run.err);
        let out = String::from_utf8(run.out).unwrap();
        assert!(
            !out.contains(['\u{1b}', '\u{7}', '\u{202e}']),
            "{form:?}: {out:?}"
        );
    }
}

#[test]
fn one_request_to_several() {
    let home = Home::new();
    home.file("r.json", STREAM);
    let arguments = [
        "send",
        "r.json",
        "--to",
        "demo",
        "-m",
        "gpt-4o",
        "-m",
        "gpt-4o-mini",
        "--to",
        "demo:responses:gpt-4o",
        "--pace",
        "0",
        "--parallel",
        "2",
    ];
    let run = home.wire(&arguments).exits_with(0);
    let rows: Vec<_> = run.out().lines().take(4).map(str::to_owned).collect();
    assert!(rows[0].starts_with("TARGET"), "{}", run.out());
    assert!(
        rows[1].starts_with("demo:gpt-4o "),
        "in the order that was asked: {rows:?}"
    );
    assert!(rows[2].starts_with("demo:gpt-4o-mini"), "{rows:?}");
    assert!(rows[3].starts_with("demo:responses:gpt-4o"), "{rows:?}");
    assert_eq!(home.captures().len(), 3);
    let repeated = [
        "send", "r.json", "--to", "demo", "--pace", "0", "--repeat", "3",
    ];
    let run = home.wire(&repeated).exits_with(0);
    assert!(
        run.out().contains("x3: 3 answers, identical"),
        "{}",
        run.out()
    );
    let json = home
        .wire(&[&repeated[..], &["--json"]].concat())
        .exits_with(0);
    check_schema(&json);
    let json = json.json();
    assert_eq!(json["targets"][0]["trials"].as_array().unwrap().len(), 3);
    // From standard input, which can be read only once.
    let mut child = home
        .command(&["send", "-", "--to", "demo", "--pace", "0", "--repeat", "2"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), STREAM.as_bytes()).unwrap();
    let run = Run::from_output(child.wait_with_output().unwrap()).exits_with(0);
    assert!(run.out().contains("identical"), "{}", run.out());
    home.wire(&["send", "r.json", "--to", "demo", "--repeat", "2", "-q"])
        .exits_with(2)
        .err_contains("--quiet is for one exchange");
    home.wire(&["send", "r.json", "--to", "openai:"])
        .exits_with(2)
        .err_contains("no target `openai:`");
    home.wire(&["send", "r.json", "--to", "demo:gpt-4o", "-m", "gpt-4"])
        .exits_with(2)
        .err_contains("no target takes the model of -m");
    home.wire(&["send", "r.json", "--to", "demo", "--to", "nobody"])
        .exits_with(2)
        .err_contains("no target `nobody`");
}

#[test]
fn an_answer_that_broke_off_is_no_success_of_several_either() {
    let home = Home::new();
    home.file("r.json", STREAM);
    let ask = ["send", "r.json", "--to", "demo", "--pace", "0"];
    // The HTTP message is whole, the stream in it is not.
    let models = ["-m", "gpt-4o-mini", "-m", "demo-error-in-stream"];
    home.wire(&[&ask[..], &models].concat()).exits_with(4);
    let repeated = ["-m", "demo-cut", "--repeat", "2"];
    let run = home.wire(&[&ask[..], &repeated].concat()).exits_with(4);
    assert!(run.out().contains("x2: none was answered"), "{}", run.out());
    let failing = ["-m", "gpt-4o-mini", "-m", "error-429", "--fail"];
    home.wire(&[&ask[..], &failing].concat()).exits_with(1);
}

#[test]
fn a_secret_in_the_url_is_masked_in_what_several_say() {
    let home = Home::new();
    home.file("r.json", STREAM);
    let server = Server::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
    let url = format!("{}?key=sk-sixteen-letters", server.url());
    for form in [&[][..], &["--json"]] {
        let ask = ["send", "r.json", "--url", &url, "-m", "a", "-m", "b"];
        // The server takes one connection: the next one is refused.
        let run = home.wire(&[&ask[..], form].concat()).exits_with(3);
        for text in [run.out(), &run.err] {
            assert!(!text.contains("sixteen"), "{text}");
        }
    }
}

#[test]
fn an_interruption_of_several_is_told_whatever_came_before() {
    let home = Home::new();
    home.file("r.json", STREAM);
    // The first breaks off, the second does not end by itself, the third is never asked.
    let models = ["-m", "demo-cut", "-m", "demo-stall", "-m", "gpt-4o"];
    let mut child = home
        .command(
            &[
                &["send", "r.json", "--to", "demo", "--pace", "0"],
                &models[..],
            ]
            .concat(),
        )
        .spawn()
        .unwrap();
    common::read_until(child.stderr.as_mut().unwrap(), "1/3");
    let begun = |path: &PathBuf| std::fs::read_to_string(path).unwrap().contains("received");
    while home.captures().iter().filter(|path| begun(path)).count() < 2 {
        std::thread::yield_now();
    }
    common::signal(&child, "INT");
    let run = Run::from_output(child.wait_with_output().unwrap()).exits_with(130);
    assert!(run.out().contains("not asked"), "{}", run.out());
}

#[test]
fn the_keys_in_request_files_are_compared_and_not_shown() {
    let home = Home::new();
    let request = |key: &str, query: &str| {
        format!(
            "POST /v1?key={query} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {key}\r\nContent-Length: 2\r\n\r\n{{}}"
        )
    };
    home.file("a.http", request("sk-proj-onesecretofmine", "firstsecret"));
    home.file("b.http", request("sk-proj-twosecretofmine", "othersecret"));
    for form in [&[][..], &["-y"], &["--json"], &["--markdown"]] {
        let run = home
            .wire(&[&["diff", "a.http", "b.http"], form].concat())
            .exits_with(1);
        assert!(
            run.out().contains("authorization"),
            "{form:?}: {}",
            run.out()
        );
        assert!(!run.out().contains("secret"), "{form:?}: {}", run.out());
    }
}
