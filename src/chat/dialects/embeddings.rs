//! OpenAI Embeddings, and all who speak them: no words, no finish, but a model and counts.
//! Source: openai/openai-openapi, `CreateEmbeddingResponse`.

use crate::chat::builder::AnswerBuilder;
use crate::chat::dialect::{Dialect, EndSignal, ExchangeHeads};
use crate::chat::usage;
use crate::json::JsonValue;

/// Embeddings.
pub(in crate::chat) struct EmbeddingsDialect;

impl Dialect for EmbeddingsDialect {
    fn name(&self) -> &'static str {
        "openai-embeddings"
    }

    fn recognise_request(&self, asked: &ExchangeHeads<'_>) -> Option<&'static str> {
        asked
            .path_ends_with("/embeddings")
            .then_some("the path ends with /embeddings")
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let first = root.get("data")?.item_at(0)?;
        first.get("embedding").map(|_| "the body has embeddings")
    }

    fn read_event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
        self.read_body(root, gather);
    }

    fn read_body(&self, root: JsonValue<'_>, gather: &mut AnswerBuilder<'_>) {
        if let Some(model) = root.get("model") {
            gather.set_model(model);
        }
        if let Some(counts) = root.get("usage") {
            gather.replace_usage(counts, usage::add_up_chat);
        }
    }

    fn end_signal(&self, _: Option<&str>) -> EndSignal {
        EndSignal::BodyEnd
    }
}
