//! Pairs the items of two arrays, from certain pairs down to likely ones:
//!
//! 1. equal items in order ([`super::aligner`]), then items that are only spelled differently;
//! 2. equal items that are left over: they moved;
//! 3. items with the same id or name, anywhere in the array ([`super::item_labels`]);
//! 4. between these, items that share much of their text, in order ([`super::item_texts`]);
//! 5. items with the same index between two pairs, if both sides have as many there.
//!
//! Each step looks only at the items that the steps before it left over.

use super::super::increasing::longest_increasing;
use super::super::work_limit::StepMeter;
use super::aligner;
use super::entry_pairs::{EntryPairs, NumberedEntry, UnpairedEntries, entries_by_number};
use super::item_labels::{ItemLabels, has_same_shape};
use super::item_texts::{self, ItemText};
use super::text_sketch::TextSketch;
use crate::json::{JsonDocument, JsonKind};

/// Items between two pairs, on one side, up to which their text is read: their sketches take 16 MB.
const MAX_SAMPLED_ITEMS: usize = 50_000;

/// The items of one of two JSON arrays that are compared.
#[derive(Debug)]
pub(super) struct ArrayItems<'w> {
    pub(super) document: &'w JsonDocument<'w>,
    /// The exact number of each node of the document.
    pub(super) numbers: &'w [u32],
    /// The node of each item.
    pub(super) nodes: &'w [u32],
}

impl ArrayItems<'_> {
    fn node(&self, at: usize) -> usize {
        self.nodes[at] as usize
    }

    fn number(&self, at: usize) -> u32 {
        self.numbers[self.node(at)]
    }

    fn numbers(&self) -> impl Iterator<Item = u32> {
        (0..self.nodes.len()).map(|at| self.number(at))
    }

    /// Returns whether the item is a container with content: equal numbers or short texts may be equal by chance.
    fn is_distinct(&self, at: usize) -> bool {
        let node = self.node(at);
        let kind = self.document.nodes()[node].kind();
        matches!(kind, JsonKind::Object | JsonKind::Array)
            && self.document.nodes()[node].next() > node + 1
    }
}

/// Two arrays whose items are to be paired.
#[derive(Debug)]
pub(super) struct ItemPairer<'w> {
    pub(super) sides: [ArrayItems<'w>; 2],
    /// The loose number of each exact number.
    pub(super) loose: &'w [u32],
}

impl ItemPairer<'_> {
    /// Returns the pairs, and whether some items were not compared because there are too many.
    pub(super) fn pair(&self, meter: &mut StepMeter) -> (EntryPairs, bool) {
        let lengths = self.sides.each_ref().map(|side| side.nodes.len());
        let mut pairs = EntryPairs::new(lengths);
        if lengths.contains(&0) {
            return (pairs, false);
        }
        if lengths == [1, 1] && self.may_correspond([0, 0]) {
            pairs.join([0, 0]);
            return (pairs, false);
        }
        let exact = |number: u32| number;
        let loose = |number: u32| self.loose[number as usize];
        let all = lengths.map(|length| (0..length).collect());
        self.pair_aligned(&mut pairs, &all, exact, meter);
        self.pair_moved(&mut pairs, exact, meter);
        if self.has_other_spellings(&pairs) {
            for unpaired in pairs.unpaired_runs() {
                self.pair_aligned(&mut pairs, &unpaired, loose, meter);
            }
            self.pair_moved(&mut pairs, loose, meter);
        }
        self.pair_named(&mut pairs);
        let mut coarse = false;
        for unpaired in pairs.unpaired_runs() {
            coarse |= !self.pair_similar(&mut pairs, &unpaired, meter);
        }
        for unpaired in pairs.unpaired_runs() {
            self.pair_same_index(&mut pairs, &unpaired);
        }
        // Nothing is lost if the last step paired them.
        coarse = coarse && !pairs.unpaired_runs().is_empty();
        (pairs, coarse)
    }

    /// Returns whether an item without a partner has other spellings.
    fn has_other_spellings(&self, pairs: &EntryPairs) -> bool {
        [0, 1].into_iter().any(|side| {
            let numbers = pairs.unpaired(side).map(|at| self.sides[side].number(at));
            numbers
                .into_iter()
                .any(|number| self.loose[number as usize] != number)
        })
    }

    /// Pairs equal items in order.
    fn pair_aligned(
        &self,
        pairs: &mut EntryPairs,
        items: &UnpairedEntries,
        degree: impl Fn(u32) -> u32,
        meter: &mut StepMeter,
    ) {
        let [left, right] = [0, 1].map(|side| -> Vec<u32> {
            let items = items[side].iter();
            items
                .map(|&at| degree(self.sides[side].number(at)))
                .collect()
        });
        for [x, y] in aligner::align(&left, &right, meter) {
            pairs.join([items[0][x], items[1][y]]);
        }
    }

    /// Pairs equal items without a partner, if each side has as many. Items that are not distinct must be the only ones
    /// that are equal to them in the whole array.
    fn pair_moved(
        &self,
        pairs: &mut EntryPairs,
        degree: impl Fn(u32) -> u32,
        meter: &mut StepMeter,
    ) {
        let is_whole = |side: usize| pairs.unpaired(side).next().is_none();
        // Four: the items are sorted.
        let steps = 4 * (pairs.len(0) + pairs.len(1)) as u64;
        if is_whole(0) || is_whole(1) || !meter.spend(steps) {
            return;
        }
        let all = entries_by_number([0, 1].map(|side| {
            let numbers = self.sides[side].numbers().map(&degree);
            numbers.enumerate()
        }));
        for same in all.chunk_by(|one, other| one.number == other.number) {
            let (left, right) = same.split_at(same.partition_point(|item| item.side == 0));
            let unpaired = |side: usize, items: &[NumberedEntry]| -> Vec<usize> {
                let items = items.iter().map(|item| item.index);
                items
                    .filter(|&at| pairs.partner(side, at).is_none())
                    .collect()
            };
            let [left, right] = [unpaired(0, left), unpaired(1, right)];
            if left.is_empty() || left.len() != right.len() {
                continue;
            }
            if same.len() == 2 || self.sides[0].is_distinct(left[0]) {
                for at in left.into_iter().zip(right) {
                    pairs.join_moved(at.into());
                }
            }
        }
    }

    /// Pairs items with the same id or name, if no other item has it.
    fn pair_named(&self, pairs: &mut EntryPairs) {
        for which in [
            |labels: &ItemLabels| labels.id,
            |labels: &ItemLabels| labels.name,
        ] {
            let named = entries_by_number([0, 1].map(|side| {
                let label = move |at| Some((at, which(&self.labels(side, at))?));
                pairs.unpaired(side).filter_map(label)
            }));
            let mut found: Vec<[usize; 2]> = named
                .chunk_by(|one, other| one.number == other.number)
                .filter_map(|same| match same {
                    [one, other] if one.side != other.side => Some([one.index, other.index]),
                    _ => None,
                })
                .collect();
            found.sort_unstable();
            self.join_in_order(pairs, found);
        }
    }

    /// Joins pairs, ascending on the left: in order if both items are between the same two pairs and in order there, else
    /// as moved.
    fn join_in_order(&self, pairs: &mut EntryPairs, found: Vec<[usize; 2]>) {
        if found.is_empty() {
            return;
        }
        let mut run_of = [0, 1].map(|side| vec![None; pairs.len(side)]);
        for (number, run) in pairs.unpaired_runs().iter().enumerate() {
            for side in 0..2 {
                run[side]
                    .iter()
                    .for_each(|&at| run_of[side][at] = Some(number));
            }
        }
        let (here, elsewhere): (Vec<_>, Vec<_>) = (found.into_iter())
            .partition(|&[x, y]| run_of[0][x].is_some() && run_of[0][x] == run_of[1][y]);
        // Runs ascend on both sides, so one search finds the longest increase of each.
        let order: Vec<u32> = here.iter().map(|pair| pair[1] as u32).collect();
        let mut rising = longest_increasing(&order).into_iter().peekable();
        for (index, pair) in here.into_iter().enumerate() {
            match rising.next_if_eq(&index) {
                Some(_) => pairs.join(pair),
                None => pairs.join_moved(pair),
            }
        }
        elsewhere
            .into_iter()
            .for_each(|pair| pairs.join_moved(pair));
    }

    fn labels(&self, side: usize, at: usize) -> ItemLabels {
        let list = &self.sides[side];
        ItemLabels::read(list.document, list.node(at), |node| {
            self.loose[list.numbers[node] as usize]
        })
    }

    /// Pairs items between two pairs that share much of their text. Returns false if there are too many.
    fn pair_similar(
        &self,
        pairs: &mut EntryPairs,
        items: &UnpairedEntries,
        meter: &mut StepMeter,
    ) -> bool {
        if items.each_ref().map(Vec::len) == [1, 1]
            && self.may_correspond([items[0][0], items[1][0]])
        {
            // The last step pairs these two whatever their text is.
            return true;
        }
        let samples = [0, 1].map(|side| self.sample_items(side, &items[side], meter));
        match samples {
            [Some(left), Some(right)] => item_texts::pair(pairs, [&left, &right], meter),
            _ => false,
        }
    }

    /// Returns identity and text of the items that have text; `None` if that is too much.
    fn sample_items(
        &self,
        side: usize,
        items: &[usize],
        meter: &mut StepMeter,
    ) -> Option<Vec<ItemText>> {
        let list = &self.sides[side];
        let node = |at: usize| &list.document.nodes()[list.node(at)];
        let has_text = |at: usize| {
            matches!(
                node(at).kind(),
                JsonKind::Object | JsonKind::Array | JsonKind::String
            )
        };
        let items: Vec<usize> = items.iter().copied().filter(|&at| has_text(at)).collect();
        if items.len() > MAX_SAMPLED_ITEMS {
            return None;
        }
        let mut samples = Vec::with_capacity(items.len());
        for at in items {
            if !meter.spend(node(at).span().len()) {
                return None;
            }
            let sample = ItemText {
                index: at,
                labels: self.labels(side, at),
                sketch: TextSketch::read(list.document, list.node(at)),
            };
            samples.extend(Some(sample).filter(|sample| !sample.sketch.is_empty()));
        }
        Some(samples)
    }

    /// Pairs items in turn between two pairs, if both sides have as many there.
    fn pair_same_index(&self, pairs: &mut EntryPairs, [left, right]: &UnpairedEntries) {
        if left.len() != right.len() {
            return;
        }
        for (&x, &y) in left.iter().zip(right) {
            if self.may_correspond([x, y]) {
                pairs.join([x, y]);
            }
        }
    }

    /// Returns whether one item may be an edited form of the other, even if their texts share nothing.
    fn may_correspond(&self, at: [usize; 2]) -> bool {
        let [left, right] = &self.sides;
        let nodes = [left.node(at[0]), right.node(at[1])];
        let loose = [0, 1]
            .map(|side| move |node: usize| self.loose[self.sides[side].numbers[node] as usize]);
        has_same_shape(
            [left.document, right.document],
            nodes,
            [&loose[0], &loose[1]],
        ) && self.labels(0, at[0]).is_compatible(&self.labels(1, at[1]))
    }
}
