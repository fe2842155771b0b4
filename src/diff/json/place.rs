//! Where the value is that is being compared: its pointer, kept while the tree is walked, and its bytes in the
//! outermost text.

use std::fmt::Write;

use super::{Duplicate, Place};
use crate::json::ValuePath;
use crate::span::Span;

/// The way to the value that is being compared, on one side.
#[derive(Debug)]
pub(super) struct Trail<'a> {
    /// Pointers to the strings that lead to this document, outermost first.
    outer: Vec<String>,
    path: String,
    /// How many steps of the way a later member with an equal key hides.
    hidden: usize,
    origin: Origin<'a>,
}

/// How a step is undone.
#[derive(Debug)]
pub(super) struct Mark {
    length: usize,
    hidden: usize,
}

impl<'a> Trail<'a> {
    /// At the outermost value of a text.
    pub(super) fn new() -> Self {
        Self {
            outer: Vec::new(),
            path: String::new(),
            hidden: 0,
            origin: Origin::Text,
        }
    }

    /// At the outermost value of the document in the string that this trail leads to.
    pub(super) fn inside<'b>(&'b self, string: Span, offsets: Vec<(u32, u32)>) -> Trail<'b> {
        let mut outer = self.outer.clone();
        outer.push(self.path.clone());
        Trail {
            outer,
            path: String::new(),
            hidden: self.hidden,
            origin: Origin::String {
                around: &self.origin,
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
        duplicate: Option<Duplicate>,
    ) -> Mark {
        let mark = Mark {
            length: self.path.len(),
            hidden: self.hidden,
        };
        // Writing to a string does not fail.
        let _ = match name {
            Some(name) => write!(self.path, "{}", ValuePath::default().join(name)),
            None => write!(self.path, "/{index}"),
        };
        self.hidden += usize::from(duplicate.is_some_and(|one| one.nth < one.of));
        mark
    }

    pub(super) fn leave(&mut self, mark: Mark) {
        self.path.truncate(mark.length);
        self.hidden = mark.hidden;
    }

    /// The place that the trail leads to, at `span` of the document.
    pub(super) fn place(&self, span: Span, duplicate: Option<Duplicate>) -> Place {
        let mut paths = self.outer.iter().chain([&self.path]).cloned();
        Place {
            path: paths.next().unwrap_or_default(),
            inside: paths.collect(),
            span: Span::new(self.origin.locate(span.start), self.origin.locate(span.end)),
            duplicate,
            hidden: self.hidden > 0,
        }
    }
}

/// Where the text of a document comes from.
#[derive(Debug)]
enum Origin<'a> {
    /// It is the outermost text.
    Text,
    /// It is what a string holds.
    String {
        /// Where the text comes from that the string stands in.
        around: &'a Self,
        /// Offset there of what stands between the quotes.
        start: u64,
        /// See [`super::spelling::offsets`].
        offsets: Vec<(u32, u32)>,
    },
}

impl Origin<'_> {
    /// The offset in the outermost text.
    fn locate(&self, offset: u64) -> u64 {
        let Self::String {
            around,
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
        around.locate(start + u64::from(raw) + offset.saturating_sub(plain.into()))
    }
}
