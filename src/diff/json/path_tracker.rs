//! Where the value is that is being compared: its pointer, kept while the tree is walked, and its bytes in the
//! outermost text.

use std::fmt::Write;

use super::{DuplicateKey, JsonPlace};
use crate::json::ValuePath;
use crate::span::Span;

/// The way to the value that is being compared, on one side.
#[derive(Debug)]
pub(super) struct PathTracker<'a> {
    /// Pointers to the strings that lead to this document, outermost first.
    outer_pointers: Vec<String>,
    pointer: String,
    /// How many steps of the way a later member with an equal key hides.
    shadowed_steps: usize,
    origin: TextOrigin<'a>,
}

/// How a step is undone.
#[derive(Debug)]
pub(super) struct PathMark {
    pointer_length: usize,
    shadowed_steps: usize,
}

impl<'a> PathTracker<'a> {
    /// At the outermost value of a text.
    pub(super) fn new() -> Self {
        Self {
            outer_pointers: Vec::new(),
            pointer: String::new(),
            shadowed_steps: 0,
            origin: TextOrigin::Outermost,
        }
    }

    /// At the outermost value of the document in the string that this trail leads to.
    pub(super) fn enter_string<'b>(
        &'b self,
        string: Span,
        offsets: Vec<(u32, u32)>,
    ) -> PathTracker<'b> {
        let mut outer = self.outer_pointers.clone();
        outer.push(self.pointer.clone());
        PathTracker {
            outer_pointers: outer,
            pointer: String::new(),
            shadowed_steps: self.shadowed_steps,
            origin: TextOrigin::InString {
                outer: &self.origin,
                start: string.start.saturating_add(1),
                offsets,
            },
        }
    }

    /// Goes on to a member of that name, or, without one, to the item at `index`.
    pub(super) fn enter(
        &mut self,
        name: Option<&str>,
        index: usize,
        duplicate: Option<DuplicateKey>,
    ) -> PathMark {
        let mark = PathMark {
            pointer_length: self.pointer.len(),
            shadowed_steps: self.shadowed_steps,
        };
        // Writing to a string does not fail.
        let _ = match name {
            Some(name) => write!(self.pointer, "{}", ValuePath::default().join(name)),
            None => write!(self.pointer, "/{index}"),
        };
        self.shadowed_steps += usize::from(duplicate.is_some_and(|one| one.nth < one.of));
        mark
    }

    pub(super) fn leave(&mut self, mark: PathMark) {
        self.pointer.truncate(mark.pointer_length);
        self.shadowed_steps = mark.shadowed_steps;
    }

    /// The place that the trail leads to, at `span` of the document.
    pub(super) fn place(&self, span: Span, duplicate: Option<DuplicateKey>) -> JsonPlace {
        let mut paths = self.outer_pointers.iter().chain([&self.pointer]).cloned();
        JsonPlace {
            path: paths.next().unwrap_or_default(),
            inside: paths.collect(),
            span: Span::new(
                self.origin.outermost_offset(span.start),
                self.origin.outermost_offset(span.end),
            ),
            duplicate,
            hidden: self.shadowed_steps > 0,
        }
    }
}

/// Where the text of a document comes from.
#[derive(Debug)]
enum TextOrigin<'a> {
    /// It is the outermost text.
    Outermost,
    /// It is what a string holds.
    InString {
        /// Where the text comes from that the string stands in.
        outer: &'a Self,
        /// Offset there of what stands between the quotes.
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
