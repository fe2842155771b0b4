//! The alignment of the items of two arrays: which pairs of equal numbers are in the same order in both.
//!
//! Arrays may have millions of items, and the aligner of texts takes seconds for some of these. So long arrays are first
//! cut at numbers that each side has once (patience), and the pieces between are aligned if a [`StepMeter`] has steps
//! for the worst case. Otherwise only their equal ends are pairs.

use super::super::alignment::{changed_ranges, common_ends};
use super::super::increasing::longest_increasing;
use super::super::work_limit::StepMeter;
use super::entry_pairs::entries_by_number;

/// Length of both sides together below which arrays are not cut: Myers' algorithm alone is fast and exact there.
const MIN_CUT_LEN: usize = 1024;

/// Returns the pairs of indices of equal numbers that are in the same order on both sides, ascending. Where the meter has
/// too few steps, some are left out.
pub fn align(left: &[u32], right: &[u32], meter: &mut StepMeter) -> Vec<[usize; 2]> {
    let mut pairs = Vec::new();
    let mut from = [0, 0];
    let ends = [left.len(), right.len()];
    let (cuts, are_all) = find_cuts(left, right, meter);
    for to in cuts.into_iter().chain([ends]) {
        let piece = [&left[from[0]..to[0]], &right[from[1]..to[1]]];
        let (before, after) = common_ends(piece[0], piece[1]);
        pairs.extend((0..before).map(|at| from.map(|start| start + at)));
        if !are_all {
            let inner = piece.map(|side| &side[before..side.len() - after]);
            let found = align_inner(inner, meter).into_iter();
            pairs.extend(found.map(|[x, y]| [from[0] + before + x, from[1] + before + y]));
        }
        pairs.extend((1..=after).rev().map(|at| to.map(|end| end - at)));
        if to != ends {
            pairs.push(to);
            from = to.map(|at| at + 1);
        }
    }
    pairs
}

/// Returns the pairs of two pieces of arrays that differ at both ends; none if the meter has too few steps left.
fn align_inner([left, right]: [&[u32]; 2], meter: &mut StepMeter) -> Vec<[usize; 2]> {
    let mut pairs = Vec::new();
    if left.is_empty() || right.is_empty() {
        return pairs;
    }
    // Measured with benches/json_diff.rs: the worst case takes `size` times its root steps, divided by five.
    let size = left.len() + right.len();
    if !meter.spend((size * size.isqrt() / 5) as u64) {
        return pairs;
    }
    let mut from = [0, 0];
    let end = [left.len()..left.len(), right.len()..right.len()];
    for [removed, added] in changed_ranges([left, right], false)
        .into_iter()
        .chain([end])
    {
        pairs.extend(
            (from[0]..removed.start)
                .zip(from[1]..)
                .map(<[usize; 2]>::from),
        );
        from = [removed.end, added.end];
    }
    pairs
}

/// Returns the pairs at which long arrays are cut: numbers that each side has once, in the same order. They are safe
/// points if seven of eight common numbers are unique, or a quarter of the common numbers are unique and in order. With
/// fewer, a cut at a moved item could separate long equal runs. Returns true if all common numbers are unique: no others
/// can be pairs between the cuts.
fn find_cuts(left: &[u32], right: &[u32], meter: &mut StepMeter) -> (Vec<[usize; 2]>, bool) {
    let size = left.len() + right.len();
    // Four: they are sorted.
    if size <= MIN_CUT_LEN || !meter.spend(4 * size as u64) {
        return (Vec::new(), false);
    }
    let all = entries_by_number([left, right].map(|side| side.iter().copied().enumerate()));
    let mut common = 0;
    let mut unique = Vec::new();
    for same in all.chunk_by(|one, other| one.number == other.number) {
        let lefts = same.partition_point(|entry| entry.side == 0);
        let rights = same.len() - lefts;
        if lefts > 0 && rights > 0 {
            common += lefts.max(rights);
        }
        if let (1, [one, other]) = (lefts, same) {
            unique.push([one.index, other.index]);
        }
    }
    unique.sort_unstable();
    let order: Vec<u32> = unique.iter().map(|pair| pair[1] as u32).collect();
    let rising = longest_increasing(&order);
    if unique.len() * 8 < common * 7 && rising.len() * 4 < common {
        return (Vec::new(), false);
    }
    let cuts = rising.into_iter().map(|index| unique[index]).collect();
    (cuts, unique.len() == common)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn aligned(left: &[u32], right: &[u32]) -> Vec<[usize; 2]> {
        let mut meter = StepMeter::new(u64::MAX);
        let pairs = align(left, right, &mut meter);
        assert!(!meter.ran_out());
        assert_pairs(left, right, &pairs);
        pairs
    }

    fn assert_pairs(left: &[u32], right: &[u32], pairs: &[[usize; 2]]) {
        assert!(
            pairs
                .windows(2)
                .all(|pair| pair[0][0] < pair[1][0] && pair[0][1] < pair[1][1])
        );
        assert!(pairs.iter().all(|&[x, y]| left[x] == right[y]));
    }

    /// The length of a longest common subsequence, by dynamic programming.
    fn longest(left: &[u32], right: &[u32]) -> usize {
        let mut row = vec![0; right.len() + 1];
        for a in left {
            let mut diagonal = 0;
            for (at, b) in right.iter().enumerate() {
                let best = if a == b {
                    diagonal + 1
                } else {
                    row[at].max(row[at + 1])
                };
                diagonal = std::mem::replace(&mut row[at + 1], best);
            }
        }
        row[right.len()]
    }

    #[test]
    fn an_insertion_is_one() {
        assert_eq!(aligned(&[1, 2, 3], &[9, 1, 2, 3]), [[0, 1], [1, 2], [2, 3]]);
        assert_eq!(
            aligned(&[1, 2, 3], &[1, 9, 9, 2, 3]),
            [[0, 0], [1, 3], [2, 4]]
        );
        assert_eq!(aligned(&[1, 2], &[3, 4]), [[0; 2]; 0]);
        assert_eq!(aligned(&[5; 4], &[5; 3]).len(), 3);
    }

    #[test]
    fn a_long_array_is_cut_where_that_is_safe() {
        let left: Vec<u32> = (0..5000).collect();
        let mut right = left.clone();
        right.rotate_left(100);
        assert_eq!(aligned(&left, &right).len(), 4900);
        // The only number that both have once has moved: it must not separate all others.
        let repeated: Vec<u32> = (0..3000).map(|n| n % 7).collect();
        let front = [&[7], &repeated[..]].concat();
        let end = [&repeated[..], &[7]].concat();
        assert_eq!(aligned(&front, &end).len(), 3000);
    }

    #[test]
    fn without_steps_only_equal_ends_are_pairs() {
        let left: Vec<u32> = (0..4000).map(|n| n % 5).collect();
        let mut right = left.clone();
        right[10] = 9;
        right.insert(3000, 9);
        let mut meter = StepMeter::new(10);
        let pairs = align(&left, &right, &mut meter);
        assert!(meter.ran_out());
        assert_pairs(&left, &right, &pairs);
        assert_eq!(pairs.len(), 10 + 1000);
    }

    proptest! {
        #[test]
        fn nearly_all_equal_items_are_pairs(
            left in prop::collection::vec(0u32..1500, 0..1500),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0u32..1500), 0..60),
        ) {
            let mut right = left.clone();
            for (place, number) in edits.into_iter().filter(|_| !left.is_empty()) {
                let at = place.index(right.len());
                if number % 2 == 0 { right[at] = number } else { right.insert(at, number) }
            }
            let found = aligned(&left, &right).len();
            prop_assert!(found * 50 >= longest(&left, &right) * 49, "{}", found);
        }
    }
}
