//! A request to a model as values that all dialects share. Each dialect fills them from its own JSON after its
//! `check` has accepted it.

use serde_json::{Map, Value};

use super::tokens::estimate_tokens;

/// A request to a model.
#[derive(Clone, Debug)]
pub(super) struct ModelRequest {
    pub(super) model: String,
    pub(super) turns: Vec<ChatTurn>,
    /// The system prompt outside the turns.
    pub(super) system_prompt: Option<String>,
    pub(super) stream: bool,
    /// The number of answers.
    pub(super) answer_count: u64,
    /// The longest answer, in tokens.
    pub(super) max_tokens: Option<u64>,
    pub(super) stop_sequences: Vec<String>,
    pub(super) format: AnswerFormat,
    /// The tools to call, in order; empty if no tool is called.
    pub(super) tools_to_call: Vec<DeclaredTool>,
    /// Whether reasoning precedes the answer.
    pub(super) thinks_first: bool,
    pub(super) seed: Option<i64>,
    /// The estimated tokens of turns and tools.
    pub(super) prompt_tokens: u64,
}

/// One message of the conversation.
#[derive(Clone, Debug)]
pub(super) struct ChatTurn {
    pub(super) role: TurnRole,
    /// Its text parts, joined by line ends.
    pub(super) text: String,
    /// The number of parts that are not text.
    pub(super) non_text_parts: usize,
}

/// The speaker of a turn.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TurnRole {
    /// The system, or the developer.
    System,
    User,
    /// A tool that returns its result.
    Tool,
    /// The model, or any other role.
    Other,
}

impl TurnRole {
    /// The role called `role`.
    pub(super) fn from_name(role: &str) -> Self {
        match role {
            "system" | "developer" => Self::System,
            "user" => Self::User,
            "tool" => Self::Tool,
            _ => Self::Other,
        }
    }
}

/// The wanted form of the answer.
#[derive(Clone, Debug)]
pub(super) enum AnswerFormat {
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON for this schema.
    JsonSchema(Value),
}

/// A function that the request declares.
#[derive(Clone, Debug)]
pub(super) struct DeclaredTool {
    pub(super) name: String,
    pub(super) parameters: Value,
}

/// The tools that the request allows to be called.
#[derive(Clone, Copy, Debug)]
pub(super) enum ToolChoice<'a> {
    /// The model chooses.
    Auto,
    /// None.
    Never,
    /// The one of this name.
    Named(&'a str),
}

impl ModelRequest {
    /// A request for one text in one piece. `declared` is the JSON of the tools, counted as prompt tokens.
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

    /// Adds a system prompt outside the turns.
    pub(super) fn with_system_prompt(mut self, prompt: Option<String>) -> Self {
        let tokens = prompt
            .as_ref()
            .map_or(0, |prompt| estimate_tokens(prompt.len() as u64));
        self.prompt_tokens = self.prompt_tokens.saturating_add(tokens);
        self.system_prompt = prompt;
        self
    }

    /// The last message of the user, empty if there is none.
    pub(super) fn last_user_text(&self) -> &str {
        let asked = |turn: &&ChatTurn| turn.role == TurnRole::User;
        let turn = self.turns.iter().rev().find(asked);
        turn.map_or("", |turn| &turn.text)
    }

    /// The system prompt, or else the first turn of the system.
    pub(super) fn system_text(&self) -> Option<&str> {
        let is_system = |turn: &&ChatTurn| turn.role == TurnRole::System;
        let first = || self.turns.iter().find(is_system);
        let prompt = self.system_prompt.as_deref();
        prompt.or_else(|| first().map(|turn| turn.text.as_str()))
    }

    /// The tokens that `demo-long` makes: the limit of the request, or 512 (some seconds at the default pace);
    /// never more than 4096, as a model has a limit of its own.
    pub(super) fn long_answer_tokens(&self) -> u64 {
        self.max_tokens.unwrap_or(512).min(4096)
    }

    /// The result of a tool, if it is the last turn.
    pub(super) fn last_tool_result(&self) -> Option<&str> {
        let last = self.turns.last()?;
        (last.role == TurnRole::Tool).then_some(last.text.as_str())
    }

    /// Chooses the tools to call: the named one, or the first, or the first two if parallel calls are allowed.
    /// None unless the last turn is the user's.
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

/// The texts of a content, joined by line ends, and the number of its parts that are not text.
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

/// The text at `key`, empty if there is none.
pub(super) fn text_at<'a>(object: &'a Value, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Whether the value at `key` is true.
pub(super) fn flag_at(body: &Map<String, Value>, key: &str) -> bool {
    body.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// The elements of an array; none for other values.
pub(super) fn array_items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

/// Stop sequences from a string or an array. Empty ones are dropped: they would match everywhere.
pub(super) fn stop_sequences(value: Option<&Value>) -> Vec<String> {
    let one = value.and_then(Value::as_str);
    one.into_iter()
        .chain(array_items(value).filter_map(Value::as_str))
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A function called `name` that takes `parameters`, a JSON schema; `None` without a name.
pub(super) fn declared_tool(
    name: Option<&Value>,
    parameters: Option<&Value>,
) -> Option<DeclaredTool> {
    Some(DeclaredTool {
        name: name?.as_str()?.to_owned(),
        parameters: parameters.cloned().unwrap_or_default(),
    })
}

/// The estimated tokens of a prompt: its texts and tools, 3 for each turn and 3 for the start of the answer, 85
/// for an image (<https://platform.openai.com/docs/guides/images-vision>, low detail).
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
