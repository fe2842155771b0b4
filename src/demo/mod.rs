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
//! Each API has a folder, which imports only the shared files beside it: `check` refuses bad requests by a table of
//! [`parameters`], `request` reads a request, `error` has the words of errors, the other files shape the answer. The
//! text of an answer and the models below are the same for all APIs.
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
mod parameters;
mod schema_value;
mod server;
mod special_models;
mod timestamps;
mod tokens;
mod usage;

pub use context::DemoContext;
pub use models::MODELS;
pub use server::{DemoOptions, DemoServer};

use crate::serve::{ServerReply, ServerRequest};

/// One API that the demo server answers for.
struct DemoApi {
    /// Whether a request is for it.
    accepts: fn(&ServerRequest) -> bool,
    answer: fn(&ServerRequest, DemoContext) -> ServerReply,
}

/// The APIs beside OpenAI's, which answers what no other accepts.
const APIS: [DemoApi; 3] = [
    DemoApi {
        accepts: anthropic::accepts,
        answer: anthropic::answer,
    },
    DemoApi {
        accepts: gemini::accepts,
        answer: gemini::answer,
    },
    DemoApi {
        accepts: ollama::accepts,
        answer: ollama::answer,
    },
];

/// The reply to `request`.
pub fn answer(request: &ServerRequest, context: DemoContext) -> ServerReply {
    match APIS.iter().find(|api| (api.accepts)(request)) {
        Some(api) => (api.answer)(request, context),
        None => openai::answer(request, context),
    }
}

/// The reply to a request that cannot be read; the connection is closed after it.
pub fn refuse(status: u16, fault: &str, context: DemoContext) -> ServerReply {
    let mut reply = openai::refuse(status, fault, context);
    reply.close_after = true;
    reply
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
