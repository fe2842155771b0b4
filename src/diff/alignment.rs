//! The ranges in which two sequences differ, found by the crate `similar`. Its Myers is bounded by the length of its
//! input and reads no clock, so that results are the same on every machine.

use std::hash::Hash;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// A range of the left sequence, and the range of the right one in its place; one of both may be empty.
pub(super) type ChangedRange = [Range<usize>; 2];

/// Items of both sequences together that are aligned at most: 200,000 on each side take about a second (benches/README.md,
/// "Aligners").
pub(super) const MAX_ALIGNED: usize = 400_000;

/// Returns the ranges that differ, ascending; only one, from the first difference to the last, if there are more items
/// than [`MAX_ALIGNED`]. At least one equal item is between any two of them.
///
/// `flipped` must be the opposite with the sides exchanged: both directions then search the same pair and mirror the
/// result.
pub(super) fn changed_ranges<T: Eq + Hash>(
    [left, right]: [&[T]; 2],
    flipped: bool,
) -> Vec<ChangedRange> {
    if left.len() + right.len() > MAX_ALIGNED {
        let (before, after) = common_ends(left, right);
        let changed = [left.len(), right.len()].map(|len| before..len - after);
        return Vec::from_iter((left != right).then_some(changed));
    }
    let ops = match flipped {
        false => capture_diff_slices(Algorithm::Myers, left, right),
        true => capture_diff_slices(Algorithm::Myers, right, left),
    };
    let mut changed: Vec<ChangedRange> = Vec::new();
    for op in ops {
        let mut ranges = [op.old_range(), op.new_range()];
        if flipped {
            ranges.swap(0, 1);
        }
        match changed.last_mut() {
            _ if matches!(op, DiffOp::Equal { .. }) => {}
            Some([left, right]) if left.end == ranges[0].start && right.end == ranges[1].start => {
                (left.end, right.end) = (ranges[0].end, ranges[1].end);
            }
            _ => changed.push(ranges),
        }
    }
    changed
}

/// Returns the number of equal items at the start of two sequences, and of those at the end behind them.
pub(super) fn common_ends<T: PartialEq>(left: &[T], right: &[T]) -> (usize, usize) {
    let is_equal = |(one, other): &(&T, &T)| one == other;
    let before = left.iter().zip(right).take_while(is_equal).count();
    let ends = [left, right].map(|side| side[before..].iter().rev());
    let [left, right] = ends;
    (before, left.zip(right).take_while(is_equal).count())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn items_between_the_changed_ranges_are_equal(
            left in prop::collection::vec(0u32..6, 0..40),
            right in prop::collection::vec(0u32..6, 0..40),
        ) {
            let flipped = (left.len(), &left) > (right.len(), &right);
            let changed = changed_ranges([&left, &right], flipped);
            let mut at = [0, 0];
            for [removed, added] in changed.iter().cloned().chain([[left.len()..left.len(), right.len()..right.len()]]) {
                prop_assert_eq!(&left[at[0]..removed.start], &right[at[1]..added.start]);
                at = [removed.end, added.end];
            }
            let mirrored = changed_ranges([&right, &left], !flipped).into_iter();
            let mirrored: Vec<_> = mirrored.map(|[added, removed]| [removed, added]).collect();
            if left != right {
                prop_assert_eq!(changed, mirrored);
            }
        }
    }

    #[test]
    fn too_many_items_are_one_changed_range() {
        let left: Vec<usize> = (0..MAX_ALIGNED).collect();
        let mut right = left.clone();
        (right[7], right[9]) = (0, 0);
        assert_eq!(changed_ranges([&left, &right], false), [[7..10, 7..10]]);
        assert!(changed_ranges([&left, &left], false).is_empty());
    }
}
