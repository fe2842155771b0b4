//! What a user reads when something cannot be done: one line that says what and where, then a hint.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use super::exit::ExitReason;
use crate::render::wording;

/// A reason to end before, or instead of, what was asked for.
#[derive(Debug)]
pub(super) struct CliError {
    exit: ExitReason,
    text: String,
    hint: Option<String>,
}

impl CliError {
    /// Ends with `exit`.
    pub(super) fn new(exit: ExitReason, text: impl Display) -> Self {
        Self {
            exit,
            text: text.to_string(),
            hint: None,
        }
    }

    /// Arguments, or input, that cannot be used.
    pub(super) fn usage(text: impl Display) -> Self {
        Self::new(ExitReason::Usage, text)
    }

    /// A file that cannot be read.
    pub(super) fn unreadable_file(path: &Path, error: &std::io::Error) -> Self {
        Self::usage(format!("{}: {error}", path.display()))
    }

    /// What to do about it.
    pub(super) fn with_hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// What to do about it, where that is known.
    pub(super) fn with_optional_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint;
        self
    }

    /// Says it, and how to end.
    pub(super) fn print(self) -> ExitReason {
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "wire: {}", wording::escape_line(&self.text));
        if let Some(hint) = &self.hint {
            let _ = writeln!(stderr, "hint: {}", wording::escape_line(hint));
        }
        self.exit
    }
}
