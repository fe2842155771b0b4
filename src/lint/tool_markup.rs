//! Recognises the markup of a tool call that a server left in the text.

/// Words of the markup of tool calls in the templates of open models: Hermes and Qwen, Mistral, Llama, DeepSeek, Kimi,
/// Anthropic's older form, gpt-oss, Functionary, Gemma. Each comes after a bracket.
const MARKS: &[&str] = &[
    "tool_call",
    "TOOL_CALL",
    "tool▁call",
    "function=",
    "function_call",
    "invoke name=",
    "python_tag",
    "commentary to=",
    "recipient",
    "functools",
    "tool_code",
];

/// Bytes before a mark in which its bracket comes: `<｜DSML｜` has eleven.
const BRACKET_WITHIN: usize = 16;

/// Bytes after a mark in which the name of a tool comes: markup names the tool first.
const NAME_WITHIN: usize = 300;

/// The mark of a tool call in `text`, if the name of one of `tools` follows it. A text that only mentions the markup names
/// no tool.
pub(super) fn find_markup(text: &str, tools: &[String]) -> Option<&'static str> {
    let is_call = |mark: &&&str| {
        let Some((before, after)) = text.split_once(**mark) else {
            return false;
        };
        let has_bracket = last_bytes(before).contains(['<', '[', '{', '|', '`']);
        // Functionary writes the bracket after the word.
        let has_bracket = has_bracket || after.starts_with('[');
        let near = first_bytes(after);
        let is_named = |tool: &String| !tool.is_empty() && near.contains(tool.as_str());
        has_bracket && tools.iter().any(is_named)
    };
    let mark = MARKS.iter().find(is_call).copied();
    mark.or_else(|| bare_call(text, tools))
}

/// About the last [`BRACKET_WITHIN`] bytes of `text`.
fn last_bytes(text: &str) -> &str {
    let start = text.len().saturating_sub(BRACKET_WITHIN);
    let mut starts = start..=text.len();
    starts
        .find_map(|start| text.get(start..))
        .unwrap_or_default()
}

/// About the first [`NAME_WITHIN`] bytes of `text`.
fn first_bytes(text: &str) -> &str {
    let mut ends = (0..=NAME_WITHIN.min(text.len())).rev();
    ends.find_map(|end| text.get(..end)).unwrap_or_default()
}

/// A text that is a call in JSON and nothing else: `{"name": "lookup", "arguments": {...}}`.
fn bare_call(text: &str, tools: &[String]) -> Option<&'static str> {
    let document = crate::json::JsonDocument::parse(text.trim().as_bytes()).ok()?;
    let root = document.root();
    let name = root.get("name")?.as_str()?;
    let has_arguments = ["arguments", "parameters"]
        .iter()
        .any(|key| root.get(key).is_some());
    let is_tool = tools.iter().any(|tool| *tool == name);
    (has_arguments && is_tool).then_some("a call in JSON")
}

#[cfg(test)]
mod tests {
    use super::find_markup;

    #[test]
    fn markup_is_a_mark_with_the_name_of_a_tool() {
        let tools = ["lookup".to_owned()];
        let found = |text| find_markup(text, &tools);
        assert_eq!(
            found("<tool_call>\n{\"name\": \"lookup\"}"),
            Some("tool_call")
        );
        assert_eq!(found("Models write <tool_call>{...}</tool_call>."), None);
        assert_eq!(found("I use the tool lookup."), None);
        assert_eq!(
            found("{\"name\":\"lookup\",\"arguments\":{}}"),
            Some("a call in JSON")
        );
    }
}
