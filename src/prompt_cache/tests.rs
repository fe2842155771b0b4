//! Prefixes of prompts: by hand for each dialect, from real SDKs, and what holds for any two requests.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::call::ReadOptions;
use crate::diff::change::ChangeKind;

fn request(name: &str, body: impl Into<Vec<u8>>) -> DiffInput {
    DiffInput::from_request(name.to_owned(), body.into(), &ReadOptions::default())
}

fn texts(left: &str, right: &str) -> CacheComparison {
    compare(&request("left", left), &request("right", right), None)
}

fn values(left: &Json, right: &Json) -> CacheComparison {
    texts(&left.to_string(), &right.to_string())
}

fn profile(name: &str) -> Option<&'static DialectProfile> {
    crate::chat::dialect_by_name(name).map(Dialect::profile)
}

/// What happened, in which segment, and how many segments went before.
fn summary(step: &CacheComparison) -> (PrefixState, Option<(ChangeKind, &str)>, u64) {
    let divergence = step.effective_prefix().divergence.as_ref();
    let what = divergence.map(|divergence| (divergence.what, divergence.segment.as_str()));
    (step.state, what, step.effective_prefix().segments.common)
}

fn tool(name: &str) -> Json {
    let schema =
        json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "number"}}});
    json!({"type": "function", "function": {"name": name, "parameters": schema}})
}

fn chat(tools: &[&str], messages: &[(&str, &str)]) -> Json {
    let tools: Vec<_> = tools.iter().map(|name| tool(name)).collect();
    let messages: Vec<_> = messages
        .iter()
        .map(|(role, content)| json!({"role": role, "content": content}))
        .collect();
    json!({"model": "gpt-4o", "messages": messages, "tools": tools})
}

const TALK: &[(&str, &str)] = &[
    (
        "system",
        "You are brief. Today is 2026-11-25. Cite your sources.",
    ),
    ("user", "one"),
    ("assistant", "two"),
    ("user", "three"),
];

#[test]
fn chat_completions() {
    let left = chat(&["x", "y"], TALK);
    let case = |right: &Json, state, what, common| {
        let step = values(&left, right);
        assert_eq!(summary(&step), (state, what, common), "{right}");
        assert_eq!(step.order.dialect, "openai-chat");
        step
    };
    let with = |change: &dyn Fn(&mut Json)| {
        let mut right = left.clone();
        change(&mut right);
        right
    };
    let broken = |what, segment| (PrefixState::Broken, Some((what, segment)));

    let same = case(&left, PrefixState::Intact, None, 6);
    assert_eq!(same.raw, RawComparison::Same);
    assert!(same.beside.is_empty());
    let longer: Vec<_> = [TALK, &[("assistant", "four")]].concat();
    let step = case(&chat(&["x", "y"], &longer), PrefixState::Intact, None, 6);
    assert_eq!(step.written.new.segments, 1);
    case(
        &chat(&["x", "y"], &TALK[..3]),
        PrefixState::Shortened,
        Some((ChangeKind::Removed, "messages[3] user")),
        5,
    );

    let date = with(&|right| {
        right["messages"][0]["content"] =
            json!("You are brief. Today is 2026-11-26. Cite your sources.");
    });
    let (state, what) = broken(ChangeKind::Changed, "messages[0] system");
    let step = case(&date, state, what, 2);
    let divergence = step.written.divergence.unwrap();
    assert_eq!(divergence.left.pointer, "/messages/0/content");
    assert_eq!(divergence.right.pointer, "/messages/0/content");
    let excerpt = divergence.excerpt.unwrap();
    assert_eq!(excerpt.left, "2026-11-25.");
    assert_eq!(excerpt.right, "2026-11-26.");
    // The rest of the system prompt and three messages were there before.
    assert_eq!(step.written.lost.segments, 3);
    assert_eq!(step.written.new.bytes, 1);

    let (state, what) = broken(ChangeKind::Moved, "tools[0] y");
    let step = case(&chat(&["y", "x"], TALK), state, what, 0);
    let divergence = step.written.divergence.unwrap();
    assert_eq!(
        [divergence.left.pointer, divergence.right.pointer],
        ["/tools/0", "/tools/1"]
    );
    assert_eq!(step.written.lost.segments, 6);

    let (state, what) = broken(ChangeKind::Added, "tools[0] new");
    case(&chat(&["new", "x", "y"], TALK), state, what, 0);
    let (state, what) = broken(ChangeKind::Added, "tools[2] new");
    let step = case(&chat(&["x", "y", "new"], TALK), state, what, 2);
    assert_eq!(step.written.divergence.unwrap().left.pointer, "/messages/0");
    let (state, what) = broken(ChangeKind::Removed, "tools[1] y");
    case(&chat(&["x"], TALK), state, what, 1);

    let dropped = [&TALK[..1], &TALK[3..]].concat();
    let (state, what) = broken(ChangeKind::Removed, "messages[1] user");
    let step = case(&chat(&["x", "y"], &dropped), state, what, 3);
    assert_eq!(step.written.divergence.unwrap().count, Some(2));
    assert_eq!(step.written.lost.segments, 1);

    let parts = with(&|right| {
        right["messages"][3]["content"] = json!([{"type": "text", "text": "three"}]);
    });
    let step = case(&parts, PrefixState::Respelled, None, 6);
    let divergence = step.written.divergence.unwrap();
    assert_eq!(divergence.spellings, [SpellingDifference::Shorthand]);
    assert_eq!(step.written.segments.common, 5);

    let model = with(&|right| right["model"] = json!("gpt-4o-mini"));
    let step = case(&model, PrefixState::Intact, None, 6);
    assert_eq!(step.beside.len(), 1);
    assert_eq!(step.beside[0].name, "model");
    assert_eq!(step.beside[0].right.as_deref(), Some("gpt-4o-mini"));

    let schema = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": {}}});
    let schema = with(&|right| right["response_format"] = schema.clone());
    let (state, what) = broken(ChangeKind::Added, "response_format");
    case(&schema, state, what, 2);
}

#[test]
fn spelling_alone_is_told_from_values() {
    let left = r#"{"tools":[{"name":"t","function":{"parameters":{"a":1,"b":"é"}}}],"messages":[{"role":"user","content":"hi"}]}"#;
    let case = |right: &str, spellings: &[SpellingDifference], what| {
        let step = texts(left, right);
        assert_eq!(step.state, PrefixState::Respelled, "{right}");
        assert!(!step.is_prefix_kept());
        let divergence = step.written.divergence.as_ref().unwrap();
        assert_eq!(divergence.spellings, spellings, "{right}");
        assert_eq!(divergence.what, what);
        assert_eq!(
            step.effective_prefix()
                .divergence
                .as_ref()
                .map(|it| &it.segment),
            None
        );
        assert_eq!(step.effective_prefix().lost, PromptAmount::default());
    };
    let spaced = left.replace(':', ": ").replace(",\"", ", \"");
    case(
        &spaced,
        &[SpellingDifference::WhiteSpace],
        ChangeKind::Respelled,
    );
    case(
        &left.replace(r#""a":1,"b":"é""#, r#""b":"é","a":1"#),
        &[SpellingDifference::KeyOrder],
        ChangeKind::Reordered,
    );
    case(
        &left.replace(
            r#""role":"user","content":"hi""#,
            r#""content":"hi","role":"user""#,
        ),
        &[SpellingDifference::FieldOrder],
        ChangeKind::Reordered,
    );
    case(
        &left.replace('é', "\\u00e9"),
        &[SpellingDifference::Escapes],
        ChangeKind::Respelled,
    );
    case(
        &left.replace(":1,", ":1.0,"),
        &[SpellingDifference::Numbers],
        ChangeKind::Respelled,
    );

    // Spelled otherwise first, another value later.
    let step = texts(left, &spaced.replace("hi", "ho"));
    assert_eq!(step.state, PrefixState::Broken);
    assert_eq!(step.written.segments.common, 0);
    let values = step.values.unwrap();
    assert_eq!(values.segments.common, 1);
    assert_eq!(
        values.divergence.unwrap().right.pointer,
        "/messages/0/content"
    );

    // Members around the prompt may stand anywhere.
    let step = texts(
        r#"{"messages":[1],"tools":[2]}"#,
        r#"{ "tools":[2], "messages":[1] }"#,
    );
    assert_eq!(step.state, PrefixState::Intact);
    assert!(matches!(step.raw, RawComparison::Differs { at: 1, .. }));
}

fn claude(system: Json, messages: Json) -> Json {
    let tools = json!([{"name": "t", "input_schema": {"type": "object", "required": []}}]);
    json!({"model": "claude-sonnet-4-5", "tools": tools, "system": system, "messages": messages})
}

#[test]
fn anthropic_messages() {
    let mark = json!({"type": "ephemeral", "ttl": "1h"});
    let marked = |text: &str| json!([{"type": "text", "text": text, "cache_control": mark}]);
    let user = |content: Json| json!({"role": "user", "content": content});
    let left = claude(marked("s"), json!([user(marked("one"))]));
    let case = |right: &Json, state, what, common| {
        let step = values(&left, right);
        assert_eq!(summary(&step), (state, what, common), "{right}");
        assert_eq!(step.order.basis, PromptOrderBasis::Documented);
        step
    };
    // The mark moves on, and its old place becomes plain text: that is no change of the prompt.
    let assistant = json!({"role": "assistant", "content": "two"});
    let next = json!([user(json!("one")), assistant, user(marked("three"))]);
    let step = case(&claude(marked("s"), next), PrefixState::Intact, None, 3);
    let places = |marks: &[CacheBreakpoint]| {
        marks
            .iter()
            .map(|mark| mark.pointer.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        places(&step.marks[0]),
        ["/system/0", "/messages/0/content/0"]
    );
    assert_eq!(
        places(&step.marks[1]),
        ["/system/0", "/messages/2/content/0"]
    );
    assert_eq!(step.marks[0][0].ttl.as_deref(), Some("1h"));
    let blocks =
        |marks: &[CacheBreakpoint]| marks.iter().map(|mark| mark.block).collect::<Vec<_>>();
    assert_eq!(blocks(&step.marks[1]), [1, 4]);
    assert_eq!(step.marks[0][1].end, step.written.bytes.left - 2);

    case(
        &claude(json!("s"), json!([user(json!("one"))])),
        PrefixState::Intact,
        None,
        3,
    );
    let more = json!([{"type": "text", "text": "s"}, {"type": "text", "text": "t"}]);
    let (state, what) = (
        PrefixState::Broken,
        Some((ChangeKind::Added, "system[1] text")),
    );
    case(&claude(more, json!([user(json!("one"))])), state, what, 2);
    let (state, what) = (PrefixState::Broken, Some((ChangeKind::Changed, "system")));
    case(
        &claude(json!("S"), json!([user(json!("one"))])),
        state,
        what,
        1,
    );

    let mut keys = left.to_string();
    keys = keys.replace(
        r#""type":"object","required":[]"#,
        r#""required":[],"type":"object""#,
    );
    let step = texts(&left.to_string(), &keys);
    assert_eq!(
        summary(&step),
        (
            PrefixState::Broken,
            Some((ChangeKind::Reordered, "tools[0] t")),
            0
        )
    );

    let mut choice = left.clone();
    choice["tool_choice"] = json!({"type": "any"});
    choice["cache_control"] = json!({"type": "ephemeral"});
    let step = case(&choice, PrefixState::Intact, None, 3);
    let names: Vec<_> = step.beside.iter().map(|fact| fact.name.as_str()).collect();
    assert_eq!(names, ["/tool_choice", "/cache_control"]);
    assert!(step.beside[0].note.unwrap().contains("messages do not"));
    assert_eq!(places(&step.marks[1]).last().map(String::as_str), Some(""));
}

#[test]
fn a_run_of_tool_blocks_is_one_place() {
    let block = |kind: &str| json!({"type": kind, "id": "x"});
    let calls = json!([
        block("text"),
        block("tool_use"),
        block("tool_use"),
        block("tool_use")
    ]);
    let mut results = json!([block("tool_result"), block("tool_result"), block("text")]);
    results[1]["cache_control"] = json!({"type": "ephemeral"});
    results[2]["cache_control"] = json!({"type": "ephemeral"});
    let messages = json!([
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": calls},
        {"role": "user", "content": results},
    ]);
    let request = claude(json!("s"), messages);
    let step = values(&request, &request);
    // A tool, the system prompt, a text, a text, calls, results, a text.
    let blocks: Vec<_> = step.marks[0].iter().map(|mark| mark.block).collect();
    assert_eq!(blocks, [5, 6]);
}

#[test]
fn the_order_of_a_dialect_depends_on_the_provider() {
    let case = |dialect, provider, basis, first: &str| {
        let order = find_order(profile(dialect), provider);
        assert_eq!(order.basis, basis, "{dialect} {provider:?}");
        let part = order.parts.first().map(|part| part.name);
        assert_eq!(part.unwrap_or_default(), first);
    };
    let documented = PromptOrderBasis::Documented;
    case("openai-chat", Some("openai"), documented, "tools");
    case(
        "openai-chat",
        Some("groq"),
        PromptOrderBasis::Assumed,
        "tools",
    );
    case("openai-chat", None, PromptOrderBasis::Assumed, "tools");
    case("azure-openai", None, documented, "tools");
    case("anthropic-messages", None, documented, "tools");
    case(
        "gemini",
        Some("gemini"),
        PromptOrderBasis::Assumed,
        "cachedContent",
    );
    case(
        "openai-embeddings",
        Some("openai"),
        PromptOrderBasis::Raw,
        "",
    );
    case("", None, PromptOrderBasis::Raw, "");
}

#[test]
fn every_order_names_its_dialect() {
    for dialect in crate::chat::DIALECTS
        .iter()
        .map(|dialect| dialect.profile())
    {
        for order in dialect.prompt_orders {
            assert_eq!(order.dialect, dialect.name);
        }
    }
}

#[test]
fn other_dialects_have_their_own_order() {
    let case = |left: Json, right: Json, dialect: &str, segment: &str, common| {
        let step = values(&left, &right);
        assert_eq!(step.order.dialect, dialect);
        let divergence = step.written.divergence.as_ref().unwrap();
        assert_eq!(divergence.segment, segment, "{right}");
        assert_eq!(step.written.segments.common, common);
    };
    case(
        json!({"model": "m", "instructions": "a", "input": "hi", "tools": [{"type": "function", "name": "t"}]}),
        json!({"model": "m", "instructions": "b", "input": "hi", "tools": [{"type": "function", "name": "t"}]}),
        "openai-responses",
        "instructions",
        1,
    );
    case(
        json!({"contents": [{"role": "user", "parts": [{"text": "a"}]}], "system_instruction": {"parts": []}}),
        json!({"contents": [{"role": "user", "parts": [{"text": "b"}]}], "systemInstruction": {"parts": []}}),
        "gemini",
        "contents[0] user",
        1,
    );
    case(
        json!({"messages": [{"role": "user", "content": "a"}], "options": {}, "tools": [tool("x")]}),
        json!({"messages": [{"role": "user", "content": "a"}], "options": {}, "tools": [tool("y")]}),
        "ollama",
        "tools[0] y",
        0,
    );
    case(
        json!({"b": 1, "prompt": "x"}),
        json!({"b": 1, "prompt": "y"}),
        "",
        "prompt",
        1,
    );
    let step = compare(
        &request("l", r#"{"messages":[{"role":"user"}],"documents":["a"]}"#),
        &request("r", r#"{"messages":[{"role":"user"}],"documents":["b"]}"#),
        profile("cohere"),
    );
    assert_eq!(
        summary(&step).1,
        Some((ChangeKind::Changed, "documents[0]"))
    );
}

#[test]
fn what_is_no_json_is_compared_as_it_stands() {
    let case = |left: &[u8], right: &[u8], state, common| {
        let step = compare(&request("l", left), &request("r", right), None);
        assert_eq!((step.state, step.written.bytes.common), (state, common));
    };
    case(b"not json", b"not json", PrefixState::Intact, 8);
    case(b"not json", b"not JSON", PrefixState::Broken, 4);
    case(b"\xff\xfe", b"\xff\x00", PrefixState::Broken, 1);
    case(b"", b"", PrefixState::Intact, 0);
    case(b"", b"x", PrefixState::Intact, 0);
    case(b"x", b"", PrefixState::Shortened, 0);
    case(b"[1]", b"[2]", PrefixState::Broken, 1);
    case(b"{}", br#"{"messages":[]}"#, PrefixState::Intact, 0);
    case(
        br#"{"messages":5,"tools":"x"}"#,
        br#"{"messages":6,"tools":"x"}"#,
        PrefixState::Broken,
        3,
    );
}

#[test]
fn what_the_api_says_of_itself_is_found() {
    let case = |text: &str, expected: Option<&str>| {
        assert_eq!(
            diagnostics_in(text.as_bytes()).as_deref(),
            expected,
            "{text}"
        );
    };
    let reason =
        r#"{"cache_miss_reason":{"type":"tools_changed","cache_missed_input_tokens":900}}"#;
    case(
        &format!(r#"{{"type":"message","diagnostics":{reason}}}"#),
        Some(reason),
    );
    case(
        &format!(r#"{{"type":"message_start","message":{{"diagnostics":{reason}}}}}"#),
        Some(reason),
    );
    let openai = r#"{"type":"cache_miss","reason":"model_changed"}"#;
    case(
        &format!(r#"{{"response":{{"prompt_cache_diagnostics":{openai}}}}}"#),
        Some(openai),
    );
    case(r#"{"diagnostics":null}"#, None);
    case(r#"{"diagnostics":{"other":1}}"#, None);
    case("no json", None);
}

#[test]
fn the_deepest_json_is_read() {
    let nested = |open: &str, close: &str, core: &str| {
        let levels = crate::json::MAX_DEPTH - 3;
        let inner = format!("{}{core}{}", open.repeat(levels), close.repeat(levels));
        format!(r#"{{"messages":[{{"role":"user","content":{inner}}}]}}"#)
    };
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        let step = texts(&nested(open, close, "1"), &nested(open, close, "2"));
        let divergence = step.written.divergence.unwrap();
        assert!(divergence.right.pointer.len() > crate::json::MAX_DEPTH);
        let step = texts(&nested(open, close, "1"), &nested(open, close, "1.0"));
        assert_eq!(step.state, PrefixState::Respelled);
    }
}

#[test]
fn inline_data_is_no_text() {
    let picture = "A".repeat(40_000);
    let message = |text: &str| {
        let source = json!({"type": "base64", "media_type": "image/png", "data": picture});
        json!({"role": "user", "content": [{"type": "image", "source": source}, {"type": "text", "text": text}]})
    };
    let step = values(
        &claude(json!("s"), json!([message("a")])),
        &claude(json!("s"), json!([message("a"), message("b")])),
    );
    assert_eq!(step.estimate.inline, 2 * 40_002);
    assert!(step.estimate.prompt < 200, "{:?}", step.estimate);
    assert!(step.written.bytes.common > 40_000);
}

#[test]
fn two_sdks_send_the_same_prompt_in_other_bytes() {
    let body = |bytes: &'static [u8]| {
        let text = std::str::from_utf8(bytes).unwrap();
        text.split_once("\r\n\r\n").unwrap().1
    };
    let case = |left, right, state| {
        let step = texts(body(left), body(right));
        assert_eq!(step.state, state);
        assert_ne!(step.raw, RawComparison::Same);
        step
    };
    macro_rules! sdk {
        ($name:literal) => {
            include_bytes!(concat!(
                "../../tests/data/sdk-requests/sdk-",
                $name,
                "-plain.http"
            ))
        };
    }
    let python = sdk!("openai-python-2.54.0");
    case(python, sdk!("openai-node-6.49.0"), PrefixState::Intact);
    case(
        python,
        sdk!("ai-sdk-openai-chat-3.0.141"),
        PrefixState::Intact,
    );
    case(
        sdk!("anthropic-node-1.12.0"),
        sdk!("anthropic-python-2.12.0"),
        PrefixState::Intact,
    );
    // `content` before `role`: the same JSON.
    let step = case(
        python,
        sdk!("langchain-openai-1.7.3"),
        PrefixState::Respelled,
    );
    let divergence = step.written.divergence.unwrap();
    assert_eq!(divergence.segment, "messages[0] system");
    assert_eq!(divergence.spellings, [SpellingDifference::FieldOrder]);
}

#[test]
fn a_long_conversation_is_read_once() {
    let words = "lorem ipsum dolor sit amet ".repeat(75);
    let talk: Vec<_> = (0..5000)
        .map(|n| json!({"role": "user", "content": format!("{n} {words}")}))
        .collect();
    let all = json!({"model": "m", "messages": talk});
    let dropped = json!({"model": "m", "messages": talk[1..]});
    let step = values(&all, &dropped);
    assert_eq!(
        summary(&step),
        (
            PrefixState::Broken,
            Some((ChangeKind::Removed, "messages[0] user")),
            0
        )
    );
    assert_eq!(step.written.lost.segments, 4999);
    let turned: Vec<_> = talk.iter().rev().collect();
    let step = values(&all, &json!({"model": "m", "messages": turned}));
    assert_eq!(
        summary(&step).1,
        Some((ChangeKind::Moved, "messages[0] user"))
    );
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        "[ -~äé日😀\\n]{0,12}".prop_map(Json::from),
        any::<i32>().prop_map(Json::from),
        any::<bool>().prop_map(Json::from),
        Just(Json::Null),
    ]
}

fn any_json() -> impl Strategy<Value = Json> {
    scalar().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::btree_map("[a-d]|cache_control|content|type|text", inner, 0..4)
                .prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

fn message() -> impl Strategy<Value = Json> {
    let block = ("[ab]{0,3}", any::<bool>()).prop_map(|(text, marked)| {
        let mut block = json!({"type": "text", "text": text});
        if marked {
            block["cache_control"] = json!({"type": "ephemeral"});
        }
        block
    });
    let content = prop_oneof![
        "[ab]{0,3}".prop_map(Json::from),
        prop::collection::vec(block, 0..3).prop_map(Json::from),
        any_json(),
    ];
    prop_oneof![
        4 => (select_role(), content).prop_map(|(role, content)| json!({"role": role, "content": content})),
        1 => any_json(),
    ]
}

fn select_role() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["user", "assistant"])
}

fn any_request() -> impl Strategy<Value = Json> {
    let tools = prop::collection::vec(any_json(), 0..3);
    let messages = prop::collection::vec(message(), 0..6);
    (
        tools,
        messages,
        prop::option::of("[ab]{0,4}"),
        any::<bool>(),
    )
        .prop_map(|(tools, messages, system, claude)| {
            let mut request = json!({"model": "m", "tools": tools, "messages": messages});
            if let (Some(system), true) = (system, claude) {
                request["system"] = json!(system);
            }
            request
        })
}

/// A text of the same JSON, laid out or not.
fn written(request: &Json, laid_out: bool) -> String {
    match laid_out {
        true => serde_json::to_string_pretty(request).unwrap(),
        false => request.to_string(),
    }
}

proptest! {
    #[test]
    fn the_common_prefix_is_common_and_no_longer(
        requests in [any_request(), any_request()], laid_out in any::<[bool; 2]>(),
    ) {
        let texts = [0, 1].map(|n| written(&requests[n], laid_out[n]));
        let documents = [0, 1].map(|n| JsonDocument::parse(texts[n].as_bytes()).unwrap());
        // Where no document calls two spellings one prompt, nothing but bytes counts.
        let order = find_order(profile("openai-chat"), None);
        let prompts = [0, 1].map(|n| segments::segment_prompt(Some(&documents[n]), texts[n].as_bytes(), order));
        let estimate = TokenEstimate::for_prompt(&prompts[1], None);
        let (found, _) = common_prefix([&prompts[0], &prompts[1]], EqualityLevel::Written, order, &estimate);
        let bytes = [0, 1].map(|n| {
            prompts[n].segments.iter().flat_map(|segment| segment.text.to_vec()).collect::<Vec<u8>>()
        });
        let common = usize::try_from(found.bytes.common).unwrap();
        prop_assert_eq!(&bytes[0][..common], &bytes[1][..common]);
        let whole = usize::try_from(found.segments.common).unwrap();
        let next = [0, 1].map(|n| prompts[n].segments.get(whole));
        if let [Some(left), Some(right)] = next {
            let differ = bytes[0].get(common) != bytes[1].get(common);
            prop_assert!(differ || left.part != right.part);
        }
        prop_assert_eq!(found.divergence.is_none(), whole == prompts[0].segments.len());
        let right = found.bytes.common + found.lost.bytes + found.new.bytes;
        prop_assert_eq!(right, found.bytes.right);
    }

    #[test]
    fn a_request_is_its_own_prefix(request in any_request(), message in message(), laid_out: bool) {
        let text = written(&request, laid_out);
        let step = texts(&text, &text);
        prop_assert_eq!(step.state, PrefixState::Intact);
        prop_assert_eq!(step.raw, RawComparison::Same);
        prop_assert_eq!(step.written.lost, PromptAmount::default());
        let other = texts(&text, &written(&request, !laid_out));
        prop_assert!(other.effective_prefix().divergence.is_none(), "{:?}", other);
        let mut longer = request.clone();
        longer["messages"].as_array_mut().unwrap().push(message);
        let step = texts(&text, &written(&longer, laid_out));
        let of_messages = |step: &CacheComparison| step.order.parts.last().map(|part| part.name);
        prop_assert_eq!(of_messages(&step), Some("messages"));
        prop_assert_eq!(step.written.segments.left + 1, step.written.segments.right);
        if !laid_out {
            prop_assert_eq!(step.state, PrefixState::Intact);
        }
    }

    #[test]
    fn any_bytes_are_compared(left in prop::collection::vec(any::<u8>(), 0..64), right in prop::collection::vec(any::<u8>(), 0..64)) {
        let step = compare(&request("l", left), &request("r", right), None);
        prop_assert!(step.written.bytes.common <= step.written.bytes.left.min(step.written.bytes.right));
    }
}
