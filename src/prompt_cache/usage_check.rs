//! Compares the cached tokens that an answer reports with the number that bytes, breakpoints and documents allow.

use serde::Serialize;

use super::minimum::CacheMinimum;
use super::segments::{CacheBreakpoint, CommonSize, SegmentedPrompt};
use super::tokens::{TokenEstimate, scale};
use crate::chat::TokenUsage;

/// Comparison of the cached tokens that an answer reports with the number that its prompt's bytes make possible.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UsageCheck {
    /// Tokens of the prompt, cached ones included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<u64>,
    /// Tokens of the prompt that were read from a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cached: Option<u64>,
    /// Tokens of the prompt that were written to a cache.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<u64>,
    /// Most tokens that right can read from a cache filled by left. An estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// The same for an API that ignores the spelling of JSON, if only the spelling differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_by_value: Option<u64>,
    /// Shortest prompt that is cached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<CacheMinimum>,
    /// Reach of the breakpoints, for an API that caches only marked prefixes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<BreakpointReach>,
    /// Result of the comparison.
    pub verdict: UsageAgreement,
}

/// Whether the reported cached tokens fit the number that the prompt's bytes make possible.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageAgreement {
    /// No answer: the request was not sent.
    #[default]
    NoAnswer,
    /// The answer does not count cached tokens.
    NotReported,
    /// About the common prefix was cached.
    Agrees,
    /// About the common prefix by value was cached, which is longer than that of the bytes.
    AgreesByValue,
    /// Nothing was cached, and the common prefix is shorter than the minimum.
    BelowMinimum,
    /// Nothing was cached, and the requests have no breakpoints.
    NotAsked,
    /// Fewer tokens were cached than the bytes allow.
    Fewer,
    /// More tokens were cached than the common prefix has.
    More,
}

/// The part of the earlier prompt's cache entries that the later prompt can read, by the cache breakpoints of both.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum BreakpointReach {
    /// Left has no breakpoint.
    LeftUnmarked,
    /// Right has no breakpoint, and so reads no entry.
    RightUnmarked,
    /// All breakpoints of left are behind the common prefix.
    Behind,
    /// No breakpoint of right is near enough to an entry of left.
    TooFar {
        /// Content blocks between the nearest two, the later one included.
        blocks: u64,
    },
    /// Right can read up to this entry of left.
    Upto {
        /// End of the entry in left, in bytes of the order of the cache.
        bytes: u64,
        /// The same without inline data.
        #[serde(skip)]
        text_bytes: u64,
    },
}

/// "The system checks at most 20 positions per breakpoint, counting the breakpoint itself as the first."
/// (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>)
pub(super) const LOOKBACK_BLOCKS: u64 = 20;

/// Computes which part of the earlier prompt's cache entries the later prompt can read.
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

/// Input of the usage check: the two prompts, their common prefixes, and the documented minimum.
pub(super) struct CheckInput<'a> {
    /// Whether the API caches only prefixes that the request marks.
    pub(super) caches_marked_only: bool,
    pub(super) prompts: [&'a SegmentedPrompt<'a>; 2],
    pub(super) estimate: &'a TokenEstimate,
    /// Common prefix by bytes.
    pub(super) by_bytes: CommonSize,
    /// Common prefix by value, if only the spelling differs.
    pub(super) by_values: Option<CommonSize>,
    pub(super) minimum: Option<CacheMinimum>,
}

impl CheckInput<'_> {
    /// Compares the reported `usage` with the expected cached tokens.
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

/// Whether a count is near an estimate: within a fifth (the error of four bytes per token), or two steps of 128 tokens.
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
        // A breakpoint of right before the entry does not look ahead.
        case(&[mark(40, 3)], &[mark(20, 2)], 50, BreakpointReach::Behind);
    }
}
