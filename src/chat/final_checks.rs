//! Checks that need the whole answer: whether arguments are JSON, finish reasons that depend on the content, other
//! models
//! than asked for, missing token counts.

use super::AnswerRetention;
use super::completion::{AnswerChoice, AnswerNoteKind, ToolArgumentCheck};
use super::finish::FinishKind;
use super::model_match::{self, ModelMatch};
use super::reader::AnswerReader;
use crate::json::JsonDocument;
use crate::span::Span;

impl AnswerReader {
    /// Runs the checks that need the whole answer.
    pub(super) fn run_final_checks(&mut self) {
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
        self.note_missing_usage();
        self.note_only_reasoning();
    }

    /// Notes thoughts that a server left in the text (Groq's raw form, templates without a parser).
    fn note_inline_thoughts(&mut self) {
        let all = self.completion.choices.iter();
        let found: Vec<_> = all
            .filter_map(|choice| Some((choice.index, choice.thought?)))
            .collect();
        for (index, span) in found {
            let text = format!(
                "bytes {span} of the text of choice {index} are thoughts (<think>): the answer is what follows"
            );
            self.push_note(AnswerNoteKind::InlineThought, text, None);
        }
    }

    fn compare_models(&mut self) {
        let served = std::mem::take(&mut self.head_model);
        let known = [&self.completion.asked_model, &self.completion.served_model];
        if !served.is_empty() && known.iter().all(|known| known.as_ref() != Some(&served)) {
            let text =
                format!("the head names the model that served: {served} (x-ms-served-model)");
            self.push_note(AnswerNoteKind::ServedModel, text, None);
        }
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
        let text = format!("asked for {asked}, answered by {served}");
        completion.model_match = Some(found);
        if found == ModelMatch::Different {
            self.push_note(AnswerNoteKind::OtherModel, text, None);
        }
    }

    /// Notes that a Chat Completions stream has no usage because the request did not ask for it.
    fn note_missing_usage(&mut self) {
        let completion = &self.completion;
        let dialect = completion.dialect;
        let counts_on_request = dialect.is_some_and(|dialect| dialect.counts_on_request);
        let ended = completion.done && completion.errors.is_empty();
        if !counts_on_request
            || !ended
            || completion.usage.is_some()
            || self.request_params.include_usage
        {
            return;
        }
        let text = "no token counts: a stream sends them only if the request has \
                    \"stream_options\": {\"include_usage\": true}";
        self.push_note(AnswerNoteKind::UsageNotAsked, text.to_owned(), None);
    }

    fn note_only_reasoning(&mut self) {
        let usage = self.completion.usage.as_ref();
        let (Some(output), Some(reasoning)) = (
            usage.and_then(|usage| usage.output),
            usage.and_then(|usage| usage.reasoning),
        ) else {
            return;
        };
        let is_limit = |kind| kind == FinishKind::Length;
        let empty = self.completion.choices.iter().all(|choice| {
            let limited = choice
                .finish
                .as_ref()
                .is_some_and(|finish| is_limit(finish.kind));
            limited && choice.text_bytes == 0
        });
        if empty && !self.completion.choices.is_empty() && output > 0 && reasoning >= output {
            let text = format!(
                "all {output} output tokens went into reasoning: there is no text, and it is billed"
            );
            self.push_note(AnswerNoteKind::OnlyReasoning, text, None);
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
