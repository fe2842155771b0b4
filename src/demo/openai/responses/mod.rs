//! OpenAI's Responses, whole and streamed (<https://platform.openai.com/docs/api-reference/responses>). Nothing is
//! stored: `previous_response_id` is accepted and ignored.

mod check;
mod object;
mod request;
mod stream;

use self::object::ResponseObject;
use super::rules::{RULES, reply_plan};
use crate::demo::api_answer::reply_with;
use crate::demo::api_error::ApiResult;
use crate::demo::context::DemoContext;
use crate::demo::json_values::text_at;
use crate::demo::models::{self, CONTEXT_TOKENS};
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// `POST /v1/responses`.
pub(super) fn create_response(
    request: &ServerRequest,
    context: DemoContext,
) -> ApiResult<ServerReply> {
    let body = RULES.parse_object(&request.body)?;
    RULES.required("model", RULES.find(&body, "model"))?;
    let model = text_at(&body, "model");
    if models::is_unknown(model) {
        // The status is 400 here and 404 in Chat Completions.
        return Err(RULES.error("unknown_response_model", &[("model", model)]));
    }
    RULES.required_model(&body)?;
    check::check_parameters(&body)?;
    let question = request::read_request(&body);
    RULES.check_length(question.prompt_tokens, CONTEXT_TOKENS, "input_too_long")?;
    let response = ResponseObject::generate(&body, &question, context);
    let plan = reply_plan(&question, response.usage, context);
    reply_with(&response, plan, &question, context)
}

#[cfg(test)]
mod tests;
