//! The demo server and its replies: five APIs for language models, as they look on the wire. No model runs.
//!
//! [`answer`] makes a [`ServerReply`] from a [`ServerRequest`] and a [`DemoContext`] and nothing else:
//! equal values give equal bytes. Shapes, messages and the order of keys are those of each API's documents and
//! of recorded traffic.
//!
//! ```text
//!                  ┌─ chat ─────┐                                      ┌ object ┐
//!                  ├─ responses │                                      │        │
//!   ServerRequest ─┼─ messages  ├─ ModelRequest ─ Generation (tokens) ─┤        ├─ pacing ─ special_models ─ ServerReply
//!                  ├─ gemini    │                                      │        │
//!                  └─ ollama    ┘                                      └ stream ┘
//! ```
//!
//! Each dialect has a folder: `check` refuses bad requests, `request` reads a request, the other files shape the
//! answer. The text of an answer and the models below are the same for all dialects.
//!
//! | request | reply |
//! |---|---|
//! | `POST /v1/chat/completions` | OpenAI: a completion, with tools, JSON, log probabilities |
//! | `POST /v1/responses` | OpenAI: a response, with thinking, tools, JSON |
//! | `POST /v1/messages` | Anthropic: a message, with thinking, tools; `anthropic-version` is required |
//! | `POST /v1beta/models/{m}:generateContent` | Gemini: contents, with thoughts, functions; `/v1/` as well |
//! | `POST /v1beta/models/{m}:streamGenerateContent` | the same as events (`alt=sse`), or as a growing array |
//! | `POST /api/chat` | Ollama: a chat, streamed by default |
//! | `GET /v1/models`, `GET /v1/models/{id}` | the models below; Anthropic's way with `anthropic-version`, Gemini's with `x-goog-api-key` |
//! | `GET /v1beta/models`, `GET /v1beta/models/{id}`, `GET /api/tags` | the same for Gemini and Ollama |
//! | anything else | 404 or 405, in the words of the API whose path it is, or of OpenAI |
//!
//! No key is needed; the key `bad-key` is refused. Most models just answer;
//! these do something else ([`MODELS`]), each API in its own shapes:
//!
//! | model | what it does |
//! |---|---|
//! | `demo-reasoning` | thinks first, and shows it |
//! | `demo-refusal` | refuses: `refusal`, a `stop_reason`, a blocked prompt; Ollama has only the text |
//! | `demo-long` | never stops by itself: the token limit stops it |
//! | `demo-filter` | is stopped by a filter in the middle |
//! | `demo-slow` | pauses long between events |
//! | `demo-stall` | sends nothing more after three events |
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

/// The values beside the request that a reply depends on.
#[derive(Clone, Copy, Debug)]
pub struct DemoContext {
    /// The number of the request on this server, from 1.
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

/// The reply to a request that cannot be read; the connection is closed after it.
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
