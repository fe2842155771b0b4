//! Guarantees that hold for every body, as assertions: the bodies of the fuzz targets, and of property tests.

use super::{
    AnswerDelta, AnswerReadOptions, AnswerReader, AnswerRetention, BodyEnding, Completion,
    DIALECTS, Dialect, dialect_by_name,
};
use crate::exchange::Exchange;
use crate::span::Moment;
use crate::sse::MAX_EVENT_BYTES;

/// Reads `bytes` as a body of every dialect, and as one whose dialect has to be recognised. The body of a fuzz target.
pub fn fuzz(bytes: &[u8]) {
    assert_split_invariant(bytes, None);
    for &dialect in DIALECTS {
        assert_split_invariant(bytes, Some(dialect));
    }
}

/// Reads `bytes` as a body of the dialect called `name`; without a name, as one whose dialect has to be recognised. The
/// body of one fuzz target for each dialect.
pub fn fuzz_as(name: Option<&str>, bytes: &[u8]) {
    let dialect = name.and_then(dialect_by_name);
    assert_eq!(name, dialect.map(Dialect::name), "no such dialect");
    assert_split_invariant(bytes, dialect);
}

/// Asserts that any split gives the same answer, and that a cut body never reads as complete.
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
    let mut deltas = Vec::new();
    let mut sink = |delta: &AnswerDelta<'_>| {
        deltas.push(format!("{:?} {} {}", delta.kind, delta.text, delta.span));
    };
    let mut reader = AnswerReader::new(&Exchange::default(), &[], options);
    for piece in bytes.chunks(size.max(1)) {
        reader.push(piece, Moment::default(), &mut sink);
    }
    let completion = reader.finish(ending, &mut sink);
    (completion, deltas)
}
