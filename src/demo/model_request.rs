//! A request to a model as values that all APIs share. Each API fills them from its own JSON after its `check`
//! has accepted it.

use serde_json::Value;

use super::json_values::{array_items, content_parts, text_at};
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

/// The speaker of a conversation turn: system, user, assistant or tool.
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

/// The form of the answer that the request asks for: text, JSON, or JSON by a schema.
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
    /// The JSON schema of its parameters.
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
        let bytes = prompt.as_ref().map_or(0, String::len);
        let tokens = estimate_tokens(bytes as u64);
        self.prompt_tokens = self.prompt_tokens.saturating_add(tokens);
        self.system_prompt = prompt;
        self
    }

    /// The last message of the user, empty if there is none.
    pub(super) fn last_user_text(&self) -> &str {
        let is_user = |turn: &&ChatTurn| turn.role == TurnRole::User;
        let turn = self.turns.iter().rev().find(is_user);
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
        choice: ToolChoice<'_>,
        parallel: bool,
    ) {
        let user_is_last = self.turns.last().map(|turn| turn.role) == Some(TurnRole::User);
        let most = match choice {
            ToolChoice::Auto if user_is_last => 1 + usize::from(parallel),
            ToolChoice::Named(_) if user_is_last => 1,
            _ => 0,
        };
        if let ToolChoice::Named(name) = choice {
            tools.retain(|tool| tool.name == name);
        }
        tools.truncate(most);
        self.tools_to_call = tools;
    }
}

impl ChatTurn {
    /// A turn with `content`: a text, or an array of parts.
    pub(super) fn new(role: TurnRole, content: &Value) -> Self {
        let (text, non_text_parts) = content_parts(content);
        Self {
            role,
            text,
            non_text_parts,
        }
    }

    /// The turn of a message with `role` and `content`.
    pub(super) fn from_message(message: &Value) -> Self {
        let role = TurnRole::from_name(text_at(message, "role"));
        Self::new(role, message.get("content").unwrap_or(&Value::Null))
    }

    /// The turn of tools that return these results.
    pub(super) fn tool_results(results: &[String]) -> Self {
        Self {
            role: TurnRole::Tool,
            text: results.join("\n"),
            non_text_parts: 0,
        }
    }
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

impl AnswerFormat {
    /// The format that OpenAI calls `name`.
    pub(super) fn from_name(name: &str, schema: Option<&Value>) -> Self {
        match name {
            "json_object" => Self::JsonObject,
            "json_schema" => Self::JsonSchema(schema.cloned().unwrap_or(Value::Bool(true))),
            _ => Self::Text,
        }
    }
}

impl DeclaredTool {
    /// A function with this name and schema; `None` without a name.
    pub(super) fn read(name: &Value, parameters: &Value) -> Option<Self> {
        Some(Self {
            name: name.as_str()?.to_owned(),
            parameters: parameters.clone(),
        })
    }

    /// The functions in `tools` that are declared as `{"function": {name, parameters}}`.
    pub(super) fn nested_in(tools: &Value) -> Vec<Self> {
        array_items(tools)
            .filter_map(|tool| tool.get("function"))
            .filter_map(|function| Self::read(&function["name"], &function["parameters"]))
            .collect()
    }
}

impl<'a> ToolChoice<'a> {
    /// The choice of a tool called `name`, if any, unless `never`.
    pub(super) fn new(never: bool, name: Option<&'a str>) -> Self {
        match name {
            _ if never => Self::Never,
            Some(name) => Self::Named(name),
            None => Self::Auto,
        }
    }
}

/// Stop sequences from a string or an array. Empty ones are dropped: they would match everywhere.
pub(super) fn stop_sequences(value: &Value) -> Vec<String> {
    let one = value.as_str().into_iter();
    one.chain(array_items(value).filter_map(Value::as_str))
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
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
    let turns = turns.iter().map(each).fold(3, u64::saturating_add);
    let declared = declared.map_or(0, |tools| estimate_tokens(tools.to_string().len() as u64));
    turns.saturating_add(declared)
}
