//! Plans and settings of programs: known ones, unknown ones, and what the user has set before.

use std::ffi::OsString;

use super::*;
use crate::net::TargetUrl;
use crate::targets::environment::Environment;
use crate::targets::programs::{PlanInput, ProgramTable, Via, plan};

const BUNDLE: &str = "/private/bundle.pem";
const PROXY: &str = "http://127.0.0.1:4000";

/// The settings of a run whose upstreams have the ports 5000, 5001, ...; and the URLs of the upstreams.
fn run(
    command: &[&str],
    variables: &[(&str, &str)],
    via: Via,
    files: &[(&str, &str)],
) -> (ProgramSettings, Vec<String>) {
    let command: Vec<_> = command.iter().map(|word| (*word).to_owned()).collect();
    let process = variables
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let (environment, _) = Environment::new(process, b"");
    let table = ProgramTable::built_in();
    let read_file = |path: &Path| {
        let file = files.iter().find(|(name, _)| Path::new(name) == path);
        file.map(|(_, text)| text.as_bytes().to_vec())
    };
    let plan = plan(PlanInput {
        command: &command,
        environment: &environment,
        via,
        table: &table,
        read_file: &read_file,
    });
    let ports: Vec<_> = (5000..).take(plan.upstreams.len()).collect();
    let settings = plan.settings(&ports, Some(PROXY), Some(Path::new(BUNDLE)));
    let upstreams = plan.upstreams.iter();
    let upstreams = upstreams.map(|upstream| upstream.base_url.to_url());
    (settings, upstreams.collect())
}

fn value<'a>(settings: &'a ProgramSettings, name: &str) -> Option<&'a str> {
    let mut variables = settings.variables.iter();
    let found = variables.find(|(known, _)| known == name);
    found.map(|(_, value)| value.as_str())
}

/// The original base URL that the loopback URL of a variable leads to.
fn leads_to(settings: &ProgramSettings, upstreams: &[String], name: &str) -> Option<String> {
    let url = TargetUrl::parse(value(settings, name)?).ok()?;
    let upstream = upstreams.get(usize::from(url.port - 5000))?;
    let origin = TargetUrl::parse(upstream).ok()?;
    Some(format!("{}{}", origin.host, url.path))
}

#[test]
fn an_unknown_program_gets_base_urls_proxy_and_bundle() {
    let (settings, upstreams) = run(&["python3", "app.py"], &[], Via::Auto, &[]);
    let leads = |name: &str| leads_to(&settings, &upstreams, name);
    assert_eq!(
        leads("OPENAI_BASE_URL").as_deref(),
        Some("api.openai.com/v1")
    );
    assert_eq!(
        leads("OPENAI_API_BASE").as_deref(),
        Some("api.openai.com/v1")
    );
    assert_eq!(
        leads("ANTHROPIC_BASE_URL").as_deref(),
        Some("api.anthropic.com/")
    );
    assert_eq!(leads("GROQ_BASE_URL").as_deref(), Some("api.groq.com/"));
    assert_eq!(
        leads("GROQ_API_BASE").as_deref(),
        Some("api.groq.com/openai/v1")
    );
    assert_eq!(leads("AZURE_OPENAI_ENDPOINT"), None);
    // No slash is added: clients join paths in different ways.
    assert!(
        !value(&settings, "ANTHROPIC_BASE_URL")
            .unwrap()
            .ends_with('/')
    );
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"] {
        assert_eq!(value(&settings, name), Some(PROXY), "{name}");
    }
    for name in [
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "NODE_EXTRA_CA_CERTS",
        "CODEX_CA_CERTIFICATE",
    ] {
        assert_eq!(value(&settings, name), Some(BUNDLE), "{name}");
    }
    assert_eq!(value(&settings, "NODE_USE_ENV_PROXY"), Some("1"));
    assert_eq!(
        value(&settings, "NO_PROXY"),
        Some("127.0.0.1,localhost,::1")
    );
    assert_eq!(value(&settings, "ALL_PROXY"), None);
    assert_eq!(settings.arguments, ["python3", "app.py"]);
    assert!(
        settings
            .notes
            .iter()
            .any(|note| note.contains("stream_usage"))
    );
}

#[test]
fn each_way_sets_only_what_it_needs() {
    let (base, upstreams) = run(&["x"], &[], Via::BaseUrl, &[]);
    assert!(!upstreams.is_empty() && value(&base, "OPENAI_BASE_URL").is_some());
    assert!(value(&base, "HTTPS_PROXY").is_none() && value(&base, "SSL_CERT_FILE").is_none());
    // The user's proxy must not get what is meant for a loopback port.
    assert!(value(&base, "NO_PROXY").is_some());
    let (proxy, upstreams) = run(&["x"], &[], Via::Proxy, &[]);
    assert!(upstreams.is_empty() && value(&proxy, "OPENAI_BASE_URL").is_none());
    assert_eq!(value(&proxy, "HTTPS_PROXY"), Some(PROXY));
}

#[test]
fn what_a_variable_was_set_to_is_its_upstream() {
    let set = [
        ("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1/"),
        ("OPENAI_API_BASE", "http://127.0.0.1:8080/other?k=1"),
        (
            "ANTHROPIC_BASE_URL",
            "https://user:pa%3Ass@gate.example:8443/anthropic",
        ),
        ("OLLAMA_HOST", "gpu"),
        ("AZURE_OPENAI_ENDPOINT", "https://mine.openai.azure.com/"),
        ("GROQ_BASE_URL", "not a URL"),
    ];
    let (settings, upstreams) = run(&["x"], &set, Via::BaseUrl, &[]);
    let leads = |name: &str| leads_to(&settings, &upstreams, name);
    assert_eq!(upstreams[0], "http://127.0.0.1:8080/v1/");
    assert_eq!(
        value(&settings, "OPENAI_BASE_URL"),
        Some("http://127.0.0.1:5000/v1/")
    );
    assert_eq!(
        value(&settings, "OPENAI_API_BASE"),
        Some("http://127.0.0.1:5000/other?k=1")
    );
    assert_eq!(
        value(&settings, "ANTHROPIC_BASE_URL"),
        Some("http://user:pa%3Ass@127.0.0.1:5001/anthropic")
    );
    assert!(
        upstreams.contains(&"http://gpu:11434/".to_owned()),
        "{upstreams:?}"
    );
    assert_eq!(
        leads("AZURE_OPENAI_ENDPOINT").as_deref(),
        Some("mine.openai.azure.com/")
    );
    assert_eq!(value(&settings, "GROQ_BASE_URL"), None);
    let noted = |text: &str| settings.notes.iter().any(|note| note.contains(text));
    assert!(
        noted("GROQ_BASE_URL stays as it is"),
        "{:?}",
        settings.notes
    );
    let rows = settings.changed_variables();
    let row = rows
        .iter()
        .find(|row| row.name == "ANTHROPIC_BASE_URL")
        .unwrap();
    assert_eq!(
        row.before.as_deref(),
        Some("https://gate.example:8443/anthropic")
    );
    assert!(
        rows.iter()
            .all(|row| !format!("{row:?}").contains("pa%3Ass"))
    );
}

#[test]
fn proxies_and_bundles_of_the_user_are_kept_for_the_way_upstream() {
    let set = [
        ("HTTPS_PROXY", "http://corp:3128"),
        ("ALL_PROXY", "socks5h://corp:1080"),
        ("no_proxy", "intern.example, localhost"),
        ("NO_PROXY", "upper.example,api.openai.com"),
        ("REQUESTS_CA_BUNDLE", "/corp/ca.pem"),
        ("PIP_CERT", "/corp/pip.pem"),
        ("OPENAI_PROXY", "http://other:1"),
    ];
    let (settings, _) = run(&["x"], &set, Via::Auto, &[]);
    assert_eq!(
        value(&settings, "no_proxy"),
        Some("intern.example,localhost,127.0.0.1,::1")
    );
    assert_eq!(
        value(&settings, "NO_PROXY"),
        Some("upper.example,api.openai.com,127.0.0.1,localhost,::1")
    );
    for name in ["HTTPS_PROXY", "ALL_PROXY", "OPENAI_PROXY"] {
        assert_eq!(value(&settings, name), Some(PROXY), "{name}");
    }
    assert_eq!(value(&settings, "PIP_CERT"), Some(BUNDLE));
    let (environment, _) =
        Environment::new(set.map(|(name, value)| (name.into(), value.into())), b"");
    let table = ProgramTable::built_in();
    let plan = plan(PlanInput {
        command: &[],
        environment: &environment,
        via: Via::Auto,
        table: &table,
        read_file: &|_| None,
    });
    assert_eq!(
        plan.trusted_files,
        [Path::new("/corp/ca.pem"), Path::new("/corp/pip.pem")]
    );
    let upstream = TargetUrl::parse("https://api.x.ai").unwrap();
    let proxy = plan.proxies.proxy_for(&upstream).unwrap().unwrap();
    assert_eq!(proxy.to_url(), "http://corp:3128");
}

#[test]
fn hosts_that_no_proxy_exempts_are_noted() {
    let (settings, _) = run(&["x"], &[("NO_PROXY", "openai.com")], Via::Proxy, &[]);
    assert_eq!(
        settings.notes,
        ["NO_PROXY keeps these hosts from the proxy: api.openai.com"]
    );
    let (settings, _) = run(&["x"], &[("NO_PROXY", "*")], Via::Proxy, &[]);
    assert!(settings.notes[0].contains("api.anthropic.com"));
    assert_eq!(value(&settings, "NO_PROXY"), Some("*"));
}

#[test]
fn codex_is_led_by_arguments() {
    let key = [("/home/u/.codex/auth.json", r#"{"OPENAI_API_KEY": "sk-x"}"#)];
    let home = [("HOME", "/home/u")];
    let (settings, upstreams) = run(&["npx", "codex", "exec", "hi"], &home, Via::Auto, &key);
    assert_eq!(upstreams[0], "https://api.openai.com/v1");
    let argument = "openai_base_url=\"http://127.0.0.1:5000/v1\"";
    assert_eq!(
        settings.arguments,
        ["npx", "codex", "-c", argument, "exec", "hi"]
    );
    assert_eq!(value(&settings, "OPENAI_BASE_URL"), None);
    assert_eq!(
        value(&settings, "CODEX_OSS_BASE_URL"),
        Some("http://127.0.0.1:5001/v1")
    );

    let login = [(
        "/c/auth.json",
        r#"{"OPENAI_API_KEY": null, "tokens": {"id_token": "x"}}"#,
    )];
    let (settings, upstreams) = run(&["codex"], &[("CODEX_HOME", "/c")], Via::BaseUrl, &login);
    assert_eq!(upstreams[0], "https://chatgpt.com/backend-api/codex");
    assert!(settings.arguments[2].ends_with(":5000/backend-api/codex\""));

    let (settings, _) = run(&["codex"], &home, Via::Auto, &[]);
    assert_eq!(settings.arguments, ["codex"]);
    assert!(settings.notes[0].contains("auth.json"));
}

#[test]
fn base_urls_in_the_settings_and_arguments_of_codex_are_upstreams() {
    let config = "model = 'x'\nopenai_base_url = \"https://gate.example/v1\" # mine\n\
        [model_providers.mock]\nbase_url = 'http://127.0.0.1:9/a'\nname = 'm'\n\
        [model_providers.arg]\nbase_url = 'http://unused:1'\n[other]\nbase_url = 'http://no:1'\n";
    let files = [("/c/config.toml", config)];
    let command = [
        "codex",
        "-c",
        "model_providers.arg.base_url=\"http://127.0.0.1:8/b\"",
        "exec",
        "hi",
    ];
    let (settings, upstreams) = run(&command, &[("CODEX_HOME", "/c")], Via::BaseUrl, &files);
    assert_eq!(
        settings.arguments,
        [
            "codex",
            "-c",
            "openai_base_url=\"http://127.0.0.1:5001/v1\"",
            "-c",
            "model_providers.mock.base_url=\"http://127.0.0.1:5002/a\"",
            "-c",
            "model_providers.arg.base_url=\"http://127.0.0.1:5000/b\"",
            "exec",
            "hi"
        ]
    );
    assert_eq!(upstreams[1], "https://gate.example/v1");
    for glued in [
        "-copenai_base_url=http://127.0.0.1:8/b",
        "--config=openai_base_url=http://127.0.0.1:8/b",
    ] {
        let (settings, _) = run(&["codex", glued], &[], Via::BaseUrl, &[]);
        let before = glued.strip_suffix("http://127.0.0.1:8/b").unwrap();
        assert_eq!(
            settings.arguments[1],
            format!("{before}\"http://127.0.0.1:5000/b\"")
        );
        assert_eq!(settings.arguments.len(), 2);
    }
}

#[test]
fn claude_code_behaves_as_without_a_base_url_only_at_the_first_party() {
    const SWITCH: &str = "_CLAUDE_CODE_ASSUME_FIRST_PARTY_BASE_URL";
    let (settings, _) = run(&["claude", "-p", "hi"], &[], Via::Auto, &[]);
    assert_eq!(value(&settings, SWITCH), Some("1"));
    assert_eq!(value(&settings, "OPENAI_BASE_URL"), None);
    let gate = [("ANTHROPIC_BASE_URL", "https://gate.example")];
    assert_eq!(
        value(&run(&["claude"], &gate, Via::Auto, &[]).0, SWITCH),
        None
    );
    assert_eq!(
        value(&run(&["claude"], &[], Via::Proxy, &[]).0, SWITCH),
        None
    );
    assert_eq!(
        value(&run(&["python3"], &[], Via::Auto, &[]).0, SWITCH),
        None
    );
}

#[test]
fn settings_of_claude_code_win_over_the_environment() {
    let files = [
        (
            "/h/.claude/settings.json",
            r#"{"env": {"ANTHROPIC_BASE_URL": "https://one.example"}}"#,
        ),
        (
            ".claude/settings.local.json",
            r#"{"env": {"ANTHROPIC_BASE_URL": "https://two.example/x", "A": "b"}}"#,
        ),
    ];
    let (settings, upstreams) = run(
        &["claude", "-p", "hi"],
        &[("HOME", "/h")],
        Via::BaseUrl,
        &files,
    );
    assert_eq!(upstreams[0], "https://two.example/x");
    let argument = r#"{"env":{"ANTHROPIC_BASE_URL":"http://127.0.0.1:5000/x"}}"#;
    assert_eq!(
        settings.arguments,
        ["claude", "--settings", argument, "-p", "hi"]
    );
    assert_eq!(value(&settings, "ANTHROPIC_BASE_URL"), None);
    let command = ["claude", "--settings", "mine.json"];
    let (settings, _) = run(&command, &[("HOME", "/h")], Via::BaseUrl, &files);
    assert_eq!(settings.arguments, command);
    assert!(settings.notes[0].contains("ANTHROPIC_BASE_URL"));
}

#[test]
fn opencode_is_led_by_its_settings_variable() {
    let files = [
        (
            "/h/.config/opencode/opencode.json",
            r#"{"provider": {"a": {"options": {"baseURL": "https://a.example/v1"}}}}"#,
        ),
        ("opencode.jsonc", "{ // no JSON\n}"),
    ];
    let own = r#"{"theme":"x","provider":{"a":{"options":{"apiKey":"k"}}}}"#;
    let set = [("HOME", "/h"), ("OPENCODE_CONFIG_CONTENT", own)];
    let (settings, _) = run(&["opencode", "run"], &set, Via::BaseUrl, &files);
    assert_eq!(
        value(&settings, "OPENCODE_CONFIG_CONTENT"),
        Some(
            r#"{"theme":"x","provider":{"a":{"options":{"apiKey":"k","baseURL":"http://127.0.0.1:5000/v1"}}}}"#
        )
    );
    assert!(
        value(&settings, "ANTHROPIC_BASE_URL")
            .unwrap()
            .ends_with("/v1")
    );
    assert!(settings.notes[0].starts_with("opencode.jsonc is not plain JSON"));
}

#[test]
fn a_server_keeps_its_own_address() {
    let (settings, _) = run(
        &["ollama", "serve"],
        &[("OLLAMA_HOST", ":8000")],
        Via::Auto,
        &[],
    );
    assert_eq!(value(&settings, "OLLAMA_HOST"), None);
    assert!(settings.notes[0].contains("`serve`"));
    let (settings, upstreams) = run(
        &["ollama", "run", "m"],
        &[("OLLAMA_HOST", ":8000")],
        Via::Auto,
        &[],
    );
    assert_eq!(
        value(&settings, "OLLAMA_HOST"),
        Some("http://127.0.0.1:5000")
    );
    assert_eq!(upstreams[0], "http://127.0.0.1:8000/");
}
