//! The models of the demo server: the list, the snapshots behind aliases, and the special names.

use serde_json::Value;

/// The listed models. Any other name is served too, as an ordinary model.
const LISTED: [&str; 14] = [
    "gpt-4o-mini",
    "gpt-4o",
    "demo",
    "demo-reasoning",
    "demo-refusal",
    "demo-long",
    "demo-filter",
    "demo-slow",
    "demo-stall",
    "demo-cut",
    "demo-garbage",
    "demo-error-in-stream",
    "demo-big-16",
    "error-429",
];

/// The dated snapshot that serves an alias (<https://platform.openai.com/docs/models>,
/// <https://docs.claude.com/en/docs/about-claude/models/overview>).
pub(super) fn served_model(model: &str) -> &str {
    match model {
        "gpt-4o-mini" => "gpt-4o-mini-2024-07-18",
        "gpt-4o" => "gpt-4o-2024-08-06",
        "gpt-4.1" => "gpt-4.1-2025-04-14",
        "gpt-4.1-mini" => "gpt-4.1-mini-2025-04-14",
        "gpt-4.1-nano" => "gpt-4.1-nano-2025-04-14",
        "gpt-5" => "gpt-5-2025-08-07",
        "claude-haiku-4-5" => "claude-haiku-4-5-20251001",
        "claude-sonnet-4-5" => "claude-sonnet-4-5-20250929",
        "claude-opus-4-5" => "claude-opus-4-5-20251101",
        other => other,
    }
}

/// Whether the model does not exist on this server.
pub(super) fn is_unknown(model: &str) -> bool {
    model.starts_with("unknown-") || model.starts_with("nope")
}

/// The longest prompt, in tokens: the context of gpt-4o (<https://platform.openai.com/docs/models>).
pub(super) const CONTEXT_TOKENS: u64 = 128_000;

/// Whether OpenAI's model of this name is a reasoning model, which takes fewer parameters
/// (<https://platform.openai.com/docs/guides/reasoning>).
pub(super) fn is_reasoning_model(model: &str) -> bool {
    let families = ["o1", "o3", "o4", "gpt-5", "gpt-6"];
    families.iter().any(|family| model.starts_with(family))
}

/// Whether a reasoning model reasons with this effort; some reason only if asked to.
pub(super) fn reasons_with_effort(model: &str, effort: Option<&str>) -> bool {
    let lazy = ["gpt-5.1", "gpt-5.2", "gpt-5.4"];
    let by_default = !lazy.iter().any(|name| model.starts_with(name));
    is_reasoning_model(model) && effort.map_or(by_default, |effort| effort != "none")
}

/// Whether a model reasons, given the effort in the request, if any.
pub(super) fn thinks_first(model: &str, effort: Option<&str>) -> bool {
    let always = model == "demo-reasoning" && effort != Some("none");
    always || reasons_with_effort(model, effort)
}

/// N of `demo-big-N`, limited: a body of 1 TiB takes hours.
pub(super) fn big_body_mebibytes(model: &str) -> Option<u64> {
    let number = model.strip_prefix("demo-big-")?.parse::<u64>().ok()?;
    Some(number.min(1 << 20))
}

/// The status of the error that the name of a model asks for: `error-NNN`, and names that do not exist.
pub(super) fn fault_status(model: &str) -> Option<u16> {
    if is_unknown(model) {
        return Some(404);
    }
    let status = model.strip_prefix("error-")?.parse().ok()?;
    (400..=599).contains(&status).then_some(status)
}

/// The JSON of the listed models.
pub(super) fn list(model: fn(&str) -> Value) -> Value {
    LISTED.into_iter().map(model).collect()
}

/// Whether a model is in the list.
pub(super) fn is_listed(id: &str) -> bool {
    let known = LISTED
        .into_iter()
        .any(|name| name == id || served_model(name) == id);
    !is_unknown(id) && (known || big_body_mebibytes(id).is_some())
}

#[cfg(test)]
mod tests {
    use super::thinks_first;

    #[test]
    fn some_models_think_only_on_request() {
        let case = |model, effort, expected| {
            assert_eq!(thinks_first(model, effort), expected, "{model} {effort:?}");
        };
        case("gpt-5-mini", None, true);
        case("gpt-5-mini", Some("none"), false);
        case("gpt-5.4-mini", None, false);
        case("gpt-5.4-mini", Some("low"), true);
        case("gpt-5.5", None, true);
        case("gpt-6.1", None, true);
        case("gpt-4o", Some("low"), false);
        case("demo-reasoning", None, true);
        case("demo-reasoning", Some("none"), false);
    }
}
