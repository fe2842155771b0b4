//! The longest common prefix of two prompts, its end, and the content behind it that both prompts have.

use std::collections::HashMap;

use serde::Serialize;

use super::divergence::{PrefixBreak, PromptDivergence, find_break};
use super::segments::{CommonSize, EqualityLevel, PromptSegment, PromptSize, SegmentedPrompt};
use super::tokens::TokenEstimate;
use super::value_digest::spelling_differences;
use crate::chat::prompt_order::PromptOrder;

/// The common prefix of two prompts and what follows it.
#[derive(Clone, Debug, Serialize)]
pub struct CommonPrefix {
    /// Size in whole segments.
    pub segments: PrefixShare,
    /// Size in bytes as written, without breakpoint marks, in the order of the cache.
    pub bytes: PrefixShare,
    /// Estimated tokens of the common part, in right.
    pub tokens: u64,
    /// The first difference; `None` if right contains all of left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub divergence: Option<PromptDivergence>,
    /// Content of right behind the difference that left has too: it is lost to the cache.
    pub lost: PromptAmount,
    /// Content that only right has.
    pub new: PromptAmount,
}

/// Size of the common part, of left and of right, in one unit.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct PrefixShare {
    /// Size of the common prefix.
    pub common: u64,
    /// Size of left.
    pub left: u64,
    /// Size of right.
    pub right: u64,
}

/// Size of a part of a prompt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct PromptAmount {
    /// Size in whole segments.
    pub segments: u64,
    /// Bytes as written.
    pub bytes: u64,
    /// Estimated tokens.
    pub tokens: u64,
}

/// Compares two prompts, and returns their common prefix with its size on each side.
pub(super) fn common_prefix(
    [left, right]: [&SegmentedPrompt<'_>; 2],
    level: EqualityLevel,
    order: &PromptOrder,
    estimate: &TokenEstimate,
) -> (CommonPrefix, CommonSize) {
    let pairs = left.segments.iter().zip(&right.segments);
    let whole = pairs
        .take_while(|(left, right)| is_same_segment(left, right, level, order))
        .count();
    let mut common = CommonSize {
        left: total_size(left.segments.iter().take(whole)),
        right: total_size(right.segments.iter().take(whole)),
    };
    let rests = [left, right].map(|prompt| prompt.segments.get(whole..).unwrap_or_default());
    let broken = find_break(rests, level, order);
    let mut lost = PromptSize::default();
    if let Some(breach) = &broken {
        common.left.add(breach.common.left);
        common.right.add(breach.common.right);
        lost = repeated_size(rests, breach);
    }
    let new = right.size.without(common.right).without(lost);
    let amount = |size: PromptSize| PromptAmount {
        segments: size.segments,
        bytes: size.bytes,
        tokens: estimate.tokens_of(size.text_bytes),
    };
    let share = |of: fn(&PromptSize) -> u64| PrefixShare {
        common: of(&common.right),
        left: of(&left.size),
        right: of(&right.size),
    };
    let prefix = CommonPrefix {
        segments: share(|size| size.segments),
        bytes: share(|size| size.bytes),
        tokens: estimate.tokens_of(common.right.text_bytes),
        divergence: broken.map(|breach| breach.divergence),
        lost: amount(lost),
        new: amount(new),
    };
    (prefix, common)
}

/// Whether two segments are the same, or differ only by spellings that do not count at this level.
fn is_same_segment(
    left: &PromptSegment<'_>,
    right: &PromptSegment<'_>,
    level: EqualityLevel,
    order: &PromptOrder,
) -> bool {
    if left.part != right.part || left.text == right.text {
        return left.part == right.part;
    }
    let (Some(one), Some(other)) = (left.value, right.value) else {
        return false;
    };
    if left.digest() != right.digest() {
        return false;
    }
    let spellings = spelling_differences([one, other], [&left.text, &right.text]);
    spellings.iter().all(|spelling| match level {
        EqualityLevel::Written => order.same.contains(spelling),
        EqualityLevel::Values => !order.breaks.contains(spelling),
    })
}

fn total_size<'a>(segments: impl Iterator<Item = &'a PromptSegment<'a>>) -> PromptSize {
    let mut size = PromptSize::default();
    segments.for_each(|segment| size.add(segment.size));
    size
}

/// The size of the segments of the right rest that the left rest has too; each segment of left counts once.
fn repeated_size([left, right]: [&[PromptSegment<'_>]; 2], breach: &PrefixBreak) -> PromptSize {
    let skip = usize::from(breach.repeated.is_some());
    let mut had: HashMap<u64, u64> = HashMap::new();
    for segment in left.iter().skip(skip) {
        let count = had.entry(segment.digest()).or_default();
        *count = count.saturating_add(1);
    }
    let mut again = breach.repeated.unwrap_or_default();
    for (n, segment) in right.iter().enumerate().skip(skip) {
        let Some(count) = had.get_mut(&segment.digest()).filter(|count| **count > 0) else {
            continue;
        };
        *count = count.saturating_sub(1);
        again.add(match n {
            // The bytes with which it begins like another segment of left are counted as common.
            0 => segment.size.without(breach.common.right),
            _ => segment.size,
        });
    }
    again
}
