//! The end of the common prefix of two prompts: the segment, the kind of change, the place and the text on both sides.

use serde::Serialize;

use super::excerpt::{TextExcerpt, truncate_end};
use super::first_difference::{DifferenceSide, detect_shift, first_difference};
use super::segments::{CommonSize, EqualityLevel, PromptSegment, PromptSize};
use super::value_digest::{ValueRole, spelling_differences};
use crate::chat::prompt_order::{PromptOrder, SpellingDifference};
use crate::diff::bytes::common_prefix_len;
use crate::diff::change::ChangeKind;

/// The first difference of two prompts, at which their common prefix ends.
#[derive(Clone, Debug, Serialize)]
pub struct PromptDivergence {
    /// Name of the segment that differs, on the side that has it.
    pub segment: String,
    /// Kind of the change. `respelled` and `reordered`: the same value, with another spelling or another order of keys.
    pub what: ChangeKind,
    /// Kinds of spelling differences, if only the spelling differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spellings: Vec<SpellingDifference>,
    /// Number of items that were added or removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Place on the left.
    pub left: DivergenceSide,
    /// Place on the right.
    pub right: DivergenceSide,
    /// Text around the difference, if a text was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<TextExcerpt>,
}

/// Place of a divergence on one side.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DivergenceSide {
    /// JSON Pointer of the value; of a moved item, its place on this side.
    pub pointer: String,
    /// The value as written, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl PromptDivergence {
    fn new(
        segment: &PromptSegment<'_>,
        what: ChangeKind,
        [left, right]: [DivergenceSide; 2],
    ) -> Self {
        Self {
            segment: segment.name.clone(),
            what,
            spellings: vec![],
            count: None,
            left,
            right,
            excerpt: None,
        }
    }
}

/// The divergence of two prompts, and what it means for the sizes of both.
pub(super) struct PrefixBreak {
    pub(super) divergence: PromptDivergence,
    /// What the two segments have in common.
    pub(super) common: CommonSize,
    /// How much right repeats behind the difference, if the first segment of both rests is the same one, changed or
    /// respelled.
    pub(super) repeated: Option<PromptSize>,
}

/// Describes the difference at the start of the rests of two prompts; `None` if left has ended.
pub(super) fn find_break(
    rests: [&[PromptSegment<'_>]; 2],
    level: EqualityLevel,
    order: &PromptOrder,
) -> Option<PrefixBreak> {
    let one = rests[0].first()?;
    let Some(other) = rests[1].first() else {
        let sides = [side_with_value(one), DivergenceSide::default()];
        return Some(PrefixBreak {
            divergence: PromptDivergence {
                count: Some(rests[0].len() as u64),
                ..PromptDivergence::new(one, ChangeKind::Removed, sides)
            },
            common: CommonSize::default(),
            repeated: None,
        });
    };
    if one.part == other.part && one.digest() == other.digest() {
        return Some(break_by_spelling(one, other));
    }
    let digests = rests.map(|rest| rest.iter().map(PromptSegment::digest).collect::<Vec<_>>());
    let (what, count) = match detect_shift(&digests[0], &digests[1]) {
        (ChangeKind::Changed, _) if one.part != other.part => {
            detect_extra_part(rests, [one, other], order)
        }
        shift => shift,
    };
    let (named, sides) = match what {
        ChangeKind::Added => (other, [side_without_value(one), side_with_value(other)]),
        ChangeKind::Removed => (one, [side_with_value(one), side_without_value(other)]),
        ChangeKind::Moved => {
            let place = digests[1]
                .iter()
                .position(|own| digests[0].first() == Some(own));
            let there = place.and_then(|place| rests[1].get(place)).unwrap_or(other);
            (other, [side_with_value(one), side_without_value(there)])
        }
        _ => return Some(break_by_change(one, other, level)),
    };
    // Equal bytes at the start of two different segments belong to the common prefix too.
    let equal = match level {
        EqualityLevel::Written => common_prefix_len(&one.text, &other.text) as u64,
        EqualityLevel::Values => 0,
    };
    Some(PrefixBreak {
        divergence: PromptDivergence {
            count: (count > 0).then_some(count),
            ..PromptDivergence::new(named, what, sides)
        },
        common: first_bytes([one, other], [equal; 2]),
        repeated: None,
    })
}

fn first_bytes([left, right]: [&PromptSegment<'_>; 2], bytes: [u64; 2]) -> CommonSize {
    CommonSize {
        left: left.size.first_bytes(bytes[0]),
        right: right.size.first_bytes(bytes[1]),
    }
}

/// Returns which side has an extra part, and of how many segments, where two rests begin with different parts and share
/// no segment.
fn detect_extra_part(
    [left, right]: [&[PromptSegment<'_>]; 2],
    [one, other]: [&PromptSegment<'_>; 2],
    order: &PromptOrder,
) -> (ChangeKind, u64) {
    let rank = |segment: &PromptSegment<'_>| {
        let mut parts = order.parts.iter();
        parts.position(|part| part.name == segment.part)
    };
    let of_part = |segments: &[PromptSegment<'_>], part: &str| {
        let same = segments.iter().take_while(|segment| segment.part == part);
        same.count() as u64
    };
    match rank(other) < rank(one) {
        true => (ChangeKind::Added, of_part(right, other.part)),
        false => (ChangeKind::Removed, of_part(left, one.part)),
    }
}

fn break_by_spelling(one: &PromptSegment<'_>, other: &PromptSegment<'_>) -> PrefixBreak {
    let equal = common_prefix_len(&one.text, &other.text) as u64;
    let spellings = match (one.value, other.value) {
        (Some(left), Some(right)) => spelling_differences([left, right], [&one.text, &other.text]),
        _ => vec![],
    };
    let what = match spellings[..] {
        [SpellingDifference::KeyOrder | SpellingDifference::FieldOrder] => ChangeKind::Reordered,
        _ => ChangeKind::Respelled,
    };
    let sides = [one, other].map(|segment| DivergenceSide {
        pointer: segment.pointer_at(equal),
        value: Some(text_from(segment, equal)),
    });
    let common = first_bytes([one, other], [equal; 2]);
    PrefixBreak {
        divergence: PromptDivergence {
            spellings,
            ..PromptDivergence::new(other, what, sides)
        },
        repeated: Some(other.size.without(common.right)),
        common,
    }
}

fn break_by_change(
    one: &PromptSegment<'_>,
    other: &PromptSegment<'_>,
    level: EqualityLevel,
) -> PrefixBreak {
    let both = [one, other];
    let mut equal = [common_prefix_len(&one.text, &other.text) as u64; 2];
    let found = one.value.zip(other.value);
    let found = found.and_then(|(left, right)| first_difference(left, right, ValueRole::Block));
    let divergence = match found {
        None => {
            let sides = both.map(|segment| DivergenceSide {
                pointer: segment.pointer.clone(),
                value: Some(text_from(segment, equal[0])),
            });
            PromptDivergence::new(other, ChangeKind::Changed, sides)
        }
        Some(found) => {
            let spots = [found.left, found.right];
            if level == EqualityLevel::Values {
                equal = [0, 1].map(|n| both[n].text_offset(spots[n].offset));
            }
            let sides = [0, 1].map(|n| side_at_spot(both[n], &spots[n]));
            PromptDivergence {
                count: (found.count > 0).then_some(found.count),
                excerpt: make_excerpt(&spots[0], &spots[1]),
                ..PromptDivergence::new(other, found.kind, sides)
            }
        }
    };
    let ends = one.text.iter().rev().zip(other.text.iter().rev());
    let alike = ends.take_while(|(left, right)| left == right).count() as u64;
    let rests = [0, 1].map(|n| (both[n].text.len() as u64).saturating_sub(equal[n]));
    PrefixBreak {
        divergence,
        common: first_bytes(both, equal),
        repeated: Some(other.size.first_bytes(alike.min(rests[0]).min(rests[1]))),
    }
}

fn make_excerpt(left: &DifferenceSide<'_>, right: &DifferenceSide<'_>) -> Option<TextExcerpt> {
    let (left, right) = (left.value()?, right.value()?);
    let (left, right) = (left.as_str()?, right.as_str()?);
    Some(TextExcerpt::around_difference(&left, &right))
}

/// Longest value shown, in characters: two lines of a terminal.
const MAX_VALUE_CHARS: usize = 200;

fn side_with_value(segment: &PromptSegment<'_>) -> DivergenceSide {
    DivergenceSide {
        value: Some(text_from(segment, 0)),
        ..side_without_value(segment)
    }
}

fn side_without_value(segment: &PromptSegment<'_>) -> DivergenceSide {
    DivergenceSide {
        pointer: segment.pointer.clone(),
        value: None,
    }
}

fn side_at_spot(segment: &PromptSegment<'_>, spot: &DifferenceSide<'_>) -> DivergenceSide {
    let text = |value: crate::json::JsonValue<'_>| {
        truncate_end(&String::from_utf8_lossy(value.raw()), MAX_VALUE_CHARS)
    };
    DivergenceSide {
        pointer: segment.pointer_in_body(spot.start()),
        value: spot.value().map(text),
    }
}

/// The text of a segment from byte `from` on, shortened.
fn text_from(segment: &PromptSegment<'_>, from: u64) -> String {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let rest = segment.text.get(from..).unwrap_or_default();
    // More bytes than the longest character times as many characters are not looked at.
    let rest = rest
        .get(..MAX_VALUE_CHARS.saturating_mul(4).saturating_add(4))
        .unwrap_or(rest);
    truncate_end(&String::from_utf8_lossy(rest), MAX_VALUE_CHARS)
}
