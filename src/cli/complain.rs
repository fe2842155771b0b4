//! What a user reads when something cannot be done: one line that says what and where, then a hint.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use super::exit::Exit;
use crate::render::words;

/// A reason to end before, or instead of, what was asked for.
#[derive(Debug)]
pub(super) struct Complaint {
    exit: Exit,
    text: String,
    hint: Option<String>,
}

impl Complaint {
    /// Ends with `exit`.
    pub(super) fn new(exit: Exit, text: impl Display) -> Self {
        Self {
            exit,
            text: text.to_string(),
            hint: None,
        }
    }

    /// Arguments, or input, that cannot be used.
    pub(super) fn usage(text: impl Display) -> Self {
        Self::new(Exit::Usage, text)
    }

    /// A file that cannot be read.
    pub(super) fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::usage(format!("{}: {error}", path.display()))
    }

    /// What to do about it.
    pub(super) fn hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// What to do about it, where that is known.
    pub(super) fn hint_of(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Says it, and how to end.
    pub(super) fn tell(self) -> Exit {
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "wire: {}", words::line(&self.text));
        if let Some(hint) = &self.hint {
            let _ = writeln!(stderr, "hint: {}", words::line(hint));
        }
        self.exit
    }
}
