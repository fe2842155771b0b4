//! Responses, plain and streamed (<https://platform.openai.com/docs/api-reference/responses>). Nothing is
//! stored: `previous_response_id` is taken, and not followed.

mod ask;
mod check;
mod item;
mod object;
mod stream;

use serde_json::Value;

use self::object::{Response, State};
use super::models::Fault;
use super::openai::problem::Problem;
use super::openai::{check as common, errors, head};
use super::{Context, flow, models, special};
use crate::serve::reply::Reply;
use crate::serve::request::Request;

/// `POST /v1/responses`.
pub(super) fn create(request: &Request, seen: Context) -> Result<Reply, Problem> {
    let body = common::json(&request.body)?;
    if common::given(&body, "model").is_none() {
        return Err(common::missing("model"));
    }
    let model = common::model(&body)?;
    match models::fault(model) {
        Some(Fault::Unknown) => return Err(no_model(model)),
        Some(fault) => return Err(errors::of_fault(fault, model)),
        None => {}
    }
    check::parameters(&body)?;
    let ask = ask::read(&body);
    check::length(&ask)?;
    let response = Response::write(&body, &ask, seen);
    let problem = errors::server(500);
    let reply = if ask.stream {
        let obscured = body
            .get("stream_options")
            .and_then(|options| options.get("include_obfuscation"));
        stream::reply(&response, obscured != Some(&Value::Bool(false)), seen)
    } else if special::fails_plain(model) {
        return Err(problem);
    } else {
        plain(&response, seen)
    };
    let failure = |after| stream::failure(&response, &problem, after);
    Ok(special::spoil(model, reply, seen, failure))
}

/// `/v1/responses/{id}`: nothing is stored.
pub(super) fn stored(id: &str) -> Problem {
    Problem::new(404, format!("Response with id '{id}' not found."))
}

fn plain(response: &Response<'_>, seen: Context) -> Reply {
    let cost = response.usage;
    let fields = head::fields("application/json", seen, cost.total());
    let body = head::pretty(&response.json(State::Ended));
    flow::whole(fields, body, cost.completion, seen)
}

/// A model that is not there is a bad request here, and not found in Chat Completions.
fn no_model(model: &str) -> Problem {
    Problem::new(
        400,
        format!("The requested model '{model}' does not exist."),
    )
    .param("model")
    .code("model_not_found")
}

#[cfg(test)]
mod tests;
