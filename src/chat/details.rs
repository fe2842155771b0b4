//! Facts of an answer beside its text and its tokens: which models are listed, how many results failed.

use super::builder::AnswerBuilder;
use super::completion::AnswerDetail;
use super::members::text_at;
use crate::json::JsonValue;

/// Most facts that are kept: a batch of thousands of requests may fail as a whole, and its first failures show why.
const MAX_DETAILS: usize = 64;

/// Names of a list that are shown: they fit one line of a report.
const MAX_NAMES: usize = 6;

impl AnswerBuilder<'_> {
    /// Adds a fact, unless there are many already.
    pub(super) fn add_detail(&mut self, name: &'static str, count: Option<u64>, text: String) {
        let details = &mut self.completion.details;
        if details.len() < MAX_DETAILS {
            details.push(AnswerDetail { name, count, text });
        }
    }

    /// Sets the fact called `name`, of which an answer has one.
    pub(super) fn set_detail(&mut self, name: &'static str, count: u64, text: String) {
        let mut details = self.completion.details.iter_mut();
        match details.find(|detail| detail.name == name) {
            Some(known) => {
                known.count = Some(count);
                known.text = text;
            }
            None => self.add_detail(name, Some(count), text),
        }
    }
}

/// `count` and a noun in the right number: `1 model`, `3 models`.
pub(super) fn describe_count(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

/// The first names of a list, each found under one of `keys`.
pub(super) fn list_names(items: &[JsonValue<'_>], keys: &[&str]) -> String {
    let names = items
        .iter()
        .filter_map(|item| keys.iter().find_map(|key| text_at(*item, key)));
    let shown: Vec<_> = names.take(MAX_NAMES).collect();
    let dots = if items.len() > MAX_NAMES { ", ..." } else { "" };
    format!("{}{dots}", shown.join(", "))
}
