//! The alignment of the items of two arrays: which runs of equal symbols both have, in the same order.
//!
//! Arrays may have millions of items. Neither `similar` nor `imara-diff` bounds the work for these without a clock
//! (benches/README.md, "Aligners"); texts, which are shorter, are aligned by `similar`.
//!
//! Long sequences are first cut at symbols that each side has once (patience). The pieces are searched by Myers'
//! algorithm in linear space ("An O(ND) Difference Algorithm and Its Variations", 1986), which finds the fewest
//! differences if these are few. If they are many, a search stops at a limit and splits at the furthest point that it
//! reached, as Git does. So the work is never quadratic, and a [`StepMeter`] limits the total: beyond it, all that is
//! not yet aligned counts as different.

mod myers;

use std::ops::Range;

use myers::{MyersSearch, count_equal};

use super::super::increasing::longest_increasing;
use super::super::work_limit::StepMeter;

/// A run of equal symbols in both sequences: `left[self.left..][..len] == right[self.right..][..len]`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EqualRun {
    /// Its start in the left sequence.
    pub left: usize,
    /// Its start in the right sequence.
    pub right: usize,
    /// Its length; never zero.
    pub len: usize,
}

/// Length of both sides together below which no anchors are searched: Myers' algorithm alone is fast and exact there.
const ANCHOR_MIN_LEN: usize = 1024;

/// Aligns sequences of symbols. Keeps its tables between calls, so that many short sequences cost little each.
#[derive(Debug)]
pub struct SequenceAligner {
    /// The position of each symbol on each side; [`ABSENT`] between calls.
    positions: Vec<[u32; 2]>,
    myers: MyersSearch,
}

const ABSENT: u32 = u32::MAX;
const REPEATED: u32 = u32::MAX - 1;

impl SequenceAligner {
    /// An aligner for sequences whose symbols are all below `symbols`, and that are shorter than 4 Gi.
    pub fn new(symbols: usize) -> Self {
        Self {
            positions: vec![[ABSENT; 2]; symbols],
            myers: MyersSearch::default(),
        }
    }

    /// Returns the runs that both sequences have, ascending on both sides.
    pub fn align(&mut self, left: &[u32], right: &[u32], meter: &mut StepMeter) -> Vec<EqualRun> {
        let (before, after) = common_ends(left, right);
        let mut runs = RunList::default();
        runs.push(0, 0, before);
        let inner = |side: &[u32]| before..side.len() - after;
        let (inner_left, inner_right) = (inner(left), inner(right));
        let (a, b) = (&left[inner_left.clone()], &right[inner_right.clone()]);
        if !a.is_empty() && !b.is_empty() {
            // Symbols that the other side does not have are different in any alignment.
            match self.common_positions(a, b) {
                None => {
                    for run in self.search(a, b, meter) {
                        runs.push(before + run.left, before + run.right, run.len);
                    }
                }
                Some(kept) => {
                    let symbols = |side: &[u32], kept: &[u32]| -> Vec<u32> {
                        kept.iter().map(|&at| side[at as usize]).collect()
                    };
                    let (a, b) = (symbols(a, &kept[0]), symbols(b, &kept[1]));
                    for run in self.search(&a, &b, meter) {
                        for at in 0..run.len {
                            let at = [kept[0][run.left + at], kept[1][run.right + at]];
                            runs.push(before + at[0] as usize, before + at[1] as usize, 1);
                        }
                    }
                }
            }
        }
        runs.push(inner_left.end, inner_right.end, after);
        runs.0
    }

    /// Returns the positions of the symbols that both sides have; `None` if these are all.
    fn common_positions(&mut self, left: &[u32], right: &[u32]) -> Option<[Vec<u32>; 2]> {
        self.record_positions(left, right);
        let is_common = |symbol: &u32| !self.positions[*symbol as usize].contains(&ABSENT);
        let kept = |side: &[u32]| -> Vec<u32> {
            let places = (0..).zip(side).filter(|(_, symbol)| is_common(symbol));
            places.map(|(at, _)| at).collect()
        };
        let all = left.iter().chain(right).all(is_common);
        let kept = (!all).then(|| [kept(left), kept(right)]);
        self.clear_positions(left, right);
        kept
    }

    fn search(&mut self, left: &[u32], right: &[u32], meter: &mut StepMeter) -> Vec<EqualRun> {
        let mut runs = RunList::default();
        let whole = SearchArea {
            left: 0..left.len(),
            right: 0..right.len(),
            method: SearchMethod::Anchors,
        };
        let mut open = vec![SearchTask::Search(whole)];
        while let Some(task) = open.pop() {
            let mut area = match task {
                SearchTask::Search(area) => area,
                SearchTask::EmitRun(run) => {
                    runs.push(run.left, run.right, run.len);
                    continue;
                }
            };
            let (before, after) = common_ends(&left[area.left.clone()], &right[area.right.clone()]);
            runs.push(area.left.start, area.right.start, before);
            area.left = area.left.start + before..area.left.end - after;
            area.right = area.right.start + before..area.right.end - after;
            open.push(SearchTask::EmitRun(EqualRun {
                left: area.left.end,
                right: area.right.end,
                len: after,
            }));
            if area.left.is_empty() || area.right.is_empty() {
                continue;
            }
            let (a, b) = (&left[area.left.clone()], &right[area.right.clone()]);
            let (cuts, next) = self.find_cuts(a, b, area.method, meter);
            if cuts.is_empty() {
                continue;
            }
            area.method = next;
            // In reverse, since the next task is taken from the end.
            for (x, y) in cuts.into_iter().rev() {
                open.push(SearchTask::Search(area.split_off(x, y)));
            }
            open.push(SearchTask::Search(area));
        }
        runs.0
    }

    /// Returns points, ascending, at which to cut an area, and how to search the pieces; no point if nothing more can be
    /// found or the meter ran out.
    fn find_cuts(
        &mut self,
        left: &[u32],
        right: &[u32],
        next: SearchMethod,
        meter: &mut StepMeter,
    ) -> (Vec<(usize, usize)>, SearchMethod) {
        let size = left.len() + right.len();
        let (cuts, next) = match next {
            SearchMethod::EndsOnly => return (Vec::new(), next),
            SearchMethod::Anchors if size > ANCHOR_MIN_LEN && meter.spend(size as u64) => {
                self.find_anchors(left, right)
            }
            next => (Vec::new(), next),
        };
        match next {
            SearchMethod::EndsOnly => (cuts, next),
            _ if !cuts.is_empty() => (cuts, next),
            _ => (
                self.myers
                    .find_middle(left, right, meter)
                    .into_iter()
                    .collect(),
                next,
            ),
        }
    }

    /// Returns the symbols that each side has once, in the same order, if they are safe points to cut at: if seven of eight
    /// common symbols are unique, or a quarter of the common symbols are unique and in order. With fewer, a cut at a moved
    /// symbol could separate long equal runs.
    fn find_anchors(&mut self, left: &[u32], right: &[u32]) -> (Vec<(usize, usize)>, SearchMethod) {
        self.record_positions(left, right);
        let common = |side: &[u32], other: usize| {
            let known = |&&symbol: &&u32| self.positions[symbol as usize][other] != ABSENT;
            side.iter().filter(known).count()
        };
        let common = common(left, 1).max(common(right, 0));
        let unique: Vec<[u32; 2]> = (left.iter())
            .map(|&symbol| self.positions[symbol as usize])
            .filter(|places| places.iter().all(|&place| place < REPEATED))
            .collect();
        self.clear_positions(left, right);
        let rising: Vec<u32> = unique.iter().map(|&[_, y]| y).collect();
        let rising = longest_increasing(&rising);
        let next = match unique.len() * 8 >= common * 7 || rising.len() * 4 >= common {
            // All common symbols were candidates, so there are no more equal ones between the cuts.
            true if unique.len() == common => SearchMethod::EndsOnly,
            true => SearchMethod::Anchors,
            false => return (Vec::new(), SearchMethod::Middle),
        };
        let cut = |index: usize| unique[index].map(|place| place as usize).into();
        (rising.into_iter().map(cut).collect(), next)
    }

    fn record_positions(&mut self, left: &[u32], right: &[u32]) {
        for (side, symbols) in [left, right].into_iter().enumerate() {
            for (at, &symbol) in symbols.iter().enumerate() {
                let place = &mut self.positions[symbol as usize][side];
                *place = if *place == ABSENT {
                    at as u32
                } else {
                    REPEATED
                };
            }
        }
    }

    fn clear_positions(&mut self, left: &[u32], right: &[u32]) {
        for &symbol in left.iter().chain(right) {
            self.positions[symbol as usize] = [ABSENT; 2];
        }
    }
}

enum SearchTask {
    Search(SearchArea),
    EmitRun(EqualRun),
}

/// A range of both sequences that is still to be searched.
struct SearchArea {
    left: Range<usize>,
    right: Range<usize>,
    method: SearchMethod,
}

/// How an area is searched.
#[derive(Clone, Copy)]
enum SearchMethod {
    /// For unique symbols if it is long, else as `Middle`.
    Anchors,
    /// From both ends to a point in the middle.
    Middle,
    /// Only for equal symbols at both ends.
    EndsOnly,
}

impl SearchArea {
    /// Cuts the area at a point, counted from its start, and returns the second half.
    fn split_off(&mut self, x: usize, y: usize) -> Self {
        let (x, y) = (self.left.start + x, self.right.start + y);
        Self {
            left: x..std::mem::replace(&mut self.left.end, x),
            right: y..std::mem::replace(&mut self.right.end, y),
            method: self.method,
        }
    }
}

/// Runs in ascending order; adjacent runs become one.
#[derive(Default)]
struct RunList(Vec<EqualRun>);

impl RunList {
    fn push(&mut self, left: usize, right: usize, len: usize) {
        match self.0.last_mut() {
            _ if len == 0 => {}
            Some(last) if last.left + last.len == left && last.right + last.len == right => {
                last.len += len;
            }
            _ => self.0.push(EqualRun { left, right, len }),
        }
    }
}

/// Returns the number of equal symbols at the front, and of those at the end behind them.
fn common_ends(left: &[u32], right: &[u32]) -> (usize, usize) {
    let before = count_equal(left.iter(), right.iter());
    let after = count_equal(left[before..].iter().rev(), right[before..].iter().rev());
    (before, after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn aligned(left: &[u32], right: &[u32]) -> Vec<EqualRun> {
        let symbols = left
            .iter()
            .chain(right)
            .max()
            .map_or(0, |&most| most as usize + 1);
        let mut meter = StepMeter::new(u64::MAX);
        let runs = SequenceAligner::new(symbols).align(left, right, &mut meter);
        assert_runs(left, right, &runs);
        runs
    }

    fn assert_runs(left: &[u32], right: &[u32], runs: &[EqualRun]) {
        let (mut x, mut y) = (0, 0);
        for run in runs {
            assert!(run.len > 0 && run.left >= x && run.right >= y);
            assert!(
                run.left > x || run.right > y || x == 0,
                "runs that touch are one"
            );
            (x, y) = (run.left + run.len, run.right + run.len);
            assert_eq!(left[run.left..x], right[run.right..y]);
        }
    }

    fn common(runs: &[EqualRun]) -> usize {
        runs.iter().map(|run| run.len).sum()
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
        let run = |left, right, len| EqualRun { left, right, len };
        assert_eq!(aligned(&[1, 2, 3], &[9, 1, 2, 3]), [run(0, 1, 3)]);
        assert_eq!(
            aligned(&[1, 2, 3], &[1, 9, 9, 2, 3]),
            [run(0, 0, 1), run(1, 3, 2)]
        );
        assert_eq!(aligned(&[], &[1]), []);
        assert_eq!(aligned(&[1, 2], &[3, 4]), []);
        assert_eq!(aligned(&[5; 4], &[5; 3]), [run(0, 0, 3)]);
    }

    #[test]
    fn a_long_sequence_is_cut_where_that_is_safe() {
        let left: Vec<u32> = (0..5000).collect();
        let mut right = left.clone();
        right.rotate_left(100);
        assert_eq!(common(&aligned(&left, &right)), 4900);
        // The only symbol that stands once has moved: it must not part all others.
        let repeated: Vec<u32> = (0..3000).map(|n| n % 7).collect();
        let front = [&[7], &repeated[..]].concat();
        let end = [&repeated[..], &[7]].concat();
        assert_eq!(common(&aligned(&front, &end)), 3000);
    }

    #[test]
    fn work_is_bounded_and_what_is_done_is_kept() {
        let left: Vec<u32> = (0..4000)
            .map(|n: u32| n.wrapping_mul(2_654_435_761) >> 28)
            .collect();
        let right: Vec<u32> = (0..4000)
            .map(|n: u32| n.wrapping_mul(40_503) >> 4 & 15)
            .collect();
        let mut meter = StepMeter::new(1000);
        let runs = SequenceAligner::new(16).align(&left, &right, &mut meter);
        assert!(meter.ran_out());
        assert_runs(&left, &right, &runs);
        let all = common(&aligned(&left, &right));
        assert!(all >= longest(&left, &right) * 9 / 10, "{all}");
    }

    proptest! {
        #[test]
        fn short_ones_have_the_fewest_differences(
            left in prop::collection::vec(0u32..6, 0..40),
            right in prop::collection::vec(0u32..6, 0..40),
        ) {
            prop_assert_eq!(common(&aligned(&left, &right)), longest(&left, &right));
        }

        #[test]
        fn long_ones_are_aligned_well(
            left in prop::collection::vec(0u32..1500, 600..1500),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0u32..1500), 0..60),
        ) {
            let mut right = left.clone();
            for (place, symbol) in edits {
                let at = place.index(right.len());
                if symbol % 2 == 0 { right[at] = symbol } else { right.insert(at, symbol) }
            }
            let found = common(&aligned(&left, &right));
            prop_assert!(found * 50 >= longest(&left, &right) * 49, "{}", found);
        }
    }
}
