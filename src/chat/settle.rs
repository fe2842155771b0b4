//! What can be said of an answer only when all of it is there: arguments that are JSON or not, words that mean
//! more than they say, models that differ, counts that are missing.

use super::Keep;
use super::completion::{Arguments, Choice, NoteKind};
use super::finish::FinishKind;
use super::gather::Place;
use super::models::{self, Match};
use super::reader::Reader;
use crate::json::JsonDocument;
use crate::span::Span;

impl Reader {
    /// What can be said only when all is there.
    pub(super) fn settle(&mut self) {
        let keeps = self.keep != Keep::Sums;
        let empty_is_object = self.completion.dialect == Some("anthropic-messages");
        for choice in &mut self.completion.choices {
            for call in &mut choice.tool_calls {
                if empty_is_object && call.argument_bytes == 0 {
                    "{}".clone_into(&mut call.arguments);
                }
                let is_whole = call.arguments.len() as u64 >= call.argument_bytes;
                if keeps && is_whole && call.check != Arguments::Text {
                    call.check = check(&call.arguments);
                }
            }
            choice.thought = thought(&choice.text);
            refine(choice);
        }
        self.thought_note();
        self.compare_models();
        self.usage_note();
        self.budget_note();
    }

    /// Some servers leave thoughts in the text (Groq's raw form, templates without a parser).
    fn thought_note(&mut self) {
        let all = self.completion.choices.iter();
        let found: Vec<_> = all
            .filter_map(|choice| Some((choice.index, choice.thought?)))
            .collect();
        for (index, span) in found {
            let text = format!(
                "bytes {span} of the text of choice {index} are thoughts (<think>): the answer is what follows"
            );
            self.with(Place::nowhere(), &mut (), |gather| {
                gather.note(NoteKind::InlineThought, text, None);
            });
        }
    }

    fn compare_models(&mut self) {
        let served = std::mem::take(&mut self.served);
        let known = [&self.completion.asked_model, &self.completion.served_model];
        if !served.is_empty() && known.iter().all(|known| known.as_ref() != Some(&served)) {
            let text =
                format!("the head names the model that served: {served} (x-ms-served-model)");
            self.with(Place::nowhere(), &mut (), |gather| {
                gather.note(NoteKind::ServedModel, text, None);
            });
        }
        let completion = &mut self.completion;
        let (Some(asked), Some(served)) = (&completion.asked_model, &completion.served_model)
        else {
            return;
        };
        let mut found = models::compare(asked, served);
        let names_deployments =
            completion.provider == Some("azure") || completion.dialect == Some("azure-openai");
        if found == Match::Different && names_deployments {
            found = Match::Deployment;
        }
        let text = format!("asked for {asked}, answered by {served}");
        completion.model_match = Some(found);
        if found == Match::Different {
            self.with(Place::nowhere(), &mut (), |gather| {
                gather.note(NoteKind::OtherModel, text, None);
            });
        }
    }

    /// A stream of Chat Completions counts only when asked to.
    fn usage_note(&mut self) {
        let completion = &self.completion;
        let is_chat = matches!(completion.dialect, Some("openai-chat" | "azure-openai"));
        let ended = completion.done && completion.errors.is_empty();
        if !is_chat || !ended || completion.usage.is_some() || self.wish.include_usage {
            return;
        }
        let text = "no token counts: a stream sends them only if the request has \
                    \"stream_options\": {\"include_usage\": true}";
        self.with(Place::nowhere(), &mut (), |gather| {
            gather.note(NoteKind::UsageNotAsked, text.to_owned(), None);
        });
    }

    fn budget_note(&mut self) {
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
            self.with(Place::nowhere(), &mut (), |gather| {
                gather.note(NoteKind::OnlyReasoning, text, None);
            });
        }
    }
}

/// Thoughts at the beginning of a text, tags included. Some templates open them before the text begins; they
/// close them on a line of its own.
fn thought(text: &str) -> Option<Span> {
    let opens = text.trim_start().starts_with("<think>");
    let Some((before, after)) = text.split_once("</think>") else {
        return opens.then(|| Span::new(0, text.len() as u64));
    };
    let closes = !before.contains("<think>") && (after.is_empty() || after.starts_with('\n'));
    let end = text.len().saturating_sub(after.len());
    (opens || closes).then(|| Span::new(0, end as u64))
}

fn check(arguments: &str) -> Arguments {
    if arguments.trim().is_empty() {
        return Arguments::Empty;
    }
    match JsonDocument::parse(arguments.as_bytes()) {
        Ok(_) => Arguments::Json,
        Err(error) => Arguments::Broken {
            at: error.at,
            error: error.kind.to_string(),
        },
    }
}

/// `stop` also stands over a refusal, and over calls that were forced; Gemini knows no other word.
fn refine(choice: &mut Choice) {
    let waits = choice.tool_calls.iter().any(|call| !call.hosted);
    let refused = choice.refusal.is_some();
    let Some(finish) = choice.finish.as_mut() else {
        return;
    };
    if finish.kind == FinishKind::Stop && refused {
        finish.refine(
            FinishKind::Refusal,
            "the model refused; the word alone does not tell",
        );
    } else if finish.kind == FinishKind::Stop && waits {
        finish.refine(
            FinishKind::ToolCalls,
            "the model waits for the results of tool calls; the word alone does not tell",
        );
    }
}
