//! A response as a stream of events, each with its name and its number
//! (<https://platform.openai.com/docs/api-reference/responses-streaming>).

use serde_json::{Map, Value, json};

use super::item::{OutputItem, content_part, summary_part};
use super::object::{ResponseObject, ResponseState};
use crate::demo::openai::error::OpenAiError;
use crate::demo::openai::head;
use crate::demo::pacing::{self, PacedEvent};
use crate::demo::{DemoContext, ids};
use crate::serve::reply::ServerReply;

/// The response as a stream with an event for each token.
pub(super) fn stream_reply(
    response: &ResponseObject<'_>,
    obscured: bool,
    seen: DemoContext,
) -> ServerReply {
    let events = response_events(response, obscured);
    let events = events.into_iter().enumerate();
    let events =
        events.map(|(number, (event, tokens))| PacedEvent::new(event.into_text(number), tokens));
    let fields = head::head_fields(
        "text/event-stream; charset=utf-8",
        seen,
        response.usage.total_tokens(),
    );
    pacing::stream_reply(fields, events.collect(), seen)
}

/// The events of a failure; `after` is the number of events before them.
pub(super) fn failure_events(
    response: &ResponseObject<'_>,
    problem: &OpenAiError,
    after: usize,
) -> Vec<String> {
    let error = json!({
        "type": problem.error_type,
        "code": problem.error_type,
        "message": problem.message,
        "param": problem.param,
    });
    let failed = response.to_json(ResponseState::Failed(problem));
    vec![
        ResponsesEvent::new("error", json!({"error": error})).into_text(after),
        ResponsesEvent::new("response.failed", json!({"response": failed}))
            .into_text(after.saturating_add(1)),
    ]
}

/// An event before it has a number.
struct ResponsesEvent {
    event_type: String,
    payload: Value,
}

impl ResponsesEvent {
    fn new(kind: impl Into<String>, what: Value) -> Self {
        let kind = kind.into();
        Self {
            event_type: kind,
            payload: what,
        }
    }

    /// The event as written to the wire.
    fn into_text(self, number: usize) -> String {
        let Self {
            event_type: kind,
            payload: what,
        } = self;
        let mut data = Map::new();
        data.insert("type".to_owned(), json!(kind));
        data.insert("sequence_number".to_owned(), json!(number));
        if let Value::Object(what) = what {
            data.extend(what);
        }
        let data = Value::Object(data);
        format!("event: {kind}\ndata: {data}\n\n")
    }
}

/// The events of the response, each with its number of tokens.
fn response_events(response: &ResponseObject<'_>, obscured: bool) -> Vec<(ResponsesEvent, usize)> {
    let state = |kind: &str, state: ResponseState<'_>| {
        (
            ResponsesEvent::new(kind, json!({"response": response.to_json(state)})),
            0,
        )
    };
    let mut events = vec![
        state("response.created", ResponseState::InProgress),
        state("response.in_progress", ResponseState::InProgress),
    ];
    for (index, item) in response.items.iter().enumerate() {
        let told = |kind: &str, item: Value| {
            let what = json!({"output_index": index, "item": item});
            ResponsesEvent::new(format!("response.output_item.{kind}"), what)
        };
        let weight = match item {
            OutputItem::Reasoning {
                summary,
                token_count: weight,
                ..
            } if summary.is_empty() => *weight,
            _ => 0,
        };
        events.push((told("added", item.begun_json()), 1));
        events.extend(part_events(item, index, obscured));
        events.push((told("done", item.to_json(response.status())), weight));
    }
    let last = format!("response.{}", response.status());
    events.push(state(&last, ResponseState::Ended));
    events
}

fn part_events(item: &OutputItem, index: usize, obscured: bool) -> Vec<(ResponsesEvent, usize)> {
    let place = json!({"item_id": item.id(), "output_index": index});
    match item {
        OutputItem::Reasoning { summary, .. } if summary.is_empty() => Vec::new(),
        OutputItem::Reasoning { summary, .. } => StreamedPart {
            location: merge_objects(place, json!({"summary_index": 0})),
            part_event: Some("response.reasoning_summary_part"),
            text_event: "response.reasoning_summary_text",
            text_key: "text",
            begun_part: summary_part(""),
            whole_part: summary_part(&summary.concat()),
            extra_keys: json!({}),
            function_name: None,
        }
        .to_events(summary, obscured),
        OutputItem::Message { text, refused, .. } => StreamedPart {
            location: merge_objects(place, json!({"content_index": 0})),
            part_event: Some("response.content_part"),
            text_event: if *refused {
                "response.refusal"
            } else {
                "response.output_text"
            },
            text_key: if *refused { "refusal" } else { "text" },
            begun_part: content_part("", *refused),
            whole_part: content_part(&text.concat(), *refused),
            extra_keys: if *refused {
                json!({})
            } else {
                json!({"logprobs": []})
            },
            function_name: None,
        }
        .to_events(text, obscured),
        OutputItem::Call { call, .. } => StreamedPart {
            location: place,
            part_event: None,
            text_event: "response.function_call_arguments",
            text_key: "arguments",
            begun_part: Value::Null,
            whole_part: Value::Null,
            extra_keys: json!({}),
            function_name: Some(&call.name),
        }
        .to_events(&call.argument_tokens, obscured),
    }
}

/// A streamed text and the events around it.
struct StreamedPart<'a> {
    /// The keys with its place.
    location: Value,
    /// The names of the events that begin and end the part, if it is one.
    part_event: Option<&'static str>,
    /// The names of the events of its text.
    text_event: &'static str,
    /// The key of the whole text.
    text_key: &'static str,
    begun_part: Value,
    whole_part: Value,
    /// Keys of every event of the text.
    extra_keys: Value,
    /// The name of a function, sent with the whole text.
    function_name: Option<&'a str>,
}

impl StreamedPart<'_> {
    fn to_events(&self, tokens: &[String], obscured: bool) -> Vec<(ResponsesEvent, usize)> {
        let around = |when: &str, part: &Value| {
            let kind = format!("{}.{when}", self.part_event?);
            let what = merge_objects(self.location.clone(), json!({"part": part}));
            Some((ResponsesEvent::new(kind, what), 0))
        };
        let deltas = tokens
            .iter()
            .map(|token| (self.delta_event(token, obscured), 1));
        around("added", &self.begun_part)
            .into_iter()
            .chain(deltas)
            .chain([(self.done_event(&tokens.concat()), 0)])
            .chain(around("done", &self.whole_part))
            .collect()
    }

    fn delta_event(&self, token: &str, obscured: bool) -> ResponsesEvent {
        let delta = merge_objects(self.location.clone(), json!({"delta": token}));
        let mut what = merge_objects(delta, self.extra_keys.clone());
        if obscured {
            what["obfuscation"] = json!(obfuscation(token));
        }
        ResponsesEvent::new(format!("{}.delta", self.text_event), what)
    }

    fn done_event(&self, text: &str) -> ResponsesEvent {
        let mut what = self.location.clone();
        if let Some(name) = self.function_name {
            what["name"] = json!(name);
        }
        what[self.text_key] = json!(text);
        ResponsesEvent::new(
            format!("{}.done", self.text_event),
            merge_objects(what, self.extra_keys.clone()),
        )
    }
}

/// One object with the keys of both.
fn merge_objects(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

/// Padding of an event, so that its size does not reveal the length of the text.
fn obfuscation(token: &str) -> String {
    let short = 16_usize.saturating_sub(token.len() % 16);
    ids::alphanumeric_id("", ids::hash_text(token), short)
}
