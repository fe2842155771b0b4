//! Replies of Chat Completions, as values.

use serde_json::{Value, json};

use crate::demo::answer;
use crate::demo::testing::{SEEN, assert_refused_by_openai, joined, post, request, text};
use crate::serve::reply::{BodyAction, ReplyBody, ServerReply};

fn asked(body: &Value) -> ServerReply {
    post("/v1/chat/completions", body)
}

/// The defaults of a request, with `more` over them.
fn body(more: Value) -> Value {
    let mut body = json!({
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "Is it warm in Zurich?"}],
    });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn object(more: Value) -> Value {
    let reply = asked(&body(more));
    let status = reply.status;
    let object: Value = serde_json::from_str(&text(reply)).unwrap();
    assert_eq!(status, 200, "{object}");
    object
}

/// The events of a stream, and whether `[DONE]` ended it.
fn stream(more: Value) -> (Vec<Value>, bool) {
    let mut body = body(more);
    body["stream"] = json!(true);
    let text = text(asked(&body));
    let mut done = false;
    let mut events = Vec::new();
    for event in text.split_terminator("\n\n") {
        assert!(!done, "nothing comes after [DONE]");
        match event.strip_prefix("data: ").unwrap() {
            "[DONE]" => done = true,
            data => events.push(serde_json::from_str(data).unwrap()),
        }
    }
    (events, done)
}

#[test]
fn each_path_and_method_has_its_status_and_code() {
    #[track_caller]
    fn case(method: &str, target: &str, status: u16, code: &str) {
        let reply = answer(&request(method, target, ""), SEEN);
        assert_eq!(reply.status, status);
        let found: Value = serde_json::from_str(&text(reply)).unwrap_or_default();
        assert_eq!(found["error"]["code"].as_str().unwrap_or_default(), code);
    }
    case("GET", "/v1/models", 200, "");
    case("HEAD", "/v1/models?limit=1", 200, "");
    case("GET", "/v1/models/gpt-4o", 200, "");
    case("GET", "/v1/models/demo-big-3", 200, "");
    case("GET", "https://localhost/v1/models", 200, "");
    case("GET", "/v1/models/nope", 404, "model_not_found");
    case("GET", "/v1/models/other", 404, "model_not_found");
    case("DELETE", "/v1/models/demo", 405, "method_not_supported");
    case("POST", "/v1/models", 405, "method_not_supported");
    case("GET", "/v1/chat/completions", 405, "method_not_supported");
    case("POST", "/v1/embeddings", 404, "unknown_url");
    case("POST", "/v1/models/", 404, "unknown_url");
    case("GET", "/", 404, "unknown_url");
    case("OPTIONS", "*", 404, "unknown_url");
}

#[track_caller]
fn refused(more: Value, param: &str, code: &str, message: &str) {
    assert_refused_by_openai(asked(&body(more)), param, code, message);
}

#[test]
fn bad_messages_are_refused() {
    refused(
        json!({"model": null}),
        "",
        "",
        "you must provide a model parameter",
    );
    refused(
        json!({"model": 7}),
        "model",
        "invalid_type",
        "Invalid type for 'model': expected a string, but got an integer instead.",
    );
    refused(
        json!({"messages": null}),
        "messages",
        "missing_required_parameter",
        "Missing required parameter: 'messages'.",
    );
    refused(
        json!({"messages": []}),
        "messages",
        "empty_array",
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
    );
    refused(
        json!({"messages": [{"role": "robot", "content": ""}]}),
        "messages[0].role",
        "invalid_value",
        "Invalid value: 'robot'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.",
    );
    refused(
        json!({"messages": [{"role": "user"}]}),
        "messages[0].content",
        "missing_required_parameter",
        "Missing required parameter: 'messages[0].content'.",
    );
    refused(
        json!({"messages": [{"role": "tool", "content": "5"}]}),
        "messages[0].role",
        "",
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
    );
}

#[test]
fn numbers_of_a_wrong_type_or_range_are_refused() {
    refused(
        json!({"n": 0}),
        "n",
        "integer_below_min_value",
        "Invalid 'n': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    );
    refused(
        json!({"n": 129}),
        "n",
        "integer_above_max_value",
        "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 129 instead.",
    );
    refused(
        json!({"n": 1.5}),
        "n",
        "invalid_type",
        "Invalid type for 'n': expected an integer, but got a decimal number instead.",
    );
    refused(
        json!({"temperature": 2.5}),
        "temperature",
        "decimal_above_max_value",
        "Invalid 'temperature': decimal above maximum value. Expected a value <= 2, but got 2.5 instead.",
    );
    refused(
        json!({"temperature": -1}),
        "temperature",
        "decimal_below_min_value",
        "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -1 instead.",
    );
}

#[test]
fn parameters_that_exclude_each_other_are_refused() {
    refused(
        json!({"model": "gpt-5-mini", "max_tokens": 5}),
        "max_tokens",
        "unsupported_parameter",
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    );
    refused(
        json!({"model": "o3", "temperature": 0.2}),
        "temperature",
        "unsupported_value",
        "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    );
    refused(
        json!({"stream_options": {"include_usage": true}}),
        "stream_options",
        "",
        "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
    );
    refused(
        json!({"tool_choice": "maybe"}),
        "tool_choice",
        "invalid_value",
        "Invalid value: 'maybe'. Supported values are: 'none', 'auto', and 'required'.",
    );
    refused(
        json!({"tool_choice": {"type": "function", "function": {"name": "b"}}, "tools": tools(&["a"])}),
        "tool_choice",
        "",
        "Tool choice 'b' not found in 'tools' parameter.",
    );
    refused(
        json!({"response_format": {"type": "json_object"}}),
        "messages",
        "",
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.",
    );
    refused(
        json!({"messages": [{"role": "user", "content": "x".repeat(600_000)}]}),
        "messages",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 150006 tokens. Please reduce the length of the messages.",
    );
}

#[test]
fn a_body_that_is_not_json_is_refused() {
    for bytes in ["{", "[]", "\"x\"", "\u{0}", "{\"model\":\"x\"} x"] {
        let reply = answer(&request("POST", "/v1/chat/completions", bytes), SEEN);
        assert_eq!(reply.status, 400);
        assert!(text(reply).contains("We could not parse the JSON body of your request."));
    }
    let reply = answer(&request("POST", "/v1/chat/completions", ""), SEEN);
    assert!(text(reply).contains("you must provide a model parameter"));
}

#[test]
fn only_the_bad_key_is_refused() {
    let mut request = request("GET", "/v1/models", "");
    let mut status = |value: &str| {
        request.fields = vec![("AUTHORIZATION".into(), value.into())];
        answer(&request, SEEN).status
    };
    assert_eq!(status("Bearer bad-key"), 401);
    assert_eq!(status("bearer bad-key"), 401);
    assert_eq!(status("Bearer bad-key-2"), 200);
    assert_eq!(status("nonsense"), 200);
}

#[test]
fn a_model_name_asks_for_an_error() {
    for status in 400..=599 {
        let reply = asked(&body(json!({"model": format!("error-{status}")})));
        assert_eq!(reply.status, status);
    }
    let limited = asked(&body(json!({"model": "error-429"})));
    let field = |name: &str| {
        let mut found = limited.fields.iter().filter(|(known, _)| known == name);
        let value = found.next().map(|(_, value)| value.as_str());
        assert!(found.next().is_none(), "{name} stands once");
        value
    };
    assert_eq!(field("retry-after"), Some("2"));
    assert_eq!(field("retry-after-ms"), Some("1870"));
    assert_eq!(field("x-ratelimit-remaining-tokens"), Some("1880"));
    assert_eq!(limited.fields.last().unwrap().0, "Server");

    let gateway = asked(&body(json!({"model": "error-502"})));
    assert!(gateway.close_after);
    assert!(text(gateway).starts_with("<html>"));
    assert_eq!(asked(&body(json!({"model": "nope-1"}))).status, 404);
    assert_eq!(asked(&body(json!({"model": "error-200"}))).status, 200);
}

#[test]
fn a_completion_has_these_bytes() {
    let reply = asked(&body(json!({"max_tokens": 6})));
    assert_eq!(
        text(reply),
        r#"{
  "id": "chatcmpl-demoJEOrRlGgzhDvTHbGONfjnbekm",
  "object": "chat.completion",
  "created": 1795425246,
  "model": "gpt-4o-mini-2024-07-18",
  "choices": [
    {
      "index": 0,
      "message": {
        "role": "assistant",
        "content": "You wrote: \"Is it",
        "refusal": null,
        "annotations": []
      },
      "logprobs": null,
      "finish_reason": "length"
    }
  ],
  "usage": {
    "prompt_tokens": 12,
    "completion_tokens": 6,
    "total_tokens": 18,
    "prompt_tokens_details": {
      "cached_tokens": 0,
      "audio_tokens": 0
    },
    "completion_tokens_details": {
      "reasoning_tokens": 0,
      "audio_tokens": 0,
      "accepted_prediction_tokens": 0,
      "rejected_prediction_tokens": 0
    }
  },
  "service_tier": "default",
  "system_fingerprint": "fp_b5712ecddf"
}
"#
    );
}

#[test]
fn head_fields_have_their_order() {
    let names: Vec<String> = asked(&body(json!({})))
        .fields
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        names,
        [
            "Date",
            "Content-Type",
            "access-control-expose-headers",
            "openai-organization",
            "openai-processing-ms",
            "openai-version",
            "x-ratelimit-limit-requests",
            "x-ratelimit-limit-tokens",
            "x-ratelimit-remaining-requests",
            "x-ratelimit-remaining-tokens",
            "x-ratelimit-reset-requests",
            "x-ratelimit-reset-tokens",
            "x-request-id",
            "Server",
        ]
    );
}

#[test]
fn the_text_depends_on_prompt_system_and_stop() {
    let content = |more: Value| object(more)["choices"][0]["message"]["content"].clone();
    let usual = content(json!({}));
    assert_eq!(
        usual,
        "You wrote: \"Is it warm in Zurich?\". That is one message. No language model runs here, but every \
         byte is real."
    );
    assert_eq!(
        content(json!({"stop": "."})),
        "You wrote: \"Is it warm in Zurich?\""
    );
    assert_eq!(
        content(json!({"stop": ["real", "Is it", ""]})),
        "You wrote: \""
    );
    let answer_to = |system: &str| {
        let user = json!([{"type": "text", "text": "Hi."}, {"type": "image_url", "image_url": {"url": "x"}}]);
        content(json!({"messages": [
            {"role": "system", "content": system}, {"role": "user", "content": user},
        ]}))
    };
    assert_eq!(
        answer_to("You are kind."),
        "You wrote: \"Hi.\". That is 2 messages, with one part that is not text. I was told: \"You are \
         kind.\". No language model runs here, but every byte is real."
    );
    assert_eq!(answer_to("Be brief."), "You wrote: \"Hi.\".");
    assert!(
        answer_to("Talk like a pirate.")
            .as_str()
            .unwrap()
            .starts_with("Arr! ")
    );
}

#[test]
fn choices_differ_and_alternate_in_a_stream() {
    let choices = object(json!({"n": 3}))["choices"].clone();
    let texts: Vec<&Value> = choices
        .as_array()
        .unwrap()
        .iter()
        .map(|c| &c["message"]["content"])
        .collect();
    assert!(texts[0] != texts[1] && texts[1] != texts[2] && texts[0] != texts[2]);

    let (events, _) = stream(json!({"n": 2}));
    let order: Vec<u64> = events
        .iter()
        .take(4)
        .map(|e| e["choices"][0]["index"].as_u64().unwrap())
        .collect();
    assert_eq!(order, [0, 1, 0, 1]);
}

#[test]
fn a_json_format_gives_json() {
    let read = |value: Value| -> Value {
        serde_json::from_str(value["choices"][0]["message"]["content"].as_str().unwrap()).unwrap()
    };
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}, "warm": {"type": "boolean"}}});
    let format = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": schema}});
    assert_eq!(
        read(object(json!({"response_format": format}))),
        json!({"city": "Zurich", "warm": true})
    );
    let messages = json!([{"role": "user", "content": "As JSON"}]);
    let found = read(object(
        json!({"response_format": {"type": "json_object"}, "messages": messages}),
    ));
    assert_eq!(found["question"], "As JSON");
}

#[test]
fn each_token_has_log_probabilities() {
    let found = object(json!({"logprobs": true, "top_logprobs": 2, "max_tokens": 3}));
    let list = found["choices"][0]["logprobs"]["content"]
        .as_array()
        .unwrap();
    assert_eq!(list.len(), 3);
    assert_eq!(list[0]["token"], "You");
    assert_eq!(list[0]["bytes"], json!([89, 111, 117]));
    assert_eq!(list[0]["top_logprobs"].as_array().unwrap().len(), 2);
    assert!(list[0]["logprob"].as_f64().unwrap() <= 0.0);
    let (events, _) = stream(json!({"logprobs": true}));
    assert_eq!(
        events[1]
            .pointer("/choices/0/logprobs/content/0/token")
            .unwrap(),
        "You"
    );
}

#[test]
fn the_seed_decides_the_fingerprint() {
    let print = |more: Value| object(more)["system_fingerprint"].clone();
    assert_eq!(print(json!({"seed": 7})), print(json!({"seed": 7})));
    assert_ne!(print(json!({"seed": 7})), print(json!({"seed": 8})));
}

fn tools(names: &[&str]) -> Value {
    let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let tool =
        |name: &&str| json!({"type": "function", "function": {"name": name, "parameters": schema}});
    names.iter().map(tool).collect()
}

#[test]
fn the_request_decides_which_tools_are_called() {
    #[track_caller]
    fn case(more: Value, called: &[&str]) {
        let mut with = json!({"tools": tools(&["a", "b", "c"])});
        for (key, value) in more.as_object().unwrap() {
            with[key] = value.clone();
        }
        let object = object(with);
        let choice = &object["choices"][0];
        let calls = choice["message"]["tool_calls"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let names: Vec<&str> = calls
            .iter()
            .map(|c| c["function"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, called);
        let reason = if called.is_empty() {
            "stop"
        } else {
            "tool_calls"
        };
        assert_eq!(choice["finish_reason"], reason);
        for call in &calls {
            assert_eq!(call["function"]["arguments"], "{\"city\":\"Zurich\"}");
        }
    }
    case(json!({}), &["a", "b"]);
    case(json!({"parallel_tool_calls": false}), &["a"]);
    case(json!({"tool_choice": "required"}), &["a", "b"]);
    case(json!({"tool_choice": "none"}), &[]);
    case(
        json!({"tool_choice": {"type": "function", "function": {"name": "c"}}}),
        &["c"],
    );
}

#[test]
fn the_answer_quotes_the_result_of_a_tool() {
    let messages = json!([
        {"role": "user", "content": "Is it warm?"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "a", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"},
    ]);
    let found = object(json!({"messages": messages, "tools": tools(&["a"])}));
    let content = found["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(
        content.starts_with("The tool says: 21 degrees"),
        "{content}"
    );
}

#[test]
fn stream_and_object_have_the_same_content() {
    for more in [
        json!({}),
        json!({"stop": ".", "max_tokens": 40}),
        json!({"model": "demo-long", "max_tokens": 20}),
        json!({"model": "demo-refusal"}),
        json!({"model": "demo-reasoning"}),
        json!({"model": "demo-filter"}),
    ] {
        let object = object(more.clone());
        let (events, done) = stream(more);
        let message = &object["choices"][0]["message"];
        let delta = |key: &str| joined(&events, &format!("/choices/0/delta/{key}"));
        assert_eq!(
            delta("content"),
            message["content"].as_str().unwrap_or_default()
        );
        assert_eq!(
            delta("refusal"),
            message["refusal"].as_str().unwrap_or_default()
        );
        let thought = message["reasoning_content"].as_str().unwrap_or_default();
        assert_eq!(delta("reasoning_content"), thought);
        let reason = joined(&events, "/choices/0/finish_reason");
        assert_eq!(object["choices"][0]["finish_reason"], reason);
        assert!(done);
        for event in &events {
            assert_eq!(event["id"], object["id"]);
            assert!(event.get("usage").is_none());
        }
    }
}

#[test]
fn a_stream_ends_with_the_usage_on_request() {
    let (events, done) = stream(json!({"stream_options": {"include_usage": true}}));
    let (last, before) = events.split_last().unwrap();
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"], object(json!({}))["usage"]);
    assert!(
        before
            .iter()
            .all(|event| event["usage"].is_null() && event.get("usage").is_some())
    );
    assert!(done);
}

#[test]
fn a_stream_splits_tool_calls() {
    let (events, _) = stream(json!({"tools": tools(&["a", "b"])}));
    for (index, name) in ["a", "b"].into_iter().enumerate() {
        let calls: Vec<Value> = events
            .iter()
            .filter_map(|event| event.pointer("/choices/0/delta/tool_calls/0").cloned())
            .filter(|call| call["index"] == index)
            .collect();
        assert_eq!(joined(&calls, "/function/name"), name);
        assert_eq!(
            joined(&calls, "/function/arguments"),
            "{\"city\":\"Zurich\"}"
        );
        assert!(calls[0]["id"].as_str().unwrap().starts_with("call_"));
        assert!(calls[1..].iter().all(|call| call.get("id").is_none()));
    }
    assert_eq!(joined(&events, "/choices/0/finish_reason"), "tool_calls");
}

#[test]
fn a_stream_that_fails_ends_with_an_error_and_without_done() {
    let (events, done) = stream(json!({"model": "demo-error-in-stream"}));
    assert_eq!(events.last().unwrap()["error"]["type"], "server_error");
    assert!(!done);
    assert_eq!(
        asked(&body(json!({"model": "demo-error-in-stream"}))).status,
        500
    );
}

#[test]
fn big_bodies_have_their_announced_length() {
    let reply = asked(&body(json!({"model": "demo-big-2"})));
    let ReplyBody::KnownLength { length, steps } = reply.body else {
        panic!("counted")
    };
    let written: u64 = steps
        .map(|step| match step.action {
            BodyAction::Bytes(bytes) => bytes.len() as u64,
            _ => 0,
        })
        .sum();
    assert_eq!(written, length);
    assert_eq!(length >> 20, 2);

    let found = object(json!({"model": "demo-big-1"}));
    assert_eq!(
        found["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .len(),
        1 << 20
    );
    let (events, done) = stream(json!({"model": "demo-big-1"}));
    assert_eq!(joined(&events, "/choices/0/delta/content").len(), 1 << 20);
    assert!(done);
}
