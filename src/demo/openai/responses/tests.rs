//! Replies of Responses, as values.

use serde_json::{Value, json};

use crate::demo::testing::{
    assert_refused_by_openai, field, joined, json_of, named_events, post, steps, text, with,
};
use crate::serve::reply::{BodyAction, ReplyBody, ServerReply};

fn asked(more: Value) -> ServerReply {
    let body = json!({"model": "gpt-4o-mini", "input": "Is it warm in Zurich?"});
    post("/v1/responses", &with(body, more))
}

fn object(more: Value) -> Value {
    json_of(asked(more), 200)
}

fn stream(more: Value) -> Vec<(String, Value)> {
    named_events(&text(asked(with(more, json!({"stream": true})))))
}

fn tools() -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tool = |name: &str| json!({"type": "function", "name": name, "parameters": schema});
    json!([tool("a"), tool("b")])
}

#[track_caller]
fn case(more: Value, param: &str, code: &str, message: &str) {
    assert_refused_by_openai(asked(more), param, code, message);
}

#[test]
fn bad_inputs_are_refused() {
    case(
        json!({"model": null}),
        "model",
        "missing_required_parameter",
        "Missing required parameter: 'model'.",
    );
    case(
        json!({"model": "nope"}),
        "model",
        "model_not_found",
        "The requested model 'nope' does not exist.",
    );
    case(
        json!({"input": null}),
        "input",
        "missing_required_parameter",
        "Missing required parameter: 'input'.",
    );
    case(
        json!({"input": 5}),
        "input",
        "invalid_type",
        "Invalid type for 'input': expected one of a string or array of objects, but got an integer instead.",
    );
    case(
        json!({"input": [{"role": "user"}]}),
        "input[0].content",
        "missing_required_parameter",
        "Missing required parameter: 'input[0].content'.",
    );
    case(
        json!({"input": [{"type": "function_call_output", "call_id": "x", "output": "5"}]}),
        "input",
        "",
        "No tool call found for function call output with call_id x.",
    );
}

#[test]
fn bad_parameters_are_refused() {
    case(
        json!({"max_output_tokens": 5}),
        "max_output_tokens",
        "integer_below_min_value",
        "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16, but got 5 instead.",
    );
    case(
        json!({"stop": "x"}),
        "stop",
        "unknown_parameter",
        "Unknown parameter: 'stop'.",
    );
    case(
        json!({"model": "gpt-5-mini", "temperature": 0.2}),
        "temperature",
        "",
        "Unsupported parameter: 'temperature' is not supported with this model.",
    );
    case(
        json!({"tools": [{"type": "function", "function": {"name": "a"}}]}),
        "tools[0].name",
        "missing_required_parameter",
        "Missing required parameter: 'tools[0].name'.",
    );
    case(
        json!({"tool_choice": {"type": "function", "name": "c"}, "tools": tools()}),
        "tool_choice",
        "",
        "Tool choice 'function' not found in 'tools' parameter.",
    );
    case(
        json!({"input": "x".repeat(600_000)}),
        "input",
        "context_length_exceeded",
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
    );
    let moved = json_of(asked(json!({"messages": []})), 400);
    assert!(
        moved["error"]["message"]
            .as_str()
            .unwrap()
            .contains("has moved to 'input'")
    );
}

#[test]
fn the_object_has_these_keys_and_bytes() {
    let mut found = object(json!({"max_output_tokens": 16, "instructions": "Be brief."}));
    let keys: Vec<&String> = found.as_object().unwrap().keys().collect();
    assert_eq!(
        keys,
        [
            "id",
            "object",
            "created_at",
            "status",
            "background",
            "completed_at",
            "error",
            "incomplete_details",
            "instructions",
            "max_output_tokens",
            "max_tool_calls",
            "model",
            "output",
            "parallel_tool_calls",
            "previous_response_id",
            "prompt_cache_key",
            "reasoning",
            "safety_identifier",
            "service_tier",
            "store",
            "temperature",
            "text",
            "tool_choice",
            "tools",
            "top_logprobs",
            "top_p",
            "truncation",
            "usage",
            "user",
            "metadata",
        ]
    );
    assert!(found["id"].as_str().unwrap().starts_with("resp_"));
    let id = found["output"][0]["id"].take();
    assert!(id.as_str().unwrap().starts_with("msg_"));
    assert_eq!(
        found["output"].to_string(),
        r#"[{"id":null,"type":"message","status":"completed","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"You wrote: \"Is it warm in Zurich?\"."}],"role":"assistant"}]"#
    );
    assert_eq!(
        found["usage"].to_string(),
        r#"{"input_tokens":15,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":10,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":25}"#
    );
    assert_eq!(found["instructions"], "Be brief.");
}

#[test]
fn events_have_their_order() {
    let names = |more: Value| {
        let mut names: Vec<String> = stream(more).into_iter().map(|(name, _)| name).collect();
        names.dedup();
        names.join(" ").replace("response.", "")
    };
    assert_eq!(
        names(json!({})),
        "created in_progress output_item.added content_part.added output_text.delta output_text.done \
         content_part.done output_item.done completed"
    );
    assert_eq!(
        names(json!({"tools": tools(), "parallel_tool_calls": false})),
        "created in_progress output_item.added function_call_arguments.delta \
         function_call_arguments.done output_item.done completed"
    );
    assert_eq!(
        names(json!({"model": "demo-reasoning", "max_output_tokens": 16})),
        "created in_progress output_item.added reasoning_summary_part.added \
         reasoning_summary_text.delta reasoning_summary_text.done reasoning_summary_part.done \
         output_item.done incomplete"
    );
    assert_eq!(
        names(json!({"model": "demo-refusal"})),
        "created in_progress output_item.added content_part.added refusal.delta refusal.done \
         content_part.done output_item.done completed"
    );
}

#[test]
fn a_delta_has_these_bytes() {
    let mut events = stream(json!({}));
    let (_, mut delta) = events.swap_remove(4);
    delta["item_id"] = Value::Null;
    assert_eq!(
        delta.to_string(),
        r#"{"type":"response.output_text.delta","sequence_number":4,"item_id":null,"output_index":0,"content_index":0,"delta":"You","logprobs":[],"obfuscation":"oDwJyUGbst18F"}"#
    );
}

#[test]
fn stream_and_object_have_the_same_content() {
    for more in [
        json!({}),
        json!({"tools": tools()}),
        json!({"model": "demo-reasoning", "include": ["reasoning.encrypted_content"]}),
        json!({"model": "gpt-5-mini", "reasoning": {"effort": "low", "summary": "auto"}}),
        json!({"model": "demo-refusal"}),
        json!({"model": "demo-filter"}),
        json!({"model": "demo-long", "max_output_tokens": 20}),
    ] {
        let object = object(more.clone());
        let events = stream(more);
        for (number, (name, data)) in events.iter().enumerate() {
            assert_eq!(data["sequence_number"], number);
            assert_eq!(data["type"], *name);
        }
        let (last, data) = events.last().unwrap();
        assert_eq!(
            last,
            &format!("response.{}", object["status"].as_str().unwrap())
        );
        assert_eq!(data["response"], object);
        for (index, item) in object["output"].as_array().unwrap().iter().enumerate() {
            let of_item = |(_, data): &&(String, Value)| data["output_index"] == index;
            let events: Vec<&Value> = events
                .iter()
                .filter(of_item)
                .map(|(_, data)| data)
                .collect();
            let whole = [
                "/content/0/text",
                "/content/0/refusal",
                "/arguments",
                "/summary/0/text",
            ];
            let whole = whole.iter().find_map(|at| item.pointer(at)?.as_str());
            assert_eq!(joined(events, "/delta"), whole.unwrap_or_default());
        }
    }
}

#[test]
fn reasoning_is_summarised_on_request() {
    let hidden = object(json!({"model": "gpt-5-mini"}));
    assert_eq!(hidden["output"][0]["summary"], json!([]));
    assert_eq!(hidden["reasoning"]["effort"], "medium");
    assert!(hidden["usage"]["output_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
    let none = object(json!({"model": "gpt-5-mini", "reasoning": {"effort": "none"}}));
    assert_eq!(none["output"][0]["type"], "message");
    let reply = object(json!({"model": "demo-reasoning"}));
    assert_eq!(reply["output"][0]["summary"][0]["type"], "summary_text");
}

#[test]
fn tools_are_called_and_their_results_quoted() {
    let found = object(json!({"tools": tools()}));
    let call = &found["output"][1];
    assert_eq!(
        (&call["type"], &call["name"]),
        (&json!("function_call"), &json!("b"))
    );
    assert_eq!(call["arguments"], "{\"city\":\"Zurich\"}");
    let input = json!([
        {"role": "user", "content": [{"type": "input_text", "text": "Is it warm?"}]},
        {"type": "function_call", "call_id": "c", "name": "a", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "21 degrees"},
    ]);
    let found = object(json!({"input": input, "tools": tools()}));
    let said = found["output"][0]["content"][0]["text"].as_str().unwrap();
    assert!(said.starts_with("The tool says: 21 degrees"), "{said}");
}

#[test]
fn a_json_format_gives_json() {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let format = json!({"type": "json_schema", "name": "x", "schema": schema});
    let found = object(json!({"text": {"format": format}}));
    assert_eq!(
        found["output"][0]["content"][0]["text"],
        "{\"city\":\"Zurich\"}"
    );
}

#[test]
fn fault_models_fail_in_the_shapes_of_responses() {
    let events = stream(json!({"model": "demo-error-in-stream"}));
    let [.., (error, _), (failed, data)] = events.as_slice() else {
        panic!("two at the end")
    };
    assert_eq!(
        (error.as_str(), failed.as_str()),
        ("error", "response.failed")
    );
    assert_eq!(data["response"]["error"]["code"], "server_error");
    assert_eq!(data["sequence_number"], events.len() - 1);
    assert_eq!(asked(json!({"model": "demo-error-in-stream"})).status, 500);
    let cut = steps(asked(json!({"model": "demo-cut", "stream": true})));
    assert_eq!(cut.last().unwrap().action, BodyAction::Disconnect);
    for status in [401, 429, 500, 503] {
        let reply = asked(json!({"model": format!("error-{status}")}));
        assert_eq!(reply.status, status);
        assert_eq!(field(&reply, "x-request-id").len(), 1);
    }
}

#[test]
fn big_bodies_have_their_announced_length() {
    let ReplyBody::KnownLength { length, steps } = asked(json!({"model": "demo-big-1"})).body
    else {
        panic!("counted")
    };
    let written = steps.map(|step| match step.action {
        BodyAction::Bytes(bytes) => bytes.len() as u64,
        _ => 0,
    });
    assert_eq!(written.sum::<u64>(), length);
    let events = stream(json!({"model": "demo-big-1"}));
    let deltas: Vec<Value> = events.iter().map(|(_, data)| data.clone()).collect();
    assert_eq!(joined(&deltas, "/delta").len(), 1 << 20);
    let whole = deltas
        .last()
        .unwrap()
        .pointer("/response/output/0/content/0/text");
    assert_eq!(whole.unwrap().as_str().unwrap().len(), 1 << 20);
}
