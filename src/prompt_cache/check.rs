//! Whether the cached tokens that an answer reports fit what the bytes, the marks and the documents allow.

use serde::Serialize;

use super::least::Minimum;
use super::order::Order;
use super::prefix::Common;
use super::segments::{Mark, Prompt};
use super::tokens::{Estimate, scaled};
use crate::chat::Usage;

/// What the answer to right reports, against what the bytes allow.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Check {
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
    pub minimum: Option<Minimum>,
    /// Where an API caches only what is marked: what the marks allow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// How the two compare.
    pub verdict: Agreement,
}

/// How what is reported compares to what the bytes allow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Agreement {
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
pub enum Reach {
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
        text: u64,
    },
}

/// "The system checks at most 20 positions per breakpoint, counting the breakpoint itself as the first."
/// (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>)
pub(super) const LOOKBACK: u64 = 20;

/// What right can read of the entries that left asked for.
pub(super) fn reach([left, right]: [&[Mark]; 2], common: Common) -> Reach {
    if left.is_empty() {
        return Reach::LeftUnmarked;
    }
    if right.is_empty() {
        return Reach::RightUnmarked;
    }
    let inside = left.iter().filter(|mark| mark.end <= common.left.bytes);
    let mut nearest: Option<u64> = None;
    let mut best: Option<&Mark> = None;
    for entry in inside {
        let ahead = right
            .iter()
            .filter_map(|mark| mark.block.checked_sub(entry.block));
        let Some(blocks) = ahead.min() else { continue };
        nearest = Some(nearest.map_or(blocks, |known| known.min(blocks)));
        if blocks < LOOKBACK && best.is_none_or(|best| best.end < entry.end) {
            best = Some(entry);
        }
    }
    match (best, nearest) {
        (Some(entry), _) => Reach::Upto {
            bytes: entry.end,
            text: entry.text,
        },
        (None, Some(blocks)) => Reach::TooFar { blocks },
        (None, None) => Reach::Behind,
    }
}

/// What the check is made of.
pub(super) struct Evidence<'a> {
    pub(super) order: &'a Order,
    pub(super) prompts: [&'a Prompt<'a>; 2],
    pub(super) estimate: &'a Estimate,
    /// By bytes.
    pub(super) written: Common,
    /// By value, where only the spelling differs.
    pub(super) values: Option<Common>,
    pub(super) minimum: Option<Minimum>,
}

impl Evidence<'_> {
    /// Holds what `usage` reports against it.
    pub(super) fn check(&self, usage: Option<&Usage>) -> Check {
        let expected = self.expected(self.written);
        let by_value = self.values.map(|common| self.expected(common).0);
        let cached = usage.and_then(|usage| usage.cached_input);
        let verdict = match cached {
            None => Agreement::NotReported,
            Some(cached) => self.judge(cached, expected, by_value),
        };
        Check {
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

    fn expected(&self, common: Common) -> (u64, Option<Reach>) {
        let all = self.estimate.of(common.right.text);
        if self.order.dialect != "anthropic-messages" {
            return (all, None);
        }
        let marks = self.prompts.map(|prompt| prompt.marks.as_slice());
        let reach = reach(marks, common);
        let tokens = match reach {
            Reach::Upto { text, .. } => scaled(all, text, common.left.text),
            _ => 0,
        };
        (tokens, Some(reach))
    }

    fn judge(
        &self,
        cached: u64,
        (expected, reach): (u64, Option<Reach>),
        by_value: Option<u64>,
    ) -> Agreement {
        let unmarked = matches!(reach, Some(Reach::LeftUnmarked | Reach::RightUnmarked));
        let unreadable = matches!(reach, Some(Reach::Behind | Reach::TooFar { .. }));
        let most = expected.max(by_value.unwrap_or(0));
        let below = self.minimum.is_some_and(|minimum| most < minimum.tokens);
        match cached {
            0 if unmarked => Agreement::NotAsked,
            0 if unreadable => Agreement::Agrees,
            0 if below => Agreement::BelowMinimum,
            _ if near(cached, expected) => Agreement::Agrees,
            _ if by_value.is_some_and(|expected| near(cached, expected)) => {
                Agreement::AgreesByValue
            }
            _ if cached > most => Agreement::More,
            _ => Agreement::Fewer,
        }
    }
}

/// Whether a count is what a rough estimate says: within a fifth, or two steps of 128 tokens.
fn near(cached: u64, expected: u64) -> bool {
    cached.abs_diff(expected) <= expected.div_euclid(5).max(256)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(end: u64, block: u64) -> Mark {
        Mark {
            pointer: String::new(),
            ttl: None,
            end,
            text: end,
            block,
        }
    }

    #[test]
    fn marks_reach_back_twenty_blocks() {
        let case = |left: &[Mark], right: &[Mark], bytes, expected| {
            let mut common = Common::default();
            common.left.bytes = bytes;
            assert_eq!(reach([left, right], common), expected);
        };
        let upto = |bytes| Reach::Upto { bytes, text: bytes };
        case(&[], &[mark(9, 1)], 50, Reach::LeftUnmarked);
        case(&[mark(9, 1)], &[], 50, Reach::RightUnmarked);
        case(&[mark(60, 3)], &[mark(60, 3)], 50, Reach::Behind);
        case(&[mark(10, 1), mark(40, 3)], &[mark(40, 3)], 50, upto(40));
        case(&[mark(40, 3)], &[mark(90, 22)], 50, upto(40));
        case(
            &[mark(40, 3)],
            &[mark(90, 23)],
            50,
            Reach::TooFar { blocks: 20 },
        );
        case(
            &[mark(10, 1), mark(40, 3)],
            &[mark(20, 2), mark(99, 50)],
            50,
            upto(10),
        );
        // A mark of right that stands before the entry does not look ahead.
        case(&[mark(40, 3)], &[mark(20, 2)], 50, Reach::Behind);
    }
}
