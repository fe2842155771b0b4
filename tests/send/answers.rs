//! What `wire send` prints and keeps of an answer, and what `wire show` prints of it later.

use crate::common::{Home, REQUEST, Run, Server, Step, check_schema, read_until, write};

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
fn the_meaning_is_printed_live_and_later() {
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
fn show_explains_an_answer_of_any_length() {
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
        sent.out().contains("`wire show` explains them"),
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
fn the_cost_that_the_provider_reports_comes_first() {
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
    let told = "cost      $0.00123, reported by the provider (usage.cost); $0.0025 = ";
    assert!(summary.out().contains(told), "{}", summary.out());
    let row = home.wire(&["ls", "--json"]).ends(0).json();
    assert_eq!(row["cost"], "$0.00123");
}

#[test]
fn the_demo_server_answers_according_to_the_request() {
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
fn send_and_show_print_the_same_json_document() {
    let home = Home::new();
    home.request();
    let sent = home
        .wire(&["send", "r.json", "--to", "demo", "--json"])
        .ends(0)
        .json();
    let shown = home.wire(&["show", "--json"]).ends(0).json();
    assert_eq!(sent, shown);
    let schema = serde_json::from_str(include_str!("../../captures/exchange.schema.json")).unwrap();
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
fn show_at_prints_a_value_with_its_place_and_time() {
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
fn the_sample_captures_fit_the_schema() {
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
