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
mod check;
mod completion;
mod errors;
mod fill;
mod head;
mod ids;
mod models;
mod plain;
mod problem;
mod special;
mod stream;
mod usage;
mod words;

pub use models::MODELS;

use std::time::Duration;

use self::ask::Ask;
use self::problem::Problem;
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
    match route(request, seen) {
        Ok(reply) => reply,
        Err(problem) => problem.reply(seen),
    }
}

/// The reply to a request that could not be read; the connection ends with it.
pub fn refuse(status: u16, fault: &str, seen: Context) -> Reply {
    let mut reply = Problem::new(status, fault).reply(seen);
    reply.close = true;
    reply
}

fn route(request: &Request, seen: Context) -> Result<Reply, Problem> {
    let path = request.path();
    if !path.starts_with("/v1/") {
        return Err(Problem::unknown_url(&request.method, path));
    }
    if request.field("authorization").and_then(token) == Some("bad-key") {
        return Err(Problem::bad_key("bad-key"));
    }
    let reading = matches!(request.method.as_str(), "GET" | "HEAD");
    let id = path.strip_prefix("/v1/models/").filter(|id| !id.is_empty());
    match (path, id) {
        ("/v1/chat/completions", _) if request.method == "POST" => chat(request, seen),
        ("/v1/chat/completions", _) => Err(Problem::method(&request.method, path, "POST")),
        ("/v1/models", _) | (_, Some(_)) if !reading => {
            Err(Problem::method(&request.method, path, "GET, HEAD"))
        }
        ("/v1/models", _) => Ok(models::list(seen)),
        (_, Some(id)) => models::one(id, seen),
        _ => Err(Problem::unknown_url(&request.method, path)),
    }
}

/// The token of `Bearer token` (RFC 6750, 2.1); the scheme is read in any case (RFC 9110, 11.1).
fn token(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

fn chat(request: &Request, seen: Context) -> Result<Reply, Problem> {
    let body = check::json(&request.body)?;
    let model = check::model(&body)?;
    errors::by_model(model)?;
    check::parameters(&body)?;
    let ask = Ask::read(&body);
    check::length(&ask)?;
    if let Some(mebibytes) = models::big(&ask.model) {
        return Ok(big::reply(&ask, mebibytes, seen));
    }
    let completion = completion::write(&ask, seen);
    let reply = if ask.stream {
        stream::reply(&ask, &completion, seen)
    } else {
        special::may_answer_plain(&ask.model)?;
        plain::reply(&ask, &completion, seen)
    };
    Ok(special::spoil(&ask.model, reply, seen))
}

#[cfg(test)]
mod tests;
