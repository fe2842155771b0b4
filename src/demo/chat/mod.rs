//! OpenAI's Chat Completions, whole and streamed (<https://platform.openai.com/docs/api-reference/chat>).

mod check;
mod completion;
mod object;
mod request;
mod stream;

use super::openai::error::OpenAiError;
use super::openai::{check as common, model_errors};
use super::{DemoContext, models, special_models};
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// `POST /v1/chat/completions`.
pub(super) fn create_completion(
    request: &ServerRequest,
    seen: DemoContext,
) -> Result<ServerReply, OpenAiError> {
    let body = common::parse_body(&request.body)?;
    let model = common::required_model(&body)?;
    if let Some(fault) = models::model_fault(model) {
        return Err(model_errors::error_for_fault(fault, model));
    }
    check::check_parameters(&body)?;
    let asked = request::read_request(&body);
    check::check_length(&asked.model_request)?;
    let completion = completion::generate_completion(&asked.model_request, seen);
    let failure = model_errors::server_error(500);
    let reply = if asked.model_request.stream {
        stream::stream_reply(&asked, &completion, seen)
    } else if special_models::fails_without_stream(model) {
        return Err(failure);
    } else {
        object::whole_reply(&asked, &completion, seen)
    };
    let failure = |_| vec![stream::event_text(&failure.to_json())];
    Ok(special_models::apply_behaviour(model, reply, seen, failure))
}

#[cfg(test)]
mod tests;
