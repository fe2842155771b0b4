//! Errors of the command line: one line that says what failed and where, then a hint.

use std::fmt::Display;
use std::io::Write;
use std::path::Path;

use super::env;
use super::exit::ExitReason;
use super::hints::hint_text;
use crate::net::{Hint, HintedError};
use crate::render::wording;

/// An error that ends the program, with its exit reason.
#[derive(Debug)]
pub(super) struct CliError {
    exit: ExitReason,
    error: HintedError,
}

impl From<HintedError> for CliError {
    fn from(error: HintedError) -> Self {
        Self {
            exit: ExitReason::Usage,
            error,
        }
    }
}

impl CliError {
    /// An error that ends with `exit`.
    pub(super) fn new(exit: ExitReason, text: impl Display) -> Self {
        Self {
            exit,
            error: HintedError::new(text.to_string()),
        }
    }

    /// An error of arguments or input.
    pub(super) fn usage(text: impl Display) -> Self {
        Self::new(ExitReason::Usage, text)
    }

    /// A file that cannot be read.
    pub(super) fn unreadable_file(path: &Path, error: &std::io::Error) -> Self {
        Self::usage(format!("{}: {error}", path.display()))
    }

    /// The same error with this hint.
    pub(super) fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.error.hint = Some(hint.into());
        self
    }

    /// The error without its exit reason.
    pub(super) fn into_hinted(self) -> HintedError {
        self.error
    }

    /// Prints the error and its hint on standard error, without known keys: an error repeats arguments. Returns how to
    /// end.
    pub(super) fn print(self) -> ExitReason {
        let secrets = env::known_secrets();
        let line = |text: &str| wording::escape_line(&secrets.mask_text(text)).into_owned();
        let mut stderr = std::io::stderr().lock();
        let _ = writeln!(stderr, "wire: {}", line(&self.error.error));
        if let Some(hint) = &self.error.hint {
            let _ = writeln!(stderr, "hint: {}", line(&hint_text(hint)));
        }
        self.exit
    }
}
