//! The table of all dialects: each is one file here and one line in [`DIALECTS`].

mod anthropic;
mod cohere;
mod embeddings;
mod gemini;
mod interactions;
mod ollama;
mod openai;
mod responses;

use super::dialect::{Asked, Dialect};
use crate::json::JsonValue;

/// Every dialect. The first that knows an exchange reads it, so that those with a narrower mark come first.
pub const DIALECTS: &[&dyn Dialect] = &[
    &interactions::Interactions,
    &gemini::Gemini,
    &openai::Azure,
    &anthropic::Anthropic,
    &responses::Responses,
    &ollama::Ollama,
    &cohere::Cohere,
    &embeddings::Embeddings,
    &openai::Chat,
];

/// The dialect called `name`.
pub fn by_name(name: &str) -> Option<&'static dyn Dialect> {
    DIALECTS
        .iter()
        .copied()
        .find(|dialect| dialect.name() == name)
}

/// The dialect that the request or the heads show.
pub(in crate::chat) fn recognise(asked: &Asked<'_>) -> Option<(&'static dyn Dialect, String)> {
    DIALECTS.iter().find_map(|dialect| {
        let why = dialect.asked(asked)?;
        Some((*dialect, why.to_owned()))
    })
}

/// The dialect that a body, or one event, shows.
pub(in crate::chat) fn recognise_body(
    name: &[u8],
    root: JsonValue<'_>,
) -> Option<(&'static dyn Dialect, String)> {
    DIALECTS.iter().find_map(|dialect| {
        let why = dialect.shown(name, root)?;
        Some((*dialect, why.to_owned()))
    })
}
