//! The items of a response's output: reasoning, a message, tool calls
//! (<https://platform.openai.com/docs/api-reference/responses/object>).

use serde_json::{Value, json};

use crate::demo::generation::GeneratedCall;
use crate::demo::json_values::sparse_object;

/// One output item of the Responses API.
#[derive(Clone, Debug)]
pub(super) struct OutputItem {
    pub(super) id: String,
    pub(super) content: OutputItemContent,
}

/// The content of an output item of the Responses API: a message, reasoning, or a function call.
#[derive(Clone, Debug)]
pub(super) enum OutputItemContent {
    Reasoning {
        /// The tokens of the reasoning summary; empty if reasoning stays hidden.
        summary: Vec<String>,
        /// The number of reasoning tokens.
        token_count: usize,
        /// The encrypted reasoning, for the client to send back.
        encrypted: Option<String>,
    },
    Message {
        text: Vec<String>,
        refused: bool,
    },
    Call(GeneratedCall),
}

/// The status of an item that has no content yet.
pub(super) const IN_PROGRESS: &str = "in_progress";

impl OutputItem {
    /// The item in this status; `IN_PROGRESS` leaves out its content.
    pub(super) fn to_json(&self, status: &str) -> Value {
        let begun = status == IN_PROGRESS;
        let parts = |part: Value| if begun { json!([]) } else { json!([part]) };
        match &self.content {
            OutputItemContent::Reasoning {
                summary, encrypted, ..
            } => {
                let summary = match summary.is_empty() {
                    true => json!([]),
                    false => parts(summary_part(&summary.concat())),
                };
                let sealed = |sealed: &String| json!(if begun { "" } else { sealed });
                sparse_object([
                    ("id", Some(json!(self.id))),
                    ("type", Some(json!("reasoning"))),
                    ("summary", Some(summary)),
                    ("encrypted_content", encrypted.as_ref().map(sealed)),
                ])
            }
            OutputItemContent::Message { text, refused } => json!({
                "id": self.id,
                "type": "message",
                "status": status,
                "content": parts(content_part(&text.concat(), *refused)),
                "role": "assistant",
            }),
            OutputItemContent::Call(call) => json!({
                "id": self.id,
                "type": "function_call",
                // A call is never cut.
                "status": if begun { status } else { "completed" },
                "arguments": if begun { String::new() } else { call.argument_tokens.concat() },
                "call_id": call.make_id("call_", 24),
                "name": call.name,
            }),
        }
    }
}

/// The JSON of a content part of a message.
pub(super) fn content_part(text: &str, refused: bool) -> Value {
    if refused {
        json!({"type": "refusal", "refusal": text})
    } else {
        json!({"type": "output_text", "annotations": [], "logprobs": [], "text": text})
    }
}

/// A part of the reasoning summary.
pub(super) fn summary_part(text: &str) -> Value {
    json!({"type": "summary_text", "text": text})
}
