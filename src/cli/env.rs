//! The environment, and the `.env` file that fills its gaps: the one place that reads either.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the module that reads the environment"
)]

use std::path::{Path, PathBuf};

use super::complain::Complaint;

/// A variable of the process; one that is empty counts as absent.
pub(super) fn var(name: &str) -> Option<String> {
    let value = std::env::var_os(name)?.to_string_lossy().into_owned();
    (!value.is_empty()).then_some(value)
}

/// A variable of the process that names a path.
pub(super) fn path(name: &str) -> Option<PathBuf> {
    let value = std::env::var_os(name)?;
    (!value.is_empty()).then(|| PathBuf::from(value))
}

/// The environment with `.env` behind it.
#[derive(Debug)]
pub(super) struct Env {
    file: Vec<(String, String)>,
}

impl Env {
    /// Reads `.env` in the working directory, if there is one. It never overrides the real environment.
    pub(super) fn load() -> Result<Self, Complaint> {
        let path = Path::new(".env");
        let file = match dotenvy::from_path_iter(path) {
            Err(dotenvy::Error::Io(_)) => return Ok(Self { file: vec![] }),
            Err(error) => return Err(unreadable(&error)),
            Ok(lines) => lines.collect::<Result<_, _>>(),
        };
        Ok(Self {
            file: file.map_err(|error| unreadable(&error))?,
        })
    }

    /// The value of `name`; empty counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        var(name).or_else(|| {
            let found = self.file.iter().rev().find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_empty())
        })
    }

    /// The first of `names` that has a value, with its name.
    pub(super) fn first<'a>(&self, names: &[&'a str]) -> Option<(&'a str, String)> {
        names.iter().find_map(|&name| Some((name, self.get(name)?)))
    }

    /// Every value whose name says that it is a secret.
    pub(super) fn secrets(&self) -> impl Iterator<Item = Vec<u8>> {
        let real = std::env::vars_os().map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.into_encoded_bytes(),
            )
        });
        let file = self.file.iter();
        let file = file.map(|(name, value)| (name.clone(), value.clone().into_bytes()));
        real.chain(file)
            .filter(|(name, _)| is_secret(name))
            .map(|(_, value)| value.trim_ascii().to_vec())
    }
}

/// Names such as `OPENAI_API_KEY`, `HF_TOKEN`, `AWS_SECRET_ACCESS_KEY`, `GROQ_KEY`.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    const ENDINGS: [&str; 7] = [
        "_KEY",
        "_TOKEN",
        "_SECRET",
        "_PASSWORD",
        "APIKEY",
        "_PAT",
        "_CREDENTIALS",
    ];
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn unreadable(error: &dotenvy::Error) -> Complaint {
    // The error of a line quotes the line, and the line may hold a key.
    let text = match error {
        dotenvy::Error::LineParse(_, place) => {
            format!(".env: a line cannot be read near its character {place}")
        }
        error => format!(".env: {error}"),
    };
    Complaint::usage(text).hint("a line is NAME=value, a comment begins with #")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_name() {
        for name in [
            "OPENAI_API_KEY",
            "HF_TOKEN",
            "aws_secret_access_key",
            "DB_PASSWORD",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["HOME", "KEYBOARD", "TOKENIZERS_PARALLELISM", "LANG"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
