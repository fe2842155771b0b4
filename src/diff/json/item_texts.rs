//! Pairs array items that share much of their text, in order.

use super::super::increasing::longest_increasing;
use super::super::work_limit::StepMeter;
use super::entry_pairs::EntryPairs;
use super::item_labels::ItemLabels;
use super::text_sketch::TextSketch;

/// Pairs of items up to which each is compared with every other: 128 on each side, some milliseconds.
const MAX_COMPARED_PAIRS: usize = 1 << 14;

/// The labels and the words of one array item.
#[derive(Debug)]
pub(super) struct ItemText {
    /// Its index in the array.
    pub(super) index: usize,
    pub(super) labels: ItemLabels,
    pub(super) sketch: TextSketch,
}

impl ItemText {
    /// Returns the share of text that two items have in common, in thousandths; zero if that is too little for one item.
    fn score(&self, other: &Self) -> u32 {
        let shared = self.sketch.similarity(&other.sketch);
        match shared >= self.labels.min_similarity(&other.labels) {
            true => shared,
            false => 0,
        }
    }
}

/// Pairs items that share much of their text. Returns false if there were too many to compare all of them.
pub(super) fn pair(
    pairs: &mut EntryPairs,
    samples: [&[ItemText]; 2],
    meter: &mut StepMeter,
) -> bool {
    let [left, right] = samples;
    if left.len() * right.len() <= MAX_COMPARED_PAIRS {
        return pair_all(pairs, samples, meter);
    }
    let phrases = left
        .iter()
        .chain(right)
        .map(|sample| sample.sketch.phrases().len());
    // They are sorted: 16 is about the logarithm of their number.
    if !meter.spend(16 * phrases.sum::<usize>() as u64) {
        return false;
    }
    let mut whole = true;
    let mut from = [0, 0];
    let ends = [left.len(), right.len()];
    for to in find_by_phrases(samples).into_iter().chain([ends]) {
        let between = [&left[from[0]..to[0]], &right[from[1]..to[1]]];
        whole &= between[0].len() * between[1].len() <= MAX_COMPARED_PAIRS
            && pair_all(pairs, between, meter);
        if to != ends {
            pairs.join([left[to[0]].index, right[to[1]].index]);
            from = to.map(|at| at + 1);
        }
    }
    whole
}

/// Compares each item with every other, and makes the ordered pairs whose shares have the greatest sum (Needleman and
/// Wunsch, 1970).
fn pair_all(
    pairs: &mut EntryPairs,
    [left, right]: [&[ItemText]; 2],
    meter: &mut StepMeter,
) -> bool {
    let words = |side: &[ItemText]| side.iter().map(|sample| sample.sketch.len()).sum::<usize>();
    let steps = left.len() * words(right) + right.len() * words(left);
    if !meter.spend(steps as u64) {
        return false;
    }
    let width = right.len() + 1;
    let scores: Vec<u32> = (left.iter())
        .flat_map(|one| right.iter().map(|other| one.score(other)))
        .collect();
    let score = |x: usize, y: usize| scores[x * right.len() + y];
    // The greatest sum of the items from `x` and `y` on.
    let mut best = vec![0u32; (left.len() + 1) * width];
    for x in (0..left.len()).rev() {
        for y in (0..right.len()).rev() {
            let apart = best[(x + 1) * width + y].max(best[x * width + y + 1]);
            let together = best[(x + 1) * width + y + 1] + score(x, y);
            best[x * width + y] = apart.max(together);
        }
    }
    let (mut x, mut y) = (0, 0);
    while x < left.len() && y < right.len() {
        let here = best[x * width + y];
        if score(x, y) > 0 && here == best[(x + 1) * width + y + 1] + score(x, y) {
            pairs.join([left[x].index, right[y].index]);
            (x, y) = (x + 1, y + 1);
        } else if here == best[(x + 1) * width + y] {
            x += 1;
        } else {
            y += 1;
        }
    }
    true
}

/// Returns the pairs, ascending on both sides, of items that share more unique phrases with each other than with any
/// third.
fn find_by_phrases([left, right]: [&[ItemText]; 2]) -> Vec<[usize; 2]> {
    let phrases = |side: usize, samples: &[ItemText]| -> Vec<(u32, usize, u32)> {
        let of = |(at, sample): (usize, &ItemText)| {
            let phrases = sample.sketch.phrases().iter();
            phrases
                .map(move |&phrase| (phrase, side, at as u32))
                .collect::<Vec<_>>()
        };
        samples.iter().enumerate().flat_map(of).collect()
    };
    let mut all = phrases(0, left);
    all.extend(phrases(1, right));
    all.sort_unstable();
    let mut votes: Vec<[u32; 2]> = (all.chunk_by(|one, two| one.0 == two.0))
        .filter_map(|same| match same {
            [(_, 0, x), (_, 1, y)] => Some([*x, *y]),
            _ => None,
        })
        .collect();
    votes.sort_unstable();
    let mut best = [
        vec![(0, u32::MAX); left.len()],
        vec![(0, u32::MAX); right.len()],
    ];
    for same in votes.chunk_by(|one, two| one == two) {
        for (side, other) in [(0, 1), (1, 0)] {
            let own = &mut best[side][same[0][side] as usize];
            if same.len() > own.0 {
                *own = (same.len(), same[0][other]);
            }
        }
    }
    let pairs: Vec<[usize; 2]> = (best[0].iter().enumerate())
        .filter(|&(x, &(votes, y))| votes > 0 && best[1][y as usize].1 == x as u32)
        .map(|(x, &(_, y))| [x, y as usize])
        .filter(|&[x, y]| left[x].score(&right[y]) > 0)
        .collect();
    let order: Vec<u32> = pairs.iter().map(|pair| pair[1] as u32).collect();
    longest_increasing(&order)
        .into_iter()
        .map(|index| pairs[index])
        .collect()
}
