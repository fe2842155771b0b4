//! A response as a stream of events, each with its name and its number
//! (<https://platform.openai.com/docs/api-reference/responses-streaming>).

use serde_json::{Map, Value, json};

use super::item::{Item, part, summary_part};
use super::object::{Response, State};
use crate::demo::flow::{self, Event};
use crate::demo::openai::head;
use crate::demo::openai::problem::Problem;
use crate::demo::{Context, ids};
use crate::serve::reply::Reply;

/// The response, an event a token.
pub(super) fn reply(response: &Response<'_>, obscured: bool, seen: Context) -> Reply {
    let events = events(response, obscured);
    let events = events.into_iter().enumerate();
    let events = events.map(|(number, (event, tokens))| Event::new(event.line(number), tokens));
    let fields = head::fields(
        "text/event-stream; charset=utf-8",
        seen,
        response.usage.total(),
    );
    flow::streamed(fields, events.collect(), seen)
}

/// The events of a failure that comes after so many others.
pub(super) fn failure(response: &Response<'_>, problem: &Problem, after: usize) -> Vec<String> {
    let error = json!({
        "type": problem.kind,
        "code": problem.kind,
        "message": problem.message,
        "param": problem.param,
    });
    let failed = response.json(State::Failed(problem));
    vec![
        Told::new("error", json!({"error": error})).line(after),
        Told::new("response.failed", json!({"response": failed})).line(after.saturating_add(1)),
    ]
}

/// An event before it has a number.
struct Told {
    kind: String,
    what: Value,
}

impl Told {
    fn new(kind: impl Into<String>, what: Value) -> Self {
        let kind = kind.into();
        Self { kind, what }
    }

    /// The event as it crosses the wire.
    fn line(self, number: usize) -> String {
        let Self { kind, what } = self;
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

/// The events, each with the tokens that it brings.
fn events(response: &Response<'_>, obscured: bool) -> Vec<(Told, usize)> {
    let state = |kind: &str, state: State<'_>| {
        (
            Told::new(kind, json!({"response": response.json(state)})),
            0,
        )
    };
    let mut events = vec![
        state("response.created", State::InProgress),
        state("response.in_progress", State::InProgress),
    ];
    for (index, item) in response.items.iter().enumerate() {
        let told = |kind: &str, item: Value| {
            let what = json!({"output_index": index, "item": item});
            Told::new(format!("response.output_item.{kind}"), what)
        };
        let weight = match item {
            Item::Reasoning {
                summary, weight, ..
            } if summary.is_empty() => *weight,
            _ => 0,
        };
        events.push((told("added", item.begun()), 1));
        events.extend(parts(item, index, obscured));
        events.push((told("done", item.json(response.status())), weight));
    }
    let last = format!("response.{}", response.status());
    events.push(state(&last, State::Ended));
    events
}

fn parts(item: &Item, index: usize, obscured: bool) -> Vec<(Told, usize)> {
    let place = json!({"item_id": item.id(), "output_index": index});
    match item {
        Item::Reasoning { summary, .. } if summary.is_empty() => Vec::new(),
        Item::Reasoning { summary, .. } => Part {
            place: and(place, json!({"summary_index": 0})),
            around: Some("response.reasoning_summary_part"),
            inside: "response.reasoning_summary_text",
            key: "text",
            begun: summary_part(""),
            whole: summary_part(&summary.concat()),
            more: json!({}),
            name: None,
        }
        .events(summary, obscured),
        Item::Message { text, refused, .. } => Part {
            place: and(place, json!({"content_index": 0})),
            around: Some("response.content_part"),
            inside: if *refused {
                "response.refusal"
            } else {
                "response.output_text"
            },
            key: if *refused { "refusal" } else { "text" },
            begun: part("", *refused),
            whole: part(&text.concat(), *refused),
            more: if *refused {
                json!({})
            } else {
                json!({"logprobs": []})
            },
            name: None,
        }
        .events(text, obscured),
        Item::Call { call, .. } => Part {
            place,
            around: None,
            inside: "response.function_call_arguments",
            key: "arguments",
            begun: Value::Null,
            whole: Value::Null,
            more: json!({}),
            name: Some(&call.name),
        }
        .events(&call.arguments, obscured),
    }
}

/// A text that grows, and the events around it.
struct Part<'a> {
    /// The keys that say where it is.
    place: Value,
    /// The events that begin and end the part, if it is one.
    around: Option<&'static str>,
    /// The events of its text.
    inside: &'static str,
    /// The key of the whole text.
    key: &'static str,
    begun: Value,
    whole: Value,
    /// Keys that every event of the text has.
    more: Value,
    /// The name of a function, told with the whole text.
    name: Option<&'a str>,
}

impl Part<'_> {
    fn events(&self, tokens: &[String], obscured: bool) -> Vec<(Told, usize)> {
        let around = |when: &str, part: &Value| {
            let kind = format!("{}.{when}", self.around?);
            let what = and(self.place.clone(), json!({"part": part}));
            Some((Told::new(kind, what), 0))
        };
        let deltas = tokens.iter().map(|token| (self.delta(token, obscured), 1));
        around("added", &self.begun)
            .into_iter()
            .chain(deltas)
            .chain([(self.done(&tokens.concat()), 0)])
            .chain(around("done", &self.whole))
            .collect()
    }

    fn delta(&self, token: &str, obscured: bool) -> Told {
        let delta = and(self.place.clone(), json!({"delta": token}));
        let mut what = and(delta, self.more.clone());
        if obscured {
            what["obfuscation"] = json!(obfuscation(token));
        }
        Told::new(format!("{}.delta", self.inside), what)
    }

    fn done(&self, text: &str) -> Told {
        let mut what = self.place.clone();
        if let Some(name) = self.name {
            what["name"] = json!(name);
        }
        what[self.key] = json!(text);
        Told::new(
            format!("{}.done", self.inside),
            and(what, self.more.clone()),
        )
    }
}

/// One object with the keys of both.
fn and(mut one: Value, other: Value) -> Value {
    if let (Value::Object(one), Value::Object(other)) = (&mut one, other) {
        one.extend(other);
    }
    one
}

/// What fills an event up, so that its size does not tell how long the text is.
fn obfuscation(token: &str) -> String {
    let short = 16_usize.saturating_sub(token.len() % 16);
    ids::id("", ids::hash(token), short)
}
