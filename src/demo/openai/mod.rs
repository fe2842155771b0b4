//! OpenAI's API: routes, keys and the list of models
//! (<https://platform.openai.com/docs/api-reference/introduction>).

mod chat;
mod responses;
mod rules;

use serde_json::json;

use self::rules::{RULES, error_json, head_fields, json_reply, pretty_json};
use super::api_error::{ApiError, ApiResult};
use super::context::DemoContext;
use super::head::{JSON_TYPE, bearer_token, is_bad_key, is_read};
use super::models;
use crate::serve::reply::ServerReply;
use crate::serve::request::ServerRequest;

/// Answers a request for this API, which also gets all paths of no API.
pub(super) fn route(request: &ServerRequest, context: DemoContext) -> ApiResult<ServerReply> {
    let (method, path) = (request.method(), request.path());
    let place = [("method", method), ("path", path)];
    let Some(resource) = path.strip_prefix("/v1/") else {
        return Err(RULES.error("unknown_url", &place));
    };
    if is_bad_key(bearer_token(request)) {
        return Err(RULES.error("bad_key", &[("key", "bad-key")]));
    }
    let not_allowed = |allowed: &str| {
        let values = [&place[..], &[("allowed", allowed)]].concat();
        Err(RULES.error("method_not_allowed", &values))
    };
    match (resource, resource.strip_prefix("models/")) {
        ("chat/completions" | "responses", _) if method != "POST" => not_allowed("POST"),
        ("chat/completions", _) => chat::create_completion(request, context),
        ("responses", _) => responses::create_response(request, context),
        (_, Some("")) => Err(RULES.error("unknown_url", &place)),
        ("models", _) | (_, Some(_)) if !is_read(request) => not_allowed("GET, HEAD"),
        ("models", _) => {
            let data = models::list(|id| RULES.model(id));
            Ok(json_reply(
                &json!({"object": "list", "data": data}),
                context,
            ))
        }
        (_, Some(id)) if models::is_listed(id) => Ok(json_reply(&RULES.model(id), context)),
        (_, Some(id)) => Err(RULES.status_error(404, &[("model", id)])),
        _ => Err(match resource.strip_prefix("responses/") {
            // Nothing is stored.
            Some(id) => RULES.error("no_stored_response", &[("id", id)]),
            None => RULES.error("unknown_url", &place),
        }),
    }
}

/// The error as a reply.
pub(super) fn error_reply(
    error: &ApiError,
    _: &ServerRequest,
    context: DemoContext,
) -> ServerReply {
    let fields = head_fields(JSON_TYPE, 3, &error.fields, context);
    error.to_reply(fields, pretty_json(&error_json(error)), context)
}
