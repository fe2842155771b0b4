//! Checks that need the whole answer: whether arguments are JSON, finish reasons that depend on the content, the model
//! that answered, token counts, the end.

use super::AnswerRetention;
use super::completion::{AnswerChoice, ToolArgumentCheck};
use super::finish::FinishKind;
use super::model_match::{self, ModelMatch};
use super::note::{AnswerPlace, rule};
use super::profile::EndSignal;
use super::reader::AnswerReader;
use super::verdict::BodyEnding;
use crate::json::JsonDocument;
use crate::span::Span;

impl AnswerReader {
    /// Runs the checks that need the whole answer.
    pub(super) fn run_final_checks(&mut self, ending: BodyEnding) {
        let keeps = self.retention != AnswerRetention::TotalsOnly;
        let dialect = self.completion.dialect;
        let empty_is_object = dialect.is_some_and(|dialect| dialect.omits_empty_arguments);
        for choice in &mut self.completion.choices {
            for call in &mut choice.tool_calls {
                if empty_is_object && call.argument_bytes == 0 {
                    "{}".clone_into(&mut call.arguments);
                }
                let is_whole = call.arguments.len() as u64 >= call.argument_bytes;
                if keeps && is_whole && call.check != ToolArgumentCheck::Text {
                    call.check = check_arguments(&call.arguments);
                }
            }
            choice.thought = find_inline_thought(&choice.text);
            refine_finish(choice);
        }
        self.note_inline_thoughts();
        self.compare_models();
        self.note_tool_ids();
        self.note_usage();
        self.note_missing_end(ending);
    }

    /// Notes thoughts that a server left in the text (Groq's raw form, templates without a parser).
    fn note_inline_thoughts(&mut self) {
        let all = self.completion.choices.iter();
        let found: Vec<_> = all
            .filter_map(|choice| Some((choice.index, choice.text_place, choice.thought?)))
            .collect();
        for (index, place, span) in found {
            let facts = vec![("span", span.to_string()), ("choice", index.to_string())];
            self.note(rule::REASONING_IN_TEXT, place, facts);
        }
    }

    fn compare_models(&mut self) {
        let completion = &mut self.completion;
        let (Some(asked), Some(served)) = (&completion.asked_model, &completion.served_model)
        else {
            return;
        };
        let mut found = model_match::compare_models(asked, served);
        let only_provider = completion.dialect.and_then(|dialect| dialect.provider);
        // The model of a request to Azure is the name of a deployment, which the user chose.
        let names_deployments = [completion.provider, only_provider].contains(&Some("azure"));
        if found == ModelMatch::Different && names_deployments {
            found = ModelMatch::Deployment;
        }
        completion.model_match = Some(found);
    }

    /// Notes tool calls without an id, in dialects where the result is sent back under that id.
    fn note_tool_ids(&mut self) {
        if !self
            .completion
            .dialect
            .is_some_and(|dialect| dialect.calls_have_ids)
        {
            return;
        }
        let calls = self
            .completion
            .choices
            .iter()
            .flat_map(|choice| &choice.tool_calls);
        let without = calls.filter(|call| call.id.is_none() && !call.hosted);
        let without: Vec<_> = without
            .map(|call| (call.id_place.unwrap_or(call.place), call.name.clone()))
            .collect();
        for (place, name) in without {
            self.note(rule::CHAT_TOOL_ID_MISSING, place, vec![("tool", name)]);
        }
    }

    /// Adds the token counts of earlier answers in the same stream, and notes counts that do not add up or that came more
    /// than once.
    fn note_usage(&mut self) {
        if let Some(earlier) = self.state.earlier_usage.take() {
            let usage = self.completion.usage.take();
            self.completion.usage =
                Some(usage.map_or(earlier.clone(), |usage| earlier.plus(&usage)));
        }
        let note = self.state.usage_note.take();
        self.completion.notes.extend(note);
        let (events, first) = (self.state.usage_events, self.state.first_usage);
        let is_chat = self
            .completion
            .dialect
            .is_some_and(|dialect| dialect.counts_on_request);
        if is_chat && events > 1 {
            let facts = vec![("count", events.to_string())];
            self.note(rule::USAGE_ON_EVERY_CHUNK, first, facts);
        }
    }

    /// Notes a stream that ended properly without saying that the answer did. An error explains it, unless it is plain words
    /// where the API has an object.
    fn note_missing_end(&mut self, ending: BodyEnding) {
        let completion = &self.completion;
        let is_finished = |choice: &AnswerChoice| choice.finish.is_some();
        let finished = !completion.choices.is_empty() && completion.choices.iter().all(is_finished);
        let ends = self.end_signal();
        let has_end = finished || completion.done || ends == Some(EndSignal::BodyEnd);
        let has_objects = completion
            .dialect
            .is_some_and(|dialect| dialect.errors_are_objects);
        let read_errors = completion
            .errors
            .iter()
            .any(|error| !has_objects || error.code.is_some() || error.class.is_some());
        if ending == BodyEnding::Whole
            && completion.is_streamed()
            && ends.is_some()
            && completion.events > 0
            && !has_end
            && !read_errors
        {
            let place = AnswerPlace::bytes(Span::empty_at(completion.bytes));
            self.note(rule::ANSWER_END_MISSING, place, vec![]);
        }
        let mark = match ends {
            Some(EndSignal::DoneMark) => "[DONE]",
            Some(EndSignal::LastEvent) => "the last event",
            _ => return,
        };
        let completion = &self.completion;
        if completion.is_streamed() && finished && !completion.done && completion.errors.is_empty()
        {
            let facts = vec![("mark", mark.to_owned())];
            self.note(rule::SSE_DONE_MISSING, AnswerPlace::default(), facts);
        }
    }
}

/// The span of thoughts at the beginning of a text, tags included. Some templates open them before the text begins, and
/// close them on a line of their own.
fn find_inline_thought(text: &str) -> Option<Span> {
    let opens = text.trim_start().starts_with("<think>");
    let Some((before, after)) = text.split_once("</think>") else {
        return opens.then(|| Span::new(0, text.len() as u64));
    };
    let closes = !before.contains("<think>") && (after.is_empty() || after.starts_with('\n'));
    let end = text.len().saturating_sub(after.len());
    (opens || closes).then(|| Span::new(0, end as u64))
}

fn check_arguments(arguments: &str) -> ToolArgumentCheck {
    if arguments.trim().is_empty() {
        return ToolArgumentCheck::Empty;
    }
    match JsonDocument::parse(arguments.as_bytes()) {
        Ok(_) => ToolArgumentCheck::Json,
        Err(error) => ToolArgumentCheck::Broken {
            at: error.at,
            error: error.kind.to_string(),
        },
    }
}

/// Corrects the finish reason `stop` of refusals and of forced tool calls; Gemini has no other word for them.
fn refine_finish(choice: &mut AnswerChoice) {
    let waits = choice.tool_calls.iter().any(|call| !call.hosted);
    let refused = choice.refusal.is_some();
    let Some(finish) = choice.finish.as_mut() else {
        return;
    };
    if finish.kind == FinishKind::Stop && refused {
        finish.override_kind(
            FinishKind::Refusal,
            "the model refused; the word alone does not tell",
        );
    } else if finish.kind == FinishKind::Stop && waits {
        finish.override_kind(
            FinishKind::ToolCalls,
            "the model waits for the results of tool calls; the word alone does not tell",
        );
    }
}
