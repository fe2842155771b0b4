//! The alignment of two sequences of symbols: which runs both have, in the same order. Items of arrays, words,
//! lines and events are all aligned here.
//!
//! Long sequences are first cut at symbols that stand once in each (patience); what is between is searched by
//! Myers' algorithm in linear space ("An O(ND) Difference Algorithm and Its Variations", 1986), which gives
//! the fewest differences while these are few. Where they are many, a search stops at a bound and splits at the
//! furthest point that it reached, as Git does. So the work is never quadratic, and a [`Meter`] bounds it
//! altogether: beyond it, whatever is not yet aligned is taken as different.

use std::ops::Range;

use super::effort::Meter;

/// A run of equal symbols: `left[self.left..][..len] == right[self.right..][..len]`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Run {
    /// Where it begins in the left sequence.
    pub left: usize,
    /// Where it begins in the right sequence.
    pub right: usize,
    /// How many symbols it has; never zero.
    pub len: usize,
}

/// Ranges shorter than this, both sides together, are searched without looking for anchors.
const SHORT: usize = 1024;

/// How many differences from either end a search goes through at least before it settles for less.
const FAR: usize = 256;

/// Aligns sequences over one alphabet; keeps its tables, so that many short ones cost little each.
#[derive(Debug)]
pub struct Aligner {
    /// For each symbol, where it stands on either side of what is looked at; [`NONE`] between calls.
    seen: Vec<[u32; 2]>,
    forward: Reach,
    backward: Reach,
}

const NONE: u32 = u32::MAX;
const MANY: u32 = u32::MAX - 1;

impl Aligner {
    /// For sequences whose symbols are all below `symbols`, and that are shorter than 4 Gi.
    pub fn new(symbols: usize) -> Self {
        Self {
            seen: vec![[NONE; 2]; symbols],
            forward: Reach::default(),
            backward: Reach::default(),
        }
    }

    /// The runs that both sequences have, ascending on both sides.
    pub fn align(&mut self, left: &[u32], right: &[u32], meter: &mut Meter) -> Vec<Run> {
        let (before, after) = trim(left, right);
        let mut runs = Runs::default();
        runs.push(0, 0, before);
        let inner = |side: &[u32]| before..side.len() - after;
        let (inner_left, inner_right) = (inner(left), inner(right));
        if !inner_left.is_empty() && !inner_right.is_empty() {
            // What the other side has not at all is different in any alignment.
            let (kept_left, kept_right) =
                self.common(left, right, inner_left.clone(), inner_right.clone());
            let symbols = |side: &[u32], kept: &[u32]| -> Vec<u32> {
                kept.iter().map(|&at| side[at as usize]).collect()
            };
            let reduced = (symbols(left, &kept_left), symbols(right, &kept_right));
            for run in self.search(&reduced.0, &reduced.1, meter) {
                for n in 0..run.len {
                    let at = (kept_left[run.left + n], kept_right[run.right + n]);
                    runs.push(at.0 as usize, at.1 as usize, 1);
                }
            }
        }
        runs.push(inner_left.end, inner_right.end, after);
        runs.0
    }

    /// Where the symbols stand that both ranges have.
    fn common(
        &mut self,
        left: &[u32],
        right: &[u32],
        in_left: Range<usize>,
        in_right: Range<usize>,
    ) -> (Vec<u32>, Vec<u32>) {
        self.note(&left[in_left.clone()], &right[in_right.clone()]);
        let kept = |side: &[u32], range: Range<usize>, other: usize| -> Vec<u32> {
            let known = |&at: &usize| self.seen[side[at] as usize][other] != NONE;
            range.filter(known).map(|at| at as u32).collect()
        };
        let kept = (
            kept(left, in_left.clone(), 1),
            kept(right, in_right.clone(), 0),
        );
        self.forget(&left[in_left], &right[in_right]);
        kept
    }

    fn search(&mut self, left: &[u32], right: &[u32], meter: &mut Meter) -> Vec<Run> {
        let mut runs = Runs::default();
        let mut open = vec![Task::Range(0..left.len(), 0..right.len(), true)];
        while let Some(task) = open.pop() {
            let (in_left, in_right, anchored) = match task {
                Task::Run(run) => {
                    runs.push(run.left, run.right, run.len);
                    continue;
                }
                Task::Range(in_left, in_right, anchored) => (in_left, in_right, anchored),
            };
            let (before, after) = trim(&left[in_left.clone()], &right[in_right.clone()]);
            runs.push(in_left.start, in_right.start, before);
            let in_left = in_left.start + before..in_left.end - after;
            let in_right = in_right.start + before..in_right.end - after;
            open.push(Task::Run(Run {
                left: in_left.end,
                right: in_right.end,
                len: after,
            }));
            if in_left.is_empty() || in_right.is_empty() {
                continue;
            }
            let (a, b) = (&left[in_left.clone()], &right[in_right.clone()]);
            let mut cuts = match anchored && a.len() + b.len() > SHORT {
                true if meter.take((a.len() + b.len()) as u64) => self.anchors(a, b),
                _ => Vec::new(),
            };
            let anchored = !cuts.is_empty() || a.len() + b.len() <= SHORT;
            if cuts.is_empty() {
                let Some(cut) = self.middle(a, b, meter) else {
                    continue;
                };
                cuts.push(cut);
            }
            // The last comes first, since the next task is taken from the end.
            let mut end = (in_left.end, in_right.end);
            for (x, y) in cuts.into_iter().rev() {
                let cut = (in_left.start + x, in_right.start + y);
                open.push(Task::Range(cut.0..end.0, cut.1..end.1, anchored));
                end = cut;
            }
            open.push(Task::Range(
                in_left.start..end.0,
                in_right.start..end.1,
                anchored,
            ));
        }
        runs.0
    }

    /// A point on a path from the start to the end: on one of the shortest if that is short enough, and otherwise
    /// as far from its start or end as the search came. Neither side is empty, and they differ at both ends;
    /// then it lies inside. `None` once the meter has run out.
    fn middle(&mut self, left: &[u32], right: &[u32], meter: &mut Meter) -> Option<(usize, usize)> {
        let (n, m) = (left.len(), right.len());
        let far = FAR.max((n + m).isqrt());
        self.forward.begin(far);
        self.backward.begin(far);
        for d in 0..=far {
            let steps = self
                .forward
                .extend(d, (n, m), |x, y| equal(left[x..].iter(), right[y..].iter()));
            let more = self.backward.extend(d, (n, m), |x, y| {
                equal(left[..n - x].iter().rev(), right[..m - y].iter().rev())
            });
            if !meter.take((steps + more) as u64) {
                return None;
            }
            if let Some(point) = self.meeting(d, (n, m)) {
                return Some(point);
            }
        }
        let forward = self.forward.furthest(far, (n, m));
        let backward = self.backward.furthest(far, (n, m));
        match forward.0 + forward.1 >= backward.0 + backward.1 {
            true => Some(forward),
            false => Some((n - backward.0, m - backward.1)),
        }
    }

    /// Where the paths of `d` differences from both ends overlap.
    fn meeting(&self, d: usize, (n, m): (usize, usize)) -> Option<(usize, usize)> {
        let shift = n as isize - m as isize;
        // On a diagonal of the other parity the way back is one difference shorter.
        let odd = shift % 2 != 0;
        let (least, most) = diagonals(d.checked_sub(usize::from(odd))?, n, m);
        let (low, high) = diagonals(d, n, m);
        (low..=high).step_by(2).find_map(|k| {
            let back = shift - k;
            if back < least || back > most {
                return None;
            }
            let (x, from_end) = (self.forward.get(k)?, self.backward.get(back)?);
            let x = match x + from_end >= n {
                false => return None,
                true if odd => x,
                true => n - from_end,
            };
            Some((x, (x as isize - k) as usize))
        })
    }

    /// Symbols that stand once on each side and in the same order there, if cutting at them is safe: they are
    /// most of what the sides have in common, or enough of them are in order.
    fn anchors(&mut self, left: &[u32], right: &[u32]) -> Vec<(usize, usize)> {
        self.note(left, right);
        let common = |side: &[u32], other: usize| {
            let known = |&&symbol: &&u32| self.seen[symbol as usize][other] != NONE;
            side.iter().filter(known).count()
        };
        let common = common(left, 1).max(common(right, 0));
        let unique: Vec<[u32; 2]> = (left.iter())
            .map(|&symbol| self.seen[symbol as usize])
            .filter(|places| places.iter().all(|&place| place < MANY))
            .collect();
        self.forget(left, right);
        let rising: Vec<u32> = unique.iter().map(|&[_, y]| y).collect();
        let rising = longest_rising(&rising);
        match unique.len() * 8 >= common * 7 || rising.len() * 4 >= common {
            true => (rising.into_iter())
                .map(|index| unique[index].map(|place| place as usize).into())
                .collect(),
            false => Vec::new(),
        }
    }

    fn note(&mut self, left: &[u32], right: &[u32]) {
        for (side, symbols) in [left, right].into_iter().enumerate() {
            for (at, &symbol) in symbols.iter().enumerate() {
                let place = &mut self.seen[symbol as usize][side];
                *place = if *place == NONE { at as u32 } else { MANY };
            }
        }
    }

    fn forget(&mut self, left: &[u32], right: &[u32]) {
        for &symbol in left.iter().chain(right) {
            self.seen[symbol as usize] = [NONE; 2];
        }
    }
}

enum Task {
    Range(Range<usize>, Range<usize>, bool),
    Run(Run),
}

/// Runs in ascending order; neighbours that touch become one.
#[derive(Default)]
struct Runs(Vec<Run>);

impl Runs {
    fn push(&mut self, left: usize, right: usize, len: usize) {
        match self.0.last_mut() {
            _ if len == 0 => {}
            Some(last) if last.left + last.len == left && last.right + last.len == right => {
                last.len += len;
            }
            _ => self.0.push(Run { left, right, len }),
        }
    }
}

/// How many symbols are equal at the front, and then at the end.
fn trim(left: &[u32], right: &[u32]) -> (usize, usize) {
    let before = equal(left.iter(), right.iter());
    let after = equal(left[before..].iter().rev(), right[before..].iter().rev());
    (before, after)
}

/// How many symbols are equal before the first that differ.
fn equal<'a>(left: impl Iterator<Item = &'a u32>, right: impl Iterator<Item = &'a u32>) -> usize {
    left.zip(right).take_while(|(a, b)| a == b).count()
}

/// Indices of a longest strictly rising subsequence.
pub fn longest_rising(values: &[u32]) -> Vec<usize> {
    // For each length, where the subsequence of that length with the least end ends.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![usize::MAX; values.len()];
    for (at, &value) in values.iter().enumerate() {
        let length = match ends.last() {
            Some(&last) if values[last] < value => ends.len(),
            _ => ends.partition_point(|&end| values[end] < value),
        };
        if let Some(shorter) = length.checked_sub(1) {
            before[at] = ends[shorter];
        }
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut rising = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied().unwrap_or(usize::MAX);
    while at != usize::MAX {
        rising.push(at);
        at = before[at];
    }
    rising.reverse();
    rising
}

/// How far a search from one end has come on each diagonal, counted in symbols of the left side; -1: not there.
#[derive(Debug, Default)]
struct Reach(Vec<i32>);

impl Reach {
    /// Makes room for `most` differences.
    fn begin(&mut self, most: usize) {
        self.0.resize(self.0.len().max(2 * most + 3), -1);
    }

    fn index(diagonal: isize) -> usize {
        // 0, -1, 1, -2, 2, ...
        2 * diagonal.unsigned_abs() - usize::from(diagonal < 0)
    }

    fn get(&self, diagonal: isize) -> Option<usize> {
        usize::try_from(self.0[Self::index(diagonal)]).ok()
    }

    /// Goes one difference further on each diagonal, and then as far as `run` says that symbols are equal after `(x, y)`.
    /// Answers how many steps that took.
    fn extend(
        &mut self,
        d: usize,
        (n, m): (usize, usize),
        run: impl Fn(usize, usize) -> usize,
    ) -> usize {
        let (low, high) = diagonals(d, n, m);
        // What an earlier search left next to the diagonals that are new.
        if d <= m {
            self.0[Self::index(low - 1)] = -1;
        }
        if d <= n {
            self.0[Self::index(high + 1)] = -1;
        }
        let mut steps = 0;
        for k in (low..=high).step_by(2) {
            let x = if d == 0 {
                Some(0)
            } else {
                self.step(k, (n, m))
            };
            let x = x.map(|x| {
                let equal = run(x, (x as isize - k) as usize);
                steps += equal;
                x + equal
            });
            steps += 1;
            self.0[Self::index(k)] = x.map_or(-1, |x| x as i32);
        }
        steps
    }

    /// Where one more difference leads on the diagonal `k`, from its neighbours.
    fn step(&self, k: isize, (n, m): (usize, usize)) -> Option<usize> {
        let removed = self.get(k - 1).filter(|&x| x < n).map(|x| x + 1);
        let added = self.get(k + 1).filter(|&x| x as isize - k <= m as isize);
        removed.max(added)
    }

    /// The point with the most symbols behind it after `d` differences.
    fn furthest(&self, d: usize, (n, m): (usize, usize)) -> (usize, usize) {
        let (low, high) = diagonals(d, n, m);
        let points = (low..=high).step_by(2).filter_map(|k| {
            let x = self.get(k)?;
            Some((x, (x as isize - k) as usize))
        });
        points.max_by_key(|(x, y)| x + y).unwrap_or_default()
    }
}

/// The diagonals that `d` differences lead to: from the first to the last, every second.
fn diagonals(d: usize, n: usize, m: usize) -> (isize, isize) {
    let low = d as isize - 2 * d.saturating_sub(m) as isize;
    let high = d as isize - 2 * d.saturating_sub(n) as isize;
    (-low, high)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn aligned(left: &[u32], right: &[u32]) -> Vec<Run> {
        let symbols = left
            .iter()
            .chain(right)
            .max()
            .map_or(0, |&most| most as usize + 1);
        let mut meter = Meter::new(u64::MAX);
        let runs = Aligner::new(symbols).align(left, right, &mut meter);
        assert_runs(left, right, &runs);
        runs
    }

    fn assert_runs(left: &[u32], right: &[u32], runs: &[Run]) {
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

    fn common(runs: &[Run]) -> usize {
        runs.iter().map(|run| run.len).sum()
    }

    /// The length of a longest common subsequence, by the table of school.
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
        let run = |left, right, len| Run { left, right, len };
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
        let mut meter = Meter::new(1000);
        let runs = Aligner::new(16).align(&left, &right, &mut meter);
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

        #[test]
        fn rises(values in prop::collection::vec(0u32..50, 0..60)) {
            let rising = longest_rising(&values);
            let least = rising.windows(2).all(|pair| pair[0] < pair[1] && values[pair[0]] < values[pair[1]]);
            prop_assert!(least);
            let mut sorted = values.clone();
            sorted.sort_unstable();
            sorted.dedup();
            prop_assert_eq!(rising.len(), longest(&values, &sorted));
        }
    }
}
