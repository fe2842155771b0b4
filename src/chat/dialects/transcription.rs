//! OpenAI transcriptions and translations of audio, plain and streamed.
//! Source: openai/openai-openapi, `CreateTranscriptionResponseJson` and `TranscriptTextDeltaEvent`.
//!
//! ```text
//! transcript.text.delta* transcript.text.done        (holds the whole text and the usage)
//! ```

use crate::chat::builder::AnswerBuilder;
use crate::chat::delta::DeltaKind;
use crate::chat::dialect::Dialect;
use crate::chat::members::text_at;
use crate::chat::profile::DialectProfile;
use crate::chat::usage;
use crate::json::JsonValue;

/// OpenAI audio transcriptions.
pub(in crate::chat) struct TranscriptionDialect;

static PROFILE: DialectProfile = DialectProfile {
    name: "openai-transcription",
    paths: &[
        (
            "/audio/transcriptions",
            "the path ends with /audio/transcriptions",
        ),
        (
            "/audio/translations",
            "the path ends with /audio/translations",
        ),
    ],
    errors_are_objects: true,
    ..DialectProfile::BASE
};

impl Dialect for TranscriptionDialect {
    fn profile(&self) -> &'static DialectProfile {
        &PROFILE
    }

    fn recognise_body(&self, _: &[u8], root: JsonValue<'_>) -> Option<&'static str> {
        let kind = text_at(root, "type")?;
        kind.starts_with("transcript.text.")
            .then_some("the type of an event begins with transcript.text.")
    }

    fn read_event(&self, _: &[u8], root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        let kind = text_at(root, "type").unwrap_or_default();
        builder.choice_mut(0);
        match &*kind {
            "transcript.text.delta" => {
                if let Some(piece) = root.get("delta") {
                    builder.push_text(0, piece);
                }
            }
            "transcript.text.done" => {
                read_ending(root, builder);
                builder.mark_done(&kind);
            }
            _ => builder.emit_event(DeltaKind::Other, &kind),
        }
    }

    fn read_body(&self, root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
        if root.get("text").is_some() {
            read_ending(root, builder);
        }
    }
}

/// Reads the whole text, unless its pieces came, and the token counts. There is no finish reason: the end is one.
fn read_ending(root: JsonValue<'_>, builder: &mut AnswerBuilder<'_>) {
    let is_new = builder.choice_mut(0).text_bytes == 0;
    if let Some(text) = root.get("text").filter(|_| is_new) {
        builder.push_text(0, text);
    }
    if let Some(counts) = root.get("usage") {
        builder.replace_usage(counts, usage::add_up_responses);
    }
    let place = builder.event_place();
    builder.set_finish_reason(0, "done", place);
}
