//! Findings of whole calls, read from raw messages.

use super::{Finding, check_call};
use crate::call::{Call, ReadOptions};
use crate::chat::Severity;
use crate::import;
use crate::span::StreamSide;

/// The request of most tests; `body` is its JSON.
fn request(path: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn lint(request: &str, response: &str) -> Vec<Finding> {
    let tape = import::read_message(format!("{request}{response}").as_bytes());
    check_call((&Call::read(tape, &ReadOptions::default())).into())
}

fn rules(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().map(|finding| finding.rule.id).collect()
}

#[test]
fn one_list_has_the_findings_of_all_layers() {
    let asked = request("/v1/chat/completions", "{\"model\":\"m\"}");
    let response = "HTTP/1.1 200 OK\nContent-Type: text/event-stream\r\nretry-after: soon\r\n\r\ndata: {oops\n\n";
    let found = lint(&asked, response);
    let expected = [
        ("http-bare-lf", Severity::Warning),
        ("field-unreadable", Severity::Info),
        ("sse-event-not-json", Severity::Error),
        ("answer-end-missing", Severity::Error),
    ];
    let found: Vec<_> = found
        .iter()
        .map(|finding| (finding.rule.id, finding.severity))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn the_head_may_know_the_model_better() {
    let asked = request(
        "/openai/v1/responses",
        "{\"model\":\"gpt-4o\",\"input\":\"hi\"}",
    );
    let body = r#"{"object":"response","model":"gpt-4o","status":"completed","output":[{"type":"message","content":[{"text":"Hi"}]}]}"#;
    let response = format!(
        "HTTP/1.1 200 OK\r\nx-ms-served-model: gpt-4o-2024-08-06\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let found = lint(&asked, &response);
    assert_eq!(rules(&found), ["model-differs-in-head"]);
    assert_eq!(found[0].facts, [("model", "gpt-4o-2024-08-06".to_owned())]);
}

#[test]
fn a_stream_without_token_counts_gets_a_hint_how_to_ask_for_them() {
    let asked = request(
        "/v1/chat/completions",
        "{\"messages\":[{}],\"stream\":true}",
    );
    let response = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n\
        data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    assert_eq!(rules(&lint(&asked, response)), ["usage-not-asked"]);
}

#[test]
fn a_lookup_finds_the_event_that_a_finding_names() {
    let asked = request(
        "/v1/chat/completions",
        "{\"messages\":[{}],\"stream\":true}",
    );
    let response = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: wait\n\n\
        data: {\"id\":\"one\"}\n\n: wait\n\ndata: {\"id\":\"two\",\"id\":\"two\"}\n\n";
    let tape = import::read_message(format!("{asked}{response}").as_bytes());
    let call = Call::read(tape, &ReadOptions::default());
    let found = check_call((&call).into());
    let twice = found
        .iter()
        .find(|finding| finding.rule.id == "json-duplicate-key");
    let event = twice
        .and_then(|finding| finding.place.answer.event)
        .unwrap();
    let path = crate::json::ValuePath::parse(&format!("/{event}/id")).unwrap();
    let value = call.value_at(StreamSide::Received, &path).unwrap();
    assert_eq!((event, value.text.as_slice()), (1, b"\"two\"".as_slice()));
}

#[test]
fn a_string_that_looks_like_a_key_is_found_unless_it_is_masked() {
    let key = "sk-proj-Zq9xUNIQ7f3aTw8KdLmP2Rs5VbYhCgEj4nAo";
    let masked = format!("sk-proj-{}", "*".repeat(36));
    let lint_key = |key: &str| {
        let body = format!(
            "{{\"model\":\"m\",\"messages\":[{{\"role\":\"user\",\"content\":\"my key is {key}\"}}]}}"
        );
        let asked = request("/v1/chat/completions", &body);
        lint(&asked, "HTTP/1.1 204 No Content\r\n\r\n")
    };
    let found = lint_key(key);
    assert_eq!(rules(&found), ["capture-holds-key"]);
    assert!(!format!("{found:?}").contains("Zq9x"), "{found:?}");
    assert_eq!(rules(&lint_key(&masked)), [""; 0]);
}
