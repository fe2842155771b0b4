//! The items of a response's output: reasoning, a message, tool calls
//! (<https://platform.openai.com/docs/api-reference/responses/object>).

use serde_json::{Value, json};

use crate::demo::generation::GeneratedCall;

/// One item of the output.
#[derive(Clone, Debug)]
pub(super) enum OutputItem {
    Reasoning {
        id: String,
        /// The tokens of the reasoning summary; empty if reasoning stays hidden.
        summary: Vec<String>,
        /// The number of reasoning tokens.
        token_count: usize,
        /// The encrypted reasoning, for the client to send back.
        encrypted: Option<String>,
    },
    Message {
        id: String,
        text: Vec<String>,
        refused: bool,
    },
    Call {
        id: String,
        call: GeneratedCall,
    },
}

impl OutputItem {
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Reasoning { id, .. } | Self::Message { id, .. } | Self::Call { id, .. } => id,
        }
    }

    /// The whole item.
    pub(super) fn to_json(&self, status: &str) -> Value {
        match self {
            Self::Reasoning { summary, .. } if summary.is_empty() => {
                self.reasoning_json(&json!([]), true)
            }
            Self::Reasoning { summary, .. } => {
                self.reasoning_json(&json!([summary_part(&summary.concat())]), true)
            }
            Self::Message { id, text, refused } => json!({
                "id": id,
                "type": "message",
                "status": status,
                "content": [content_part(&text.concat(), *refused)],
                "role": "assistant",
            }),
            Self::Call { call, .. } => {
                self.call_json(call, "completed", &call.argument_tokens.concat())
            }
        }
    }

    /// The item at its start, without content.
    pub(super) fn begun_json(&self) -> Value {
        match self {
            Self::Reasoning { .. } => self.reasoning_json(&json!([]), false),
            Self::Message { id, .. } => json!({
                "id": id,
                "type": "message",
                "status": "in_progress",
                "content": [],
                "role": "assistant",
            }),
            Self::Call { call, .. } => self.call_json(call, "in_progress", ""),
        }
    }

    fn reasoning_json(&self, summary: &Value, whole: bool) -> Value {
        let mut item = json!({"id": self.id(), "type": "reasoning", "summary": summary});
        if let Self::Reasoning {
            encrypted: Some(sealed),
            ..
        } = self
        {
            item["encrypted_content"] = json!(if whole { sealed.as_str() } else { "" });
        }
        item
    }

    fn call_json(&self, call: &GeneratedCall, status: &str, arguments: &str) -> Value {
        json!({
            "id": self.id(),
            "type": "function_call",
            "status": status,
            "arguments": arguments,
            "call_id": call.make_id("call_", 24),
            "name": call.name,
        })
    }
}

/// A part of a message.
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
