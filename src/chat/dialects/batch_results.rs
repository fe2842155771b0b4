//! Files of batches: JSON lines, each a request or the answer to one, with its `custom_id`.
//! Sources: openai/openai-openapi, `BatchRequestOutput`; anthropics/anthropic-sdk-python,
//! `types/messages/message_batch_individual_response.py`.
//!
//! ```text
//! OpenAI:    {custom_id, response: {status_code, body}|null, error: {code, message}|null}
//! Anthropic: {custom_id, result: {type: succeeded, message} | {type: errored, error} | {type: canceled|expired}}
//! ```

use crate::chat::api_error::ApiError;
use crate::chat::builder::AnswerBuilder;
use crate::chat::details::describe_count;
use crate::chat::dialect::{Dialect, ExchangeHeads};
use crate::chat::members::text_at;
use crate::chat::profile::{DialectProfile, EndSignal};
use crate::json::{JsonKind, JsonValue};

/// Files of batches.
pub(in crate::chat) struct BatchResultsDialect;

static PROFILE: DialectProfile = DialectProfile {
    name: "batch-results",
    end_signal: EndSignal::BodyEnd,
    streams_lines: true,
    is_file: true,
    ..DialectProfile::BASE
};

impl Dialect for BatchResultsDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_request(&self, asked: &ExchangeHeads<'_>) -> Option<&'static str> {
        let is_own = asked.path.contains("/batches/") && asked.path_ends_with("/results");
        is_own.then_some("the path is that of the results of a batch")
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let has = |key| root.get(key).is_some();
        let is_own = has("custom_id") && (has("response") || has("result") || has("method"));
        is_own.then_some("the lines have a custom_id")
    }

    fn inner_answer<'a>(&self, root: JsonValue<'a>) -> Option<JsonValue<'a>> {
        let openai = root
            .get("response")
            .and_then(|response| response.get("body"));
        openai.or_else(|| root.get("result")?.get("message"))
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        let Some(id) = text_at(root, "custom_id") else {
            return;
        };
        if root.get("method").is_some() {
            builder.state.lines = builder.state.lines.saturating_add(1);
            let count = builder.state.lines;
            return builder.set_detail("requests", count, describe_count(count, "request"));
        }
        // The batch prices of the table apply.
        builder.completion.service_tier = Some("batch".to_owned());
        builder.state.lines = builder.state.lines.saturating_add(1);
        let failure = read_failure(root);
        builder.state.failed_lines = builder
            .state
            .failed_lines
            .saturating_add(failure.is_some().into());
        let (count, failed) = (builder.state.lines, builder.state.failed_lines);
        let text = format!("{}, {failed} failed", describe_count(count, "result"));
        builder.set_detail("results", count, text);
        if let Some(failure) = failure {
            builder.add_detail("failed", None, format!("{id}: {failure}"));
        }
    }
}

/// The failure of one request in words; `None` if it has an answer.
fn read_failure(root: JsonValue<'_>) -> Option<String> {
    if let Some(error) = ApiError::from_error_key(root) {
        return Some(describe_error(None, &error));
    }
    if let Some(result) = root.get("result") {
        let kind = text_at(result, "type").unwrap_or_default();
        let error = result.get("error").and_then(ApiError::from_body);
        let described = error.map(|error| describe_error(None, &error));
        return (kind != "succeeded").then(|| described.unwrap_or_else(|| kind.into_owned()));
    }
    let response = root.get("response")?;
    if response.kind() == JsonKind::Null {
        return Some("no response".to_owned());
    }
    let status = response.get("status_code").and_then(JsonValue::as_u64);
    let error = response.get("body").and_then(|body| match status {
        Some(400..) => ApiError::from_body(body),
        _ => ApiError::from_error_key(body),
    });
    let failed = status.is_some_and(|status| status >= 400) || error.is_some();
    failed.then(|| describe_error(status, &error.unwrap_or_default()))
}

/// Status, class and message of an error, without those that are absent.
fn describe_error(status: Option<u64>, error: &ApiError) -> String {
    let code = error.code.as_ref().map(ToString::to_string);
    let status = status.map(|status| status.to_string());
    let head = [status, error.class.clone().or(code)];
    let head: Vec<_> = head.into_iter().flatten().collect();
    match head.is_empty() {
        true => error.message.clone(),
        false => format!("{}: {}", head.join(" "), error.message),
    }
}
