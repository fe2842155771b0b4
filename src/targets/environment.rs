//! The environment as a value: the variables of the process, and those of a `.env` file for what the process does not set.

use std::borrow::Cow;
use std::ffi::OsString;

use crate::capture::{is_secret_name, is_secret_value};

/// Variables of the process, and of a `.env` file. The process wins.
#[derive(Debug, Default)]
pub struct Environment {
    process: Vec<(String, Vec<u8>)>,
    dotenv: Vec<(String, String)>,
}

impl Environment {
    /// The environment of these variables and the text of a `.env` file, and notes about what could not be read of the
    /// file.
    pub fn new(
        process: impl IntoIterator<Item = (OsString, OsString)>,
        dotenv: &[u8],
    ) -> (Self, Vec<String>) {
        let process = process.into_iter().map(|(name, value)| {
            let name = name.to_string_lossy().into_owned();
            (name, value.into_encoded_bytes())
        });
        let process = process.collect();
        let (dotenv, notes) = parse_dotenv(dotenv);
        (Self { process, dotenv }, notes)
    }

    /// The value of `name`. An empty value counts as absent.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        let process = self.process.iter().find(|(known, _)| known == name);
        let process = process.map(|(_, value)| String::from_utf8_lossy(value));
        // The last line of a name wins, as in a shell.
        let dotenv = self.dotenv.iter().rev().find(|(known, _)| known == name);
        let dotenv = dotenv.map(|(_, value)| Cow::Borrowed(value.as_str()));
        let mut values = [process, dotenv].into_iter().flatten();
        values.find(|value| !value.is_empty())
    }

    /// The first of `names` that has a value, and the value.
    pub fn first_set<'a>(&self, names: &'a [String]) -> Option<(&'a str, Cow<'_, str>)> {
        names
            .iter()
            .find_map(|name| Some((name.as_str(), self.get(name)?)))
    }

    /// The values of all variables that are secret by their name and by their look. Words are none, such as
    /// `SORT_KEY=created`: they occur in answers.
    pub fn secret_values(&self) -> impl Iterator<Item = Vec<u8>> {
        let process = self.process.iter();
        let process = process.map(|(name, value)| (name, value.as_slice()));
        let dotenv = self.dotenv.iter();
        let dotenv = dotenv.map(|(name, value)| (name, value.as_bytes()));
        process
            .chain(dotenv)
            .filter(|(name, value)| is_secret_name(name) && is_secret_value(value.trim_ascii()))
            .map(|(_, value)| value.trim_ascii().to_vec())
    }
}

/// The variables of a `.env` file, and notes about what could not be read.
fn parse_dotenv(text: &[u8]) -> (Vec<(String, String)>, Vec<String>) {
    let text = String::from_utf8_lossy(text);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let text: String = text.split_inclusive('\n').map(quote_value).collect();
    let (mut pairs, mut notes) = (Vec::new(), Vec::new());
    for line in dotenvy::from_read_iter(text.as_bytes()) {
        match line {
            Ok(pair) => pairs.push(pair),
            // The line is not printed: it may hold a key.
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

/// A line of a `.env` file. `NAME=some words` gets the quotes that `dotenvy` needs and other readers do not.
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
    fn secret_variables_are_known_by_name_and_look() {
        let variables = [
            ("OPENAI_API_KEY", "sk-proj-0123456789"),
            ("DB_PASSWORD", "content"),
            ("SORT_KEY", "chat.completion"),
            ("HOME", "/home/Zq9xUNIQ7f3a"),
            ("MYCREDS", " Zq9xUNIQ7f3a"),
        ];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let environment = Environment::new(variables, b"BASIC_AUTH=hunter2hunter2").0;
        let secrets: Vec<_> = environment.secret_values().collect();
        let expected = ["sk-proj-0123456789", "Zq9xUNIQ7f3a", "hunter2hunter2"];
        assert_eq!(secrets, expected.map(|value| value.as_bytes().to_vec()));
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
