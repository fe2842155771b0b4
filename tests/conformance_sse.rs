//! Event streams and recorded exchanges of public suites, with their expected readings.
//!
//! The suites are not part of this repository: `WIRE_CONFORMANCE` names their folder, without which these tests say
//! that they were skipped and pass.

use std::io::Read as _;
use std::path::PathBuf;

use base64_simd::STANDARD;
use serde_json::Value;
use wire::chat::{AnswerReadOptions, Completion, DeltaKind};
use wire::exchange::Exchange;
use wire::http1::{HttpLimits, HttpMessage};
use wire::span::{Moment, StreamSide};
use wire::sse::{EventDecoder, SseEvent, StreamFormat, StreamItem};
use wire::tape::{
    CloseKind, ConnectionFact, ConnectionParty, RollingBuffer, Stream, Tape, TapeOrigin, Window,
    WireSink as _,
};

#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "where the suites lie is said by the environment"
)]
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("WIRE_CONFORMANCE");
    if folder.is_none() {
        eprintln!("skipped: WIRE_CONFORMANCE names no folder");
    }
    folder.map(PathBuf::from)
}

#[expect(clippy::disallowed_methods, reason = "tests read their own files")]
fn file(path: &std::path::Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The events that a browser would return for a stream.
#[derive(Default)]
struct Seen {
    events: Vec<Value>,
    comments: Vec<Value>,
    blocks: Vec<Value>,
    retries: Vec<u64>,
    ignored: Vec<String>,
    last_id: String,
    cut: Option<Value>,
}

impl Seen {
    fn take(&mut self, item: StreamItem, seen: Window<'_>) {
        let text = |span| String::from_utf8_lossy(seen.slice(span)).into_owned();
        match item {
            StreamItem::Comment { text: span, .. } => {
                let comment =
                    serde_json::json!({"text": text(span), "before_event": self.events.len()});
                self.comments.push(comment);
            }
            StreamItem::Event(event) => {
                self.fields(&event, seen);
                let name = String::from_utf8_lossy(event.name(seen)).into_owned();
                let name = if name.is_empty() {
                    "message".to_owned()
                } else {
                    name
                };
                self.events.push(serde_json::json!({
                    "event": name,
                    "data": String::from_utf8_lossy(&event.data(seen)),
                    "id": self.last_id,
                    "retry": event.retry,
                    "id_field": event.id.map(text),
                }));
            }
            StreamItem::WithoutData(event)
                if event.id.is_some() || event.name.is_some() || event.retry.is_some() =>
            {
                self.fields(&event, seen);
                self.blocks.push(serde_json::json!({
                    "event": event.name.map(text),
                    "id_field": event.id.map(text),
                    "retry": event.retry,
                    "before_event": self.events.len(),
                }));
            }
            StreamItem::WithoutData(event) => self.fields(&event, seen),
            StreamItem::Truncated(cut) => {
                let last_id = std::mem::take(&mut self.last_id);
                self.fields(&cut.event, seen);
                self.last_id = last_id;
                let data = cut
                    .event
                    .first_data
                    .map(|_| String::from_utf8_lossy(&cut.event.data(seen)).into_owned());
                let line = (!cut.line.is_empty()).then(|| text(cut.line));
                // A blank line that is missing after fields without data loses nothing.
                self.cut = (data.is_some() || line.is_some())
                    .then(|| serde_json::json!({"pending_data": data, "unterminated_line": line}));
            }
            StreamItem::Separator(_) | StreamItem::TooLong(_) | StreamItem::Unframed { .. } => {}
        }
    }

    fn fields(&mut self, event: &SseEvent, seen: Window<'_>) {
        let text = |span| String::from_utf8_lossy(seen.slice(span)).into_owned();
        if let Some(id) = event.id {
            self.last_id = text(id);
        }
        self.retries.extend(event.retry);
        for field in event.fields(seen) {
            let known = ["data", "event", "id", "retry", ""];
            if !known.contains(&text(field.name).as_str()) {
                let line = text(field.line);
                self.ignored
                    .push(line.trim_end_matches(['\r', '\n']).to_owned());
            }
        }
    }
}

fn decode(pieces: &[Vec<u8>]) -> Seen {
    let (mut decoder, mut rolling) = (
        EventDecoder::new(StreamFormat::EventStream),
        RollingBuffer::default(),
    );
    let mut found = Seen::default();
    let end = [Vec::new()];
    for (n, piece) in pieces.iter().chain(&end).enumerate() {
        rolling.feed(piece, n == pieces.len(), |seen| {
            while let Some(item) = decoder.step(seen) {
                found.take(item, seen);
            }
            decoder.at()
        });
    }
    found
}

#[test]
fn event_streams_of_public_suites_read_as_expected() {
    let Some(folder) = folder() else { return };
    let cases = String::from_utf8(file(&folder.join("sse/cases.jsonl"))).unwrap();
    let cases: Vec<Value> = cases
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(cases.len() > 40);
    for case in cases {
        let chunks = case["chunks_base64"].as_array().unwrap().iter();
        let chunks: Vec<Vec<u8>> = chunks
            .map(|chunk| STANDARD.decode_to_vec(chunk.as_str().unwrap()).unwrap())
            .collect();
        let whole = chunks.concat();
        let bytes = whole.iter().map(|byte| vec![*byte]).collect();
        for pieces in [chunks, vec![whole], bytes] {
            let found = decode(&pieces);
            let id = &case["id"];
            assert_eq!(Value::from(found.events), case["expect_events"], "{id}");
            assert_eq!(Value::from(found.comments), case["expect_comments"], "{id}");
            assert_eq!(
                Value::from(found.blocks),
                case["expect_undispatched_blocks"],
                "{id}"
            );
            assert_eq!(Value::from(found.retries), case["expect_retries"], "{id}");
            assert_eq!(
                Value::from(found.ignored),
                case["expect_ignored_lines"],
                "{id}"
            );
            assert_eq!(found.last_id, case["expect_final_last_event_id"], "{id}");
            assert_eq!(
                found.cut.unwrap_or_default(),
                case["expect_discarded_at_eof"],
                "{id}"
            );
        }
    }
}

fn tape(request: &[u8], response: &[u8]) -> Tape {
    let mut tape = Tape::new(TapeOrigin {
        id: String::new(),
        started: jiff::Timestamp::UNIX_EPOCH,
        via: "send".to_owned(),
        url: String::new(),
        tool: String::new(),
        connection: None,
    });
    tape.bytes(StreamSide::Sent, Moment::default(), request);
    tape.bytes(StreamSide::Received, Moment::default(), response);
    let closed = ConnectionFact::Closed {
        by: ConnectionParty::Peer,
        how: CloseKind::Eof,
    };
    tape.fact(Moment::default(), &closed);
    tape
}

fn body(message: &HttpMessage, stream: &Stream) -> Vec<u8> {
    let pieces = message.body.iter().map(|span| stream.slice(*span));
    let coded = pieces.collect::<Vec<_>>().concat();
    if message.codings().next() != Some(b"gzip") {
        return coded;
    }
    let mut plain = Vec::new();
    let mut decoder = flate2::read::MultiGzDecoder::new(&coded[..]);
    decoder.read_to_end(&mut plain).unwrap();
    plain
}

fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, Value::from)
}

/// Checks that every count of `expected` is in `found` under its own name.
fn check_usage(id: &str, prefix: &str, expected: &Value, found: &Completion) {
    for (key, value) in expected.as_object().into_iter().flatten() {
        let path = format!("{prefix}{key}");
        if let Some(number) = value.as_u64() {
            let named = found.usage.as_ref().and_then(|usage| usage.count(&path));
            assert_eq!(named, Some(number), "{id}: {path}");
        }
        check_usage(id, &format!("{path}."), value, found);
    }
}

fn check_calls(id: &str, expected: &[Value], found: &Completion) {
    let calls = found.choices.iter().flat_map(|choice| &choice.tool_calls);
    let calls: Vec<_> = calls.filter(|call| !call.hosted).collect();
    assert_eq!(calls.len(), expected.len(), "{id}: {calls:?}");
    for (call, expected) in calls.iter().zip(expected) {
        assert_eq!(text(call.id.as_deref()), expected["id"], "{id}");
        assert_eq!(call.name.as_str(), expected["name"], "{id}");
        match expected["arguments"].as_str() {
            Some(arguments) => assert_eq!(call.arguments, arguments, "{id}"),
            None => {
                let own: Value = serde_json::from_str(&call.arguments).unwrap();
                assert_eq!(own, expected["arguments"], "{id}");
            }
        }
    }
}

fn check_error(id: &str, expected: &Value, found: &Completion) {
    let error = found
        .errors
        .first()
        .unwrap_or_else(|| panic!("{id}: no error"));
    assert_eq!(error.message, expected["message"], "{id}");
    let class = expected.get("type").or_else(|| expected.get("status"));
    assert_eq!(
        text(error.class.as_deref()),
        *class.unwrap_or(&Value::Null),
        "{id}"
    );
    let code = serde_json::to_value(&error.code).unwrap();
    assert_eq!(code, expected["code"], "{id}");
    assert_eq!(text(error.param.as_deref()), expected["param"], "{id}");
}

fn check(id: &str, expected: &Value, found: &Completion) {
    let first = found.choices.first();
    for (key, value) in expected.as_object().unwrap() {
        let own = match key.as_str() {
            "text" => first.map_or("", |choice| &choice.text).into(),
            // Some expected readings leave out the raw thoughts of open models; `wire` reads them as reasoning.
            "reasoning" if value == "" => continue,
            "reasoning" => first.map_or("", |choice| &choice.reasoning).into(),
            "finish_reason" | "status" => {
                text(first.and_then(|choice| Some(choice.finish.as_ref()?.named.as_str())))
            }
            "model" => text(found.served_model.as_deref()),
            "id" => text(found.id.as_deref()),
            "done" => found.done.into(),
            "n_choices" => found.choices.len().into(),
            "usage" if value.is_null() => {
                assert_eq!(found.usage, None, "{id}");
                continue;
            }
            "usage" => {
                check_usage(id, "", value, found);
                continue;
            }
            "tool_calls" => {
                check_calls(id, value.as_array().unwrap(), found);
                continue;
            }
            "error" => {
                check_error(id, value, found);
                continue;
            }
            "sse" => {
                assert_eq!(found.events + marks(found), value["events"], "{id}");
                assert_eq!(found.comments, value["comments"], "{id}");
                assert_eq!(found.bytes, value["bytes"], "{id}");
                continue;
            }
            "binary_eventstream" | "bytes" | "incomplete" | "terminal_event"
            | "text_from_deltas" | "n" => {
                continue;
            }
            key => panic!("{id}: no reading for {key}"),
        };
        assert_eq!(own, *value, "{id}: {key}");
    }
}

/// Number of `[DONE]` marks: some expected readings count them as events.
fn marks(found: &Completion) -> u64 {
    let marks = found.deltas.iter();
    marks
        .filter(|stamp| stamp.kind == DeltaKind::Done && stamp.bytes == 6)
        .count() as u64
}

#[test]
fn recorded_exchanges_read_as_expected() {
    let Some(folder) = folder() else { return };
    let folder = folder.join("exchanges");
    let index: Vec<Value> = serde_json::from_slice(&file(&folder.join("index.json"))).unwrap();
    assert!(index.len() > 60);
    for case in index {
        let id = case["id"].as_str().unwrap();
        let request = file(&folder.join(format!("{id}.request.http")));
        let response = file(&folder.join(format!("{id}.response.http")));
        let tape = tape(&request, &response);
        let exchange = Exchange::read(&tape, HttpLimits::default());
        let found = Completion::read(
            &exchange,
            &body(&exchange.request, &tape.sent),
            &body(&exchange.response, &tape.received),
            &|_| Moment::default(),
            AnswerReadOptions::default(),
        );
        check(id, &case["expect"], &found);
    }
}
