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

/// An exchange of `tests/exchanges` with its expected reading.
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
            // Bytes decoded before the cut count.
            let _ = flate2::read::GzDecoder::new(&coded[..]).read_to_end(&mut plain);
            plain
        }
        _ => coded,
    }
}

/// The arrival time of each byte of the body, for bodies without coding.
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

/// Asserts that two values are equal; fails with the name of the case and the key.
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
            "finish" => finish_reasons(found),
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

fn finish_reasons(found: &Completion) -> Value {
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

/// A sink that records every delta without its moment.
#[derive(Clone, Default, PartialEq, Debug)]
struct SeenDeltas(Vec<String>);

impl DeltaSink for SeenDeltas {
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

/// The completion without its moments, to compare readings of different splits.
fn without_moments(mut found: Completion) -> Completion {
    found.first_event = None;
    found.first_token = None;
    found.last_token = None;
    for stamp in &mut found.deltas {
        stamp.moment = Moment::default();
    }
    found
}

/// Feeds the body in two pieces, split at each byte, and reads each prefix as if it were the whole body.
#[test]
fn any_split_gives_the_same_answer_and_no_prefix_is_complete() {
    for case in cases() {
        let tape = tape(&case.name, &case.request, &case.response, &case.reads);
        let exchange = Exchange::read(&tape, HttpLimits::default());
        let asked = body(&exchange.request, &tape.sent);
        let answer = body(&exchange.response, &tape.received);
        let ending = BodyEnding::from_exchange(&exchange);
        let begin = || {
            (
                AnswerReader::new(&exchange, &asked, AnswerReadOptions::default()),
                SeenDeltas::default(),
            )
        };
        let (mut whole, mut seen) = begin();
        whole.push(&answer, Moment::default(), &mut seen);
        let whole = without_moments(whole.finish(ending, &mut seen));
        let (mut reader, mut received) = begin();
        for (n, byte) in answer.iter().enumerate() {
            let (mut rest, mut more) = (reader.clone(), SeenDeltas::default());
            rest.push(&answer[n..], Moment::default(), &mut more);
            let split = without_moments(rest.finish(ending, &mut more));
            assert_eq!(split, whole, "{}: split at {n}", case.name);
            let expected = &seen.0[received.0.len()..];
            assert_eq!(more.0, expected, "{}: split at {n}", case.name);
            let early = reader.clone().finish(BodyEnding::Whole, &mut ());
            let is_over = early.done || early.choices.iter().all(|choice| choice.finish.is_some());
            let complete = early.verdict.is_whole() && early.verdict != AnswerVerdict::ErrorAnswer;
            let has_text =
                |found: &Completion| found.choices.first().map(|choice| choice.text.clone());
            let lost = has_text(&early) != has_text(&whole);
            assert!(
                !complete || (is_over && !lost),
                "{}: cut at {n}: {:?}",
                case.name,
                early.verdict
            );
            reader.push(std::slice::from_ref(byte), Moment::default(), &mut received);
        }
    }
}

/// Cuts the connection at each byte of the response: no cut response may read as complete.
#[test]
fn an_answer_that_is_cut_is_never_complete() {
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
            // A head that was cut says nothing about the body.
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
            // A close-delimited body that is cut between two events looks complete but for its missing end mark.
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
