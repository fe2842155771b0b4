//! Finish reasons: the word of each provider, its kind, and its meaning in one line. `finish_reasons.txt` is the table.

use serde::de::{IntoDeserializer, value};
use serde::{Deserialize, Serialize};

use super::note::AnswerPlace;

/// The reason why an answer stopped.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FinishReason {
    /// The provider's word.
    pub named: String,
    /// Kind of the reason.
    pub kind: FinishKind,
    /// Meaning in one line.
    pub meaning: &'static str,
    /// The provider's sentence about it (Gemini's `finishMessage`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The place of the word.
    #[serde(skip)]
    pub place: AnswerPlace,
}

/// Kinds of finish reasons.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishKind {
    /// The model was done, or met a stop sequence.
    Stop,
    /// A token limit or the context's end.
    Length,
    /// The model waits for the results of tool calls.
    ToolCalls,
    /// A content filter stopped the answer.
    ContentFilter,
    /// The model refused.
    Refusal,
    /// An error.
    Error,
    /// The answer was cancelled.
    Cancelled,
    /// The model paused and goes on when asked.
    Paused,
    /// A word that is not known here.
    Other,
}

/// The known words, one a line: word, kind, meaning.
const KNOWN_REASONS: &str = include_str!("finish_reasons.txt");

/// The meaning of a word that is not in the table.
const UNKNOWN_MEANING: &str = "a reason that is not known to this version";

/// Looks a finish reason up in the table: its kind and its meaning.
fn find_reason(word: &str) -> Option<(FinishKind, &'static str)> {
    let row = |line: &'static str| {
        let (own, rest) = line.split_once(' ')?;
        (own == word).then_some(rest)
    };
    let (kind, meaning) = KNOWN_REASONS
        .lines()
        .find_map(row)?
        .trim()
        .split_once(' ')?;
    let kind: value::StrDeserializer<'_, value::Error> = kind.into_deserializer();
    Some((FinishKind::deserialize(kind).ok()?, meaning.trim()))
}

impl FinishReason {
    /// Looks the provider's word up; a word with an unknown detail, `blocked:SAFETY`, as `blocked:*`.
    pub fn new(named: &str, place: AnswerPlace) -> Self {
        let without_detail = || {
            let (head, _) = named.split_once(':')?;
            find_reason(&format!("{head}:*"))
        };
        let unknown = (FinishKind::Other, UNKNOWN_MEANING);
        let (kind, meaning) = find_reason(named)
            .or_else(without_detail)
            .unwrap_or(unknown);
        Self {
            named: named.to_owned(),
            kind,
            meaning,
            message: None,
            place,
        }
    }

    /// Whether the word is in the table.
    pub fn is_known(&self) -> bool {
        self.meaning != UNKNOWN_MEANING
    }

    /// Whether the word alone, without the answer beside it, is of this kind.
    pub fn says(&self, kind: FinishKind) -> bool {
        Self::new(&self.named, self.place).kind == kind
    }

    /// Corrects the kind by the answer: `stop` also comes with refusals and forced tool calls.
    pub(super) fn override_kind(&mut self, kind: FinishKind, meaning: &'static str) {
        self.kind = kind;
        self.meaning = meaning;
    }
}

#[cfg(test)]
mod tests {
    use super::{AnswerPlace, FinishKind, FinishReason, KNOWN_REASONS, find_reason};

    #[test]
    fn words_are_looked_up_as_they_are_spelled() {
        let cases = [
            ("stop", FinishKind::Stop),
            ("STOP", FinishKind::Stop),
            ("incomplete:max_output_tokens", FinishKind::Length),
            ("incomplete:new", FinishKind::Other),
            ("blocked:SAFETY", FinishKind::ContentFilter),
            ("refusal", FinishKind::Refusal),
            ("Stop", FinishKind::Other),
        ];
        for (word, kind) in cases {
            assert_eq!(
                FinishReason::new(word, AnswerPlace::default()).kind,
                kind,
                "{word}"
            );
        }
    }

    #[test]
    fn every_row_of_the_table_can_be_read() {
        let rows = KNOWN_REASONS
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        for row in rows {
            let word = row.split(' ').next().unwrap();
            assert!(find_reason(word).is_some(), "{row}");
        }
        assert_eq!(find_reason("#"), None);
    }
}
