//! The lists of models (<https://platform.openai.com/docs/api-reference/models>).

use serde_json::{Value, json};

use super::head;
use super::problem::Problem;
use crate::demo::{Context, models};
use crate::serve::reply::Reply;

/// `GET /v1/models`.
pub(super) fn list(seen: Context) -> Reply {
    let data: Vec<Value> = models::names().map(object).collect();
    reply(&json!({"object": "list", "data": data}), seen)
}

/// `GET /v1/models/{id}`.
pub(super) fn one(id: &str, seen: Context) -> Result<Reply, Problem> {
    if !models::is_listed(id) {
        return Err(Problem::no_model(id));
    }
    Ok(reply(&object(id), seen))
}

fn object(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_715_367_049, "owned_by": "system"})
}

fn reply(value: &Value, seen: Context) -> Reply {
    let fields = head::fields("application/json", seen, 0);
    Reply::plain(200, fields, head::pretty(value))
}
