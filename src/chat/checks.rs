//! Guarantees that hold for every body, as assertions: the bodies of the fuzz targets, and of property tests.

use super::{
    AnswerDelta, AnswerReadOptions, AnswerReader, AnswerRetention, BodyEnding, Completion,
    DIALECTS, Dialect, dialect_by_name,
};
use crate::exchange::Exchange;
use crate::span::Moment;
use crate::sse::MAX_EVENT_BYTES;

/// Reads `bytes` as the body of every dialect, and of none that is named. The body of a fuzz target.
pub fn fuzz(bytes: &[u8]) {
    assert_split_invariant(bytes, None);
    for &dialect in DIALECTS {
        assert_split_invariant(bytes, Some(dialect));
    }
}

/// Reads `bytes` as the body of the dialect called `name`; of none, as one whose dialect the body tells. The
/// body of a fuzz target for each.
pub fn fuzz_as(name: Option<&str>, bytes: &[u8]) {
    let dialect = name.and_then(dialect_by_name);
    assert_eq!(name, dialect.map(Dialect::name), "no such dialect");
    assert_split_invariant(bytes, dialect);
}

/// Asserts that any split gives the same answer, and that what was cut never reads as whole.
fn assert_split_invariant(bytes: &[u8], dialect: Option<&'static dyn Dialect>) {
    for keep in [AnswerRetention::Everything, AnswerRetention::TotalsOnly] {
        let options = AnswerReadOptions {
            dialect,
            retention: keep,
            size_limit: MAX_EVENT_BYTES,
        };
        let whole = read_in_pieces(bytes, options, bytes.len(), BodyEnding::Whole);
        for size in [1, 7] {
            let split = read_in_pieces(bytes, options, size, BodyEnding::Whole);
            assert_eq!(whole, split, "{dialect:?}: a split changes the answer");
        }
        let (cut, _) = read_in_pieces(
            bytes,
            options,
            bytes.len(),
            BodyEnding::Cut { within: None },
        );
        assert!(!cut.verdict.is_whole(), "{dialect:?}: cut, and yet whole");
    }
}

fn read_in_pieces(
    bytes: &[u8],
    options: AnswerReadOptions,
    size: usize,
    ending: BodyEnding,
) -> (Completion, Vec<String>) {
    let mut told = Vec::new();
    let mut hear = |delta: &AnswerDelta<'_>| {
        told.push(format!("{:?} {} {}", delta.kind, delta.text, delta.span));
    };
    let mut reader = AnswerReader::new(&Exchange::default(), &[], options);
    for piece in bytes.chunks(size.max(1)) {
        reader.push(piece, Moment::default(), &mut hear);
    }
    let completion = reader.finish(ending, &mut hear);
    (completion, told)
}
