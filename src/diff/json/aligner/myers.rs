//! The middle of a shortest edit path between two sequences: the core of Myers' algorithm in linear space.

use crate::diff::work_limit::StepMeter;

/// Differences from either end after which a search stops: 256 steps on 256 diagonals, under a millisecond. Git uses the
/// same limit (`XDL_MAX_COST_MIN`).
const MAX_DIFFERENCES: usize = 256;

/// The search from both ends; keeps its tables from one search to the next.
#[derive(Debug, Default)]
pub(super) struct MyersSearch {
    forward: DiagonalReach,
    backward: DiagonalReach,
}

impl MyersSearch {
    /// Returns a point on an edit path: on a shortest path if that has at most twice [`MAX_DIFFERENCES`], else the furthest
    /// point that was reached. Both sides must differ at both ends and not be empty, so that the point is inside. `None` if
    /// the meter ran out.
    pub(super) fn find_middle(
        &mut self,
        left: &[u32],
        right: &[u32],
        meter: &mut StepMeter,
    ) -> Option<(usize, usize)> {
        let (n, m) = (left.len(), right.len());
        self.forward.reserve(MAX_DIFFERENCES);
        self.backward.reserve(MAX_DIFFERENCES);
        for d in 0..=MAX_DIFFERENCES {
            let steps = self.forward.extend(d, (n, m), |x, y| {
                count_equal(left[x..].iter(), right[y..].iter())
            });
            let more = self.backward.extend(d, (n, m), |x, y| {
                count_equal(left[..n - x].iter().rev(), right[..m - y].iter().rev())
            });
            if !meter.spend((steps + more) as u64) {
                return None;
            }
            if let Some(point) = self.meeting_point(d, (n, m)) {
                return Some(point);
            }
        }
        let forward = self.forward.furthest_point(MAX_DIFFERENCES, (n, m));
        let backward = self.backward.furthest_point(MAX_DIFFERENCES, (n, m));
        match forward.0 + forward.1 >= backward.0 + backward.1 {
            true => Some(forward),
            false => Some((n - backward.0, m - backward.1)),
        }
    }

    /// Returns the point where the paths of `d` differences from both ends overlap.
    fn meeting_point(&self, d: usize, (n, m): (usize, usize)) -> Option<(usize, usize)> {
        let shift = n as isize - m as isize;
        // If the lengths differ by an odd number, the backward path has one difference less.
        let odd = shift % 2 != 0;
        let (least, most) = diagonal_range(d.checked_sub(usize::from(odd))?, n, m);
        let (low, high) = diagonal_range(d, n, m);
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
}

/// Returns the number of equal symbols before the first that differ.
pub(super) fn count_equal<'a>(
    left: impl Iterator<Item = &'a u32>,
    right: impl Iterator<Item = &'a u32>,
) -> usize {
    left.zip(right).take_while(|(a, b)| a == b).count()
}

/// The furthest point of a search on each diagonal, in symbols of the left side; -1 if not reached.
#[derive(Debug, Default)]
struct DiagonalReach {
    furthest_x: Vec<i32>,
    /// Where diagonal zero is.
    zero_index: usize,
}

impl DiagonalReach {
    /// Makes room for `most` differences.
    fn reserve(&mut self, most: usize) {
        if self.zero_index <= most {
            self.zero_index = most + 1;
            self.furthest_x = vec![-1; 2 * most + 3];
        }
    }

    fn index(&self, diagonal: isize) -> usize {
        self.zero_index.wrapping_add_signed(diagonal)
    }

    fn get(&self, diagonal: isize) -> Option<usize> {
        usize::try_from(self.furthest_x[self.index(diagonal)]).ok()
    }

    /// Extends each diagonal by one difference, then by the equal symbols behind it, which `run` counts from `(x, y)`.
    /// Returns the number of steps.
    fn extend(
        &mut self,
        d: usize,
        (n, m): (usize, usize),
        run: impl Fn(usize, usize) -> usize,
    ) -> usize {
        let (low, high) = diagonal_range(d, n, m);
        // Clears what an earlier search left next to the new diagonals.
        let (below, above) = (self.index(low - 1), self.index(high + 1));
        if d <= m {
            self.furthest_x[below] = -1;
        }
        if d <= n {
            self.furthest_x[above] = -1;
        }
        // Each diagonal between its two neighbours.
        let places = &mut self.furthest_x[below..=above];
        let mut steps = 0;
        for (place, k) in (1..places.len()).step_by(2).zip((low..=high).step_by(2)) {
            let removed = places[place - 1];
            let added = places[place + 1];
            // A step must not leave the left or the right side.
            let removed = if removed >= 0 && (removed as usize) < n {
                removed + 1
            } else {
                -1
            };
            let added = if added as isize - k <= m as isize {
                added
            } else {
                -1
            };
            let mut x = if d == 0 { 0 } else { removed.max(added) };
            if x >= 0 {
                let equal = run(x as usize, (x as isize - k) as usize);
                steps += equal;
                x += equal as i32;
            }
            places[place] = x;
            steps += 1;
        }
        steps
    }

    /// The point with the most symbols before it after `d` differences.
    fn furthest_point(&self, d: usize, (n, m): (usize, usize)) -> (usize, usize) {
        let (low, high) = diagonal_range(d, n, m);
        let points = (low..=high).step_by(2).filter_map(|k| {
            let x = self.get(k)?;
            Some((x, (x as isize - k) as usize))
        });
        points.max_by_key(|(x, y)| x + y).unwrap_or_default()
    }
}

/// The first and the last diagonal that `d` differences can reach; every second one between them is reached.
fn diagonal_range(d: usize, n: usize, m: usize) -> (isize, isize) {
    let low = d as isize - 2 * d.saturating_sub(m) as isize;
    let high = d as isize - 2 * d.saturating_sub(n) as isize;
    (-low, high)
}
