//! The table of all dialects: each is one file here and one line in [`DIALECTS`].

mod anthropic;
mod batch_results;
mod bedrock;
mod cohere;
mod embeddings;
mod gemini;
mod images;
mod interactions;
mod objects;
mod ollama;
mod openai;
mod responses;
mod transcription;

use super::dialect::{Dialect, ExchangeHeads};
use super::socket_event::SocketEvent;
use crate::json::JsonValue;
use crate::span::StreamSide;

/// Every dialect. The first that knows an exchange reads it, so that those with a narrower mark come first.
pub const DIALECTS: &[&dyn Dialect] = &[
    &interactions::InteractionsDialect,
    &gemini::GeminiDialect,
    &openai::AzureDialect,
    &anthropic::AnthropicDialect,
    &responses::ResponsesDialect,
    &bedrock::ConverseDialect,
    &bedrock::InvokeDialect,
    &ollama::OllamaDialect,
    &cohere::CohereDialect,
    &embeddings::EmbeddingsDialect,
    &embeddings::OtherEmbeddingsDialect,
    &transcription::TranscriptionDialect,
    &images::ImagesDialect,
    &batch_results::BatchResultsDialect,
    &objects::MODELS,
    &objects::MODERATIONS,
    &objects::TOKEN_COUNTS,
    &objects::FILES,
    &objects::FILE_CONTENT,
    &objects::BATCHES,
    &openai::ChatDialect,
];

/// The dialect called `name`.
pub fn dialect_by_name(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS
        .iter()
        .copied()
        .find(|dialect| dialect.name() == name)
}

/// The dialect that the body of a request shows, for bodies without path and head: only members that one API alone has
/// are a sign.
pub fn dialect_of_request(root: JsonValue<'_>) -> Option<&'static dyn Dialect> {
    let mut dialects = DIALECTS.iter().copied();
    dialects.find(|dialect| dialect.recognise_request_body(root))
}

/// The dialect that the request or the heads show.
pub(in crate::chat) fn recognise_heads(
    asked: &ExchangeHeads<'_>,
) -> Option<(&'static dyn Dialect, String)> {
    DIALECTS.iter().find_map(|dialect| {
        let why = dialect.recognise_request(asked)?;
        Some((*dialect, why.to_owned()))
    })
}

/// The dialect that a body, or one event, shows.
pub(in crate::chat) fn recognise_json(
    name: &[u8],
    root: JsonValue<'_>,
) -> Option<(&'static dyn Dialect, String)> {
    DIALECTS.iter().find_map(|dialect| {
        let why = dialect.recognise_body(name, root)?;
        Some((*dialect, why.to_owned()))
    })
}

/// The role of the message `root` of `side` in the calls on its connection: in the dialect `named`, or else in the first
/// dialect that knows it.
pub fn read_socket_event(
    named: Option<&'static dyn Dialect>,
    side: StreamSide,
    root: JsonValue<'_>,
) -> Option<SocketEvent> {
    match named {
        Some(dialect) => dialect.read_socket_event(side, root),
        None => DIALECTS
            .iter()
            .find_map(|dialect| dialect.read_socket_event(side, root)),
    }
}
