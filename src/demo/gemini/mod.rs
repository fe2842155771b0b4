//! Gemini's generateContent, whole and streamed, and its list of models
//! (<https://ai.google.dev/api/generate-content>, <https://ai.google.dev/api/models>).

mod check;
mod content;
mod error;
mod head;
mod request;

use serde_json::{Value, json};

use self::content::GeminiContent;
use self::error::GeminiError;
use super::pacing::PacedEvent;
use super::{DemoContext, models, pacing, special_models};
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// Whether a request is for this API, by its version, its method after a colon, or the field of its key.
pub(super) fn is_for_gemini(request: &ServerRequest) -> bool {
    let path = request.path();
    let models = path == "/v1/models" || path.starts_with("/v1/models/");
    let method = path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent");
    let key = request.field("x-goog-api-key").is_some();
    path.starts_with("/v1beta/") || (models && (method || key))
}

/// The reply to a request for this API.
pub(super) fn answer(request: &ServerRequest, seen: DemoContext) -> ServerReply {
    let Some((version, path)) = split_version(request.path()) else {
        return GeminiError::not_found().to_reply(false, seen);
    };
    let form = ReplyForm::from_request(request);
    route(request, version, path, seen)
        .unwrap_or_else(|problem| problem.to_reply(form == ReplyForm::Array, seen))
}

/// The version of the API, and the path below it.
fn split_version(path: &str) -> Option<(&str, &str)> {
    path.strip_prefix('/')?.split_once('/')
}

/// The form of a reply.
#[derive(Clone, Copy, Eq, PartialEq)]
enum ReplyForm {
    Whole,
    /// A stream of events: `alt=sse`.
    Events,
    /// A stream as a growing JSON array.
    Array,
}

impl ReplyForm {
    fn from_request(request: &ServerRequest) -> Self {
        if !request.path().ends_with(":streamGenerateContent") {
            Self::Whole
        } else if request.query_param("alt") == Some("sse") {
            Self::Events
        } else {
            Self::Array
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Events => head::SSE_TYPE,
            Self::Whole | Self::Array => head::JSON_TYPE,
        }
    }
}

fn route(
    request: &ServerRequest,
    version: &str,
    path: &str,
    seen: DemoContext,
) -> Result<ServerReply, GeminiError> {
    let key = request
        .field("x-goog-api-key")
        .or(request.query_param("key"));
    if key == Some("bad-key") {
        return Err(GeminiError::bad_key());
    }
    let below = path.strip_prefix("models/");
    let called = below.and_then(|below| below.rsplit_once(':'));
    let reading = matches!(request.method(), "GET" | "HEAD");
    match (called, below) {
        (Some((model, "generateContent" | "streamGenerateContent")), _)
            if request.method() == "POST" =>
        {
            generate_content(request, model, version, seen)
        }
        (None, None) if path == "models" && reading => Ok(list_models(seen)),
        (None, Some(id)) if reading && models::is_listed(id) => {
            Ok(json_reply(&model_object(id), seen))
        }
        (None, Some(id)) if reading => Err(GeminiError::unknown_model(id, version)),
        _ => Err(GeminiError::not_found()),
    }
}

/// `POST .../models/{model}:generateContent`, and the same as a stream.
fn generate_content(
    request: &ServerRequest,
    model: &str,
    version: &str,
    seen: DemoContext,
) -> Result<ServerReply, GeminiError> {
    if let Some(fault) = models::model_fault(model) {
        return Err(GeminiError::from_fault(fault, model, version));
    }
    let body = check::parse_body(&request.body)?;
    check::check_parameters(&body)?;
    let asked = request::read_request(model, &body);
    check::check_length(&asked.model_request)?;
    let content = GeminiContent::generate(&asked, seen);
    let form = ReplyForm::from_request(request);
    let reply = match form {
        ReplyForm::Whole if special_models::fails_without_stream(model) => {
            return Err(GeminiError::overloaded());
        }
        ReplyForm::Whole => whole_reply(&content, seen),
        ReplyForm::Events | ReplyForm::Array => stream_reply(&content, form, seen),
    };
    let failure = |after| {
        let error = element_text(&GeminiError::overloaded().to_json(), form, after);
        let end = (form == ReplyForm::Array).then(|| ARRAY_END.to_owned());
        std::iter::once(error).chain(end).collect()
    };
    Ok(special_models::apply_behaviour(model, reply, seen, failure))
}

fn whole_reply(content: &GeminiContent, seen: DemoContext) -> ServerReply {
    let cost = content.usage;
    let fields = head::head_fields(head::JSON_TYPE, cost.total_tokens(), seen);
    let body = format!("{:#}\n", content.to_json());
    pacing::whole_reply(fields, body, cost.completion_tokens, seen)
}

fn stream_reply(content: &GeminiContent, form: ReplyForm, seen: DemoContext) -> ServerReply {
    let elements = content.stream_elements().into_iter().enumerate();
    let mut events: Vec<PacedEvent> = elements
        .map(|(at, (value, tokens))| PacedEvent::new(element_text(&value, form, at), tokens))
        .collect();
    if form == ReplyForm::Array {
        events.push(PacedEvent::new(ARRAY_END.to_owned(), 0));
    }
    let fields = head::head_fields(form.content_type(), content.usage.total_tokens(), seen);
    let mut reply = pacing::stream_reply(fields, events, seen);
    let unseen = u32::try_from(content.hidden_tokens()).unwrap_or(u32::MAX);
    reply.delay = reply.delay.saturating_add(seen.pace.saturating_mul(unseen));
    reply
}

/// The end of an array.
const ARRAY_END: &str = "\n]\n";

/// An element of a stream as written to the wire; `after` is the number of elements before it.
fn element_text(value: &Value, form: ReplyForm, after: usize) -> String {
    match form {
        ReplyForm::Events => format!("data: {}\r\n\r\n", head::json_line(value)),
        ReplyForm::Whole | ReplyForm::Array if after == 0 => format!("[{value:#}"),
        ReplyForm::Whole | ReplyForm::Array => format!("\n,\r\n{value:#}"),
    }
}

/// `GET .../models`.
fn list_models(seen: DemoContext) -> ServerReply {
    let all: Vec<Value> = models::model_names().map(model_object).collect();
    json_reply(&json!({"models": all}), seen)
}

fn model_object(id: &str) -> Value {
    json!({
        "name": format!("models/{id}"),
        "version": "001",
        "displayName": id,
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent"],
    })
}

fn json_reply(value: &Value, seen: DemoContext) -> ServerReply {
    let fields = head::head_fields(head::JSON_TYPE, 0, seen);
    ServerReply::whole(200, fields, format!("{value:#}\n"))
}

#[cfg(test)]
mod tests;
