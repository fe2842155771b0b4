//! The next line in a window, remembering how far it looked: no byte is searched twice.

use memchr::memchr;

use crate::span::Span;
use crate::tape::Window;

/// A line of a head: its span and its text without the line end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ScannedLine {
    /// Its bytes without the line end.
    pub(super) text: Span,
    /// All of it.
    pub(super) whole: Span,
    /// Whether LF alone ended it.
    pub(super) bare_lf: bool,
}

/// A scanner that finds line ends and remembers how far it looked.
#[derive(Clone, Debug, Default)]
pub(super) struct LineScanner {
    /// No LF lies between the start of the line and this offset.
    searched_to: u64,
}

impl LineScanner {
    /// The line that starts at `start`, if its LF is in the window.
    pub(super) fn next_line(&mut self, seen: Window<'_>, start: u64) -> Option<ScannedLine> {
        self.searched_to = self.searched_to.max(start);
        let Some(lf) = memchr(b'\n', seen.slice_from(self.searched_to)) else {
            self.searched_to = self.searched_to.max(seen.end());
            return None;
        };
        let lf = self.searched_to.saturating_add(lf as u64);
        // The same line may be asked for again, when what follows it was not seen yet.
        self.searched_to = lf;
        let before = seen.slice(Span::new(start, lf));
        let bare_lf = before.last() != Some(&b'\r');
        let text = Span::new(start, lf.saturating_sub(u64::from(!bare_lf)));
        Some(ScannedLine {
            text,
            whole: Span::new(start, lf.saturating_add(1)),
            bare_lf,
        })
    }
}
