//! The environment, and the `.env` file that fills its gaps: the one place that reads either.

#![expect(
    clippy::disallowed_methods,
    reason = "this is the module that reads the environment"
)]

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::PathBuf;

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
pub(super) struct Environment {
    dotenv: Vec<(String, String)>,
}

impl Environment {
    /// Reads `.env` in the working directory, if there is one; and what could not be read of it. It never
    /// overrides the real environment.
    pub(super) fn load() -> (Self, Vec<String>) {
        let text = match std::fs::read(".env") {
            Ok(text) => text,
            // A folder of that name is a Python environment.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::IsADirectory) => {
                return (Self { dotenv: vec![] }, vec![]);
            }
            Err(error) => return (Self { dotenv: vec![] }, vec![format!(".env: {error}")]),
        };
        let (file, notes) = parse_dotenv(&text);
        (Self { dotenv: file }, notes)
    }

    /// The value of `name`; empty counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        var(name).or_else(|| {
            let found = self.dotenv.iter().rev().find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.clone())
                .filter(|value| !value.is_empty())
        })
    }

    /// The first of `names` that has a value, with its name.
    pub(super) fn first_set<'a>(&self, names: &[&'a str]) -> Option<(&'a str, String)> {
        names.iter().find_map(|&name| Some((name, self.get(name)?)))
    }

    /// Every value whose name says that it is a secret.
    pub(super) fn secret_values(&self) -> impl Iterator<Item = Vec<u8>> {
        let real = std::env::vars_os().map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.into_encoded_bytes(),
            )
        });
        let file = self.dotenv.iter();
        let file = file.map(|(name, value)| (name.clone(), value.clone().into_bytes()));
        real.chain(file)
            .filter(|(name, _)| is_secret_name(name))
            .map(|(_, value)| value.trim_ascii().to_vec())
    }
}

/// Names such as `OPENAI_API_KEY`, `HF_TOKEN`, `AWS_SECRET_ACCESS_KEY`, `GROQ_KEY`.
fn is_secret_name(name: &str) -> bool {
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

/// The pairs of a `.env` file, and a note for what cannot be read of it.
fn parse_dotenv(text: &[u8]) -> (Vec<(String, String)>, Vec<String>) {
    let text = String::from_utf8_lossy(text);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text: String = text.split_inclusive('\n').map(quote_value).collect();
    let (mut pairs, mut notes) = (Vec::new(), Vec::new());
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        match line {
            Ok(pair) => pairs.push(pair),
            // Its line is not repeated: it may hold a key.
            Err(dotenvy::Error::LineParse(..)) => notes.push(
                ".env: something that is not NAME=value, or a quote that nothing closes, is skipped"
                    .to_owned(),
            ),
            Err(error) => {
                notes.push(format!(".env: {error}: the rest is skipped"));
                break;
            }
        }
    }
    (pairs, notes)
}

/// A line of the form `NAME=some words`, which others read and the parser does not, with the quotes that it
/// wants; any other as it is.
fn quote_value(line: &str) -> Cow<'_, str> {
    let Some((name, value)) = line.split_once('=') else {
        return line.into();
    };
    let value = value.trim();
    let plain = !value.contains(['"', '\'', '#', '$', '\\']);
    match plain && value.contains(char::is_whitespace) {
        true => format!("{name}='{value}'\n").into(),
        false => line.into(),
    }
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
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["HOME", "KEYBOARD", "TOKENIZERS_PARALLELISM", "LANG"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_file_is_read_as_far_as_it_can_be() {
        let text = "\u{feff}A=1\n# b\nexport B=two words\n=x\nC='3 4' # c\nD=it's\nE=5\n";
        let (pairs, notes) = parse_dotenv(text.as_bytes());
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(pairs, [("A", "1"), ("B", "two words"), ("C", "3 4")]);
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(!notes.concat().contains("it's"));
        assert_eq!(parse_dotenv(b"A=caf\xe9\nB=2\n").0.len(), 2);
    }
}
