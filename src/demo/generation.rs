//! Generated answers as tokens, before a dialect shapes them.

use serde_json::Value;

use super::model_request::{AnswerFormat, DeclaredTool, ModelRequest};
use super::schema_value::value_for_schema;
use super::tokens::{estimate_tokens, first_chars, split_tokens};
use super::usage::GeneratedUsage;
use super::{DemoContext, big_body, ids, models};

/// The answers to one request and their token counts.
#[derive(Clone, Debug)]
pub(super) struct GenerationResult {
    pub(super) answers: Vec<GeneratedAnswer>,
    pub(super) usage: GeneratedUsage,
}

/// One answer.
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

/// A call of a tool.
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

/// Generates the answers to `ask`.
pub(super) fn generate(ask: &ModelRequest, seen: DemoContext) -> GenerationResult {
    if let Some(mebibytes) = models::big_body_mebibytes(&ask.model) {
        return generate_big(ask, mebibytes);
    }
    let thoughts: Vec<GeneratedAnswer> = (0..ask.answer_count)
        .map(|index| generate_answer(ask, index, seen))
        .collect();
    let reasoning = |thought: &GeneratedAnswer| thought.reasoning_tokens.len() as u64;
    let usage = GeneratedUsage {
        prompt_tokens: ask.prompt_tokens,
        completion_tokens: thoughts.iter().map(GeneratedAnswer::token_count).sum(),
        reasoning_tokens: thoughts.iter().map(reasoning).sum(),
    };
    GenerationResult {
        answers: thoughts,
        usage,
    }
}

/// An answer with a mark in place of its text of `mebibytes` MiB.
fn generate_big(ask: &ModelRequest, mebibytes: u64) -> GenerationResult {
    let thought = GeneratedAnswer {
        text_tokens: vec![big_body::BIG_TEXT_MARK.to_owned()],
        ..GeneratedAnswer::default()
    };
    let usage = GeneratedUsage {
        prompt_tokens: ask.prompt_tokens,
        completion_tokens: big_body::big_text_tokens(mebibytes),
        reasoning_tokens: 0,
    };
    GenerationResult {
        answers: vec![thought],
        usage,
    }
}

/// A number that differs for each request.
pub(super) fn request_salt(seen: DemoContext) -> u64 {
    ids::mix_bits(seen.created_secs.unsigned_abs()) ^ seen.request_number
}

impl GeneratedAnswer {
    fn token_count(&self) -> u64 {
        let calls: u64 = self.tool_calls.iter().map(GeneratedCall::token_count).sum();
        let said = self
            .reasoning_tokens
            .len()
            .saturating_add(self.text_tokens.len());
        calls.saturating_add(said as u64)
    }

    /// Cuts the answer after `limit` tokens, reasoning included. A tool call is kept whole or dropped.
    fn truncate_to(&mut self, limit: Option<u64>) {
        let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else {
            return;
        };
        let thought = self.reasoning_tokens.len();
        if thought.saturating_add(self.text_tokens.len()) > limit {
            self.finish = FinishCause::Length;
            self.reasoning_tokens.truncate(limit);
            self.text_tokens.truncate(limit.saturating_sub(thought));
            self.tool_calls.clear();
        }
    }
}

fn generate_answer(ask: &ModelRequest, index: u64, seen: DemoContext) -> GeneratedAnswer {
    let mut thought = if ask.tools_to_call.is_empty() {
        text_answer(ask, index)
    } else {
        let seed = request_salt(seen).wrapping_add(index << 32);
        tool_call_answer(&ask.tools_to_call, ask.last_user_text(), seed)
    };
    if ask.thinks_first {
        thought.reasoning_tokens = split_tokens(&reasoning_text(ask));
    }
    if ask.model == "demo-long" && thought.finish == FinishCause::Stop {
        thought.truncate_to(Some(ask.long_answer_tokens()));
    }
    thought.truncate_to(ask.max_tokens);
    thought
}

fn text_answer(ask: &ModelRequest, index: u64) -> GeneratedAnswer {
    let (text, stop) = cut_at_stop(answer_text(ask, index), &ask.stop_sequences);
    let mut thought = GeneratedAnswer {
        text_tokens: split_tokens(&text),
        refused: ask.model == "demo-refusal",
        finish: stop.map_or(FinishCause::Stop, FinishCause::StopSequence),
        ..GeneratedAnswer::default()
    };
    if ask.model == "demo-filter" {
        thought
            .text_tokens
            .truncate(thought.text_tokens.len().div_ceil(2));
        thought.finish = FinishCause::Filtered;
    }
    thought
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

fn answer_text(ask: &ModelRequest, index: u64) -> String {
    if ask.model == "demo-refusal" {
        return "I'm sorry, but I can't help with that.".to_owned();
    }
    match &ask.format {
        AnswerFormat::JsonSchema(schema) => {
            value_for_schema(schema, ask.last_user_text()).to_string()
        }
        AnswerFormat::JsonObject => json_answer(ask, index),
        AnswerFormat::Text if ask.model == "demo-long" => long_answer(ask),
        AnswerFormat::Text => prose_answer(ask, index),
    }
}

fn json_answer(ask: &ModelRequest, index: u64) -> String {
    serde_json::json!({
        "question": first_chars(ask.last_user_text(), 60),
        "answer": "This is the demo model of wire.",
        "messages": ask.turns.len(),
        "choice": index,
    })
    .to_string()
}

fn prose_answer(ask: &ModelRequest, index: u64) -> String {
    const OPENINGS: [&str; 4] = ["You wrote", "I read", "Your words were", "The question is"];
    let at = usize::try_from(index % 4).unwrap_or(0);
    let opening = OPENINGS.get(at).copied().unwrap_or_default();
    let mut text = match ask.last_tool_result() {
        Some(result) => format!("The tool says: {}", first_chars(result, 120)),
        None => format!("{opening}: \"{}\".", first_chars(ask.last_user_text(), 60)),
    };
    let manner = ProseStyle::from_instruction(ask.system_text());
    if manner != ProseStyle::Brief {
        text.push_str(&prose_remarks(ask, index));
    }
    match manner {
        ProseStyle::Loud => text.to_uppercase(),
        ProseStyle::Pirate => format!("Arr! {text} Arr!"),
        ProseStyle::Usual | ProseStyle::Brief => text,
    }
}

fn prose_remarks(ask: &ModelRequest, index: u64) -> String {
    let count = ask.turns.len();
    let mut text = match count {
        1 => " That is one message".to_owned(),
        _ => format!(" That is {count} messages"),
    };
    let other: usize = ask.turns.iter().map(|turn| turn.non_text_parts).sum();
    match other {
        0 => {}
        1 => text.push_str(", with one part that is not text"),
        _ => text.push_str(&format!(", with {other} parts that are not text")),
    }
    text.push('.');
    if let Some(told) = ask.system_text() {
        text.push_str(&format!(" I was told: \"{}\".", first_chars(told, 40)));
    }
    text.push_str(" No language model runs here, but every byte is real.");
    if index > 0 {
        text.push_str(&format!(" This is choice {}.", index.saturating_add(1)));
    }
    text
}

/// How the system prompt wants the answer to be written.
#[derive(Clone, Copy, Eq, PartialEq)]
enum ProseStyle {
    Usual,
    Brief,
    Loud,
    Pirate,
}

impl ProseStyle {
    fn from_instruction(instruction: Option<&str>) -> Self {
        let told = instruction.unwrap_or_default().to_lowercase();
        let speaks = |words: &[&str]| words.iter().any(|word| told.contains(word));
        if speaks(&["pirate"]) {
            Self::Pirate
        } else if speaks(&["uppercase", "upper case", "all caps"]) {
            Self::Loud
        } else if speaks(&["brief", "terse", "concise", "short"]) {
            Self::Brief
        } else {
            Self::Usual
        }
    }
}

/// An endless text: only the token limit ends it.
fn long_answer(ask: &ModelRequest) -> String {
    (0..=ask.long_answer_tokens())
        .map(|number| format!("{number}, "))
        .collect()
}

fn reasoning_text(ask: &ModelRequest) -> String {
    format!(
        "The user asks: \"{}\". I have no model to ask, so I look at the wire and answer with what I see.",
        first_chars(ask.last_user_text(), 40)
    )
}
