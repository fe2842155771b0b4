//! Content as a reply: whole, as a stream of events, or as a growing JSON array
//! (<https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent>).

use serde_json::Value;

use super::content::GeminiContent;
use super::{error, head};
use crate::demo::api_answer::ApiAnswer;
use crate::demo::api_error::ApiError;
use crate::demo::context::DemoContext;
use crate::demo::head::ReplyFields;
use crate::demo::pacing::PacedEvent;
use crate::demo::usage::GeneratedUsage;
use crate::serve::request::ServerRequest;

/// The form of a Gemini reply: one object, an event stream, or a JSON array.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(super) enum ReplyForm {
    Whole,
    /// A stream of events: `alt=sse`.
    Events,
    /// A stream as a growing JSON array.
    Array,
}

impl ReplyForm {
    pub(super) fn from_request(request: &ServerRequest) -> Self {
        if !request.path().ends_with(":streamGenerateContent") {
            Self::Whole
        } else if request.query_param("alt") == Some("sse") {
            Self::Events
        } else {
            Self::Array
        }
    }

    /// An element of a stream as written to the wire; `after` is the number of elements before it.
    fn element_text(self, value: &Value, after: usize) -> String {
        match self {
            Self::Events => format!("data: {}\r\n\r\n", head::json_line(value)),
            Self::Whole | Self::Array if after == 0 => format!("[{value:#}"),
            Self::Whole | Self::Array => format!("\n,\r\n{value:#}"),
        }
    }

    /// The text after the last element: the end of the array, nothing in other forms.
    fn end(self) -> Option<String> {
        (self == Self::Array).then(|| "\n]\n".to_owned())
    }
}

/// Generated content, and the form in which it is sent.
pub(super) struct GeminiAnswer {
    pub(super) content: GeminiContent,
    pub(super) form: ReplyForm,
}

impl ApiAnswer for GeminiAnswer {
    fn usage(&self) -> GeneratedUsage {
        self.content.usage
    }

    fn head_fields(&self, _: bool, context: DemoContext) -> ReplyFields {
        let content_type = match self.form {
            ReplyForm::Events => head::EVENTS_TYPE,
            ReplyForm::Whole | ReplyForm::Array => head::JSON_TYPE,
        };
        head::head_fields(content_type, self.usage().total_tokens(), context)
    }

    fn body(&self) -> String {
        format!("{:#}\n", self.content.to_json())
    }

    fn events(&self) -> Vec<PacedEvent> {
        let elements = self.content.stream_elements().into_iter().enumerate();
        let event = |(at, (value, tokens))| {
            let text = self.form.element_text(&value, at);
            PacedEvent::new(text, tokens)
        };
        let end = self.form.end().map(|end| PacedEvent::new(end, 0));
        elements.map(event).chain(end).collect()
    }

    fn hidden_tokens(&self) -> u64 {
        match self.content.show_thinking {
            true => 0,
            false => self.usage().reasoning_tokens,
        }
    }

    fn failure(&self) -> ApiError {
        error::overloaded()
    }

    fn failure_events(&self, after: usize) -> Vec<String> {
        let error = error::error_json(&self.failure());
        let error = self.form.element_text(&error, after);
        std::iter::once(error).chain(self.form.end()).collect()
    }
}
