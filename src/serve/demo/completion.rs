//! What is generated for a request: the choices with their tokens, before any JSON.

use super::ask::{Ask, Format, Tool};
use super::fill::fill;
use super::usage::Usage;
use super::words::{beginning, pieces, tokens};
use super::{Context, ids, models};

/// A completion, for a plain reply and for a stream alike.
#[derive(Clone, Debug)]
pub(super) struct Completion {
    pub(super) id: String,
    pub(super) created: i64,
    pub(super) model: String,
    pub(super) fingerprint: String,
    pub(super) choices: Vec<Choice>,
    pub(super) usage: Usage,
}

/// One choice.
#[derive(Clone, Debug, Default)]
pub(super) struct Choice {
    /// The tokens of its thinking.
    pub(super) reasoning: Vec<String>,
    /// The tokens of its text.
    pub(super) text: Vec<String>,
    /// Whether the text is a refusal.
    pub(super) refused: bool,
    /// The tools that it calls, in place of text.
    pub(super) calls: Vec<Call>,
    pub(super) finish: &'static str,
}

/// A tool that is called.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) id: String,
    pub(super) name: String,
    /// The tokens of its arguments, a JSON text.
    pub(super) arguments: Vec<String>,
}

/// Generates.
pub(super) fn write(ask: &Ask, seen: Context) -> Completion {
    let choices: Vec<Choice> = (0..ask.n).map(|index| choice(ask, index, seen)).collect();
    let reasoning = choices
        .iter()
        .map(|choice| choice.reasoning.len() as u64)
        .sum();
    let usage = Usage {
        prompt: ask.prompt_tokens,
        completion: choices.iter().map(Choice::tokens).sum(),
        reasoning,
    };
    envelope(ask, choices, usage, seen)
}

/// What stands around the choices.
pub(super) fn envelope(ask: &Ask, choices: Vec<Choice>, usage: Usage, seen: Context) -> Completion {
    let model = models::served(&ask.model).to_owned();
    let seed = ids::hash(&model) ^ ids::mix(ask.seed.map_or(0, i64::cast_unsigned));
    Completion {
        id: ids::id("chatcmpl-demo", salt(seen), 25),
        created: seen.created_secs,
        fingerprint: ids::hex("fp_", seed, 10),
        model,
        choices,
        usage,
    }
}

fn salt(seen: Context) -> u64 {
    ids::mix(seen.created_secs.unsigned_abs()) ^ seen.seq
}

impl Choice {
    fn tokens(&self) -> u64 {
        let call = |call: &Call| {
            let name = tokens(call.name.len() as u64);
            name.saturating_add(call.arguments.len() as u64)
        };
        let calls: u64 = self.calls.iter().map(call).sum();
        let said = self.reasoning.len().saturating_add(self.text.len());
        calls.saturating_add(said as u64)
    }

    /// Ends after `limit` tokens, the thinking among them.
    fn cut(&mut self, limit: Option<u64>) {
        let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else {
            return;
        };
        let thought = self.reasoning.len();
        if thought.saturating_add(self.text.len()) > limit {
            self.finish = "length";
            self.reasoning.truncate(limit);
            self.text.truncate(limit.saturating_sub(thought));
        }
    }
}

fn choice(ask: &Ask, index: u64, seen: Context) -> Choice {
    if !ask.calls.is_empty() {
        let seed = salt(seen).wrapping_add(index << 32);
        return calls(&ask.calls, ask.question(), seed);
    }
    let (text, stopped) = stopped(text(ask, index), &ask.stop);
    let mut choice = Choice {
        text: pieces(&text),
        refused: ask.model == "demo-refusal",
        finish: "stop",
        ..Choice::default()
    };
    match ask.model.as_str() {
        "demo-reasoning" => choice.reasoning = pieces(&thoughts(ask)),
        "demo-filter" => {
            choice.text.truncate(choice.text.len().div_ceil(2));
            choice.finish = "content_filter";
        }
        "demo-long" if !stopped => choice.cut(Some(ask.long())),
        _ => {}
    }
    choice.cut(ask.limit);
    choice
}

fn calls(tools: &[Tool], words: &str, seed: u64) -> Choice {
    let call = |(index, tool): (usize, &Tool)| Call {
        id: ids::id("call_", ids::mix(seed.wrapping_add(index as u64)), 24),
        name: tool.name.clone(),
        arguments: pieces(&fill(&tool.parameters, words).to_string()),
    };
    Choice {
        calls: tools.iter().enumerate().map(call).collect(),
        finish: "tool_calls",
        ..Choice::default()
    }
}

/// `text` up to the first of the stop sequences, and whether there was one.
fn stopped(mut text: String, stops: &[String]) -> (String, bool) {
    let first = stops
        .iter()
        .filter_map(|stop| text.find(stop.as_str()))
        .min();
    if let Some(at) = first {
        text.truncate(at);
    }
    (text, first.is_some())
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
        "messages": ask.messages.len(),
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
    let count = ask.messages.len();
    let mut text = match count {
        1 => " That is one message".to_owned(),
        _ => format!(" That is {count} messages"),
    };
    let other: usize = ask.messages.iter().map(|turn| turn.other_parts).sum();
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
