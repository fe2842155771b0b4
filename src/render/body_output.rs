//! One body on its way to an output: as it is, or painted, perhaps with a mark before each line, perhaps
//! only its beginning.

use super::body::BodyPrinter;

/// A body that is being shown.
#[derive(Debug)]
pub(super) struct BodyOutput {
    printer: Option<BodyPrinter>,
    /// What stands before each line.
    margin: &'static str,
    /// How much more of it is shown; the rest is counted.
    bytes_left: u64,
    unshown_bytes: u64,
    /// Whether what was shown last ended its line.
    at_line_start: bool,
    text: String,
    lines: String,
}

impl BodyOutput {
    /// A body that goes out as it is.
    pub(super) fn unpainted() -> Self {
        Self {
            printer: None,
            margin: "",
            bytes_left: u64::MAX,
            unshown_bytes: 0,
            at_line_start: true,
            text: String::new(),
            lines: String::new(),
        }
    }

    /// A body for the eye.
    pub(super) fn painted(painter: BodyPrinter) -> Self {
        Self {
            printer: Some(painter),
            ..Self::unpainted()
        }
    }

    /// With `margin` before each line, and no more than the first `room` bytes.
    pub(super) fn among_notes(self, margin: &'static str, room: u64) -> Self {
        Self {
            margin,
            bytes_left: room,
            ..self
        }
    }

    /// What of `bytes` is to be written.
    pub(super) fn push<'a>(&'a mut self, bytes: &'a [u8]) -> &'a [u8] {
        let room = usize::try_from(self.bytes_left).unwrap_or(usize::MAX);
        let (shown, rest) = bytes.split_at(bytes.len().min(room));
        if self.bytes_left != u64::MAX {
            self.bytes_left = self.bytes_left.saturating_sub(shown.len() as u64);
        }
        self.unshown_bytes = self.unshown_bytes.saturating_add(rest.len() as u64);
        let Some(painter) = &mut self.printer else {
            return shown;
        };
        self.text.clear();
        painter.push(shown, &mut self.text);
        self.add_margin()
    }

    /// What is to be written at its end, and how many bytes were not shown.
    pub(super) fn finish(&mut self) -> (&[u8], u64) {
        self.text.clear();
        let unshown = std::mem::take(&mut self.unshown_bytes);
        let Some(painter) = &mut self.printer else {
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
        (self.add_margin(), unshown)
    }

    /// What is to be written before something else is, so that it stands on a line of its own.
    pub(super) fn break_line(&mut self) -> &'static [u8] {
        let open = self.printer.is_some() && !self.at_line_start;
        self.at_line_start = true;
        if open { b"\n" } else { b"" }
    }

    fn add_margin(&mut self) -> &[u8] {
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
    use crate::render::OutputStyle;

    #[test]
    fn margins_and_room() {
        let painter = BodyPrinter::new(b"text/plain", false, OutputStyle::default());
        let mut flow = BodyOutput::painted(painter).among_notes("> ", 8);
        let mut out = Vec::new();
        out.extend_from_slice(flow.push(b"one\ntw"));
        out.extend_from_slice(flow.push(b"o\nthree"));
        let (end, unshown) = flow.finish();
        out.extend_from_slice(end);
        assert_eq!(String::from_utf8(out).unwrap(), "> one\n> two\n");
        assert_eq!(unshown, 5);
    }

    #[test]
    fn a_line_that_is_open_is_ended_once() {
        let painter = BodyPrinter::new(b"text/plain", false, OutputStyle::default());
        let mut flow = BodyOutput::painted(painter);
        assert_eq!(flow.push(b"abc"), b"abc");
        assert_eq!(flow.break_line(), b"\n");
        assert_eq!(flow.break_line(), b"");
        assert_eq!(flow.push(b"d"), b"d");
        assert_eq!(flow.finish().0, b"\n");
    }
}
