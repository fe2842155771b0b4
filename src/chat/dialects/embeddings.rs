//! OpenAI Embeddings, and all who speak them: no words, no finish, but a model and counts.
//! Source: openai/openai-openapi, `CreateEmbeddingResponse`.

use crate::chat::dialect::{Asked, Dialect, Ends};
use crate::chat::gather::Gather;
use crate::chat::usage;
use crate::json::JsonValue;

/// Embeddings.
pub(in crate::chat) struct Embeddings;

impl Dialect for Embeddings {
    fn name(&self) -> &'static str {
        "openai-embeddings"
    }

    fn asked(&self, asked: &Asked<'_>) -> Option<&'static str> {
        asked
            .path_ends("/embeddings")
            .then_some("the path ends with /embeddings")
    }

    fn shown(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let first = root.get("data")?.item_at(0)?;
        first.get("embedding").map(|_| "the body has embeddings")
    }

    fn event(&self, _: &[u8], root: JsonValue<'_>, gather: &mut Gather<'_>) {
        self.body(root, gather);
    }

    fn body(&self, root: JsonValue<'_>, gather: &mut Gather<'_>) {
        if let Some(model) = root.get("model") {
            gather.model(model);
        }
        if let Some(counts) = root.get("usage") {
            gather.usage(counts, usage::chat);
        }
    }

    fn ends(&self, _: Option<&str>) -> Ends {
        Ends::Whole
    }
}
