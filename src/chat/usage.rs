//! Token counts, and the arithmetic of each dialect: which count cached and reasoning tokens inside the total and
//! which beside it. A count that the provider did not send is absent, never zero.

use serde::Serialize;

use super::members::named_members;
use super::note::{AnswerNote, AnswerPlace, Severity, rule};
use crate::json::{JsonKind, JsonValue};

/// Token counts of one exchange, made comparable, and as the provider named them.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct TokenUsage {
    /// All input tokens, those read from and written to a cache included.
    pub input: Option<u64>,
    /// Input tokens read from a cache.
    pub cached_input: Option<u64>,
    /// Input tokens written to a cache.
    pub cache_write: Option<u64>,
    /// Of those, tokens that are kept for an hour, which have a price of their own.
    pub cache_write_1h: Option<u64>,
    /// All output tokens, reasoning included.
    pub output: Option<u64>,
    /// Output tokens spent on reasoning.
    pub reasoning: Option<u64>,
    /// Input tokens of audio.
    pub audio_input: Option<u64>,
    /// Output tokens of audio.
    pub audio_output: Option<u64>,
    /// Input tokens that are billed, where they are not all that are counted (Cohere).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed_input: Option<u64>,
    /// Output tokens that are billed, where they are not all that are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billed_output: Option<u64>,
    /// Every count as the provider named it: path within its usage object, and number.
    pub named: Vec<(String, u64)>,
}

/// Cost of a call as the provider reports it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportedCost {
    /// In US dollars (OpenRouter's credits are dollars).
    pub usd: f64,
    /// JSON path or header field of the amount: `usage.cost`.
    pub named: &'static str,
}

impl ReportedCost {
    /// A cost of `usd` dollars; `None` if that is not a valid amount.
    pub fn from_dollars(usd: f64, named: &'static str) -> Option<Self> {
        (usd.is_finite() && usd >= 0.0).then_some(Self { usd, named })
    }
}

/// The arithmetic of a dialect. Returns a note if the parts do not add up to the total.
pub(super) type UsageArithmetic = fn(&mut TokenUsage) -> Option<AnswerNote>;

/// Limits on depth and number of the counts that are read: real usage objects have two levels and under thirty counts.
const MAX_DEPTH: u32 = 4;
const MAX_COUNTS: usize = 128;

impl TokenUsage {
    /// Merges the counts of `object`: equal names are replaced, other counts stay.
    pub(super) fn merge_counts(&mut self, object: JsonValue<'_>) {
        self.merge_object("", object, 0);
    }

    fn merge_object(&mut self, prefix: &str, object: JsonValue<'_>, depth: u32) {
        for (key, value) in named_members(object) {
            let is_inner =
                matches!(value.kind(), JsonKind::Object | JsonKind::Array) && depth < MAX_DEPTH;
            let number = value.as_u64();
            if !is_inner && number.is_none() {
                continue;
            }
            let path = match prefix {
                "" => key.into_owned(),
                prefix => format!("{prefix}.{key}"),
            };
            match number {
                Some(number) => self.set_count(path, number),
                None if value.kind() == JsonKind::Array => self.merge_list(&path, value, depth),
                None => self.merge_object(&path, value, depth.saturating_add(1)),
            }
        }
    }

    /// Counts of each modality (Gemini) or lifetime in the cache (Bedrock), each under its name; of each round (Anthropic), added up.
    fn merge_list(&mut self, path: &str, list: JsonValue<'_>, depth: u32) {
        let mut sums = Self::default();
        for item in list.items().filter(|item| item.kind() == JsonKind::Object) {
            let modality = item.get("modality").or_else(|| item.get("ttl"));
            let modality = modality.and_then(JsonValue::as_str);
            let count = ["tokenCount", "tokens", "inputTokens"];
            let count = count.iter().find_map(|key| item.get(key));
            let count = count.and_then(JsonValue::as_u64);
            if let (Some(modality), Some(count)) = (modality, count) {
                self.set_count(format!("{path}.{modality}"), count);
                continue;
            }
            let mut one = Self::default();
            one.merge_object(path, item, depth.saturating_add(1));
            for (path, count) in one.named {
                let before = sums.count(&path).unwrap_or(0);
                sums.set_count(path, before.saturating_add(count));
            }
        }
        for (path, sum) in sums.named {
            self.set_count(path, sum);
        }
    }

    pub(super) fn set_count(&mut self, path: String, number: u64) {
        let has_room = self.named.len() < MAX_COUNTS;
        match self.named.iter_mut().find(|(known, _)| *known == path) {
            Some((_, known)) => *known = number,
            None if has_room => self.named.push((path, number)),
            None => {}
        }
    }

    /// The sums of both counts. A count that only one of them has is taken as it is.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let add = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        let mut named = self.named.clone();
        for (path, count) in &other.named {
            match named.iter_mut().find(|(known, _)| known == path) {
                Some((_, known)) => *known = known.saturating_add(*count),
                None => named.push((path.clone(), *count)),
            }
        }
        Self {
            input: add(self.input, other.input),
            cached_input: add(self.cached_input, other.cached_input),
            cache_write: add(self.cache_write, other.cache_write),
            cache_write_1h: add(self.cache_write_1h, other.cache_write_1h),
            output: add(self.output, other.output),
            reasoning: add(self.reasoning, other.reasoning),
            audio_input: add(self.audio_input, other.audio_input),
            audio_output: add(self.audio_output, other.audio_output),
            billed_input: add(self.billed_input, other.billed_input),
            billed_output: add(self.billed_output, other.billed_output),
            named,
        }
    }

    /// The count at `path` in the usage object.
    pub fn count(&self, path: &str) -> Option<u64> {
        let mut named = self.named.iter();
        named
            .find(|(known, _)| known == path)
            .map(|(_, number)| *number)
    }

    fn first_count(&self, paths: &[&str]) -> Option<u64> {
        paths.iter().find_map(|path| self.count(path))
    }

    /// The sum of the counts that exist; `None` if none does.
    fn sum_counts(&self, paths: &[&str]) -> Option<u64> {
        let mut found = paths.iter().filter_map(|path| self.count(path));
        let first = found.next()?;
        Some(found.fold(first, u64::saturating_add))
    }
}

/// Adds up the usage of Chat Completions and of APIs that copy it: cached tokens are part of the prompt; reasoning is
/// part of the
/// completion, unless the total says otherwise (xAI counts it beside).
pub(super) fn add_up_chat(usage: &mut TokenUsage) -> Option<AnswerNote> {
    let (prompt, completion) = (
        usage.count("prompt_tokens"),
        usage.count("completion_tokens"),
    );
    let cached = usage.first_count(&[
        "prompt_tokens_details.cached_tokens",
        "cached_tokens",
        "prompt_cache_hit_tokens",
    ]);
    usage.input = prompt;
    usage.cached_input = cached;
    usage.cache_write = usage.first_count(&[
        "prompt_tokens_details.cache_write_tokens",
        "cache_write_tokens",
    ]);
    usage.output = completion;
    usage.reasoning = usage.first_count(&[
        "completion_tokens_details.reasoning_tokens",
        "reasoning_tokens",
    ]);
    usage.audio_input = usage.count("prompt_tokens_details.audio_tokens");
    usage.audio_output = usage.count("completion_tokens_details.audio_tokens");
    let prompt = prompt?;
    let Some(completion) = completion else {
        return derive_output(usage, prompt);
    };
    if let Some(cached) = cached.filter(|cached| *cached > prompt) {
        usage.input = Some(prompt.saturating_add(cached));
        let facts = [("cached", cached), ("input", prompt)];
        return Some(usage_note(rule::USAGE_CACHED_EXCEEDS, &facts));
    }
    check_chat_total(usage, prompt, completion)
}

/// A note about token counts.
fn usage_note(rule: &'static str, facts: &[(&'static str, u64)]) -> AnswerNote {
    let facts = facts
        .iter()
        .map(|(name, number)| (*name, number.to_string()));
    AnswerNote::new(rule, AnswerPlace::default(), facts.collect())
}

/// Takes the output from the total where the answer does not count it.
fn derive_output(usage: &mut TokenUsage, prompt: u64) -> Option<AnswerNote> {
    let total = usage.count("total_tokens")?;
    let rest = total.checked_sub(prompt).filter(|rest| *rest > 0)?;
    usage.output = Some(rest);
    let parts = format!("{prompt} in and no count of the output, which is taken from the total");
    Some(total_note(parts, total, rest))
}

/// A note about parts that do not add up to the total.
fn total_note(parts: String, total: u64, difference: u64) -> AnswerNote {
    let facts = vec![
        ("parts", parts),
        ("total", total.to_string()),
        ("difference", difference.to_string()),
    ];
    AnswerNote::new(rule::USAGE_TOTAL_DIFFERS, AnswerPlace::default(), facts)
}

/// Chooses between two readings by the total; see the section on usage in each provider's reference.
fn check_chat_total(usage: &mut TokenUsage, prompt: u64, completion: u64) -> Option<AnswerNote> {
    let total = usage.count("total_tokens")?;
    let inside = prompt.saturating_add(completion);
    let reasoning = usage.reasoning.unwrap_or_default();
    if inside == total {
        return None;
    }
    if inside.saturating_add(reasoning) == total {
        usage.output = Some(completion.saturating_add(reasoning));
        let facts = [
            ("completion", completion),
            ("reasoning", reasoning),
            ("total", total),
        ];
        return Some(usage_note(rule::USAGE_REASONING_BESIDE, &facts));
    }
    let parts = format!("{prompt} in + {completion} out");
    let note = total_note(parts, total, total.abs_diff(inside));
    // Gemini's compatible endpoint counts its thoughts in the total alone.
    Some(match total > inside {
        true => note.with_severity(Severity::Info),
        false => note,
    })
}

/// Adds up the usage of Responses: all parts are included in the totals.
pub(super) fn add_up_responses(usage: &mut TokenUsage) -> Option<AnswerNote> {
    usage.input = usage.count("input_tokens");
    usage.cached_input = usage.count("input_tokens_details.cached_tokens");
    usage.cache_write = usage.count("input_tokens_details.cache_write_tokens");
    usage.output = usage.count("output_tokens");
    usage.reasoning = usage.count("output_tokens_details.reasoning_tokens");
    usage.audio_input = usage.count("input_tokens_details.audio_tokens");
    usage.audio_output = usage.count("output_tokens_details.audio_tokens");
    None
}

/// Adds up the usage of Anthropic: `input_tokens` counts only tokens outside the cache, cached ones have counts of
/// their own. Rounds of
/// compaction and of advisors are in `iterations` alone, whose sum is what is paid.
pub(super) fn add_up_anthropic(usage: &mut TokenUsage) -> Option<AnswerNote> {
    let top = usage.count("output_tokens");
    let rounds = usage.count("iterations.output_tokens");
    let has_more = rounds.is_some_and(|rounds| top.is_none_or(|top| rounds >= top));
    let name = |name: &str| match has_more {
        true => format!("iterations.{name}"),
        false => name.to_owned(),
    };
    let (input, cached, written) = (
        name("input_tokens"),
        name("cache_read_input_tokens"),
        name("cache_creation_input_tokens"),
    );
    usage.cached_input = usage.count(&cached);
    usage.cache_write = usage.count(&written);
    usage.cache_write_1h = usage.count(&name("cache_creation.ephemeral_1h_input_tokens"));
    usage.input = usage.sum_counts(&[&input, &cached, &written]);
    usage.output = usage.count(&name("output_tokens"));
    usage.reasoning = usage
        .count(&name("output_tokens_details.thinking_tokens"))
        .or_else(|| usage.count("output_tokens_details.thinking_tokens"));
    let beside = rounds?.checked_sub(top?).filter(|beside| *beside > 0)?;
    Some(usage_note(rule::USAGE_OF_ROUNDS, &[("tokens", beside)]))
}

/// Adds up the usage of Bedrock Converse: `inputTokens` counts only tokens outside the cache.
/// Source: <https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html>.
pub(super) fn add_up_converse(usage: &mut TokenUsage) -> Option<AnswerNote> {
    let counts = [
        "inputTokens",
        "cacheReadInputTokens",
        "cacheWriteInputTokens",
    ];
    usage.input = usage.sum_counts(&counts);
    usage.cached_input = usage.count("cacheReadInputTokens");
    usage.cache_write = usage.count("cacheWriteInputTokens");
    usage.cache_write_1h = usage.count("cacheDetails.1h");
    usage.output = usage.count("outputTokens");
    None
}

/// Adds up the usage of models under Bedrock's InvokeModel: Bedrock's own counts, else those of Llama or Titan.
pub(super) fn add_up_invoke(usage: &mut TokenUsage) -> Option<AnswerNote> {
    usage.input = usage.first_count(&[
        "inputTokenCount",
        "prompt_token_count",
        "inputTextTokenCount",
    ]);
    usage.output = usage.first_count(&[
        "outputTokenCount",
        "generation_token_count",
        "totalOutputTextTokenCount",
        "results.tokenCount",
    ]);
    usage.cached_input = usage.count("cacheReadInputTokenCount");
    None
}

/// Gemini: thoughts stand beside the candidates, the results of tools beside the prompt. Counts of zero are
/// left out (the JSON form of protocol buffers), so an absent count beside a total is zero.
pub(super) fn add_up_gemini(usage: &mut TokenUsage) -> Option<AnswerNote> {
    let total = usage.first_count(&["totalTokenCount", "total_tokens"]);
    let zero = total.map(|_| 0);
    usage.input = usage
        .sum_counts(&["promptTokenCount", "toolUsePromptTokenCount"])
        .or(zero);
    usage.cached_input = usage.count("cachedContentTokenCount").or(zero);
    usage.output = usage
        .sum_counts(&["candidatesTokenCount", "thoughtsTokenCount"])
        .or(zero);
    usage.reasoning = usage.count("thoughtsTokenCount").or(zero);
    usage.audio_input = usage.count("promptTokensDetails.AUDIO");
    usage.audio_output = usage.count("candidatesTokensDetails.AUDIO");
    None
}

/// Adds up the usage of Gemini Interactions: thoughts are not part of the output, tool results not part of the input.
pub(super) fn add_up_interactions(usage: &mut TokenUsage) -> Option<AnswerNote> {
    usage.input = usage.sum_counts(&["total_input_tokens", "total_tool_use_tokens"]);
    usage.cached_input = usage.count("total_cached_tokens");
    usage.output = usage.sum_counts(&["total_output_tokens", "total_thought_tokens"]);
    usage.reasoning = usage.count("total_thought_tokens");
    usage.audio_input = usage.count("input_tokens_by_modality.audio");
    usage.audio_output = usage.count("output_tokens_by_modality.audio");
    None
}

/// Adds up the usage of Ollama: counts of zero are absent, and a fully cached prompt is not counted.
pub(super) fn add_up_ollama(usage: &mut TokenUsage) -> Option<AnswerNote> {
    usage.input = usage.count("prompt_eval_count");
    usage.output = usage.count("eval_count");
    None
}

/// Adds up the usage of Cohere: `tokens` counts the tokens of the model, `billed_units` the billed ones.
pub(super) fn add_up_cohere(usage: &mut TokenUsage) -> Option<AnswerNote> {
    usage.billed_input = usage.count("billed_units.input_tokens");
    // Embeddings have billed tokens alone.
    usage.input = usage.count("tokens.input_tokens").or(usage.billed_input);
    usage.output = usage.count("tokens.output_tokens");
    usage.cached_input = usage.count("cached_tokens");
    usage.billed_output = usage.count("billed_units.output_tokens");
    None
}

/// The cost in a usage object.
pub(super) fn read_reported_cost(object: JsonValue<'_>) -> Option<ReportedCost> {
    let dollars = |value: JsonValue<'_>, named| ReportedCost::from_dollars(value.as_f64()?, named);
    if let Some(cost) = object.get("cost") {
        let own_key = object.get("is_byok").and_then(JsonValue::as_bool) == Some(true);
        return match cost.kind() {
            JsonKind::Number if own_key => dollars(cost, "usage.cost, the fee alone: is_byok"),
            JsonKind::Number => dollars(cost, "usage.cost"),
            _ => dollars(cost.get("total_cost")?, "usage.cost.total_cost"),
        };
    }
    // xAI: ten thousand million ticks to the dollar.
    let ticks = object.get("cost_in_usd_ticks")?.as_f64()?;
    ReportedCost::from_dollars(ticks / 1e10, "usage.cost_in_usd_ticks")
}

#[cfg(test)]
mod tests {
    use super::{
        TokenUsage, UsageArithmetic, add_up_anthropic, add_up_chat, add_up_gemini, add_up_ollama,
        add_up_responses,
    };
    use crate::json::JsonDocument;

    fn read(text: &str, add: UsageArithmetic) -> (TokenUsage, Option<&'static str>) {
        let document = JsonDocument::parse(text.as_bytes()).unwrap();
        let mut usage = TokenUsage::default();
        usage.merge_counts(document.root());
        let note = add(&mut usage).map(|note| note.rule);
        (usage, note)
    }

    fn all(usage: &TokenUsage) -> [Option<u64>; 5] {
        [
            usage.input,
            usage.cached_input,
            usage.cache_write,
            usage.output,
            usage.reasoning,
        ]
    }

    #[test]
    fn openai_counts_inside() {
        let (usage, note) = read(
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,
                "prompt_tokens_details":{"cached_tokens":8},"completion_tokens_details":{"reasoning_tokens":3}}"#,
            add_up_chat,
        );
        assert_eq!(all(&usage), [Some(10), Some(8), None, Some(5), Some(3)]);
        assert_eq!(note, None);
        let (usage, _) = read(
            r#"{"input_tokens":10,"input_tokens_details":{"cached_tokens":8},"output_tokens":5}"#,
            add_up_responses,
        );
        assert_eq!(all(&usage), [Some(10), Some(8), None, Some(5), None]);
    }

    #[test]
    fn reasoning_beside_the_completion_is_found_by_the_total() {
        let text = r#"{"prompt_tokens":12,"completion_tokens":1,"total_tokens":241,"completion_tokens_details":{"reasoning_tokens":228}}"#;
        let (usage, note) = read(text, add_up_chat);
        assert_eq!(usage.output, Some(229));
        assert_eq!(note, Some("usage-reasoning-beside"));
        let (usage, note) = read(
            r#"{"prompt_tokens":66,"completion_tokens":6,"total_tokens":100}"#,
            add_up_chat,
        );
        assert_eq!(usage.output, Some(6));
        assert_eq!(note, Some("usage-total-differs"));
    }

    #[test]
    fn anthropic_counts_beside() {
        let text = r#"{"input_tokens":391,"cache_creation_input_tokens":1200,"cache_read_input_tokens":4096,"output_tokens":4}"#;
        let (usage, _) = read(text, add_up_anthropic);
        assert_eq!(
            all(&usage),
            [Some(5687), Some(4096), Some(1200), Some(4), None]
        );
    }

    #[test]
    fn gemini_leaves_zeros_out() {
        let (usage, _) = read(
            r#"{"promptTokenCount":42,"candidatesTokenCount":27,"thoughtsTokenCount":87,"totalTokenCount":156}"#,
            add_up_gemini,
        );
        assert_eq!(all(&usage), [Some(42), Some(0), None, Some(114), Some(87)]);
        assert_eq!(
            all(&read(r#"{"trafficType":"ON_DEMAND"}"#, add_up_gemini).0),
            [None; 5]
        );
    }

    #[test]
    fn rounds_of_anthropic_are_added_up() {
        let text = r#"{"input_tokens":10,"output_tokens":5,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,
            "iterations":[
                {"type":"compaction","input_tokens":100,"output_tokens":20,"cache_read_input_tokens":0,
                 "cache_creation_input_tokens":7,"cache_creation":{"ephemeral_1h_input_tokens":7}},
                {"type":"message","input_tokens":10,"output_tokens":5,"cache_read_input_tokens":3}]}"#;
        let (usage, note) = read(text, add_up_anthropic);
        assert_eq!(all(&usage), [Some(120), Some(3), Some(7), Some(25), None]);
        assert_eq!(usage.cache_write_1h, Some(7));
        assert_eq!(note, Some("usage-of-rounds"));
    }

    #[test]
    fn sound_of_gemini_is_a_part_of_the_prompt() {
        let text = r#"{"promptTokenCount":100,"candidatesTokenCount":2,"totalTokenCount":102,
            "promptTokensDetails":[{"modality":"TEXT","tokenCount":20},{"modality":"AUDIO","tokenCount":80}]}"#;
        let (usage, _) = read(text, add_up_gemini);
        assert_eq!(
            (usage.input, usage.audio_input, usage.audio_output),
            (Some(100), Some(80), None)
        );
        assert_eq!(usage.count("promptTokensDetails.TEXT"), Some(20));
    }

    #[test]
    fn absent_is_absent() {
        assert_eq!(all(&read("{}", add_up_chat).0), [None; 5]);
        assert_eq!(
            all(&read(r#"{"eval_count":3}"#, add_up_ollama).0),
            [None, None, None, Some(3), None]
        );
    }
}
