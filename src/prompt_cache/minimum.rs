//! The shortest prompt that each API caches, by its documents: one table.

use serde::Serialize;

use crate::chat::model_match::{base_model_name, without_date};

/// The shortest prompt that an API caches, by its documents.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct CacheMinimum {
    /// Tokens.
    pub tokens: u64,
    /// Step in tokens by which the cached length grows above the minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
    /// Remark on which cache entries are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<&'static str>,
    /// URL of the document.
    pub source: &'static str,
}

const CLAUDE_SOURCE: &str =
    "https://platform.claude.com/docs/en/build-with-claude/prompt-caching#cache-limitations";
const OPENAI_SOURCE: &str = "https://developers.openai.com/api/docs/guides/prompt-caching";
const GEMINI_SOURCE: &str = "https://ai.google.dev/gemini-api/docs/caching";

/// Minimum in tokens, source, names of models; as of November 2026. Names are compared whole: the minimum does not follow
/// from the version, so a model that is not listed has no known minimum.
const MINIMA: &[(u64, &str, &str)] = &[
    (
        512,
        CLAUDE_SOURCE,
        "claude-opus-5 claude-fable-5-1 claude-mythos-5-1",
    ),
    (
        1024,
        CLAUDE_SOURCE,
        "claude-opus-4-8 claude-sonnet-5 claude-sonnet-4-6 claude-sonnet-4-5 claude-opus-4-1 claude-opus-4 claude-opus-4-0 claude-sonnet-4 claude-sonnet-4-0",
    ),
    (2048, CLAUDE_SOURCE, "claude-opus-4-7 claude-3-5-haiku"),
    (
        4096,
        CLAUDE_SOURCE,
        "claude-opus-4-6 claude-opus-4-5 claude-haiku-4-5",
    ),
    (2048, GEMINI_SOURCE, "gemini-2-5-flash gemini-2-5-pro"),
    (
        4096,
        GEMINI_SOURCE,
        "gemini-3-1-pro-preview gemini-3-5-flash gemini-3-6-flash gemini-3-7-flash gemini-3-8-flash",
    ),
];

/// "GPT-5.6 implicit caching places a managed breakpoint near the latest user or tool message and no longer relies on
/// 128-token rounding. A prompt with a large stable prefix followed by a changing suffix can therefore lose cache
/// hits" (openai/codex, `upgrading-to-gpt-5p6-sol.md`).
const BREAKPOINTS_NOTE: &str = "documented: from GPT-5.6 on entries end at breakpoints near the latest message, and a \
    common beginning before them may not be read";

/// The documented minimum for prompts to `model`; `None` if no document has one.
pub(super) fn cache_minimum(provider: Option<&str>, model: &str) -> Option<CacheMinimum> {
    let model = normalize_model(model);
    if matches!(provider, Some("openai" | "azure")) {
        let stepped = is_before_breakpoints(&model);
        return Some(CacheMinimum {
            tokens: 1024,
            step: stepped.then_some(128),
            note: (!stepped).then_some(BREAKPOINTS_NOTE),
            source: OPENAI_SOURCE,
        });
    }
    let (tokens, source, _) = MINIMA
        .iter()
        .find(|(.., names)| names.split(' ').any(|name| name == model))?;
    Some(CacheMinimum {
        tokens: *tokens,
        step: None,
        note: None,
        source,
    })
}

/// The name of a model without its provider, its date and its dots: `anthropic/claude-sonnet-4.5` and
/// `claude-sonnet-4-5-20250929` are one.
fn normalize_model(model: &str) -> String {
    let name = base_model_name(model);
    let name = without_date(&name);
    name.strip_suffix("-latest")
        .unwrap_or(name)
        .replace('.', "-")
}

/// Whether an OpenAI model is older than GPT-5.6.
fn is_before_breakpoints(plain: &str) -> bool {
    let Some(version) = plain.strip_prefix("gpt-") else {
        return true;
    };
    let mut numbers = version.split('-').map(|number| number.parse::<u64>().ok());
    let major = numbers.next().flatten().unwrap_or(4);
    // Of a date, the year is no version.
    let minor = numbers
        .next()
        .flatten()
        .filter(|minor| *minor < 100)
        .unwrap_or(0);
    (major, minor) < (5, 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_is_known_by_whole_names() {
        let case = |provider, model, expected: Option<(u64, Option<u64>)>| {
            let known = cache_minimum(provider, model).map(|known| (known.tokens, known.step));
            assert_eq!(known, expected, "{model}");
        };
        let openai = Some("openai");
        case(openai, "gpt-4o-mini", Some((1024, Some(128))));
        case(openai, "gpt-4o-2024-08-06", Some((1024, Some(128))));
        case(openai, "gpt-5-2025-08-07", Some((1024, Some(128))));
        case(openai, "gpt-5.5", Some((1024, Some(128))));
        case(openai, "gpt-5.6-terra", Some((1024, None)));
        case(openai, "gpt-6-astra", Some((1024, None)));
        case(openai, "o3", Some((1024, Some(128))));
        case(Some("groq"), "llama-3.3-70b", None);
        case(None, "claude-sonnet-4-5-20250929", Some((1024, None)));
        case(None, "claude-opus-4-20250514", Some((1024, None)));
        case(None, "claude-haiku-4-5", Some((4096, None)));
        case(None, "claude-opus-5", Some((512, None)));
        case(None, "claude-opus-5-5", None);
        case(
            Some("openrouter"),
            "anthropic/claude-sonnet-4.5",
            Some((1024, None)),
        );
        case(
            Some("gemini"),
            "models/gemini-2.5-flash",
            Some((2048, None)),
        );
        case(Some("gemini"), "gemini-2.5-flash-lite", None);
    }
}
