//! The deltas of an answer in the form that a view shows: not at all, as lines, or as text.

use super::OutputStyle;
use super::deltas::{AnswerText, EventLines};
use super::view_options::AnswerForm;
use crate::chat::{AnswerDelta, DeltaSink};

/// The form in which deltas are shown, with those that are not written yet.
#[derive(Debug)]
pub(super) enum DeltaView {
    Hidden,
    Events(EventLines),
    Text(AnswerText),
}

impl DeltaView {
    /// A view in the form `answer`; on a screen, text has the reasoning before it.
    pub(super) fn new(answer: AnswerForm, on_screen: bool) -> Self {
        match answer {
            AnswerForm::Body => Self::Hidden,
            AnswerForm::Events => Self::Events(EventLines::default()),
            AnswerForm::Text => Self::Text(AnswerText::new(on_screen)),
        }
    }

    /// Appends what is not written yet to `out`.
    pub(super) fn take_shown(&mut self, style: &OutputStyle, on_screen: bool, out: &mut String) {
        match self {
            Self::Hidden => {}
            Self::Events(events) => events.take_lines(style, out),
            Self::Text(text) => text.take_text(style, on_screen, out),
        }
    }

    /// Whether the last line is still open.
    pub(super) fn needs_line_end(&self) -> bool {
        matches!(self, Self::Text(text) if text.needs_line_end())
    }
}

impl DeltaSink for DeltaView {
    fn delta(&mut self, delta: &AnswerDelta<'_>) {
        match self {
            Self::Hidden => {}
            Self::Events(events) => events.delta(delta),
            Self::Text(text) => text.delta(delta),
        }
    }
}
