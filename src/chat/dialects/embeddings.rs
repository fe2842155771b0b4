//! OpenAI Embeddings at any provider: no text and no finish reason, but a model and token counts.
//! Source: openai/openai-openapi, `CreateEmbeddingResponse`.

use crate::chat::builder::AnswerBuilder;
use crate::chat::completion::AnswerVectors;
use crate::chat::dialect::Dialect;
use crate::chat::profile::{DialectProfile, EndSignal};
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};

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
        builder.completion.vectors = read_vectors(root);
        if let Some(counts) = root.get("usage") {
            builder.replace_usage(counts, usage::add_up_chat);
        }
    }
}

/// Counts the vectors, and the numbers of the first one: 32-bit floats in base64, or a list.
fn read_vectors(root: JsonValue<'_>) -> Option<AnswerVectors> {
    let list = root.get("data")?;
    let first = list.item_at(0)?.get("embedding")?;
    let is_base64 = first.kind() == JsonKind::String;
    let numbers = match is_base64 {
        // Four characters hold three bytes, and `=` fills the last four up.
        true => {
            let text = first.as_str()?;
            let bytes = text
                .trim_end_matches('=')
                .len()
                .saturating_mul(3)
                .div_euclid(4);
            bytes.div_euclid(4)
        }
        false => first.len(),
    };
    Some(AnswerVectors {
        count: list.len() as u64,
        numbers: numbers as u64,
        is_base64,
    })
}
