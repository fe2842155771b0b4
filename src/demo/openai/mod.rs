//! What Chat Completions and Responses share, for they are one API: routes, keys, heads, errors, models
//! (<https://platform.openai.com/docs/api-reference/introduction>).

pub(super) mod check;
pub(super) mod errors;
pub(super) mod head;
mod models;
pub(super) mod problem;

use self::problem::Problem;
use super::{Context, chat, responses, token};
use crate::serve::reply::Reply;
use crate::serve::request::Request;

/// The reply to a request for a path that no other API has.
pub(super) fn answer(request: &Request, seen: Context) -> Reply {
    match route(request, seen) {
        Ok(reply) => reply,
        Err(problem) => problem.reply(seen),
    }
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
        ("/v1/chat/completions", _) if request.method == "POST" => chat::create(request, seen),
        ("/v1/chat/completions", _) => Err(Problem::method(&request.method, path, "POST")),
        ("/v1/responses", _) if request.method == "POST" => responses::create(request, seen),
        ("/v1/responses", _) => Err(Problem::method(&request.method, path, "POST")),
        ("/v1/models", _) | (_, Some(_)) if !reading => {
            Err(Problem::method(&request.method, path, "GET, HEAD"))
        }
        ("/v1/models", _) => Ok(models::list(seen)),
        (_, Some(id)) => models::one(id, seen),
        _ => Err(match path.strip_prefix("/v1/responses/") {
            Some(id) => responses::stored(id),
            None => Problem::unknown_url(&request.method, path),
        }),
    }
}
