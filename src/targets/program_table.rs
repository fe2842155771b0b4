//! The table of known programs, of the variables that lead clients to another server, and of the hosts of LLM APIs:
//! `programs.json`, and a file of the user's in the same format.

use std::sync::LazyLock;

use serde::Deserialize;

/// A variable that holds a base URL, and the base URL that clients use where it is not set, spelled as they spell it
/// (with or without `/v1`). An empty base URL: the variable is led elsewhere only if the user has set it.
pub(super) type BaseUrlVariable = (String, String);

/// The table of known programs, variables and hosts. Every list may be left out in a file of the user's.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProgramTable {
    /// The base-URL variables of each API.
    pub(super) apis: Vec<ApiVariables>,
    /// The programs that need more than the variables of all APIs, or fewer.
    pub(super) programs: Vec<KnownProgram>,
    /// Commands that start the program named after their options, such as `npx`.
    pub(super) wrappers: Vec<String>,
    /// Variables with a fixed value, which make a runtime read the proxy variables.
    pub(super) switches: Vec<(String, String)>,
    /// Variables that name a proxy.
    pub(super) proxy: Vec<String>,
    /// Variables that name a proxy for some clients, and replace the ones above there: changed only if they are set.
    pub(super) proxy_if_set: Vec<String>,
    /// Variables that list hosts without a proxy.
    pub(super) no_proxy: Vec<String>,
    /// Such variables of some clients: changed only if they are set.
    pub(super) no_proxy_if_set: Vec<String>,
    /// Variables that name a file of trusted certificates.
    pub(super) trust: Vec<String>,
    /// Such variables of some clients: changed only if they are set.
    pub(super) trust_if_set: Vec<String>,
    /// Hosts of LLM APIs. `*` matches one or more characters.
    hosts: Vec<String>,
}

/// The base-URL variables that lead the clients of one API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ApiVariables {
    pub(super) name: String,
    pub(super) variables: Vec<BaseUrlVariable>,
    /// What some clients do otherwise once a base URL is set; empty if nothing is known.
    pub(super) effect: String,
}

/// A program whose command is known.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct KnownProgram {
    /// Names of its command and packages.
    pub(super) names: Vec<String>,
    /// The APIs whose variables it reads; `None`: all.
    pub(super) apis: Option<Vec<String>>,
    /// Further base-URL variables. They win over those of the APIs.
    pub(super) variables: Vec<BaseUrlVariable>,
    /// The program's own settings, which name base URLs too.
    pub(super) settings: Option<SettingsKind>,
    /// The variable that makes it behave behind a base URL as it does without one.
    pub(super) first_party: Option<FirstPartySwitch>,
    /// Subcommands that make it a server: its base-URL variables then name the address to listen on.
    pub(super) unless: Vec<String>,
    /// Limits that its user should know.
    pub(super) notes: Vec<String>,
}

/// The format of a program's own settings.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(super) enum SettingsKind {
    /// `config.toml` and `-c KEY=VALUE` of Codex.
    Codex,
    /// The `env` object in `settings.json` of Claude Code.
    Claude,
    /// The `provider` object in `opencode.json`.
    Opencode,
}

/// A variable that a program needs so that it treats a base URL as the first party's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FirstPartySwitch {
    /// The base-URL variable that has the effect.
    pub(super) variable: String,
    /// The first party's host: the switch is right for no other upstream.
    pub(super) host: String,
    /// Name of the switch.
    pub(super) name: String,
    /// Value of the switch.
    pub(super) value: String,
}

/// The table of `programs.json`, parsed on first use. A test parses the file, which is part of the program.
static BUILT_IN: LazyLock<ProgramTable> =
    LazyLock::new(|| serde_json::from_str(include_str!("programs.json")).unwrap_or_default());

impl ProgramTable {
    /// The table that is part of `wire`.
    pub fn built_in() -> Self {
        BUILT_IN.clone()
    }

    /// The built-in table with the text of a user's file: its APIs and programs replace those of the same name, and
    /// its other entries are added.
    ///
    /// # Errors
    ///
    /// The text is not such a file.
    pub fn with_file(text: &[u8]) -> serde_json::Result<Self> {
        let own: Self = serde_json::from_slice(text)?;
        let mut table = Self::built_in();
        table
            .apis
            .retain(|api| !own.apis.iter().any(|own| own.name == api.name));
        // The first match wins.
        table.programs.splice(0..0, own.programs);
        table.apis.extend(own.apis);
        table.wrappers.extend(own.wrappers);
        table.switches.extend(own.switches);
        table.proxy.extend(own.proxy);
        table.proxy_if_set.extend(own.proxy_if_set);
        table.no_proxy.extend(own.no_proxy);
        table.no_proxy_if_set.extend(own.no_proxy_if_set);
        table.trust.extend(own.trust);
        table.trust_if_set.extend(own.trust_if_set);
        table.hosts.extend(own.hosts);
        Ok(table)
    }

    /// The table with further hosts, which may be patterns such as `*.example.com`, among those of known APIs.
    pub fn with_hosts(mut self, hosts: &[String]) -> Self {
        let hosts = hosts.iter().map(|host| host.to_ascii_lowercase());
        self.hosts.extend(hosts);
        self
    }

    /// Whether `host` is that of a known LLM API. Ports are not part of a host.
    pub fn is_api_host(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.hosts
            .iter()
            .any(|pattern| matches_pattern(pattern, &host))
    }

    /// The index of the word of `command` that names the program, behind wrappers such as `npx` or `env NAME=value`,
    /// and the known program of that name.
    pub(super) fn find_program(&self, command: &[String]) -> (usize, Option<&KnownProgram>) {
        let is_wrapper = |word: &str| self.wrappers.iter().any(|wrapper| wrapper == word);
        let mut wrapped = None;
        for (index, word) in command.iter().enumerate() {
            let name = program_name(word);
            let skipped = index > 0 && (word.starts_with('-') || word.contains('='));
            if skipped {
                continue;
            }
            if !is_wrapper(name) {
                return match self.known_program(name) {
                    Some(program) => (index, Some(program)),
                    None => wrapped.unwrap_or((index, None)),
                };
            }
            // Of `npx UNKNOWN` the runtime is still known.
            wrapped = wrapped.or(self.known_program(name).map(|known| (index, Some(known))));
        }
        wrapped.unwrap_or((0, None))
    }

    fn known_program(&self, name: &str) -> Option<&KnownProgram> {
        let bare = name.trim_end_matches(|char: char| char.is_ascii_digit() || char == '.');
        let is_named = |known: &&KnownProgram| {
            let mut names = known.names.iter();
            names.any(|known| known == name || known == bare)
        };
        self.programs.iter().find(is_named)
    }
}

/// The name of the program in a word of a command: `/usr/bin/codex`, `codex.exe` and `@openai/codex@1.2` are `codex`.
fn program_name(word: &str) -> &str {
    let name = word.rsplit(['/', '\\']).next().unwrap_or(word);
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    name.strip_suffix(".exe").unwrap_or(name)
}

/// Whether `host` matches `pattern`, in which each `*` stands for one or more characters.
fn matches_pattern(pattern: &str, host: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == host,
        Some((before, after)) => host.strip_prefix(before).is_some_and(|rest| {
            let starts = rest.char_indices().skip(1).map(|(start, _)| start);
            let mut rests = starts.chain((!rest.is_empty()).then_some(rest.len()));
            rests.any(|start| {
                rest.get(start..)
                    .is_some_and(|rest| matches_pattern(after, rest))
            })
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program(command: &str) -> (usize, Option<String>) {
        let table = ProgramTable::built_in();
        let command: Vec<_> = command.split(' ').map(str::to_owned).collect();
        let (index, known) = table.find_program(&command);
        (index, known.map(|known| known.names[0].clone()))
    }

    #[test]
    fn the_built_in_table_can_be_read() {
        let table: ProgramTable = serde_json::from_str(include_str!("programs.json")).unwrap();
        assert!(table.apis.len() > 10 && table.hosts.len() > 40);
        let apis = || table.apis.iter().map(|api| api.name.as_str());
        for known in &table.programs {
            for api in known.apis.iter().flatten() {
                assert!(apis().any(|name| name == api), "{:?}: {api}", known.names);
            }
        }
        let variables = table.apis.iter().flat_map(|api| &api.variables);
        let own = table.programs.iter().flat_map(|known| &known.variables);
        for (name, base) in variables.chain(own).filter(|(_, base)| !base.is_empty()) {
            let url = crate::net::TargetUrl::parse(base).unwrap();
            let local = matches!(url.host.as_str(), "127.0.0.1" | "localhost");
            assert!(local || table.is_api_host(url.host.as_str()), "{name}");
        }
    }

    #[test]
    fn programs_are_known_behind_paths_versions_and_wrappers() {
        let known = |name: &str| Some(name.to_owned());
        assert_eq!(program("codex exec hi"), (0, known("codex")));
        assert_eq!(program("/opt/bin/claude -p x"), (0, known("claude")));
        assert_eq!(
            program("npx -y @openai/codex@0.171.0 exec"),
            (2, known("codex"))
        );
        assert_eq!(program("env A=1 B=2 gemini -p x"), (3, known("gemini")));
        assert_eq!(program("uv run aider"), (2, known("aider")));
        assert_eq!(program("npx some-tool codex"), (0, known("node")));
        assert_eq!(program("python3.13 app.py"), (0, None));
        assert_eq!(program("node22 app.js"), (0, known("node")));
        assert_eq!(program("sh -c codex"), (0, None));
        assert_eq!(ProgramTable::built_in().find_program(&[]).0, 0);
    }

    #[test]
    fn hosts_are_matched_by_patterns() {
        let table = ProgramTable::built_in();
        for host in [
            "api.openai.com",
            "API.OpenAI.com.",
            "mine.openai.azure.com",
            "bedrock-runtime.us-east-1.amazonaws.com",
            "us-central1-aiplatform.googleapis.com",
            "aiplatform.googleapis.com",
        ] {
            assert!(table.is_api_host(host), "{host}");
        }
        for host in [
            "",
            "openai.com",
            "api.openai.com.evil.example",
            ".openai.azure.com",
            "-aiplatform.googleapis.com",
            "bedrock-runtime..amazonaws.com",
            "s3.us-east-1.amazonaws.com",
            "notapi.openai.com.example",
        ] {
            assert!(!table.is_api_host(host), "{host}");
        }
    }

    #[test]
    fn a_file_of_the_user_wins_over_the_built_in_table() {
        let own = br#"{
            "apis": [{"name": "openai", "variables": [["MY_URL", "https://my.example/v1"]]}],
            "programs": [{"names": ["codex"], "notes": ["mine"]}],
            "hosts": ["my.example"]
        }"#;
        let table = ProgramTable::with_file(own).unwrap();
        let openai: Vec<_> = table
            .apis
            .iter()
            .filter(|api| api.name == "openai")
            .collect();
        assert_eq!(openai.len(), 1);
        assert_eq!(openai[0].variables[0].0, "MY_URL");
        assert_eq!(table.known_program("codex").unwrap().notes, ["mine"]);
        assert!(table.is_api_host("my.example") && table.is_api_host("api.x.ai"));
        assert!(ProgramTable::with_file(br#"{"api": []}"#).is_err());
    }
}
