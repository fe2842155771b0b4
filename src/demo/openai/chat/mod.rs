//! OpenAI's Chat Completions, whole and streamed (<https://platform.openai.com/docs/api-reference/chat>).

mod check;
mod completion;
mod reply;
mod request;

use self::completion::ChatCompletion;
use super::check::{parse_body, required_model};
use super::error::model_error;
use crate::demo::api_answer::reply_with;
use crate::demo::api_error::ApiResult;
use crate::demo::context::DemoContext;
use crate::demo::models;
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// `POST /v1/chat/completions`.
pub(super) fn create_completion(
    request: &ServerRequest,
    context: DemoContext,
) -> ApiResult<ServerReply> {
    let body = parse_body(&request.body)?;
    let model = required_model(&body)?;
    models::check_fault(model, model_error)?;
    check::check_parameters(&body)?;
    let question = request::read_request(&body);
    check::check_length(&question)?;
    let completion = ChatCompletion::generate(&body, &question, context);
    reply_with(&completion, &question, context)
}

#[cfg(test)]
mod tests;
