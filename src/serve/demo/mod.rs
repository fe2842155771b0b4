//! What the demo server answers: OpenAI's Chat Completions API, as far as its wire goes, and pure.
//!
//! No language model runs here. [`answer`] makes a [`Reply`] from a [`Request`] and a [`Context`] alone:
//! same values, same bytes. Shapes, messages and the order of keys are those of
//! <https://platform.openai.com/docs/api-reference/chat> and of recorded traffic.
//!
//! | request | reply |
//! |---|---|
//! | `POST /v1/chat/completions` | a completion, plain or as a stream, with tools, JSON, log probabilities |
//! | `GET /v1/models`, `GET /v1/models/{id}` | the models below |
//! | anything else | 404 or 405, in OpenAI's words |
//!
//! No key is needed; `Authorization: Bearer bad-key` is refused with 401. Most models just answer; these
//! do something else ([`MODELS`]):
//!
//! | model | what it does |
//! |---|---|
//! | `demo-reasoning` | thinks first: `reasoning_content` and `reasoning_tokens`, as DeepSeek has them |
//! | `demo-refusal` | refuses: `refusal` in place of `content` |
//! | `demo-long` | never stops by itself: `finish_reason` is `length` |
//! | `demo-filter` | is stopped by the content filter |
//! | `demo-slow` | pauses long between events |
//! | `demo-stall` | goes silent after three events, and stays so |
//! | `demo-cut` | drops the connection inside the body |
//! | `demo-garbage` | breaks the chunked framing inside the body |
//! | `demo-error-in-stream` | answers 200, then sends an error as an event; 500 without a stream |
//! | `demo-big-N` | a body of some N MiB, made while it is written |
//! | `error-NNN` | the error of that status: `error-429`, `error-503`, ... |
//! | `unknown-...`, `nope...` | 404 `model_not_found` |

mod ask;
mod big;
mod chat;
mod fill;
mod flow;
mod gateway;
mod gemini;
mod ids;
mod messages;
mod models;
mod ollama;
mod openai;
mod responses;
mod special;
mod thought;
mod usage;
mod when;
mod words;

pub use models::MODELS;

use std::time::Duration;

use self::openai::problem::Problem;
use super::reply::Reply;
use super::request::Request;

/// What an answer depends on beside the request.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Which request of this server it is, from 1.
    pub seq: u64,
    /// Wall-clock time, seconds since 1970.
    pub created_secs: i64,
    /// The pause between the events of a stream.
    pub pace: Duration,
}

/// The reply to `request`.
pub fn answer(request: &Request, seen: Context) -> Reply {
    if messages::is_meant(request) {
        messages::answer(request, seen)
    } else if gemini::is_meant(request) {
        gemini::answer(request, seen)
    } else if ollama::is_meant(request) {
        ollama::answer(request, seen)
    } else {
        openai::answer(request, seen)
    }
}

/// The reply to a request that could not be read; the connection ends with it.
pub fn refuse(status: u16, fault: &str, seen: Context) -> Reply {
    let mut reply = Problem::new(status, fault).reply(seen);
    reply.close = true;
    reply
}

/// The token of `Bearer token` (RFC 6750, 2.1); the scheme is read in any case (RFC 9110, 11.1).
fn token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

#[cfg(test)]
mod testing;
