//! Chat Completions, plain and streamed (<https://platform.openai.com/docs/api-reference/chat>).

mod ask;
mod check;
mod completion;
mod plain;
mod stream;

use super::openai::problem::Problem;
use super::openai::{check as common, errors};
use super::{Context, models, special};
use crate::serve::reply::Reply;
use crate::serve::request::Request;

/// `POST /v1/chat/completions`.
pub(super) fn create(request: &Request, seen: Context) -> Result<Reply, Problem> {
    let body = common::json(&request.body)?;
    let model = common::model(&body)?;
    if let Some(fault) = models::fault(model) {
        return Err(errors::of_fault(fault, model));
    }
    check::parameters(&body)?;
    let asked = ask::read(&body);
    check::length(&asked.ask)?;
    let completion = completion::write(&asked.ask, seen);
    let failure = errors::server(500);
    let reply = if asked.ask.stream {
        stream::reply(&asked, &completion, seen)
    } else if special::fails_plain(model) {
        return Err(failure);
    } else {
        plain::reply(&asked, &completion, seen)
    };
    let failure = |_| vec![stream::line(&failure.json())];
    Ok(special::spoil(model, reply, seen, failure))
}

#[cfg(test)]
mod tests;
