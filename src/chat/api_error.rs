//! Errors as providers write them: one tolerant reading of all their shapes.
//!
//! `{"error":{...}}` (OpenAI, Azure, Groq, OpenRouter, Gemini, llama.cpp, vLLM), `{"type":"error","error":{...}}`
//! (Anthropic), `{"error":"text"}` (Ollama, xAI), `[{"error":{...}}]` (Gemini's array), flat
//! `{"object":"error",...}` (Mistral, old vLLM), `{"message","type","code"}` (Cerebras, Cohere, Bedrock),
//! `{"detail":[...]}` (FastAPI), and pages of proxies. `Content-Type` is never required.

use std::borrow::Cow;

use serde::Serialize;

use super::members::{non_empty_str, text_at};
use super::retry_delay::RetryDelay;
use crate::json::{JsonDocument, JsonKind, JsonValue};
use crate::span::Span;

/// An error that a provider reported in a body or an event.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ApiError {
    /// Message, in the provider's words.
    pub message: String,
    /// Error class: `type` of OpenAI and Anthropic, `status` of Google, `error_type` of OpenRouter, exceptions of AWS.
    #[serde(rename = "type")]
    pub class: Option<String>,
    /// Error code, as text or as a number.
    pub code: Option<ErrorCode>,
    /// Request parameter that the error names.
    pub param: Option<String>,
    /// A finer code: Anthropic's `details.error_code`, Azure's `innererror.code`, Google's `reason` or `quotaId`.
    pub detail: Option<String>,
    /// Wait before the next try that the body asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wait: Option<RetryDelay>,
    /// The provider's own error inside that of a gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upstream: Option<Box<UpstreamError>>,
    /// Whether the error came as an event of a stream.
    pub in_stream: bool,
    /// Span of the error in the decoded body.
    pub span: Option<Span>,
}

/// The error of a provider that a gateway passes on inside its own (OpenRouter's `error.metadata`).
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct UpstreamError {
    /// Name of the provider, as the gateway has it.
    pub provider: Option<String>,
    /// Its message.
    pub message: String,
}

/// A code as it was written: `429` or `"429"`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ErrorCode {
    /// Without quotes.
    Number(u64),
    /// In quotes.
    Text(String),
}

impl std::fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Most characters of a text body that are kept as the error message: about three lines of a terminal.
const MAX_MESSAGE_CHARS: usize = 300;

impl ApiError {
    /// Reads the member `error`, which means an error with any status. `null`, `false` and `""` are no errors.
    pub(super) fn from_error_key(root: JsonValue<'_>) -> Option<Self> {
        let root = if root.kind() == JsonKind::Array {
            root.item_at(0)?
        } else {
            root
        };
        let error = root.get("error")?;
        let class = root.get("type").or_else(|| root.get("error_type"));
        match error.kind() {
            JsonKind::Object if !error.is_empty() => Some(Self::from_object(error)),
            JsonKind::String => {
                let message = owned_text(error)?;
                Some(Self {
                    wait: RetryDelay::from_error(root, &message),
                    message,
                    code: root.get("code").and_then(read_code),
                    class: class.and_then(owned_text),
                    ..Self::default()
                })
            }
            _ => None,
        }
    }

    /// Reads an error of any shape, for bodies of responses with an error status.
    pub(super) fn from_body(root: JsonValue<'_>) -> Option<Self> {
        Self::from_error_key(root).or_else(|| Self::from_flat_object(root))
    }

    /// Reads an error in the body of a response that reports success: a member `error`, or one of the flat forms in which
    /// gateways and other APIs report failures with status 200.
    pub(super) fn from_successful_body(root: JsonValue<'_>, is_answer: bool) -> Option<Self> {
        let own = Self::from_error_key(root);
        own.or_else(|| Self::from_status_object(root)).or_else(|| {
            let failed = root.get("success").and_then(JsonValue::as_bool) == Some(false);
            let listed = || root.get("errors")?.item_at(0);
            let error = listed().map(|first| match first.kind() {
                JsonKind::Object => Self::from_object(first),
                _ => Self::from_text(first.as_str().unwrap_or_default().as_bytes()),
            });
            let error = error.or_else(|| Self::from_flat_object(root));
            let error = error.or_else(|| failed.then(|| Self::from_text(root.raw())));
            error.filter(|_| failed || !is_answer)
        })
    }

    /// Reads a status object with another code than success: MiniMax's `base_resp`, Baidu's `error_code`.
    fn from_status_object(root: JsonValue<'_>) -> Option<Self> {
        let forms = [
            (root.get("base_resp"), "status_code", "status_msg"),
            (Some(root), "error_code", "error_msg"),
        ];
        forms.into_iter().find_map(|(holder, code, message)| {
            let holder = holder?;
            let code = holder.get(code).filter(|code| code.as_u64() != Some(0))?;
            Some(Self {
                message: text_at(holder, message)?.into_owned(),
                code: read_code(code),
                ..Self::default()
            })
        })
    }

    /// Reads an event that its name or its `type` calls an error and that has no member `error`:
    /// `event: error`, `{"type":"error","message":...}` (Responses), `{"object":"error",...}` (Mistral, old vLLM).
    pub(super) fn from_error_event(name: &[u8], root: JsonValue<'_>) -> Option<Self> {
        let is = |key| {
            let word = root.get(key).and_then(JsonValue::as_str);
            word.is_some_and(|word| word == "error")
        };
        if name != b"error" && !is("type") && !is("object") {
            return None;
        }
        Some(Self::from_flat_object(root).unwrap_or_else(|| Self::from_text(root.raw())))
    }

    /// An error made of text alone, of which the beginning is kept.
    pub(super) fn from_text(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        Self {
            message: text.trim().chars().take(MAX_MESSAGE_CHARS).collect(),
            ..Self::default()
        }
    }

    /// Reads an error object that is not inside a member `error`.
    fn from_flat_object(root: JsonValue<'_>) -> Option<Self> {
        if root
            .get("message")
            .or_else(|| root.get("msg"))
            .is_some_and(|message| {
                message.kind() == JsonKind::String || root.get("object").is_some()
            })
        {
            return Some(Self::from_object(root));
        }
        let detail = root.get("detail")?;
        let message = owned_text(detail)
            .or_else(|| owned_text(detail.item_at(0)?.get("msg")?))
            .unwrap_or_else(|| String::from_utf8_lossy(detail.raw()).into_owned());
        Some(Self {
            message,
            ..Self::default()
        })
    }

    /// Reads an exception or error of an AWS event stream: its type, the message in its head, and its payload.
    pub(super) fn from_frame(class: Option<String>, message: Option<String>, data: &[u8]) -> Self {
        let document = JsonDocument::parse(data).ok();
        let root = document.as_ref().map(JsonDocument::root);
        let word = |key| text_at(root?, key).map(Cow::into_owned);
        let message = message
            .or_else(|| word("message"))
            .or_else(|| word("Message"));
        let original = word("originalMessage").filter(|own| message.as_ref() != Some(own));
        Self {
            class,
            code: root.and_then(|root| read_code(root.get("originalStatusCode")?)),
            upstream: original.map(|message| {
                let provider = None;
                Box::new(UpstreamError { provider, message })
            }),
            message: message.unwrap_or_else(|| Self::from_text(data).message),
            ..Self::default()
        }
    }

    /// Reads the object that holds message, type, code and param.
    pub(super) fn from_object(error: JsonValue<'_>) -> Self {
        let metadata = error.get("metadata");
        let word = |key| error.get(key).and_then(owned_text);
        let message = error.get("message").or_else(|| error.get("msg"));
        let message = message.map(|message| {
            owned_text(message)
                .unwrap_or_else(|| String::from_utf8_lossy(message.raw()).into_owned())
        });
        let message = message.unwrap_or_default();
        Self {
            // That it is an error is known.
            class: word("type")
                .filter(|class| class != "error")
                .or_else(|| word("status"))
                .or_else(|| word("error_type"))
                .or_else(|| owned_text(metadata?.get("error_type")?)),
            code: error.get("code").and_then(read_code),
            param: word("param"),
            detail: read_detail_code(error),
            upstream: metadata
                .and_then(UpstreamError::from_metadata)
                .map(Box::new),
            wait: RetryDelay::from_error(error, &message),
            message,
            ..Self::default()
        }
    }

    /// The message of a page or plain text: its title, or its beginning.
    pub(super) fn from_page(body: &[u8]) -> Option<Self> {
        let body = String::from_utf8_lossy(body);
        let title = || {
            let (_, after) = body.split_once("<title>")?;
            let (title, _) = after.split_once("</title>")?;
            Some(title.trim())
        };
        let text = title().unwrap_or_else(|| body.trim());
        (!text.is_empty()).then(|| Self::from_text(text.as_bytes()))
    }

    /// Whether both report the same failure: it often comes as an event and again at the end.
    pub(super) fn is_repeat_of(&self, other: &Self) -> bool {
        self.message == other.message && self.code == other.code
    }
}

impl UpstreamError {
    /// Reads `raw`, the provider's body as a string or an object, and `provider_name`.
    fn from_metadata(metadata: JsonValue<'_>) -> Option<Self> {
        let raw = metadata.get("raw")?;
        let text = match raw.as_str() {
            Some(text) => text,
            None => String::from_utf8_lossy(raw.raw()),
        };
        let document = JsonDocument::parse(text.as_bytes()).ok();
        let inner = document
            .as_ref()
            .and_then(|inner| ApiError::from_body(inner.root()));
        let message = match inner {
            Some(inner) => inner.message,
            None => ApiError::from_text(text.as_bytes()).message,
        };
        let provider = text_at(metadata, "provider_name").map(Cow::into_owned);
        (!message.is_empty()).then_some(Self { provider, message })
    }
}

/// The finer code among the details beside the message; Google has a list there.
fn read_detail_code(error: JsonValue<'_>) -> Option<String> {
    let inner = error.get("details").or_else(|| error.get("innererror"))?;
    let own = inner.get("error_code").or_else(|| inner.get("code"));
    let listed = || {
        inner.items().find_map(|detail| {
            let violation = detail.get("violations").and_then(|list| list.item_at(0));
            let quota = violation.and_then(|violation| violation.get("quotaId"));
            detail.get("reason").or(quota)
        })
    };
    own.or_else(listed).and_then(owned_text)
}

fn owned_text(value: JsonValue<'_>) -> Option<String> {
    non_empty_str(value).map(Cow::into_owned)
}

fn read_code(value: JsonValue<'_>) -> Option<ErrorCode> {
    match value.as_u64() {
        Some(number) => Some(ErrorCode::Number(number)),
        None => owned_text(value).map(ErrorCode::Text),
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiError, ErrorCode};
    use crate::json::JsonDocument;

    fn read(text: &str) -> Option<ApiError> {
        ApiError::from_body(JsonDocument::parse(text.as_bytes()).unwrap().root())
    }

    #[test]
    fn every_shape_is_read() {
        let cases = [
            (
                r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#,
                "m|t|p|c",
            ),
            (
                r#"{"type":"error","error":{"type":"t","message":"m"}}"#,
                "m|t||",
            ),
            (r#"{"error":"m"}"#, "m|||"),
            (r#"{"code":"c","error":"m"}"#, "m|||c"),
            (
                r#"[{"error":{"code":429,"message":"m","status":"T"}}]"#,
                "m|T||429",
            ),
            (
                r#"{"object":"error","message":"m","type":"t","param":null,"code":"1300"}"#,
                "m|t||1300",
            ),
            (
                r#"{"object":"error","message":{"detail":[1]}}"#,
                r#"{"detail":[1]}|||"#,
            ),
            (r#"{"message":"m"}"#, "m|||"),
            (r#"{"detail":[{"loc":[],"msg":"m","type":"t"}]}"#, "m|||"),
            (
                r#"{"error":{"code":502,"message":"m","metadata":{"error_type":"t"}}}"#,
                "m|t||502",
            ),
        ];
        for (text, expected) in cases {
            let error = read(text).unwrap();
            let code = error.code.as_ref().map(ErrorCode::to_string);
            let parts = [Some(error.message), error.class, error.param, code];
            let parts: Vec<_> = parts.into_iter().map(Option::unwrap_or_default).collect();
            assert_eq!(parts.join("|"), expected, "{text}");
        }
        assert_eq!(read(r#"{"error":null,"choices":[]}"#), None);
    }

    #[test]
    fn finer_codes() {
        let case = |text: &str, expected: &str| {
            assert_eq!(
                read(text).unwrap().detail.as_deref(),
                Some(expected),
                "{text}"
            );
        };
        case(
            r#"{"error":{"message":"m","details":{"error_code":"a"}}}"#,
            "a",
        );
        case(
            r#"{"error":{"message":"m","innererror":{"code":"b"}}}"#,
            "b",
        );
        case(
            r#"{"error":{"message":"m","details":[{"violations":[{"quotaId":"PerDay"}]},{"retryDelay":"3s"}]}}"#,
            "PerDay",
        );
        case(
            r#"{"error":{"message":"m","details":[{"reason":"API_KEY_INVALID"}]}}"#,
            "API_KEY_INVALID",
        );
    }

    #[test]
    fn a_page_is_told_by_its_title() {
        let page = b"<html><head><title>502 Bad Gateway</title></head>";
        assert_eq!(
            ApiError::from_page(page).unwrap().message,
            "502 Bad Gateway"
        );
        assert_eq!(ApiError::from_page(b" \n"), None);
    }
}
