//! The APIs that `--to` knows, and what each wants: base URL, path, key, fields. Adding one is one entry.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::env::{self, Environment};
use super::error::CliError;

/// An API, as the table below and the config file describe it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApiTarget {
    /// Base URL; the variable `base_env` wins over it.
    pub(super) base: String,
    /// Variables that may hold another base URL.
    pub(super) base_env: Vec<String>,
    /// After the base URL; `{model}` stands for the model.
    pub(super) path: String,
    /// The path of a streamed answer, where the body does not say `"stream"`.
    pub(super) stream_path: String,
    /// Variables that may hold the key, the first one wins; none: no key is wanted.
    pub(super) key_env: Vec<String>,
    /// Whether a missing key is no error.
    pub(super) key_optional: bool,
    /// The field that carries the key; `Authorization` gets `Bearer` before it.
    pub(super) key_field: String,
    /// Further fields.
    pub(super) fields: Vec<(String, String)>,
}

/// Name, base, variables of the base, path, variables of the key.
type ApiTargetRow = (
    &'static str,
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

const CHAT_PATH: &str = "/chat/completions";

/// The names and defaults are those of each provider's own SDK, or of its API page.
const TARGETS: [ApiTargetRow; 15] = [
    (
        "openai",
        "https://api.openai.com/v1",
        &["OPENAI_BASE_URL"],
        CHAT_PATH,
        &["OPENAI_API_KEY"],
    ),
    (
        "anthropic",
        "https://api.anthropic.com",
        &["ANTHROPIC_BASE_URL"],
        "/v1/messages",
        &["ANTHROPIC_API_KEY"],
    ),
    (
        "gemini",
        "https://generativelanguage.googleapis.com",
        &["GOOGLE_GEMINI_BASE_URL", "GEMINI_BASE_URL"],
        "/v1beta/models/{model}:generateContent",
        &["GOOGLE_API_KEY", "GEMINI_API_KEY"],
    ),
    (
        "ollama",
        "http://127.0.0.1:11434",
        &["OLLAMA_HOST"],
        "/api/chat",
        &["OLLAMA_API_KEY"],
    ),
    (
        "openrouter",
        "https://openrouter.ai/api/v1",
        &["OPENROUTER_BASE_URL"],
        CHAT_PATH,
        &["OPENROUTER_API_KEY"],
    ),
    (
        "groq",
        "https://api.groq.com/openai/v1",
        &["GROQ_BASE_URL"],
        CHAT_PATH,
        &["GROQ_API_KEY"],
    ),
    (
        "deepseek",
        "https://api.deepseek.com",
        &["DEEPSEEK_BASE_URL"],
        CHAT_PATH,
        &["DEEPSEEK_API_KEY"],
    ),
    (
        "mistral",
        "https://api.mistral.ai/v1",
        &["MISTRAL_BASE_URL"],
        CHAT_PATH,
        &["MISTRAL_API_KEY"],
    ),
    (
        "xai",
        "https://api.x.ai/v1",
        &["XAI_BASE_URL"],
        CHAT_PATH,
        &["XAI_API_KEY"],
    ),
    (
        "together",
        "https://api.together.xyz/v1",
        &["TOGETHER_BASE_URL"],
        CHAT_PATH,
        &["TOGETHER_API_KEY"],
    ),
    (
        "fireworks",
        "https://api.fireworks.ai/inference/v1",
        &["FIREWORKS_BASE_URL"],
        CHAT_PATH,
        &["FIREWORKS_API_KEY"],
    ),
    (
        "perplexity",
        "https://api.perplexity.ai",
        &["PERPLEXITY_BASE_URL"],
        CHAT_PATH,
        &["PERPLEXITY_API_KEY"],
    ),
    (
        "cerebras",
        "https://api.cerebras.ai/v1",
        &["CEREBRAS_BASE_URL"],
        CHAT_PATH,
        &["CEREBRAS_API_KEY"],
    ),
    (
        "llamacpp",
        "http://127.0.0.1:8080/v1",
        &["LLAMACPP_BASE_URL"],
        CHAT_PATH,
        &["LLAMACPP_API_KEY"],
    ),
    (
        "vllm",
        "http://127.0.0.1:8000/v1",
        &["VLLM_BASE_URL"],
        CHAT_PATH,
        &["VLLM_API_KEY"],
    ),
];

/// The name of the embedded server.
const DEMO_NAME: &str = "demo";

/// What the demo server is sent for a key, so that masking can be seen at work. It is no secret.
const DEMO_KEY: &str = "sk-demo-0123456789abcdef";

impl ApiTarget {
    /// The API called `name`: from the config file, else from the table.
    pub(super) fn find(name: &str, config: Option<&Path>) -> Result<Self, CliError> {
        let mut own = read_config(config)?;
        if let Some(found) = own.remove(name) {
            return Ok(found.with_defaults());
        }
        if let Some(entry) = TARGETS.iter().find(|entry| entry.0 == name) {
            return Ok(Self::from_row(entry));
        }
        let known: Vec<_> = TARGETS.iter().map(|entry| entry.0.to_owned()).collect();
        let known = known
            .into_iter()
            .chain([DEMO_NAME.to_owned(), "demo:NAME".to_owned()])
            .chain(own.into_keys());
        let known = known.collect::<Vec<_>>().join(", ");
        Err(match name {
            "help" => CliError::usage(format!("known targets: {known}")),
            _ => CliError::usage(format!("there is no target `{name}`")).with_hint(format!(
                "known are {known}; further ones go into a config file (--config), any URL into --url"
            )),
        })
    }

    fn from_row(&(name, base, base_env, path, key_env): &ApiTargetRow) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let mut found = Self {
            base: base.to_owned(),
            base_env: owned(base_env),
            path: path.to_owned(),
            key_env: owned(key_env),
            key_optional: base.starts_with("http://"),
            ..Self::default()
        };
        match name {
            "anthropic" => {
                found.key_field = "x-api-key".to_owned();
                // https://docs.anthropic.com/en/api/versioning
                found.fields = vec![("anthropic-version".to_owned(), "2023-06-01".to_owned())];
            }
            "gemini" => {
                found.key_field = "x-goog-api-key".to_owned();
                found.stream_path =
                    "/v1beta/models/{model}:streamGenerateContent?alt=sse".to_owned();
            }
            _ => {}
        }
        found.with_defaults()
    }

    /// The embedded server at `root`, spoken to as the API `name`: `demo` (Chat Completions) or `demo:NAME`.
    pub(super) fn for_demo(name: &str, root: &str) -> Result<Self, CliError> {
        let (mut found, api) = match name.split_once(':') {
            None => (Self::find("openai", None)?, "openai"),
            Some((_, "responses")) => {
                let mut found = Self::find("openai", None)?;
                "/responses".clone_into(&mut found.path);
                (found, "responses")
            }
            Some((_, api)) => (Self::find(api, None)?, api),
        };
        let version = if found.base.ends_with("/v1") {
            "/v1"
        } else {
            ""
        };
        found.base = format!("{root}{version}");
        found.base_env.clear();
        found.key_env.clear();
        if api != "ollama" {
            let bearer = found.key_field == "Authorization";
            let value = if bearer {
                format!("Bearer {DEMO_KEY}")
            } else {
                DEMO_KEY.to_owned()
            };
            found.fields.insert(0, (found.key_field.clone(), value));
        }
        Ok(found)
    }

    /// `NAME` and the model of `NAME:MODEL`; where none follows the colon, all of it is the name, which nothing has.
    /// What follows `demo:` is an API that it speaks, if there is one of that
    /// name, and a model may follow that.
    pub(super) fn split_model(to: &str) -> (Option<&str>, Option<&str>) {
        let Some((name, rest)) = to.split_once(':').filter(|_| !to.ends_with(':')) else {
            return (Some(to), None);
        };
        if name != DEMO_NAME {
            return (Some(name), Some(rest));
        }
        let (api, model) = match rest.split_once(':') {
            None => (rest, None),
            Some((api, model)) => (api, Some(model)),
        };
        let known = api == "responses" || TARGETS.iter().any(|entry| entry.0 == api);
        match known {
            true => (
                to.get(..DEMO_NAME.len().saturating_add(1).saturating_add(api.len())),
                model,
            ),
            false => (Some(name), Some(rest)),
        }
    }

    /// Whether `name` is that of the embedded server.
    pub(super) fn is_demo(name: &str) -> bool {
        name == DEMO_NAME || name.starts_with("demo:")
    }

    fn with_defaults(mut self) -> Self {
        if self.path.is_empty() {
            CHAT_PATH.clone_into(&mut self.path);
        }
        if self.key_field.is_empty() {
            "Authorization".clone_into(&mut self.key_field);
        }
        self
    }

    /// The base URL, with `path` after its path and before its query.
    pub(super) fn url(&self, env: &Environment, path: &str) -> String {
        let base = self.base_url(env);
        let (base, query) = base.split_once('?').unwrap_or((&base, ""));
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mark = match (query.is_empty(), path.contains('?')) {
            (true, _) => "",
            (false, true) => "&",
            (false, false) => "?",
        };
        format!("{}{slash}{path}{mark}{query}", base.trim_end_matches('/'))
    }

    /// The base URL, as it is written.
    pub(super) fn base_url(&self, env: &Environment) -> String {
        let names: Vec<_> = self.base_env.iter().map(String::as_str).collect();
        let (name, base) = env.first_set(&names).unwrap_or(("", self.base.clone()));
        let base = base.trim();
        match base.contains("://") {
            true => base.to_owned(),
            false if name == "OLLAMA_HOST" => ollama_base_url(base),
            false => format!("http://{base}"),
        }
    }

    /// The field that carries the key; `None` where there is none and none is needed.
    pub(super) fn credential_field(
        &self,
        name: &str,
        env: &Environment,
    ) -> Result<Option<(String, String)>, CliError> {
        if let Some(token) = env
            .get("ANTHROPIC_AUTH_TOKEN")
            .filter(|_| name == "anthropic")
        {
            return Ok(Some((
                "Authorization".to_owned(),
                format!("Bearer {token}"),
            )));
        }
        let names: Vec<_> = self.key_env.iter().map(String::as_str).collect();
        let Some((variable, key)) = env.first_set(&names) else {
            return if self.key_optional || names.is_empty() {
                Ok(None)
            } else {
                Err(missing_key_error(name, &names))
            };
        };
        let key = key.trim();
        if key.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(CliError::usage(format!(
                "{variable} holds a control character: no header can carry it"
            )));
        }
        let value = match self.key_field.eq_ignore_ascii_case("authorization") {
            true => format!("Bearer {key}"),
            false => key.to_owned(),
        };
        Ok(Some((self.key_field.clone(), value)))
    }
}

/// `OLLAMA_HOST` is `host`, `host:port` or `:port` by custom, the rest of it Ollama's own.
fn ollama_base_url(host: &str) -> String {
    let host = host.trim_end_matches('/');
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => (name, port),
        _ => (host, "11434"),
    };
    let name = match name {
        "" => "127.0.0.1".to_owned(),
        bare if bare.contains(':') && !bare.starts_with('[') => format!("[{bare}]"),
        name => name.to_owned(),
    };
    format!("http://{name}:{port}")
}

fn missing_key_error(name: &str, variables: &[&str]) -> CliError {
    let variables = variables.join(" or ");
    CliError::usage(format!(
        "no key for {name}: {variables} is not set, here or in .env"
    ))
    .with_hint(format!(
        "set {}, or try `--to demo`, the embedded server, which needs no key",
        variables.split(' ').next().unwrap_or(&variables)
    ))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetConfig {
    #[serde(default)]
    targets: BTreeMap<String, ApiTarget>,
}

/// Reads `--config`, `$WIRE_CONFIG` or the user's own file; only one that was named must be there.
#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
fn read_config(named: Option<&Path>) -> Result<BTreeMap<String, ApiTarget>, CliError> {
    let named = named
        .map(Path::to_owned)
        .or_else(|| env::path("WIRE_CONFIG"));
    let own = || {
        let home =
            env::path("XDG_CONFIG_HOME").or_else(|| Some(env::path("HOME")?.join(".config")));
        home.map(|folder| folder.join("wire/targets.json"))
    };
    let must = named.is_some();
    let Some(path) = named.or_else(own) else {
        return Ok(BTreeMap::new());
    };
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must => {
            return Ok(BTreeMap::new());
        }
        Err(error) => return Err(CliError::unreadable_file(&path, &error)),
    };
    let config: TargetConfig = serde_json::from_slice(&text).map_err(|error| {
        CliError::usage(format!("{}: {error}", path.display())).with_hint(
            r#"it reads {"targets": {"NAME": {"base": "http://127.0.0.1:8080/v1", "key_env": ["MY_KEY"]}}}"#,
        )
    })?;
    Ok(config.targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_may_name_a_model() {
        let case = |to: &str, name: &str, model: Option<&str>| {
            assert_eq!(ApiTarget::split_model(to), (Some(name), model), "{to}");
        };
        case("openai", "openai", None);
        case("groq:llama-3.3-70b", "groq", Some("llama-3.3-70b"));
        case("ollama:llama3:8b", "ollama", Some("llama3:8b"));
        case("demo", "demo", None);
        case("demo:anthropic", "demo:anthropic", None);
        case(
            "demo:anthropic:claude-x",
            "demo:anthropic",
            Some("claude-x"),
        );
        case("demo:responses:gpt-4o", "demo:responses", Some("gpt-4o"));
        case("demo:gpt-4o", "demo", Some("gpt-4o"));
        case("openai:", "openai:", None);
        case("demo:anthropic:", "demo:anthropic:", None);
    }

    #[test]
    fn ollama_has_a_host_and_port_of_its_own() {
        for (host, url) in [
            ("127.0.0.1", "http://127.0.0.1:11434"),
            ("gpu:8000/", "http://gpu:8000"),
            (":8000", "http://127.0.0.1:8000"),
            ("[::1]", "http://[::1]:11434"),
            ("[::1]:1", "http://[::1]:1"),
            ("::1", "http://[::1]:11434"),
        ] {
            assert_eq!(ollama_base_url(host), url);
        }
    }
}
