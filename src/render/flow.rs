//! One body on its way to an output: as it is, or painted, perhaps with a mark before each line, perhaps
//! only its beginning.

use super::body::Painter;

/// A body that is being shown.
#[derive(Debug)]
pub(super) struct Flow {
    painter: Option<Painter>,
    /// What stands before each line.
    margin: &'static str,
    /// How much more of it is shown; the rest is counted.
    room: u64,
    unshown: u64,
    /// Whether what was shown last ended its line.
    at_line_start: bool,
    text: String,
    lines: String,
}

impl Flow {
    /// A body that goes out as it is.
    pub(super) fn plain() -> Self {
        Self {
            painter: None,
            margin: "",
            room: u64::MAX,
            unshown: 0,
            at_line_start: true,
            text: String::new(),
            lines: String::new(),
        }
    }

    /// A body for the eye.
    pub(super) fn painted(painter: Painter) -> Self {
        Self {
            painter: Some(painter),
            ..Self::plain()
        }
    }

    /// With `margin` before each line, and no more than the first `room` bytes.
    pub(super) fn among_notes(self, margin: &'static str, room: u64) -> Self {
        Self {
            margin,
            room,
            ..self
        }
    }

    /// What of `bytes` is to be written.
    pub(super) fn show<'a>(&'a mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = usize::try_from(self.room).unwrap_or(usize::MAX);
        let (shown, rest) = bytes.split_at(bytes.len().min(room));
        if self.room != u64::MAX {
            self.room = self.room.saturating_sub(shown.len() as u64);
        }
        self.unshown = self.unshown.saturating_add(rest.len() as u64);
        let Some(painter) = &mut self.painter else {
            return shown;
        };
        self.text.clear();
        painter.push(shown, &mut self.text);
        self.with_margin()
    }

    /// What is to be written at its end, and how many bytes were not shown.
    pub(super) fn end(&mut self) -> (&[u8], u64) {
        self.text.clear();
        let unshown = std::mem::take(&mut self.unshown);
        let Some(painter) = &mut self.painter else {
            return (&[], unshown);
        };
        painter.finish(&mut self.text);
        let open = match self.text.chars().next_back() {
            Some(last) => last != '\n',
            None => !self.at_line_start,
        };
        if open {
            self.text.push('\n');
        }
        (self.with_margin(), unshown)
    }

    /// What is to be written before something else is, so that it stands on a line of its own.
    pub(super) fn pause(&mut self) -> &'static [u8] {
        let open = self.painter.is_some() && !self.at_line_start;
        self.at_line_start = true;
        if open { b"\n" } else { b"" }
    }

    fn with_margin(&mut self) -> &[u8] {
        let Some(last) = self.text.chars().next_back() else {
            return &[];
        };
        if self.margin.is_empty() {
            self.at_line_start = last == '\n';
            return self.text.as_bytes();
        }
        self.lines.clear();
        for line in self.text.split_inclusive('\n') {
            if self.at_line_start {
                self.lines.push_str(self.margin);
            }
            self.lines.push_str(line);
            self.at_line_start = line.ends_with('\n');
        }
        self.lines.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Style;

    #[test]
    fn margins_and_room() {
        let painter = Painter::new(b"text/plain", false, Style::default());
        let mut flow = Flow::painted(painter).among_notes("> ", 8);
        let mut out = Vec::new();
        out.extend_from_slice(flow.show(b"one\ntw"));
        out.extend_from_slice(flow.show(b"o\nthree"));
        let (end, unshown) = flow.end();
        out.extend_from_slice(end);
        assert_eq!(String::from_utf8(out).unwrap(), "> one\n> two\n");
        assert_eq!(unshown, 5);
    }

    #[test]
    fn a_line_that_is_open_is_ended_once() {
        let painter = Painter::new(b"text/plain", false, Style::default());
        let mut flow = Flow::painted(painter);
        assert_eq!(flow.show(b"abc"), b"abc");
        assert_eq!(flow.pause(), b"\n");
        assert_eq!(flow.pause(), b"");
        assert_eq!(flow.show(b"d"), b"d");
        assert_eq!(flow.end().0, b"\n");
    }
}
