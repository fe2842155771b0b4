//! Where a text that several pieces of a stream make up lies in the stream.

use std::ops::Range;

use crate::span::Span;

/// The wire spans of the range `part` of a text whose pieces are at the wire spans `at`.
pub(super) fn part_spans(at: &[Span], part: Range<usize>) -> Vec<Span> {
    let (from, to) = (part.start as u64, part.end as u64);
    let mut passed = 0u64;
    let mut found = Vec::new();
    for span in at {
        let start = span
            .start
            .saturating_add(from.saturating_sub(passed))
            .min(span.end);
        let end = span
            .start
            .saturating_add(to.saturating_sub(passed))
            .min(span.end);
        passed = passed.saturating_add(span.len());
        if end > start {
            found.push(Span::new(start, end));
        }
    }
    found
}
