//! Pairs the members of two objects by key, and finds the members that moved.

use super::super::increasing::longest_increasing;
use super::super::place::DuplicateKey;
use super::pairing::EntryPairing;

const NO_MEMBER: u32 = u32::MAX;

/// For each class of a key, the last member on either side that has it; [`NO_MEMBER`] between calls.
#[derive(Debug)]
pub(super) struct LastMembers(Vec<[u32; 2]>);

impl LastMembers {
    /// A table for keys whose classes are all below `classes`.
    pub(super) fn new(classes: usize) -> Self {
        Self(vec![[NO_MEMBER; 2]; classes])
    }
}

/// The number of each member among those with an equal key; empty for a side where no key is repeated.
#[derive(Debug, Default)]
pub(super) struct DuplicateTable([Vec<Option<DuplicateKey>>; 2]);

impl DuplicateTable {
    pub(super) fn get(&self, side: usize, at: usize) -> Option<DuplicateKey> {
        self.0[side].get(at).copied().flatten()
    }
}

/// Pairs members by the loose classes of their keys. Of several equal keys the last ones are a pair first, since readers
/// take the last.
pub(super) fn pair(keys: [&[u32]; 2], heads: &mut LastMembers) -> (EntryPairing, DuplicateTable) {
    let mut pairing = EntryPairing::new(keys.map(<[u32]>::len));
    let mut duplicates = DuplicateTable::default();
    let mut before = [Vec::new(), Vec::new()];
    for side in 0..2 {
        for (at, &key) in keys[side].iter().enumerate() {
            let head = &mut heads.0[key as usize][side];
            before[side].push(std::mem::replace(head, at as u32));
        }
    }
    for &key in keys[0].iter().chain(keys[1]) {
        // The first of several equal keys takes the whole chain.
        let last = std::mem::replace(&mut heads.0[key as usize], [NO_MEMBER; 2]);
        let chain = |side: usize| members_from_last(last[side], &before[side]);
        for (x, y) in chain(0).zip(chain(1)) {
            pairing.join([x, y]);
        }
        for (side, numbered) in duplicates.0.iter_mut().enumerate() {
            let of = chain(side).count() as u32;
            if of > 1 {
                numbered.resize(keys[side].len(), None);
                for (at, nth) in chain(side).zip((1..=of).rev()) {
                    numbered[at] = Some(DuplicateKey { nth, of });
                }
            }
        }
    }
    (pairing, duplicates)
}

/// The members with one key, from last to first.
fn members_from_last(last: u32, before: &[u32]) -> impl Iterator<Item = usize> {
    let known = |at: u32| (at != NO_MEMBER).then_some(at as usize);
    std::iter::successors(known(last), move |&at| known(before[at]))
}

/// Returns the members of the right side that moved, ascending: as few as explain the order. Side `first` decides between
/// equally short answers.
pub(super) fn moved_members(pairing: &EntryPairing, first: usize) -> Vec<usize> {
    let paired: Vec<[usize; 2]> = (0..pairing.len(first))
        .filter_map(|at| Some([at, pairing.partner(first, at)?]))
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
