//! OpenAI's Responses, whole and streamed (<https://platform.openai.com/docs/api-reference/responses>). Nothing is
//! stored: `previous_response_id` is accepted and ignored.

mod check;
mod item;
mod object;
mod reply;
mod request;

use self::object::ResponseObject;
use super::check::{RULES, parse_body, required_model};
use super::error::{invalid, model_error};
use crate::demo::api_answer::reply_with;
use crate::demo::api_error::{ApiError, ApiResult};
use crate::demo::context::DemoContext;
use crate::demo::json_values::non_null;
use crate::demo::models::{self, ModelFault};
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// `POST /v1/responses`.
pub(super) fn create_response(
    request: &ServerRequest,
    context: DemoContext,
) -> ApiResult<ServerReply> {
    let body = parse_body(&request.body)?;
    RULES.required("model", non_null(&body, "model"))?;
    let model = required_model(&body)?;
    models::check_fault(model, fault_error)?;
    check::check_parameters(&body)?;
    let question = request::read_request(&body);
    check::check_length(&question)?;
    let response = ResponseObject::generate(&body, &question, context);
    reply_with(&response, &question, context)
}

/// The error for `/v1/responses/{id}`: nothing is stored.
pub(super) fn stored_response_error(id: &str) -> ApiError {
    ApiError::new(404, format!("Response with id '{id}' not found."))
}

/// The error for a model's fault. The status of an unknown model is 400 here and 404 in Chat Completions.
fn fault_error(fault: ModelFault, model: &str) -> ApiError {
    match fault {
        ModelFault::Unknown => {
            let message = format!("The requested model '{model}' does not exist.");
            invalid("model", message).with_code("model_not_found")
        }
        ModelFault::Status(_) => model_error(fault, model),
    }
}

#[cfg(test)]
mod tests;
