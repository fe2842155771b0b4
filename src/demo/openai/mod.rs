//! The parts of OpenAI's API that Chat Completions and Responses share: routes, keys, heads, errors, models
//! (<https://platform.openai.com/docs/api-reference/introduction>).

pub(super) mod check;
pub(super) mod error;
pub(super) mod head;
pub(super) mod model_errors;
mod models;

use self::error::OpenAiError;
use super::{DemoContext, bearer_token, chat, responses};
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// The reply to a request for this API, which also gets all paths of no API.
pub(super) fn answer(request: &ServerRequest, seen: DemoContext) -> ServerReply {
    match route(request, seen) {
        Ok(reply) => reply,
        Err(problem) => problem.to_reply(seen),
    }
}

fn route(request: &ServerRequest, seen: DemoContext) -> Result<ServerReply, OpenAiError> {
    let path = request.path();
    if !path.starts_with("/v1/") {
        return Err(OpenAiError::unknown_url(request.method(), path));
    }
    if request.field("authorization").and_then(bearer_token) == Some("bad-key") {
        return Err(OpenAiError::bad_key("bad-key"));
    }
    let reading = matches!(request.method(), "GET" | "HEAD");
    let id = path.strip_prefix("/v1/models/").filter(|id| !id.is_empty());
    match (path, id) {
        ("/v1/chat/completions", _) if request.method() == "POST" => {
            chat::create_completion(request, seen)
        }
        ("/v1/chat/completions", _) => Err(OpenAiError::method_not_allowed(
            request.method(),
            path,
            "POST",
        )),
        ("/v1/responses", _) if request.method() == "POST" => {
            responses::create_response(request, seen)
        }
        ("/v1/responses", _) => Err(OpenAiError::method_not_allowed(
            request.method(),
            path,
            "POST",
        )),
        ("/v1/models", _) | (_, Some(_)) if !reading => Err(OpenAiError::method_not_allowed(
            request.method(),
            path,
            "GET, HEAD",
        )),
        ("/v1/models", _) => Ok(models::list_models(seen)),
        (_, Some(id)) => models::retrieve_model(id, seen),
        _ => Err(match path.strip_prefix("/v1/responses/") {
            Some(id) => responses::stored_response_error(id),
            None => OpenAiError::unknown_url(request.method(), path),
        }),
    }
}
