//! Adds up the answers that the lines of a batch file hold: each is read in the dialect that it shows.

use super::AnswerRetention;
use super::builder::EventPlace;
use super::completion::Completion;
use super::dialects::recognise_json;
use super::reader::AnswerReader;
use crate::json::JsonValue;

impl AnswerReader {
    /// Adds the token counts of an answer to another request, and takes its model.
    pub(super) fn add_inner_answer(&mut self, root: JsonValue<'_>) {
        let Some((dialect, _)) = recognise_json(b"", root) else {
            return;
        };
        let mut inner = Self::default();
        inner.retention = AnswerRetention::TotalsOnly;
        inner.with_builder(EventPlace::default(), &mut (), |builder| {
            dialect.read_body(root, builder);
        });
        let Completion {
            usage,
            served_model,
            ..
        } = inner.completion;
        let known = self.completion.usage.take();
        self.completion.usage = match (known, usage) {
            (Some(known), Some(usage)) => Some(known.plus(&usage)),
            (known, usage) => known.or(usage),
        };
        // The sum of several models has no price.
        let known = &mut self.completion.served_model;
        match (&known, served_model) {
            (None, Some(model)) if !self.state.has_several_models => *known = Some(model),
            (Some(first), Some(model)) if *first != model => {
                self.state.has_several_models = true;
                *known = None;
            }
            _ => {}
        }
    }
}
