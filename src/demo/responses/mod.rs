//! OpenAI's Responses, whole and streamed (<https://platform.openai.com/docs/api-reference/responses>). Nothing is
//! stored: `previous_response_id` is accepted and ignored.

mod check;
mod item;
mod object;
mod request;
mod stream;

use serde_json::Value;

use self::object::{ResponseObject, ResponseState};
use super::models::ModelFault;
use super::openai::error::OpenAiError;
use super::openai::{check as common, head, model_errors};
use super::{DemoContext, models, pacing, special_models};
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// `POST /v1/responses`.
pub(super) fn create_response(
    request: &ServerRequest,
    seen: DemoContext,
) -> Result<ServerReply, OpenAiError> {
    let body = common::parse_body(&request.body)?;
    if common::non_null(&body, "model").is_none() {
        return Err(common::missing_parameter("model"));
    }
    let model = common::required_model(&body)?;
    match models::model_fault(model) {
        Some(ModelFault::Unknown) => return Err(unknown_model_error(model)),
        Some(fault) => return Err(model_errors::error_for_fault(fault, model)),
        None => {}
    }
    check::check_parameters(&body)?;
    let ask = request::read_request(&body);
    check::check_length(&ask)?;
    let response = ResponseObject::generate(&body, &ask, seen);
    let problem = model_errors::server_error(500);
    let reply = if ask.stream {
        let obscured = body
            .get("stream_options")
            .and_then(|options| options.get("include_obfuscation"));
        stream::stream_reply(&response, obscured != Some(&Value::Bool(false)), seen)
    } else if special_models::fails_without_stream(model) {
        return Err(problem);
    } else {
        whole_reply(&response, seen)
    };
    let failure = |after| stream::failure_events(&response, &problem, after);
    Ok(special_models::apply_behaviour(model, reply, seen, failure))
}

/// The error for `/v1/responses/{id}`: nothing is stored.
pub(super) fn stored_response_error(id: &str) -> OpenAiError {
    OpenAiError::new(404, format!("Response with id '{id}' not found."))
}

fn whole_reply(response: &ResponseObject<'_>, seen: DemoContext) -> ServerReply {
    let cost = response.usage;
    let fields = head::head_fields("application/json", seen, cost.total_tokens());
    let body = head::pretty_json(&response.to_json(ResponseState::Ended));
    pacing::whole_reply(fields, body, cost.completion_tokens, seen)
}

/// The error of an unknown model: 400 here, 404 in Chat Completions.
fn unknown_model_error(model: &str) -> OpenAiError {
    OpenAiError::new(
        400,
        format!("The requested model '{model}' does not exist."),
    )
    .with_param("model")
    .with_code("model_not_found")
}

#[cfg(test)]
mod tests;
