//! Base URLs in the own settings of programs, which win over variables: where they are, what they are, and what to pass
//! to the program so that others take their place. Files are read by the caller.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::environment::Environment;
use super::program_table::SettingsKind;

/// A function that returns the bytes of a file, or `None` if it cannot be read.
pub type ReadFile<'a> = &'a dyn Fn(&Path) -> Option<Vec<u8>>;

/// A place in a program's own settings that holds a base URL.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum SettingPlace {
    /// The argument of this index in the command line, and its text before the value. Codex.
    CodexArgument(usize, String),
    /// A key that `-c KEY="VALUE"` sets. Codex.
    CodexKey(String),
    /// A variable that `--settings '{"env": ...}'` sets. Claude Code.
    ClaudeVariable(String),
    /// A provider whose base URL `OPENCODE_CONFIG_CONTENT` sets. opencode.
    OpencodeProvider(String),
}

/// The base URLs of a program's own settings, and notes about those that cannot be replaced.
#[derive(Debug, Default)]
pub(super) struct OwnSettings {
    pub(super) base_urls: Vec<(SettingPlace, String)>,
    pub(super) notes: Vec<String>,
}

/// What the settings of a program are read from.
pub(super) struct SettingsSource<'a> {
    pub(super) command: &'a [String],
    pub(super) environment: &'a Environment,
    pub(super) read_file: ReadFile<'a>,
}

impl SettingsSource<'_> {
    /// Reads the base URLs of a program with settings of this kind. `variables`: its base-URL variables.
    pub(super) fn read(&self, kind: SettingsKind, variables: &[String]) -> OwnSettings {
        match kind {
            SettingsKind::Codex => self.read_codex(),
            SettingsKind::Claude => self.read_claude(variables),
            SettingsKind::Opencode => self.read_opencode(),
        }
    }

    /// The path below the home folder, or in the folder that `variable` names.
    fn home_path(&self, variable: &str, folder: &str, file: &str) -> Option<PathBuf> {
        if let Some(own) = self.environment.get(variable) {
            return Some(Path::new(&*own).join(file));
        }
        let home = self.environment.get("HOME")?;
        Some(Path::new(&*home).join(folder).join(file))
    }

    fn read_home(&self, variable: &str, folder: &str, file: &str) -> Option<Vec<u8>> {
        (self.read_file)(&self.home_path(variable, folder, file)?)
    }

    /// The base URLs of Codex: of `-c` arguments, else of its `config.toml`, else of its login. It reads no variable for
    /// them (seen with 0.171.0).
    fn read_codex(&self) -> OwnSettings {
        let mut found = OwnSettings::default();
        let mut keys = Vec::new();
        for (index, prefix, key, value) in codex_arguments(self.command) {
            found
                .base_urls
                .push((SettingPlace::CodexArgument(index, prefix), value));
            keys.push(key);
        }
        let config = self.read_home("CODEX_HOME", ".codex", "config.toml");
        let config = String::from_utf8_lossy(config.as_deref().unwrap_or_default()).into_owned();
        for (key, value) in toml_base_urls(&config) {
            if !keys.contains(&key) {
                found
                    .base_urls
                    .push((SettingPlace::CodexKey(key.clone()), value));
                keys.push(key);
            }
        }
        let built_in = "openai_base_url";
        if keys.iter().any(|key| key == built_in) {
            return found;
        }
        match self.codex_base_url() {
            Some(url) => found
                .base_urls
                .push((SettingPlace::CodexKey(built_in.to_owned()), url.to_owned())),
            None => found.notes.push(
                "the login of Codex is not in its auth.json, so the base URL of its built-in provider is not known: \
                 only the proxy sees it"
                    .to_owned(),
            ),
        }
        found
    }

    /// The base URL of Codex's built-in provider. It depends on the login: a ChatGPT account has another one.
    fn codex_base_url(&self) -> Option<&'static str> {
        const API: &str = "https://api.openai.com/v1";
        if self.environment.get("CODEX_API_KEY").is_some() {
            return Some(API);
        }
        let login = self.read_home("CODEX_HOME", ".codex", "auth.json")?;
        let login: Value = serde_json::from_slice(&login).ok()?;
        let has = |key: &str| login.get(key).is_some_and(|value| !value.is_null());
        match login.get("auth_mode").and_then(Value::as_str) {
            Some("chatgpt") => Some("https://chatgpt.com/backend-api/codex"),
            _ if has("OPENAI_API_KEY") => Some(API),
            _ if has("tokens") => Some("https://chatgpt.com/backend-api/codex"),
            _ => None,
        }
    }

    /// The base-URL variables in the `env` objects of Claude Code's settings, which win over the environment, as
    /// `--settings` does over them (seen with 2.1.197). The later of these files wins.
    fn read_claude(&self, variables: &[String]) -> OwnSettings {
        let mut found = OwnSettings::default();
        let files = [
            self.home_path("CLAUDE_CONFIG_DIR", ".claude", "settings.json"),
            Some(PathBuf::from(".claude/settings.json")),
            Some(PathBuf::from(".claude/settings.local.json")),
        ];
        let settings = files
            .into_iter()
            .flatten()
            .filter_map(|path| serde_json::from_slice::<Value>(&(self.read_file)(&path)?).ok());
        let mut urls: Vec<(String, String)> = Vec::new();
        for settings in settings {
            for (name, value) in settings
                .get("env")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if let Some(url) = value.as_str().filter(|_| variables.contains(name)) {
                    urls.retain(|(known, _)| known != name);
                    urls.push((name.clone(), url.to_owned()));
                }
            }
        }
        let has_argument = |word: &String| word == "--settings" || word.starts_with("--settings=");
        if !urls.is_empty() && self.command.iter().any(has_argument) {
            let names: Vec<_> = urls.drain(..).map(|(name, _)| name).collect();
            found.notes.push(format!(
                "settings.json of Claude Code sets {}, and the command has --settings already: these calls go past \
                 the recorder",
                names.join(", ")
            ));
        }
        let place = |(name, url)| (SettingPlace::ClaudeVariable(name), url);
        found.base_urls.extend(urls.into_iter().map(place));
        found
    }

    /// The base URLs of the providers in opencode's settings. The later of these files wins.
    fn read_opencode(&self) -> OwnSettings {
        let mut found = OwnSettings::default();
        let own = self.environment.get("OPENCODE_CONFIG");
        let home =
            ["config.json", "opencode.json", "opencode.jsonc"].map(|file| self.opencode_path(file));
        let files = home
            .into_iter()
            .flatten()
            .chain(own.map(|path| PathBuf::from(&*path)))
            .chain(["opencode.json", "opencode.jsonc"].map(PathBuf::from));
        let mut texts: Vec<_> = files
            .filter_map(|path| Some(((self.read_file)(&path)?, path.display().to_string())))
            .collect();
        let content = self.environment.get(OPENCODE_CONTENT);
        texts.extend(content.map(|text| (text.into_owned().into(), OPENCODE_CONTENT.to_owned())));
        for (text, name) in texts {
            let Ok(settings) = serde_json::from_slice::<Value>(&text) else {
                let note = format!("{name} is not plain JSON: base URLs in it are not known");
                found.notes.push(note);
                continue;
            };
            for (name, provider) in settings
                .get("provider")
                .and_then(Value::as_object)
                .into_iter()
                .flatten()
            {
                if let Some(url) = provider.pointer("/options/baseURL").and_then(Value::as_str) {
                    let place = SettingPlace::OpencodeProvider(name.clone());
                    found.base_urls.retain(|(known, _)| *known != place);
                    found.base_urls.push((place, url.to_owned()));
                }
            }
        }
        found
    }

    fn opencode_path(&self, file: &str) -> Option<PathBuf> {
        self.home_path("XDG_CONFIG_HOME", ".config", &format!("opencode/{file}"))
    }
}

/// The variable with settings of opencode, which win over its files (seen with 1.18.33).
const OPENCODE_CONTENT: &str = "OPENCODE_CONFIG_CONTENT";

/// The variable that gives these providers of opencode these base URLs, and its value: the user's own settings in it
/// stay.
pub(super) fn opencode_variable(
    environment: &Environment,
    base_urls: &[(&str, &str)],
) -> (String, String) {
    let own = environment.get(OPENCODE_CONTENT);
    let own = own.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let mut settings = own
        .filter(Value::is_object)
        .unwrap_or_else(|| Value::Object(Default::default()));
    for (provider, url) in base_urls {
        let path = ["provider", provider, "options"];
        let mut place = Some(&mut settings);
        for key in path {
            place = place.and_then(|place| object_in(place, key));
        }
        if let Some(Value::Object(options)) = place {
            options.insert("baseURL".to_owned(), (*url).into());
        }
    }
    (OPENCODE_CONTENT.to_owned(), settings.to_string())
}

/// The member `key` of an object, which is made if it is missing. `None` if `value` is not an object.
fn object_in<'a>(value: &'a mut Value, key: &str) -> Option<&'a mut Value> {
    let object = value.as_object_mut()?;
    Some(
        object
            .entry(key)
            .or_insert_with(|| Value::Object(Default::default())),
    )
}

/// Whether a key of Codex's settings holds the base URL of a provider.
fn is_codex_base_url(key: &str) -> bool {
    let provider = key.strip_prefix("model_providers.");
    key == "openai_base_url" || provider.is_some_and(|key| key.ends_with(".base_url"))
}

/// The base URLs among the `-c KEY=VALUE` arguments of Codex: index of the argument, its text before the value, the
/// key, the value.
fn codex_arguments(command: &[String]) -> Vec<(usize, String, String, String)> {
    let mut found = Vec::new();
    let mut is_value = false;
    for (index, word) in command.iter().enumerate() {
        let glued = word
            .strip_prefix("--config=")
            .or_else(|| word.strip_prefix("-c"));
        let setting = match (is_value, glued) {
            (true, _) => Some(word.as_str()),
            (false, glued) => glued.filter(|setting| !setting.is_empty()),
        };
        is_value = !is_value && matches!(word.as_str(), "-c" | "--config");
        let Some((key, value)) = setting.and_then(|setting| setting.split_once('=')) else {
            continue;
        };
        if is_codex_base_url(key.trim()) {
            let prefix = word.strip_suffix(value).unwrap_or(word).to_owned();
            let value = unquoted(value).to_owned();
            found.push((index, prefix, key.trim().to_owned(), value));
        }
    }
    found
}

/// The keys and values of the base URLs in the text of `config.toml`. Only strings on one line are read.
fn toml_base_urls(text: &str) -> Vec<(String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split(']').next())
        {
            section = format!("{}.", name.trim());
        } else if let Some((key, value)) = line.split_once('=') {
            let key = format!("{section}{}", key.trim());
            if is_codex_base_url(&key) {
                found.push((key, unquoted(value).to_owned()));
            }
        }
    }
    found
}

/// The text between the first quote of `value` and the next one of its kind; without quotes, the text itself.
fn unquoted(value: &str) -> &str {
    let value = value.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote) {
            return inner.split(quote).next().unwrap_or(inner);
        }
    }
    value
}
