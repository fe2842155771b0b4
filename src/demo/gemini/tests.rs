//! Replies of Gemini, as values.

use serde_json::{Value, json};

use crate::demo::answer;
use crate::demo::testing::{SEEN, field, joined, json_of, post, request, steps, text, with};
use crate::serve::reply::{BodyAction, ServerReply};

fn target(model: &str, method: &str) -> String {
    format!("/v1beta/models/{model}:{method}")
}

fn body(more: Value) -> Value {
    let parts = json!([{"text": "Is it warm in Zurich?"}]);
    with(
        json!({"contents": [{"role": "user", "parts": parts}]}),
        more,
    )
}

fn asked(model: &str, more: Value) -> ServerReply {
    post(&target(model, "generateContent"), &body(more))
}

fn object(model: &str, more: Value) -> Value {
    json_of(asked(model, more), 200)
}

/// The elements of a stream in its first form.
fn events(model: &str, more: Value) -> Vec<Value> {
    let reply = post(&target(model, "streamGenerateContent?alt=sse"), &body(more));
    assert_eq!(field(&reply, "Content-Type"), ["text/event-stream"]);
    let text = text(reply);
    let data = |event: &str| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap();
    text.split_terminator("\r\n\r\n").map(data).collect()
}

/// The elements of a stream in its second form.
fn array(model: &str, more: Value) -> Vec<Value> {
    let reply = post(&target(model, "streamGenerateContent"), &body(more));
    assert_eq!(
        field(&reply, "Content-Type"),
        ["application/json; charset=UTF-8"]
    );
    serde_json::from_str(&text(reply)).unwrap()
}

fn tools() -> Value {
    let schema = json!({"type": "OBJECT", "properties": {"city": {"type": "STRING"}}});
    let declare = |name: &str| json!({"name": name, "parameters": schema});
    json!([{"functionDeclarations": [declare("a"), declare("b")]}])
}

#[test]
fn bad_requests_are_refused() {
    #[track_caller]
    fn case(more: Value, message: &str) {
        let found = json_of(asked("gemini-3.6-flash", more), 400);
        assert_eq!(found["error"]["message"], message);
        assert_eq!(found["error"]["code"], 400);
        assert_eq!(found["error"]["status"], "INVALID_ARGUMENT");
    }
    case(
        json!({"contents": null}),
        "* GenerateContentRequest.contents: contents is not specified\n",
    );
    case(
        json!({"contents": [{"role": "robot", "parts": [{"text": "x"}]}]}),
        "Please use a valid role: user, model.",
    );
    case(
        json!({"contents": [{"parts": []}]}),
        "* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n",
    );
    case(
        json!({"messages": []}),
        "Invalid JSON payload received. Unknown name \"messages\": Cannot find field.",
    );
    case(
        json!({"generation_config": {"max_tokens": 5}}),
        "Invalid JSON payload received. Unknown name \"max_tokens\" at 'generation_config': Cannot find field.",
    );
    case(
        json!({"generationConfig": {"temperature": 2.5}}),
        "* GenerateContentRequest.generation_config.temperature: temperature must be in the range [0.0, 2.0].\n",
    );
    case(
        json!({"generationConfig": {"maxOutputTokens": "x"}}),
        "Invalid value at 'generation_config.max_output_tokens' (TYPE_INT32), \"x\"",
    );
    case(
        json!({"generationConfig": {"maxOutputTokens": 0}}),
        "* GenerateContentRequest.generation_config.max_output_tokens: max_output_tokens must be positive.\n",
    );
    case(
        json!({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}),
        "Function calling config is set without function_declarations.",
    );
}

#[test]
fn keys_and_paths_decide_the_status() {
    let mut request = request(
        "POST",
        &target("demo", "generateContent"),
        body(json!({})).to_string(),
    );
    request.fields = vec![("X-Goog-Api-Key".into(), "bad-key".into())];
    let found = json_of(answer(&request, SEEN), 400);
    assert_eq!(found["error"]["details"][0]["reason"], "API_KEY_INVALID");
    request.fields.clear();
    request.target = target("demo", "generateContent?key=bad-key").into();
    assert_eq!(answer(&request, SEEN).status, 400);
    for (path, status) in [
        ("/v1/models/demo:generateContent", 200),
        ("/v1beta/models/demo:embedContent", 404),
        ("/v1beta/models/nope:generateContent", 404),
        ("/v1beta/files", 404),
    ] {
        request.target = path.into();
        assert_eq!(answer(&request, SEEN).status, status, "{path}");
    }
    request.method = "GET".into();
    request.target = "/v1beta/models".into();
    let found = json_of(answer(&request, SEEN), 200);
    assert_eq!(found["models"][0]["name"], "models/gpt-4o-mini");
    request.target = "/v1beta/models/demo".into();
    assert_eq!(json_of(answer(&request, SEEN), 200)["name"], "models/demo");
}

#[test]
fn an_object_has_these_bytes() {
    let reply = asked(
        "gemini-3.6-flash",
        json!({"generationConfig": {"maxOutputTokens": 6}}),
    );
    let names: Vec<&str> = reply.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Content-Type",
            "Vary",
            "Vary",
            "Vary",
            "Date",
            "Server",
            "X-XSS-Protection",
            "X-Frame-Options",
            "X-Content-Type-Options",
            "Server-Timing",
        ]
    );
    assert_eq!(
        text(reply),
        r#"{
  "candidates": [
    {
      "content": {
        "parts": [
          {
            "text": "You wrote: \"Is it"
          }
        ],
        "role": "model"
      },
      "finishReason": "MAX_TOKENS",
      "index": 0
    }
  ],
  "usageMetadata": {
    "promptTokenCount": 12,
    "candidatesTokenCount": 6,
    "totalTokenCount": 18,
    "promptTokensDetails": [
      {
        "modality": "TEXT",
        "tokenCount": 12
      }
    ],
    "serviceTier": "standard"
  },
  "modelVersion": "gemini-3.6-flash",
  "responseId": "JEOrRlGgzhDvTHbGONfjnb"
}
"#
    );
}

#[test]
fn streams_have_these_bytes() {
    let more = json!({"generationConfig": {"maxOutputTokens": 2}});
    let usage = r#""usageMetadata": {"promptTokenCount": 12,"candidatesTokenCount": 2,"totalTokenCount": 14,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 12}],"serviceTier": "standard"},"modelVersion": "g","responseId": "JEOrRlGgzhDvTHbGONfjnb"}"#;
    let reply = post(
        &target("g", "streamGenerateContent?alt=sse"),
        &body(more.clone()),
    );
    assert_eq!(
        text(reply),
        format!(
            "data: {{\"candidates\": [{{\"content\": {{\"parts\": [{{\"text\": \"You wrote\"}}],\"role\": \
             \"model\"}},\"index\": 0}}],{usage}\r\n\r\ndata: {{\"candidates\": [{{\"content\": \
             {{\"parts\": [{{\"text\": \"\"}}],\"role\": \"model\"}},\"finishReason\": \
             \"MAX_TOKENS\",\"index\": 0}}],{usage}\r\n\r\n"
        )
    );
    let reply = post(&target("g", "streamGenerateContent"), &body(more));
    let text = text(reply);
    assert!(text.starts_with("[{\n  \"candidates\": [\n"));
    assert!(text.contains("\n}\n,\r\n{\n"));
    assert!(text.ends_with("\n}\n]\n"));
}

#[test]
fn stream_and_object_have_the_same_content() {
    let thinks = json!({"thinkingConfig": {"includeThoughts": true}});
    for (model, more) in [
        ("demo", json!({})),
        (
            "demo",
            json!({"tools": tools(), "generationConfig": thinks}),
        ),
        ("demo", json!({"generationConfig": {"candidateCount": 2}})),
        (
            "demo",
            json!({"generationConfig": {"thinkingConfig": {"thinkingBudget": 9}}}),
        ),
        ("demo-reasoning", json!({})),
        ("demo-refusal", json!({})),
        ("demo-filter", json!({})),
        (
            "demo-long",
            json!({"generationConfig": {"maxOutputTokens": 20}}),
        ),
    ] {
        let object = object(model, more.clone());
        let events = events(model, more.clone());
        assert_eq!(array(model, more), events);
        let last = events.last().unwrap();
        assert_eq!(last["usageMetadata"], object["usageMetadata"]);
        assert_eq!(last["promptFeedback"], object["promptFeedback"]);
        for candidate in object["candidates"].as_array().into_iter().flatten() {
            let own = events
                .iter()
                .filter_map(|event| event.pointer("/candidates/0"))
                .filter(|part| part["index"] == candidate["index"]);
            let own: Vec<Value> = own.cloned().collect();
            let parts = |values: &[Value]| -> Vec<Value> {
                let parts = values
                    .iter()
                    .filter_map(|value| value.pointer("/content/parts"));
                parts
                    .flat_map(|parts| parts.as_array().unwrap().clone())
                    .collect()
            };
            let (streamed, whole) = (parts(&own), parts(std::slice::from_ref(candidate)));
            for thought in [json!(true), Value::Null] {
                let of = |parts: &[Value]| {
                    let parts = parts.iter().filter(|part| part["thought"] == thought);
                    joined(parts, "/text")
                };
                assert_eq!(of(&streamed), of(&whole));
            }
            let calls = |parts: &[Value]| -> Vec<Value> {
                let calls = parts
                    .iter()
                    .filter(|part| part.get("functionCall").is_some());
                calls.cloned().collect()
            };
            assert_eq!(calls(&streamed), calls(&whole));
            assert_eq!(
                own.last().unwrap()["finishReason"],
                candidate["finishReason"]
            );
        }
    }
}

#[test]
fn reasoning_is_shown_on_request() {
    let config = |thinking: Value| json!({"generationConfig": {"thinkingConfig": thinking}});
    let shown = object("demo", config(json!({"includeThoughts": true})));
    assert_eq!(
        shown["candidates"][0]["content"]["parts"][0]["thought"],
        true
    );
    let hidden = object("demo", config(json!({"thinking_budget": 100})));
    assert_eq!(
        hidden["candidates"][0]["content"]["parts"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let usage = &hidden["usageMetadata"];
    let count = |key: &str| usage[key].as_u64().unwrap();
    assert!(count("thoughtsTokenCount") > 0);
    let sum =
        count("promptTokenCount") + count("candidatesTokenCount") + count("thoughtsTokenCount");
    assert_eq!(count("totalTokenCount"), sum);
    let none = object("demo", config(json!({"thinkingBudget": 0})));
    assert!(none["usageMetadata"].get("thoughtsTokenCount").is_none());
}

#[test]
fn tools_are_called_and_their_results_quoted() {
    let found = object("demo", json!({"tools": tools()}));
    let candidate = &found["candidates"][0];
    assert_eq!(
        candidate["content"]["parts"][1]["functionCall"],
        json!({"name": "b", "args": {"city": "Zurich"}})
    );
    assert_eq!(candidate["finishReason"], "STOP");
    let allowed = json!({"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["b"]}});
    let found = object("demo", json!({"tools": tools(), "toolConfig": allowed}));
    let parts = found["candidates"][0]["content"]["parts"]
        .as_array()
        .unwrap();
    assert_eq!(
        (parts.len(), &parts[0]["functionCall"]["name"]),
        (1, &json!("b"))
    );
    let contents = json!([
        {"role": "user", "parts": [{"text": "Is it warm?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "a", "args": {}}}]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": "a", "response": {"result": "21 degrees"}}},
        ]},
    ]);
    let found = object("demo", json!({"contents": contents, "tools": tools()}));
    let said = found["candidates"][0]["content"]["parts"][0]["text"]
        .as_str()
        .unwrap();
    assert!(said.starts_with("The tool says: 21 degrees"), "{said}");
}

#[test]
fn a_json_format_gives_json() {
    let schema = json!({"type": "OBJECT", "properties": {"city": {"type": "STRING"}}});
    let config = json!({"responseMimeType": "application/json", "responseSchema": schema});
    let found = object("demo", json!({"generationConfig": config}));
    let said = &found["candidates"][0]["content"]["parts"][0]["text"];
    assert_eq!(said, "{\"city\":\"Zurich\"}");
}

#[test]
fn fault_models_fail_in_the_shapes_of_gemini() {
    let refused = object("demo-refusal", json!({}));
    assert_eq!(
        refused["promptFeedback"]["blockReason"],
        "PROHIBITED_CONTENT"
    );
    assert!(refused.get("candidates").is_none());
    let filtered = object("demo-filter", json!({}));
    assert_eq!(filtered["candidates"][0]["finishReason"], "SAFETY");
    let failed = events("demo-error-in-stream", json!({}));
    assert_eq!(failed.last().unwrap()["error"]["status"], "UNAVAILABLE");
    let failed = array("demo-error-in-stream", json!({}));
    assert_eq!(failed.last().unwrap()["error"]["code"], 503);
    assert_eq!(asked("demo-error-in-stream", json!({})).status, 503);
    let cut = post(
        &target("demo-cut", "streamGenerateContent"),
        &body(json!({})),
    );
    assert_eq!(steps(cut).last().unwrap().action, BodyAction::Disconnect);
    for (status, name) in [
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (504, "DEADLINE_EXCEEDED"),
    ] {
        let found = json_of(asked(&format!("error-{status}"), json!({})), status);
        assert_eq!(found["error"]["status"], name);
    }
    let listed = post(
        &target("error-429", "streamGenerateContent"),
        &body(json!({})),
    );
    let found = json_of(listed, 429);
    assert_eq!(found[0]["error"]["details"][2]["retryDelay"], "34.4s");
}

#[test]
fn big_bodies_have_a_text_of_that_size() {
    let found = object("demo-big-1", json!({}));
    let said = found["candidates"][0]["content"]["parts"][0]["text"].as_str();
    assert_eq!(said.unwrap().len(), 1 << 20);
    for elements in [
        events("demo-big-1", json!({})),
        array("demo-big-1", json!({})),
    ] {
        let said = joined(&elements, "/candidates/0/content/parts/0/text");
        assert_eq!(said.len(), 1 << 20);
    }
}
