//! The way from an answer in the shapes of one API to a reply: whole or streamed, and with the fault of a special
//! model.

use super::api_error::{ApiError, ApiResult};
use super::context::DemoContext;
use super::head::ReplyFields;
use super::model_request::ModelRequest;
use super::pacing::{self, PacedEvent};
use super::special_models;
use crate::serve::reply::ServerReply;

/// An answer in the shapes of one API.
pub(super) trait ApiAnswer {
    /// The whole body.
    fn body(&self) -> String;

    /// The events of a stream.
    fn events(&self) -> Vec<PacedEvent>;

    /// `error` as the last events of a stream that has `after` events before them.
    fn failure_events(&self, error: &ApiError, after: usize) -> Vec<String>;
}

/// The values of a reply beside its answer.
pub(super) struct ReplyPlan {
    /// The head fields.
    pub(super) fields: ReplyFields,
    /// The tokens that are generated before a whole body is sent.
    pub(super) tokens: u64,
    /// The tokens that a stream hides before its first event.
    pub(super) hidden_tokens: u64,
    /// The error of a server that fails.
    pub(super) failure: ApiError,
}

/// The reply with `answer`.
pub(super) fn reply_with(
    answer: &impl ApiAnswer,
    plan: ReplyPlan,
    question: &ModelRequest,
    context: DemoContext,
) -> ApiResult<ServerReply> {
    let reply = if question.stream {
        let mut reply = pacing::stream_reply(plan.fields, answer.events(), context);
        let hidden = context.pauses(plan.hidden_tokens);
        reply.delay = reply.delay.saturating_add(hidden);
        reply
    } else if special_models::fails_without_stream(&question.model) {
        return Err(plan.failure);
    } else {
        pacing::whole_reply(plan.fields, answer.body(), plan.tokens, context)
    };
    let failure = |after| answer.failure_events(&plan.failure, after);
    Ok(special_models::apply_behaviour(
        &question.model,
        reply,
        context,
        failure,
    ))
}
