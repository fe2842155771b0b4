//! Secrets are masked, and bytes of a peer never reach a terminal unescaped.

use crate::OK;
use crate::common::{Home, Run, Server, check_schema};

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
        let mut arguments = vec![
            "send",
            "r.json",
            "--to",
            "openai",
            "--url",
            &url,
            "--capture",
            "c.wire",
            "--force",
        ];
        arguments.extend(flags);
        let mut command = home.command(&arguments);
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
