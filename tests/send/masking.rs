//! Secrets are masked, and bytes of a peer never reach a terminal unescaped.

use std::process::Command;

use crate::OK;
use crate::common::{Home, Run, Server, check_schema};

/// The command that sends `r.json` to `url` as to OpenAI, with further arguments.
fn send_to(home: &Home, url: &str, more: &[&str]) -> Command {
    let send = ["send", "r.json", "--to", "openai", "--url", url];
    home.command(&[&send, more].concat())
}

/// Arguments that write the capture `c.wire`, anew each time.
const CAPTURE: [&str; 3] = ["--capture", "c.wire", "--force"];

#[test]
fn secrets_are_masked_on_screen_and_on_disk() {
    const KEY: &str = "sk-proj-0123456789abcdefSECRET";
    let home = Home::new();
    home.request();
    let body = format!("{{\"echo\":\"{KEY}\"}}");
    let (one, two) = body.split_at(20);
    let answer = format!(
        "HTTP/1.1 401 Unauthorized\r\nSet-Cookie: __cf_bm=abcdefghijk; path=/\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    let run = |flags: &[&str]| {
        let server = Server::answering(answer.clone());
        let url = format!("{}?key=querysecret1&x=1", server.url());
        let mut command = send_to(&home, &url, &[&CAPTURE, flags].concat());
        command.env("OPENAI_API_KEY", KEY);
        let run = Run::from_output(command.output().unwrap()).exits_with(0);
        assert!(
            String::from_utf8(server.received()).unwrap().contains(KEY),
            "the server hears the key itself"
        );
        (run, std::fs::read_to_string(home.path("c.wire")).unwrap())
    };
    let holds = |text: &str| {
        [KEY, "SECRET", "querysecret1", "abcdefghijk"]
            .iter()
            .any(|secret| text.contains(secret))
    };

    let (masked, file) = run(&[]);
    assert!(
        !holds(&masked.err) && !holds(masked.out()),
        "{}{}",
        masked.err,
        masked.out()
    );
    assert!(!holds(&file), "{file}");
    assert!(
        masked.err.contains("masked authorization") || masked.err.contains("masked Authorization"),
        "{}",
        masked.err
    );
    check_schema(&home.path("c.wire"));

    let (revealed, file) = run(&["--reveal"]);
    assert!(revealed.err.contains(KEY) && revealed.out().contains(KEY));
    assert!(!holds(&file), "{file}");

    let (kept, file) = run(&["--keep-secrets"]);
    assert!(!holds(&kept.err) && !holds(kept.out()));
    assert!(kept.err.contains("WARNING"), "{}", kept.err);
    assert!(file.contains(KEY));
}

#[test]
fn a_key_in_a_url_or_an_argument_is_never_printed() {
    const KEY: &str = "sk-proj-0123456789abcdefSECRET";
    let home = Home::new();
    home.request();
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("OPENAI_API_KEY", KEY);
        Run::from_output(command.output().unwrap())
    };
    let clean = |run: &Run| {
        let text = format!("{}{}", run.out(), run.err);
        assert!(!text.contains("SECRET"), "{text}");
    };
    let server = Server::answering(OK);
    let url = server.url().replace("/v1", &format!("/{KEY}"));
    clean(&run(&["send", "r.json", "--url", &url, "-m", KEY]).exits_with(0));
    assert!(String::from_utf8(server.received()).unwrap().contains(KEY));
    for arguments in [
        &["ls"][..],
        &["ls", "--json"],
        &["show"],
        &["show", "--json"],
    ] {
        clean(&home.wire(arguments).exits_with(0));
    }
    let files = std::fs::read_dir(home.path("captures")).unwrap();
    for file in files.map(|entry| entry.unwrap().path()) {
        let text = std::fs::read(&file).unwrap();
        assert!(
            !file.to_string_lossy().contains("SECRET"),
            "{}",
            file.display()
        );
        assert!(
            !String::from_utf8_lossy(&text).contains("SECRET"),
            "{}",
            file.display()
        );
    }
    let header = format!("Authorization Bearer {KEY}");
    clean(&run(&["send", "r.json", "--to", "demo", "-H", &header]).exits_with(2));
    for url in [
        "http://user:SECRET/x@127.0.0.1:1/",
        "http://user:x/SECRET@127.0.0.1:1/",
    ] {
        clean(
            &run(&["send", "r.json", "--url", url])
                .exits_with(2)
                .err_contains("%2F"),
        );
        clean(
            &run(&["send", "r.json", "--to", "openai", "-x", url])
                .exits_with(2)
                .err_contains("%2F"),
        );
    }
}

#[test]
fn control_characters_from_the_network_are_escaped() {
    let evil = "\x1b[2J\x1b]0;owned\x07\u{202e}\u{9b}31m";
    let home = Home::new();
    home.request();
    let answer = format!(
        "HTTP/1.1 200 {evil}\r\nX-Evil: {evil}\r\n{evil}: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{{\"a\":\"{evil}\"}}",
        evil.len() + 8
    );
    let clean = |text: &[u8]| {
        let text = String::from_utf8_lossy(text);
        assert!(
            !text.contains(['\x1b', '\x07', '\u{202e}', '\u{9b}']),
            "{text:?}"
        );
    };
    let server = Server::answering(answer.clone());
    let run = home
        .wire(&["send", "r.json", "--url", &server.url(), "--pretty", "all"])
        .exits_with(0);
    clean(&run.out);
    clean(run.err.as_bytes());
    for flags in [
        &["show"][..],
        &["show", "--hex"],
        &["show", "--events"],
        &["show", "--json"],
        &["ls"],
        &["ls", "--json"],
    ] {
        clean(&home.wire(flags).exits_with(0).out);
    }
    // The body itself goes to a pipe as it came.
    assert!(
        String::from_utf8_lossy(&home.wire(&["show", "-p", "b"]).exits_with(0).out).contains(evil)
    );
    // A capture from another program may hold any bytes in any place.
    let quoted = serde_json::to_string(evil).unwrap();
    home.file("evil.wire", format!(
        "{{\"wire\":1,\"id\":{quoted},\"started\":\"2026-11-23T14:00:00Z\",\"via\":{quoted},\"url\":{quoted},\"tool\":{quoted}}}\n\
         {{\"t\":1,\"resolved\":{{\"host\":{quoted},\"addrs\":[{quoted}]}}}}\n{{\"t\":2,{quoted}:1}}\n\
         {{\"t\":3,\"failed\":{{\"stage\":\"tls\",\"cause\":\"refused\",\"error\":{quoted}}}}}\n"
    ));
    for flags in [
        &["show", "evil.wire"][..],
        &["show", "evil.wire", "--json"],
        &["show", "evil.wire", "--events"],
    ] {
        let run = home.wire(flags);
        clean(&run.out);
        clean(run.err.as_bytes());
    }
}

const STREAMED_KEY: &str = "sk-proj-Zq9xUNIQ7f3aTw8KdLmP2";

/// A streamed answer whose pieces of text are `pieces`.
fn streamed(pieces: &[&str]) -> String {
    let event = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let text = |piece: &&str| event(&format!("{{\"content\":\"{piece}\"}}"), "null");
    let events: String = pieces.iter().map(text).collect();
    let end = event("{}", "\"stop\"");
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n{events}{end}data: [DONE]\n\n"
    )
}

#[test]
fn a_key_that_is_streamed_back_in_pieces_is_masked_in_every_view() {
    let home = Home::new();
    home.request();
    let views: [&[&str]; 5] = [
        &["show", "c.wire"],
        &["show", "c.wire", "--json"],
        &["show", "c.wire", "--summary"],
        &["show", "c.wire", "--text"],
        &["show", "c.wire", "--events"],
    ];
    let pieces: [&[&str]; 3] = [
        &["Your key is sk-proj-Zq9xUN", "IQ7f3aTw", "8KdLmP2", "."],
        &[
            "sk-", "proj-", "Zq", "9xU", "NI", "Q7f", "3aT", "w8", "Kd", "LmP2",
        ],
        &["sk-proj-Zq9", "xUNIQ7f3aTw8KdLmP2 and more"],
    ];
    for pieces in pieces {
        let server = Server::answering(streamed(pieces));
        let url = server.url();
        let mut command = send_to(&home, &url, &[&["--text"], &CAPTURE[..]].concat());
        command.env("OPENAI_API_KEY", STREAMED_KEY);
        let sent = Run::from_output(command.output().unwrap()).exits_with(0);
        let mut outputs = vec![
            sent.out().to_owned(),
            std::fs::read_to_string(home.path("c.wire")).unwrap(),
        ];
        for view in views {
            outputs.push(home.wire(view).out().to_owned());
        }
        for output in outputs {
            for part in ["9xU", "7f3", "w8K", "mP2"] {
                assert!(!output.contains(part), "{part} of {pieces:?} in {output}");
            }
        }
    }
}

#[test]
fn a_variable_that_holds_a_word_changes_no_answer() {
    let home = Home::new();
    home.request();
    let run = |variables: &[(&str, &str)]| {
        let server = Server::answering(streamed(&["The ", "content"]));
        let url = server.url();
        let mut command = send_to(&home, &url, &["--no-capture", "--text"]);
        command.envs(variables.iter().copied());
        Run::from_output(command.output().unwrap())
            .exits_with(0)
            .out()
            .to_owned()
    };
    let words = [
        ("DB_PASSWORD", "content"),
        ("SORT_KEY", "chat.completion"),
        ("OPENAI_API_KEY", "default"),
    ];
    assert_eq!(run(&words), run(&[("OPENAI_API_KEY", STREAMED_KEY)]));
}

#[test]
fn the_report_counts_masked_places_by_rule() {
    let home = Home::new();
    home.request();
    let server = Server::answering(streamed(&[
        "Zq9xUNIQ7f3aTw8KdLmP2",
        " live_0123456789abcdef",
        " live_",
    ]));
    let url = format!("{}?subscription-key=abcd", server.url());
    let more = ["--mask-like", "live_", "--capture", "c.wire"];
    let mut command = send_to(&home, &url, &more);
    command.env("OPENAI_API_KEY", STREAMED_KEY);
    let run = Run::from_output(command.output().unwrap()).exits_with(0);
    run.err_contains("masked 4 places: url 1, authorization 1, known key 1, mask-like 1");
    let document = home.wire(&["show", "c.wire", "--json"]).exits_with(0);
    let document: serde_json::Value = serde_json::from_str(document.out()).unwrap();
    assert_eq!(
        document["masked"][0],
        serde_json::json!({"rule": "url", "places": 1})
    );
    let text = std::fs::read_to_string(home.path("c.wire")).unwrap();
    assert!(
        text.contains("subscription-key=****") && text.contains("live_****************"),
        "{text}"
    );
}

#[test]
fn errors_repeat_no_known_key() {
    let home = Home::new();
    home.request();
    let pem = format!("/tmp/{STREAMED_KEY}.pem");
    let set = format!("user={STREAMED_KEY}");
    let file = format!("{STREAMED_KEY}.json");
    let flag = format!("--{STREAMED_KEY}");
    let cases: [&[&str]; 6] = [
        &["send", "r.json", "--set", &set],
        &["send", "r.json", "--to", "demo", "--cert", &pem],
        &["send", "r.json", "--resolve", STREAMED_KEY],
        &["send", &file],
        &["send", "r.json", &flag],
        &["show", STREAMED_KEY],
    ];
    for arguments in cases {
        let mut command = home.command(arguments);
        command.env("OPENAI_API_KEY", STREAMED_KEY);
        let run = Run::from_output(command.output().unwrap()).exits_with(2);
        let text = format!("{}{}", run.out(), run.err);
        assert!(!text.contains("xUNIQ"), "{text}");
    }
}
