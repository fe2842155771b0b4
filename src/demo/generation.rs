//! Generated answers as tokens, before an API shapes them.

use serde_json::Value;

use super::context::DemoContext;
use super::model_request::{AnswerFormat, DeclaredTool, ModelRequest};
use super::schema_value::value_for_schema;
use super::tokens::{estimate_tokens, first_chars, split_tokens};
use super::usage::GeneratedUsage;
use super::{big_body, ids, models};

/// The answers to one request and their token counts.
#[derive(Clone, Debug)]
pub(super) struct GenerationResult {
    pub(super) answers: Vec<GeneratedAnswer>,
    pub(super) usage: GeneratedUsage,
}

/// One generated answer: reasoning, text and tool calls.
#[derive(Clone, Debug, Default)]
pub(super) struct GeneratedAnswer {
    /// The tokens of its reasoning.
    pub(super) reasoning_tokens: Vec<String>,
    /// The tokens of its text.
    pub(super) text_tokens: Vec<String>,
    /// Whether the text is a refusal.
    pub(super) refused: bool,
    /// The tool calls that it makes instead of text.
    pub(super) tool_calls: Vec<GeneratedCall>,
    pub(super) finish: FinishCause,
}

/// Why an answer ends.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum FinishCause {
    /// The answer is complete.
    #[default]
    Stop,
    /// This stop sequence would be next.
    StopSequence(String),
    /// The token limit was reached.
    Length,
    /// The answer calls tools.
    ToolCalls,
    /// A filter stopped it.
    Filtered,
}

/// A generated tool call.
#[derive(Clone, Debug)]
pub(super) struct GeneratedCall {
    seed: u64,
    pub(super) name: String,
    pub(super) input: Value,
    /// The tokens of `input` as a JSON text.
    pub(super) argument_tokens: Vec<String>,
}

impl GeneratedCall {
    /// An id for this answer: `length` letters and digits after `prefix`.
    pub(super) fn make_id(&self, prefix: &str, length: usize) -> String {
        ids::alphanumeric_id(prefix, self.seed, length)
    }

    /// The number of its tokens.
    pub(super) fn token_count(&self) -> u64 {
        let name = estimate_tokens(self.name.len() as u64);
        name.saturating_add(self.argument_tokens.len() as u64)
    }
}

/// Generates the answers to `question`.
pub(super) fn generate(question: &ModelRequest, context: DemoContext) -> GenerationResult {
    if let Some(mebibytes) = models::big_body_mebibytes(&question.model) {
        return generate_big(question, mebibytes);
    }
    let answers: Vec<GeneratedAnswer> = (0..question.answer_count)
        .map(|index| generate_answer(question, index, context))
        .collect();
    let reasoning = |answer: &GeneratedAnswer| answer.reasoning_tokens.len() as u64;
    let usage = GeneratedUsage {
        prompt_tokens: question.prompt_tokens,
        completion_tokens: answers.iter().map(GeneratedAnswer::token_count).sum(),
        reasoning_tokens: answers.iter().map(reasoning).sum(),
    };
    GenerationResult { answers, usage }
}

/// Generates the one answer of an API that gives no more.
pub(super) fn generate_one(
    question: &ModelRequest,
    context: DemoContext,
) -> (GeneratedAnswer, GeneratedUsage) {
    let GenerationResult { answers, usage } = generate(question, context);
    (answers.into_iter().next().unwrap_or_default(), usage)
}

/// An answer with a mark in place of its text of `mebibytes` MiB.
fn generate_big(question: &ModelRequest, mebibytes: u64) -> GenerationResult {
    let answer = GeneratedAnswer {
        text_tokens: vec![big_body::BIG_TEXT_MARK.to_owned()],
        ..GeneratedAnswer::default()
    };
    let usage = GeneratedUsage {
        prompt_tokens: question.prompt_tokens,
        completion_tokens: big_body::big_text_tokens(mebibytes),
        reasoning_tokens: 0,
    };
    GenerationResult {
        answers: vec![answer],
        usage,
    }
}

impl GeneratedAnswer {
    fn token_count(&self) -> u64 {
        let calls: u64 = self.tool_calls.iter().map(GeneratedCall::token_count).sum();
        let tokens = self
            .reasoning_tokens
            .len()
            .saturating_add(self.text_tokens.len());
        calls.saturating_add(tokens as u64)
    }

    /// Cuts the answer after `limit` tokens, reasoning included. A tool call is kept whole or dropped.
    fn truncate_to(&mut self, limit: Option<u64>) {
        let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else {
            return;
        };
        let reasoning = self.reasoning_tokens.len();
        if reasoning.saturating_add(self.text_tokens.len()) > limit {
            self.finish = FinishCause::Length;
            self.reasoning_tokens.truncate(limit);
            self.text_tokens.truncate(limit.saturating_sub(reasoning));
            self.tool_calls.clear();
        }
    }
}

fn generate_answer(question: &ModelRequest, index: u64, context: DemoContext) -> GeneratedAnswer {
    let mut answer = if question.tools_to_call.is_empty() {
        text_answer(question, index)
    } else {
        let seed = context.answer_seed().wrapping_add(index << 32);
        tool_call_answer(&question.tools_to_call, question.last_user_text(), seed)
    };
    if question.thinks_first {
        answer.reasoning_tokens = split_tokens(&reasoning_text(question));
    }
    if question.model == "demo-long" && answer.finish == FinishCause::Stop {
        answer.truncate_to(Some(question.long_answer_tokens()));
    }
    answer.truncate_to(question.max_tokens);
    answer
}

fn text_answer(question: &ModelRequest, index: u64) -> GeneratedAnswer {
    let (text, stop) = cut_at_stop(answer_text(question, index), &question.stop_sequences);
    let mut answer = GeneratedAnswer {
        text_tokens: split_tokens(&text),
        refused: question.model == "demo-refusal",
        finish: stop.map_or(FinishCause::Stop, FinishCause::StopSequence),
        ..GeneratedAnswer::default()
    };
    if question.model == "demo-filter" {
        answer
            .text_tokens
            .truncate(answer.text_tokens.len().div_ceil(2));
        answer.finish = FinishCause::Filtered;
    }
    answer
}

fn tool_call_answer(tools: &[DeclaredTool], words: &str, seed: u64) -> GeneratedAnswer {
    let call = |(index, tool): (usize, &DeclaredTool)| {
        let input = value_for_schema(&tool.parameters, words);
        GeneratedCall {
            seed: ids::mix_bits(seed.wrapping_add(index as u64)),
            name: tool.name.clone(),
            argument_tokens: split_tokens(&input.to_string()),
            input,
        }
    };
    GeneratedAnswer {
        tool_calls: tools.iter().enumerate().map(call).collect(),
        finish: FinishCause::ToolCalls,
        ..GeneratedAnswer::default()
    }
}

/// `text` up to the first stop sequence, and that sequence.
fn cut_at_stop(mut text: String, stops: &[String]) -> (String, Option<String>) {
    let found = |stop: &String| Some((text.find(stop.as_str())?, stop.clone()));
    let Some((at, stop)) = stops.iter().filter_map(found).min() else {
        return (text, None);
    };
    text.truncate(at);
    (text, Some(stop))
}

fn answer_text(question: &ModelRequest, index: u64) -> String {
    if question.model == "demo-refusal" {
        return "I'm sorry, but I can't help with that.".to_owned();
    }
    match &question.format {
        AnswerFormat::JsonSchema(schema) => {
            value_for_schema(schema, question.last_user_text()).to_string()
        }
        AnswerFormat::JsonObject => json_answer(question, index),
        AnswerFormat::Text if question.model == "demo-long" => long_answer(question),
        AnswerFormat::Text => prose_answer(question, index),
    }
}

fn json_answer(question: &ModelRequest, index: u64) -> String {
    serde_json::json!({
        "question": first_chars(question.last_user_text(), 60),
        "answer": "This is the demo model of wire.",
        "messages": question.turns.len(),
        "choice": index,
    })
    .to_string()
}

fn prose_answer(question: &ModelRequest, index: u64) -> String {
    const OPENINGS: [&str; 4] = ["You wrote", "I read", "Your words were", "The question is"];
    let at = usize::try_from(index % 4).unwrap_or(0);
    let opening = OPENINGS.get(at).copied().unwrap_or_default();
    let mut text = match question.last_tool_result() {
        Some(result) => format!("The tool says: {}", first_chars(result, 120)),
        None => format!(
            "{opening}: \"{}\".",
            first_chars(question.last_user_text(), 60)
        ),
    };
    let instruction = question.system_text().unwrap_or_default().to_lowercase();
    let wants = |words: &[&str]| words.iter().any(|word| instruction.contains(word));
    let pirate = wants(&["pirate"]);
    let loud = wants(&["uppercase", "upper case", "all caps"]) && !pirate;
    if pirate || loud || !wants(&["brief", "terse", "concise", "short"]) {
        text.push_str(&prose_remarks(question, index));
    }
    match (pirate, loud) {
        (true, _) => format!("Arr! {text} Arr!"),
        (_, true) => text.to_uppercase(),
        _ => text,
    }
}

fn prose_remarks(question: &ModelRequest, index: u64) -> String {
    let count = question.turns.len();
    let mut text = match count {
        1 => " That is one message".to_owned(),
        _ => format!(" That is {count} messages"),
    };
    let other: usize = question.turns.iter().map(|turn| turn.non_text_parts).sum();
    match other {
        0 => {}
        1 => text.push_str(", with one part that is not text"),
        _ => text.push_str(&format!(", with {other} parts that are not text")),
    }
    text.push('.');
    if let Some(prompt) = question.system_text() {
        text.push_str(&format!(" I was told: \"{}\".", first_chars(prompt, 40)));
    }
    text.push_str(" No language model runs here, but every byte is real.");
    if index > 0 {
        text.push_str(&format!(" This is choice {}.", index.saturating_add(1)));
    }
    text
}

/// An endless text: only the token limit ends it.
fn long_answer(question: &ModelRequest) -> String {
    (0..=question.long_answer_tokens())
        .map(|number| format!("{number}, "))
        .collect()
}

fn reasoning_text(question: &ModelRequest) -> String {
    format!(
        "The user asks: \"{}\". I have no model to ask, so I look at the wire and answer with what I see.",
        first_chars(question.last_user_text(), 40)
    )
}
