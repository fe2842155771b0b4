//! What the demo server answers: five APIs for language models, as far as their wire goes, and pure.
//!
//! No language model runs here. [`answer`] makes a [`ServerReply`] from a [`ServerRequest`] and a [`DemoContext`] alone:
//! same values, same bytes. Shapes, messages and the order of keys are those of each API's documents and
//! of recorded traffic.
//!
//! ```text
//!            ┌─ chat ──── ask ┐                                 ┌ plain ─┐
//!            ├─ responses ask │                                 │        │
//!   Request ─┼─ messages  ask ├─ Ask ─ thought::answer ─ Answer ┤        ├─ flow ─ special ─ Reply
//!            ├─ gemini    ask │                                 │        │
//!            └─ ollama    ask ┘                                 └ stream ┘
//! ```
//!
//! Each API has a folder: what it refuses (`check`), how it reads an ask, and how an answer is shaped. What
//! an answer says, and the models below, is made once for all.
//!
//! | request | reply |
//! |---|---|
//! | `POST /v1/chat/completions` | OpenAI: a completion, with tools, JSON, log probabilities |
//! | `POST /v1/responses` | OpenAI: a response, with thinking, tools, JSON |
//! | `POST /v1/messages` | Anthropic: a message, with thinking, tools; `anthropic-version` is required |
//! | `POST /v1beta/models/{m}:generateContent` | Gemini: contents, with thoughts, functions; `/v1/` as well |
//! | `POST /v1beta/models/{m}:streamGenerateContent` | the same as events (`alt=sse`), or as a growing array |
//! | `POST /api/chat` | Ollama: a chat, streamed where nothing else is said |
//! | `GET /v1/models`, `GET /v1/models/{id}` | the models below; Anthropic's way with `anthropic-version`, Gemini's with `x-goog-api-key` |
//! | `GET /v1beta/models`, `GET /v1beta/models/{id}`, `GET /api/tags` | the same for Gemini and Ollama |
//! | anything else | 404 or 405, in the words of the API whose path it is, or of OpenAI |
//!
//! No key is needed; the key `bad-key` is refused, wherever the API has its key. Most models just answer;
//! these do something else ([`MODELS`]), each API in its own shapes:
//!
//! | model | what it does |
//! |---|---|
//! | `demo-reasoning` | thinks first, and shows it |
//! | `demo-refusal` | refuses: `refusal`, a `stop_reason`, a blocked prompt; Ollama has only the text |
//! | `demo-long` | never stops by itself: it is stopped by the limit of tokens |
//! | `demo-filter` | is stopped by a filter in the middle |
//! | `demo-slow` | pauses long between events |
//! | `demo-stall` | goes silent after three events, and stays so |
//! | `demo-cut` | drops the connection inside the body |
//! | `demo-garbage` | breaks the chunked framing inside the body |
//! | `demo-error-in-stream` | answers 200, then sends an error as an event; an error status without a stream |
//! | `demo-big-N` | a body of some N MiB, made while it is written |
//! | `error-NNN` | the error of that status: `error-429`, `error-503`, ... |
//! | `unknown-...`, `nope...` | is not found: 404, in Responses 400 |

mod big_body;
mod chat;
mod gateway;
mod gemini;
mod generation;
mod ids;
mod messages;
mod model_request;
mod models;
mod ollama;
mod openai;
mod pacing;
mod responses;
mod schema_value;
mod server;
mod special_models;
mod timestamps;
mod tokens;
mod usage;

pub use models::MODELS;
pub use server::{DemoOptions, DemoServer};

use std::time::Duration;

use self::openai::error::OpenAiError;
use crate::serve::{ServerReply, ServerRequest};

/// What an answer depends on beside the request.
#[derive(Clone, Copy, Debug)]
pub struct DemoContext {
    /// Which request of this server it is, from 1.
    pub request_number: u64,
    /// Wall-clock time, seconds since 1970.
    pub created_secs: i64,
    /// The pause between the events of a stream.
    pub pace: Duration,
}

/// The reply to `request`.
pub fn answer(request: &ServerRequest, seen: DemoContext) -> ServerReply {
    if messages::is_for_anthropic(request) {
        messages::answer(request, seen)
    } else if gemini::is_for_gemini(request) {
        gemini::answer(request, seen)
    } else if ollama::is_for_ollama(request) {
        ollama::answer(request, seen)
    } else {
        openai::answer(request, seen)
    }
}

/// The reply to a request that could not be read; the connection ends with it.
pub fn refuse(status: u16, fault: &str, seen: DemoContext) -> ServerReply {
    let mut reply = OpenAiError::new(status, fault).to_reply(seen);
    reply.close_after = true;
    reply
}

/// The token of `Bearer token` (RFC 6750, 2.1); the scheme is read in any case (RFC 9110, 11.1).
fn bearer_token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
