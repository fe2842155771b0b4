//! Calls on a WebSocket: each means what the same events mean over SSE, and belongs to its lane. The captures under
//! `tests/data/websocket/` are made here (`SNAPSHOTS=overwrite cargo test --test websocket`); `tests/cmd/websocket.md` shows
//! them.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]

mod common;

use common::websocket::{Connection, frame};
use serde_json::{Value, json};
use wire::call::meaning::CostEstimate;
use wire::call::websocket::WebSocketSession;
use wire::chat::AnswerVerdict;
use wire::exchange::{Exchange, ExchangeOutcome};
use wire::span::{Moment, StreamSide};
use wire::tape::{CloseKind, ConnectionFact, ConnectionParty, Tape, WireSink};
use wire::{Call, ReadOptions};

const MODEL: &str = "gpt-5-mini-2025-08-07";

fn create(lane: &str, more: Value) -> Value {
    let input = json!([{"type": "message", "role": "user", "content": "Köln 🌍"}]);
    let mut event = json!({"type": "response.create", "stream_id": lane, "model": "gpt-5-mini", "input": input});
    event
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    event
}

/// The events of an answer with these pieces of text.
fn answer(id: &str, lane: Option<&str>, pieces: &[&str]) -> Vec<Value> {
    let base = json!({"id": id, "object": "response", "model": MODEL, "output": []});
    let with = |more: Value| {
        let mut object = base.clone();
        object
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        object
    };
    let mut events = vec![
        json!({"type": "response.created", "response": with(json!({"status": "in_progress"}))}),
    ];
    if !pieces.is_empty() {
        events.push(
            json!({"type": "response.output_item.added", "output_index": 0,
            "item": {"id": "msg_1", "type": "message", "role": "assistant", "content": []}}),
        );
    }
    for piece in pieces {
        events.push(
            json!({"type": "response.output_text.delta", "item_id": "msg_1", "output_index": 0,
            "content_index": 0, "delta": piece}),
        );
    }
    let output: Vec<_> = match pieces.is_empty() {
        true => vec![],
        false => vec![
            json!({"type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": pieces.concat()}]}),
        ],
    };
    let usage = json!({"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4}, "output_tokens": pieces.len(),
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 9 + pieces.len()});
    events.push(json!({"type": "response.completed",
        "response": with(json!({"status": "completed", "output": output, "usage": usage}))}));
    number(&mut events, lane);
    events
}

/// Adds sequence numbers and the lane.
fn number(events: &mut [Value], lane: Option<&str>) {
    for (number, event) in events.iter_mut().enumerate() {
        event["sequence_number"] = json!(number);
        if let Some(lane) = lane {
            event["stream_id"] = json!(lane);
        }
    }
}

fn failed(id: &str, lane: &str) -> Vec<Value> {
    let base = json!({"id": id, "object": "response", "model": MODEL, "status": "in_progress"});
    let mut events = vec![
        json!({"type": "response.created", "response": base}),
        json!({"type": "response.failed", "response": {"id": id, "object": "response", "model": MODEL, "status": "failed",
            "error": {"code": "rate_limit_exceeded", "message": "Rate limit reached"}}}),
    ];
    number(&mut events, Some(lane));
    events
}

/// What an agent says in a minute: a warm-up, an answer, two lanes at the same time with a steer, a failure, a message that
/// is no question, pings, a close.
fn agent(deflate: bool) -> Connection {
    let mut connection = Connection::open("/v1/responses", deflate);
    connection.send(&create("main", json!({"generate": false})));
    connection.receive_all(&answer("resp_0", Some("main"), &[]));
    connection.send(&create("main", json!({})));
    connection.receive_all(&answer(
        "resp_1",
        Some("main"),
        &["Hello ", "from ", "the lane."],
    ));
    connection.send(&create("main", json!({"previous_response_id": "resp_1"})));
    connection.send(&create("sub", json!({"instructions": "Be brief."})));
    let main = answer("resp_2", Some("main"), &["One, ", "two."]);
    let sub = answer("resp_3", Some("sub"), &["Sub ", "answer."]);
    connection.receive(&main[0]);
    connection.receive(&sub[0]);
    connection.send(
        &json!({"type": "response.steer", "previous_response_id": "resp_2", "input": "shorter"}),
    );
    connection.receive(
        &json!({"type": "response.steer.accepted", "stream_id": "main", "sequence_number": 0,
        "steer": {"id": "steer_1", "previous_response_id": "resp_2"}}),
    );
    for (one, other) in main[1..].iter().zip(&sub[1..]) {
        connection.receive(one);
        connection.receive(other);
    }
    connection.receive_frame(&frame(0x89, None, b"alive?"));
    connection.send_frame(&frame(0x8a, Some([1, 2, 3, 4]), b"alive?"));
    connection.send(&create("sub", json!({})));
    connection.receive_all(&failed("resp_4", "sub"));
    connection.send(&json!({"type": "response.nonsense"}));
    connection.receive(&json!({"type": "error", "status": 400,
        "error": {"type": "invalid_request_error", "code": "unknown_event", "message": "no such event"}}));
    connection
}

fn close(mut connection: Connection) -> Tape {
    connection.send_frame(&frame(0x88, Some([5, 6, 7, 8]), b"\x03\xe8bye"));
    connection.receive_frame(&frame(0x88, None, b"\x03\xe8"));
    connection.end(CloseKind::Eof)
}

fn read(tape: &Tape) -> (Exchange, WebSocketSession, Vec<Call>) {
    let options = ReadOptions::default();
    let exchange = Exchange::read(tape, options.http1);
    let session = WebSocketSession::read(tape, &exchange, &options).expect("a WebSocket");
    let calls = (0..session.calls.len())
        .map(|number| session.call(number, tape, &exchange, &options).unwrap())
        .collect();
    (exchange, session, calls)
}

/// The call that the same question and events make over HTTP and SSE.
fn over_sse(question: &[u8], events: &[u8]) -> Call {
    let mut tape = Tape::new(common::websocket::origin());
    let head = format!(
        "POST /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: {}\r\n\r\n",
        question.len()
    );
    tape.bytes(
        StreamSide::Sent,
        Moment::default(),
        &[head.as_bytes(), question].concat(),
    );
    let mut body = String::new();
    for line in std::str::from_utf8(events).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let name = event["type"].as_str().unwrap();
        body.push_str(&format!("event: {name}\ndata: {line}\n\n"));
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    tape.bytes(
        StreamSide::Received,
        Moment::from_micros(9),
        format!("{head}{body}").as_bytes(),
    );
    let closed = ConnectionFact::Closed {
        by: ConnectionParty::Peer,
        how: CloseKind::Eof,
    };
    tape.fact(Moment::from_micros(10), &closed);
    for side in [StreamSide::Sent, StreamSide::Received] {
        tape.ended(side, Moment::from_micros(10));
    }
    Call::read(tape, &ReadOptions::default())
}

fn total(call: &Call) -> Option<String> {
    match &call.meaning.cost {
        CostEstimate::Known { cost, .. } => Some(cost.total.to_string()),
        _ => None,
    }
}

#[test]
fn a_call_means_what_the_same_events_mean_over_sse() {
    for deflate in [false, true] {
        let tape = close(agent(deflate));
        let (_, _, calls) = read(&tape);
        assert_eq!(calls.len(), 5);
        for call in &calls {
            let other = over_sse(&call.request_body.bytes, &call.response_body.bytes);
            let (own, other_meaning) = (&call.meaning.completion, &other.meaning.completion);
            assert_eq!(own.choices.len(), other_meaning.choices.len());
            for (own, other) in own.choices.iter().zip(&other_meaning.choices) {
                assert_eq!(own.text, other.text);
                assert_eq!(own.tool_calls, other.tool_calls);
                let finish = |choice: &wire::chat::AnswerChoice| {
                    choice.finish.as_ref().map(|finish| finish.named.clone())
                };
                assert_eq!(finish(own), finish(other));
            }
            assert_eq!(own.id, other_meaning.id);
            assert_eq!(own.usage, other_meaning.usage);
            assert_eq!(own.verdict, other_meaning.verdict);
            assert_eq!(own.errors.len(), other_meaning.errors.len());
            assert_eq!(total(call), total(&other));
            assert_eq!(own.dialect_name(), Some("openai-responses"));
        }
        let text = &calls[1].meaning.completion.choices[0].text;
        assert_eq!(text, "Hello from the lane.");
        assert!(total(&calls[1]).is_some(), "the model has a price");
    }
}

#[test]
fn each_message_belongs_to_the_call_of_its_lane() {
    let (exchange, session, calls) = read(&close(agent(false)));
    let verdicts: Vec<_> = calls
        .iter()
        .map(|call| call.meaning.completion.verdict)
        .collect();
    let expected = [
        AnswerVerdict::WarmUp,
        AnswerVerdict::Complete,
        AnswerVerdict::Complete,
        AnswerVerdict::Complete,
        AnswerVerdict::ErrorEvent,
    ];
    assert_eq!(verdicts, expected);
    let texts: Vec<_> = calls
        .iter()
        .map(|call| call.meaning.completion.choices[0].text.as_str())
        .collect();
    assert_eq!(
        texts,
        ["", "Hello from the lane.", "One, two.", "Sub answer.", ""]
    );
    let lanes: Vec<_> = session
        .calls
        .iter()
        .map(|call| call.lane.as_deref().unwrap())
        .collect();
    assert_eq!(lanes, ["main", "main", "main", "sub", "sub"]);
    // The steer and its acceptance belong to the call that they steer.
    let steer = |own: &wire::call::websocket::SocketMessage| {
        own.message
            .text()
            .is_some_and(|text| text.contains("response.steer"))
    };
    let steers: Vec<_> = session.messages.iter().filter(|own| steer(own)).collect();
    assert_eq!(
        steers.iter().map(|own| own.call).collect::<Vec<_>>(),
        [Some(2), Some(2)]
    );
    // The message that is no question, and the error about it, belong to none.
    let free = session
        .messages
        .iter()
        .filter(|own| own.call.is_none() && !own.message.opcode.is_control());
    assert_eq!(free.count(), 2);
    assert_eq!(exchange.outcome(), ExchangeOutcome::Whole);
    let traffic = exchange.websocket.as_deref().unwrap();
    let (side, reason) = traffic.close().unwrap();
    assert_eq!(
        (side, reason.to_string().as_str()),
        (StreamSide::Sent, "code 1000 (normal closure): bye")
    );
    assert!(traffic.is_close_answered());
    assert!(calls.iter().all(|call| call.exchange.outcome().is_whole()));
    assert!(
        session
            .messages
            .iter()
            .all(|own| own.message.faults.is_empty())
    );
}

#[test]
fn the_times_of_a_call_count_from_its_question() {
    let tape = close(agent(false));
    let (_, session, calls) = read(&tape);
    let first = session.messages_of(1).next().unwrap();
    let call = &calls[1];
    assert_eq!(call.tape.origin.id, format!("{}.2", tape.origin.id));
    let started =
        tape.origin.started + jiff::SignedDuration::from_micros(first.began.micros as i64);
    assert_eq!(call.tape.origin.started, started);
    assert_eq!(call.exchange.sent.last, Some(Moment::default()));
    let timeline = &call.meaning.timeline;
    assert_eq!(timeline.content_events, 3);
    // Each message comes a millisecond after the last: created, item, first delta.
    assert_eq!(timeline.first_content, Some(Moment::from_micros(3000)));
    assert_eq!(timeline.gaps.as_ref().unwrap().p50, 1000);
    // Its bytes are those of the connection, at their offsets.
    let span = first.message.span;
    assert_eq!(call.tape.sent.slice(span), tape.sent.slice(span));
    let path = wire::json::ValuePath::parse("/2/delta").unwrap();
    let value = call.value_at(StreamSide::Received, &path).unwrap();
    assert_eq!(value.text, b"\"Hello \"");
    assert_eq!(tape.received.slice(value.wire), b"\"Hello \"");
}

#[test]
fn an_open_connection_is_no_error_and_a_cut_one_is_cut() {
    let mut connection = Connection::open("/v1/responses", false);
    connection.send(&create("main", json!({})));
    for event in &answer("resp_1", Some("main"), &["Hel", "lo"])[..3] {
        connection.receive(event);
    }
    let open = connection.clone().stop();
    let (exchange, _, calls) = read(&open);
    assert_eq!(exchange.outcome(), ExchangeOutcome::Unfinished);
    assert_eq!(calls[0].exchange.outcome(), ExchangeOutcome::Unfinished);
    assert_eq!(calls[0].meaning.completion.choices[0].text, "Hel");
    let (exchange, _, calls) = read(&connection.clone().end(CloseKind::Eof));
    assert!(matches!(
        exchange.outcome(),
        ExchangeOutcome::Cut { within: None, .. }
    ));
    assert!(matches!(
        calls[0].exchange.outcome(),
        ExchangeOutcome::Cut { .. }
    ));
    assert_eq!(
        calls[0].meaning.completion.verdict,
        AnswerVerdict::CutOff { done: false }
    );
    connection.receive_frame(&frame(0x81, None, b"{\"type\":\"resp")[..8]);
    let (exchange, session, _) = read(&connection.end(CloseKind::Reset));
    let ExchangeOutcome::Cut {
        within, missing, ..
    } = exchange.outcome()
    else {
        panic!("{:?}", exchange.outcome());
    };
    assert_eq!(
        (within, missing),
        (Some(wire::http1::MessagePart::Frame), Some(7))
    );
    assert!(!session.messages.last().unwrap().message.is_whole);
}

#[test]
fn calls_without_a_lane_are_answered_in_their_order() {
    let mut connection = Connection::open("/v1/responses", false);
    let mut question = create("x", json!({}));
    question.as_object_mut().unwrap().remove("stream_id");
    connection.send(&question);
    connection.send(&question);
    connection.receive_all(&answer("resp_1", None, &["first"]));
    connection.receive(&json!({"type": "error", "status": 400,
        "error": {"code": "previous_response_not_found", "message": "no such response"}}));
    let (_, session, calls) = read(&close(connection));
    assert_eq!(calls[0].meaning.completion.choices[0].text, "first");
    assert_eq!(
        calls[1].meaning.completion.verdict,
        AnswerVerdict::ErrorEvent
    );
    assert!(session.calls.iter().all(|call| call.is_ended));
    assert_eq!(wire::lint::check_call((&calls[0]).into()), []);
}

#[test]
fn answers_with_one_id_belong_to_their_own_calls() {
    let mut connection = Connection::open("/v1/responses", false);
    for text in ["first", "second"] {
        connection.send(&create("main", json!({})));
        connection.receive_all(&answer("resp_1", Some("main"), &[text]));
    }
    let (_, _, calls) = read(&close(connection));
    let texts = calls
        .iter()
        .map(|call| call.meaning.completion.choices[0].text.as_str());
    assert_eq!(texts.collect::<Vec<_>>(), ["first", "second"]);
}

#[test]
fn a_message_of_several_lines_is_one_event() {
    let mut connection = Connection::open("/v1/responses", false);
    connection.send(&create("main", json!({})));
    for event in answer("resp_1", Some("main"), &["Hello"]) {
        let text = serde_json::to_string_pretty(&event).unwrap();
        connection.receive_frame(&frame(0x81, None, text.as_bytes()));
    }
    let (_, _, calls) = read(&close(connection));
    assert_eq!(calls[0].meaning.completion.choices[0].text, "Hello");
    assert_eq!(calls[0].meaning.completion.verdict, AnswerVerdict::Complete);
}

#[test]
fn any_split_of_the_reads_gives_the_same_calls() {
    let tape = close(agent(true));
    let (_, session, calls) = read(&tape);
    for size in [1, 3, 50] {
        let mut split = Tape::new(tape.origin.clone());
        for side in [StreamSide::Sent, StreamSide::Received] {
            for (span, moment) in tape.stream(side).reads() {
                for piece in tape.stream(side).slice(span).chunks(size) {
                    split.bytes(side, moment, piece);
                }
            }
            split.ended(side, Moment::default());
        }
        split.facts.clone_from(&tape.facts);
        let (_, split_session, split_calls) = read(&split);
        let messages = |session: &WebSocketSession| {
            let messages = session.messages.iter();
            messages
                .map(|own| (own.side, own.moment, own.message.clone(), own.call))
                .collect::<Vec<_>>()
        };
        assert!(messages(&session) == messages(&split_session));
        for (own, other) in calls.iter().zip(&split_calls) {
            assert_eq!(own.response_body.bytes, other.response_body.bytes);
            assert_eq!(own.meaning.timeline, other.meaning.timeline);
        }
    }
}

#[test]
fn a_row_of_the_list_has_the_calls() {
    let row = wire::catalog::row::CatalogRow::read(close(agent(true)), &[]);
    assert_eq!(row.status, Some(101));
    let calls = row.calls.iter();
    let figures: Vec<_> = calls
        .map(|call| {
            (
                call.model.as_deref(),
                call.ttft,
                call.tokens.and_then(|tokens| tokens.output),
            )
        })
        .collect();
    assert_eq!(figures[1], (Some("gpt-5-mini"), Some(3000), Some(3)));
    assert_eq!(figures.len(), 5);
}

#[test]
fn a_call_follows_the_one_that_it_names_or_the_last_in_its_lane() {
    let asks = |lane, text: &str, before: Option<&str>| {
        let input = json!([{"type": "message", "role": "user", "content": text}]);
        create(
            lane,
            json!({"input": input, "previous_response_id": before}),
        )
    };
    let mut connection = Connection::open("/v1/responses", false);
    for (number, question) in [
        asks("main", "one", None),
        asks("main", "two", Some("resp_0")),
        asks("fork", "three", Some("resp_0")),
        asks("other", "four", None),
        asks("fork", "five", None),
    ]
    .iter()
    .enumerate()
    {
        connection.send(question);
        let lane = question["stream_id"].as_str();
        connection.receive_all(&answer(&format!("resp_{number}"), lane, &["text"]));
    }
    let (_, session, calls) = read(&close(connection));
    let follows: Vec<_> = session.calls.iter().map(|call| call.follows).collect();
    assert_eq!(follows, [None, Some(0), Some(0), None, Some(2)]);
    let inputs: Vec<_> = calls
        .into_iter()
        .map(|call| wire::diff::DiffInput::from_call(String::new(), call))
        .collect();
    let compare = |left: usize, right: usize| {
        wire::prompt_cache::compare(&inputs[left], &inputs[right], None)
    };
    // The bytes of the second question have nothing of the first; the server puts that before them.
    let chained = compare(0, 1);
    assert!(chained.continues && chained.is_prefix_kept());
    assert_eq!(
        (
            chained.written.segments.left,
            chained.written.segments.right
        ),
        (1, 2)
    );
    let unchained = compare(2, 4);
    assert!(!unchained.continues && !unchained.is_prefix_kept());
}

#[test]
fn words_are_found_in_messages_and_answers() {
    use wire::catalog::search::{CaptureSearch, SearchQuery, SearchResult};
    for deflate in [false, true] {
        let file = common::websocket::capture_of(&close(agent(deflate)));
        let search = |query: SearchQuery<'_>| CaptureSearch::new(&query).search(&file);
        assert_eq!(
            search(SearchQuery::InAnswer("from the lane")),
            SearchResult::Match
        );
        assert_eq!(
            search(SearchQuery::InAnswer("Be brief")),
            SearchResult::NoMatch
        );
        assert_eq!(
            search(SearchQuery::InBodies("Be brief")),
            SearchResult::Match
        );
        assert_eq!(
            search(SearchQuery::InBodies("not there")),
            SearchResult::NoMatch
        );
    }
}

#[test]
fn broken_rules_of_frames_are_findings() {
    let mut connection = Connection::open("/v1/responses", true);
    connection.receive_frame(&frame(0xa1, None, b"reserved"));
    connection.send_frame(&frame(0x81, None, b"not masked"));
    let bomb = vec![b'a'; 100 << 10];
    connection.receive(&json!({"type": "bomb", "text": String::from_utf8(bomb).unwrap()}));
    let tape = close(connection);
    let mut options = ReadOptions::default();
    options.content.held_size = 64 << 10;
    let exchange = Exchange::read(&tape, options.http1);
    let session = WebSocketSession::read(&tape, &exchange, &options).unwrap();
    let findings = wire::lint::check_websocket(&session);
    let words: Vec<_> = findings
        .iter()
        .map(|finding| {
            (
                finding.rule.id,
                wire::render::wording::describe_finding(finding),
            )
        })
        .collect();
    let start = tape.received.reads().nth(1).unwrap().0;
    let asked = tape.sent.reads().nth(1).unwrap().0;
    let bomb = tape.received.reads().nth(2).unwrap().0;
    let (head, asked_head) = (start.start + 2, asked.start + 2);
    let expected = [
        (
            "websocket-protocol",
            format!(
                "WebSocket, received {}..{head}: a reserved bit is set that no negotiated extension uses (RFC 6455, 5.2)",
                start.start
            ),
        ),
        (
            "websocket-protocol",
            format!(
                "WebSocket, sent {}..{asked_head}: a frame of the client has no masking key (RFC 6455, 5.1)",
                asked.start
            ),
        ),
        (
            "websocket-limit",
            format!(
                "WebSocket, received {bomb}: the message is longer than the limit, so its end was not read"
            ),
        ),
    ];
    assert_eq!(words, expected);
    assert!(wire::lint::check_websocket(&read(&close(agent(true))).1).is_empty());
}

/// The payload of each message, with its direction and time.
fn payloads(tape: &Tape) -> Vec<(StreamSide, Moment, Vec<u8>)> {
    let messages = read(tape).1.messages.into_iter();
    messages
        .map(|own| (own.side, own.moment, own.message.payload))
        .collect()
}

#[test]
fn the_captures_of_the_output_tests_are_these_connections() {
    for (name, tape) in [
        ("agent", close(agent(false))),
        ("deflate", close(agent(true))),
        ("open", agent(false).stop()),
    ] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/data/websocket/{name}.wire"));
        if std::env::var("SNAPSHOTS").as_deref() == Ok("overwrite") {
            std::fs::write(&path, common::websocket::capture_of(&tape)).unwrap();
        }
        // Compressed bytes may differ from machine to machine, their meaning may not.
        let kept = wire::capture::store::open(&path).unwrap().tape;
        assert!(
            payloads(&kept) == payloads(&tape),
            "{name} is of an older test"
        );
    }
}
