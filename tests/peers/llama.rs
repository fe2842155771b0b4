//! A real model behind a real server: llama.cpp with SmolLM2, plain and streamed.

use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::counterpart::{Running, python, script};
use crate::common::{Home, Run, check_schema};

const KEY: &str = "sk-test-llama-0123456789";

const REQUEST: &str = r#"{"model":"smollm2","messages":[{"role":"user","content":"Say hi"}],"max_tokens":16,"temperature":0,"seed":1}"#;

/// The base URL of the one server that all tests here share: loading the model takes its time. It ends
/// when this process does, since its standard input ends then.
#[track_caller]
fn base() -> Option<String> {
    static SERVER: Mutex<Option<(Running, String)>> = Mutex::new(None);
    let mut server = SERVER.lock().unwrap();
    if server.is_none() {
        let mut command = Command::new(python("xllamacpp")?);
        command
            .arg(script("llama.py"))
            .arg(KEY)
            .stdin(Stdio::piped());
        let running = Running::start(&mut command);
        let address =
            running.wait_for(|line| Some(line.strip_prefix("listening ")?.replace(' ', ":")));
        *server = Some((running, format!("http://{address}/v1")));
    }
    server.as_ref().map(|(_, base)| base.clone())
}

/// Sends the request with `key`; `None` where there is no server.
#[track_caller]
fn send(key: &str, flags: &[&str]) -> Option<(Home, Run)> {
    let home = Home::new();
    home.file("r.json", REQUEST);
    let mut command = home.command(&[&["send", "r.json"], flags].concat());
    command
        .env("OPENAI_API_KEY", key)
        .env("OPENAI_BASE_URL", base()?);
    let run = Run::from_output(command.output().unwrap());
    check_schema(&home.capture());
    assert!(!run.err.contains(key), "{}", run.err);
    let text = std::fs::read_to_string(home.capture()).unwrap();
    assert!(!text.contains(key), "{text}");
    Some((home, run))
}

/// The data of each event of a stream.
fn events(stream: &str) -> Vec<&str> {
    assert!(stream.ends_with("\n\n"), "{stream}");
    let events = stream.split_terminator("\n\n");
    events
        .map(|event| event.strip_prefix("data: ").expect("an event of data"))
        .collect()
}

/// The text of a streamed answer: its deltas joined.
fn joined(events: &[&str]) -> String {
    let deltas = events.iter().map(|event| {
        let value: serde_json::Value = serde_json::from_str(event).unwrap();
        let delta = &value["choices"][0]["delta"]["content"];
        delta.as_str().unwrap_or_default().to_owned()
    });
    deltas.collect()
}

#[test]
fn plain_and_streamed_completions_have_the_same_text() {
    let Some((home, run)) = send(KEY, &[]) else {
        return;
    };
    let run = run
        .exits_with(0)
        .err_contains("< Server: llama.cpp")
        .err_contains("complete: 200");
    let answer = run.json();
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["usage"]["completion_tokens"], 16);
    let content = answer["choices"][0]["message"]["content"].as_str();
    let content = content.unwrap().to_owned();
    assert!(!content.is_empty());
    assert_eq!(home.wire(&["show", "-p", "b"]).exits_with(0).out, run.out);
    assert_eq!(home.wire(&["show", "-p", "B"]).exits_with(0).out(), REQUEST);
    let at = home
        .wire(&["show", "--at", "choices.0.message.content"])
        .exits_with(0);
    assert!(at.out().contains(&content), "{}", at.out());

    let (home, run) = send(KEY, &["--stream"]).unwrap();
    let run = run
        .exits_with(0)
        .err_contains("< Content-Type: text/event-stream")
        .err_contains("< Transfer-Encoding: chunked");
    let received = events(run.out());
    let (done, deltas) = received.split_last().unwrap();
    assert_eq!(*done, "[DONE]");
    // Seed and temperature leave the model no choice.
    assert_eq!(joined(deltas), content);
    assert_eq!(home.wire(&["show", "-p", "b"]).exits_with(0).out, run.out);
    let document = home.wire(&["show", "--json"]).exits_with(0).json();
    assert_eq!(document["outcome"]["kind"], "whole");
}

#[test]
fn a_wrong_key_is_refused() {
    let Some((home, run)) = send("sk-wrong-key-0123456789", &["-f"]) else {
        return;
    };
    let run = run
        .exits_with(1)
        .err_contains("< HTTP/1.1 401 Unauthorized");
    assert_eq!(run.json()["error"]["type"], "authentication_error");
    assert_eq!(home.wire(&["show", "-p", "b"]).exits_with(0).out, run.out);
}

#[test]
fn the_body_is_sent_after_100_continue() {
    let expect = ["--stream", "-H", "Expect: 100-continue"];
    let Some((home, run)) = send(KEY, &expect) else {
        return;
    };
    let run = run
        .exits_with(0)
        .err_contains("< HTTP/1.1 100 Continue")
        .err_contains("< HTTP/1.1 200 OK");
    let place = |text: &str| run.err.find(text).unwrap_or_else(|| panic!("{}", run.err));
    // Only the request's body is between them.
    let answer = place("200 OK");
    assert!(place("100 Continue") < answer && place("> {\"model\"") < answer);
    assert!(run.out().ends_with("data: [DONE]\n\n"), "{}", run.out());
    let shown = home.wire(&["show", "-p", "hb"]).exits_with(0);
    assert!(
        shown
            .out()
            .starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    );
    let document = home.wire(&["show", "--json"]).exits_with(0).json();
    assert_eq!(document["interim"][0]["status"], 100);
}
