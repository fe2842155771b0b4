//! Replies of Ollama, as values.

use std::time::Duration;

use serde_json::{Value, json};

use crate::demo::testing::{SEEN, field, joined, json_of, post, request, steps, text, with};
use crate::demo::{DemoContext, answer};
use crate::serve::reply::{BodyAction, ServerReply};

fn body(more: Value) -> Value {
    let messages = json!([{"role": "user", "content": "Is it warm in Zurich?"}]);
    with(json!({"model": "qwen3:8b", "messages": messages}), more)
}

fn asked(more: Value) -> ServerReply {
    post("/api/chat", &body(more))
}

fn object(more: Value) -> Value {
    json_of(asked(with(more, json!({"stream": false}))), 200)
}

fn lines(reply: ServerReply) -> Vec<Value> {
    let text = text(reply);
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tool =
        |name: &str| json!({"type": "function", "function": {"name": name, "parameters": schema}});
    json!([tool("a"), tool("b")])
}

#[test]
fn bad_requests_are_refused() {
    #[track_caller]
    fn case(more: Value, status: u16, message: &str) {
        assert_eq!(json_of(asked(more), status), json!({"error": message}));
    }
    case(json!({"model": null}), 400, "model is required");
    case(json!({"model": "nope"}), 404, "model 'nope' not found");
    case(
        json!({"messages": "x"}),
        400,
        "json: cannot unmarshal string into Go struct field ChatRequest.messages of type []api.Message",
    );
    case(
        json!({"stream": "yes"}),
        400,
        "json: cannot unmarshal string into Go struct field ChatRequest.stream of type bool",
    );
    case(
        json!({"format": "xml"}),
        400,
        "invalid format: \"xml\"; expected \"json\" or a valid JSON Schema object",
    );
    case(
        json!({"think": "much"}),
        400,
        "invalid think value: \"much\" (must be \"high\", \"medium\", \"low\", \"max\", true, or false)",
    );
    let empty = json_of(answer(&request("POST", "/api/chat", ""), SEEN), 400);
    assert_eq!(empty["error"], "missing request body");
}

#[test]
fn each_path_and_method_has_its_status() {
    for (method, path, status) in [
        ("GET", "/api/tags", 200),
        ("GET", "/api/chat", 405),
        ("POST", "/api/none", 404),
    ] {
        assert_eq!(answer(&request(method, path, ""), SEEN).status, status);
    }
    let tags = json_of(answer(&request("GET", "/api/tags", ""), SEEN), 200);
    assert_eq!(tags["models"][0]["details"]["format"], "gguf");
}

#[test]
fn an_object_has_these_bytes() {
    let more = json!({"stream": false, "options": {"num_predict": 6}});
    let seen = DemoContext {
        pace: Duration::from_millis(10),
        ..SEEN
    };
    let request = request("POST", "/api/chat", body(more).to_string());
    let reply = answer(&request, seen);
    assert_eq!(reply.fields.len(), 2);
    assert_eq!(
        text(reply),
        r#"{"model":"qwen3:8b","created_at":"2026-11-23T09:14:06.140000Z","message":{"role":"assistant","content":"You wrote: \"Is it"},"done":true,"done_reason":"length","total_duration":103040003,"load_duration":41295167,"prompt_eval_count":12,"prompt_eval_duration":1744836,"eval_count":6,"eval_duration":60000000}"#
    );
}

#[test]
fn a_stream_has_these_bytes() {
    let reply = asked(json!({"options": {"num_predict": 1}}));
    assert_eq!(field(&reply, "Content-Type"), ["application/x-ndjson"]);
    assert_eq!(
        text(reply),
        "{\"model\":\"qwen3:8b\",\"created_at\":\"2026-11-23T09:14:06.000000Z\",\"message\":{\"role\":\
         \"assistant\",\"content\":\"You\"},\"done\":false}\n{\"model\":\"qwen3:8b\",\"created_at\":\
         \"2026-11-23T09:14:06.000000Z\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\
         \"done_reason\":\"length\",\"total_duration\":43040003,\"load_duration\":41295167,\
         \"prompt_eval_count\":12,\"prompt_eval_duration\":1744836,\"eval_count\":1}\n"
    );
}

#[test]
fn stream_and_object_have_the_same_content() {
    for more in [
        json!({}),
        json!({"tools": tools(), "think": true}),
        json!({"model": "demo-reasoning"}),
        json!({"model": "demo-refusal"}),
        json!({"model": "demo-filter"}),
        json!({"model": "demo-long", "options": {"num_predict": 20}}),
        json!({"options": {"stop": ["warm"]}}),
    ] {
        let object = object(more.clone());
        let lines = lines(asked(more));
        for key in ["content", "thinking"] {
            let whole = object["message"][key].as_str().unwrap_or_default();
            assert_eq!(joined(&lines, &format!("/message/{key}")), whole);
        }
        let calls = lines
            .iter()
            .filter_map(|line| line.pointer("/message/tool_calls/0"));
        let calls: Vec<Value> = calls.cloned().collect();
        let whole = object["message"]["tool_calls"].as_array().cloned();
        assert_eq!(calls, whole.unwrap_or_default());
        let (last, before) = lines.split_last().unwrap();
        assert!(before.iter().all(|line| line["done"] == false));
        for key in ["done", "done_reason", "prompt_eval_count", "eval_count"] {
            assert_eq!(last[key], object[key]);
        }
    }
}

#[test]
fn reasoning_tools_and_formats_follow_the_request() {
    let thinks = |more: Value| object(more)["message"].get("thinking").is_some();
    assert!(thinks(json!({"think": "low"})));
    assert!(thinks(json!({"model": "demo-reasoning"})));
    assert!(!thinks(json!({"model": "demo-reasoning", "think": false})));
    let found = object(json!({"tools": tools()}));
    let function = &found["message"]["tool_calls"][1]["function"];
    assert_eq!(
        function,
        &json!({"index": 1, "name": "b", "arguments": {"city": "Zurich"}})
    );
    assert_eq!(found["done_reason"], "stop");
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let found = object(json!({"format": schema}));
    assert_eq!(found["message"]["content"], "{\"city\":\"Zurich\"}");
    let messages = json!([
        {"role": "user", "content": "Is it warm?"},
        {"role": "assistant", "content": "", "tool_calls": []},
        {"role": "tool", "tool_name": "a", "content": "21 degrees"},
    ]);
    let found = object(json!({"messages": messages, "tools": tools()}));
    let said = found["message"]["content"].as_str().unwrap();
    assert!(said.starts_with("The tool says: 21 degrees"), "{said}");
}

#[test]
fn a_chat_without_messages_loads_the_model() {
    let loaded = json_of(asked(json!({"messages": []})), 200);
    assert_eq!(loaded["done_reason"], "load");
    let unloaded = json_of(asked(json!({"messages": null, "keep_alive": 0})), 200);
    assert_eq!(unloaded["done_reason"], "unload");
}

#[test]
fn fault_models_fail_in_the_shapes_of_ollama() {
    let failed = lines(asked(json!({"model": "demo-error-in-stream"})));
    assert!(failed.last().unwrap()["error"].is_string());
    let plain = asked(json!({"model": "demo-error-in-stream", "stream": false}));
    assert_eq!(plain.status, 500);
    let cut = steps(asked(json!({"model": "demo-cut"})));
    assert_eq!(cut.last().unwrap().action, BodyAction::Disconnect);
    for status in [401, 404, 429, 500, 503, 529] {
        let found = json_of(asked(json!({"model": format!("error-{status}")})), status);
        assert!(found["error"].is_string());
    }
}

#[test]
fn big_bodies_have_a_text_of_that_size() {
    let found = object(json!({"model": "demo-big-1"}));
    assert_eq!(found["message"]["content"].as_str().unwrap().len(), 1 << 20);
    let lines = lines(asked(json!({"model": "demo-big-1"})));
    assert_eq!(joined(&lines, "/message/content").len(), 1 << 20);
}
