//! The changes that were found, and how many more are allowed.

use super::super::change::ChangeKind;
use super::super::work_limit::{StepMeter, WorkLimit};
use super::difference::{JsonChange, JsonDiff, JsonPlace};

/// About how many bytes the last step of a path takes; the steps before it are shared with other changes.
const PATH_BYTES: usize = 64;

#[derive(Debug)]
pub(super) struct ChangeBudget {
    changes: Vec<JsonChange>,
    /// About how many bytes the changes take, and may take.
    bytes_spent: u64,
    max_bytes: u64,
    coarse: bool,
    pub(super) meter: StepMeter,
}

/// A state of a [`ChangeBudget`] to which changes can be rolled back.
#[derive(Clone, Copy, Debug)]
pub(super) struct BudgetMark {
    change_count: usize,
    bytes_spent: u64,
}

impl ChangeBudget {
    pub(super) fn new(effort: WorkLimit) -> Self {
        Self {
            changes: Vec::new(),
            bytes_spent: 0,
            max_bytes: effort.max_bytes,
            coarse: false,
            meter: StepMeter::new(effort.max_steps),
        }
    }

    pub(super) fn push_change(
        &mut self,
        kind: ChangeKind,
        [left, right]: [JsonPlace; 2],
        keys: Vec<String>,
    ) {
        let key_bytes: usize = keys.iter().map(|key| key.len() + size_of::<String>()).sum();
        let bytes = size_of::<JsonChange>() + 2 * PATH_BYTES + key_bytes;
        self.bytes_spent = self.bytes_spent.saturating_add(bytes as u64);
        self.changes.push(JsonChange {
            kind,
            is_key: false,
            left,
            right,
            keys,
        });
    }

    /// Records that the last change is one of a key.
    pub(super) fn mark_last_as_key(&mut self) {
        if let Some(last) = self.changes.last_mut() {
            last.is_key = true;
        }
    }

    /// Whether no further container should be compared inside.
    pub(super) fn is_full(&self) -> bool {
        self.bytes_spent >= self.max_bytes
    }

    /// Whether the container that is being compared has too many changes.
    pub(super) fn is_overfull(&self) -> bool {
        self.bytes_spent >= self.hard_limit()
    }

    /// Whether `count` more changes would be too many.
    pub(super) fn would_overfill(&self, count: usize) -> bool {
        let bytes = (count as u64).saturating_mul(size_of::<JsonChange>() as u64);
        self.bytes_spent.saturating_add(bytes) >= self.hard_limit()
    }

    fn hard_limit(&self) -> u64 {
        self.max_bytes.saturating_add(self.max_bytes / 4)
    }

    pub(super) fn mark(&self) -> BudgetMark {
        BudgetMark {
            change_count: self.changes.len(),
            bytes_spent: self.bytes_spent,
        }
    }

    pub(super) fn has_changes_since(&self, mark: BudgetMark) -> bool {
        self.changes.len() > mark.change_count
    }

    /// Removes the changes that were recorded since `mark`.
    pub(super) fn roll_back(&mut self, mark: BudgetMark) {
        self.changes.truncate(mark.change_count);
        self.bytes_spent = mark.bytes_spent;
    }

    /// Records that a change is reported in less detail than possible.
    pub(super) fn mark_coarse(&mut self) {
        self.coarse = true;
    }

    pub(super) fn finish(self) -> JsonDiff {
        JsonDiff {
            coarse: self.coarse || self.meter.ran_out(),
            changes: self.changes,
        }
    }
}
