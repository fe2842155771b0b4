//! Whole exchanges with judged readings: each must read as its expectation says, however it is split, and as
//! broken off wherever it is cut. `NAME.request.http` and `NAME.response.http` are exact bytes,
//! `NAME.reads.json` is `[microseconds, bytes]` of each read, `NAME.expected.json` what a right reader finds.

#[path = "common/exchange_files.rs"]
mod exchange_files;

use std::io::Read as _;

use exchange_files::{file, names, reads, tape};
use serde_json::Value;
use wire::chat::{
    AnswerDelta, AnswerReadOptions, AnswerReader, AnswerVerdict, BodyEnding, Completion, DeltaSink,
};
use wire::exchange::Exchange;
use wire::http1::{BodyFraming, HttpLimits};
use wire::span::Moment;
use wire::tape::Tape;

/// One case.
struct Case {
    name: String,
    request: Vec<u8>,
    response: Vec<u8>,
    reads: Vec<(u64, usize)>,
    expected: Value,
}

fn cases() -> Vec<Case> {
    let case = |name: String| Case {
        request: file(&name, "request.http"),
        response: file(&name, "response.http"),
        reads: reads(&name),
        expected: serde_json::from_slice(&file(&name, "expected.json")).unwrap(),
        name,
    };
    names().into_iter().map(case).collect()
}

fn body(message: &wire::http1::HttpMessage, stream: &wire::tape::Stream) -> Vec<u8> {
    let pieces = message.body.iter().map(|span| stream.slice(*span));
    let coded = pieces.collect::<Vec<_>>().concat();
    match message.codings().next() {
        Some(b"gzip") => {
            let mut plain = Vec::new();
            // What a cut stream gives before its end counts.
            let _ = flate2::read::GzDecoder::new(&coded[..]).read_to_end(&mut plain);
            plain
        }
        _ => coded,
    }
}

/// When each byte of the body came, for bodies without coding.
fn moments(exchange: &Exchange, tape: &Tape) -> Vec<Moment> {
    let spans = exchange.response.body.iter();
    let offsets = spans.flat_map(|span| span.start..span.end);
    offsets
        .map(|offset| tape.received.moment_at(offset).unwrap())
        .collect()
}

fn read(case: &Case) -> Completion {
    let tape = tape(&case.name, &case.request, &case.response, &case.reads);
    let exchange = Exchange::read(&tape, HttpLimits::default());
    let asked = body(&exchange.request, &tape.sent);
    let answer = body(&exchange.response, &tape.received);
    let moments = moments(&exchange, &tape);
    let last = moments.last().copied().unwrap_or_default();
    let at = |offset: u64| {
        let offset = usize::try_from(offset).unwrap();
        moments.get(offset).copied().unwrap_or(last)
    };
    Completion::read(
        &exchange,
        &asked,
        &answer,
        &at,
        AnswerReadOptions::default(),
    )
}

/// Fails with the name of the case and the key.
fn same(case: &Case, key: &str, found: &Value, expected: &Value) {
    assert_eq!(found, expected, "{}: {key}", case.name);
}

fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, Value::from)
}

fn check(case: &Case, found: &Completion) {
    for (key, expected) in case.expected.as_object().unwrap() {
        let first = found.choices.first();
        let own = match key.as_str() {
            "dialect" => text(found.dialect_name()),
            "provider" => text(found.provider),
            "media" => serde_json::to_value(found.media).unwrap(),
            "status" => found.status.into(),
            "model" => text(found.served_model.as_deref()),
            "text" => first.map_or("", |choice| &choice.text).into(),
            "reasoning" => first.map_or("", |choice| &choice.reasoning).into(),
            "refusal" => text(first.and_then(|choice| choice.refusal.as_deref())),
            "choices" => found
                .choices
                .iter()
                .map(|choice| choice.text.clone())
                .collect(),
            "finish" => finishes(found),
            "events" => found.events.into(),
            "comments" => found.comments.into(),
            "done" => found.done.into(),
            "cost" => found.cost.as_ref().map(|cost| cost.usd).into(),
            "usage" => {
                check_usage(case, found, expected);
                continue;
            }
            "tokens" => {
                check_tokens(case, found, expected);
                continue;
            }
            "tool_calls" => {
                check_calls(case, found, expected);
                continue;
            }
            "error" => {
                check_error(case, found, expected);
                continue;
            }
            "complete" => {
                let cut = matches!(
                    found.verdict,
                    AnswerVerdict::CutInChunk | AnswerVerdict::CutOff { .. }
                );
                (!cut).into()
            }
            "name" | "source" | "note" => continue,
            key => panic!("{}: no reading for {key}", case.name),
        };
        same(case, key, &own, expected);
    }
}

fn finishes(found: &Completion) -> Value {
    let finish = |choice: &wire::chat::AnswerChoice| {
        text(choice.finish.as_ref().map(|finish| finish.named.as_str()))
    };
    found.choices.iter().map(finish).collect()
}

fn check_usage(case: &Case, found: &Completion, expected: &Value) {
    let Some(expected) = expected.as_object() else {
        assert_eq!(found.usage, None, "{}: usage", case.name);
        return;
    };
    let usage = found.usage.as_ref().unwrap();
    let mut counts = 0;
    for (key, value) in expected {
        for (inner, value) in value.as_object().into_iter().flatten() {
            let path = format!("{key}.{inner}");
            if let Some(number) = value.as_u64() {
                assert_eq!(usage.count(&path), Some(number), "{}: {path}", case.name);
                counts += 1;
            }
        }
        for item in value.as_array().into_iter().flatten() {
            let path = format!("{key}.{}", item["modality"].as_str().unwrap());
            let number = item["tokenCount"].as_u64();
            assert_eq!(usage.count(&path), number, "{}: {path}", case.name);
            counts += 1;
        }
        if let Some(number) = value.as_u64() {
            assert_eq!(usage.count(key), Some(number), "{}: {key}", case.name);
            counts += 1;
        }
    }
    assert_eq!(
        usage.named.len(),
        counts,
        "{}: {:?}",
        case.name,
        usage.named
    );
}

fn check_tokens(case: &Case, found: &Completion, expected: &Value) {
    let usage = found.usage.clone().unwrap_or_default();
    let own = [
        ("input", usage.input),
        ("output", usage.output),
        ("cached", usage.cached_input),
        ("cache_write", usage.cache_write),
        ("reasoning", usage.reasoning),
    ];
    for (key, own) in own {
        if let Some(expected) = expected.get(key) {
            same(case, key, &own.into(), expected);
        }
    }
}

fn check_calls(case: &Case, found: &Completion, expected: &Value) {
    let calls = &found.choices[0].tool_calls;
    let expected = expected.as_array().unwrap();
    assert_eq!(calls.len(), expected.len(), "{}: tool calls", case.name);
    for (call, expected) in calls.iter().zip(expected) {
        same(case, "call id", &text(call.id.as_deref()), &expected["id"]);
        same(
            case,
            "call name",
            &call.name.as_str().into(),
            &expected["name"],
        );
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
        let wanted: Value = serde_json::from_str(expected["arguments"].as_str().unwrap()).unwrap();
        same(case, "arguments", &arguments, &wanted);
    }
}

fn check_error(case: &Case, found: &Completion, expected: &Value) {
    assert_eq!(found.errors.len(), 1, "{}: {:?}", case.name, found.errors);
    let error = &found.errors[0];
    let code = serde_json::to_value(&error.code).unwrap();
    same(case, "error code", &code, &expected["code"]);
    same(
        case,
        "error type",
        &text(error.class.as_deref()),
        &expected["type"],
    );
    let words = expected["message_has"].as_str().unwrap();
    assert!(
        error.message.contains(words),
        "{}: {}",
        case.name,
        error.message
    );
}

#[test]
fn every_exchange_reads_as_expected() {
    let cases = cases();
    assert!(cases.len() > 50, "only {} cases", cases.len());
    for case in &cases {
        check(case, &read(case));
    }
}

#[test]
fn every_exchange_has_the_expected_verdict() {
    let verdicts = [
        ("anthropic-529", AnswerVerdict::ErrorAnswer),
        ("anthropic-stream-overloaded", AnswerVerdict::ErrorEvent),
        ("anthropic-stream-refusal", AnswerVerdict::Refused),
        ("anthropic-stream-thinking-tools", AnswerVerdict::Complete),
        ("azure-stream-content-filter", AnswerVerdict::Filtered),
        ("compat-close-delimited", AnswerVerdict::Complete),
        ("deepseek-plain-keepalive", AnswerVerdict::Complete),
        ("edge-502-html", AnswerVerdict::ErrorAnswer),
        ("gemini-prompt-blocked", AnswerVerdict::Filtered),
        ("gemini-stream", AnswerVerdict::Complete),
        ("gemini-stream-array", AnswerVerdict::Complete),
        ("groq-stream-error", AnswerVerdict::ErrorEvent),
        ("ollama-ndjson", AnswerVerdict::Complete),
        ("ollama-ndjson-error", AnswerVerdict::ErrorEvent),
        ("openai-chat-gzip", AnswerVerdict::Complete),
        ("openai-chat-reasoning-empty", AnswerVerdict::LengthLimit),
        ("openai-chat-stream-n2", AnswerVerdict::LengthLimit),
        ("openai-chat-stream-refusal", AnswerVerdict::Refused),
        (
            "openai-responses-error-after-200",
            AnswerVerdict::ErrorEvent,
        ),
        ("openai-responses-incomplete", AnswerVerdict::LengthLimit),
        ("openai-responses-stream", AnswerVerdict::Complete),
        ("openai-stream-no-done", AnswerVerdict::NoFinish),
        ("openai-stream-truncated", AnswerVerdict::CutInChunk),
        ("openrouter-stream-error", AnswerVerdict::ErrorEvent),
        ("perplexity-stream", AnswerVerdict::Complete),
        ("sse-torture", AnswerVerdict::Complete),
        ("xai-stream-reasoning", AnswerVerdict::Complete),
    ];
    let cases = cases();
    for (name, expected) in verdicts {
        let case = cases.iter().find(|case| case.name == name).unwrap();
        assert_eq!(read(case).verdict, expected, "{name}");
    }
}

/// All that a listener is told, but for the moments.
#[derive(Clone, Default, PartialEq, Debug)]
struct Told(Vec<String>);

impl DeltaSink for Told {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        let AnswerDelta {
            choice,
            kind,
            text,
            span,
            event,
            ..
        } = delta;
        self.0
            .push(format!("{event} {choice} {kind:?} {text} {span}"));
    }
}

/// The answer without its moments.
fn timeless(mut found: Completion) -> Completion {
    found.first_event = None;
    found.first_token = None;
    found.last_token = None;
    for stamp in &mut found.deltas {
        stamp.moment = Moment::default();
    }
    found
}

/// Feeds the body in two pieces, cut at each byte; on the way, judges each beginning as if it were all.
#[test]
fn any_split_gives_the_same_answer_and_no_beginning_is_complete() {
    for case in cases() {
        let tape = tape(&case.name, &case.request, &case.response, &case.reads);
        let exchange = Exchange::read(&tape, HttpLimits::default());
        let asked = body(&exchange.request, &tape.sent);
        let answer = body(&exchange.response, &tape.received);
        let ending = BodyEnding::from_exchange(&exchange);
        let begin = || {
            (
                AnswerReader::new(&exchange, &asked, AnswerReadOptions::default()),
                Told::default(),
            )
        };
        let (mut whole, mut told) = begin();
        whole.push(&answer, Moment::default(), &mut told);
        let whole = timeless(whole.finish(ending, &mut told));
        let (mut reader, mut heard) = begin();
        for (n, byte) in answer.iter().enumerate() {
            let (mut rest, mut more) = (reader.clone(), Told::default());
            rest.push(&answer[n..], Moment::default(), &mut more);
            let split = timeless(rest.finish(ending, &mut more));
            assert_eq!(split, whole, "{}: split at {n}", case.name);
            let expected = &told.0[heard.0.len()..];
            assert_eq!(more.0, expected, "{}: split at {n}", case.name);
            let early = reader.clone().finish(BodyEnding::Whole, &mut ());
            let over = early.done || early.choices.iter().all(|choice| choice.finish.is_some());
            let complete = early.verdict.is_whole() && early.verdict != AnswerVerdict::ErrorAnswer;
            let has_text =
                |found: &Completion| found.choices.first().map(|choice| choice.text.clone());
            let lost = has_text(&early) != has_text(&whole);
            assert!(
                !complete || (over && !lost),
                "{}: cut at {n}: {:?}",
                case.name,
                early.verdict
            );
            reader.push(std::slice::from_ref(byte), Moment::default(), &mut heard);
        }
    }
}

/// Cuts the connection at each byte of the response: none of them reads as whole.
#[test]
fn an_answer_that_is_cut_anywhere_is_never_whole() {
    for case in cases() {
        let (mut reader, mut fed) = (None::<AnswerReader>, 0);
        for cut in 0..case.response.len() {
            let tape = tape(&case.name, &case.request, &case.response[..cut], &[]);
            let exchange = Exchange::read(&tape, HttpLimits::default());
            let answer = body(&exchange.response, &tape.received);
            if reader.is_none() && exchange.response.framing.is_some() {
                let asked = body(&exchange.request, &tape.sent);
                reader = Some(AnswerReader::new(
                    &exchange,
                    &asked,
                    AnswerReadOptions::default(),
                ));
            }
            // Of a head that was cut nothing is known.
            let Some(reader) = &mut reader else {
                assert!(
                    !exchange.outcome().is_whole(),
                    "{}: cut at {cut}",
                    case.name
                );
                continue;
            };
            reader.push(&answer[fed..], Moment::default(), &mut ());
            fed = answer.len();
            let found = reader
                .clone()
                .finish(BodyEnding::from_exchange(&exchange), &mut ());
            // Nobody can tell a close-delimited body that was cut between two events; it lacks its mark.
            let silent = exchange.response.framing == Some(BodyFraming::UntilClose);
            let fine = if silent {
                found.verdict != AnswerVerdict::Complete || found.done
            } else {
                !found.verdict.is_whole()
            };
            assert!(fine, "{}: cut at {cut}: {:?}", case.name, found.verdict);
        }
    }
}

#[test]
fn a_stream_without_usage_says_how_to_ask_for_it() {
    let cases = cases();
    let case = cases
        .iter()
        .find(|case| case.name == "openai-chat-stream-no-usage")
        .unwrap();
    let found = read(case);
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.text.contains("include_usage"))
    );
    assert_eq!(found.usage, None);
}

#[test]
fn deltas_carry_the_time_of_the_read_that_completed_them() {
    for case in cases() {
        let found = read(&case);
        let moments: Vec<_> = found.deltas.iter().map(|stamp| stamp.moment).collect();
        assert!(moments.is_sorted(), "{}", case.name);
        let reads: Vec<_> = case.reads.iter().map(|(micros, _)| *micros).collect();
        for moment in moments {
            assert!(reads.contains(&moment.micros), "{}: {moment:?}", case.name);
        }
    }
}
