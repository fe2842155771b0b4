//! The lists of models (<https://platform.openai.com/docs/api-reference/models>).

use serde_json::{Value, json};

use super::error::OpenAiError;
use super::head;
use crate::demo::{DemoContext, models};
use crate::serve::reply::ServerReply;

/// `GET /v1/models`.
pub(super) fn list_models(seen: DemoContext) -> ServerReply {
    let data: Vec<Value> = models::model_names().map(model_object).collect();
    json_reply(&json!({"object": "list", "data": data}), seen)
}

/// `GET /v1/models/{id}`.
pub(super) fn retrieve_model(id: &str, seen: DemoContext) -> Result<ServerReply, OpenAiError> {
    if !models::is_listed(id) {
        return Err(OpenAiError::unknown_model(id));
    }
    Ok(json_reply(&model_object(id), seen))
}

fn model_object(id: &str) -> Value {
    json!({"id": id, "object": "model", "created": 1_715_367_049, "owned_by": "system"})
}

fn json_reply(value: &Value, seen: DemoContext) -> ServerReply {
    let fields = head::head_fields("application/json", seen, 0);
    ServerReply::whole(200, fields, head::pretty_json(value))
}
