//! Where two prompts part: which segment, what happened there, the places on both sides and the words.

use serde::Serialize;

use super::excerpt::{TextExcerpt, truncate_end};
use super::first_difference::{DifferenceSpot, ListShift, detect_shift, first_difference};
use super::segments::{CommonSize, EqualityLevel, PromptSegment, PromptSize};
use super::value_digest::{ValueRole, spelling_differences};
use crate::chat::prompt_order::{PromptOrder, SpellingDifference};
use crate::diff::bytes::common_prefix_len;
use crate::diff::change::ChangeKind;

/// Where two prompts part.
#[derive(Clone, Debug, Serialize)]
pub struct PromptDivergence {
    /// The segment that breaks, by its name on the side that has it.
    pub segment: String,
    /// What happened there: something was changed, came in (`added`), fell out (`removed`), stands elsewhere
    /// (`moved`); or it says the same and is spelled otherwise (`respelled`, `reordered` where only the order of
    /// keys differs).
    pub what: ChangeKind,
    /// How the spelling differs, where only that does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spellings: Vec<SpellingDifference>,
    /// How many items came in or fell out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// On the left.
    pub left: DivergenceSide,
    /// On the right.
    pub right: DivergenceSide,
    /// The words around it, where a text was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<TextExcerpt>,
}

/// One side of the place where two prompts part.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DivergenceSide {
    /// JSON Pointer of the value there; of what moved, where it stands on this side.
    pub pointer: String,
    /// The value as it was written, or its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Where two prompts part, and what that means for either.
pub(super) struct PrefixBreak {
    pub(super) divergence: PromptDivergence,
    /// What the two segments have in common.
    pub(super) common: CommonSize,
    /// Whether the first segment of both rests is the same one, changed or respelled.
    pub(super) paired: bool,
    /// Of such a pair: how much right says again behind the difference.
    pub(super) repeated: PromptSize,
}

/// What happened where the rests of two prompts begin; `None` where left has come to its end.
pub(super) fn find_break(
    rests: [&[PromptSegment<'_>]; 2],
    level: EqualityLevel,
    order: &PromptOrder,
) -> Option<PrefixBreak> {
    let one = rests[0].first()?;
    let Some(other) = rests[1].first() else {
        return Some(break_at_end(one, rests[0].len() as u64));
    };
    if one.part == other.part && one.digest() == other.digest() {
        return Some(break_by_spelling(one, other));
    }
    let digests = rests.map(|rest| rest.iter().map(PromptSegment::digest).collect::<Vec<_>>());
    let mut shift = detect_shift(&digests[0], &digests[1]);
    if shift == ListShift::Changed && one.part != other.part {
        shift = detect_extra_part(rests, order);
    }
    let (what, count) = shift.to_change_kind();
    let stands = match what {
        ChangeKind::Added => [side_without_value(one), side_with_value(other)],
        ChangeKind::Removed => [side_with_value(one), side_without_value(other)],
        ChangeKind::Moved => {
            let there = rests[1].iter().zip(&digests[1]);
            let moved = |(_, digest): &(_, &u64)| digests[0].first() == Some(*digest);
            let there = there.into_iter().find(moved).map(|(segment, _)| segment);
            [
                side_with_value(one),
                side_without_value(there.unwrap_or(other)),
            ]
        }
        _ => return Some(break_by_change(one, other, level)),
    };
    Some(break_by_shift(what, count, [one, other], stands, level))
}

/// Right has come to its end before so many segments of left.
fn break_at_end(one: &PromptSegment<'_>, count: u64) -> PrefixBreak {
    PrefixBreak {
        divergence: PromptDivergence {
            segment: one.name.clone(),
            what: ChangeKind::Removed,
            spellings: vec![],
            count: Some(count),
            left: side_with_value(one),
            right: DivergenceSide::default(),
            excerpt: None,
        },
        common: CommonSize::default(),
        paired: false,
        repeated: PromptSize::default(),
    }
}

/// Both rests begin with another part, and nothing of either is on the other side: one side has a part more.
fn detect_extra_part([left, right]: [&[PromptSegment<'_>]; 2], order: &PromptOrder) -> ListShift {
    let (Some(one), Some(other)) = (left.first(), right.first()) else {
        return ListShift::Changed;
    };
    let rank = |segment: &PromptSegment<'_>| {
        let mut parts = order.parts.iter();
        parts.position(|part| part.name == segment.part)
    };
    let of_part = |segments: &[PromptSegment<'_>], part: &str| {
        segments
            .iter()
            .take_while(|segment| segment.part == part)
            .count() as u64
    };
    match rank(other) < rank(one) {
        true => ListShift::Inserted(of_part(right, other.part)),
        false => ListShift::Removed(of_part(left, one.part)),
    }
}

fn break_by_shift(
    what: ChangeKind,
    count: u64,
    [one, other]: [&PromptSegment<'_>; 2],
    [left, right]: [DivergenceSide; 2],
    level: EqualityLevel,
) -> PrefixBreak {
    let named = match what {
        ChangeKind::Removed => one,
        _ => other,
    };
    // The bytes that two different segments begin with alike are equal bytes too.
    let equal = match level {
        EqualityLevel::Written => common_prefix_len(&one.text, &other.text) as u64,
        EqualityLevel::Values => 0,
    };
    PrefixBreak {
        divergence: PromptDivergence {
            segment: named.name.clone(),
            what,
            spellings: vec![],
            count: (count > 0).then_some(count),
            left,
            right,
            excerpt: None,
        },
        common: CommonSize {
            left: one.size.first_bytes(equal),
            right: other.size.first_bytes(equal),
        },
        paired: false,
        repeated: PromptSize::default(),
    }
}

fn break_by_spelling(one: &PromptSegment<'_>, other: &PromptSegment<'_>) -> PrefixBreak {
    let equal = common_prefix_len(&one.text, &other.text) as u64;
    let spellings = match (one.value, other.value) {
        (Some(left), Some(right)) => spelling_differences([left, right], [&one.text, &other.text]),
        _ => vec![],
    };
    let what = match spellings == [SpellingDifference::KeyOrder]
        || spellings == [SpellingDifference::FieldOrder]
    {
        true => ChangeKind::Reordered,
        false => ChangeKind::Respelled,
    };
    let at = |segment: &PromptSegment<'_>| DivergenceSide {
        pointer: segment.pointer_at(equal),
        value: Some(text_from(segment, equal)),
    };
    let rest = other.size.without(other.size.first_bytes(equal));
    PrefixBreak {
        divergence: PromptDivergence {
            segment: other.name.clone(),
            what,
            spellings,
            count: None,
            left: at(one),
            right: at(other),
            excerpt: None,
        },
        common: CommonSize {
            left: one.size.first_bytes(equal),
            right: other.size.first_bytes(equal),
        },
        paired: true,
        repeated: rest,
    }
}

fn break_by_change(
    one: &PromptSegment<'_>,
    other: &PromptSegment<'_>,
    level: EqualityLevel,
) -> PrefixBreak {
    let equal = common_prefix_len(&one.text, &other.text) as u64;
    let found = one.value.zip(other.value);
    let found = found.and_then(|(left, right)| first_difference(left, right, ValueRole::Block));
    let (what, count, sides, offsets) = match &found {
        None => {
            let sides = [one, other].map(|segment| DivergenceSide {
                pointer: segment.pointer.clone(),
                value: Some(text_from(segment, equal)),
            });
            (ChangeKind::Changed, 0, sides, [equal; 2])
        }
        Some(found) => {
            let sides = [
                side_at_spot(one, &found.left),
                side_at_spot(other, &found.right),
            ];
            let offsets = match level {
                EqualityLevel::Written => [equal; 2],
                EqualityLevel::Values => [
                    one.text_offset(found.left.offset),
                    other.text_offset(found.right.offset),
                ],
            };
            (found.kind, found.count, sides, offsets)
        }
    };
    let [left, right] = sides;
    let ends = one.text.iter().rev().zip(other.text.iter().rev());
    let alike = ends.take_while(|(left, right)| left == right).count() as u64;
    let rest = [(one, offsets[0]), (other, offsets[1])]
        .map(|(segment, offset)| (segment.text.len() as u64).saturating_sub(offset));
    let again = alike.min(rest[0]).min(rest[1]);
    PrefixBreak {
        divergence: PromptDivergence {
            segment: other.name.clone(),
            what,
            spellings: vec![],
            count: (count > 0).then_some(count),
            left,
            right,
            excerpt: found.and_then(|found| make_excerpt(&found.left, &found.right)),
        },
        common: CommonSize {
            left: one.size.first_bytes(offsets[0]),
            right: other.size.first_bytes(offsets[1]),
        },
        paired: true,
        repeated: other.size.first_bytes(again),
    }
}

fn make_excerpt(left: &DifferenceSpot<'_>, right: &DifferenceSpot<'_>) -> Option<TextExcerpt> {
    let (left, right) = (left.value?, right.value?);
    let (left, right) = (left.as_str()?, right.as_str()?);
    Some(TextExcerpt::around_difference(&left, &right))
}

/// How much of a value is told, in characters.
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

fn side_at_spot(segment: &PromptSegment<'_>, spot: &DifferenceSpot<'_>) -> DivergenceSide {
    let text = |value: crate::json::JsonValue<'_>| {
        truncate_end(&String::from_utf8_lossy(value.raw()), MAX_VALUE_CHARS)
    };
    DivergenceSide {
        pointer: format!("{}{}", segment.pointer, spot.path),
        value: spot.value.map(text),
    }
}

/// The text of a segment from a byte on.
fn text_from(segment: &PromptSegment<'_>, from: u64) -> String {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let rest = segment.text.get(from..).unwrap_or_default();
    // More bytes than the longest character times as many characters are not looked at.
    let rest = rest
        .get(..MAX_VALUE_CHARS.saturating_mul(4).saturating_add(4))
        .unwrap_or(rest);
    truncate_end(&String::from_utf8_lossy(rest), MAX_VALUE_CHARS)
}
