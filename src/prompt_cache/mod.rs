//! Why a prompt cache was, or was not, used again: how far two requests go together in the order in which the
//! API puts its prompt together, where they part, and what thereby falls out of the cache.
//!
//! Caches of prompts hold prefixes: one byte that moves early is paid for with all that comes after it. Only bytes
//! are compared, and nothing is said of causes that they do not show: an entry that expired, a machine that had
//! none.
//!
//! ```text
//!  body --> order (a table, by dialect) --> segments --> prefix --> CacheStep
//!                tools system messages      one each     written, and by value where only the spelling differs
//!  heads, other members --> beside                ^           |
//!  usage of the answer  --> check  <---------------+-----------+
//! ```
//!
//! Where each part lives: `order` is the table of the orders and where they are documented; `segments` cuts a body
//! up, `pieces` leaves marks out; `value` tells what a value says from how it is spelled; `breach` finds the first
//! difference, `excerpt` the words around it; `prefix` is the comparison, `divergence` the place where it ends;
//! `beside` looks at what is no part of the prompt; `tokens` estimates; `check` holds what was reported against
//! it, `least` is the table of what is too short to be cached.

mod beside;
mod breach;
mod check;
mod divergence;
mod excerpt;
mod least;
mod order;
mod pieces;
mod prefix;
mod segments;
#[cfg(test)]
mod tests;
mod tokens;
mod value;

pub use beside::Beside;
pub use check::{Agreement, Check, Reach};
pub use divergence::{Divergence, Stand};
pub use excerpt::Excerpt;
pub use least::Minimum;
pub use order::{Basis, Order, Part};
pub use prefix::{Amount, Prefix, Share};
pub use segments::Mark;
pub use tokens::{Counted, Estimate};
pub use value::Spelling;

use serde::Serialize;

use crate::call::meaning::Priced;
use crate::diff::bytes::common;
use crate::diff::layers::stream;
use crate::diff::{Answered, Subject};
use crate::json::{JsonDocument, JsonValue, pointer_at};
use crate::price::Money;
use prefix::{Common, Level, prefix};
use segments::Prompt;

/// From one request to the next: what of the prompt could come from a cache that the first one filled.
#[derive(Clone, Debug, Serialize)]
pub struct CacheStep {
    /// What the left one is called.
    pub left: String,
    /// What the right one is called.
    pub right: String,
    /// The order in which the prompt is put together.
    pub order: &'static Order,
    /// In one word.
    pub state: State,
    /// By the bytes as they were written.
    pub written: Prefix,
    /// By what the JSON says, where the bytes part by spelling alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub values: Option<Prefix>,
    /// How tokens are estimated.
    pub estimate: Estimate,
    /// The two bodies as they stand.
    pub raw: Raw,
    /// Where left and right ask for an entry.
    pub marks: [Vec<Mark>; 2],
    /// What differs beside the prompt and has to do with caches.
    pub beside: Vec<Beside>,
    /// What the answer to right reports.
    pub check: Check,
    /// What the lost tokens cost more than they would from a cache, where a price is known; those that were cached
    /// all the same are not counted. Rough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra: Option<Money>,
    /// What the API itself says of the miss, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// What became of the prefix.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Right has all that left has, and may go on.
    Intact,
    /// Right ends earlier: all that it has is in left.
    Shortened,
    /// As JSON values it is intact or shortened; the bytes are spelled otherwise.
    Respelled,
    /// Left goes on in another way than right.
    Broken,
}

impl CacheStep {
    /// Whether the bytes of the prefix are the same, and the model, to which a cache belongs: nothing falls out.
    pub fn holds(&self) -> bool {
        let other_model = self
            .beside
            .iter()
            .any(|beside| beside.name == beside::MODEL);
        matches!(self.state, State::Intact | State::Shortened) && !other_model
    }

    /// The comparison that counts for the eye: by value where the bytes part by spelling alone.
    pub fn telling(&self) -> &Prefix {
        self.values.as_ref().unwrap_or(&self.written)
    }
}

/// Two bodies as bytes, in the order in which they stand.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Raw {
    /// No byte differs.
    Same,
    /// Right begins with all of left.
    LeftIsPrefix,
    /// Left begins with all of right.
    RightIsPrefix,
    /// They part.
    Differs {
        /// Offset of the first byte that differs.
        at: u64,
        /// JSON Pointer of the innermost value there, on the left.
        left: String,
        /// The same on the right.
        right: String,
    },
}

/// Compares the prompts of two requests, of which `right` came later. `dialect` is what the user named.
pub fn compare(left: &Subject, right: &Subject, dialect: Option<&str>) -> CacheStep {
    let subjects = [left, right];
    let bodies = subjects.map(|subject| subject.asked.bytes.as_slice());
    let documents = bodies.map(|body| JsonDocument::parse(body).ok());
    let [one, other] = [documents[0].as_ref(), documents[1].as_ref()];
    let dialects = dialects(subjects, [one, other], dialect);
    let provider = provider(right).or_else(|| provider(left));
    let order = order::order(dialects[1], provider);
    let left_order = order::order(dialects[0], provider);
    let prompts = [
        segments::prompt(one, bodies[0], left_order),
        segments::prompt(other, bodies[1], order),
    ];
    let both = [&prompts[0], &prompts[1]];
    let usage = right.answered.as_ref();
    let usage = usage.and_then(|answered| answered.report.completion.usage.as_ref());
    let estimate = Estimate::of_prompt(both[1], usage);
    let (written, written_common) = prefix(both, Level::Written, order, &estimate);
    let by_value = further(both, &written, order, &estimate);
    let (values, values_common) = by_value.unzip();
    let root = other.map(JsonDocument::root);
    let model = beside::model(right, root).unwrap_or_default();
    let evidence = check::Evidence {
        order,
        prompts: both,
        estimate: &estimate,
        written: written_common,
        values: values_common,
        minimum: least::minimum(order.dialect, provider, &model),
    };
    let check = match &right.answered {
        Some(_) => evidence.check(usage),
        None => Check::default(),
    };
    let telling = values.as_ref().unwrap_or(&written);
    CacheStep {
        left: left.name.clone(),
        right: right.name.clone(),
        order,
        state: state(&written, values.as_ref()),
        extra: extra(right, telling.lost.tokens),
        raw: raw(bodies, [one, other]),
        beside: beside::compare(subjects, [one, other], dialects),
        said: right.answered.as_ref().and_then(said),
        marks: prompts.map(|prompt: Prompt<'_>| prompt.marks),
        written,
        values,
        estimate,
        check,
    }
}

/// The same by value, where the bytes part by spelling alone, and values go further: where the documents say that
/// this spelling breaks a cache, they do not.
fn further(
    prompts: [&Prompt<'_>; 2],
    written: &Prefix,
    order: &Order,
    estimate: &Estimate,
) -> Option<(Prefix, Common)> {
    let divergence = written.divergence.as_ref();
    divergence.filter(|divergence| !divergence.spellings.is_empty())?;
    let (values, common) = prefix(prompts, Level::Values, order, estimate);
    (values.segments.common > written.segments.common).then_some((values, common))
}

/// The dialect of each side: what the user named, what the exchange shows, what the other side's shows for a
/// request file, and last what its body shows.
fn dialects<'a>(
    subjects: [&'a Subject; 2],
    documents: [Option<&JsonDocument<'_>>; 2],
    named: Option<&'a str>,
) -> [Option<&'a str>; 2] {
    let of_exchange = |subject: &'a Subject| subject.answered.as_ref()?.report.completion.dialect;
    let known = subjects.map(|subject| named.or_else(|| of_exchange(subject)));
    let shown =
        documents.map(|document| document.and_then(|document| order::shown(document.root())));
    let without = |subject: &Subject| subject.answered.is_none();
    let of = |side: usize, other: usize| {
        let neighbour = known[other].filter(|_| without(subjects[side]));
        known[side].or(neighbour).or(shown[side])
    };
    [of(0, 1), of(1, 0)]
}

fn provider(subject: &Subject) -> Option<&'static str> {
    subject.answered.as_ref()?.report.completion.provider
}

fn state(written: &Prefix, values: Option<&Prefix>) -> State {
    let shortened = |prefix: &Prefix| prefix.segments.common == prefix.segments.right;
    match (&written.divergence, values) {
        (None, _) => State::Intact,
        (Some(_), None) if shortened(written) => State::Shortened,
        (Some(_), None) => State::Broken,
        (Some(_), Some(values)) if values.divergence.is_none() || shortened(values) => {
            State::Respelled
        }
        (Some(_), Some(_)) => State::Broken,
    }
}

/// What so many tokens cost at the full rate more than at that of cached ones; of those that the answer does not
/// report as cached.
fn extra(subject: &Subject, tokens: u64) -> Option<Money> {
    let completion = &subject.answered.as_ref()?.report.completion;
    let Priced::Known { cost, .. } = &subject.answered.as_ref()?.report.cost else {
        return None;
    };
    let usage = completion.usage.as_ref()?;
    let fresh = usage.input?.saturating_sub(usage.cached_input.unwrap_or(0));
    let tokens = tokens.min(fresh);
    let full = cost.rates.input.of(tokens).pico();
    let cached = cost.rates.cached_input?.of(tokens).pico();
    let more = full.checked_sub(cached).filter(|more| *more > 0)?;
    Some(Money::from_pico(more))
}

fn raw([left, right]: [&[u8]; 2], documents: [Option<&JsonDocument<'_>>; 2]) -> Raw {
    let equal = common(left, right);
    match (equal == left.len(), equal == right.len()) {
        (true, true) => Raw::Same,
        (true, false) => Raw::LeftIsPrefix,
        (false, true) => Raw::RightIsPrefix,
        (false, false) => {
            let at = equal as u64;
            let pointer = |document: Option<&JsonDocument<'_>>| match document {
                Some(document) => pointer_at(document, at),
                None => String::new(),
            };
            Raw::Differs {
                at,
                left: pointer(documents[0]),
                right: pointer(documents[1]),
            }
        }
    }
}

/// How much of what the API says of itself is told, in bytes.
const SAID: usize = 400;

/// What the API says of the cache, in the answer: Anthropic's `diagnostics`
/// (<https://platform.claude.com/docs/en/build-with-claude/cache-diagnostics>), OpenAI's
/// `prompt_cache_diagnostics`.
fn said(answered: &Answered) -> Option<String> {
    let body = answered.body.bytes.as_slice();
    let marks: [&[u8]; 2] = [b"\"cache_miss_reason\"", b"\"prompt_cache_diagnostics\""];
    if !marks
        .iter()
        .any(|mark| memchr::memmem::find(body, mark).is_some())
    {
        return None;
    }
    match answered.report.completion.media.format() {
        None => said_in(body),
        Some(format) => stream::data(body, format)
            .filter_map(|data| said_in(&data))
            .last(),
    }
}

fn said_in(text: &[u8]) -> Option<String> {
    let document = JsonDocument::parse(text).ok()?;
    let root = document.root();
    let outer = [Some(root), root.get("message"), root.get("response")];
    let of = |value: JsonValue<'_>| {
        let own = value
            .get("diagnostics")
            .filter(|own| own.get("cache_miss_reason").is_some());
        let found = own.or_else(|| value.get("prompt_cache_diagnostics"))?;
        (found.kind() == crate::json::JsonKind::Object)
            .then(|| excerpt::first_of(&String::from_utf8_lossy(found.raw()), SAID))
    };
    outer.into_iter().flatten().find_map(of)
}
