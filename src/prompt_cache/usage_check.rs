//! Whether the cached tokens that an answer reports fit what the bytes, the marks and the documents allow.

use serde::Serialize;

use super::minimum::CacheMinimum;
use super::segments::{CacheBreakpoint, CommonSize, SegmentedPrompt};
use super::tokens::{TokenEstimate, scale};
use crate::chat::TokenUsage;

/// What the answer to right reports, against what the bytes allow.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UsageCheck {
    /// Tokens of the prompt, cached ones included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// Of those, read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<u64>,
    /// Of those, written to a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<u64>,
    /// The most that could be read of what left may have left behind; rough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// The same if the API does not see how JSON is spelled, where only the spelling differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_by_value: Option<u64>,
    /// The least that is cached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<CacheMinimum>,
    /// Where an API caches only what is marked: what the marks allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<BreakpointReach>,
    /// How the two compare.
    pub verdict: UsageAgreement,
}

/// How what is reported compares to what the bytes allow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageAgreement {
    /// There is no answer: it is a request that was not sent.
    #[default]
    NoAnswer,
    /// The answer does not count cached tokens.
    NotReported,
    /// About the common prefix was cached.
    Agrees,
    /// About the common prefix was cached that there is if spelling is ignored, and not that of the bytes.
    AgreesByValue,
    /// Nothing was cached, and the common prefix is shorter than the least that is.
    BelowMinimum,
    /// Nothing was cached, and nobody asked for it.
    NotAsked,
    /// Fewer tokens were cached than the bytes allow.
    Fewer,
    /// More tokens were cached than the two have in common.
    More,
}

/// What the marks of left and right allow to be read, where an API caches only what is marked.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum BreakpointReach {
    /// Left asks for no entry.
    LeftUnmarked,
    /// Right asks for none, and so reads none.
    RightUnmarked,
    /// Every mark of left stands behind the common prefix.
    Behind,
    /// No mark of right is near enough to an entry of left.
    TooFar {
        /// How many content blocks lie between the nearest two, the later one counted.
        blocks: u64,
    },
    /// Up to there.
    Upto {
        /// Bytes in the order of the cache, of left.
        bytes: u64,
        /// The same without inline data.
        #[serde(skip)]
        text_bytes: u64,
    },
}

/// "The system checks at most 20 positions per breakpoint, counting the breakpoint itself as the first."
/// (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>)
pub(super) const LOOKBACK_BLOCKS: u64 = 20;

/// What right can read of the entries that left asked for.
pub(super) fn breakpoint_reach(
    [left, right]: [&[CacheBreakpoint]; 2],
    common: CommonSize,
) -> BreakpointReach {
    if left.is_empty() {
        return BreakpointReach::LeftUnmarked;
    }
    if right.is_empty() {
        return BreakpointReach::RightUnmarked;
    }
    let inside = left.iter().filter(|mark| mark.end <= common.left.bytes);
    let mut nearest: Option<u64> = None;
    let mut best: Option<&CacheBreakpoint> = None;
    for entry in inside {
        let ahead = right
            .iter()
            .filter_map(|mark| mark.block.checked_sub(entry.block));
        let Some(blocks) = ahead.min() else { continue };
        nearest = Some(nearest.map_or(blocks, |known| known.min(blocks)));
        if blocks < LOOKBACK_BLOCKS && best.is_none_or(|best| best.end < entry.end) {
            best = Some(entry);
        }
    }
    match (best, nearest) {
        (Some(entry), _) => BreakpointReach::Upto {
            bytes: entry.end,
            text_bytes: entry.text_bytes,
        },
        (None, Some(blocks)) => BreakpointReach::TooFar { blocks },
        (None, None) => BreakpointReach::Behind,
    }
}

/// What the check is made of.
pub(super) struct CheckInput<'a> {
    /// Whether the API caches only prefixes that the request marks.
    pub(super) caches_marked_only: bool,
    pub(super) prompts: [&'a SegmentedPrompt<'a>; 2],
    pub(super) estimate: &'a TokenEstimate,
    /// By bytes.
    pub(super) by_bytes: CommonSize,
    /// By value, where only the spelling differs.
    pub(super) by_values: Option<CommonSize>,
    pub(super) minimum: Option<CacheMinimum>,
}

impl CheckInput<'_> {
    /// Holds what `usage` reports against it.
    pub(super) fn check_usage(&self, usage: Option<&TokenUsage>) -> UsageCheck {
        let expected = self.expected_tokens(self.by_bytes);
        let by_value = self.by_values.map(|common| self.expected_tokens(common).0);
        let cached = usage.and_then(|usage| usage.cached_input);
        let verdict = match cached {
            None => UsageAgreement::NotReported,
            Some(cached) => self.judge(cached, expected, by_value),
        };
        UsageCheck {
            input: usage.and_then(|usage| usage.input),
            cached,
            written: usage.and_then(|usage| usage.cache_write),
            expected: Some(expected.0),
            expected_by_value: by_value,
            minimum: self.minimum,
            reach: expected.1,
            verdict,
        }
    }

    fn expected_tokens(&self, common: CommonSize) -> (u64, Option<BreakpointReach>) {
        let all = self.estimate.tokens_of(common.right.text_bytes);
        if !self.caches_marked_only {
            return (all, None);
        }
        let marks = self.prompts.map(|prompt| prompt.breakpoints.as_slice());
        let reach = breakpoint_reach(marks, common);
        let tokens = match reach {
            BreakpointReach::Upto {
                text_bytes: text, ..
            } => scale(all, text, common.left.text_bytes),
            _ => 0,
        };
        (tokens, Some(reach))
    }

    fn judge(
        &self,
        cached: u64,
        (expected, reach): (u64, Option<BreakpointReach>),
        by_value: Option<u64>,
    ) -> UsageAgreement {
        let unmarked = matches!(
            reach,
            Some(BreakpointReach::LeftUnmarked | BreakpointReach::RightUnmarked)
        );
        let unreadable = matches!(
            reach,
            Some(BreakpointReach::Behind | BreakpointReach::TooFar { .. })
        );
        let most = expected.max(by_value.unwrap_or(0));
        let below = self.minimum.is_some_and(|minimum| most < minimum.tokens);
        match cached {
            0 if unmarked => UsageAgreement::NotAsked,
            0 if unreadable => UsageAgreement::Agrees,
            0 if below => UsageAgreement::BelowMinimum,
            _ if is_near(cached, expected) => UsageAgreement::Agrees,
            _ if by_value.is_some_and(|expected| is_near(cached, expected)) => {
                UsageAgreement::AgreesByValue
            }
            _ if cached > most => UsageAgreement::More,
            _ => UsageAgreement::Fewer,
        }
    }
}

/// Whether a count is what a rough estimate says: within a fifth, or two steps of 128 tokens.
fn is_near(cached: u64, expected: u64) -> bool {
    cached.abs_diff(expected) <= expected.div_euclid(5).max(256)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(end: u64, block: u64) -> CacheBreakpoint {
        CacheBreakpoint {
            pointer: String::new(),
            ttl: None,
            end,
            text_bytes: end,
            block,
        }
    }

    #[test]
    fn marks_reach_back_twenty_blocks() {
        let case = |left: &[CacheBreakpoint], right: &[CacheBreakpoint], bytes, expected| {
            let mut common = CommonSize::default();
            common.left.bytes = bytes;
            assert_eq!(breakpoint_reach([left, right], common), expected);
        };
        let upto = |bytes| BreakpointReach::Upto {
            bytes,
            text_bytes: bytes,
        };
        case(&[], &[mark(9, 1)], 50, BreakpointReach::LeftUnmarked);
        case(&[mark(9, 1)], &[], 50, BreakpointReach::RightUnmarked);
        case(&[mark(60, 3)], &[mark(60, 3)], 50, BreakpointReach::Behind);
        case(&[mark(10, 1), mark(40, 3)], &[mark(40, 3)], 50, upto(40));
        case(&[mark(40, 3)], &[mark(90, 22)], 50, upto(40));
        case(
            &[mark(40, 3)],
            &[mark(90, 23)],
            50,
            BreakpointReach::TooFar { blocks: 20 },
        );
        case(
            &[mark(10, 1), mark(40, 3)],
            &[mark(20, 2), mark(99, 50)],
            50,
            upto(10),
        );
        // A mark of right that stands before the entry does not look ahead.
        case(&[mark(40, 3)], &[mark(20, 2)], 50, BreakpointReach::Behind);
    }
}
