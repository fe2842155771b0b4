//! Embeddings: no text and no finish reason, but vectors, a model and token counts.
//! Sources: openai/openai-openapi, `CreateEmbeddingResponse`; the API references of Cohere, Ollama and Gemini.

use crate::chat::builder::AnswerBuilder;
use crate::chat::completion::AnswerVectors;
use crate::chat::dialect::Dialect;
use crate::chat::profile::{DialectProfile, EndSignal};
use crate::chat::usage;
use crate::json::{JsonKind, JsonValue};
use crate::sdk::SdkFamily;

/// OpenAI Embeddings at any provider.
pub(in crate::chat) struct EmbeddingsDialect;

/// Embeddings in the forms of Cohere, Ollama and Gemini.
pub(in crate::chat) struct OtherEmbeddingsDialect;

static PROFILE: DialectProfile = DialectProfile {
    name: "openai-embeddings",
    paths: &[("/embeddings", "the path ends with /embeddings")],
    end_signal: EndSignal::BodyEnd,
    ..DialectProfile::BASE
};

static OTHER_PROFILE: DialectProfile = DialectProfile {
    name: "embeddings",
    paths: &[
        ("/embed", "the path ends with /embed"),
        (":embedContent", "the path ends with :embedContent"),
        (
            ":batchEmbedContents",
            "the path ends with :batchEmbedContents",
        ),
    ],
    // The SDKs of these three are not one family.
    sdk_family: SdkFamily::Any,
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
        read_embeddings(root, builder);
    }
}

impl Dialect for OtherEmbeddingsDialect {
    fn profile(&self) -> &'static DialectProfile {
        &OTHER_PROFILE
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        root.get("embeddings").map(|_| "the body has embeddings")
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        read_embeddings(root, builder);
    }
}

fn read_embeddings(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    if let Some(model) = root.get("model") {
        builder.set_model(model);
    }
    builder.completion.vectors = read_vectors(root);
    if let Some(counts) = root.get("usage") {
        builder.replace_usage(counts, usage::add_up_chat);
    } else if let Some(counts) = root.get("meta") {
        builder.replace_usage(counts, usage::add_up_cohere);
    } else if let Some(counts) = root.get("usageMetadata") {
        builder.replace_usage(counts, usage::add_up_gemini);
    } else if root.get("prompt_eval_count").is_some() {
        builder.replace_usage(root, usage::add_up_ollama);
        builder.record_times("", root);
    }
}

/// Counts the vectors, and the numbers of the first one. OpenAI has a list of objects, Ollama a list of lists, Cohere a
/// list for each type of number, Gemini objects with `values`.
fn read_vectors(root: JsonValue<'_>) -> Option<AnswerVectors> {
    let list = root.get("data").or_else(|| root.get("embeddings"));
    let list = list.map(|list| match list.kind() {
        JsonKind::Object => list.members().next().map_or(list, |(_, first)| first),
        _ => list,
    });
    let (count, first) = match list {
        Some(list) => (list.len() as u64, list.item_at(0)?),
        None => (1, root.get("embedding")?),
    };
    let first = first.get("embedding").unwrap_or(first);
    let first = first.get("values").unwrap_or(first);
    let is_base64 = first.kind() == JsonKind::String;
    Some(AnswerVectors {
        count,
        numbers: count_numbers(first) as u64,
        is_base64,
    })
}

/// The numbers of a vector: 32-bit floats in base64, or a list.
fn count_numbers(vector: JsonValue<'_>) -> usize {
    let Some(text) = vector.as_str() else {
        return vector.len();
    };
    // Four characters hold three bytes, and `=` fills the last four up.
    let text = text.trim_end_matches('=');
    let bytes = text.len().saturating_mul(3).div_euclid(4);
    bytes.div_euclid(4)
}
