//! The variables of the process and the `.env` file: the one place that reads either.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the module that reads the environment"
)]

use std::io::ErrorKind;
use std::path::PathBuf;

use crate::capture::Secrets;
use crate::targets::environment::Environment;

/// A variable of the process. An empty one counts as absent.
pub(super) fn var(name: &str) -> Option<String> {
    Some(path(name)?.to_string_lossy().into_owned())
}

/// A variable of the process that names a path.
pub(super) fn path(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name)?;
    (!value.is_empty()).then(|| PathBuf::from(value))
}

/// Reads the variables of the process, and `.env` in the working directory if there is one. Returns also notes about what
/// could not be read of it.
pub(super) fn load() -> (Environment, Vec<String>) {
    let (text, error) = match std::fs::read(".env") {
        Ok(text) => (text, None),
        // A folder of that name is a Python environment.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
            (vec![], None)
        }
        Err(error) => (vec![], Some(format!(".env: {error}"))),
    };
    let (environment, mut notes) = Environment::new(std::env::vars_os(), &text);
    notes.extend(error);
    (environment, notes)
}

/// The keys in the variables, for texts that repeat arguments. No fingerprint of them is shown.
pub(super) fn known_secrets() -> Secrets {
    Secrets::new(load().0.secret_values(), &[0; 32])
}
