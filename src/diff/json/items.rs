//! Pairs the items of two arrays, from certain pairs down to likely ones:
//!
//! 1. equal items in order ([`super::aligner`]), then items that are only spelled differently;
//! 2. equal items that are left over: they moved;
//! 3. items with the same id or name, anywhere in the array ([`super::item_identity`]);
//! 4. between these, items that share much of their text, in order ([`super::items_by_text`]);
//! 5. items at the same place in a gap that has as many on both sides.
//!
//! Each step looks only at the items that the steps before it left over.

use super::super::increasing::longest_increasing;
use super::super::work_limit::StepMeter;
use super::aligner::SequenceAligner;
use super::item_identity::{ItemIdentity, has_same_shape};
use super::items_by_text::{self, ItemSample};
use super::pairing::{EntryPairing, PairingGap};
use super::text_sketch::TextSketch;
use crate::json::{JsonDocument, JsonKind};

/// Items on one side of a gap up to which their text is read: their sketches take 16 MB.
const MAX_SAMPLED_ITEMS: usize = 50_000;

/// The items of one array.
#[derive(Debug)]
pub(super) struct ItemList<'w> {
    pub(super) document: &'w JsonDocument<'w>,
    /// The exact class of each node of the document.
    pub(super) classes: &'w [u32],
    /// The node of each item.
    pub(super) nodes: &'w [u32],
}

impl ItemList<'_> {
    fn node(&self, at: usize) -> usize {
        self.nodes[at] as usize
    }

    fn class(&self, at: usize) -> u32 {
        self.classes[self.node(at)]
    }

    /// Returns whether the item is a container with content: equal numbers or short texts may be equal by chance.
    fn is_distinct(&self, at: usize) -> bool {
        let node = self.node(at);
        let kind = self.document.nodes()[node].kind();
        matches!(kind, JsonKind::Object | JsonKind::Array)
            && self.document.nodes()[node].next() > node + 1
    }
}

/// Tables that are kept from one array to the next, since there may be very many short ones.
#[derive(Debug)]
pub(super) struct PairingTables {
    aligner: SequenceAligner,
    /// For each class a count, or two counts up to three, one for each side; zero between calls.
    class_counts: Vec<u8>,
}

impl PairingTables {
    /// For items whose classes are all below `classes`.
    pub(super) fn new(classes: usize) -> Self {
        Self {
            aligner: SequenceAligner::new(classes),
            class_counts: vec![0; classes],
        }
    }

    fn count_classes(&mut self, classes: impl Iterator<Item = u32>) {
        for class in classes {
            let count = &mut self.class_counts[class as usize];
            *count = count.saturating_add(1);
        }
    }

    fn clear_counts(&mut self, classes: impl Iterator<Item = u32>) {
        classes.for_each(|class| self.class_counts[class as usize] = 0);
    }
}

/// Two arrays whose items are to be paired.
#[derive(Debug)]
pub(super) struct ItemPairer<'w> {
    pub(super) lists: [ItemList<'w>; 2],
    /// For each exact class its loose class.
    pub(super) loose_classes: &'w [u32],
}

impl ItemPairer<'_> {
    /// Returns the pairs, and whether some items were not compared because there are too many.
    pub(super) fn pair(
        &self,
        tables: &mut PairingTables,
        meter: &mut StepMeter,
    ) -> (EntryPairing, bool) {
        let lengths = [0, 1].map(|side| self.lists[side].nodes.len());
        if lengths.contains(&0) {
            return (EntryPairing::new(lengths), false);
        }
        if lengths == [1, 1] && self.may_correspond([0, 0]) {
            let mut pairing = EntryPairing::new(lengths);
            pairing.join([0, 0]);
            return (pairing, false);
        }
        let exact = |class: u32| class;
        let loose = |class: u32| self.loose_classes[class as usize];
        let classes = [0, 1].map(|side| self.item_classes(side));
        let runs = tables.aligner.align(&classes[0], &classes[1], meter);
        drop(classes);
        let mut pairing = EntryPairing::new(lengths);
        for run in runs {
            for at in 0..run.len {
                pairing.join([run.left + at, run.right + at]);
            }
        }
        self.pair_moved(&mut pairing, exact, tables);
        if (0..2).any(|side| pairing.unpaired(side).next().is_none()) {
            return (pairing, false);
        }
        if self.has_other_spellings(&pairing) {
            for gap in pairing.gaps() {
                self.pair_aligned(&mut pairing, &gap, loose, &mut tables.aligner, meter);
            }
            self.pair_moved(&mut pairing, loose, tables);
        }
        self.pair_named(&mut pairing);
        let mut coarse = false;
        for gap in pairing.gaps() {
            coarse |= !self.pair_similar(&mut pairing, &gap, meter);
        }
        for gap in pairing.gaps() {
            self.pair_by_place(&mut pairing, &gap);
        }
        // Nothing is lost if the last step paired them.
        coarse = coarse && !pairing.gaps().is_empty();
        (pairing, coarse)
    }

    /// Returns whether an item that is left over has other spellings.
    fn has_other_spellings(&self, pairing: &EntryPairing) -> bool {
        let differs = |class: u32| self.loose_classes[class as usize] != class;
        let any = |side: usize| {
            pairing
                .unpaired(side)
                .any(|at| differs(self.lists[side].class(at)))
        };
        any(0) || any(1)
    }

    fn item_classes(&self, side: usize) -> Vec<u32> {
        let list = &self.lists[side];
        (0..list.nodes.len()).map(|at| list.class(at)).collect()
    }

    fn pair_aligned(
        &self,
        pairing: &mut EntryPairing,
        gap: &PairingGap,
        meaning: impl Fn(u32) -> u32,
        aligner: &mut SequenceAligner,
        meter: &mut StepMeter,
    ) {
        let [left, right] = [0, 1].map(|side| -> Vec<u32> {
            let items = gap[side].iter();
            items
                .map(|&at| meaning(self.lists[side].class(at)))
                .collect()
        });
        for run in aligner.align(&left, &right, meter) {
            for at in 0..run.len {
                pairing.join([gap[0][run.left + at], gap[1][run.right + at]]);
            }
        }
    }

    /// Pairs equal items that are left over on both sides, if each side has as many. Items that are not distinct must be
    /// the only ones of their class in the whole array.
    fn pair_moved(
        &self,
        pairing: &mut EntryPairing,
        meaning: impl Fn(u32) -> u32,
        tables: &mut PairingTables,
    ) {
        let class = |side: usize, at: usize| meaning(self.lists[side].class(at));
        // Candidates: classes that both sides have left over; once on each side if the item is not distinct.
        for (side, one) in [(0, 0x01), (1, 0x10)] {
            for at in pairing.unpaired(side) {
                let mark = &mut tables.class_counts[class(side, at) as usize];
                *mark += if *mark & (3 * one) < 3 * one { one } else { 0 };
            }
        }
        let left_over = unpaired_by_symbol(pairing, |side, at| {
            let class = class(side, at);
            let mark = tables.class_counts[class as usize];
            let both = mark & 0x0f != 0 && mark & 0xf0 != 0;
            (mark == 0x11 || both && self.lists[side].is_distinct(at)).then_some(class)
        });
        tables.clear_counts(self.all_classes(&meaning));
        let mut counted = false;
        for same in left_over.chunk_by(|one, other| one.0 == other.0) {
            if 2 * same.partition_point(|&(_, side, _)| side == 0) != same.len() {
                continue;
            }
            if !self.lists[0].is_distinct(same[0].2 as usize) {
                if !counted {
                    tables.count_classes(self.all_classes(&meaning));
                    counted = true;
                }
                if tables.class_counts[same[0].0 as usize] != 2 {
                    continue;
                }
            }
            let (left, right) = same.split_at(same.len() / 2);
            for (x, y) in left.iter().zip(right) {
                pairing.join_moved([x.2 as usize, y.2 as usize]);
            }
        }
        if counted {
            tables.clear_counts(self.all_classes(&meaning));
        }
    }

    /// The class of each item of both arrays.
    fn all_classes(&self, meaning: impl Fn(u32) -> u32) -> impl Iterator<Item = u32> {
        let [left, right] = &self.lists;
        let nodes = |list: &ItemList<'_>| 0..list.nodes.len();
        let left = nodes(left).map(|at| left.class(at));
        left.chain(nodes(right).map(|at| right.class(at)))
            .map(meaning)
    }

    /// Pairs items with the same id or name, if no other item has it.
    fn pair_named(&self, pairing: &mut EntryPairing) {
        for which in [|own: &ItemIdentity| own.id, |own: &ItemIdentity| own.name] {
            let named = unpaired_by_symbol(pairing, |side, at| which(&self.identity(side, at)));
            let mut pairs: Vec<[usize; 2]> = (named.chunk_by(|one, other| one.0 == other.0))
                .filter_map(|same| match same {
                    [(_, 0, x), (_, 1, y)] => Some([*x as usize, *y as usize]),
                    _ => None,
                })
                .collect();
            pairs.sort_unstable();
            self.join_in_order(pairing, pairs);
        }
    }

    /// Joins pairs, ascending on the left: in order if both items are in the same gap and in order there, else as moved.
    fn join_in_order(&self, pairing: &mut EntryPairing, pairs: Vec<[usize; 2]>) {
        if pairs.is_empty() {
            return;
        }
        let mut gap_of = [0, 1].map(|side| vec![u32::MAX; pairing.len(side)]);
        for (number, gap) in pairing.gaps().iter().enumerate() {
            for side in 0..2 {
                for &at in &gap[side] {
                    gap_of[side][at] = number as u32;
                }
            }
        }
        let gap = |side: usize, at: usize| gap_of[side][at];
        let (here, elsewhere): (Vec<_>, Vec<_>) = pairs
            .into_iter()
            .partition(|&[x, y]| gap(0, x) != u32::MAX && gap(0, x) == gap(1, y));
        // Gaps ascend on both sides, so one search finds the longest increase of each gap.
        let order: Vec<u32> = here.iter().map(|pair| pair[1] as u32).collect();
        let mut rising = longest_increasing(&order).into_iter().peekable();
        for (index, pair) in here.into_iter().enumerate() {
            match rising.next_if_eq(&index) {
                Some(_) => pairing.join(pair),
                None => pairing.join_moved(pair),
            }
        }
        for pair in elsewhere {
            pairing.join_moved(pair);
        }
    }

    fn identity(&self, side: usize, at: usize) -> ItemIdentity {
        let list = &self.lists[side];
        ItemIdentity::read(list.document, list.node(at), |node| {
            self.loose_classes[list.classes[node] as usize]
        })
    }

    /// Pairs items of one gap that share much of their text. Returns false if there are too many.
    fn pair_similar(
        &self,
        pairing: &mut EntryPairing,
        gap: &PairingGap,
        meter: &mut StepMeter,
    ) -> bool {
        if gap.each_ref().map(Vec::len) == [1, 1] && self.may_correspond([gap[0][0], gap[1][0]]) {
            // The last step pairs these two whatever their text is.
            return true;
        }
        let samples = [0, 1].map(|side| self.sample_items(side, &gap[side], meter));
        match samples {
            [Some(left), Some(right)] => items_by_text::pair(pairing, [&left, &right], meter),
            _ => false,
        }
    }

    /// Returns identity and text of the items that have text; `None` if that is too much.
    fn sample_items(
        &self,
        side: usize,
        items: &[usize],
        meter: &mut StepMeter,
    ) -> Option<Vec<ItemSample>> {
        let list = &self.lists[side];
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
            let sample = ItemSample {
                index: at,
                identity: self.identity(side, at),
                sketch: TextSketch::read(list.document, list.node(at)),
            };
            samples.extend(Some(sample).filter(|sample| !sample.sketch.is_empty()));
        }
        Some(samples)
    }

    /// Pairs items at the same place of a gap that has as many on both sides.
    fn pair_by_place(&self, pairing: &mut EntryPairing, [left, right]: &PairingGap) {
        if left.len() != right.len() {
            return;
        }
        for (&x, &y) in left.iter().zip(right) {
            if self.may_correspond([x, y]) {
                pairing.join([x, y]);
            }
        }
    }

    /// Returns whether one item may be an edited form of the other, even if their texts share nothing.
    fn may_correspond(&self, at: [usize; 2]) -> bool {
        let [left, right] = &self.lists;
        let nodes = [left.node(at[0]), right.node(at[1])];
        let loose = [0, 1].map(|side| {
            move |node: usize| self.loose_classes[self.lists[side].classes[node] as usize]
        });
        has_same_shape(
            [left.document, right.document],
            nodes,
            [&loose[0], &loose[1]],
        ) && self
            .identity(0, at[0])
            .is_compatible(&self.identity(1, at[1]))
    }
}

/// The symbol of an item, its side and its index.
type SymbolPosition = (u32, u8, u32);

/// Returns the items without a partner that have a symbol, sorted by symbol.
fn unpaired_by_symbol(
    pairing: &EntryPairing,
    symbol: impl Fn(usize, usize) -> Option<u32>,
) -> Vec<SymbolPosition> {
    let mut all = Vec::new();
    for side in 0..2 {
        let items = pairing.unpaired(side);
        all.extend(items.filter_map(|at| Some((symbol(side, at)?, side as u8, at as u32))));
    }
    all.sort_unstable();
    all
}
