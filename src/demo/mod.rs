//! The demo server and its replies: five APIs for language models, as they look on the wire. No model runs.
//!
//! [`answer`] makes a [`ServerReply`] from a [`ServerRequest`] and a [`DemoContext`] and nothing else:
//! equal values give equal bytes. Shapes, messages and the order of keys are those of each API's documents and
//! of recorded traffic.
//!
//! ```text
//!                  ┌─ openai: chat, responses ─┐
//!   ServerRequest ─┼─ anthropic                ├─ ModelRequest ─ GenerationResult ─ ApiAnswer ─ special_models ─
//! ServerReply
//!                  ├─ gemini                   │     check,           tokens       whole or
//!                  └─ ollama                   ┘    request                       streamed
//! ```
//!
//! Each API has a folder, which imports only the shared files beside it: `rules.json` has the words of its errors and
//! its head fields ([`rules`]), `check` refuses bad requests, `request` reads a request, the other files shape the
//! answer. The text of an answer and the models below are the same for all APIs.
//!
//! | request | reply |
//! |---|---|
//! | `POST /v1/chat/completions` | OpenAI: a completion, with tools, JSON, log probabilities |
//! | `POST /v1/responses` | OpenAI: a response, with thinking, tools, JSON |
//! | `POST /v1/messages` | Anthropic: a message, with thinking, tools; `anthropic-version` is required |
//! | `POST /v1beta/models/{m}:generateContent` | Gemini: contents, with thoughts, functions; `/v1/` as well |
//! | `POST /v1beta/models/{m}:streamGenerateContent` | the same as events (`alt=sse`), or as a growing array |
//! | `POST /api/chat` | Ollama: a chat, streamed by default |
//! | `GET /v1/models`, `GET /v1/models/{id}` | the models below; Anthropic's way with `anthropic-version`, Gemini's
//! with `x-goog-api-key` |
//! | `GET /v1beta/models`, `GET /v1beta/models/{id}`, `GET /api/tags` | the same for Gemini and Ollama |
//! | anything else | 404 or 405, in the words of the API whose path it is, or of OpenAI |
//!
//! No key is needed; the key `bad-key` is refused. Most models just answer;
//! these do something else, each API in its own shapes:
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

mod anthropic;
mod api_answer;
mod api_error;
mod big_body;
mod context;
mod gemini;
mod generation;
mod head;
mod ids;
mod json_values;
mod model_request;
mod models;
mod ollama;
mod openai;
mod pacing;
mod rules;
mod schema_value;
mod server;
mod special_models;
mod timestamps;
mod tokens;
mod usage;

pub use context::DemoContext;
pub use server::{DemoOptions, DemoServer};

use self::api_error::{ApiError, ApiResult};
use crate::serve::{ServerReply, ServerRequest};

/// One API that the demo server answers for.
struct DemoApi {
    /// Whether a request is for it.
    accepts: fn(&ServerRequest) -> bool,
    route: fn(&ServerRequest, DemoContext) -> ApiResult<ServerReply>,
    error_reply: fn(&ApiError, &ServerRequest, DemoContext) -> ServerReply,
}

/// All APIs; OpenAI's answers what no other accepts.
const APIS: [DemoApi; 4] = [
    DemoApi {
        accepts: anthropic::accepts,
        route: anthropic::route,
        error_reply: anthropic::error_reply,
    },
    DemoApi {
        accepts: gemini::accepts,
        route: gemini::route,
        error_reply: gemini::error_reply,
    },
    DemoApi {
        accepts: ollama::accepts,
        route: ollama::route,
        error_reply: ollama::error_reply,
    },
    DemoApi {
        accepts: |_| true,
        route: openai::route,
        error_reply: openai::error_reply,
    },
];

/// The reply to `request`.
pub fn answer(request: &ServerRequest, context: DemoContext) -> ServerReply {
    let api = APIS.iter().find(|api| (api.accepts)(request));
    let Some(api) = api else {
        return refuse(404, "Not Found", context);
    };
    (api.route)(request, context)
        .unwrap_or_else(|error| (api.error_reply)(&error, request, context))
}

/// The reply to a request that cannot be read; the connection is closed after it.
pub fn refuse(status: u16, fault: &str, context: DemoContext) -> ServerReply {
    let error = ApiError::new(status, fault);
    let mut reply = openai::error_reply(&error, &ServerRequest::default(), context);
    reply.close_after = true;
    reply
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
