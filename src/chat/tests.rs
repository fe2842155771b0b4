//! Answers, case by case: what the exchanges under `tests/` do not show.

mod bedrock;
mod endpoints;

use proptest::prelude::*;

use super::note::rule;
use super::request_params::RequestParams;
use super::{
    AnswerReadOptions, AnswerReader, AnswerRetention, AnswerVerdict, BodyEnding, BodyMediaType,
    Completion, DeltaKind, Dialect, FinishKind, ModelMatch, ToolArgumentCheck, dialect_by_name,
    dialect_of_request, fuzz,
};
use crate::exchange::Exchange;
use crate::http1::MessagePart;
use crate::json::JsonDocument;
use crate::span::Moment;

fn read_with(dialect: &str, body: &str, ending: BodyEnding, keep: AnswerRetention) -> Completion {
    let options = AnswerReadOptions {
        dialect: dialect_by_name(dialect),
        retention: keep,
        ..AnswerReadOptions::default()
    };
    let mut reader = AnswerReader::new(&Exchange::default(), &[], options);
    reader.push(body.as_bytes(), Moment::from_micros(7), &mut ());
    reader.finish(ending, &mut ())
}

fn read(dialect: &str, body: &str) -> Completion {
    read_with(
        dialect,
        body,
        BodyEnding::Whole,
        AnswerRetention::Everything,
    )
}

/// A stream of Chat Completions with these choices.
fn chat(choices: &[&str], done: bool) -> String {
    let mut stream = String::new();
    for choice in choices {
        stream.push_str(&format!(
            "data: {{\"object\":\"chat.completion.chunk\",\"choices\":[{choice}]}}\n\n"
        ));
    }
    if done {
        stream.push_str("data: [DONE]\n\n");
    }
    stream
}

const TEXT: &str =
    r#"{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}"#;
const STOP: &str = r#"{"index":0,"delta":{},"finish_reason":"stop"}"#;

#[test]
fn a_request_body_shows_its_dialect() {
    let case = |text: &str, expected| {
        let document = JsonDocument::parse(text.as_bytes()).unwrap();
        let found = dialect_of_request(document.root()).map(Dialect::name);
        assert_eq!(found, expected, "{text}");
    };
    case(r#"{"messages":[]}"#, Some("openai-chat"));
    case(
        r#"{"messages":[],"system":"s"}"#,
        Some("anthropic-messages"),
    );
    case(
        r#"{"messages":[],"tools":[{"name":"a","input_schema":{}}]}"#,
        Some("anthropic-messages"),
    );
    case(r#"{"messages":[],"options":{}}"#, Some("ollama"));
    case(r#"{"input":"hi"}"#, Some("openai-responses"));
    case(r#"{"contents":[]}"#, Some("gemini"));
    case(r#"{"prompt":"hi"}"#, None);
    case("[]", None);
}

#[test]
fn the_end_of_a_stream_is_judged_by_all_evidence() {
    let cut = |part| BodyEnding::Cut { within: Some(part) };
    let whole = chat(&[TEXT, STOP], true);
    let cases = [
        (
            chat(&[TEXT, STOP], true),
            BodyEnding::Whole,
            AnswerVerdict::Complete,
        ),
        (
            chat(&[TEXT, STOP], false),
            BodyEnding::Whole,
            AnswerVerdict::NoDone,
        ),
        (
            chat(&[TEXT], true),
            BodyEnding::Whole,
            AnswerVerdict::DoneWithoutFinish,
        ),
        (
            chat(&[TEXT], false),
            BodyEnding::Whole,
            AnswerVerdict::NoFinish,
        ),
        (
            chat(&[TEXT], false),
            cut(MessagePart::ChunkData),
            AnswerVerdict::CutInChunk,
        ),
        (
            chat(&[TEXT], false),
            cut(MessagePart::ChunkHead),
            AnswerVerdict::CutOff { done: false },
        ),
        (
            whole.clone(),
            cut(MessagePart::ChunkHead),
            AnswerVerdict::CutOff { done: true },
        ),
        (
            whole.clone(),
            BodyEnding::Cancelled,
            AnswerVerdict::Cancelled,
        ),
        (String::new(), BodyEnding::Whole, AnswerVerdict::NoBody),
        (
            "data: {\"choices\":[]}\n\n".to_owned(),
            BodyEnding::Whole,
            AnswerVerdict::NoFinish,
        ),
        (
            "data: {\"n\":1}\n\n".to_owned(),
            BodyEnding::Whole,
            AnswerVerdict::NotChat,
        ),
    ];
    for (body, ending, expected) in cases {
        let found = read_with("openai-chat", &body, ending, AnswerRetention::Everything);
        assert_eq!(found.verdict, expected, "{body:?} {ending:?}");
    }
    // An event that lacks only its blank line is read; one that is cut is not.
    let early = whole.replace("\n\ndata: [DONE]\n\n", "\n");
    let found = read("openai-chat", &early);
    assert_eq!(found.verdict, AnswerVerdict::NoDone);
    assert_eq!(found.notes[0].rule, rule::NO_BLANK_LINE_AT_END);
    let cut = early.replace("]}\n", "]");
    assert!(matches!(
        read("openai-chat", cut.trim_end()).verdict,
        AnswerVerdict::CutInEvent { .. }
    ));
}

#[test]
fn pieces_of_a_tool_call_join_by_index_and_then_by_what_is_there() {
    let indexed = [
        r#"{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"two","arguments":"{"}}]}}"#,
        r#"{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"one","arguments":""}}]}}"#,
        r#"{"index":0,"delta":{"tool_calls":[{"index":1,"id":"","function":{"name":"","arguments":"}"}}]}}"#,
        r#"{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"[1"}}]}}"#,
    ];
    let found = read("openai-chat", &chat(&indexed, true));
    let calls = &found.choices[0].tool_calls;
    assert_eq!(
        (calls[0].name.as_str(), calls[0].arguments.as_str()),
        ("two", "{}")
    );
    assert_eq!(calls[0].check, ToolArgumentCheck::Json);
    assert_eq!(calls[0].id.as_deref(), Some("b"));
    assert!(matches!(
        calls[1].check,
        ToolArgumentCheck::Broken { at: 2, .. }
    ));

    let unnumbered = [
        r#"{"index":0,"delta":{"tool_calls":[{"id":"a","function":{"name":"one","arguments":"{\"x\":1}"}}]}}"#,
        r#"{"index":0,"delta":{"tool_calls":[{"id":"b","function":{"name":"one","arguments":"{"}}]}}"#,
        r#"{"index":0,"delta":{"tool_calls":[{"function":{"arguments":"}"}}]}}"#,
    ];
    let found = read("openai-chat", &chat(&unnumbered, true));
    let calls = &found.choices[0].tool_calls;
    assert_eq!(calls.len(), 2);
    assert_eq!(calls[1].arguments, "{}");
}

#[test]
fn a_stop_over_calls_or_a_refusal_is_told_for_what_it_is() {
    let call = r#"{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}"#;
    let found = read("openai-chat", &chat(&[call, STOP], true));
    assert_eq!(
        found.choices[0].finish.as_ref().unwrap().kind,
        FinishKind::ToolCalls
    );
    assert_eq!(
        found.choices[0].tool_calls[0].check,
        ToolArgumentCheck::Empty
    );
    let refusal = r#"{"index":0,"delta":{"refusal":"No."}}"#;
    let found = read("openai-chat", &chat(&[refusal, STOP], true));
    assert_eq!(found.verdict, AnswerVerdict::Refused);
    assert_eq!(found.choices[0].finish.as_ref().unwrap().named, "stop");
}

#[test]
fn an_error_inside_a_stream_counts_once() {
    let stream = concat!(
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"t\",\"code\":\"c\",\"message\":\"m\"}}\n\n",
        "event: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"status\":\"failed\",",
        "\"error\":{\"code\":\"c\",\"message\":\"m\"}}}\n\n",
    );
    let found = read("openai-responses", stream);
    assert_eq!(found.errors.len(), 1);
    assert_eq!(found.errors[0].class.as_deref(), Some("t"));
    assert!(found.errors[0].in_stream);
    assert_eq!(found.verdict, AnswerVerdict::ErrorEvent);
    let flat = "data: {\"type\":\"error\",\"code\":\"c\",\"message\":\"m\",\"param\":null}\n\n";
    let found = read("openai-responses", flat);
    assert_eq!(
        (
            found.errors[0].class.as_deref(),
            found.errors[0].message.as_str()
        ),
        (None, "m")
    );
}

#[test]
fn the_last_event_of_a_response_is_compared_to_its_pieces() {
    let stream = |text: &str| {
        format!(
            "data: {{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hi\",\"sequence_number\":1}}\n\n\
             data: {{\"type\":\"response.completed\",\"sequence_number\":2,\"response\":{{\"status\":\"completed\",\
             \"output\":[{{\"type\":\"message\",\"content\":[{{\"type\":\"output_text\",\"text\":\"{text}\"}}]}}]}}}}\n\n"
        )
    };
    let has = |found: &Completion, rule| found.notes.iter().any(|note| note.rule == rule);
    let same = read("openai-responses", &stream("Hi"));
    assert!(!has(&same, rule::RESPONSES_TEXT_DIFFERS));
    let found = read("openai-responses", &stream("Ha!"));
    assert!(has(&found, rule::RESPONSES_TEXT_DIFFERS));
    assert_eq!(found.choices[0].text, "Hi");
    let (_, last) = stream("Hi")
        .split_once("\n\n")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let found = read("openai-responses", &last);
    assert_eq!(
        found.choices[0].text, "Hi",
        "what no piece holds comes from the last event"
    );
    let gap = stream("Hi").replace("\"sequence_number\":2", "\"sequence_number\":4");
    assert!(!has(&same, rule::RESPONSES_SEQUENCE));
    assert!(has(
        &read("openai-responses", &gap),
        rule::RESPONSES_SEQUENCE
    ));
}

#[test]
fn blocks_of_anthropic_keep_hosted_tools_apart() {
    let body = r#"{"type":"message","id":"msg_1","model":"m","role":"assistant","content":[
        {"type":"text","text":"a","citations":[{"type":"web_search_result_location","url":"https://x","title":"T","cited_text":"c"}]},
        {"type":"server_tool_use","id":"s","name":"web_search","input":{"q":1}},
        {"type":"tool_use","id":"t","name":"f","input":{}}],
        "stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":2}}"#;
    let found = read("anthropic-messages", body);
    let choice = &found.choices[0];
    assert_eq!(choice.citations[0].source, "https://x");
    assert!(choice.tool_calls[0].hosted && !choice.tool_calls[1].hosted);
    assert_eq!(found.verdict, AnswerVerdict::Complete);
}

#[test]
fn nothing_is_kept_where_only_sums_are_asked() {
    let body = chat(&[TEXT, STOP], true);
    let found = read_with(
        "openai-chat",
        &body,
        BodyEnding::Whole,
        AnswerRetention::TotalsOnly,
    );
    let choice = &found.choices[0];
    assert_eq!((choice.text.as_str(), choice.text_bytes), ("", 2));
    assert!(found.deltas.is_empty());
    assert_eq!(found.verdict, AnswerVerdict::Complete);
    assert_eq!(found.first_token, Some(Moment::from_micros(7)));
}

#[test]
fn a_piece_has_the_place_of_its_value() {
    let body = chat(&[TEXT, STOP], true);
    let found = read("openai-chat", &body);
    let stamp = found
        .deltas
        .iter()
        .find(|stamp| stamp.kind == DeltaKind::Text)
        .unwrap();
    let at = |offset| usize::try_from(offset).unwrap();
    assert_eq!(&body[at(stamp.span.start)..at(stamp.span.end)], "\"Hi\"");
    assert_eq!(stamp.event, 0);
}

#[test]
fn a_body_shows_its_dialect_where_the_path_does_not() {
    let cases = [
        (
            r#"{"object":"chat.completion","choices":[]}"#,
            Some("openai-chat"),
        ),
        (
            r#"{"object":"response","status":"completed","output":[]}"#,
            Some("openai-responses"),
        ),
        (
            r#"{"type":"message","content":[],"stop_reason":"end_turn"}"#,
            Some("anthropic-messages"),
        ),
        (r#"{"candidates":[]}"#, Some("gemini")),
        (
            r#"{"model":"m","created_at":"x","done":true}"#,
            Some("ollama"),
        ),
        (r#"{"hello":"world"}"#, None),
        (
            "data: {\"type\":\"message_start\",\"message\":{}}\n\n",
            Some("anthropic-messages"),
        ),
        (
            "data: {\"choices\":[{\"delta\":{}}]}\n\n",
            Some("openai-chat"),
        ),
    ];
    for (body, expected) in cases {
        let mut reader = AnswerReader::new(&Exchange::default(), &[], AnswerReadOptions::default());
        reader.push(body.as_bytes(), Moment::default(), &mut ());
        let found = reader.finish(BodyEnding::Whole, &mut ());
        assert_eq!(found.dialect_name(), expected, "{body}");
        assert_eq!(found.why.is_empty(), expected.is_none(), "{body}");
    }
}

#[test]
fn plain_json_that_was_cut_never_reads_as_complete() {
    let body = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}]}"#;
    assert_eq!(read("openai-chat", body).verdict, AnswerVerdict::Complete);
    for cut in 1..body.len() {
        let found = read("openai-chat", &body[..cut]);
        assert!(
            matches!(found.verdict, AnswerVerdict::CutInJson { .. }),
            "{cut}"
        );
    }
}

#[test]
fn what_is_neither_json_nor_a_stream_is_unreadable() {
    for body in [r#"{"choices":[}"#, "upstream said nothing"] {
        let found = read("openai-chat", body);
        assert_eq!(found.verdict, AnswerVerdict::Unreadable, "{body}");
    }
    // A page where an answer is due is the error of a gateway.
    let page = read("openai-chat", "<html><title>Welcome</title></html>");
    assert_eq!(page.verdict, AnswerVerdict::ErrorInBody);
}

#[test]
fn endless_white_space_is_not_held() {
    for size in [1000, 1 << 20] {
        let mut reader = AnswerReader::new(&Exchange::default(), &[], AnswerReadOptions::default());
        let body = vec![b'\n'; 1 << 20];
        for piece in body.chunks(size) {
            reader.push(piece, Moment::default(), &mut ());
        }
        reader.push(b"{}", Moment::default(), &mut ());
        let found = reader.finish(BodyEnding::Whole, &mut ());
        assert_eq!(found.media, BodyMediaType::Binary, "pieces of {size}");
    }
}

#[test]
fn results_serialise_under_stable_names() {
    let found = read("openai-chat", &chat(&[TEXT, STOP], true));
    let json = serde_json::to_value(&found).unwrap();
    assert_eq!(json["verdict"]["kind"], "complete");
    assert_eq!(json["media"], "sse");
    assert_eq!(json["choices"][0]["finish"]["kind"], "stop");
    assert_eq!(json["deltas"][1]["kind"], "text");
    assert_eq!(json["usage"], serde_json::Value::Null);
    assert_eq!(
        serde_json::to_value(ModelMatch::Snapshot).unwrap(),
        "snapshot"
    );
}

#[test]
fn a_refusal_is_told_once_though_the_last_event_holds_it_again() {
    let stream = concat!(
        "data: {\"type\":\"response.refusal.delta\",\"output_index\":0,\"delta\":\"I can't.\"}\n\n",
        "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[{\"type\":\"message\",",
        "\"content\":[{\"type\":\"refusal\",\"refusal\":\"I can't.\"}]}]}}\n\n",
    );
    let found = read("openai-responses", stream);
    assert_eq!(found.choices[0].refusal.as_deref(), Some("I can't."));
    assert_eq!(found.verdict, AnswerVerdict::Refused);
    let sums = read_with(
        "openai-responses",
        stream,
        BodyEnding::Whole,
        AnswerRetention::TotalsOnly,
    );
    assert_eq!(sums.verdict, AnswerVerdict::Refused);
}

#[test]
fn what_pieces_left_out_comes_from_the_last_event_kind_by_kind() {
    let stream = concat!(
        "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":\"web_search_call\",\"id\":\"ws\"}}\n\n",
        "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"output\":[",
        "{\"type\":\"web_search_call\",\"id\":\"ws\"},",
        "{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hi\"}]}]}}\n\n",
    );
    let found = read("openai-responses", stream);
    assert_eq!(found.choices[0].text, "Hi");
    assert_eq!(found.choices[0].tool_calls.len(), 1);
}

#[test]
fn the_input_of_a_custom_tool_is_text() {
    let pieces = [
        r#"{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"custom","custom":{"name":"run","input":"print("}}]}}"#,
        r#"{"index":0,"delta":{"tool_calls":[{"index":0,"custom":{"input":"1)"}}]}}"#,
    ];
    let found = read("openai-chat", &chat(&pieces, true));
    let call = &found.choices[0].tool_calls[0];
    assert_eq!(
        (call.arguments.as_str(), &call.check),
        ("print(1)", &ToolArgumentCheck::Text)
    );
    let body = r#"{"object":"response","status":"completed","output":[
        {"type":"custom_tool_call","call_id":"c","name":"run","input":"print(1)"},
        {"type":"function_call","call_id":"d","name":"f","arguments":"{"}]}"#;
    let calls = &read("openai-responses", body).choices[0].tool_calls;
    assert_eq!(calls[0].check, ToolArgumentCheck::Text);
    assert!(matches!(calls[1].check, ToolArgumentCheck::Broken { .. }));
}

/// Reads an answer whose head has `status`, a path and fields.
fn answered(path: &str, head: &str, body: &str) -> Completion {
    let mut tape = crate::tape::Tape::new(crate::tape::TapeOrigin {
        id: String::new(),
        started: jiff::Timestamp::UNIX_EPOCH,
        via: String::new(),
        url: String::new(),
        tool: String::new(),
        connection: None,
    });
    use crate::span::StreamSide;
    use crate::tape::WireSink as _;
    let request =
        format!("POST {path} HTTP/1.1\r\nHost: h\r\nanthropic-version: 2023-06-01\r\n\r\n");
    tape.bytes(StreamSide::Sent, Moment::default(), request.as_bytes());
    tape.bytes(StreamSide::Received, Moment::default(), head.as_bytes());
    let exchange = Exchange::read(&tape, crate::http1::HttpLimits::default());
    let mut reader = AnswerReader::new(&exchange, &[], AnswerReadOptions::default());
    reader.push(body.as_bytes(), Moment::default(), &mut ());
    reader.finish(BodyEnding::Whole, &mut ())
}

#[test]
fn an_error_status_is_no_broken_stream() {
    let head = "HTTP/1.1 429 Too Many Requests\r\n\r\n";
    let array = r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED"}}]"#;
    let found = answered("/v1beta/models/m:streamGenerateContent", head, array);
    assert_eq!(
        (found.verdict, found.errors.len()),
        (AnswerVerdict::ErrorAnswer, 1)
    );
    let events = "data: {\"error\":{\"message\":\"m\"}}\n\n";
    let found = answered("/v1/chat/completions", head, events);
    assert_eq!(
        (found.verdict, found.errors.len()),
        (AnswerVerdict::ErrorAnswer, 1)
    );
}

#[test]
fn errors_in_a_stream_are_known_by_their_event_too() {
    let cases = [
        (
            "data: {\"object\":\"error\",\"message\":\"m\",\"type\":\"T\",\"code\":500}\n\n",
            "m T",
        ),
        (
            "event: error\ndata: {\"message\":\"m\",\"type\":\"T\"}\n\n",
            "m T",
        ),
        ("event: error\ndata: it timed out\n\n", "it timed out "),
        (
            "data: {\"error\":\"m\",\"error_type\":\"overloaded\"}\n\n",
            "m overloaded",
        ),
        (
            "data: {\"type\":\"error\",\"message\":\"m\",\"code\":\"c\"}\n\n",
            "m ",
        ),
    ];
    for dialect in ["openai-chat", "openai-responses"] {
        for (event, expected) in cases {
            let found = read(dialect, &(chat(&[TEXT], false) + event));
            let error = &found.errors[0];
            let class = error.class.as_deref().unwrap_or_default();
            assert_eq!(
                format!("{} {class}", error.message),
                expected,
                "{dialect} {event}"
            );
            assert_eq!(
                (found.errors.len(), found.verdict),
                (1, AnswerVerdict::ErrorEvent)
            );
        }
    }
}

#[test]
fn an_end_mark_counts_though_its_blank_line_is_missing() {
    let whole = chat(&[TEXT, STOP], true);
    for end in ["\n", "\n\n"] {
        let found = read("openai-chat", whole.strip_suffix(end).unwrap());
        assert_eq!(found.verdict, AnswerVerdict::Complete);
        assert_eq!(found.notes[0].rule, rule::NO_BLANK_LINE_AT_END);
    }
    let cut = read("openai-chat", whole.strip_suffix("]\n\n").unwrap());
    assert!(matches!(cut.verdict, AnswerVerdict::CutInEvent { .. }));
    assert_eq!(cut.deltas.last().unwrap().kind, DeltaKind::Cut);
}

#[test]
fn a_plain_body_that_is_no_answer_is_not_called_complete() {
    let cases = [
        (r#"{"foo":1}"#, AnswerVerdict::NotChat),
        (r#"{"detail":"who are you"}"#, AnswerVerdict::ErrorInBody),
        (
            r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":null}]}"#,
            AnswerVerdict::DoneWithoutFinish,
        ),
        (
            r#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}"#,
            AnswerVerdict::Complete,
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(read("openai-chat", body).verdict, expected, "{body}");
    }
}

#[test]
fn a_stream_may_end_before_it_begins() {
    let events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let found = answered("/v1/chat/completions", events, "");
    assert_eq!(
        (found.media, found.verdict),
        (BodyMediaType::Sse, AnswerVerdict::NoFinish)
    );
    let none = "HTTP/1.1 204 No Content\r\nContent-Type: text/event-stream\r\n\r\n";
    assert_eq!(
        answered("/v1/chat/completions", none, "").media,
        BodyMediaType::Empty
    );
}

#[test]
fn not_all_that_names_a_version_of_messages_is_one() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    let cases = [
        ("/v1/messages", Some("anthropic-messages")),
        ("/anthropic", Some("anthropic-messages")),
        ("/v1/models", Some("models")),
        ("/v1/messages/count_tokens", Some("token-count")),
        ("/v1/chat/completions/chatcmpl-1/messages", None),
        ("/v1/threads/thread_1/messages", None),
    ];
    for (path, expected) in cases {
        assert_eq!(
            answered(path, head, "{}").dialect_name(),
            expected,
            "{path}"
        );
    }
}

#[test]
fn counts_stay_where_a_later_event_has_none() {
    let stream = concat!(
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3}}\n\n",
        "data: {\"choices\":[],\"usage\":null}\n\n",
        "data: {\"choices\":[],\"usage\":{}}\n\n",
    );
    let usage = read("openai-chat", stream).usage.unwrap();
    assert_eq!((usage.input, usage.named.len()), (Some(5), 2));
}

#[test]
fn every_event_is_told() {
    let stream = concat!(
        "data: {\"type\":\"message_start\",\"message\":{\"role\":\"assistant\"}}\n\n",
        "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"x\"}}\n\n",
        "data: {\"type\":\"error\",\"error\":{\"type\":\"t\",\"message\":\"m\"}}\n\n",
    );
    let found = read("anthropic-messages", stream);
    let stamps: Vec<_> = found
        .deltas
        .iter()
        .map(|stamp| (stamp.event, stamp.kind))
        .collect();
    let expected = [
        (0, DeltaKind::Role),
        (1, DeltaKind::Other),
        (2, DeltaKind::Other),
        (3, DeltaKind::Error),
    ];
    assert_eq!(stamps, expected);
}

#[test]
fn sound_is_its_data_alone() {
    let pieces = [
        r#"{"index":0,"delta":{"audio":{"id":"a","transcript":""}}}"#,
        r#"{"index":0,"delta":{"audio":{"data":"AAAA"}}}"#,
        r#"{"index":0,"delta":{"audio":{"expires_at":1}}}"#,
    ];
    let found = read("openai-chat", &chat(&pieces, true));
    let sound = found
        .deltas
        .iter()
        .filter(|stamp| stamp.kind == DeltaKind::Audio);
    assert_eq!(sound.map(|stamp| stamp.event).collect::<Vec<_>>(), [1]);
    assert!(found.choices[0].audio);
}

#[test]
fn interactions_of_gemini_are_joined() {
    let stream = concat!(
        "data: {\"interaction\":{\"id\":\"v1_a\",\"status\":\"in_progress\",\"object\":\"interaction\",\"model\":\"gemini-2.5-flash\"},\"event_type\":\"interaction.created\"}\n\n",
        "data: {\"index\":0,\"step\":{\"type\":\"thought\"},\"event_type\":\"step.start\"}\n\n",
        "data: {\"index\":0,\"delta\":{\"content\":{\"type\":\"text\",\"text\":\"Hm.\"},\"type\":\"thought_summary\"},\"event_type\":\"step.delta\"}\n\n",
        "data: {\"index\":0,\"event_type\":\"step.stop\"}\n\n",
        "data: {\"index\":1,\"step\":{\"type\":\"model_output\"},\"event_type\":\"step.start\"}\n\n",
        "data: {\"index\":1,\"delta\":{\"text\":\"Hi\",\"type\":\"text\"},\"event_type\":\"step.delta\"}\n\n",
        "data: {\"index\":1,\"delta\":{\"annotations\":[{\"url\":\"https://a\",\"type\":\"url_citation\"}],\"type\":\"text_annotation_delta\"},\"event_type\":\"step.delta\"}\n\n",
        "data: {\"index\":2,\"step\":{\"id\":\"s\",\"type\":\"google_search_call\"},\"event_type\":\"step.start\"}\n\n",
        "data: {\"index\":2,\"delta\":{\"type\":\"google_search_call\",\"arguments\":{\"queries\":[]}},\"event_type\":\"step.delta\"}\n\n",
        "data: {\"index\":3,\"step\":{\"id\":\"c\",\"type\":\"function_call\",\"name\":\"f\",\"arguments\":{}},\"event_type\":\"step.start\"}\n\n",
        "data: {\"index\":3,\"delta\":{\"arguments\":\"{\\\"x\\\":\",\"type\":\"arguments_delta\"},\"event_type\":\"step.delta\"}\n\n",
        "data: {\"index\":3,\"delta\":{\"arguments\":\"1}\",\"type\":\"arguments_delta\"},\"event_type\":\"step.delta\"}\n\n",
        "data: {\"interaction\":{\"id\":\"v1_a\",\"status\":\"requires_action\",\"usage\":{\"total_tokens\":133,\"total_input_tokens\":53,",
        "\"input_tokens_by_modality\":[{\"modality\":\"text\",\"tokens\":53}],\"total_cached_tokens\":0,\"total_output_tokens\":15,",
        "\"total_tool_use_tokens\":0,\"total_thought_tokens\":65},\"service_tier\":\"standard\",\"model\":\"gemini-2.5-flash\"},\"event_type\":\"interaction.completed\"}\n\n",
    );
    let mut reader = AnswerReader::new(&Exchange::default(), &[], AnswerReadOptions::default());
    reader.push(stream.as_bytes(), Moment::default(), &mut ());
    let found = reader.finish(BodyEnding::Whole, &mut ());
    assert_eq!(
        (found.dialect_name(), found.verdict),
        (Some("gemini-interactions"), AnswerVerdict::Complete)
    );
    let choice = &found.choices[0];
    assert_eq!(
        (choice.text.as_str(), choice.reasoning.as_str()),
        ("Hi", "Hm.")
    );
    assert_eq!(choice.citations[0].source, "https://a");
    let calls: Vec<_> = choice
        .tool_calls
        .iter()
        .map(|call| (call.name.as_str(), call.arguments.as_str(), call.hosted))
        .collect();
    assert_eq!(
        calls,
        [
            ("google_search_call", "{\"queries\":[]}", true),
            ("f", "{\"x\":1}", false)
        ]
    );
    assert_eq!(choice.finish.as_ref().unwrap().kind, FinishKind::ToolCalls);
    let usage = found.usage.unwrap();
    assert_eq!(
        (usage.input, usage.output, usage.reasoning),
        (Some(53), Some(80), Some(65))
    );

    let body = r#"{"id":"v1_b","status":"completed","object":"interaction","model":"gemini-2.5-flash","steps":[
        {"type":"thought","signature":"x"},
        {"type":"model_output","content":[{"type":"text","text":"Hello"}]},
        {"type":"function_call","id":"c","name":"f","arguments":{"x":1}}]}"#;
    let found = read("gemini-interactions", body);
    assert_eq!(found.choices[0].text, "Hello");
    assert_eq!(found.choices[0].tool_calls[0].arguments, "{\"x\":1}");
    let cut = stream
        .split_once("data: {\"index\":1,\"event")
        .map_or(&stream[..600], |(cut, _)| cut);
    assert!(!read("gemini-interactions", cut).verdict.is_whole());
}

#[test]
fn thoughts_in_a_text_are_pointed_at_and_stay() {
    let cases = [
        ("<think>\\nHm.</think>\\n\\nHi", Some(19)),
        ("Hm.\\n</think>\\n\\nHi", Some(12)),
        ("<think>Hm.", Some(10)),
        ("What </think> means", None),
        ("Say <think> and </think>\\n", None),
        ("Hi", None),
    ];
    for (text, expected) in cases {
        let choice = format!("{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}");
        let found = read("openai-chat", &chat(&[&choice, STOP], true));
        let choice = &found.choices[0];
        assert_eq!(choice.thought.map(|span| span.end), expected, "{text}");
        assert_eq!(choice.text, text.replace("\\n", "\n"));
        let noted = found
            .notes
            .iter()
            .any(|note| note.rule == rule::REASONING_IN_TEXT);
        assert_eq!(noted, expected.is_some());
    }
}

#[test]
fn times_in_bodies_are_read_in_their_units() {
    let cases = [
        (
            "openai-chat",
            r#"{"choices":[],"usage":{"queue_time":0.02,"total_tokens":1}}"#,
            ("usage.queue_time", 20_000),
        ),
        (
            "openai-chat",
            r#"{"choices":[],"time_info":{"prompt_time":0.5,"created":1.7e9}}"#,
            ("time_info.prompt_time", 500_000),
        ),
        (
            "openai-chat",
            r#"{"choices":[],"timings":{"prompt_ms":12.5,"prompt_per_token_ms":1}}"#,
            ("timings.prompt_ms", 12_500),
        ),
        (
            "ollama",
            r#"{"done":true,"load_duration":8000000000,"eval_count":1}"#,
            ("load_duration", 8_000_000),
        ),
    ];
    for (dialect, body, (name, micros)) in cases {
        assert_eq!(
            read(dialect, body).times,
            [(name.to_owned(), micros)],
            "{body}"
        );
    }
}

#[test]
fn the_moment_of_the_first_byte_of_an_event_is_kept() {
    let stream = chat(&[TEXT, STOP], true);
    let at = Moment::from_micros;
    // Inside the first event, inside the line end after it, and inside the last.
    let (first, last) = (40, stream.len() - 3);
    let mut reader = AnswerReader::new(&Exchange::default(), &[], AnswerReadOptions::default());
    let pieces = [(0, first, 10), (first, last, 20), (last, stream.len(), 30)];
    for (from, to, micros) in pieces {
        reader.push(&stream.as_bytes()[from..to], at(micros), &mut ());
    }
    let found = reader.finish(BodyEnding::Whole, &mut ());
    let times: Vec<_> = found
        .deltas
        .iter()
        .map(|stamp| (stamp.begun.micros, stamp.moment.micros))
        .collect();
    assert_eq!(times, [(10, 20), (10, 20), (20, 20), (20, 30)]);
    assert_eq!(found.deltas.last().unwrap().kind, DeltaKind::Done);
}

#[test]
fn each_dialect_is_a_fuzz_target() {
    let targets = include_str!("../../fuzz/Cargo.toml");
    for dialect in super::DIALECTS {
        let name = format!("name = \"chat-{}\"", dialect.name());
        assert!(targets.contains(&name), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_bytes_have_an_answer_however_they_are_split(
        lines in prop::collection::vec(prop::sample::select(LINES), 0..12),
        rest in "[\\x00-\\x7fé]{0,12}",
    ) {
        fuzz((lines.concat() + &rest).as_bytes());
    }
}

/// What streams are made of, and what they are not.
const LINES: &[&str] = &[
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\\u00e9\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}]}}]}\n\n",
    "data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":18446744073709551615}}\n\n",
    "data: {\"error\":{\"message\":\"m\",\"code\":1}}\n\n",
    "data: {\"type\":\"content_block_delta\",\"index\":4294967296,\"delta\":{\"partial_json\":\"x\"}}\n\n",
    "data: {\"type\":\"response.output_item.done\",\"item\":{\"type\":\"function_call\"}}\n\n",
    "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"t\"},{\"functionCall\":{}}]}}]}\n\n",
    "{\"message\":{\"content\":\"x\"},\"done\":false}\n",
    "{\"done\":true,\"eval_count\":1}\n",
    "data: [DONE]\r\n\r\n",
    ": ping\n\n",
    "event: error\n",
    "data:\n",
    "[",
    "{},",
    "\u{feff}",
    "\r",
    "\n",
];

#[test]
fn a_transcript_is_joined_from_its_pieces_and_not_doubled_by_its_end() {
    let stream = concat!(
        "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hello \"}\n\n",
        "data: {\"type\":\"transcript.text.delta\",\"delta\":\"there\"}\n\n",
        "data: {\"type\":\"transcript.text.done\",\"text\":\"Hello there\",\"usage\":{\"input_tokens\":73,\"output_tokens\":16}}\n\n",
    );
    let found = read("openai-transcription", stream);
    assert_eq!(found.choices[0].text, "Hello there");
    assert_eq!(found.verdict, AnswerVerdict::Complete);
    assert_eq!(found.usage.unwrap().input, Some(73));
    let plain = read("openai-transcription", "{\"text\":\"Hello there\"}");
    assert_eq!(plain.choices[0].text, "Hello there");
    assert_eq!(plain.verdict, AnswerVerdict::Complete);
}

#[test]
fn vectors_are_counted_in_both_forms() {
    let numbers = |embedding: &str| {
        let body = format!("{{\"data\":[{{\"embedding\":{embedding}}}],\"model\":\"m\"}}");
        let vectors = read("openai-embeddings", &body).vectors.unwrap();
        (vectors.count, vectors.numbers, vectors.is_base64)
    };
    assert_eq!(numbers("[0.5,1,2]"), (1, 3, false));
    // Two floats are eight bytes.
    assert_eq!(numbers("\"AACAPwAAAEA=\""), (1, 2, true));
}

#[test]
fn the_model_of_a_form_is_read() {
    let body =
        b"--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--x--\r\n";
    let asked = RequestParams::read_body(body);
    assert_eq!(asked.model.as_deref(), Some("whisper-1"));
    assert_eq!(
        RequestParams::read_body(b"name=\"model\"\r\n\r\nx\r\n").model,
        None
    );
}
