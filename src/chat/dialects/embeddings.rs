//! OpenAI Embeddings at any provider: no text and no finish reason, but a model and token counts.
//! Source: openai/openai-openapi, `CreateEmbeddingResponse`.

use crate::chat::builder::AnswerBuilder;
use crate::chat::dialect::Dialect;
use crate::chat::profile::{DialectProfile, EndSignal};
use crate::chat::usage;
use crate::json::JsonValue;

/// OpenAI Embeddings.
pub(in crate::chat) struct EmbeddingsDialect;

static PROFILE: DialectProfile = DialectProfile {
    name: "openai-embeddings",
    paths: &[("/embeddings", "the path ends with /embeddings")],
    end_signal: EndSignal::BodyEnd,
    ..DialectProfile::BASE
};

impl Dialect for EmbeddingsDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let first = root.get("data")?.item_at(0)?;
        first.get("embedding").map(|_| "the body has embeddings")
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        if let Some(model) = root.get("model") {
            builder.set_model(model);
        }
        if let Some(counts) = root.get("usage") {
            builder.replace_usage(counts, usage::add_up_chat);
        }
    }
}
