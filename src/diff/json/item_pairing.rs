//! Which items of two arrays belong together, found from what is certain down to what is merely likely.
//!
//! 1. Items that are equal, aligned; then those that mean the same.
//! 2. Equal items that are left over have moved.
//! 3. Items of one name or id, wherever they stand.
//! 4. Between these, items that share much of their text, aligned.
//! 5. As many of one make as there were, in one place, have become what is there now.
//!
//! Each step looks at what the ones before it left over.

use super::super::sequence::{SequenceAligner, longest_increasing};
use super::super::work_limit::StepMeter;
use super::pairing::{EntryPairing, PairingGap};
use super::similar_pairing::{self, ItemSample};
use super::similarity::{ItemIdentity, TextSketch, has_same_shape};
use crate::json::{JsonDocument, JsonKind};

/// Of more items in one place, on one side, the text is not looked at.
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

    /// Whether there is something in it that could tell it from others.
    fn is_distinct(&self, at: usize) -> bool {
        let node = self.node(at);
        let kind = self.document.nodes()[node].kind();
        matches!(kind, JsonKind::Object | JsonKind::Array)
            && self.document.nodes()[node].next() > node + 1
    }
}

/// What is kept from array to array.
#[derive(Debug)]
pub(super) struct PairingTables {
    aligner: SequenceAligner,
    /// For each class how often it is there, or on either side up to three times; zero between calls.
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
    /// For each exact class the first that means the same.
    pub(super) loose_classes: &'w [u32],
}

impl ItemPairer<'_> {
    /// Says also whether something was too much to be looked at.
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
        // Where its place was enough nothing is lost.
        coarse = coarse && !pairing.gaps().is_empty();
        (pairing, coarse)
    }

    /// Whether items that are left over may mean the same and not be equal.
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

    /// Pairs items that are left over on both sides and equal, as often on one as on the other. What is as
    /// common as a number must be the only one of its kind in the whole array.
    fn pair_moved(
        &self,
        pairing: &mut EntryPairing,
        meaning: impl Fn(u32) -> u32,
        tables: &mut PairingTables,
    ) {
        let class = |side: usize, at: usize| meaning(self.lists[side].class(at));
        // Only what may be paired is looked at further: what both sides have left over, a common thing once.
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

    /// What each item of both arrays is, one by one.
    fn all_classes(&self, meaning: impl Fn(u32) -> u32) -> impl Iterator<Item = u32> {
        let [left, right] = &self.lists;
        let nodes = |list: &ItemList<'_>| 0..list.nodes.len();
        let left = nodes(left).map(|at| left.class(at));
        left.chain(nodes(right).map(|at| right.class(at)))
            .map(meaning)
    }

    /// Pairs items that alone have a name or id: in order where that is possible, and otherwise as moved.
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

    /// Pairs those, ascending on the left, that are in order between their neighbours; the others as moved.
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
        // Gaps ascend on both sides, so what rises in each of them rises altogether.
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

    /// Pairs items of one gap that share much of their text. Says false if there are too many to look at.
    fn pair_similar(
        &self,
        pairing: &mut EntryPairing,
        gap: &PairingGap,
        meter: &mut StepMeter,
    ) -> bool {
        if gap.each_ref().map(Vec::len) == [1, 1] && self.may_correspond([gap[0][0], gap[1][0]]) {
            // It will be paired by its place, whatever its text.
            return true;
        }
        let looks = [0, 1].map(|side| self.sample_items(side, &gap[side], meter));
        match looks {
            [Some(left), Some(right)] => similar_pairing::pair(pairing, [&left, &right], meter),
            _ => false,
        }
    }

    /// What can be seen of those items that have any text; `None` if that is too much.
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
        let mut looks = Vec::with_capacity(items.len());
        for at in items {
            if !meter.spend(node(at).span().len()) {
                return None;
            }
            let look = ItemSample {
                index: at,
                identity: self.identity(side, at),
                sketch: TextSketch::read(list.document, list.node(at)),
            };
            looks.extend(Some(look).filter(|look| !look.sketch.is_empty()));
        }
        Some(looks)
    }

    /// Pairs items that stand at the same place in a gap, if it has as many on either side.
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

    /// Whether one item may have become the other though their texts share nothing.
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

/// The symbol of an item, its side and its place.
type SymbolPosition = (u32, u8, u32);

/// Items without a partner that have a symbol, in the order of these.
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
