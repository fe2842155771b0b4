//! Answers of Bedrock: frames of Converse, events of other APIs in base64, exceptions, damage.

use super::read;
use crate::chat::note::rule;
use crate::chat::{
    AnswerReadOptions, AnswerReader, AnswerVerdict, BodyEnding, BodyMediaType, Completion, fuzz,
};
use crate::exchange::Exchange;
use crate::http1::HttpLimits;
use crate::import;
use crate::span::Moment;
use crate::sse::encode_frame;

fn event(kind: &str, payload: &str) -> Vec<u8> {
    let headers = [
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ];
    encode_frame(&headers, payload.as_bytes())
}

/// A frame of InvokeModelWithResponseStream.
fn chunk(payload: &str) -> Vec<u8> {
    let coded = base64_simd::STANDARD.encode_to_string(payload.as_bytes());
    event("chunk", &format!("{{\"bytes\":\"{coded}\",\"p\":\"abc\"}}"))
}

fn read_frames(frames: &[Vec<u8>]) -> Completion {
    let body = frames.concat();
    fuzz(&body);
    let mut reader = AnswerReader::new(&Exchange::default(), &[], AnswerReadOptions::default());
    reader.push(&body, Moment::from_micros(7), &mut ());
    let found = reader.finish(BodyEnding::Whole, &mut ());
    assert_eq!(found.media, BodyMediaType::AwsEventstream);
    found
}

fn rules(found: &Completion) -> Vec<&'static str> {
    found.notes.iter().map(|note| note.rule).collect()
}

const USAGE: &str = r#"{"usage":{"inputTokens":4,"outputTokens":30,"totalTokens":134,"cacheReadInputTokens":80,"cacheWriteInputTokens":20,"cacheDetails":[{"ttl":"1h","inputTokens":15},{"ttl":"5m","inputTokens":5}]},"metrics":{"latencyMs":12}}"#;

#[test]
fn a_converse_stream_is_joined_from_its_frames() {
    let found = read_frames(&[
        event("messageStart", r#"{"role":"assistant"}"#),
        event(
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm."}}}"#,
        ),
        event("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        event(
            "contentBlockDelta",
            r#"{"contentBlockIndex":1,"delta":{"text":"Hi "}}"#,
        ),
        event(
            "contentBlockDelta",
            r#"{"contentBlockIndex":1,"delta":{"text":"there"},"p":"ab"}"#,
        ),
        event(
            "contentBlockStart",
            r#"{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t1","name":"add"}}}"#,
        ),
        event(
            "contentBlockDelta",
            r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"a\":"}}}"#,
        ),
        event(
            "contentBlockDelta",
            r#"{"contentBlockIndex":2,"delta":{"toolUse":{"input":"1}"}}}"#,
        ),
        event("messageStop", r#"{"stopReason":"tool_use"}"#),
        event("metadata", USAGE),
    ]);
    assert_eq!(found.verdict, AnswerVerdict::Complete);
    assert_eq!(found.dialect_name(), Some("bedrock-converse"));
    let choice = &found.choices[0];
    assert_eq!((&*choice.text, &*choice.reasoning), ("Hi there", "Hm."));
    let call = &choice.tool_calls[0];
    assert_eq!(
        (call.id.as_deref(), &*call.name, &*call.arguments),
        (Some("t1"), "add", "{\"a\":1}")
    );
    let usage = found.usage.unwrap();
    // Tokens read from the cache and written to it are beside the input.
    assert_eq!(
        (usage.input, usage.cached_input, usage.output),
        (Some(104), Some(80), Some(30))
    );
    assert_eq!(
        (usage.cache_write, usage.cache_write_1h),
        (Some(20), Some(15))
    );
    assert_eq!(found.times, [("latencyMs".to_owned(), 12_000)]);
    assert_eq!(found.notes, []);
}

#[test]
fn a_plain_converse_answer_is_read() {
    let body = format!(
        r#"{{"output":{{"message":{{"role":"assistant","content":[{{"reasoningContent":{{"reasoningText":{{"text":"Hm."}}}}}},{{"text":"Hi"}},{{"toolUse":{{"toolUseId":"t","name":"add","input":{{"a":1}}}}}}]}}}},"stopReason":"tool_use",{}"#,
        &USAGE[1..]
    );
    let found = read("bedrock-converse", &body);
    assert_eq!(found.verdict, AnswerVerdict::Complete);
    let choice = &found.choices[0];
    assert_eq!((&*choice.text, &*choice.reasoning), ("Hi", "Hm."));
    assert_eq!(choice.tool_calls[0].arguments, "{\"a\":1}");
    assert_eq!(found.usage.unwrap().input, Some(104));
}

#[test]
fn events_in_base64_are_read_in_the_dialect_of_the_model() {
    let found = read_frames(&[
        chunk(
            r#"{"type":"message_start","message":{"id":"m","model":"claude-x","role":"assistant","usage":{"input_tokens":5}}}"#,
        ),
        chunk(
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        ),
        chunk(
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
        ),
        chunk(r#"{"type":"content_block_stop","index":0}"#),
        chunk(
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3}}"#,
        ),
        chunk(
            r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":5}}"#,
        ),
    ]);
    assert_eq!(found.dialect_name(), Some("anthropic-messages"));
    assert_eq!(found.choices[0].text, "Hi");
    assert_eq!(found.usage.unwrap().output, Some(3));
    assert_eq!(
        (found.verdict, found.notes),
        (AnswerVerdict::Complete, vec![])
    );
    let nova = read_frames(&[
        chunk(r#"{"messageStart":{"role":"assistant"}}"#),
        chunk(r#"{"contentBlockDelta":{"delta":{"text":"Hi"},"contentBlockIndex":0}}"#),
        chunk(r#"{"messageStop":{"stopReason":"end_turn"}}"#),
        chunk(r#"{"metadata":{"usage":{"inputTokens":3,"outputTokens":1},"metrics":{}}}"#),
    ]);
    assert_eq!(nova.choices[0].text, "Hi");
    assert_eq!(nova.usage.unwrap().input, Some(3));
    assert_eq!(nova.verdict, AnswerVerdict::Complete);
}

#[test]
fn models_without_an_api_of_their_own_are_read() {
    let llama = read_frames(&[
        chunk(
            r#"{"generation":"Hi","prompt_token_count":9,"generation_token_count":1,"stop_reason":null}"#,
        ),
        chunk(
            r#"{"generation":"!","generation_token_count":2,"stop_reason":"stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":9,"outputTokenCount":2}}"#,
        ),
    ]);
    assert_eq!(llama.choices[0].text, "Hi!");
    assert_eq!(llama.verdict, AnswerVerdict::Complete);
    let usage = llama.usage.unwrap();
    assert_eq!((usage.input, usage.output), (Some(9), Some(2)));
    let titan = r#"{"inputTextTokenCount":5,"results":[{"tokenCount":3,"outputText":"Hi","completionReason":"FINISH"}]}"#;
    let titan = read("bedrock-invoke", titan);
    assert_eq!(
        (&*titan.choices[0].text, titan.verdict),
        ("Hi", AnswerVerdict::Complete)
    );
    assert_eq!(titan.usage.unwrap().output, Some(3));
    let mistral = read_frames(&[chunk(
        r#"{"outputs":[{"text":"Hi","stop_reason":"length"}]}"#,
    )]);
    assert_eq!(mistral.verdict, AnswerVerdict::LengthLimit);
    let cut = read_frames(&[chunk(r#"{"generation":"Hi","stop_reason":null}"#)]);
    assert_eq!(cut.verdict, AnswerVerdict::NoFinish);
}

#[test]
fn exceptions_and_errors_fail_the_answer() {
    let start = event("messageStart", r#"{"role":"assistant"}"#);
    let exception = encode_frame(
        &[
            (":message-type", "exception"),
            (":exception-type", "throttlingException"),
        ],
        br#"{"message":"Too many tokens","originalStatusCode":429,"originalMessage":"slow down"}"#,
    );
    let found = read_frames(&[start.clone(), exception]);
    assert_eq!(found.verdict, AnswerVerdict::ErrorEvent);
    let error = &found.errors[0];
    assert_eq!(error.class.as_deref(), Some("throttlingException"));
    assert_eq!(error.message, "Too many tokens");
    assert_eq!(error.code.as_ref().unwrap().to_string(), "429");
    assert_eq!(error.upstream.as_ref().unwrap().message, "slow down");
    let error = encode_frame(
        &[
            (":message-type", "error"),
            (":error-code", "InternalFailure"),
            (":error-message", "it broke"),
        ],
        b"",
    );
    let found = read_frames(&[start, error]);
    assert_eq!(found.verdict, AnswerVerdict::ErrorEvent);
    assert_eq!(found.errors[0].class.as_deref(), Some("InternalFailure"));
    assert_eq!(found.errors[0].message, "it broke");
}

#[test]
fn a_broken_frame_is_a_finding_and_damages_the_answer() {
    let frames = || {
        vec![
            event("messageStart", r#"{"role":"assistant"}"#),
            event(
                "contentBlockDelta",
                r#"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#,
            ),
            event("messageStop", r#"{"stopReason":"end_turn"}"#),
        ]
    };
    assert_eq!(read_frames(&frames()).verdict, AnswerVerdict::Complete);
    let flipped = |at: usize| {
        let mut frames = frames();
        let at = at.min(frames[1].len() - 1);
        frames[1][at] ^= 1;
        read_frames(&frames)
    };
    let checksum = flipped(usize::MAX);
    assert_eq!(checksum.verdict, AnswerVerdict::Damaged);
    assert_eq!(rules(&checksum), [rule::EVENTSTREAM_FRAME_BROKEN]);
    // What can be read of it is shown.
    assert_eq!(checksum.choices[0].text, "Hi");
    let lengths = flipped(9);
    assert_eq!(lengths.verdict, AnswerVerdict::Damaged);
    assert!(rules(&lengths).contains(&rule::EVENTSTREAM_FRAMING_LOST));
    let cut = &frames()[..2].concat()[..150];
    let found = read_frames(&[cut.to_vec()]);
    assert!(matches!(found.verdict, AnswerVerdict::CutInEvent { .. }));
    let not_base64 = event("chunk", r#"{"bytes":"&&&"}"#);
    let found = read_frames(&[frames()[0].clone(), not_base64]);
    assert_eq!(found.verdict, AnswerVerdict::Damaged);
}

#[test]
fn the_path_names_the_model() {
    let message = concat!(
        "POST /model/us.anthropic.claude-x%3A0/converse HTTP/1.1\r\nHost: bedrock-runtime.us-east-1.amazonaws.com\r\n",
        "Content-Length: 2\r\n\r\n{}HTTP/1.1 400 Bad Request\r\n",
        "Content-Type: application/json\r\nContent-Length: 22\r\n\r\n{\"message\":\"too long\"}",
    );
    let tape = import::read_message(message.as_bytes());
    let exchange = Exchange::read(&tape, HttpLimits::default());
    let body = br#"{"message":"too long"}"#;
    let options = AnswerReadOptions::default();
    let found = Completion::read(&exchange, b"{}", body, &|_| Moment::default(), options);
    assert_eq!(
        found.asked_model.as_deref(),
        Some("us.anthropic.claude-x:0")
    );
    assert_eq!(found.provider, Some("bedrock"));
    assert_eq!(found.errors[0].message, "too long");
    assert_eq!(found.verdict, AnswerVerdict::ErrorAnswer);
}
