//! Tests that hold for every API: keys, and what the special models do.

use std::time::Duration;

use serde_json::{Value, json};

use super::testing::{SEEN, request, steps, text};
use super::{DemoContext, answer};
use crate::serve::reply::{BodyAction, ReplyBody, ServerReply};
use crate::serve::request::ServerRequest;

/// Asks a model something, as a stream or not.
type Asking = fn(&str, bool) -> ServerRequest;

const APIS: [(&str, Asking); 6] = [
    ("chat", chat),
    ("responses", responses),
    ("messages", messages),
    ("gemini, events", gemini_events),
    ("gemini, array", gemini_array),
    ("ollama", ollama),
];

fn post(target: &str, body: &Value) -> ServerRequest {
    request("POST", target, body.to_string())
}

fn said() -> Value {
    json!([{"role": "user", "content": "Is it warm in Zurich?"}])
}

fn chat(model: &str, stream: bool) -> ServerRequest {
    let body = json!({"model": model, "messages": said(), "stream": stream});
    post("/v1/chat/completions", &body)
}

fn responses(model: &str, stream: bool) -> ServerRequest {
    let body = json!({"model": model, "input": said(), "stream": stream});
    post("/v1/responses", &body)
}

fn messages(model: &str, stream: bool) -> ServerRequest {
    let body = json!({"model": model, "max_tokens": 99, "messages": said(), "stream": stream});
    let version = ("anthropic-version".into(), "2026-10-21".into());
    ServerRequest {
        fields: vec![version],
        ..post("/v1/messages", &body)
    }
}

fn gemini(model: &str, method: &str) -> ServerRequest {
    let body = json!({"contents": [{"parts": [{"text": "Is it warm in Zurich?"}]}]});
    post(&format!("/v1beta/models/{model}:{method}"), &body)
}

fn gemini_events(model: &str, stream: bool) -> ServerRequest {
    match stream {
        true => gemini(model, "streamGenerateContent?alt=sse"),
        false => gemini(model, "generateContent"),
    }
}

fn gemini_array(model: &str, stream: bool) -> ServerRequest {
    match stream {
        true => gemini(model, "streamGenerateContent?key=x"),
        false => gemini(model, "generateContent"),
    }
}

fn ollama(model: &str, stream: bool) -> ServerRequest {
    post(
        "/api/chat",
        &json!({"model": model, "messages": said(), "stream": stream}),
    )
}

/// Does `check` with each API, as a stream and not.
fn each(model: &str, check: impl Fn(&str, ServerReply)) {
    for (name, asking) in APIS {
        for stream in [false, true] {
            check(name, answer(&asking(model, stream), SEEN));
        }
    }
}

fn acts(reply: ServerReply) -> Vec<BodyAction> {
    steps(reply).into_iter().map(|step| step.action).collect()
}

#[test]
fn fault_models_break_replies_of_every_api() {
    each("demo", |name, reply| {
        assert_eq!(reply.status, 200, "{name}")
    });
    each("demo-cut", |name, reply| {
        assert_eq!(acts(reply).last(), Some(&BodyAction::Disconnect), "{name}");
    });
    each("demo-stall", |name, reply| {
        let acts = acts(reply);
        assert_eq!(
            (acts.len(), acts.last()),
            (4, Some(&BodyAction::Stall)),
            "{name}"
        );
    });
    each("demo-garbage", |name, reply| {
        assert!(matches!(reply.body, ReplyBody::Chunked(_)), "{name}");
        let acts = acts(reply);
        let raw = acts
            .iter()
            .filter(|act| matches!(act, BodyAction::RawBytes(_)));
        assert_eq!(raw.count(), 1, "{name}");
    });
    each("demo-error-in-stream", |name, reply| {
        assert!(text(reply).contains("\"error\""), "{name}");
    });
}

#[test]
fn model_names_ask_for_errors_of_every_api() {
    for status in 400..=599 {
        each(&format!("error-{status}"), |name, reply| {
            assert_eq!(reply.status, status, "{name}");
            if status == 502 {
                assert!(text(reply).starts_with("<html>"), "{name}");
            }
        });
    }
    each("error-200", |name, reply| {
        assert_eq!(reply.status, 200, "{name}")
    });
    each("nope", |name, reply| {
        let status = if name == "responses" { 400 } else { 404 };
        assert_eq!(reply.status, status, "{name}");
    });
}

#[test]
fn every_api_refuses_the_bad_key() {
    for (name, asking) in APIS {
        let field = match name {
            "messages" => ("x-api-key", "bad-key"),
            "gemini, events" | "gemini, array" => ("x-goog-api-key", "bad-key"),
            _ => ("authorization", "Bearer bad-key"),
        };
        let mut request = asking("demo", false);
        request.fields.push((field.0.into(), field.1.into()));
        let status = if name.starts_with("gemini") { 400 } else { 401 };
        assert_eq!(answer(&request, SEEN).status, status, "{name}");
    }
}

#[test]
fn every_api_pauses_between_events() {
    let seen = DemoContext {
        pace: Duration::from_millis(2),
        ..SEEN
    };
    for (name, asking) in APIS {
        let pauses = |model: &str| -> (Duration, Vec<Duration>) {
            let reply = answer(&asking(model, true), seen);
            let delay = reply.delay;
            (delay, steps(reply).iter().map(|step| step.pause).collect())
        };
        let (delay, usual) = pauses("demo");
        assert_eq!(usual[0], Duration::ZERO, "{name}");
        // Some thirty tokens, however many of them an event brings.
        let all = delay + usual.iter().sum::<Duration>();
        assert!(
            (seen.pace * 34..seen.pace * 44).contains(&all),
            "{name} {all:?}"
        );
        let (_, slow) = pauses("demo-slow");
        assert!(slow.iter().all(|pause| *pause == seen.pace * 40), "{name}");
    }
}

#[test]
fn a_huge_body_is_made_while_it_is_written() {
    each("demo-big-1048576", |name, reply| {
        let (ReplyBody::KnownLength { steps, .. } | ReplyBody::Chunked(steps)) = reply.body else {
            panic!("{name}: in steps")
        };
        assert_eq!(steps.take(9).count(), 9, "{name}");
    });
}

#[test]
fn equal_requests_get_equal_bytes_in_every_api() {
    for (name, asking) in APIS {
        let once = || text(answer(&asking("demo-reasoning", true), SEEN));
        assert_eq!(once(), once(), "{name}");
    }
}

#[test]
fn odd_bodies_never_panic() {
    let odd = [
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"x\"",
        "{\"model\":{}}",
        "{\"model\":\"demo\",\"input\":[[]]}",
        "{\"model\":\"demo\",\"messages\":[5],\"max_tokens\":1}",
        "{\"contents\":[5]}",
        "{\"contents\":{},\"tools\":7,\"generationConfig\":[]}",
        "{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":[[],5]}],\"max_tokens\":1}",
        "{\"model\":\"demo\",\"messages\":[5],\"tools\":[5],\"options\":{\"stop\":5}}",
        "{\"model\":\"demo\",\"input\":\"x\",\"tools\":[{\"type\":\"function\",\"name\":5}],\"text\":5}",
    ];
    for (_, asking) in APIS {
        for stream in [false, true] {
            for body in odd {
                let mut request = asking("demo", stream);
                request.body = body.as_bytes().to_vec();
                text(answer(&request, SEEN));
            }
        }
    }
}
