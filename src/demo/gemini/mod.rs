//! Gemini's generateContent, whole and streamed, and its list of models
//! (<https://ai.google.dev/api/generate-content>, <https://ai.google.dev/api/models>).

mod ask;
mod check;
mod content;
mod head;
mod problem;

use serde_json::{Value, json};

use self::content::Content;
use self::problem::Problem;
use super::flow::Event;
use super::{Context, flow, models, special};
use crate::serve::reply::Reply;
use crate::serve::request::Request;

/// Whether a request means this API: by its version, its method after a colon, or the field of its key.
pub(super) fn is_meant(request: &Request) -> bool {
    let path = request.path();
    let models = path == "/v1/models" || path.starts_with("/v1/models/");
    let method = path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent");
    let key = request.field("x-goog-api-key").is_some();
    path.starts_with("/v1beta/") || (models && (method || key))
}

/// The reply.
pub(super) fn answer(request: &Request, seen: Context) -> Reply {
    let Some((version, path)) = versioned(request.path()) else {
        return Problem::not_found().reply(false, seen);
    };
    let form = Form::of(request);
    route(request, version, path, seen)
        .unwrap_or_else(|problem| problem.reply(form == Form::Array, seen))
}

/// The version of the API, and the path below it.
fn versioned(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.split_once('/')
}

/// How an answer is laid out.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Form {
    Whole,
    /// A stream of events: `alt=sse`.
    Events,
    /// An array, element by element.
    Array,
}

impl Form {
    fn of(request: &Request) -> Self {
        if !request.path().ends_with(":streamGenerateContent") {
            Self::Whole
        } else if request.query("alt") == Some("sse") {
            Self::Events
        } else {
            Self::Array
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Events => head::EVENTS,
            Self::Whole | Self::Array => head::JSON,
        }
    }
}

fn route(request: &Request, version: &str, path: &str, seen: Context) -> Result<Reply, Problem> {
    let key = request.field("x-goog-api-key").or(request.query("key"));
    if key == Some("bad-key") {
        return Err(Problem::bad_key());
    }
    let below = path.strip_prefix("models/");
    let called = below.and_then(|below| below.rsplit_once(':'));
    let reading = matches!(request.method.as_str(), "GET" | "HEAD");
    match (called, below) {
        (Some((model, "generateContent" | "streamGenerateContent")), _)
            if request.method == "POST" =>
        {
            generate(request, model, version, seen)
        }
        (None, None) if path == "models" && reading => Ok(list(seen)),
        (None, Some(id)) if reading && models::is_listed(id) => Ok(listing(&model(id), seen)),
        (None, Some(id)) if reading => Err(Problem::no_model(id, version)),
        _ => Err(Problem::not_found()),
    }
}

/// `POST .../models/{model}:generateContent`, and the same as a stream.
fn generate(
    request: &Request,
    model: &str,
    version: &str,
    seen: Context,
) -> Result<Reply, Problem> {
    if let Some(fault) = models::fault(model) {
        return Err(Problem::of_fault(fault, model, version));
    }
    let body = check::json(&request.body)?;
    check::parameters(&body)?;
    let asked = ask::read(model, &body);
    check::length(&asked.ask)?;
    let content = Content::write(&asked, seen);
    let form = Form::of(request);
    let reply = match form {
        Form::Whole if special::fails_plain(model) => return Err(Problem::overloaded()),
        Form::Whole => whole(&content, seen),
        Form::Events | Form::Array => streamed(&content, form, seen),
    };
    let failure = |after| {
        let error = element(&Problem::overloaded().json(), form, after);
        let end = (form == Form::Array).then(|| END.to_owned());
        std::iter::once(error).chain(end).collect()
    };
    Ok(special::spoil(model, reply, seen, failure))
}

fn whole(content: &Content, seen: Context) -> Reply {
    let cost = content.usage;
    let fields = head::fields(head::JSON, cost.total(), seen);
    let body = format!("{:#}\n", content.whole());
    flow::whole(fields, body, cost.completion, seen)
}

fn streamed(content: &Content, form: Form, seen: Context) -> Reply {
    let elements = content.elements().into_iter().enumerate();
    let mut events: Vec<Event> = elements
        .map(|(at, (value, tokens))| Event::new(element(&value, form, at), tokens))
        .collect();
    if form == Form::Array {
        events.push(Event::new(END.to_owned(), 0));
    }
    let fields = head::fields(form.content_type(), content.usage.total(), seen);
    let mut reply = flow::streamed(fields, events, seen);
    let unseen = u32::try_from(content.unseen()).unwrap_or(u32::MAX);
    reply.delay = reply.delay.saturating_add(seen.pace.saturating_mul(unseen));
    reply
}

/// What ends an array.
const END: &str = "\n]\n";

/// An element of a stream as it crosses the wire, after so many others.
fn element(value: &Value, form: Form, after: usize) -> String {
    match form {
        Form::Events => format!("data: {}\r\n\r\n", head::line(value)),
        Form::Whole | Form::Array if after == 0 => format!("[{value:#}"),
        Form::Whole | Form::Array => format!("\n,\r\n{value:#}"),
    }
}

/// `GET .../models`.
fn list(seen: Context) -> Reply {
    let all: Vec<Value> = models::names().map(model).collect();
    listing(&json!({"models": all}), seen)
}

fn model(id: &str) -> Value {
    json!({
        "name": format!("models/{id}"),
        "version": "001",
        "displayName": id,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent"],
    })
}

fn listing(value: &Value, seen: Context) -> Reply {
    let fields = head::fields(head::JSON, 0, seen);
    Reply::plain(200, fields, format!("{value:#}\n"))
}

#[cfg(test)]
mod tests;
