//! What has been told, and how much more may be.

use super::super::effort::{Effort, Meter};
use super::{Change, ChangeKind, Comparison, Place};

#[derive(Debug)]
pub(super) struct Told {
    changes: Vec<Change>,
    /// Bytes that the changes take, about, and how many they may.
    spent: u64,
    most: u64,
    coarse: bool,
    pub(super) meter: Meter,
}

/// A point that can be gone back to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    count: usize,
    spent: u64,
}

impl Told {
    pub(super) fn new(effort: Effort) -> Self {
        Self {
            changes: Vec::new(),
            spent: 0,
            most: effort.bytes,
            coarse: false,
            meter: Meter::new(effort.steps),
        }
    }

    pub(super) fn tell(&mut self, kind: ChangeKind, [left, right]: [Place; 2], keys: Vec<String>) {
        let place = |place: &Place| place.path.len() + texts(&place.inside);
        let bytes = size_of::<Change>() + place(&left) + place(&right) + texts(&keys);
        self.spent = self.spent.saturating_add(bytes as u64);
        self.changes.push(Change {
            kind,
            left,
            right,
            keys,
        });
    }

    /// Whether no container should be gone into any more.
    pub(super) fn is_full(&self) -> bool {
        self.spent >= self.most
    }

    /// Whether even the changes of one container are too many.
    pub(super) fn is_overfull(&self) -> bool {
        self.spent >= self.bound()
    }

    /// Whether so many changes more would be too many.
    pub(super) fn would_overfill(&self, count: usize) -> bool {
        let bytes = (count as u64).saturating_mul(size_of::<Change>() as u64);
        self.spent.saturating_add(bytes) >= self.bound()
    }

    fn bound(&self) -> u64 {
        self.most.saturating_add(self.most / 4)
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            count: self.changes.len(),
            spent: self.spent,
        }
    }

    pub(super) fn has_more_than(&self, mark: Mark) -> bool {
        self.changes.len() > mark.count
    }

    /// Takes back what was told since `mark`.
    pub(super) fn back_to(&mut self, mark: Mark) {
        self.changes.truncate(mark.count);
        self.spent = mark.spent;
    }

    /// Something is told more coarsely than it could be.
    pub(super) fn coarsen(&mut self) {
        self.coarse = true;
    }

    pub(super) fn finish(self) -> Comparison {
        Comparison {
            coarse: self.coarse || self.meter.ran_out(),
            changes: self.changes,
        }
    }
}

fn texts(texts: &[String]) -> usize {
    let bytes = texts.iter().map(|text| text.len() + size_of::<String>());
    bytes.sum()
}
