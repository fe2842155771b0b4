//! Known APIs by name, and what a request to each needs: base URL, path, key, head fields. Adding one is one line of
//! `apis.json`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::environment::Environment;
use crate::net::{Hint, HintedError};

/// An API, as `apis.json` and the user's config file describe it. The names and defaults of `apis.json` are those of each
/// provider's own SDK, or of its API page.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct ApiTarget {
    /// Base URL. The variables of `base_env` win over it.
    pub base: String,
    /// Variables that may hold another base URL.
    pub base_env: Vec<String>,
    /// Path after the base URL. `{model}` is replaced by the model.
    pub path: String,
    /// Path of a streamed answer, if the body does not carry `"stream"`.
    pub stream_path: String,
    /// Variables that may hold the key; the first one wins. Empty: no key is needed.
    pub key_env: Vec<String>,
    /// Whether a missing key is no error.
    pub key_optional: bool,
    /// Head field that carries the key. The value of `Authorization` gets `Bearer` before it.
    pub key_field: String,
    /// Further head fields, such as the version that Anthropic asks for (<https://docs.anthropic.com/en/api/versioning>).
    pub fields: Vec<(String, String)>,
}

impl Default for ApiTarget {
    fn default() -> Self {
        Self {
            base: String::new(),
            base_env: Vec::new(),
            path: "/chat/completions".to_owned(),
            stream_path: String::new(),
            key_env: Vec::new(),
            key_optional: false,
            key_field: "Authorization".to_owned(),
            fields: Vec::new(),
        }
    }
}

/// The user's own targets by name.
pub type OwnTargets = BTreeMap<String, ApiTarget>;

/// Reads the user's config file: `{"targets": {"NAME": {"base": "...", "key_env": ["..."]}}}`.
///
/// # Errors
///
/// The text is not such a file.
pub fn parse_config(text: &[u8]) -> serde_json::Result<OwnTargets> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct TargetConfig {
        #[serde(default)]
        targets: OwnTargets,
    }
    serde_json::from_slice(text).map(|config: TargetConfig| config.targets)
}

/// The APIs of `apis.json` in its order; parsed on first use. A test parses the file, which is part of the program.
static KNOWN_APIS: LazyLock<Vec<(String, ApiTarget)>> =
    LazyLock::new(|| serde_json::from_str(include_str!("apis.json")).unwrap_or_default());

/// The name of the embedded server.
const DEMO_NAME: &str = "demo";

/// The key that is sent to the embedded server, so that masking can be seen at work. It is no secret.
const DEMO_KEY: &str = "sk-demo-0123456789abcdef";

impl ApiTarget {
    /// The API called `name`: one of the user's own, or else a known one.
    ///
    /// # Errors
    ///
    /// There is no such API. The error lists all names, and so does that of the name `help`.
    pub fn find(name: &str, own: &OwnTargets) -> Result<Self, HintedError> {
        if let Some(found) = own.get(name) {
            return Ok(found.clone());
        }
        let mut known = KNOWN_APIS.iter();
        if let Some((_, api)) = known.find(|(known, _)| known == name) {
            return Ok(api.clone());
        }
        let known = KNOWN_APIS.iter().map(|(known, _)| known.as_str());
        let known = known.chain([DEMO_NAME, "demo:NAME"]);
        let known: Vec<_> = known.chain(own.keys().map(String::as_str)).collect();
        let known = known.join(", ");
        Err(match name {
            "help" => HintedError::new(format!("known targets: {known}")),
            _ => HintedError::new(format!("there is no target `{name}`"))
                .with_hint(Hint::KnownTargets(known)),
        })
    }

    /// The embedded server at the URL `root`, as the API of `name`: `demo` (Chat Completions) or `demo:NAME`.
    ///
    /// # Errors
    ///
    /// There is no such API.
    pub fn for_demo(name: &str, root: &str) -> Result<Self, HintedError> {
        let api = name.split_once(':').map_or("openai", |(_, api)| api);
        let known = OwnTargets::new();
        let mut found = match api {
            "responses" => Self {
                path: "/responses".to_owned(),
                ..Self::find("openai", &known)?
            },
            api => Self::find(api, &known)?,
        };
        let version = match found.base.ends_with("/v1") {
            true => "/v1",
            false => "",
        };
        found.base = format!("{root}{version}");
        found.base_env.clear();
        found.key_env.clear();
        if api != "ollama" {
            let field = (found.key_field.clone(), found.key_value(DEMO_KEY));
            found.fields.insert(0, field);
        }
        Ok(found)
    }

    /// The name and the model of `NAME:MODEL`. A text that ends with a colon is a name, which no target has. After `demo:`
    /// comes the API that the embedded server speaks, if there is one of that name, and then the model.
    pub fn split_model(to: &str) -> (&str, Option<&str>) {
        let Some((name, rest)) = to.split_once(':').filter(|_| !to.ends_with(':')) else {
            return (to, None);
        };
        if name != DEMO_NAME {
            return (name, Some(rest));
        }
        let api = rest.split(':').next().unwrap_or(rest);
        if api != "responses" && !KNOWN_APIS.iter().any(|(known, _)| known == api) {
            return (name, Some(rest));
        }
        match rest.split_once(':') {
            None => (to, None),
            Some((_, model)) => {
                let name = to.strip_suffix(model).and_then(|to| to.strip_suffix(':'));
                (name.unwrap_or(to), Some(model))
            }
        }
    }

    /// Whether `name` is that of the embedded server.
    pub fn is_demo(name: &str) -> bool {
        name == DEMO_NAME || name.starts_with("demo:")
    }

    /// Whether requests name the model, and ask for a stream, in the path instead of the body.
    pub fn has_model_in_path(&self) -> bool {
        self.path.contains("{model}")
    }

    /// The base URL, with `path` after its path and before its query.
    pub fn url(&self, environment: &Environment, path: &str) -> String {
        let base = self.base_url(environment);
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
    pub fn base_url(&self, environment: &Environment) -> String {
        let set = environment.first_set(&self.base_env);
        let (name, base) = set.unwrap_or(("", self.base.as_str().into()));
        complete_base_url(name, &base)
    }

    /// The head field that carries the key of the API `name`. `None` if there is no key and none is needed.
    ///
    /// # Errors
    ///
    /// The key is missing, or a header cannot carry it.
    pub fn credential_field(
        &self,
        name: &str,
        environment: &Environment,
    ) -> Result<Option<(String, String)>, HintedError> {
        // The variable of Claude Code and of Anthropic's SDKs for a bearer token.
        let token = environment.get("ANTHROPIC_AUTH_TOKEN");
        if let Some(token) = token.filter(|_| name == "anthropic") {
            let value = format!("Bearer {token}");
            return Ok(Some(("Authorization".to_owned(), value)));
        }
        let Some((variable, key)) = environment.first_set(&self.key_env) else {
            return match self.key_env.first() {
                Some(variable) if !self.key_optional => {
                    let variables = self.key_env.join(" or ");
                    let text =
                        format!("no key for {name}: {variables} is not set, here or in .env");
                    Err(HintedError::new(text).with_hint(Hint::SetKey(variable.clone())))
                }
                _ => Ok(None),
            };
        };
        let key = key.trim();
        if key.bytes().any(|byte| byte.is_ascii_control()) {
            return Err(HintedError::new(format!(
                "{variable} holds a control character: no header can carry it"
            )));
        }
        Ok(Some((self.key_field.clone(), self.key_value(key))))
    }

    fn key_value(&self, key: &str) -> String {
        match self.key_field.eq_ignore_ascii_case("authorization") {
            true => format!("Bearer {key}"),
            false => key.to_owned(),
        }
    }
}

/// The base URL that `variable` holds: without a scheme it is plain HTTP, and that of Ollama has defaults of its own.
pub(super) fn complete_base_url(variable: &str, base: &str) -> String {
    let base = base.trim();
    match base.contains("://") {
        true => base.to_owned(),
        false if variable == "OLLAMA_HOST" => ollama_base_url(base),
        false => format!("http://{base}"),
    }
}

/// The base URL of an `OLLAMA_HOST`: by Ollama's custom `host`, `host:port` or `:port`, with its defaults for the rest.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_known_apis_can_be_read() {
        assert_eq!(KNOWN_APIS.len(), 15);
        for (name, api) in KNOWN_APIS.iter() {
            assert!(
                api.base.contains("://") && !api.key_env.is_empty(),
                "{name}"
            );
        }
    }

    #[test]
    fn a_target_may_name_a_model() {
        let case = |to: &str, name: &str, model: Option<&str>| {
            assert_eq!(ApiTarget::split_model(to), (name, model), "{to}");
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
