//! Longest increasing subsequences: the fewest things that moved are those outside of one.

/// Returns the indices of a longest strictly increasing subsequence.
pub(super) fn longest_increasing(values: &[u32]) -> Vec<usize> {
    // For each length, the index of the least last value of a subsequence of that length.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The length of a longest increasing subsequence, by trying each value as the last.
    fn longest(values: &[u32]) -> usize {
        let mut lengths: Vec<usize> = Vec::new();
        for (at, value) in values.iter().enumerate() {
            let before = lengths.iter().zip(&values[..at]);
            let before = before.filter(|(_, other)| *other < value);
            lengths.push(1 + before.map(|(length, _)| *length).max().unwrap_or(0));
        }
        lengths.into_iter().max().unwrap_or(0)
    }

    proptest! {
        #[test]
        fn the_subsequence_increases_and_none_is_longer(
            values in prop::collection::vec(0u32..50, 0..60),
        ) {
            let found = longest_increasing(&values);
            let increases = |pair: &[usize]| pair[0] < pair[1] && values[pair[0]] < values[pair[1]];
            prop_assert!(found.windows(2).all(increases));
            prop_assert_eq!(found.len(), longest(&values));
        }
    }
}
