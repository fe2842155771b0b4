//! Pairs the members of two objects by key, and finds the members that moved.

use super::super::increasing::longest_increasing;
use super::super::place::DuplicateKey;
use super::entry_pairs::{EntryPairs, entries_by_number};

/// For each member of both sides its number among members with an equal key; empty for a side that repeats no key.
pub(super) type DuplicateKeys = [Vec<Option<DuplicateKey>>; 2];

/// Pairs members by the numbers of their keys. Of several equal keys the last ones are a pair first, since readers take
/// the last.
pub(super) fn pair(keys: [&[u32]; 2]) -> (EntryPairs, DuplicateKeys) {
    let mut pairs = EntryPairs::new(keys.map(<[u32]>::len));
    let mut duplicates = DuplicateKeys::default();
    let all = entries_by_number(keys.map(|side| side.iter().copied().enumerate()));
    for same in all.chunk_by(|one, other| one.number == other.number) {
        let (left, right) = same.split_at(same.partition_point(|member| member.side == 0));
        for (one, other) in left.iter().rev().zip(right.iter().rev()) {
            pairs.join([one.index, other.index]);
        }
        for (side, members) in [left, right].into_iter().enumerate() {
            let of = members.len() as u32;
            for (member, nth) in members.iter().zip(1..).filter(|_| of > 1) {
                duplicates[side].resize(keys[side].len(), None);
                duplicates[side][member.index] = Some(DuplicateKey { nth, of });
            }
        }
    }
    (pairs, duplicates)
}

/// Returns the members of the right side that moved, ascending: as few as explain the order. Side `first` decides between
/// equally short answers.
pub(super) fn moved_members(pairs: &EntryPairs, first: usize) -> Vec<usize> {
    let paired: Vec<[usize; 2]> = (0..pairs.len(first))
        .filter_map(|at| Some([at, pairs.partner(first, at)?]))
        .collect();
    let order: Vec<u32> = paired.iter().map(|pair| pair[1] as u32).collect();
    let mut kept = vec![false; paired.len()];
    for index in longest_increasing(&order) {
        kept[index] = true;
    }
    let moved = paired.iter().zip(kept).filter(|(_, kept)| !kept);
    let mut moved: Vec<usize> = moved.map(|(pair, _)| pair[1 - first]).collect();
    moved.sort_unstable();
    moved
}
