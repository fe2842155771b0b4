//! Where two prompts part: which segment, what happened there, the places on both sides and the words.

use serde::Serialize;

use super::breach::{Shift, Spot, first, shift};
use super::excerpt::{Excerpt, first_of};
use super::order::Order;
use super::prefix::{Common, Level};
use super::segments::{Segment, Size};
use super::value::{Role, Spelling, spellings};
use crate::diff::bytes::common;
use crate::diff::change::What;

/// Where two prompts part.
#[derive(Clone, Debug, Serialize)]
pub struct Divergence {
    /// The segment that breaks, by its name on the side that has it.
    pub segment: String,
    /// What happened there: something was changed, came in (`added`), fell out (`removed`), stands elsewhere
    /// (`moved`); or it says the same and is spelled otherwise (`respelled`, `reordered` where only the order of
    /// keys differs).
    pub what: What,
    /// How the spelling differs, where only that does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spellings: Vec<Spelling>,
    /// How many items came in or fell out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// On the left.
    pub left: Stand,
    /// On the right.
    pub right: Stand,
    /// The words around it, where a text was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub excerpt: Option<Excerpt>,
}

/// One side of the place where two prompts part.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stand {
    /// JSON Pointer of the value there; of what moved, where it stands on this side.
    pub pointer: String,
    /// The value as it was written, or its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Where two prompts part, and what that means for either.
pub(super) struct Breach {
    pub(super) divergence: Divergence,
    /// What the two segments have in common.
    pub(super) common: Common,
    /// Whether the first segment of both rests is the same one, changed or respelled.
    pub(super) paired: bool,
    /// Of such a pair: how much right says again behind the difference.
    pub(super) again: Size,
}

/// What happened where the rests of two prompts begin; `None` where left has come to its end.
pub(super) fn breach(rests: [&[Segment<'_>]; 2], level: Level, order: &Order) -> Option<Breach> {
    let one = rests[0].first()?;
    let Some(other) = rests[1].first() else {
        return Some(ended(one, rests[0].len() as u64));
    };
    if one.part == other.part && one.digest() == other.digest() {
        return Some(respelled(one, other));
    }
    let digests = rests.map(|rest| rest.iter().map(Segment::digest).collect::<Vec<_>>());
    let mut shift = shift(&digests[0], &digests[1]);
    if shift == Shift::Changed && one.part != other.part {
        shift = part_of_its_own(rests, order);
    }
    let (what, count) = shift.what();
    let stands = match what {
        What::Added => [place(one), stand(other)],
        What::Removed => [stand(one), place(other)],
        What::Moved => {
            let there = rests[1].iter().zip(&digests[1]);
            let moved = |(_, digest): &(_, &u64)| digests[0].first() == Some(*digest);
            let there = there.into_iter().find(moved).map(|(segment, _)| segment);
            [stand(one), place(there.unwrap_or(other))]
        }
        _ => return Some(changed(one, other, level)),
    };
    Some(shifted(what, count, [one, other], stands, level))
}

/// Right has come to its end before so many segments of left.
fn ended(one: &Segment<'_>, count: u64) -> Breach {
    Breach {
        divergence: Divergence {
            segment: one.name.clone(),
            what: What::Removed,
            spellings: vec![],
            count: Some(count),
            left: stand(one),
            right: Stand::default(),
            excerpt: None,
        },
        common: Common::default(),
        paired: false,
        again: Size::default(),
    }
}

/// Both rests begin with another part, and nothing of either is on the other side: one side has a part more.
fn part_of_its_own([left, right]: [&[Segment<'_>]; 2], order: &Order) -> Shift {
    let (Some(one), Some(other)) = (left.first(), right.first()) else {
        return Shift::Changed;
    };
    let rank = |segment: &Segment<'_>| {
        let mut parts = order.parts.iter();
        parts.position(|part| part.name == segment.part)
    };
    let of_part = |segments: &[Segment<'_>], part: &str| {
        segments
            .iter()
            .take_while(|segment| segment.part == part)
            .count() as u64
    };
    match rank(other) < rank(one) {
        true => Shift::Inserted(of_part(right, other.part)),
        false => Shift::Removed(of_part(left, one.part)),
    }
}

fn shifted(
    what: What,
    count: u64,
    [one, other]: [&Segment<'_>; 2],
    [left, right]: [Stand; 2],
    level: Level,
) -> Breach {
    let named = match what {
        What::Removed => one,
        _ => other,
    };
    // The bytes that two different segments begin with alike are equal bytes too.
    let equal = match level {
        Level::Written => common(&one.text, &other.text) as u64,
        Level::Values => 0,
    };
    Breach {
        divergence: Divergence {
            segment: named.name.clone(),
            what,
            spellings: vec![],
            count: (count > 0).then_some(count),
            left,
            right,
            excerpt: None,
        },
        common: Common {
            left: one.size.part(equal),
            right: other.size.part(equal),
        },
        paired: false,
        again: Size::default(),
    }
}

fn respelled(one: &Segment<'_>, other: &Segment<'_>) -> Breach {
    let equal = common(&one.text, &other.text) as u64;
    let spellings = match (one.value, other.value) {
        (Some(left), Some(right)) => spellings([left, right], [&one.text, &other.text]),
        _ => vec![],
    };
    let what = match spellings == [Spelling::KeyOrder] || spellings == [Spelling::FieldOrder] {
        true => What::Reordered,
        false => What::Respelled,
    };
    let at = |segment: &Segment<'_>| Stand {
        pointer: segment.pointer_at(equal),
        value: Some(near(segment, equal)),
    };
    let rest = other.size.without(other.size.part(equal));
    Breach {
        divergence: Divergence {
            segment: other.name.clone(),
            what,
            spellings,
            count: None,
            left: at(one),
            right: at(other),
            excerpt: None,
        },
        common: Common {
            left: one.size.part(equal),
            right: other.size.part(equal),
        },
        paired: true,
        again: rest,
    }
}

fn changed(one: &Segment<'_>, other: &Segment<'_>, level: Level) -> Breach {
    let equal = common(&one.text, &other.text) as u64;
    let found = one.value.zip(other.value);
    let found = found.and_then(|(left, right)| first(left, right, Role::Block));
    let (what, count, sides, offsets) = match &found {
        None => {
            let sides = [one, other].map(|segment| Stand {
                pointer: segment.pointer.clone(),
                value: Some(near(segment, equal)),
            });
            (What::Changed, 0, sides, [equal; 2])
        }
        Some(found) => {
            let sides = [inside(one, &found.left), inside(other, &found.right)];
            let offsets = match level {
                Level::Written => [equal; 2],
                Level::Values => [one.offset(found.left.at), other.offset(found.right.at)],
            };
            (found.what, found.count, sides, offsets)
        }
    };
    let [left, right] = sides;
    let ends = one.text.iter().rev().zip(other.text.iter().rev());
    let alike = ends.take_while(|(left, right)| left == right).count() as u64;
    let rest = [(one, offsets[0]), (other, offsets[1])]
        .map(|(segment, offset)| (segment.text.len() as u64).saturating_sub(offset));
    let again = alike.min(rest[0]).min(rest[1]);
    Breach {
        divergence: Divergence {
            segment: other.name.clone(),
            what,
            spellings: vec![],
            count: (count > 0).then_some(count),
            left,
            right,
            excerpt: found.and_then(|found| excerpt(&found.left, &found.right)),
        },
        common: Common {
            left: one.size.part(offsets[0]),
            right: other.size.part(offsets[1]),
        },
        paired: true,
        again: other.size.part(again),
    }
}

fn excerpt(left: &Spot<'_>, right: &Spot<'_>) -> Option<Excerpt> {
    let (left, right) = (left.value?, right.value?);
    let (left, right) = (left.as_str()?, right.as_str()?);
    Some(Excerpt::of(&left, &right))
}

/// How much of a value is told, in characters.
const VALUE: usize = 200;

fn stand(segment: &Segment<'_>) -> Stand {
    Stand {
        value: Some(near(segment, 0)),
        ..place(segment)
    }
}

fn place(segment: &Segment<'_>) -> Stand {
    Stand {
        pointer: segment.pointer.clone(),
        value: None,
    }
}

fn inside(segment: &Segment<'_>, spot: &Spot<'_>) -> Stand {
    let text =
        |value: crate::json::JsonValue<'_>| first_of(&String::from_utf8_lossy(value.raw()), VALUE);
    Stand {
        pointer: format!("{}{}", segment.pointer, spot.path),
        value: spot.value.map(text),
    }
}

/// The text of a segment from a byte on.
fn near(segment: &Segment<'_>, from: u64) -> String {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let rest = segment.text.get(from..).unwrap_or_default();
    // More bytes than the longest character times as many characters are not looked at.
    let rest = rest
        .get(..VALUE.saturating_mul(4).saturating_add(4))
        .unwrap_or(rest);
    first_of(&String::from_utf8_lossy(rest), VALUE)
}
