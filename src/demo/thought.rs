//! What is generated for an ask, in tokens, before any API gives it a shape.

use serde_json::Value;

use super::ask::{Ask, Format, Tool};
use super::fill::fill;
use super::usage::Usage;
use super::words::{beginning, pieces, tokens};
use super::{Context, big, ids, models};

/// The answers to one ask, and what they cost.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) thoughts: Vec<Thought>,
    pub(super) usage: Usage,
}

/// One answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Thought {
    /// The tokens of its thinking.
    pub(super) reasoning: Vec<String>,
    /// The tokens of its text.
    pub(super) text: Vec<String>,
    /// Whether the text is a refusal.
    pub(super) refused: bool,
    /// The tools that it calls, in place of text.
    pub(super) calls: Vec<Call>,
    pub(super) finish: Finish,
}

/// Why it ends.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Finish {
    /// It is complete.
    #[default]
    Stop,
    /// This stop sequence came next.
    Sequence(String),
    /// It may have no more tokens.
    Length,
    /// It calls tools.
    Calls,
    /// A filter stopped it.
    Filtered,
}

/// A tool that is called.
#[derive(Clone, Debug)]
pub(super) struct Call {
    seed: u64,
    pub(super) name: String,
    pub(super) input: Value,
    /// The tokens of `input` as a JSON text.
    pub(super) arguments: Vec<String>,
}

impl Call {
    /// An id of its own, of `length` letters and digits after `prefix`.
    pub(super) fn id(&self, prefix: &str, length: usize) -> String {
        ids::id(prefix, self.seed, length)
    }

    /// How many tokens it has.
    pub(super) fn tokens(&self) -> u64 {
        let name = tokens(self.name.len() as u64);
        name.saturating_add(self.arguments.len() as u64)
    }
}

/// Generates.
pub(super) fn answer(ask: &Ask, seen: Context) -> Answer {
    if let Some(mebibytes) = models::big(&ask.model) {
        return marked(ask, mebibytes);
    }
    let thoughts: Vec<Thought> = (0..ask.n).map(|index| thought(ask, index, seen)).collect();
    let reasoning = |thought: &Thought| thought.reasoning.len() as u64;
    let usage = Usage {
        prompt: ask.prompt_tokens,
        completion: thoughts.iter().map(Thought::tokens).sum(),
        reasoning: thoughts.iter().map(reasoning).sum(),
    };
    Answer { thoughts, usage }
}

/// A mark in the place of a text of so many mebibytes.
fn marked(ask: &Ask, mebibytes: u64) -> Answer {
    let thought = Thought {
        text: vec![big::MARK.to_owned()],
        ..Thought::default()
    };
    let usage = Usage {
        prompt: ask.prompt_tokens,
        completion: big::weight(mebibytes),
        reasoning: 0,
    };
    Answer {
        thoughts: vec![thought],
        usage,
    }
}

/// A number that differs for each request.
pub(super) fn salt(seen: Context) -> u64 {
    ids::mix(seen.created_secs.unsigned_abs()) ^ seen.seq
}

impl Thought {
    fn tokens(&self) -> u64 {
        let calls: u64 = self.calls.iter().map(Call::tokens).sum();
        let said = self.reasoning.len().saturating_add(self.text.len());
        calls.saturating_add(said as u64)
    }

    /// Ends after `limit` tokens, the thinking among them. A call is made whole or not at all.
    fn cut(&mut self, limit: Option<u64>) {
        let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else {
            return;
        };
        let thought = self.reasoning.len();
        if thought.saturating_add(self.text.len()) > limit {
            self.finish = Finish::Length;
            self.reasoning.truncate(limit);
            self.text.truncate(limit.saturating_sub(thought));
            self.calls.clear();
        }
    }
}

fn thought(ask: &Ask, index: u64, seen: Context) -> Thought {
    let mut thought = if ask.calls.is_empty() {
        spoken(ask, index)
    } else {
        let seed = salt(seen).wrapping_add(index << 32);
        calls(&ask.calls, ask.question(), seed)
    };
    if ask.thinks {
        thought.reasoning = pieces(&thoughts(ask));
    }
    if ask.model == "demo-long" && thought.finish == Finish::Stop {
        thought.cut(Some(ask.long()));
    }
    thought.cut(ask.limit);
    thought
}

fn spoken(ask: &Ask, index: u64) -> Thought {
    let (text, stop) = stopped(text(ask, index), &ask.stop);
    let mut thought = Thought {
        text: pieces(&text),
        refused: ask.model == "demo-refusal",
        finish: stop.map_or(Finish::Stop, Finish::Sequence),
        ..Thought::default()
    };
    if ask.model == "demo-filter" {
        thought.text.truncate(thought.text.len().div_ceil(2));
        thought.finish = Finish::Filtered;
    }
    thought
}

fn calls(tools: &[Tool], words: &str, seed: u64) -> Thought {
    let call = |(index, tool): (usize, &Tool)| {
        let input = fill(&tool.parameters, words);
        Call {
            seed: ids::mix(seed.wrapping_add(index as u64)),
            name: tool.name.clone(),
            arguments: pieces(&input.to_string()),
            input,
        }
    };
    Thought {
        calls: tools.iter().enumerate().map(call).collect(),
        finish: Finish::Calls,
        ..Thought::default()
    }
}

/// `text` up to the first of the stop sequences, and which that was.
fn stopped(mut text: String, stops: &[String]) -> (String, Option<String>) {
    let found = |stop: &String| Some((text.find(stop.as_str())?, stop.clone()));
    let Some((at, stop)) = stops.iter().filter_map(found).min() else {
        return (text, None);
    };
    text.truncate(at);
    (text, Some(stop))
}

fn text(ask: &Ask, index: u64) -> String {
    if ask.model == "demo-refusal" {
        return "I'm sorry, but I can't help with that.".to_owned();
    }
    match &ask.format {
        Format::Schema(schema) => fill(schema, ask.question()).to_string(),
        Format::Object => object(ask, index),
        Format::Text if ask.model == "demo-long" => long(ask),
        Format::Text => prose(ask, index),
    }
}

fn object(ask: &Ask, index: u64) -> String {
    serde_json::json!({
        "question": beginning(ask.question(), 60),
        "answer": "This is the demo model of wire.",
        "messages": ask.turns.len(),
        "choice": index,
    })
    .to_string()
}

fn prose(ask: &Ask, index: u64) -> String {
    const OPENINGS: [&str; 4] = ["You wrote", "I read", "Your words were", "The question is"];
    let at = usize::try_from(index % 4).unwrap_or(0);
    let opening = OPENINGS.get(at).copied().unwrap_or_default();
    let mut text = match ask.tool_result() {
        Some(result) => format!("The tool says: {}", beginning(result, 120)),
        None => format!("{opening}: \"{}\".", beginning(ask.question(), 60)),
    };
    let manner = Manner::of(ask.instruction());
    if manner != Manner::Brief {
        text.push_str(&remarks(ask, index));
    }
    match manner {
        Manner::Loud => text.to_uppercase(),
        Manner::Pirate => format!("Arr! {text} Arr!"),
        Manner::Usual | Manner::Brief => text,
    }
}

fn remarks(ask: &Ask, index: u64) -> String {
    let count = ask.turns.len();
    let mut text = match count {
        1 => " That is one message".to_owned(),
        _ => format!(" That is {count} messages"),
    };
    let other: usize = ask.turns.iter().map(|turn| turn.other_parts).sum();
    match other {
        0 => {}
        1 => text.push_str(", with one part that is not text"),
        _ => text.push_str(&format!(", with {other} parts that are not text")),
    }
    text.push('.');
    if let Some(told) = ask.instruction() {
        text.push_str(&format!(" I was told: \"{}\".", beginning(told, 40)));
    }
    text.push_str(" No language model runs here, but every byte is real.");
    if index > 0 {
        text.push_str(&format!(" This is choice {}.", index.saturating_add(1)));
    }
    text
}

/// How the system prompt wants it.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Manner {
    Usual,
    Brief,
    Loud,
    Pirate,
}

impl Manner {
    fn of(instruction: Option<&str>) -> Self {
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

/// More words than any sensible limit of tokens leaves.
fn long(ask: &Ask) -> String {
    (0..=ask.long())
        .map(|number| format!("{number}, "))
        .collect()
}

fn thoughts(ask: &Ask) -> String {
    format!(
        "The user asks: \"{}\". I have no model to ask, so I look at the wire and answer with what I see.",
        beginning(ask.question(), 40)
    )
}
