//! Why a request did, or did not, use the prompt cache that an earlier request filled: the common prefix of the two
//! prompts in the order of the API, the first difference, and the tokens that are lost behind it.
//!
//! Prompt caches hold prefixes: one changed byte near the start makes everything behind it cost the full price. Only
//! bytes are compared. Causes that bytes do not show are not guessed: an expired entry, another machine.
//!
//! ```text
//!  body --> PromptOrder (by dialect) --> segments --> prefix --> CacheComparison
//!             tools system messages      one each     as written, and by value where only the spelling differs
//!  heads, other members --> cache_keys                 |
//!  usage of the answer  --> usage_check <--------------+
//! ```
//!
//! `continuation` puts the input of a request before that of one that continues its answer; `segments` cuts a body into
//! the parts of its prompt, `prompt_text` leaves breakpoint marks out; `value_digest` compares values regardless of their spelling; `first_difference` finds where two values differ (its page says why
//! `diff::json` does not), `excerpt` the words around it; `prefix` compares two prompts, `divergence` describes the end of
//! the common prefix; `cache_keys` compares what is not part of the prompt; `tokens` estimates; `usage_check` compares
//! the estimate with the reported usage; `minimum` is the table of the shortest prompts that are cached.

mod cache_keys;
mod continuation;
mod divergence;
mod excerpt;
mod first_difference;
mod minimum;
mod prefix;
mod prompt_text;
mod segments;
#[cfg(test)]
mod tests;
mod tokens;
mod usage_check;
mod value_digest;

pub use cache_keys::CacheKeyChange;
pub use divergence::{DivergenceSide, PromptDivergence};
pub use excerpt::TextExcerpt;
pub use minimum::CacheMinimum;
pub use prefix::{CommonPrefix, PrefixShare, PromptAmount};
pub use segments::CacheBreakpoint;
pub use tokens::{TokenBasis, TokenEstimate};
pub use usage_check::{BreakpointReach, UsageAgreement, UsageCheck};

use serde::Serialize;

use crate::call::Call;
use crate::call::meaning::CostEstimate;
pub use crate::chat::prompt_order::{
    PromptOrder, PromptOrderBasis, PromptPart, SpellingDifference,
};
use crate::chat::{Dialect, DialectProfile, dialect_of_request};
use crate::diff::DiffInput;
use crate::diff::bytes::common_prefix_len;
use crate::diff::layers::stream;
use crate::json::{JsonDocument, JsonValue, pointer_at};
use crate::price::Money;
use prefix::common_prefix;
use segments::{CommonSize, EqualityLevel, SegmentedPrompt};

/// Comparison of the prompts of two requests: how much of the later one a cache filled by the earlier one can serve.
#[derive(Clone, Debug, Serialize)]
pub struct CacheComparison {
    /// Name of the left request.
    pub left: String,
    /// Name of the right request.
    pub right: String,
    /// The order in which the prompt is put together.
    pub order: &'static PromptOrder,
    /// Whether right continues the answer to left by its id. Its prompt is then that of left, the answer, and its own input;
    /// places in it count the items of both inputs.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub continues: bool,
    /// State of the prefix.
    pub state: PrefixState,
    /// Common prefix by the bytes as they were written.
    pub written: CommonPrefix,
    /// Common prefix by JSON values, if the bytes differ in spelling only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<CommonPrefix>,
    /// How tokens are estimated.
    pub estimate: TokenEstimate,
    /// Comparison of the two bodies byte by byte.
    pub raw: RawComparison,
    /// Breakpoints of left and right: where each asks for a cache entry.
    pub marks: [Vec<CacheBreakpoint>; 2],
    /// Differences outside the prompt that select or invalidate a cache.
    pub beside: Vec<CacheKeyChange>,
    /// Cached tokens that the answer to right reports, compared with the estimate.
    pub check: UsageCheck,
    /// Extra cost of the lost tokens over the price of cached ones, if a price is known; tokens that the answer reports as
    /// cached are not counted. An estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<Money>,
    /// The API's own diagnostics of the miss, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// State of the common prefix of two prompts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrefixState {
    /// Right contains all of left, and may continue.
    Intact,
    /// Right is a prefix of left.
    Shortened,
    /// Intact or shortened as JSON values; the bytes are spelled differently.
    Respelled,
    /// Left and right differ before either ends.
    Broken,
}

impl CacheComparison {
    /// Whether the cache entry of left is still valid for right: same bytes in the prefix and same model.
    pub fn is_prefix_kept(&self) -> bool {
        let other_model = self
            .beside
            .iter()
            .any(|beside| beside.name == cache_keys::MODEL_NAME);
        matches!(self.state, PrefixState::Intact | PrefixState::Shortened) && !other_model
    }

    /// The comparison to show: by value if the bytes differ in spelling only, else by bytes.
    pub fn effective_prefix(&self) -> &CommonPrefix {
        self.values.as_ref().unwrap_or(&self.written)
    }
}

/// Comparison of two bodies byte by byte.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RawComparison {
    /// No byte differs.
    Same,
    /// Left is a prefix of right.
    LeftIsPrefix,
    /// Right is a prefix of left.
    RightIsPrefix,
    /// The bodies differ.
    Differs {
        /// Offset of the first byte that differs.
        at: u64,
        /// JSON Pointer of the innermost value there, on the left.
        left: String,
        /// The same on the right.
        right: String,
    },
}

/// Compares the prompts of two requests; `right` is the later one. `dialect` is the one that the user named.
pub fn compare(
    left: &DiffInput,
    right: &DiffInput,
    dialect: Option<&'static DialectProfile>,
) -> CacheComparison {
    let subjects = [left, right];
    let written_bodies = subjects.map(|subject| subject.request_body().bytes.as_slice());
    let documents = written_bodies.map(|body| JsonDocument::parse(body).ok());
    let written_documents = [documents[0].as_ref(), documents[1].as_ref()];
    let joined = continuation::join_inputs(left, written_documents, written_bodies);
    let joined_documents = joined.as_ref().map(|bodies| {
        let [one, other] = bodies.each_ref();
        [one, other].map(|body| JsonDocument::parse(body).ok())
    });
    let bodies = match &joined {
        Some([one, other]) => [one.as_slice(), other.as_slice()],
        None => written_bodies,
    };
    let [one, other] = match &joined_documents {
        Some([one, other]) => [one.as_ref(), other.as_ref()],
        None => written_documents,
    };
    let dialects = find_dialects(subjects, [one, other], dialect);
    let provider = find_provider(right).or_else(|| find_provider(left));
    let order = find_order(dialects[1], provider);
    let left_order = find_order(dialects[0], provider);
    let prompts = [
        segments::segment_prompt(one, bodies[0], left_order),
        segments::segment_prompt(other, bodies[1], order),
    ];
    let both = [&prompts[0], &prompts[1]];
    let usage = right.call();
    let usage = usage.and_then(|answered| answered.meaning.completion.usage.as_ref());
    let estimate = TokenEstimate::for_prompt(both[1], usage);
    let (written, written_common) = common_prefix(both, EqualityLevel::Written, order, &estimate);
    let by_value = compare_by_value(both, &written, order, &estimate);
    let (values, values_common) = by_value.unzip();
    let root = other.map(JsonDocument::root);
    let model = cache_keys::requested_model(right, root).unwrap_or_default();
    let only_provider = dialects[1].and_then(|dialect| dialect.provider);
    let evidence = usage_check::CheckInput {
        caches_marked_only: dialects[1].is_some_and(|dialect| dialect.caches_marked_only),
        prompts: both,
        estimate: &estimate,
        by_bytes: written_common,
        by_values: values_common,
        minimum: minimum::cache_minimum(only_provider.or(provider), &model),
    };
    let check = match right.call() {
        Some(_) => evidence.check_usage(usage),
        None => UsageCheck::default(),
    };
    let mut beside = cache_keys::compare(subjects, written_documents, dialects);
    // What the id stands for is a part of the compared prompts.
    beside.retain(|fact| joined.is_none() || fact.name != cache_keys::PREVIOUS_RESPONSE);
    let telling = values.as_ref().unwrap_or(&written);
    CacheComparison {
        left: left.name.clone(),
        right: right.name.clone(),
        order,
        continues: joined.is_some(),
        state: prefix_state(&written, values.as_ref()),
        extra: extra_cost(right, telling.lost.tokens),
        raw: compare_raw(written_bodies, written_documents),
        beside,
        said: right.call().and_then(api_diagnostics),
        marks: prompts.map(|prompt: SegmentedPrompt<'_>| prompt.breakpoints),
        written,
        values,
        estimate,
        check,
    }
}

/// The common prefix by value, if the bytes differ in spelling only and the values have a longer common prefix. A spelling
/// that breaks the cache by the API's documents counts as a difference.
fn compare_by_value(
    prompts: [&SegmentedPrompt<'_>; 2],
    written: &CommonPrefix,
    order: &PromptOrder,
    estimate: &TokenEstimate,
) -> Option<(CommonPrefix, CommonSize)> {
    let divergence = written.divergence.as_ref();
    divergence.filter(|divergence| !divergence.spellings.is_empty())?;
    let (values, common) = common_prefix(prompts, EqualityLevel::Values, order, estimate);
    (values.segments.common > written.segments.common).then_some((values, common))
}

/// The dialect of each side: the one that the user named, else that of the exchange, else (for a request file) that of the
/// other side, else the one that the body shows.
fn find_dialects(
    subjects: [&DiffInput; 2],
    documents: [Option<&JsonDocument<'_>>; 2],
    named: Option<&'static DialectProfile>,
) -> [Option<&'static DialectProfile>; 2] {
    let of_exchange = |subject: &DiffInput| subject.call()?.meaning.completion.dialect;
    let known = subjects.map(|subject| named.or_else(|| of_exchange(subject)));
    let shown =
        documents.map(|document| dialect_of_request(document?.root()).map(Dialect::profile));
    let without = |subject: &DiffInput| subject.call().is_none();
    let of = |side: usize, other: usize| {
        let neighbour = known[other].filter(|_| without(subjects[side]));
        known[side].or(neighbour).or(shown[side])
    };
    [of(0, 1), of(1, 0)]
}

/// The order of a dialect as `provider` serves it; the order of the bytes for a dialect without one.
fn find_order(
    dialect: Option<&'static DialectProfile>,
    provider: Option<&str>,
) -> &'static PromptOrder {
    let serves = |order: &&PromptOrder| {
        order.providers.is_empty() || provider.is_some_and(|name| order.providers.contains(&name))
    };
    let mut orders = dialect
        .map_or(&[][..], |dialect| dialect.prompt_orders)
        .iter();
    orders.find(serves).unwrap_or(&PromptOrder::RAW)
}

fn find_provider(subject: &DiffInput) -> Option<&'static str> {
    subject.call()?.meaning.completion.provider
}

fn prefix_state(written: &CommonPrefix, values: Option<&CommonPrefix>) -> PrefixState {
    let shortened = |prefix: &CommonPrefix| prefix.segments.common == prefix.segments.right;
    match (&written.divergence, values) {
        (None, _) => PrefixState::Intact,
        (Some(_), None) if shortened(written) => PrefixState::Shortened,
        (Some(_), None) => PrefixState::Broken,
        (Some(_), Some(values)) if values.divergence.is_none() || shortened(values) => {
            PrefixState::Respelled
        }
        (Some(_), Some(_)) => PrefixState::Broken,
    }
}

/// The extra cost of `tokens` at the full rate over the rate of cached tokens. Tokens that the answer reports as cached are
/// not counted.
fn extra_cost(subject: &DiffInput, tokens: u64) -> Option<Money> {
    let completion = &subject.call()?.meaning.completion;
    let CostEstimate::Known { cost, .. } = &subject.call()?.meaning.cost else {
        return None;
    };
    let usage = completion.usage.as_ref()?;
    let fresh = usage.input?.saturating_sub(usage.cached_input.unwrap_or(0));
    let tokens = tokens.min(fresh);
    let full = cost.rates.input.cost_of(tokens).pico();
    let cached = cost.rates.cached_input?.cost_of(tokens).pico();
    let more = full.checked_sub(cached).filter(|more| *more > 0)?;
    Some(Money::from_pico(more))
}

fn compare_raw(
    [left, right]: [&[u8]; 2],
    documents: [Option<&JsonDocument<'_>>; 2],
) -> RawComparison {
    let equal = common_prefix_len(left, right);
    match (equal == left.len(), equal == right.len()) {
        (true, true) => RawComparison::Same,
        (true, false) => RawComparison::LeftIsPrefix,
        (false, true) => RawComparison::RightIsPrefix,
        (false, false) => {
            let at = equal as u64;
            let pointer = |document: Option<&JsonDocument<'_>>| match document {
                Some(document) => pointer_at(document, at),
                None => String::new(),
            };
            RawComparison::Differs {
                at,
                left: pointer(documents[0]),
                right: pointer(documents[1]),
            }
        }
    }
}

/// Longest diagnostics shown, in bytes: three lines of a terminal.
const MAX_DIAGNOSTICS: usize = 400;

/// The API's own diagnostics of a cache miss in the answer: Anthropic's `diagnostics`
/// (<https://platform.claude.com/docs/en/build-with-claude/cache-diagnostics>), OpenAI's
/// `prompt_cache_diagnostics`.
fn api_diagnostics(answered: &Call) -> Option<String> {
    let body = answered.response_body.bytes.as_slice();
    let marks: [&[u8]; 2] = [b"\"cache_miss_reason\"", b"\"prompt_cache_diagnostics\""];
    if !marks
        .iter()
        .any(|mark| memchr::memmem::find(body, mark).is_some())
    {
        return None;
    }
    match answered.meaning.completion.media.stream_format() {
        None => diagnostics_in(body),
        Some(format) => stream::event_data(body, format)
            .filter_map(|data| diagnostics_in(&data))
            .last(),
    }
}

fn diagnostics_in(text: &[u8]) -> Option<String> {
    let document = JsonDocument::parse(text).ok()?;
    let root = document.root();
    let outer = [Some(root), root.get("message"), root.get("response")];
    let of = |value: JsonValue<'_>| {
        let own = value
            .get("diagnostics")
            .filter(|own| own.get("cache_miss_reason").is_some());
        let found = own.or_else(|| value.get("prompt_cache_diagnostics"))?;
        (found.kind() == crate::json::JsonKind::Object)
            .then(|| excerpt::truncate_end(&String::from_utf8_lossy(found.raw()), MAX_DIAGNOSTICS))
    };
    outer.into_iter().flatten().find_map(of)
}
