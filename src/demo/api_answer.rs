//! The way from an answer in the shapes of one API to a reply: whole or streamed, and with the fault of a special
//! model.

use super::api_error::{ApiError, ApiResult};
use super::context::DemoContext;
use super::head::ReplyFields;
use super::model_request::ModelRequest;
use super::pacing::{self, PacedEvent};
use super::special_models;
use super::usage::GeneratedUsage;
use crate::serve::reply::ServerReply;

/// An answer in the shapes of one API.
pub(super) trait ApiAnswer {
    /// The token counts of the answer.
    fn usage(&self) -> GeneratedUsage;

    /// The head fields of the reply.
    fn head_fields(&self, streamed: bool, context: DemoContext) -> ReplyFields;

    /// The whole body.
    fn body(&self) -> String;

    /// The events of a stream.
    fn events(&self) -> Vec<PacedEvent>;

    /// The tokens that a stream hides before its first event.
    fn hidden_tokens(&self) -> u64 {
        0
    }

    /// The error of a server that fails.
    fn failure(&self) -> ApiError;

    /// The error as the last events of a stream that has `after` events before them.
    fn failure_events(&self, after: usize) -> Vec<String>;
}

/// The reply with `answer`.
pub(super) fn reply_with(
    answer: &impl ApiAnswer,
    question: &ModelRequest,
    context: DemoContext,
) -> ApiResult<ServerReply> {
    let fields = answer.head_fields(question.stream, context);
    let reply = if question.stream {
        let mut reply = pacing::stream_reply(fields, answer.events(), context);
        let hidden = context.pauses(answer.hidden_tokens());
        reply.delay = reply.delay.saturating_add(hidden);
        reply
    } else if special_models::fails_without_stream(&question.model) {
        return Err(answer.failure());
    } else {
        let tokens = answer.usage().completion_tokens;
        pacing::whole_reply(fields, answer.body(), tokens, context)
    };
    let failure = |after| answer.failure_events(after);
    Ok(special_models::apply_behaviour(
        &question.model,
        reply,
        context,
        failure,
    ))
}
