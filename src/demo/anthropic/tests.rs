//! Replies of Messages, as values.

use serde_json::{Value, json};

use crate::demo::answer;
use crate::demo::testing::{SEEN, field, joined, json_of, named_events, request};
use crate::demo::testing::{steps, text, with};
use crate::serve::reply::{BodyAction, ServerReply};
use crate::serve::request::ServerRequest;

fn sent(body: &Value, fields: &[(&str, &str)]) -> ServerRequest {
    let owned = |(name, value): &(&str, &str)| ((*name).into(), (*value).into());
    ServerRequest {
        fields: fields.iter().map(owned).collect(),
        ..request("POST", "/v1/messages", body.to_string())
    }
}

fn body(more: Value) -> Value {
    let body = json!({
        "model": "claude-sonnet-4-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "Is it warm in Zurich?"}],
    });
    with(body, more)
}

fn asked(more: Value) -> ServerReply {
    let version = [("anthropic-version", "2023-06-01")];
    answer(&sent(&body(more), &version), SEEN)
}

fn object(more: Value) -> Value {
    json_of(asked(more), 200)
}

fn stream(more: Value) -> Vec<(String, Value)> {
    named_events(&text(asked(with(more, json!({"stream": true})))))
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tool = |name: &str| json!({"name": name, "input_schema": schema});
    json!([tool("a"), tool("b")])
}

#[test]
fn bad_requests_are_refused() {
    #[track_caller]
    fn case(more: Value, message: &str) {
        let found = json_of(asked(more), 400);
        assert_eq!(found["error"]["message"], message);
        assert_eq!(found["error"]["type"], "invalid_request_error");
    }
    case(json!({"model": null}), "model: Field required");
    case(json!({"max_tokens": null}), "max_tokens: Field required");
    case(
        json!({"max_tokens": "5"}),
        "max_tokens: Input should be a valid integer",
    );
    case(
        json!({"max_tokens": -1}),
        "max_tokens: Input should be greater than or equal to 0",
    );
    case(json!({"messages": null}), "messages: Field required");
    case(
        json!({"messages": []}),
        "messages: at least one message is required",
    );
    case(
        json!({"messages": [{"role": "robot", "content": ""}]}),
        "messages.0.role: Input should be 'user' or 'assistant'",
    );
    case(
        json!({"messages": [{"role": "user"}]}),
        "messages.0.content: Field required",
    );
    case(
        json!({"messages": [{"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "x", "content": "5"},
        ]}]}),
        "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: x. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
    );
    case(json!({"seed": 5}), "seed: Extra inputs are not permitted");
    case(
        json!({"temperature": 1.5}),
        "temperature: Input should be less than or equal to 1",
    );
    case(
        json!({"thinking": {"type": "enabled", "budget_tokens": 5}}),
        "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    );
    case(
        json!({"tools": [{"name": "a"}]}),
        "tools.0.custom.input_schema: Field required",
    );
    case(
        json!({"tool_choice": {"type": "tool", "name": "c"}, "tools": tools()}),
        "Tool 'c' not found in provided tools",
    );
    case(
        json!({"messages": [{"role": "user", "content": "x".repeat(1_000_000)}]}),
        "prompt is too long: 250006 tokens > 200000 maximum",
    );
    let found = json_of(
        asked(json!({"thinking": {"type": "enabled", "budget_tokens": 1024}})),
        400,
    );
    let message = found["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("`max_tokens` must be greater than"));
}

#[test]
fn version_and_key_in_the_head_are_checked() {
    let reply = answer(&sent(&body(json!({})), &[]), SEEN);
    let id = field(&reply, "request-id")[0].to_owned();
    let found = json_of(reply, 400);
    assert_eq!(
        found["error"]["message"],
        "anthropic-version: header is required"
    );
    assert_eq!(found["request_id"], id);

    let new = [("anthropic-version", "2026-10-21")];
    let reply = answer(&sent(&body(json!({"temperature": 1.0})), &new), SEEN);
    let found = json_of(reply, 400);
    let message = "temperature: Extra inputs are not permitted";
    assert_eq!(found["error"]["message"], message);

    for key in [
        ("x-api-key", "bad-key"),
        ("authorization", "Bearer bad-key"),
    ] {
        let found = json_of(answer(&sent(&body(json!({})), &[key]), SEEN), 401);
        assert_eq!(found["error"]["type"], "authentication_error");
    }
}

#[test]
fn a_message_has_these_bytes() {
    let reply = asked(json!({"max_tokens": 6}));
    let names: Vec<&str> = reply.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names[..4],
        [
            "Date",
            "Content-Type",
            "Cache-Control",
            "anthropic-ratelimit-requests-limit"
        ]
    );
    assert_eq!(names[names.len() - 4], "request-id");
    assert_eq!(
        field(&reply, "anthropic-ratelimit-input-tokens-remaining"),
        ["1999000"]
    );
    assert_eq!(
        field(&reply, "anthropic-ratelimit-tokens-reset"),
        ["2026-11-23T09:14:06Z"]
    );
    assert_eq!(
        text(reply),
        r#"{"model":"claude-sonnet-4-5-20250929","id":"msg_01JEOrRlGgzhDvTHbGONfjnb","type":"message","role":"assistant","content":[{"type":"text","text":"You wrote: \"Is it"}],"stop_reason":"max_tokens","stop_sequence":null,"stop_details":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"output_tokens":6,"service_tier":"standard"}}"#
    );
}

#[test]
fn a_stream_has_these_bytes() {
    let text = text(asked(json!({"max_tokens": 4, "stream": true})));
    let bare: Vec<String> = text.lines().map(|line| line.replace("  ", "")).collect();
    assert_eq!(bare[3], "event: content_block_start");
    let data = |index: usize| {
        let data: Value =
            serde_json::from_str(bare[index].strip_prefix("data: ").unwrap()).unwrap();
        data.to_string()
    };
    assert_eq!(
        data(4),
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#
    );
    assert_eq!(bare[6..8], ["event: ping", "data: {\"type\": \"ping\"}"]);
    assert_eq!(
        data(10),
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"You wrote:"}}"#
    );
    assert_eq!(
        data(19),
        r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null,"stop_details":null},"usage":{"input_tokens":12,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":4}}"#
    );
    assert_eq!(data(22), r#"{"type":"message_stop"}"#);
}

#[test]
fn stream_and_message_have_the_same_content() {
    for more in [
        json!({}),
        json!({"tools": tools()}),
        json!({"tools": tools(), "thinking": {"type": "adaptive"}}),
        json!({"model": "demo-reasoning"}),
        json!({"model": "demo-refusal"}),
        json!({"model": "demo-filter"}),
        json!({"model": "demo-long", "max_tokens": 20}),
        json!({"stop_sequences": ["Zurich"]}),
    ] {
        let object = object(more.clone());
        let events = stream(more);
        assert_eq!(events[0].0, "message_start");
        assert_eq!(events.last().unwrap().0, "message_stop");
        assert!(events.iter().all(|(name, data)| data["type"] == *name));
        for (index, block) in object["content"].as_array().unwrap().iter().enumerate() {
            let own: Vec<&Value> = events
                .iter()
                .map(|(_, data)| data)
                .filter(|data| data["index"] == index)
                .collect();
            for key in ["text", "thinking", "signature"] {
                let whole = block[key].as_str().unwrap_or_default();
                assert_eq!(joined(own.iter().copied(), &format!("/delta/{key}")), whole);
            }
            let input = joined(own, "/delta/partial_json");
            if block["type"] == "tool_use" {
                assert_eq!(
                    serde_json::from_str::<Value>(&input).unwrap(),
                    block["input"]
                );
            }
        }
        let (_, last) = &events[events.len() - 2];
        for key in ["stop_reason", "stop_sequence", "stop_details"] {
            assert_eq!(last["delta"][key], object[key]);
        }
        assert_eq!(
            last["usage"]["output_tokens"],
            object["usage"]["output_tokens"]
        );
    }
}

#[test]
fn the_stop_reason_names_the_cause() {
    let stop = |more: Value| {
        let found = object(more);
        (found["stop_reason"].clone(), found["stop_sequence"].clone())
    };
    assert_eq!(stop(json!({})), (json!("end_turn"), Value::Null));
    let sequence = stop(json!({"stop_sequences": ["warm", "Zurich"]}));
    assert_eq!(sequence, (json!("stop_sequence"), json!("warm")));
    assert_eq!(stop(json!({"tools": tools()})).0, "tool_use");
    assert_eq!(stop(json!({"max_tokens": 2})).0, "max_tokens");
    let refused = object(json!({"model": "demo-refusal"}));
    assert_eq!(refused["stop_reason"], "refusal");
    assert_eq!(refused["content"], json!([]));
    assert_eq!(refused["stop_details"]["type"], "refusal");
}

#[test]
fn tools_are_called_and_their_results_quoted() {
    let found = object(json!({"tools": tools(), "tool_choice": {"type": "tool", "name": "b"}}));
    let call = &found["content"][0];
    assert_eq!(
        (&call["type"], &call["name"]),
        (&json!("tool_use"), &json!("b"))
    );
    assert_eq!(call["input"], json!({"city": "Zurich"}));
    let messages = json!([
        {"role": "user", "content": "Is it warm?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "a", "input": {}}]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "21"}]},
        ]},
    ]);
    let found = object(json!({"messages": messages, "tools": tools()}));
    let said = found["content"][0]["text"].as_str().unwrap();
    assert!(said.starts_with("The tool says: 21"), "{said}");
}

#[test]
fn the_system_prompt_shapes_the_text_and_counts_as_input() {
    let system = json!([{"type": "text", "text": "Be brief."}]);
    let found = object(json!({"system": system}));
    assert_eq!(
        found["content"][0]["text"],
        "You wrote: \"Is it warm in Zurich?\"."
    );
    assert_eq!(found["usage"]["input_tokens"], 15);
}

#[test]
fn the_first_request_writes_the_cache_and_the_next_reads_it() {
    let system = json!([{
        "type": "text", "text": "x".repeat(8_000), "cache_control": {"type": "ephemeral"},
    }]);
    let version = [("anthropic-version", "2023-06-01")];
    let request = sent(&body(json!({"system": system})), &version);
    let usage = |seq: u64| {
        let seen = crate::demo::DemoContext {
            request_number: seq,
            ..SEEN
        };
        json_of(answer(&request, seen), 200)["usage"].clone()
    };
    let (first, second) = (usage(1), usage(2));
    assert_eq!(first["cache_creation_input_tokens"], 1920);
    assert_eq!(second["cache_read_input_tokens"], 1920);
    assert_eq!(first["input_tokens"], second["input_tokens"]);
}

#[test]
fn fault_models_fail_in_the_shapes_of_messages() {
    let events = stream(json!({"model": "demo-error-in-stream"}));
    let (name, data) = events.last().unwrap();
    assert_eq!(name, "error");
    assert_eq!(data["error"]["type"], "overloaded_error");
    assert_eq!(asked(json!({"model": "demo-error-in-stream"})).status, 529);
    let stalled = steps(asked(json!({"model": "demo-stall", "stream": true})));
    assert_eq!(stalled.last().unwrap().action, BodyAction::Stall);
    for (status, kind) in [
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ] {
        let found = json_of(asked(json!({"model": format!("error-{status}")})), status);
        assert_eq!(found["error"]["type"], kind);
        assert!(found["request_id"].as_str().unwrap().starts_with("req_"));
    }
    let limited = asked(json!({"model": "error-429"}));
    assert_eq!(field(&limited, "retry-after"), ["36"]);
    assert!(text(asked(json!({"model": "error-502"}))).starts_with("<html>"));
}

#[test]
fn big_bodies_have_a_text_of_that_size() {
    let found = object(json!({"model": "demo-big-1"}));
    assert_eq!(found["content"][0]["text"].as_str().unwrap().len(), 1 << 20);
    let events = stream(json!({"model": "demo-big-1"}));
    let data = events.iter().map(|(_, data)| data);
    assert_eq!(joined(data, "/delta/text").len(), 1 << 20);
}

#[test]
fn the_version_field_chooses_the_shape_of_the_model_list() {
    let mut request = request("GET", "/v1/models", "");
    assert_eq!(json_of(answer(&request, SEEN), 200)["object"], "list");
    let version = ("anthropic-version".into(), "2023-06-01".into());
    request.fields.push(version);
    let found = json_of(answer(&request, SEEN), 200);
    assert_eq!(found["data"][0]["type"], "model");
    assert_eq!(found["first_id"], found["data"][0]["id"]);
    request.target = "/v1/models/nope".into();
    assert_eq!(
        json_of(answer(&request, SEEN), 404)["error"]["type"],
        "not_found_error"
    );
}
