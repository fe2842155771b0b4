//! In which order each API puts the parts of a request together before it looks into its cache: one table, with
//! where it is documented. What is not documented says that it is assumed.

use serde::{Serialize, Serializer};

use super::value_digest::SpellingDifference;

/// The order of the parts of a prompt.
#[derive(Debug, Serialize)]
pub struct PromptOrder {
    /// The dialect that it is of; empty for the order of the bytes.
    pub dialect: &'static str,
    /// Those who are known to do so; empty: whoever speaks the dialect.
    #[serde(skip)]
    providers: &'static [&'static str],
    /// The parts, first to last.
    pub parts: &'static [PromptPart],
    /// How far it can be relied on.
    pub basis: OrderBasis,
    /// What a reader should know of it, in words.
    pub note: &'static str,
    /// The page that says so; empty where there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub source: &'static str,
    /// Spellings that the API's documents call the same prompt.
    pub same: &'static [SpellingDifference],
    /// Spellings that its documents say break the cache.
    pub breaks: &'static [SpellingDifference],
}

/// How far an order can be relied on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderBasis {
    /// The API's documents say so.
    Documented,
    /// No document says so.
    Assumed,
    /// The order in which the bytes stand: nothing is known of how a prompt is made of them.
    Raw,
}

/// One part of a prompt.
#[derive(Clone, Copy, Debug)]
pub struct PromptPart {
    /// Its name: that of its member.
    pub name: &'static str,
    /// Where it may stand, as steps from the outermost value; the first that is there counts.
    pub places: &'static [&'static [&'static str]],
}

impl Serialize for PromptPart {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name)
    }
}

/// The order of a dialect as `provider` serves it; for a dialect that is not known here, that of the bytes.
pub(super) fn find_order(dialect: Option<&str>, provider: Option<&str>) -> &'static PromptOrder {
    let serves = |order: &&PromptOrder| {
        let is_known = provider.is_some_and(|name| order.providers.contains(&name));
        Some(order.dialect) == dialect && (order.providers.is_empty() || is_known)
    };
    ORDERS.iter().find(serves).unwrap_or(&RAW_ORDER)
}

const fn part(name: &'static str, places: &'static [&'static [&'static str]]) -> PromptPart {
    PromptPart { name, places }
}

const TOOLS: PromptPart = part("tools", &[&["tools"], &["functions"]]);
const SYSTEM: PromptPart = part("system", &[&["system"]]);
const MESSAGES: PromptPart = part("messages", &[&["messages"]]);
const CHAT_PARTS: &[PromptPart] = &[
    TOOLS,
    part(
        "response_format",
        &[&["response_format", "json_schema"], &["response_format"]],
    ),
    MESSAGES,
];
const RESPONSES_PARTS: &[PromptPart] = &[
    TOOLS,
    part("text.format", &[&["text", "format"]]),
    part("instructions", &[&["instructions"]]),
    part("input", &[&["input"]]),
];

/// "Tools, schemas, and their ordering contribute to the cached prefix - they get injected before developer
/// instructions"; of tools and schema, which is first is not said. The page is about models before GPT-5.6; of
/// later ones no page says anything else.
const OPENAI_SOURCE: &str = "https://developers.openai.com/cookbook/examples/prompt_caching_201";
const OPENAI_NOTE: &str =
    "tools and schema before the instructions; which of the two is first is assumed";

/// Every order. A row with providers comes before that of everybody else.
const ORDERS: &[PromptOrder] = &[
    // "Cache prefixes are created in the following order: tools, system, then messages."
    PromptOrder {
        dialect: "anthropic-messages",
        providers: &[],
        parts: &[TOOLS, SYSTEM, MESSAGES],
        basis: OrderBasis::Documented,
        note: "cache_control marks are no part of the prompt",
        source: "https://platform.claude.com/docs/en/build-with-claude/prompt-caching",
        // "Using a string for content is shorthand for an array of one content block of type text."
        // (<https://platform.claude.com/docs/en/api/messages>)
        same: &[SpellingDifference::Shorthand],
        // "Verify that the keys in your tool_use content blocks have stable ordering": the page on caching.
        breaks: &[SpellingDifference::KeyOrder],
    },
    PromptOrder {
        dialect: "openai-chat",
        providers: &["openai", "azure"],
        parts: CHAT_PARTS,
        basis: OrderBasis::Documented,
        note: OPENAI_NOTE,
        source: OPENAI_SOURCE,
        same: &[],
        breaks: &[],
    },
    PromptOrder {
        dialect: "openai-chat",
        providers: &[],
        parts: CHAT_PARTS,
        basis: OrderBasis::Assumed,
        note: "as OpenAI has it; elsewhere the model's template decides",
        source: "",
        same: &[],
        breaks: &[],
    },
    PromptOrder {
        dialect: "azure-openai",
        providers: &[],
        parts: CHAT_PARTS,
        basis: OrderBasis::Documented,
        note: OPENAI_NOTE,
        source: OPENAI_SOURCE,
        same: &[],
        breaks: &[],
    },
    PromptOrder {
        dialect: "openai-responses",
        providers: &["openai", "azure"],
        parts: RESPONSES_PARTS,
        basis: OrderBasis::Documented,
        note: OPENAI_NOTE,
        source: OPENAI_SOURCE,
        same: &[],
        breaks: &[],
    },
    PromptOrder {
        dialect: "openai-responses",
        providers: &[],
        parts: RESPONSES_PARTS,
        basis: OrderBasis::Assumed,
        note: "as OpenAI has it",
        source: "",
        same: &[],
        breaks: &[],
    },
    // "The cached content is a prefix to the prompt"; of the rest nothing is said.
    PromptOrder {
        dialect: "gemini",
        providers: &[],
        parts: &[
            part("cachedContent", &[&["cachedContent"], &["cached_content"]]),
            part(
                "systemInstruction",
                &[&["systemInstruction"], &["system_instruction"]],
            ),
            TOOLS,
            part("contents", &[&["contents"]]),
        ],
        basis: OrderBasis::Assumed,
        note: "that cachedContent comes first is documented, the rest is not",
        source: "https://ai.google.dev/gemini-api/docs/generate-content/caching",
        same: &[],
        breaks: &[],
    },
    PromptOrder {
        dialect: "ollama",
        providers: &[],
        parts: &[
            part("template", &[&["template"]]),
            SYSTEM,
            TOOLS,
            part("context", &[&["context"]]),
            MESSAGES,
            part("prompt", &[&["prompt"]]),
        ],
        basis: OrderBasis::Assumed,
        note: "the model's template decides",
        source: "",
        same: &[],
        breaks: &[],
    },
    PromptOrder {
        dialect: "cohere",
        providers: &[],
        parts: &[
            TOOLS,
            part("documents", &[&["documents"]]),
            part("response_format", &[&["response_format"]]),
            MESSAGES,
        ],
        basis: OrderBasis::Assumed,
        note: "no document tells",
        source: "",
        same: &[],
        breaks: &[],
    },
];

/// What cannot be told.
static RAW_ORDER: PromptOrder = PromptOrder {
    dialect: "",
    providers: &[],
    parts: &[],
    basis: OrderBasis::Raw,
    note: "no order is known for this kind of request: every member counts as it stands",
    source: "",
    same: &[],
    breaks: &[],
};

/// The dialect that the body of a request shows, where no path and no field tells.
///
/// Only what one API alone takes is a sign: `contents` of Gemini, `input` of Responses, and beside `messages`
/// a `system` or an `input_schema` of Anthropic, `options` or `keep_alive` of Ollama.
pub(super) fn detect_dialect(root: crate::json::JsonValue<'_>) -> Option<&'static str> {
    let has = |key: &str| root.get(key).is_some();
    if has("contents") {
        return Some("gemini");
    }
    if !has("messages") {
        return has("input").then_some("openai-responses");
    }
    let tools = root
        .get("tools")
        .into_iter()
        .flat_map(|tools| tools.items());
    let schema = tools.take(1).any(|tool| tool.get("input_schema").is_some());
    match () {
        () if has("system") || has("anthropic_version") || schema => Some("anthropic-messages"),
        () if has("options") || has("keep_alive") => Some("ollama"),
        () => Some("openai-chat"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonDocument;

    #[test]
    fn whoever_documents_an_order_is_told_from_who_does_not() {
        let case = |dialect, provider, basis, first: &str| {
            let order = find_order(dialect, provider);
            assert_eq!(order.basis, basis, "{dialect:?} {provider:?}");
            let part = order.parts.first().map(|part| part.name);
            assert_eq!(part.unwrap_or_default(), first);
        };
        case(
            Some("openai-chat"),
            Some("openai"),
            OrderBasis::Documented,
            "tools",
        );
        case(
            Some("openai-chat"),
            Some("groq"),
            OrderBasis::Assumed,
            "tools",
        );
        case(Some("openai-chat"), None, OrderBasis::Assumed, "tools");
        case(
            Some("anthropic-messages"),
            None,
            OrderBasis::Documented,
            "tools",
        );
        case(
            Some("gemini"),
            Some("gemini"),
            OrderBasis::Assumed,
            "cachedContent",
        );
        case(
            Some("openai-embeddings"),
            Some("openai"),
            OrderBasis::Raw,
            "",
        );
        case(None, None, OrderBasis::Raw, "");
    }

    #[test]
    fn a_body_shows_its_dialect() {
        let case = |text: &str, expected| {
            let document = JsonDocument::parse(text.as_bytes()).unwrap();
            assert_eq!(detect_dialect(document.root()), expected, "{text}");
        };
        case(r#"{"messages":[]}"#, Some("openai-chat"));
        case(
            r#"{"messages":[],"system":"s"}"#,
            Some("anthropic-messages"),
        );
        case(
            r#"{"messages":[],"tools":[{"name":"a","input_schema":{}}]}"#,
            Some("anthropic-messages"),
        );
        case(r#"{"messages":[],"options":{}}"#, Some("ollama"));
        case(r#"{"input":"hi"}"#, Some("openai-responses"));
        case(r#"{"contents":[]}"#, Some("gemini"));
        case(r#"{"prompt":"hi"}"#, None);
        case("[]", None);
    }
}
