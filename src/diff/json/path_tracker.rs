//! The place of the value that is compared: its path, kept while the tree is walked, and its bytes in the outermost
//! text.

use super::super::place::{DuplicateKey, JsonPath, PathStep};
use super::difference::JsonPlace;
use crate::span::Span;

/// The path to the value that is compared, on one side.
#[derive(Debug)]
pub(super) struct PathTracker<'a> {
    path: JsonPath,
    /// Whether the value is in a member that a later one with an equal key hides.
    hidden: bool,
    origin: TextOrigin<'a>,
}

/// The state of a [`PathTracker`] before a step, to go back to.
#[derive(Debug)]
pub(super) struct PathMark {
    path: JsonPath,
    hidden: bool,
}

impl<'a> PathTracker<'a> {
    /// At the outermost value of a text.
    pub(super) fn new() -> Self {
        Self {
            path: JsonPath::default(),
            hidden: false,
            origin: TextOrigin::Outermost,
        }
    }

    /// At the outermost value of the document in the string at this place.
    pub(super) fn enter_string<'b>(
        &'b self,
        string: Span,
        offsets: Vec<(u32, u32)>,
    ) -> PathTracker<'b> {
        PathTracker {
            path: self.path.join(PathStep::InString),
            hidden: self.hidden,
            origin: TextOrigin::InString {
                outer: &self.origin,
                start: string.start.saturating_add(1),
                offsets,
            },
        }
    }

    /// Goes one step further in.
    pub(super) fn enter(&mut self, step: PathStep, duplicate: Option<DuplicateKey>) -> PathMark {
        let inner = self.path.join(step);
        let hidden = self.hidden || duplicate.is_some_and(|one| one.nth < one.of);
        PathMark {
            path: std::mem::replace(&mut self.path, inner),
            hidden: std::mem::replace(&mut self.hidden, hidden),
        }
    }

    /// Goes back to the place before a step.
    pub(super) fn leave(&mut self, mark: PathMark) {
        (self.path, self.hidden) = (mark.path, mark.hidden);
    }

    /// The place at this path, with `span` of the document.
    pub(super) fn place(&self, span: Span, duplicate: Option<DuplicateKey>) -> JsonPlace {
        JsonPlace {
            path: self.path.clone(),
            span: Span::new(
                self.origin.outermost_offset(span.start),
                self.origin.outermost_offset(span.end),
            ),
            duplicate,
            hidden: self.hidden,
        }
    }
}

/// The source of a JSON text: a body, or a string inside another JSON text.
#[derive(Debug)]
enum TextOrigin<'a> {
    /// It is the outermost text.
    Outermost,
    /// It is the content of a string.
    InString {
        /// The source of the text with the string.
        outer: &'a Self,
        /// Offset there of the content between the quotes.
        start: u64,
        /// See [`super::spelling::escape_offsets`].
        offsets: Vec<(u32, u32)>,
    },
}

impl TextOrigin<'_> {
    /// The offset in the outermost text.
    fn outermost_offset(&self, offset: u64) -> u64 {
        let Self::InString {
            outer: around,
            start,
            offsets,
        } = self
        else {
            return offset;
        };
        let after = offsets.partition_point(|&(plain, _)| u64::from(plain) <= offset);
        let (plain, raw) = match after.checked_sub(1) {
            Some(piece) => offsets[piece],
            None => (0, 0),
        };
        around.outermost_offset(start + u64::from(raw) + offset.saturating_sub(plain.into()))
    }
}
