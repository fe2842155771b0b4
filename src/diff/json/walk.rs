//! The walk down both trees at once: it compares the values of each pair, and pairs what they hold.

use super::super::change::ChangeKind;
use super::super::place::{DuplicateKey, PathStep};
use super::super::work_limit::WorkLimit;
use super::budget::ChangeBudget;
use super::difference::JsonDiff;
use super::entry_pairs::{EntryPairs, PairEvent};
use super::items::{ArrayItems, ItemPairer};
use super::members::DuplicateKeys;
use super::path_tracker::PathTracker;
use super::value_numbers::{ValueNumbers, between_quotes};
use super::walk_side::{ContainerEntries, ContainerEntry, WalkSide};
use super::{members, spelling};
use crate::json::{JsonDocument, JsonKind as Value, MAX_DEPTH};
use crate::span::Span;

/// Levels of JSON in strings that are compared inside. Each level is unescaped and parsed again, so a limit bounds the
/// work.
const MAX_STRING_DEPTH: usize = 4;

pub(super) fn compare(
    left: &JsonDocument<'_>,
    right: &JsonDocument<'_>,
    effort: WorkLimit,
) -> JsonDiff {
    let mut budget = ChangeBudget::new(effort);
    // Both directions search the same pair and mirror the result, so that swapping the sides mirrors every change.
    let size = |document: &JsonDocument<'_>| document.bytes().len();
    let flipped = (size(left), left.bytes()) > (size(right), right.bytes());
    let mut walk = TreeWalk::new(
        [left, right],
        [PathTracker::new(), PathTracker::new()],
        flipped,
        &mut budget,
    );
    walk.compare_values([0, 0], [None; 2]);
    budget.finish()
}

struct TreeWalk<'a, 't> {
    sides: [WalkSide<'a>; 2],
    loose_numbers: Vec<u32>,
    /// Whether algorithms that are not symmetric take the right side as the first.
    flipped: bool,
    /// Containers that the walk is inside of, and strings with JSON.
    depth: usize,
    string_depth: usize,
    budget: &'t mut ChangeBudget,
}

impl<'a, 't> TreeWalk<'a, 't> {
    fn new(
        [left, right]: [&'a JsonDocument<'a>; 2],
        [to_left, to_right]: [PathTracker<'a>; 2],
        flipped: bool,
        budget: &'t mut ChangeBudget,
    ) -> Self {
        let ValueNumbers { exact, loose } = ValueNumbers::from_documents(left, right);
        let [in_left, in_right] = exact;
        let side = |document, numbers, trail| WalkSide {
            document,
            numbers,
            path: trail,
        };
        Self {
            sides: [
                side(left, in_left, to_left),
                side(right, in_right, to_right),
            ],
            loose_numbers: loose,
            flipped,
            depth: 0,
            string_depth: 0,
            budget,
        }
    }

    fn is_same(&self, nodes: [usize; 2]) -> bool {
        self.sides[0].numbers[nodes[0]] == self.sides[1].numbers[nodes[1]]
    }

    fn loose_number(&self, side: usize, node: usize) -> u32 {
        self.loose_numbers[self.sides[side].numbers[node] as usize]
    }

    fn add_change(
        &mut self,
        kind: ChangeKind,
        nodes: [usize; 2],
        duplicates: [Option<DuplicateKey>; 2],
    ) {
        let places = [0, 1].map(|side| {
            let own = &self.sides[side];
            own.place(own.node(nodes[side]).span(), duplicates[side])
        });
        self.budget.push_change(kind, places, Vec::new());
    }

    /// Adds what differs between the two values of a pair.
    fn compare_values(&mut self, nodes: [usize; 2], duplicates: [Option<DuplicateKey>; 2]) {
        if self.is_same(nodes) {
            return;
        }
        match [0, 1].map(|side| self.sides[side].node(nodes[side]).kind()) {
            [Value::Object, Value::Object] | [Value::Array, Value::Array] => {
                self.compare_containers(nodes, duplicates);
            }
            _ if self.loose_number(0, nodes[0]) == self.loose_number(1, nodes[1]) => {
                self.add_change(ChangeKind::Respelled, nodes, duplicates);
            }
            [Value::String, Value::String] if self.compare_strings(nodes) => {}
            _ => self.add_change(ChangeKind::Changed, nodes, duplicates),
        }
    }

    fn compare_containers(&mut self, nodes: [usize; 2], duplicates: [Option<DuplicateKey>; 2]) {
        let mark = self.budget.mark();
        if !self.budget.is_full() && self.depth < MAX_DEPTH {
            self.depth += 1;
            let whole = self.compare_entries(nodes, duplicates);
            self.depth -= 1;
            if whole {
                return;
            }
        }
        self.budget.roll_back(mark);
        self.budget.mark_coarse();
        self.add_change(ChangeKind::Changed, nodes, duplicates);
    }

    /// Adds what differs inside two containers. Returns false if that is more than the budget allows.
    fn compare_entries(&mut self, nodes: [usize; 2], own: [Option<DuplicateKey>; 2]) -> bool {
        if let Some(both) = self.lone_entries(nodes) {
            self.compare_pair(both, false);
            return !self.budget.is_overfull();
        }
        let entries = [0, 1].map(|side| self.sides[side].entries(nodes[side]));
        let (pairing, duplicates) = match self.sides[0].node(nodes[0]).kind() {
            Value::Object => self.pair_members(nodes, own, &entries),
            _ => (self.pair_items(&entries), DuplicateKeys::default()),
        };
        if self.budget.would_overfill(pairing.change_count()) {
            return false;
        }
        let get = |side: usize, at: usize| duplicates[side].get(at).copied().flatten();
        for event in pairing.events() {
            match event {
                _ if self.budget.is_overfull() => return false,
                PairEvent::Unpaired {
                    side,
                    index: at,
                    insert_at: stands,
                } => {
                    let gap = self.sides[1 - side].gap_span(&entries[1 - side], stands);
                    let at = entries[side].entry(at, get(side, at));
                    self.add_one_sided(side, at, stands, gap);
                }
                PairEvent::Paired { indices: at, moved } => {
                    let both =
                        [0, 1].map(|side| entries[side].entry(at[side], get(side, at[side])));
                    self.compare_pair(both, moved);
                }
            }
        }
        !self.budget.is_overfull()
    }

    /// Returns the only entries of two containers if they are a pair: towers of brackets are compared without making
    /// lists.
    fn lone_entries(&self, nodes: [usize; 2]) -> Option<[ContainerEntry; 2]> {
        let [left, right] = [0, 1].map(|side| self.sides[side].lone_entry(nodes[side]));
        let both = [left?, right?];
        let kinds = [0, 1].map(|side| self.sides[side].node(both[side].value).kind());
        let belong = match both.map(|entry| entry.key) {
            [Some(left), Some(right)] => self.loose_number(0, left) == self.loose_number(1, right),
            _ => kinds[0] == kinds[1] && kinds[0] != Value::Object,
        };
        belong.then_some(both)
    }

    /// Pairs the members of two objects, and adds a change if they are in another order.
    fn pair_members(
        &mut self,
        nodes: [usize; 2],
        own: [Option<DuplicateKey>; 2],
        entries: &[ContainerEntries; 2],
    ) -> (EntryPairs, DuplicateKeys) {
        let keys = [0, 1].map(|side| -> Vec<u32> {
            let keys = (0..entries[side].len()).filter_map(|at| entries[side].key(at));
            keys.map(|key| self.loose_number(side, key)).collect()
        });
        let (pairing, duplicates) = members::pair([&keys[0], &keys[1]]);
        let moved = members::moved_members(&pairing, usize::from(self.flipped));
        if !moved.is_empty() {
            let keys = moved.into_iter().filter_map(|at| entries[1].key(at));
            let keys = keys
                .map(|key| self.sides[1].text(key).into_owned())
                .collect();
            let places = [0, 1].map(|side| {
                let at = &self.sides[side];
                at.place(at.node(nodes[side]).span(), own[side])
            });
            self.budget.push_change(ChangeKind::Reordered, places, keys);
        }
        (pairing, duplicates)
    }

    fn pair_items(&mut self, entries: &[ContainerEntries; 2]) -> EntryPairs {
        let lengths = entries.each_ref().map(ContainerEntries::len);
        let least = lengths[0].min(lengths[1]);
        let same = |left: usize, right: usize| {
            self.is_same([entries[0].value(left), entries[1].value(right)])
        };
        let before = (0..least).take_while(|&at| same(at, at)).count();
        let after = (1..=least - before)
            .take_while(|&end| same(lengths[0] - end, lengths[1] - end))
            .count();
        let list = |side: usize| ArrayItems {
            document: self.sides[side].document,
            numbers: &self.sides[side].numbers,
            nodes: entries[side].items(before..lengths[side] - after),
        };
        let first = usize::from(self.flipped);
        let items = ItemPairer {
            sides: [list(first), list(1 - first)],
            loose: &self.loose_numbers,
        };
        let (pairing, coarse) = items.pair(&mut self.budget.meter);
        if coarse {
            self.budget.mark_coarse();
        }
        pairing.flip(self.flipped).with_equal_before(before)
    }

    /// Adds an entry that only one side has.
    fn add_one_sided(&mut self, side: usize, entry: ContainerEntry, stands: usize, gap: Span) {
        let step = self.sides[side].step(&entry);
        let there = match &step {
            PathStep::Item(_) => PathStep::Item(stands),
            key => key.clone(),
        };
        let own = self.sides[side].path.enter(step, entry.duplicate);
        let other = self.sides[1 - side].path.enter(there, None);
        let place = {
            let side = &self.sides[side];
            side.place(side.node(entry.value).span(), entry.duplicate)
        };
        let stands = self.sides[1 - side].place(gap, None);
        match side {
            0 => self
                .budget
                .push_change(ChangeKind::Removed, [place, stands], Vec::new()),
            _ => self
                .budget
                .push_change(ChangeKind::Added, [stands, place], Vec::new()),
        }
        self.sides[side].path.leave(own);
        self.sides[1 - side].path.leave(other);
    }

    /// Adds what differs between the two entries of a pair.
    fn compare_pair(&mut self, entries: [ContainerEntry; 2], moved: bool) {
        let values = entries.map(|entry| entry.value);
        let respelled = match entries.map(|entry| entry.key) {
            [Some(left), Some(right)] if !self.is_same([left, right]) => Some([left, right]),
            _ => None,
        };
        if !moved && respelled.is_none() && self.is_same(values) {
            return;
        }
        let duplicates = entries.map(|entry| entry.duplicate);
        let marks = [0, 1].map(|side| {
            let step = self.sides[side].step(&entries[side]);
            self.sides[side].path.enter(step, duplicates[side])
        });
        if moved {
            self.add_change(ChangeKind::Moved, values, duplicates);
        }
        if let Some(keys) = respelled {
            self.add_change(ChangeKind::Respelled, keys, duplicates);
            self.budget.mark_last_as_key();
        }
        self.compare_values(values, duplicates);
        for (side, mark) in marks.into_iter().enumerate() {
            self.sides[side].path.leave(mark);
        }
    }

    /// Compares two strings as JSON. Returns false if that added no change, because one is not JSON or the limit is reached.
    fn compare_strings(&mut self, nodes: [usize; 2]) -> bool {
        let texts = [0, 1].map(|side| self.sides[side].text(nodes[side]).into_owned());
        let begins = texts
            .each_ref()
            .map(|text| text.trim_start().bytes().next());
        let is_container = matches!(begins[0], Some(b'{' | b'[')) && begins[0] == begins[1];
        let length = texts[0].len() + texts[1].len();
        if !is_container
            || self.string_depth >= MAX_STRING_DEPTH
            || !self.budget.meter.spend(length as u64 / 8)
        {
            return false;
        }
        let (Ok(left), Ok(right)) = (
            JsonDocument::parse(texts[0].as_bytes()),
            JsonDocument::parse(texts[1].as_bytes()),
        ) else {
            return false;
        };
        let trails = [0, 1].map(|side| {
            let side_of = &self.sides[side];
            let span = side_of.node(nodes[side]).span();
            let offsets = spelling::escape_offsets(between_quotes(side_of.document.slice(span)));
            side_of.path.enter_string(span, offsets)
        });
        let mark = self.budget.mark();
        let mut walk = TreeWalk::new([&left, &right], trails, self.flipped, self.budget);
        walk.depth = self.depth;
        walk.string_depth = self.string_depth + 1;
        walk.compare_values([0, 0], [None; 2]);
        if !walk.budget.has_changes_since(mark) && texts[0] != texts[1] {
            walk.add_change(ChangeKind::Respelled, [0, 0], [None; 2]);
        }
        self.budget.has_changes_since(mark)
    }
}
