//! A response as a reply: whole, or as a stream of events, each with its name and its number
//! (<https://platform.openai.com/docs/api-reference/responses-streaming>).

use serde_json::{Value, json};

use super::object::{
    IN_PROGRESS, OutputItem, OutputItemContent, ResponseObject, ResponseState, content_part,
    summary_part,
};
use crate::demo::api_answer::ApiAnswer;
use crate::demo::api_error::ApiError;
use crate::demo::ids;
use crate::demo::json_values::merge_objects;
use crate::demo::openai::rules::pretty_json;
use crate::demo::pacing::PacedEvent;

impl ApiAnswer for ResponseObject<'_> {
    fn body(&self) -> String {
        pretty_json(&self.to_json(ResponseState::Ended))
    }

    fn events(&self) -> Vec<PacedEvent> {
        let events = response_events(self).into_iter().enumerate();
        events
            .map(|(number, event)| PacedEvent::new(event.to_text(number), event.tokens))
            .collect()
    }

    fn failure_events(&self, problem: &ApiError, after: usize) -> Vec<String> {
        let error = json!({
            "type": problem.error_type,
            "code": problem.error_type,
            "message": problem.message,
            "param": problem.param,
        });
        let failed = self.to_json(ResponseState::Failed(problem));
        vec![
            ResponsesEvent::new("error", json!({"error": error}), 0).to_text(after),
            ResponsesEvent::new("response.failed", json!({"response": failed}), 0)
                .to_text(after.saturating_add(1)),
        ]
    }
}

/// An event of a Responses stream, without its sequence number.
struct ResponsesEvent {
    event_type: String,
    payload: Value,
    /// The number of its tokens.
    tokens: usize,
}

impl ResponsesEvent {
    fn new(event_type: impl Into<String>, payload: Value, tokens: usize) -> Self {
        Self {
            event_type: event_type.into(),
            payload,
            tokens,
        }
    }

    /// The event as written to the wire.
    fn to_text(&self, number: usize) -> String {
        let name = &self.event_type;
        let start = json!({"type": name, "sequence_number": number});
        let data = merge_objects(start, self.payload.clone());
        format!("event: {name}\ndata: {data}\n\n")
    }
}

fn response_events(response: &ResponseObject<'_>) -> Vec<ResponsesEvent> {
    let state = |name: &str, state: ResponseState<'_>| {
        ResponsesEvent::new(name, json!({"response": response.to_json(state)}), 0)
    };
    let padded = response.body["stream_options"]["include_obfuscation"] != false;
    let mut events = vec![
        state("response.created", ResponseState::InProgress),
        state("response.in_progress", ResponseState::InProgress),
    ];
    for (index, item) in response.items.iter().enumerate() {
        let item_event = |when: &str, status: &str, tokens: usize| {
            let payload = json!({"output_index": index, "item": item.to_json(status)});
            ResponsesEvent::new(format!("response.output_item.{when}"), payload, tokens)
        };
        let hidden_tokens = match &item.content {
            OutputItemContent::Reasoning {
                summary,
                token_count,
                ..
            } if summary.is_empty() => *token_count,
            _ => 0,
        };
        events.push(item_event("added", IN_PROGRESS, 1));
        if let Some(part) = StreamedPart::new(item, index) {
            events.extend(part.to_events(padded));
        }
        events.push(item_event("done", response.status(), hidden_tokens));
    }
    let last = format!("response.{}", response.status());
    events.push(state(&last, ResponseState::Ended));
    events
}

/// A streamed text and the events around it.
struct StreamedPart<'a> {
    tokens: &'a [String],
    /// The keys with its place.
    location: Value,
    /// The name of the events that begin and end the part, and the part in both, if it is one.
    part: Option<(&'static str, [Value; 2])>,
    /// The name of the events of its text.
    text_event: &'static str,
    /// The key of the whole text.
    text_key: &'static str,
    /// Keys of every event of the text.
    extra_keys: Value,
    /// Keys of the event with the whole text.
    whole_keys: Value,
}

impl<'a> StreamedPart<'a> {
    /// The streamed part of an item; `None` if its reasoning is hidden.
    fn new(item: &'a OutputItem, index: usize) -> Option<Self> {
        let place = json!({"item_id": item.id, "output_index": index});
        let (none, whole) = (json!({}), |tokens: &[String]| tokens.concat());
        let part = match &item.content {
            OutputItemContent::Reasoning { summary, .. } if summary.is_empty() => return None,
            OutputItemContent::Reasoning { summary, .. } => Self {
                tokens: summary,
                location: merge_objects(place, json!({"summary_index": 0})),
                part: Some((
                    "response.reasoning_summary_part",
                    [summary_part(""), summary_part(&whole(summary))],
                )),
                text_event: "response.reasoning_summary_text",
                text_key: "text",
                extra_keys: none.clone(),
                whole_keys: none,
            },
            OutputItemContent::Message { text, refused } => Self {
                tokens: text,
                location: merge_objects(place, json!({"content_index": 0})),
                part: Some((
                    "response.content_part",
                    [
                        content_part("", *refused),
                        content_part(&whole(text), *refused),
                    ],
                )),
                text_event: match refused {
                    true => "response.refusal",
                    false => "response.output_text",
                },
                text_key: if *refused { "refusal" } else { "text" },
                extra_keys: match refused {
                    true => none.clone(),
                    false => json!({"logprobs": []}),
                },
                whole_keys: none,
            },
            OutputItemContent::Call(call) => Self {
                tokens: &call.argument_tokens,
                location: place,
                part: None,
                text_event: "response.function_call_arguments",
                text_key: "arguments",
                extra_keys: none,
                whole_keys: json!({"name": call.name}),
            },
        };
        Some(part)
    }

    /// The events of the part; `padded` hides the lengths of its texts.
    fn to_events(&self, padded: bool) -> Vec<ResponsesEvent> {
        let with = |keys: Value| merge_objects(self.location.clone(), keys);
        let around = |when: &str, at: usize| {
            let (name, parts) = self.part.as_ref()?;
            let payload = with(json!({"part": parts.get(at)}));
            Some(ResponsesEvent::new(format!("{name}.{when}"), payload, 0))
        };
        let delta = |token: &String| {
            let mut payload = merge_objects(with(json!({"delta": token})), self.extra_keys.clone());
            if padded {
                payload["obfuscation"] = json!(obfuscation(token));
            }
            ResponsesEvent::new(format!("{}.delta", self.text_event), payload, 1)
        };
        let mut whole = with(self.whole_keys.clone());
        whole[self.text_key] = json!(self.tokens.concat());
        let whole = merge_objects(whole, self.extra_keys.clone());
        around("added", 0)
            .into_iter()
            .chain(self.tokens.iter().map(delta))
            .chain([ResponsesEvent::new(
                format!("{}.done", self.text_event),
                whole,
                0,
            )])
            .chain(around("done", 1))
            .collect()
    }
}

/// Padding of an event, so that its size does not reveal the length of the text.
fn obfuscation(token: &str) -> String {
    let length = 16_usize.saturating_sub(token.len() % 16);
    ids::alphanumeric_id("", ids::hash_text(token), length)
}
