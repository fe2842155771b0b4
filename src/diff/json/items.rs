//! Which items of two arrays belong together, found from what is certain down to what is merely likely.
//!
//! 1. Items that are equal, aligned; then those that mean the same.
//! 2. Equal items that are left over have moved.
//! 3. Items of one name or id, wherever they stand.
//! 4. Between these, items that share much of their text, aligned.
//! 5. As many of one make as there were, in one place, have become what is there now.
//!
//! Each step looks at what the ones before it left over.

use std::collections::HashMap;

use super::super::effort::Meter;
use super::super::sequence::{Aligner, longest_rising};
use super::alike::{self, Look};
use super::likeness::{Identity, Sketch, same_shape};
use super::pairing::{Gap, Pairing};
use crate::json::{Document, Kind};

/// Of more items in one place, on one side, the text is not looked at.
const LOOKS: usize = 50_000;

/// The items of one array.
#[derive(Debug)]
pub(super) struct List<'w> {
    pub(super) document: &'w Document<'w>,
    /// The exact class of each node of the document.
    pub(super) classes: &'w [u32],
    /// The node of each item.
    pub(super) nodes: Vec<usize>,
}

impl List<'_> {
    fn class(&self, at: usize) -> u32 {
        self.classes[self.nodes[at]]
    }

    /// Whether there is something in it that could tell it from others.
    fn is_distinct(&self, at: usize) -> bool {
        let node = self.nodes[at];
        let kind = self.document.nodes()[node].kind();
        matches!(kind, Kind::Object | Kind::Array) && self.document.nodes()[node].next() > node + 1
    }
}

/// Two arrays whose items are to be paired.
#[derive(Debug)]
pub(super) struct Items<'w> {
    pub(super) lists: [List<'w>; 2],
    /// For each exact class the first that means the same.
    pub(super) loose: &'w [u32],
}

impl Items<'_> {
    pub(super) fn pair(&self, aligner: &mut Aligner, meter: &mut Meter) -> (Pairing, bool) {
        let mut pairing = Pairing::of([0, 1].map(|side| self.lists[side].nodes.len()));
        let exact = |class: u32| class;
        let loose = |class: u32| self.loose[class as usize];
        let whole = [0, 1].map(|side| (0..pairing.len(side)).collect());
        self.align(&mut pairing, vec![whole], exact, aligner, meter);
        self.find_moved(&mut pairing, exact);
        if (0..2).any(|side| pairing.free(side).next().is_none()) {
            return (pairing, false);
        }
        let gaps = pairing.gaps();
        self.align(&mut pairing, gaps, loose, aligner, meter);
        self.find_moved(&mut pairing, loose);
        self.find_named(&mut pairing);
        let mut coarse = false;
        for gap in pairing.gaps() {
            coarse |= !self.find_alike(&mut pairing, gap, meter);
        }
        for gap in pairing.gaps() {
            self.pair_by_place(&mut pairing, gap);
        }
        (pairing, coarse)
    }

    fn symbols(&self, gap: &Gap, meaning: impl Fn(u32) -> u32) -> [Vec<u32>; 2] {
        [0, 1].map(|side| {
            let items = gap[side].iter();
            items
                .map(|&at| meaning(self.lists[side].class(at)))
                .collect()
        })
    }

    fn align(
        &self,
        pairing: &mut Pairing,
        gaps: Vec<Gap>,
        meaning: impl Fn(u32) -> u32,
        aligner: &mut Aligner,
        meter: &mut Meter,
    ) {
        for gap in gaps {
            let [left, right] = self.symbols(&gap, &meaning);
            for run in aligner.align(&left, &right, meter) {
                for n in 0..run.len {
                    pairing.join([gap[0][run.left + n], gap[1][run.right + n]]);
                }
            }
        }
    }

    /// Pairs items that are left over on both sides and equal, as often on one as on the other. What is as
    /// common as a number must be the only one of its kind in the whole array.
    fn find_moved(&self, pairing: &mut Pairing, meaning: impl Fn(u32) -> u32) {
        let mut left_over: HashMap<u32, [Vec<usize>; 2]> = HashMap::new();
        for at in pairing.free(0) {
            let class = meaning(self.lists[0].class(at));
            left_over.entry(class).or_default()[0].push(at);
        }
        for at in pairing.free(1) {
            let class = meaning(self.lists[1].class(at));
            if let Some(places) = left_over.get_mut(&class) {
                places[1].push(at);
            }
        }
        left_over.retain(|_, [left, right]| left.len() == right.len());
        if left_over.is_empty() {
            return;
        }
        let mut counts: HashMap<u32, usize> = HashMap::new();
        for list in &self.lists {
            for at in 0..list.nodes.len() {
                let class = meaning(list.class(at));
                if left_over.contains_key(&class) {
                    *counts.entry(class).or_default() += 1;
                }
            }
        }
        for (class, [left, right]) in left_over {
            let is_distinct = left
                .first()
                .is_some_and(|&at| self.lists[0].is_distinct(at));
            if is_distinct || counts.get(&class) == Some(&2) {
                for (x, y) in left.into_iter().zip(right) {
                    pairing.join_moved([x, y]);
                }
            }
        }
    }

    /// Pairs items that alone have a name or id: in order where that is possible, and otherwise as moved.
    fn find_named(&self, pairing: &mut Pairing) {
        for which in [|own: &Identity| own.id, |own: &Identity| own.name] {
            let mut named: HashMap<u32, [Vec<usize>; 2]> = HashMap::new();
            for side in 0..2 {
                for at in pairing.free(side) {
                    if let Some(name) = which(&self.identity(side, at)) {
                        named.entry(name).or_default()[side].push(at);
                    }
                }
            }
            let mut pairs: Vec<[usize; 2]> = (named.into_values())
                .filter_map(|places| match places {
                    [left, right] if left.len() == 1 && right.len() == 1 => {
                        Some([left[0], right[0]])
                    }
                    _ => None,
                })
                .collect();
            pairs.sort_unstable();
            self.join_in_order(pairing, pairs);
        }
    }

    /// Pairs those, ascending on the left, that are in order between their neighbours; the others as moved.
    fn join_in_order(&self, pairing: &mut Pairing, pairs: Vec<[usize; 2]>) {
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
        let mut rising = longest_rising(&order).into_iter().peekable();
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

    fn identity(&self, side: usize, at: usize) -> Identity {
        let list = &self.lists[side];
        Identity::of(list.document, list.nodes[at], |node| {
            self.loose[list.classes[node] as usize]
        })
    }

    /// Pairs items of one gap that share much of their text. Says false if there are too many to look at.
    fn find_alike(&self, pairing: &mut Pairing, gap: Gap, meter: &mut Meter) -> bool {
        if gap.each_ref().map(Vec::len) == [1, 1] && self.may_become([gap[0][0], gap[1][0]]) {
            // It will be paired by its place, whatever its text.
            return true;
        }
        let looks = [0, 1].map(|side| self.looks(side, &gap[side], meter));
        match looks {
            [Some(left), Some(right)] => alike::pair(pairing, [&left, &right], meter),
            _ => false,
        }
    }

    /// What can be seen of those items that have any text; `None` if that is too much.
    fn looks(&self, side: usize, items: &[usize], meter: &mut Meter) -> Option<Vec<Look>> {
        let list = &self.lists[side];
        let node = |at: usize| &list.document.nodes()[list.nodes[at]];
        let has_text =
            |at: usize| matches!(node(at).kind(), Kind::Object | Kind::Array | Kind::String);
        let items: Vec<usize> = items.iter().copied().filter(|&at| has_text(at)).collect();
        if items.len() > LOOKS {
            return None;
        }
        let mut looks = Vec::with_capacity(items.len());
        for at in items {
            if !meter.take(node(at).span().len()) {
                return None;
            }
            let look = Look {
                at,
                identity: self.identity(side, at),
                sketch: Sketch::of(list.document, list.nodes[at]),
            };
            looks.extend(Some(look).filter(|look| !look.sketch.is_empty()));
        }
        Some(looks)
    }

    /// Pairs items that stand at the same place in a gap, if it has as many on either side.
    fn pair_by_place(&self, pairing: &mut Pairing, [left, right]: Gap) {
        if left.len() != right.len() {
            return;
        }
        for (x, y) in left.into_iter().zip(right) {
            if self.may_become([x, y]) {
                pairing.join([x, y]);
            }
        }
    }

    /// Whether one item may have become the other though their texts share nothing.
    fn may_become(&self, at: [usize; 2]) -> bool {
        let [left, right] = &self.lists;
        let nodes = [left.nodes[at[0]], right.nodes[at[1]]];
        let loose = [0, 1]
            .map(|side| move |node: usize| self.loose[self.lists[side].classes[node] as usize]);
        same_shape(
            [left.document, right.document],
            nodes,
            [&loose[0], &loose[1]],
        ) && self.identity(0, at[0]).fits(&self.identity(1, at[1]))
    }
}
