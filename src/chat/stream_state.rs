//! Facts about the events of a stream before the one that is being read: what rules over several events need.

use super::note::{AnswerNote, AnswerPlace};
use super::usage::TokenUsage;

/// Facts about the events before the one that is being read.
#[derive(Clone, Debug, Default)]
pub(super) struct StreamState {
    /// Number of events with token counts.
    pub(super) usage_events: u64,
    /// The first of them.
    pub(super) first_usage: AnswerPlace,
    /// The event of the last of them.
    pub(super) last_usage: Option<u64>,
    /// Whether the last token counts add up, as a note if not.
    pub(super) usage_note: Option<AnswerNote>,
    /// A finish reason of this event that an earlier event had for the same choice (Chat Completions).
    pub(super) repeated_finish: Option<String>,
    /// Content blocks that are open: index, type, place of the start (Anthropic Messages).
    pub(super) open_blocks: Vec<OpenBlock>,
    /// The last `sequence_number` (OpenAI Responses).
    pub(super) last_sequence: Option<u64>,
    /// Whether the end mark of the answer came.
    pub(super) has_ended: bool,
    /// Number of answers that began after the end of another.
    pub(super) later_answers: u64,
    /// Results, requests or partial images so far.
    pub(super) lines: u64,
    /// Results so far that are failures.
    pub(super) failed_lines: u64,
    /// Whether the results of a batch name more than one model.
    pub(super) has_several_models: bool,
    /// Bytes of text, and token counts, of the answers before the one that is being read.
    pub(super) earlier_text: usize,
    pub(super) earlier_usage: Option<TokenUsage>,
}

/// A content block that was started and not stopped.
#[derive(Clone, Debug)]
pub(super) struct OpenBlock {
    pub(super) index: u64,
    pub(super) kind: String,
    /// The event that started it.
    pub(super) place: AnswerPlace,
}

/// Most open content blocks that are remembered: real answers have one.
pub(super) const MAX_OPEN_BLOCKS: usize = 256;

impl StreamState {
    /// Whether the event at `place` has token counts.
    pub(super) fn usage_is_here(&self, place: AnswerPlace) -> bool {
        self.usage_events > 0 && self.last_usage == place.event
    }

    /// Counts an event with token counts. Several in one event are one.
    pub(super) fn count_usage(&mut self, place: AnswerPlace) {
        if self.usage_is_here(place) {
            return;
        }
        if self.usage_events == 0 {
            self.first_usage = place;
        }
        self.last_usage = place.event;
        self.usage_events = self.usage_events.saturating_add(1);
    }
}
