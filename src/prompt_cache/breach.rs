//! The first difference between two values, or two lists: what was changed, came in, fell out, or moved.

use super::value::{Member, Role, digest, same_keys, sorted};
use crate::diff::bytes::common;
use crate::diff::change::What;
use crate::json::{JsonKind, JsonValue, ValuePath};

/// The first difference between two values.
#[derive(Debug)]
pub(super) struct Found<'a> {
    pub(super) what: What,
    /// How many items came in or fell out; zero for what is no item.
    pub(super) count: u64,
    pub(super) left: Spot<'a>,
    pub(super) right: Spot<'a>,
}

/// One side of a difference.
#[derive(Clone, Debug, Default)]
pub(super) struct Spot<'a> {
    /// From the values compared to this one.
    pub(super) path: ValuePath,
    /// What stands there.
    pub(super) value: Option<JsonValue<'a>>,
    /// The first byte that differs, in the body.
    pub(super) at: u64,
}

impl<'a> Spot<'a> {
    fn of(value: JsonValue<'a>) -> Self {
        Self {
            path: ValuePath::default(),
            value: Some(value),
            at: value.span().start,
        }
    }

    /// Where something could stand at the end of `container`.
    fn end(container: JsonValue<'a>) -> Self {
        Self {
            path: ValuePath::default(),
            value: None,
            at: container.span().end.saturating_sub(1),
        }
    }

    fn below(self, step: &str) -> Self {
        let steps = std::iter::once(step).chain(self.path.steps().iter().map(String::as_str));
        Self {
            path: steps.map(str::to_owned).collect(),
            ..self
        }
    }
}

impl<'a> Found<'a> {
    fn new(what: What, left: Spot<'a>, right: Spot<'a>) -> Self {
        Self {
            what,
            count: 0,
            left,
            right,
        }
    }

    fn changed(left: JsonValue<'a>, right: JsonValue<'a>) -> Self {
        let common = common(left.raw(), right.raw()) as u64;
        let spot = |value: JsonValue<'a>| Spot {
            at: value.span().start.saturating_add(common),
            ..Spot::of(value)
        };
        Self::new(What::Changed, spot(left), spot(right))
    }

    fn below(self, left: &str, right: &str) -> Self {
        Self {
            left: self.left.below(left),
            right: self.right.below(right),
            ..self
        }
    }
}

/// The first difference that is more than spelling; `None` where both say the same.
pub(super) fn first<'a>(
    left: JsonValue<'a>,
    right: JsonValue<'a>,
    role: Role,
) -> Option<Found<'a>> {
    match (left.kind(), right.kind()) {
        _ if left.raw() == right.raw() => None,
        (JsonKind::Object, JsonKind::Object) => first_member(left, right, role),
        (JsonKind::Array, JsonKind::Array) => first_item(left, right, role),
        _ if digest(left, role) == digest(right, role) => None,
        _ => Some(Found::changed(left, right)),
    }
}

fn first_member<'a>(left: JsonValue<'a>, right: JsonValue<'a>, role: Role) -> Option<Found<'a>> {
    let in_order = same_keys(left, right, role);
    let sides = [left, right].map(|value| sorted(value, role).into_iter().peekable());
    let [mut lefts, mut rights] = sides;
    let mut founds = Vec::new();
    loop {
        let which = match (lefts.peek(), rights.peek()) {
            (None, None) => break,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(one), Some(other)) => one.0.cmp(&other.0),
        };
        let (one, other) = match which {
            std::cmp::Ordering::Less => (lefts.next(), None),
            std::cmp::Ordering::Greater => (None, rights.next()),
            std::cmp::Ordering::Equal => (lefts.next(), rights.next()),
        };
        founds.extend(member(one, other, left, right));
    }
    // In the order of the text; what only one side has comes last on the other.
    let place = |found: &Found<'_>| match in_order {
        true => (found.right.at, 0),
        false => (found.left.at, found.right.at),
    };
    founds.into_iter().min_by_key(place)
}

fn member<'a>(
    one: Option<Member<'a>>,
    other: Option<Member<'a>>,
    left: JsonValue<'a>,
    right: JsonValue<'a>,
) -> Option<Found<'a>> {
    let spot = |key: JsonValue<'a>, value: JsonValue<'a>, name: &str| {
        let at = key.span().start;
        Spot {
            at,
            ..Spot::of(value)
        }
        .below(name)
    };
    match (one, other) {
        (Some((name, _, one, role)), Some((_, _, other, _))) => {
            Some(first(one, other, role)?.below(&name, &name))
        }
        (Some((name, key, one, _)), None) => {
            let gone = spot(key, one, &name);
            Some(Found::new(What::Removed, gone, Spot::end(right)))
        }
        (None, Some((name, key, other, _))) => {
            let new = spot(key, other, &name);
            Some(Found::new(What::Added, Spot::end(left), new))
        }
        (None, None) => None,
    }
}

/// Up to which size of an array it is looked for items that came in: nested ones would be read once a level.
const SHIFTED: u64 = 64 << 10;

fn first_item<'a>(left: JsonValue<'a>, right: JsonValue<'a>, role: Role) -> Option<Found<'a>> {
    let of_item = match role {
        Role::Blocks => Role::Block,
        _ => Role::Other,
    };
    let (mut lefts, mut rights) = (left.items(), right.items());
    let mut n = 0usize;
    loop {
        let rest = (lefts.clone(), rights.clone());
        let (one, other) = (lefts.next(), rights.next());
        let found = match (one, other) {
            (None, None) => return None,
            (Some(one), Some(other)) => first(one, other, of_item),
            _ => Some(Found::new(What::Changed, Spot::end(left), Spot::end(right))),
        };
        let Some(found) = found else {
            n = n.saturating_add(1);
            continue;
        };
        let small = left.span().len().max(right.span().len()) <= SHIFTED;
        let ended = one.is_none() || other.is_none();
        let shift = match role == Role::Blocks || small || ended {
            true => {
                let digests = |items: crate::json::ArrayItems<'a>| -> Vec<u64> {
                    items.map(|item| digest(item, of_item)).collect()
                };
                shift(&digests(rest.0), &digests(rest.1))
            }
            false => Shift::Changed,
        };
        let step = n.to_string();
        let spot = |item: Option<JsonValue<'a>>, container| match item {
            Some(item) => Spot::of(item).below(&step),
            None => Spot::end(container),
        };
        let (what, count) = shift.what();
        return Some(match what {
            What::Changed => found.below(&step, &step),
            what => Found {
                count,
                ..Found::new(what, spot(one, left), spot(other, right))
            },
        });
    }
}

/// What happened between two lists that differ from their first item on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Shift {
    /// So many items came in before what left begins with.
    Inserted(u64),
    /// So many items fell out before what right begins with.
    Removed(u64),
    /// Both have both, in another order.
    Moved,
    /// The first items are different ones.
    Changed,
}

impl Shift {
    /// As a change, and how many items.
    pub(super) fn what(self) -> (What, u64) {
        match self {
            Self::Inserted(count) => (What::Added, count),
            Self::Removed(count) => (What::Removed, count),
            Self::Moved => (What::Moved, 0),
            Self::Changed => (What::Changed, 0),
        }
    }
}

/// Tells by the digests of both lists.
pub(super) fn shift(left: &[u64], right: &[u64]) -> Shift {
    let (Some(one), Some(other)) = (left.first(), right.first()) else {
        return match left.is_empty() {
            true => Shift::Inserted(right.len() as u64),
            false => Shift::Removed(left.len() as u64),
        };
    };
    let inserted = right.iter().position(|digest| digest == one);
    let removed = left.iter().position(|digest| digest == other);
    let count = |list: &[u64], wanted: &u64| list.iter().filter(|digest| *digest == wanted).count();
    match (inserted, removed) {
        (Some(n), None) => Shift::Inserted(n as u64),
        (None, Some(n)) => Shift::Removed(n as u64),
        (None, None) => Shift::Changed,
        // One that comes again and again is found on both sides, whatever happened.
        (Some(n), Some(_)) if count(right, other) > count(left, other) => Shift::Inserted(n as u64),
        (Some(_), Some(n)) if count(left, one) > count(right, one) => Shift::Removed(n as u64),
        (Some(_), Some(_)) => Shift::Moved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonDocument;

    #[test]
    fn lists_shift() {
        let case = |left: &[u64], right: &[u64], expected| {
            assert_eq!(shift(left, right), expected, "{left:?} {right:?}");
        };
        case(&[1, 2], &[9, 1, 2], Shift::Inserted(1));
        case(&[1, 2, 3], &[3], Shift::Removed(2));
        case(&[1, 2], &[2, 1], Shift::Moved);
        case(&[1, 2], &[3, 2], Shift::Changed);
        case(&[], &[1, 2], Shift::Inserted(2));
        case(&[1], &[], Shift::Removed(1));
        case(&[1, 2, 1], &[2, 1], Shift::Removed(1));
        case(&[2, 1], &[1, 2, 1], Shift::Inserted(1));
    }

    #[test]
    fn the_first_difference_has_a_place_on_both_sides() {
        let case = |left: &str, right: &str, what, paths: [&str; 2], bytes: [&str; 2]| {
            let documents = [left, right].map(|text| JsonDocument::parse(text.as_bytes()).unwrap());
            let found = first(documents[0].root(), documents[1].root(), Role::Block).unwrap();
            assert_eq!(found.what, what, "{left} {right}");
            let spots = [&found.left, &found.right];
            assert_eq!(
                spots.map(|spot| spot.path.to_string()),
                paths,
                "{left} {right}"
            );
            for ((spot, text), expected) in spots.into_iter().zip([left, right]).zip(bytes) {
                let rest = &text[usize::try_from(spot.at).unwrap()..];
                assert!(rest.starts_with(expected), "{rest} {expected}");
            }
        };
        case(
            r#"{"a":"one two"}"#,
            r#"{"a":"one three"}"#,
            What::Changed,
            ["/a", "/a"],
            ["wo", "hree"],
        );
        case(
            r#"{"a":1,"b":2}"#,
            r#"{"b":3,"a":1}"#,
            What::Changed,
            ["/b", "/b"],
            ["2", "3"],
        );
        case(
            r#"{"a":1}"#,
            r#"{"a":1,"b":2}"#,
            What::Added,
            ["", "/b"],
            ["}", "\"b\""],
        );
        case(
            r#"{"a":1,"b":2}"#,
            r#"{"b":2}"#,
            What::Removed,
            ["/a", ""],
            ["\"a\"", "}"],
        );
        case(
            r#"{"a":[1,2]}"#,
            r#"{"a":[0,1,2]}"#,
            What::Added,
            ["/a/0", "/a/0"],
            ["1", "0"],
        );
        case(
            r#"{"a":[1,2]}"#,
            r#"{"a":[1]}"#,
            What::Removed,
            ["/a/1", "/a"],
            ["2", "]"],
        );
        case(
            r#"{"a":["x","y"]}"#,
            r#"{"a":["y","x"]}"#,
            What::Moved,
            ["/a/0", "/a/0"],
            ["\"x", "\"y"],
        );
        case(
            r#"{"a":1}"#,
            r#"{"a":"1"}"#,
            What::Changed,
            ["/a", "/a"],
            ["1", "\"1"],
        );
        case(
            r#"{"a/b":{"~":1}}"#,
            r#"{"a/b":{"~":2}}"#,
            What::Changed,
            ["/a~1b/~0", "/a~1b/~0"],
            ["1", "2"],
        );
    }

    #[test]
    fn spelling_is_no_difference() {
        let same = JsonDocument::parse(br#"{"a":[1]}"#).unwrap();
        let spelled = JsonDocument::parse(br#"{ "a" : [1.0] }"#).unwrap();
        assert!(first(same.root(), spelled.root(), Role::Block).is_none());
    }
}
