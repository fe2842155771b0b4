//! Keys, base URLs and targets: where they come from and where they go.

use crate::OK;
use crate::common::{Home, Run, Server};

#[test]
fn keys_come_from_the_environment_and_then_from_dotenv() {
    let home = Home::new();
    home.request();
    home.file(".env", "# keys\nOPENAI_API_KEY=\"sk-proj-fromdotenv000\"\nexport ANTHROPIC_API_KEY=sk-ant-api03-dotenv\n");
    let head = |run: &Run| run.out().split_once("\r\n\r\n").unwrap().0.to_owned();
    let run = home.wire(&["send", "r.json", "--dry-run"]).exits_with(0);
    assert!(
        head(&run).contains("\r\nAuthorization: Bearer sk-proj-*************"),
        "{}",
        head(&run)
    );
    assert!(head(&run).contains("Host: api.openai.com\r\n"));

    let server = Server::answering(OK);
    let base = server.url().replace("/chat/completions", "");
    let mut command = home.command(&["send", "r.json"]);
    command
        .env("OPENAI_API_KEY", "sk-proj-fromtheshell0")
        .env("OPENAI_BASE_URL", base);
    Run::from_output(command.output().unwrap()).exits_with(0);
    let received = String::from_utf8(server.received()).unwrap();
    assert!(
        received.starts_with("POST /v1/chat/completions "),
        "{received}"
    );
    assert!(
        received.contains("Authorization: Bearer sk-proj-fromtheshell0\r\n"),
        "{received}"
    );

    let server = Server::answering(OK);
    let base = server.url().replace("/v1/chat/completions", "");
    let mut command = home.command(&["send", "r.json", "--to", "anthropic"]);
    command.env("ANTHROPIC_BASE_URL", base);
    Run::from_output(command.output().unwrap()).exits_with(0);
    let received = String::from_utf8(server.received()).unwrap();
    assert!(received.starts_with("POST /v1/messages "), "{received}");
    assert!(
        received.contains("\r\nx-api-key: sk-ant-api03-dotenv\r\n")
            && received.contains("anthropic-version: 2023-06-01\r\n"),
        "{received}"
    );
}

#[test]
fn base_url_variables_are_read_as_their_tools_read_them() {
    #[track_caller]
    fn case(to: &str, variable: &str, base: &str, line: &str, host: &str) {
        let home = Home::new();
        home.request();
        let mut command = home.command(&["send", "r.json", "--to", to, "--dry-run"]);
        command
            .env(variable, base)
            .env("OPENAI_API_KEY", "sk-0123456789");
        let run = Run::from_output(command.output().unwrap()).exits_with(0);
        let expected = format!("POST {line} HTTP/1.1\r\nHost: {host}\r\n");
        assert!(run.out().starts_with(&expected), "{}", run.out());
    }
    let openai = |base, line, host| case("openai", "OPENAI_BASE_URL", base, line, host);
    openai("http://h:1/v1/", "/v1/chat/completions", "h:1");
    openai(" localhost:1/x ", "/x/chat/completions", "localhost:1");
    openai(
        "https://h/d?api-version=2",
        "/d/chat/completions?api-version=2",
        "h",
    );
    let ollama = |base, host| case("ollama", "OLLAMA_HOST", base, "/api/chat", host);
    ollama("0.0.0.0", "0.0.0.0:11434");
    ollama("https://ollama.example", "ollama.example");
}

#[test]
fn an_unreadable_dotenv_is_no_error() {
    let home = Home::new();
    home.request();
    home.file(".env", "A=b c\n!!!\nOPENAI_API_KEY=sk-proj-fromdotenv000\n");
    let run = home.wire(&["send", "r.json", "--dry-run"]).exits_with(0);
    assert!(
        run.out().contains("Authorization: Bearer sk-proj-*"),
        "{}",
        run.out()
    );
    run.err_contains("note: .env: something that is not NAME=value");
    std::fs::remove_file(home.path(".env")).unwrap();
    std::fs::create_dir(home.path(".env")).unwrap();
    let run = home
        .wire(&["send", "r.json", "--to", "demo", "--dry-run"])
        .exits_with(0);
    assert_eq!(run.err, "");
}

#[test]
fn a_key_goes_only_to_the_host_of_its_api() {
    let home = Home::new();
    home.request();
    let server = Server::answering(OK);
    let mut command = home.command(&["send", "r.json", "--url", &server.url()]);
    command.env("OPENAI_API_KEY", "sk-proj-fromtheshell0");
    Run::from_output(command.output().unwrap())
        .exits_with(0)
        .err_contains("no key goes along");
    assert!(
        !String::from_utf8(server.received())
            .unwrap()
            .contains("Authorization")
    );
}

#[test]
fn a_config_file_adds_targets() {
    let home = Home::new();
    home.request();
    let server = Server::answering(OK);
    let base = server.url().replace("/chat/completions", "");
    home.file("t.json", format!(r#"{{"targets":{{"mine":{{"base":"{base}","path":"/other","key_env":["MY_KEY"],"key_field":"api-key"}}}}}}"#));
    let mut command = home.command(&["send", "r.json", "--to", "mine", "--config", "t.json"]);
    command.env("MY_KEY", "abcdefgh");
    Run::from_output(command.output().unwrap()).exits_with(0);
    let received = String::from_utf8(server.received()).unwrap();
    assert!(
        received.starts_with("POST /v1/other ") && received.contains("\r\napi-key: abcdefgh\r\n"),
        "{received}"
    );
    home.file("t.json", r#"{"targets":{"mine":{"bases":"x"}}}"#);
    home.wire(&["send", "r.json", "--to", "mine", "--config", "t.json"])
        .exits_with(2)
        .err_contains("t.json")
        .err_contains("unknown field `bases`");
}

#[test]
fn equal_keys_have_equal_fingerprints() {
    let home = Home::new();
    home.request();
    let print = |key: &str| {
        let server = Server::answering(OK);
        let mut command =
            home.command(&["send", "r.json", "--to", "openai", "--url", &server.url()]);
        command.env("OPENAI_API_KEY", key);
        let run = Run::from_output(command.output().unwrap()).exits_with(0);
        let (_, rest) = run
            .err
            .split_once(", key ")
            .expect("a fingerprint is shown");
        rest[..8].to_owned()
    };
    let (first, other, again) = (
        print("sk-proj-aaaaaaaaaaaa"),
        print("sk-proj-bbbbbbbbbbbb"),
        print("sk-proj-aaaaaaaaaaaa"),
    );
    assert_eq!(first, again);
    assert_ne!(first, other);
}
