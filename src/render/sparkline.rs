//! Arrivals over time in one line: a higher mark is more arrivals, a stall is a gap, a burst a peak.

/// Marks for no arrivals, then from few to many.
const UNICODE_MARKS: [char; 9] = ['·', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const ASCII_MARKS: [char; 9] = ['.', '_', '-', '=', '+', 'x', '*', '%', '#'];

/// Draws `arrivals` (microseconds, ascending) between `from` and `to` in `width` columns.
pub(super) fn sparkline(
    arrivals: &[u64],
    from: u64,
    to: u64,
    width: usize,
    unicode: bool,
) -> String {
    let mut columns = vec![0u64; width.max(1)];
    let length = to.saturating_sub(from).max(1);
    let last = columns.len().saturating_sub(1);
    for arrival in arrivals {
        let place = u128::from(arrival.saturating_sub(from)) * columns.len() as u128;
        let column = usize::try_from(place / u128::from(length)).unwrap_or(last);
        if let Some(count) = columns.get_mut(column.min(last)) {
            *count = count.saturating_add(1);
        }
    }
    let most = columns.iter().copied().max().unwrap_or(0).max(1);
    let marks = if unicode { UNICODE_MARKS } else { ASCII_MARKS };
    let mark = |count: &u64| {
        let height = usize::try_from(count.saturating_mul(8).div_ceil(most)).unwrap_or(8);
        marks.get(height).copied().unwrap_or(' ')
    };
    columns.iter().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_and_a_burst_are_visible() {
        let arrivals = [0, 10, 20, 30, 80, 81, 82, 83, 84, 85, 86, 87, 100];
        assert_eq!(sparkline(&arrivals, 0, 100, 10, true), "▁▁▁▁····█▁");
        assert_eq!(sparkline(&arrivals, 0, 100, 10, false), "____....#_");
        assert_eq!(sparkline(&[], 0, 0, 4, false), "....");
        assert_eq!(sparkline(&[5], 5, 5, 1, true), "█");
    }
}
