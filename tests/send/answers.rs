//! What `wire send` prints and keeps of an answer, and what `wire show` prints of it later.

use crate::common::{Home, REQUEST, Run, Server, Step, check_schema, read_until, write};

#[test]
fn the_demo_answers_and_the_capture_can_be_opened() {
    let home = Home::new();
    home.request();
    let sent = home.wire(&["send", "r.json", "--to", "demo"]).exits_with(0);
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

    let shown = home.wire(&["show", "@"]).exits_with(0);
    assert!(shown.out().contains("< HTTP/1.1 200 OK"));
    assert_eq!(home.wire(&["show", "-p", "b"]).exits_with(0).out, sent.out);
    assert_eq!(home.wire(&["show", "-p", "B"]).exits_with(0).out(), REQUEST);
    let list = home.wire(&["ls"]).exits_with(0);
    assert!(
        list.out().contains("gpt-4o-mini") && list.out().contains(" 200 "),
        "{}",
        list.out()
    );
}

#[test]
fn send_and_show_print_the_same() {
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
        let sent = home.wire(&send).exits_with(0);
        assert!(!sent.out.is_empty());
        assert_eq!(home.wire(&show).exits_with(0).out, sent.out, "{flags:?}");
    }
}

#[test]
fn a_streamed_answer_is_printed_as_it_arrives() {
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
    // No line end was written and the server waits: the text must arrive without one.
    read_until(child.stdout.as_mut().unwrap(), "data: 1");
    server.resume();
    let rest = Run::from_output(child.wait_with_output().unwrap()).exits_with(0);
    assert_eq!(rest.out(), "\n\n");
}

#[test]
fn send_and_show_print_the_meaning_of_an_answer() {
    let home = Home::new();
    home.request();
    let sent = home
        .wire(&[
            "send", "r.json", "--to", "demo", "--stream", "--pace", "0", "--text",
        ])
        .exits_with(0);
    assert_eq!(home.wire(&["show", "--text"]).exits_with(0).out, sent.out);
    assert!(sent.out().starts_with("You wrote"), "{}", sent.out());
    // An error has no text, and is printed all the same.
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
        .exits_with(0)
        .err_contains("note: status 429: Rate limit");
    home.wire(&["show", "--text"])
        .exits_with(0)
        .err_contains("note: status 429: ");
    let events = home
        .wire(&[
            "send", "r.json", "--to", "demo", "--stream", "--pace", "0", "--events",
        ])
        .exits_with(0);
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
    let list = home.wire(&["show", "--events"]).exits_with(0);
    assert!(
        list.out().contains("read ") && list.out().contains("role assistant"),
        "{}",
        list.out()
    );
    let raw = home.wire(&["show", "--raw-events"]).exits_with(0);
    assert!(raw.out().contains("data: [DONE]\n"), "{}", raw.out());
    let summary = home.wire(&["show", "--summary"]).exits_with(0);
    for line in ["model ", "text ", "finish ", "verdict "] {
        assert!(summary.out().contains(line), "{line}: {}", summary.out());
    }
    let usage = home
        .wire(&["send", "r.json", "--to", "demo", "-q"])
        .exits_with(0);
    let counted = home.wire(&["show", "--usage"]).exits_with(0).json();
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
    let sent = home.wire(&big).exits_with(0);
    assert!(
        sent.out().contains("`wire show` explains them"),
        "{}",
        sent.out()
    );
    let shown = home.wire(&["show", "-p", "m"]).exits_with(0);
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
        .exits_with(0);
    let summary = home.wire(&["show", "--summary"]).exits_with(0);
    let cost_line = "cost      $0.00123, reported by the provider (usage.cost); $0.0025 = ";
    assert!(summary.out().contains(cost_line), "{}", summary.out());
    let row = home.wire(&["ls", "--json"]).exits_with(0).json();
    assert_eq!(row["cost"], "$0.00123");
}

#[test]
fn the_demo_server_answers_according_to_the_request() {
    let home = Home::new();
    home.request();
    let send = |flags: &[&str]| {
        let mut arguments = vec!["send", "r.json", "--to", "demo", "-q"];
        arguments.extend(flags);
        home.wire(&arguments).exits_with(0)
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
            .exits_with(0)
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
        .exits_with(0)
        .json();
    let shown = home.wire(&["show", "--json"]).exits_with(0).json();
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
    home.wire(&["send", "r.json", "--to", "demo", "-q"])
        .exits_with(0);
    let at = |path: &str| home.wire(&["show", "--at", path]);
    assert_eq!(
        at("choices.0.index")
            .exits_with(0)
            .err_contains("bytes ")
            .err_contains("received ")
            .out(),
        "0\n"
    );
    assert_eq!(
        home.wire(&["show", "--at", "model", "--side", "sent"])
            .exits_with(0)
            .out(),
        "\"gpt-4o-mini\"\n"
    );
    at("/choices/9").exits_with(2).err_contains("/choices");
    home.wire(&[
        "send", "r.json", "--to", "demo", "-q", "--stream", "--pace", "0",
    ])
    .exits_with(0);
    assert_eq!(
        at("/0/choices/0/delta/role").exits_with(0).out(),
        "\"assistant\"\n"
    );
    at("/99/choices")
        .exits_with(2)
        .err_contains("no such event")
        .err_contains("--events");
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
        home.wire(&arguments).exits_with(0);
    }
    let models = |flags: &[&str]| {
        let mut arguments = vec!["ls", "--json"];
        arguments.extend(flags);
        let run = home.wire(&arguments).exits_with(0);
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
    home.wire(&["ls", "--status", "nope"])
        .exits_with(2)
        .err_contains("4xx");
}
