//! What a request asks for, as values: read from JSON that `check` has let pass.

use serde_json::{Map, Value};

use super::words::tokens;

/// A chat completion that is asked for
/// (<https://platform.openai.com/docs/api-reference/chat/create>).
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) model: String,
    pub(super) messages: Vec<Turn>,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    /// How many choices.
    pub(super) n: u64,
    /// How many tokens a choice may have.
    pub(super) limit: Option<u64>,
    pub(super) stop: Vec<String>,
    pub(super) format: Format,
    /// The tools to call, in this order; empty: none is to be called.
    pub(super) calls: Vec<Tool>,
    pub(super) logprobs: bool,
    pub(super) top_logprobs: u64,
    pub(super) seed: Option<i64>,
    /// An estimate of the tokens of messages and tools.
    pub(super) prompt_tokens: u64,
}

/// One message.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) role: String,
    /// Its text parts, joined by line ends.
    pub(super) text: String,
    /// How many parts are not text.
    pub(super) other_parts: usize,
}

/// What the content is to be.
#[derive(Clone, Debug)]
pub(super) enum Format {
    Text,
    /// Any JSON object.
    Object,
    /// JSON for this schema.
    Schema(Value),
}

/// A function that may be called.
#[derive(Clone, Debug)]
pub(super) struct Tool {
    pub(super) name: String,
    pub(super) parameters: Value,
}

impl Ask {
    pub(super) fn read(body: &Map<String, Value>) -> Self {
        let number = |key: &str| body.get(key).and_then(Value::as_u64);
        let messages = messages(body);
        Self {
            model: text(body.get("model")),
            stream: flag(body.get("stream")),
            include_usage: flag(
                body.get("stream_options")
                    .and_then(|o| o.get("include_usage")),
            ),
            n: number("n").unwrap_or(1),
            limit: number("max_completion_tokens").or_else(|| number("max_tokens")),
            stop: stop(body.get("stop")),
            format: format(body.get("response_format")),
            calls: calls(body, &messages),
            logprobs: flag(body.get("logprobs")),
            top_logprobs: number("top_logprobs").unwrap_or(0),
            seed: body.get("seed").and_then(Value::as_i64),
            prompt_tokens: prompt_tokens(body, &messages),
            messages,
        }
    }

    /// The last message of the user.
    pub(super) fn question(&self) -> &str {
        let asked = |turn: &&Turn| turn.role == "user";
        self.messages
            .iter()
            .rev()
            .find(asked)
            .map_or("", |turn| &turn.text)
    }

    /// What the system, or the developer, said first.
    pub(super) fn instruction(&self) -> Option<&str> {
        let told = |turn: &&Turn| matches!(turn.role.as_str(), "system" | "developer");
        self.messages
            .iter()
            .find(told)
            .map(|turn| turn.text.as_str())
    }

    /// How many tokens `demo-long` makes: up to the limit, and as every model up to one of its own.
    pub(super) fn long(&self) -> u64 {
        self.limit.unwrap_or(512).min(4096)
    }

    /// What a tool said, if it spoke last.
    pub(super) fn tool_result(&self) -> Option<&str> {
        let last = self.messages.last()?;
        (last.role == "tool").then_some(last.text.as_str())
    }
}

fn text(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn flag(value: Option<&Value>) -> bool {
    value.and_then(Value::as_bool).unwrap_or(false)
}

fn messages(body: &Map<String, Value>) -> Vec<Turn> {
    let messages = body.get("messages").and_then(Value::as_array);
    messages.into_iter().flatten().map(turn).collect()
}

fn turn(message: &Value) -> Turn {
    let (text_of, other_parts) = match message.get("content") {
        Some(Value::String(text)) => (text.clone(), 0),
        Some(Value::Array(parts)) => {
            let texts: Vec<&str> = parts
                .iter()
                .filter_map(|part| part.get("text").and_then(Value::as_str))
                .collect();
            (texts.join("\n"), parts.len().saturating_sub(texts.len()))
        }
        _ => (String::new(), 0),
    };
    Turn {
        role: text(message.get("role")),
        text: text_of,
        other_parts,
    }
}

fn stop(value: Option<&Value>) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Some(Value::String(text)) => vec![text],
        Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    // The empty string would stop everything.
    texts
        .into_iter()
        .filter(|text| !text.is_empty())
        .map(str::to_owned)
        .collect()
}

fn format(value: Option<&Value>) -> Format {
    let kind = value.and_then(|value| value.get("type"));
    match kind.and_then(Value::as_str) {
        Some("json_object") => Format::Object,
        Some("json_schema") => {
            let schema = value.and_then(|value| value.pointer("/json_schema/schema"));
            Format::Schema(schema.cloned().unwrap_or(Value::Bool(true)))
        }
        _ => Format::Text,
    }
}

/// The functions that `tools` declares.
pub(super) fn tools(body: &Map<String, Value>) -> Vec<Tool> {
    let tools = body.get("tools").and_then(Value::as_array);
    let function = |tool: &Value| {
        let function = tool.get("function")?;
        Some(Tool {
            name: function.get("name")?.as_str()?.to_owned(),
            parameters: function.get("parameters").cloned().unwrap_or_default(),
        })
    };
    tools.into_iter().flatten().filter_map(function).collect()
}

/// Which tools are to be called: the one that `tool_choice` names, or the first, or the first two where
/// calls may be parallel; none unless the user spoke last.
fn calls(body: &Map<String, Value>, messages: &[Turn]) -> Vec<Tool> {
    let mut tools = tools(body);
    if messages.last().is_none_or(|turn| turn.role != "user") {
        return Vec::new();
    }
    let named = match body.get("tool_choice") {
        Some(Value::String(choice)) if choice == "none" => return Vec::new(),
        Some(choice) => choice.pointer("/function/name").and_then(Value::as_str),
        None => None,
    };
    if let Some(name) = named {
        tools.retain(|tool| tool.name == name);
        tools.truncate(1);
        return tools;
    }
    let parallel = body.get("parallel_tool_calls").and_then(Value::as_bool);
    tools.truncate(if parallel == Some(false) { 1 } else { 2 });
    tools
}

fn prompt_tokens(body: &Map<String, Value>, messages: &[Turn]) -> u64 {
    let each = |turn: &Turn| {
        let images = 85_u64.saturating_mul(turn.other_parts as u64);
        tokens(turn.text.len() as u64)
            .saturating_add(3)
            .saturating_add(images)
    };
    let said = messages.iter().map(each).fold(3, u64::saturating_add);
    let declared = body
        .get("tools")
        .map_or(0, |tools| tokens(tools.to_string().len() as u64));
    said.saturating_add(declared)
}
