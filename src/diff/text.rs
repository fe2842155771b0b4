//! What differs between two texts, word by word or line by line.

use serde::Serialize;

use super::effort::Effort;
use crate::span::Span;

/// A piece of two texts.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Run {
    /// Which text has it.
    pub kind: RunKind,
    /// Its bytes in the left text; of what was added, the empty place where it would stand.
    pub left: Span,
    /// Its bytes in the right text; of what was removed, the empty place where it would stand.
    pub right: Span,
}

/// Which of two texts has a piece.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Both.
    Same,
    /// The left one only.
    Removed,
    /// The right one only.
    Added,
}

/// The pieces of two texts, cut between words; together they are the whole of both.
pub fn words(left: &str, right: &str, _effort: Effort) -> Vec<Run> {
    let run = |kind, left: usize, right: usize| Run {
        kind,
        left: Span::new(0, left as u64),
        right: Span::new(0, right as u64),
    };
    match left == right {
        true => vec![run(RunKind::Same, left.len(), right.len())],
        false => vec![
            run(RunKind::Removed, left.len(), 0),
            Run {
                left: Span::at(left.len() as u64),
                ..run(RunKind::Added, 0, right.len())
            },
        ],
    }
}
