//! `wire send`, the whole program against the embedded server and against servers that misbehave.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]

mod common;

use std::io::Write as _;

use common::{
    Home, REQUEST, Run, Server, Step, check_schema, read_until, signal, until_it_sleeps, write,
};

const OK: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\": 1}\n";

#[test]
fn the_demo_answers_and_the_capture_opens_again() {
    let home = Home::new();
    home.request();
    let sent = home.wire(&["send", "r.json", "--to", "demo"]).ends(0);
    assert_eq!(sent.json()["object"], "chat.completion");
    for part in [
        "* ",
        "> POST /v1/chat/completions HTTP/1.1",
        "> Content-Length: 71",
        "< HTTP/1.1 200 OK",
        "TLSv1.3",
        "complete: 200",
    ] {
        assert!(sent.err.contains(part), "{part}: {}", sent.err);
    }
    let capture = home.capture();
    check_schema(&capture);
    assert!(
        sent.err
            .contains(capture.file_name().unwrap().to_str().unwrap()),
        "{}",
        sent.err
    );

    let shown = home.wire(&["show", "@"]).ends(0);
    assert!(shown.out().contains("< HTTP/1.1 200 OK"));
    assert_eq!(home.wire(&["show", "-p", "b"]).ends(0).out, sent.out);
    assert_eq!(home.wire(&["show", "-p", "B"]).ends(0).out(), REQUEST);
    let list = home.wire(&["ls"]).ends(0);
    assert!(
        list.out().contains("gpt-4o-mini") && list.out().contains(" 200 "),
        "{}",
        list.out()
    );
}

#[test]
fn what_send_printed_is_what_show_prints() {
    let home = Home::new();
    home.request();
    for flags in [
        &["-p", "HBhb"][..],
        &["-p", "hb", "--undecoded"],
        &["-q"],
        &["-p", "b", "--pretty", "format"],
    ] {
        let mut send = vec!["send", "r.json", "--to", "demo", "--stream"];
        send.extend(flags);
        let mut show = vec!["show", "@"];
        show.extend(flags);
        let sent = home.wire(&send).ends(0);
        assert!(!sent.out.is_empty());
        assert_eq!(home.wire(&show).ends(0).out, sent.out, "{flags:?}");
    }
}

#[test]
fn a_streamed_answer_arrives_as_it_is_written() {
    let home = Home::new();
    home.request();
    let first = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n7\r\ndata: 1\r\n";
    let server = Server::start(vec![
        Step::Read,
        write(first),
        Step::Wait,
        write("2\r\n\n\n\r\n0\r\n\r\n"),
    ]);
    let mut child = home
        .command(&["send", "r.json", "--url", &server.url()])
        .spawn()
        .unwrap();
    // No line end was written, and the server waits: what comes through was not held back.
    read_until(child.stdout.as_mut().unwrap(), "data: 1");
    server.go();
    let rest = Run::of(child.wait_with_output().unwrap()).ends(0);
    assert_eq!(rest.out(), "\n\n");
}

#[test]
fn the_bytes_of_the_request_are_the_file() {
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
    .ends(0);
    let expected = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nUser-Agent:\r\nContent-Type: application/json\r\nContent-Length: {}\r\nx-ONE: 1\r\nx-one: 2\r\n\r\n{body}",
        url.strip_prefix("http://")
            .unwrap()
            .split('/')
            .next()
            .unwrap(),
        body.len()
    );
    assert_eq!(String::from_utf8(server.heard()).unwrap(), expected);
}

#[test]
fn edits_change_only_what_they_name() {
    #[track_caller]
    fn case(flags: &[&str], expected: &str) {
        let home = Home::new();
        home.request();
        let mut arguments = vec!["send", "r.json", "--to", "demo", "--dry-run"];
        arguments.extend(flags);
        let run = home.wire(&arguments).ends(0);
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
fn what_cannot_be_done_is_told_in_one_line_with_a_hint() {
    #[track_caller]
    fn case(flags: &[&str], text: &str, hint: &str) {
        let home = Home::new();
        home.request();
        home.file("bad.json", "{\"model\": }");
        let mut arguments = vec!["send"];
        arguments.extend(flags);
        home.wire(&arguments).ends(2).says(text).says(hint);
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

#[test]
fn keys_come_from_the_environment_and_then_from_dotenv() {
    let home = Home::new();
    home.request();
    home.file(".env", "# keys\nOPENAI_API_KEY=\"sk-proj-fromdotenv000\"\nexport ANTHROPIC_API_KEY=sk-ant-api03-dotenv\n");
    let head = |run: &Run| run.out().split_once("\r\n\r\n").unwrap().0.to_owned();
    let run = home.wire(&["send", "r.json", "--dry-run"]).ends(0);
    assert!(
        head(&run).contains("\r\nAuthorization: Bearer sk-proj-*************"),
        "{}",
        head(&run)
    );
    assert!(head(&run).contains("Host: api.openai.com\r\n"));

    let server = Server::answering(OK);
    let base = server.url().replace("/chat/completions", "");
    let mut command = home.command(&["send", "r.json"]);
    command
        .env("OPENAI_API_KEY", "sk-proj-fromtheshell0")
        .env("OPENAI_BASE_URL", base);
    Run::of(command.output().unwrap()).ends(0);
    let heard = String::from_utf8(server.heard()).unwrap();
    assert!(heard.starts_with("POST /v1/chat/completions "), "{heard}");
    assert!(
        heard.contains("Authorization: Bearer sk-proj-fromtheshell0\r\n"),
        "{heard}"
    );

    let server = Server::answering(OK);
    let base = server.url().replace("/v1/chat/completions", "");
    let mut command = home.command(&["send", "r.json", "--to", "anthropic"]);
    command.env("ANTHROPIC_BASE_URL", base);
    Run::of(command.output().unwrap()).ends(0);
    let heard = String::from_utf8(server.heard()).unwrap();
    assert!(heard.starts_with("POST /v1/messages "), "{heard}");
    assert!(
        heard.contains("\r\nx-api-key: sk-ant-api03-dotenv\r\n")
            && heard.contains("anthropic-version: 2023-06-01\r\n"),
        "{heard}"
    );
}

#[test]
fn base_urls_of_the_environment_are_read_as_they_are_meant() {
    #[track_caller]
    fn case(to: &str, variable: &str, base: &str, line: &str, host: &str) {
        let home = Home::new();
        home.request();
        let mut command = home.command(&["send", "r.json", "--to", to, "--dry-run"]);
        command
            .env(variable, base)
            .env("OPENAI_API_KEY", "sk-0123456789");
        let run = Run::of(command.output().unwrap()).ends(0);
        let expected = format!("POST {line} HTTP/1.1\r\nHost: {host}\r\n");
        assert!(run.out().starts_with(&expected), "{}", run.out());
    }
    let openai = |base, line, host| case("openai", "OPENAI_BASE_URL", base, line, host);
    openai("http://h:1/v1/", "/v1/chat/completions", "h:1");
    openai(" localhost:1/x ", "/x/chat/completions", "localhost:1");
    openai(
        "https://h/d?api-version=2",
        "/d/chat/completions?api-version=2",
        "h",
    );
    let ollama = |base, host| case("ollama", "OLLAMA_HOST", base, "/api/chat", host);
    ollama("0.0.0.0", "0.0.0.0:11434");
    ollama("https://ollama.example", "ollama.example");
}

#[test]
fn an_odd_dotenv_stops_nothing() {
    let home = Home::new();
    home.request();
    home.file(".env", "A=b c\n!!!\nOPENAI_API_KEY=sk-proj-fromdotenv000\n");
    let run = home.wire(&["send", "r.json", "--dry-run"]).ends(0);
    assert!(
        run.out().contains("Authorization: Bearer sk-proj-*"),
        "{}",
        run.out()
    );
    run.says("note: .env: something that is not NAME=value");
    std::fs::remove_file(home.path(".env")).unwrap();
    std::fs::create_dir(home.path(".env")).unwrap();
    let run = home
        .wire(&["send", "r.json", "--to", "demo", "--dry-run"])
        .ends(0);
    assert_eq!(run.err, "");
}

#[test]
fn a_key_goes_to_no_host_that_was_not_named_for_it() {
    let home = Home::new();
    home.request();
    let server = Server::answering(OK);
    let mut command = home.command(&["send", "r.json", "--url", &server.url()]);
    command.env("OPENAI_API_KEY", "sk-proj-fromtheshell0");
    Run::of(command.output().unwrap())
        .ends(0)
        .says("no key goes along");
    assert!(
        !String::from_utf8(server.heard())
            .unwrap()
            .contains("Authorization")
    );
}

#[test]
fn targets_of_ones_own() {
    let home = Home::new();
    home.request();
    let server = Server::answering(OK);
    let base = server.url().replace("/chat/completions", "");
    home.file("t.json", format!(r#"{{"targets":{{"mine":{{"base":"{base}","path":"/other","key_env":["MY_KEY"],"key_field":"api-key"}}}}}}"#));
    let mut command = home.command(&["send", "r.json", "--to", "mine", "--config", "t.json"]);
    command.env("MY_KEY", "abcdefgh");
    Run::of(command.output().unwrap()).ends(0);
    let heard = String::from_utf8(server.heard()).unwrap();
    assert!(
        heard.starts_with("POST /v1/other ") && heard.contains("\r\napi-key: abcdefgh\r\n"),
        "{heard}"
    );
    home.file("t.json", r#"{"targets":{"mine":{"bases":"x"}}}"#);
    home.wire(&["send", "r.json", "--to", "mine", "--config", "t.json"])
        .ends(2)
        .says("t.json")
        .says("unknown field `bases`");
}

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
        ];
        arguments.extend(flags);
        let mut command = home.command(&arguments);
        command.env("OPENAI_API_KEY", KEY);
        let run = Run::of(command.output().unwrap()).ends(0);
        assert!(
            String::from_utf8(server.heard()).unwrap().contains(KEY),
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
fn a_key_in_a_url_or_an_argument_is_told_nowhere() {
    const KEY: &str = "sk-proj-0123456789abcdefSECRET";
    let home = Home::new();
    home.request();
    let run = |arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("OPENAI_API_KEY", KEY);
        Run::of(command.output().unwrap())
    };
    let clean = |run: &Run| {
        let text = format!("{}{}", run.out(), run.err);
        assert!(!text.contains("SECRET"), "{text}");
    };
    let server = Server::answering(OK);
    let url = server.url().replace("/v1", &format!("/{KEY}"));
    clean(&run(&["send", "r.json", "--url", &url, "-m", KEY]).ends(0));
    assert!(String::from_utf8(server.heard()).unwrap().contains(KEY));
    for arguments in [
        &["ls"][..],
        &["ls", "--json"],
        &["show"],
        &["show", "--json"],
    ] {
        clean(&home.wire(arguments).ends(0));
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
    clean(&run(&["send", "r.json", "--to", "demo", "-H", &header]).ends(2));
    for url in [
        "http://user:SECRET/x@127.0.0.1:1/",
        "http://user:x/SECRET@127.0.0.1:1/",
    ] {
        clean(&run(&["send", "r.json", "--url", url]).ends(2).says("%2F"));
        clean(
            &run(&["send", "r.json", "--to", "openai", "-x", url])
                .ends(2)
                .says("%2F"),
        );
    }
}

#[test]
fn the_credentials_of_a_proxy_are_masked_in_what_it_answers() {
    let home = Home::new();
    home.request();
    let server = Server::answering("HTTP/1.1 407 No dXNlcjpzdXBlcnNlY3JldA== supersecret\r\n\r\n");
    let proxy = format!("http://user:supersecret@{}", server.addr);
    let run = home
        .wire(&[
            "send",
            "r.json",
            "--url",
            "https://127.0.0.1:9/",
            "-x",
            &proxy,
        ])
        .ends(3)
        .says("407 No ");
    let file = std::fs::read_to_string(home.capture()).unwrap();
    for text in [&run.err, &file] {
        assert!(
            !text.contains("supersecret") && !text.contains("dXNlcjpz"),
            "{text}"
        );
    }
}

#[test]
fn exceptions_hold_for_a_proxy_of_the_command_line_too() {
    let home = Home::new();
    home.request();
    let case = |flags: &[&str], variables: &[(&str, &str)], code: i32| {
        let server = Server::answering(OK);
        let url = server.url();
        // Port 1 is no one's: whoever goes there gets no answer.
        let fixed = ["send", "r.json", "--url", &url, "-x", "http://127.0.0.1:1"];
        let mut command = home.command(&[&fixed, flags].concat());
        command.envs(variables.iter().copied());
        Run::of(command.output().unwrap()).ends(code);
        if code == 0 {
            assert!(!server.heard().is_empty());
        }
    };
    let exempt = [("NO_PROXY", "other, 127.0.0.1")];
    case(&[], &[], 3);
    case(&[], &exempt, 0);
    case(&[], &[("no_proxy", "*")], 0);
    case(&[], &[("no_proxy", "other"), exempt[0]], 3);
    case(&[], &[("no_proxy", ""), exempt[0]], 0);
    case(&["--noproxy", "other"], &exempt, 3);
    case(&["--noproxy", ""], &exempt, 3);
    case(&["--noproxy", "127.0.0.1"], &[], 0);
}

#[test]
fn equal_keys_have_equal_fingerprints() {
    let home = Home::new();
    home.request();
    let print = |key: &str| {
        let server = Server::answering(OK);
        let mut command =
            home.command(&["send", "r.json", "--to", "openai", "--url", &server.url()]);
        command.env("OPENAI_API_KEY", key);
        let run = Run::of(command.output().unwrap()).ends(0);
        let (_, rest) = run
            .err
            .split_once(", key ")
            .expect("a fingerprint is shown");
        rest[..8].to_owned()
    };
    let (first, other, again) = (
        print("sk-proj-aaaaaaaaaaaa"),
        print("sk-proj-bbbbbbbbbbbb"),
        print("sk-proj-aaaaaaaaaaaa"),
    );
    assert_eq!(first, again);
    assert_ne!(first, other);
}

#[test]
fn nothing_from_the_network_drives_the_terminal() {
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
        .ends(0);
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
        clean(&home.wire(flags).ends(0).out);
    }
    // The body itself goes to a pipe as it came.
    assert!(String::from_utf8_lossy(&home.wire(&["show", "-p", "b"]).ends(0).out).contains(evil));
    // A capture made by somebody else may hold anything in any place.
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

#[test]
fn a_response_that_breaks_off_is_never_a_success() {
    #[track_caller]
    fn case(response: &str, code: i32, text: &str) {
        let home = Home::new();
        home.request();
        let server = Server::answering(response);
        home.wire(&["send", "r.json", "--url", &server.url()])
            .ends(code)
            .says(text);
        let capture = home.capture();
        check_schema(&capture);
        // The same from the capture.
        let shown = home.wire(&["show"]).ends(code);
        assert!(shown.out().contains(text), "{}", shown.out());
        let document = home.wire(&["show", "--json"]).ends(code).json();
        assert_eq!(document["received"]["bytes"], response.len() as u64);
    }
    case("", 4, "no response");
    case(
        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"a\"",
        4,
        "5 bytes missing",
    );
    case(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        4,
        "CUT in a chunk",
    );
    case(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        4,
        "CUT in a chunk-size line",
    );
    case("HTTP/1.1 200 OK\r\nTransfer-Enc", 4, "CUT in the head");
    case(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\nxyz\r\n",
        4,
        "UNREADABLE from byte",
    );
    case("SSH-2.0-OpenSSH_9.2\r\n", 4, "this is not HTTP/1");
    case(
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        4,
        "disagree",
    );
    case(
        "HTTP/1.1 200 OK\r\n\r\nuntil the close",
        0,
        "until the close",
    );
    case(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        0,
        "complete: 204",
    );
    case(
        "HTTP/1.1 200 OK\nContent-Length : 2\n\nok",
        0,
        "a line ends with LF alone",
    );
    case(
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        4,
        "cannot be decoded",
    );
}

#[test]
fn what_a_peer_sends_without_end_is_counted() {
    let home = Home::new();
    home.request();
    let interim = "HTTP/1.1 102 Processing\r\n\r\n".repeat(300);
    let server = Server::answering(format!("{interim}{OK}"));
    let run = home.wire(&["send", "r.json", "--url", &server.url()]);
    run.ends(0).says("44 more interim responses");
    let document = home.wire(&["show", "--json"]).ends(0).json();
    assert_eq!(document["interim"].as_array().unwrap().len(), 256);
    assert_eq!(document["more_interim"], 44);

    let echo = "mysecret ".repeat(300);
    let server = Server::answering(format!("HTTP/1.1 200 OK\r\n\r\n{echo}"));
    let url = server.url();
    let mut command = home.command(&["send", "r.json", "--url", &url, "--capture", "c.wire"]);
    command.env("MY_KEY", "mysecret");
    let run = Run::of(command.output().unwrap()).ends(0);
    assert_eq!(run.out(), echo.replace("mysecret", "********"));
    assert_eq!(run.err.matches("masked known key").count(), 256);
    let run = run.says("44 more places are masked");
    assert!(!run.err.contains("mysecret"), "{}", run.err);
    let file = std::fs::read_to_string(home.path("c.wire")).unwrap();
    assert_eq!(file.matches("\"redacted\"").count(), 300);

    let server = Server::answering("\r\n".repeat(1 << 18));
    home.wire(&["send", "r.json", "--url", &server.url(), "--no-capture"])
        .ends(4)
        .says("UNREADABLE from byte 262144 on");
}

#[test]
fn limits_end_the_waiting() {
    let home = Home::new();
    home.request();
    for (flags, text) in [
        (["--idle-timeout", "0.05"], "no byte came or went"),
        (["--max-time", "0.05"], "--max-time"),
    ] {
        let server = Server::start(vec![
            Step::Read,
            write("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na"),
            Step::Drain,
        ]);
        let url = server.url();
        let mut arguments = vec!["send", "r.json", "--url", &url];
        arguments.extend(flags);
        let run = home.wire(&arguments).ends(5).says(text);
        assert_eq!(run.out(), "a");
    }
    let head = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "a".repeat(3000));
    let server = Server::answering(head);
    home.wire(&["send", "r.json", "--url", &server.url(), "--max-head", "2K"])
        .ends(4)
        .says("longer than the limit");
}

#[test]
fn a_peer_that_never_pauses_is_stopped_all_the_same() {
    let home = Home::new();
    home.request();
    // Lines that are looked at one by one, which takes longer than sending them.
    let lines = "no HTTP\r\n".repeat(1 << 13);
    let server = Server::start(vec![Step::Pour(lines.into())]);
    let url = server.url();
    let arguments = ["send", "r.json", "--url", &url, "--no-capture"];
    home.wire(&[&arguments[..], &["--max-time", "0.2"]].concat())
        .ends(4)
        .says("--max-time");
}

#[test]
fn no_connection_says_where() {
    let home = Home::new();
    home.request();
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let url = format!("http://127.0.0.1:{port}/");
    home.wire(&["send", "r.json", "--url", &url])
        .ends(3)
        .says(&format!("127.0.0.1:{port}"));
    home.wire(&["show"]).ends(3);
    home.wire(&["send", "r.json", "--url", &url, "-q"])
        .ends(3)
        .says("wire: ");
    home.wire(&["send", "r.json", "--url", &url, "--json"])
        .ends(3);
    let plain = Server::start(vec![write("HTTP/1.1 400 Bad Request\r\n\r\n"), Step::Drain]);
    let url = format!("https://{}/", plain.addr);
    home.wire(&["send", "r.json", "--url", &url])
        .ends(3)
        .says("http://");
}

#[test]
fn fail_looks_at_the_status() {
    let home = Home::new();
    home.request();
    for (model, code) in [("error-429", 1), ("gpt-4o", 0), ("error-500", 1)] {
        home.wire(&["send", "r.json", "--to", "demo", "-f", "-m", model])
            .ends(code);
    }
    home.wire(&["send", "r.json", "--to", "demo", "-m", "error-429"])
        .ends(0);
}

#[test]
fn interrupting_keeps_what_came() {
    for (name, code) in [("INT", 130), ("TERM", 130)] {
        let home = Home::new();
        home.request();
        let server = Server::start(vec![
            Step::Read,
            write("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nbegin"),
            Step::Drain,
        ]);
        let mut child = home
            .command(&["send", "r.json", "--url", &server.url()])
            .spawn()
            .unwrap();
        read_until(child.stdout.as_mut().unwrap(), "begin");
        signal(&child, name);
        let run = Run::of(child.wait_with_output().unwrap()).ends(code);
        assert!(
            run.err.contains("interrupted") && run.err.contains("captured in"),
            "{}",
            run.err
        );
        let shown = home.wire(&["show", "-p", "b"]).ends(130);
        assert_eq!(shown.out(), "begin");
    }
}

#[test]
fn an_interrupt_on_the_way_says_where() {
    let home = Home::new();
    home.request();
    let server = Server::start(vec![Step::Drain]);
    let url = format!("https://{}/", server.addr);
    let mut child = home
        .command(&["send", "r.json", "--url", &url])
        .spawn()
        .unwrap();
    let told = read_until(child.stderr.as_mut().unwrap(), "connected to");
    until_it_sleeps(&child);
    signal(&child, "INT");
    let run = Run::of(child.wait_with_output().unwrap()).ends(130);
    assert!(
        run.err.contains("(Ctrl-C) while agreeing on TLS"),
        "{told}{}",
        run.err
    );
}

#[test]
fn a_second_interrupt_ends_even_a_blocked_write() {
    let home = Home::new();
    home.request();
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let server = Server::start(vec![
        Step::Read,
        write(head),
        Step::Pour(vec![b'x'; 1 << 16]),
    ]);
    let mut child = home
        .command(&["send", "r.json", "--url", &server.url(), "-q"])
        .spawn()
        .unwrap();
    read_until(child.stdout.as_mut().unwrap(), "x");
    // Nobody reads on: the pipe fills up.
    until_it_sleeps(&child);
    let status = loop {
        signal(&child, "INT");
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
    };
    assert_eq!(status.code(), Some(130));
    let shown = home.wire(&["show", "-p", "m"]).ends(4);
    assert!(
        shown.out().contains("the recording stops"),
        "{}",
        shown.out()
    );
}

#[test]
fn a_killed_process_leaves_whole_lines() {
    let home = Home::new();
    home.request();
    let server = Server::start(vec![
        Step::Read,
        write("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nbegin"),
        Step::Drain,
    ]);
    let mut child = home
        .command(&["send", "r.json", "--url", &server.url()])
        .spawn()
        .unwrap();
    read_until(child.stdout.as_mut().unwrap(), "begin");
    signal(&child, "KILL");
    child.wait().unwrap();
    let shown = home.wire(&["show"]).ends(4);
    assert!(
        shown.out().contains("the recording stops after"),
        "{}",
        shown.out()
    );
    // Cut anywhere, the file still opens, up to its last whole line.
    let text = std::fs::read(home.capture()).unwrap();
    let first = text.iter().position(|&byte| byte == b'\n').unwrap() + 1;
    for end in first..text.len() {
        // A line that lacks nothing but its end is whole.
        let whole = text[..=end].iter().filter(|&&byte| byte == b'\n').count();
        let reading = wire::capture::read(&mut &text[..end]).unwrap();
        let events = reading.tape.facts.len()
            + reading.tape.sent.marks.len()
            + reading.tape.received.marks.len();
        assert_eq!(events + 1, whole, "cut at {end}");
        assert_eq!(
            reading.notes.is_empty(),
            text[end - 1] == b'\n' || text[end] == b'\n',
            "cut at {end}"
        );
    }
}

#[test]
fn a_full_disk_is_told_and_the_exchange_goes_on() {
    let home = Home::new();
    home.request();
    let run = home
        .wire(&["send", "r.json", "--to", "demo", "--capture", "/dev/full"])
        .ends(6)
        .says("No space left on device");
    assert_eq!(run.json()["object"], "chat.completion");
    home.wire(&["send", "r.json", "--to", "demo", "--captures", "/proc/none"])
        .ends(6)
        .says("--no-capture");
}

#[test]
fn standard_output_that_cannot_be_written_is_told() {
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
        let run = Run::of(output).ends(6);
        run.says("No space left on device");
    }
}

#[test]
fn a_capture_may_come_through_a_pipe() {
    let home = Home::new();
    home.request();
    home.wire(&["send", "r.json", "--to", "demo", "-q"]).ends(0);
    let expected = home.wire(&["show", "-p", "HBhb"]).ends(0).out;
    for name in ["-", "/dev/stdin"] {
        let file = std::fs::read(home.capture()).unwrap();
        let mut child = home
            .command(&["show", name, "-p", "HBhb"])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&file).unwrap();
        let run = Run::of(child.wait_with_output().unwrap()).ends(0);
        assert_eq!(run.out, expected);
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
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
    server.go();
    server.go();
    Run::of(child.wait_with_output().unwrap()).ends(0);
}

#[test]
fn raw_messages_go_out_as_they_are() {
    let home = Home::new();
    let raw = b"POST  /x HTTP/1.1\nHost : h\nX-\xff: \x00\r\n\r\n{broken";
    home.file("raw.http", raw);
    let server = Server::start(vec![Step::Take(raw.len()), write(OK)]);
    home.wire(&["send", "raw.http", "--raw", "--url", &server.url()])
        .ends(0);
    assert_eq!(server.heard(), raw);
    assert_eq!(home.wire(&["show", "-p", "HB"]).ends(0).out, raw);
    let shown = home.wire(&["show"]).ends(0);
    for text in [
        "> POST  /x HTTP/1.1\n> Host : h\n> X-\\xff: \\x00\\r\n> \\r\n> {broken\n",
        "the request cannot be read from its byte 27 on: a NUL byte in the head",
    ] {
        assert!(shown.out().contains(text), "{}", shown.out());
    }
    let tape = wire::capture::store::open(&home.capture()).unwrap().tape;
    assert_eq!(tape.sent.bytes, raw);
}

#[test]
fn a_body_that_is_not_wanted_stays_here() {
    let home = Home::new();
    home.request();
    let expect = ["-H", "Expect: 100-continue", "--url"];
    let dry = |url: &str| {
        let run = home.wire(&[&["send", "r.json", "--dry-run"], &expect[..], &[url]].concat());
        run.ends(0).out.len() - REQUEST.len()
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
    server.go();
    let run = Run::of(child.wait_with_output().unwrap()).ends(0);
    assert_eq!(run.out(), "no");
    assert_eq!(server.heard().len(), head);
}

#[test]
fn what_follows_a_raw_request_is_shown_too() {
    let home = Home::new();
    let raw = "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\n\r\n";
    home.file("raw.http", raw);
    let server = Server::start(vec![Step::Take(raw.len()), write(OK)]);
    home.wire(&["send", "raw.http", "--raw", "--url", &server.url()])
        .ends(0)
        .says("> GET /2 HTTP/1.1");
    assert_eq!(home.wire(&["show", "-p", "HB"]).ends(0).out(), raw);
}

#[test]
fn standard_input_and_other_methods() {
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
    Run::of(child.wait_with_output().unwrap()).ends(0);
    let models = home
        .wire(&["send", "-X", "GET", "--to", "demo", "--path", "/models"])
        .ends(0);
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
        .ends(0);
    assert!(
        head.out()
            .starts_with("GET /v1/chat/completions HTTP/1.0\r\n")
            && !head.out().contains("Content-")
    );
}

#[test]
fn the_demo_reacts() {
    let home = Home::new();
    home.request();
    let send = |flags: &[&str]| {
        let mut arguments = vec!["send", "r.json", "--to", "demo", "-q"];
        arguments.extend(flags);
        home.wire(&arguments).ends(0)
    };
    assert_eq!(
        send(&["--set", "n=3"]).json()["choices"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let tool = r#"tools=[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"x":{"type":"string"}}}}}]"#;
    let answer = send(&["--set", tool]).json();
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(
        answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"],
        "f"
    );
    assert_eq!(
        send(&["--set", "model=null"]).json()["error"]["type"],
        "invalid_request_error"
    );
    assert_eq!(
        send(&["-m", "error-429"]).json()["error"]["code"],
        "rate_limit_exceeded"
    );
    let streamed = send(&[
        "--stream",
        "--set",
        "stream_options={\"include_usage\":true}",
    ]);
    assert!(
        streamed.out().ends_with("data: [DONE]\n\n") && streamed.out().contains("\"usage\":{"),
        "{}",
        streamed.out()
    );
    home.file("bad.json", "{\"model\":");
    assert_eq!(
        home.wire(&["send", "bad.json", "--to", "demo", "-q"])
            .ends(0)
            .json()["error"]["type"],
        "invalid_request_error"
    );
}

#[test]
fn json_documents_hold_everything() {
    let home = Home::new();
    home.request();
    let sent = home
        .wire(&["send", "r.json", "--to", "demo", "--json"])
        .ends(0)
        .json();
    let shown = home.wire(&["show", "--json"]).ends(0).json();
    assert_eq!(sent, shown);
    let schema = serde_json::from_str(include_str!("../captures/exchange.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&sent)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(sent["response"]["status"], 200);
    assert_eq!(sent["request"]["body"]["json"]["model"], "gpt-4o-mini");
    assert_eq!(sent["outcome"]["kind"], "whole");
}

#[test]
fn the_sample_captures_are_captures() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/demo");
    let entries: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let captures: Vec<_> = entries
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "wire"))
        .collect();
    assert!(captures.len() >= 5);
    for path in captures {
        check_schema(path);
        let reading = wire::capture::store::open(path).unwrap();
        assert!(
            reading.notes.is_empty(),
            "{}: {:?}",
            path.display(),
            reading.notes
        );
    }
}

#[test]
fn one_value_has_its_place_and_moment() {
    let home = Home::new();
    home.request();
    home.wire(&["send", "r.json", "--to", "demo", "-q"]).ends(0);
    let at = |path: &str| home.wire(&["show", "--at", path]);
    assert_eq!(
        at("choices.0.index")
            .ends(0)
            .says("bytes ")
            .says("received ")
            .out(),
        "0\n"
    );
    assert_eq!(
        home.wire(&["show", "--at", "model", "--side", "sent"])
            .ends(0)
            .out(),
        "\"gpt-4o-mini\"\n"
    );
    at("/choices/9").ends(2).says("/choices");
    home.wire(&[
        "send", "r.json", "--to", "demo", "-q", "--stream", "--pace", "0",
    ])
    .ends(0);
    assert_eq!(
        at("/0/choices/0/delta/role").ends(0).out(),
        "\"assistant\"\n"
    );
    at("/99/choices")
        .ends(2)
        .says("no such event")
        .says("--events");
}

#[test]
fn what_it_means_is_told_live_and_later() {
    let home = Home::new();
    home.request();
    let sent = home
        .wire(&[
            "send", "r.json", "--to", "demo", "--stream", "--pace", "0", "--text",
        ])
        .ends(0);
    assert_eq!(home.wire(&["show", "--text"]).ends(0).out, sent.out);
    assert!(sent.out().starts_with("You wrote"), "{}", sent.out());
    // An error has no text, and is told all the same.
    let error = [
        "send",
        "r.json",
        "--to",
        "demo",
        "-m",
        "error-429",
        "--text",
    ];
    home.wire(&error)
        .ends(0)
        .says("note: status 429: Rate limit");
    home.wire(&["show", "--text"])
        .ends(0)
        .says("note: status 429: ");
    let events = home
        .wire(&[
            "send", "r.json", "--to", "demo", "--stream", "--pace", "0", "--events",
        ])
        .ends(0);
    assert!(
        events.out().contains("role assistant") && events.out().contains("finish stop"),
        "{}",
        events.out()
    );
    assert!(
        events.err.contains("verdict") && events.err.contains("openai-chat"),
        "{}",
        events.err
    );
    let list = home.wire(&["show", "--events"]).ends(0);
    assert!(
        list.out().contains("read ") && list.out().contains("role assistant"),
        "{}",
        list.out()
    );
    let raw = home.wire(&["show", "--raw-events"]).ends(0);
    assert!(raw.out().contains("data: [DONE]\n"), "{}", raw.out());
    let summary = home.wire(&["show", "--summary"]).ends(0);
    for line in ["model ", "text ", "finish ", "verdict "] {
        assert!(summary.out().contains(line), "{line}: {}", summary.out());
    }
    let usage = home.wire(&["send", "r.json", "--to", "demo", "-q"]).ends(0);
    let counted = home.wire(&["show", "--usage"]).ends(0).json();
    assert_eq!(counted["input"], usage.json()["usage"]["prompt_tokens"]);
}

#[test]
fn a_stream_that_stops_without_an_end_is_no_success() {
    #[track_caller]
    fn case(events: &str, code: i32, text: &str) {
        let home = Home::new();
        home.request();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: {}\r\n\r\n{events}",
            events.len()
        );
        let server = Server::answering(answer);
        home.wire(&["send", "r.json", "--url", &server.url(), "-q"])
            .ends(code)
            .says(text);
        for how in ["--events", "--raw-events", "--summary", "--text", "--json"] {
            let shown = home.wire(&["show", how]).ends(code);
            let cut = text.contains("inside an event") && how == "--events";
            assert!(
                !cut || shown.out().contains("CUT data: "),
                "{}",
                shown.out()
            );
        }
    }
    let begin = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":null}]}\n\n";
    let finish = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    case(&format!("{begin}{finish}data: [DONE]\n\n"), 0, "");
    case(&format!("{begin}{finish}"), 0, "");
    case(begin, 4, "broken off");
    case(&format!("{begin}data: {{\"choices\""), 4, "inside an event");
    case("", 4, "broken off");
    case(
        &format!("{begin}data: {{\"error\":{{\"message\":\"overloaded\"}}}}\n\n"),
        4,
        "an error came inside the answer",
    );
}

#[test]
fn an_answer_of_any_length_is_explained_later() {
    let home = Home::new();
    home.request();
    let big = [
        "send",
        "r.json",
        "--to",
        "demo",
        "-m",
        "demo-big-17",
        "--stream",
        "--pace",
        "0",
        "-p",
        "m",
    ];
    let sent = home.wire(&big).ends(0);
    assert!(
        sent.out().contains("`wire show` does so later"),
        "{}",
        sent.out()
    );
    let shown = home.wire(&["show", "-p", "m"]).ends(0);
    assert!(
        shown.out().contains("verdict   complete"),
        "{}",
        shown.out()
    );
}

#[test]
fn what_the_provider_says_it_cost_comes_first() {
    let home = Home::new();
    home.request();
    let body = r#"{"object":"chat.completion","model":"gpt-4o","choices":[{"index":0,"message":{"content":"hi"},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":0,"total_tokens":1000,"cost":0.00123}}"#;
    let length = body.len();
    let server = Server::answering(format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}"
    ));
    home.wire(&["send", "r.json", "--url", &server.url(), "-q"])
        .ends(0);
    let summary = home.wire(&["show", "--summary"]).ends(0);
    let told = "cost      $0.00123, as the provider says (usage.cost); $0.0025 = ";
    assert!(summary.out().contains(told), "{}", summary.out());
    let row = home.wire(&["ls", "--json"]).ends(0).json();
    assert_eq!(row["cost"], "$0.00123");
}

#[test]
fn lists_are_filtered_and_searched() {
    let home = Home::new();
    home.request();
    for flags in [
        &["-m", "gpt-4o"][..],
        &["-m", "error-429"],
        &["-m", "gpt-4o-mini", "--stream", "--pace", "0"],
    ] {
        let mut arguments = vec!["send", "r.json", "--to", "demo", "-q"];
        arguments.extend(flags);
        home.wire(&arguments).ends(0);
    }
    let models = |flags: &[&str]| {
        let mut arguments = vec!["ls", "--json"];
        arguments.extend(flags);
        let run = home.wire(&arguments).ends(0);
        let rows = run
            .out()
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        rows.map(|row| row["model"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    // Once without and once with an index.
    for _ in 0..2 {
        assert_eq!(models(&[]), ["gpt-4o-mini", "error-429", "gpt-4o"]);
    }
    assert_eq!(models(&["-n", "1"]), ["gpt-4o-mini"]);
    assert_eq!(models(&["--status", "4xx"]), ["error-429"]);
    assert_eq!(models(&["--model", "mini"]), ["gpt-4o-mini"]);
    assert_eq!(models(&["--since", "1h", "--host", "localhost"]).len(), 3);
    assert_eq!(models(&["--grep", "Rate limit"]), ["error-429"]);
    assert_eq!(
        models(&["--answer", "You wrote: \"hi\""]),
        ["gpt-4o-mini", "gpt-4o"]
    );
    home.wire(&["ls", "--status", "nope"]).ends(2).says("4xx");
}
