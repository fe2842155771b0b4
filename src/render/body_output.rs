//! One body on its way to an output: unchanged or painted, with or without a margin before each line, whole or
//! only its beginning.

use super::body::BodyPrinter;

/// A body that is being written to an output.
#[derive(Debug)]
pub(super) struct BodyOutput {
    printer: Option<BodyPrinter>,
    /// Text before each line.
    margin: &'static str,
    /// Bytes that may still be shown; the rest is counted.
    bytes_left: u64,
    unshown_bytes: u64,
    /// Whether the last shown byte ended its line.
    at_line_start: bool,
    text: String,
    lines: String,
}

impl BodyOutput {
    /// A body that is written unchanged.
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

    /// A body that is painted for a terminal.
    pub(super) fn painted(painter: BodyPrinter) -> Self {
        Self {
            printer: Some(painter),
            ..Self::unpainted()
        }
    }

    /// Sets `margin` before each line and shows no more than the first `room` bytes.
    pub(super) fn among_notes(self, margin: &'static str, room: u64) -> Self {
        Self {
            margin,
            bytes_left: room,
            ..self
        }
    }

    /// The bytes to write for `bytes` of the body.
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

    /// The bytes to write at the end of the body, and the number of body bytes that were not shown.
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

    /// The line end to write before other text, if the last line of the body is open.
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
    fn each_line_has_its_margin_and_the_rest_is_counted() {
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
    fn an_open_line_is_ended_once() {
        let painter = BodyPrinter::new(b"text/plain", false, OutputStyle::default());
        let mut flow = BodyOutput::painted(painter);
        assert_eq!(flow.push(b"abc"), b"abc");
        assert_eq!(flow.break_line(), b"\n");
        assert_eq!(flow.break_line(), b"");
        assert_eq!(flow.push(b"d"), b"d");
        assert_eq!(flow.finish().0, b"\n");
    }
}
