//! What a request asks for, as values that every API shares: each dialect fills them from its own JSON,
//! after its `check` has let that pass.

use serde_json::{Map, Value};

use super::tokens::estimate_tokens;

/// An answer that is asked for.
#[derive(Clone, Debug)]
pub(super) struct ModelRequest {
    pub(super) model: String,
    pub(super) turns: Vec<ChatTurn>,
    /// What the system said outside the turns.
    pub(super) system_prompt: Option<String>,
    pub(super) stream: bool,
    /// How many answers.
    pub(super) answer_count: u64,
    /// How many tokens an answer may have.
    pub(super) max_tokens: Option<u64>,
    pub(super) stop_sequences: Vec<String>,
    pub(super) format: AnswerFormat,
    /// The tools to call, in this order; empty: none is to be called.
    pub(super) tools_to_call: Vec<DeclaredTool>,
    /// Whether the model thinks first.
    pub(super) thinks_first: bool,
    pub(super) seed: Option<i64>,
    /// An estimate of the tokens of turns and tools.
    pub(super) prompt_tokens: u64,
}

/// One message, or what stands for one.
#[derive(Clone, Debug)]
pub(super) struct ChatTurn {
    pub(super) role: TurnRole,
    /// Its text parts, joined by line ends.
    pub(super) text: String,
    /// How many parts are not text.
    pub(super) non_text_parts: usize,
}

/// Who speaks in a turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TurnRole {
    /// The system, or the developer.
    System,
    User,
    /// A tool, with its result.
    Tool,
    /// The model itself, and whoever else there is.
    Other,
}

impl TurnRole {
    /// The role of a message that is called so.
    pub(super) fn from_name(role: &str) -> Self {
        match role {
            "system" | "developer" => Self::System,
            "user" => Self::User,
            "tool" => Self::Tool,
            _ => Self::Other,
        }
    }
}

/// What the content is to be.
#[derive(Clone, Debug)]
pub(super) enum AnswerFormat {
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON for this schema.
    JsonSchema(Value),
}

/// A function that may be called.
#[derive(Clone, Debug)]
pub(super) struct DeclaredTool {
    pub(super) name: String,
    pub(super) parameters: Value,
}

/// Which of the tools are wanted.
#[derive(Clone, Copy, Debug)]
pub(super) enum ToolChoice<'a> {
    /// Those that the model sees fit.
    Auto,
    /// None.
    Never,
    /// The one of this name.
    Named(&'a str),
}

impl ModelRequest {
    /// An ask for one text in one piece; `declared` is what declares the tools, for its weight.
    pub(super) fn new(model: &str, turns: Vec<ChatTurn>, declared: Option<&Value>) -> Self {
        Self {
            model: model.to_owned(),
            system_prompt: None,
            stream: false,
            answer_count: 1,
            max_tokens: None,
            stop_sequences: Vec::new(),
            format: AnswerFormat::Text,
            tools_to_call: Vec::new(),
            thinks_first: false,
            seed: None,
            prompt_tokens: estimate_prompt_tokens(&turns, declared),
            turns,
        }
    }

    /// Adds what the system said outside the turns.
    pub(super) fn with_instructions(mut self, told: Option<String>) -> Self {
        let weight = told
            .as_ref()
            .map_or(0, |told| estimate_tokens(told.len() as u64));
        self.prompt_tokens = self.prompt_tokens.saturating_add(weight);
        self.system_prompt = told;
        self
    }

    /// The last message of the user.
    pub(super) fn last_user_text(&self) -> &str {
        let asked = |turn: &&ChatTurn| turn.role == TurnRole::User;
        let turn = self.turns.iter().rev().find(asked);
        turn.map_or("", |turn| &turn.text)
    }

    /// What the system said, or said first.
    pub(super) fn system_text(&self) -> Option<&str> {
        let told = |turn: &&ChatTurn| turn.role == TurnRole::System;
        let first = || self.turns.iter().find(told);
        let told = self.system_prompt.as_deref();
        told.or_else(|| first().map(|turn| turn.text.as_str()))
    }

    /// How many tokens `demo-long` makes: up to the limit, and as every model up to one of its own.
    pub(super) fn long_answer_tokens(&self) -> u64 {
        self.max_tokens.unwrap_or(512).min(4096)
    }

    /// What a tool said, if it spoke last.
    pub(super) fn last_tool_result(&self) -> Option<&str> {
        let last = self.turns.last()?;
        (last.role == TurnRole::Tool).then_some(last.text.as_str())
    }

    /// Chooses the tools to call: the one that is named, or the first, or the first two where calls may
    /// be parallel; none unless the user spoke last.
    pub(super) fn choose_tools(
        &mut self,
        mut tools: Vec<DeclaredTool>,
        wanted: ToolChoice<'_>,
        parallel: bool,
    ) {
        let asked = self.turns.last().map(|turn| turn.role) == Some(TurnRole::User);
        match wanted {
            ToolChoice::Never => tools.clear(),
            ToolChoice::Named(name) => {
                tools.retain(|tool| tool.name == name);
                tools.truncate(1);
            }
            ToolChoice::Auto => tools.truncate(if parallel { 2 } else { 1 }),
        }
        self.tools_to_call = if asked { tools } else { Vec::new() };
    }
}

impl ChatTurn {
    /// A turn with `content`: a text, or an array of parts.
    pub(super) fn from_content(role: TurnRole, content: Option<&Value>) -> Self {
        let (text, other_parts) = content.map_or((String::new(), 0), content_parts);
        Self {
            role,
            text,
            non_text_parts: other_parts,
        }
    }
}

/// The texts of a content, joined by line ends, and how many parts are not text.
pub(super) fn content_parts(content: &Value) -> (String, usize) {
    match content {
        Value::String(text) => (text.clone(), 0),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts
                .iter()
                .filter_map(|part| part.get("text").and_then(Value::as_str))
                .collect();
            (texts.join("\n"), parts.len().saturating_sub(texts.len()))
        }
        _ => (String::new(), 0),
    }
}

/// The text at `key`, or nothing.
pub(super) fn text_at<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether `key` is there and true.
pub(super) fn flag_at(body: &Map<String, Value>, key: &str) -> bool {
    body.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// The elements of an array; of anything else none.
pub(super) fn array_items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// Stop sequences: a text, or several. The empty one would stop everything, so it is none.
pub(super) fn stop_sequences(value: Option<&Value>) -> Vec<String> {
    let one = value.and_then(Value::as_str);
    one.into_iter()
        .chain(array_items(value).filter_map(Value::as_str))
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A function of this name that takes `parameters`, a JSON schema.
pub(super) fn declared_tool(
    name: Option<&Value>,
    parameters: Option<&Value>,
) -> Option<DeclaredTool> {
    Some(DeclaredTool {
        name: name?.as_str()?.to_owned(),
        parameters: parameters.cloned().unwrap_or_default(),
    })
}

fn estimate_prompt_tokens(turns: &[ChatTurn], declared: Option<&Value>) -> u64 {
    let each = |turn: &ChatTurn| {
        let images = 85_u64.saturating_mul(turn.non_text_parts as u64);
        estimate_tokens(turn.text.len() as u64)
            .saturating_add(3)
            .saturating_add(images)
    };
    let said = turns.iter().map(each).fold(3, u64::saturating_add);
    let declared = declared.map_or(0, |tools| estimate_tokens(tools.to_string().len() as u64));
    said.saturating_add(declared)
}
