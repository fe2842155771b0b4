//! `wire record -- PROGRAM` and `wire record --intercept`, with `wire send` as the program and the demo server as the API.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and sockets themselves"
)]

mod common;

use std::process::Child;

use common::{Home, Run, Server, Step, read_until, signal, write};
use wire::demo::{DemoOptions, DemoServer};

const ANSWER: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/// The demo server on a runtime of its own, and its root certificate in the folder.
struct Demo {
    port: u16,
    _server: DemoServer,
    _runtime: tokio::runtime::Runtime,
}

impl Demo {
    fn start(home: &Home) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let server = runtime
            .block_on(DemoServer::start(DemoOptions::default()))
            .unwrap();
        home.file("demo.pem", &server.roots_pem);
        Self {
            port: server.addr.port(),
            _server: server,
            _runtime: runtime,
        }
    }

    fn url(&self) -> String {
        format!("https://localhost:{}/v1/chat/completions", self.port)
    }
}

struct Proxy {
    child: Child,
    url: String,
}

impl Proxy {
    fn start(home: &Home, more: &[&str]) -> Self {
        let mut arguments = vec!["record", "--intercept", "--listen", "127.0.0.1:0"];
        arguments.extend(["--ca-dir", "ca", "--cacert", "demo.pem"]);
        arguments.extend(more);
        let mut child = home.command(&arguments).spawn().unwrap();
        let line = read_until(child.stderr.as_mut().unwrap(), ",");
        let url = line.split_whitespace().last().unwrap();
        let url = url.trim_end_matches(',').to_owned();
        Self { child, url }
    }

    /// Sends a request through the proxy, trusting the certificates in `roots`.
    fn send(&self, home: &Home, url: &str, roots: &str) -> Run {
        let request = home.request();
        let request = request.to_str().unwrap();
        let head = "Authorization: Bearer sk-0123456789abcdef";
        let through = ["-x", &self.url, "--cacert", roots, "--no-capture", "-q"];
        home.wire(
            &[
                &["send", request, "--url", url, "-H", head],
                through.as_slice(),
            ]
            .concat(),
        )
    }

    fn stop(self) -> Run {
        signal(&self.child, "INT");
        Run::from_output(self.child.wait_with_output().unwrap())
    }
}

#[test]
fn the_tls_of_a_named_host_is_opened_and_captured() {
    let home = Home::new();
    let demo = Demo::start(&home);
    let proxy = Proxy::start(&home, &["--host", "localhost"]);
    let answer = proxy.send(&home, &demo.url(), "ca/ca.pem").exits_with(0);
    assert!(answer.out().contains("chat.completion"), "{}", answer.out());
    proxy.stop().exits_with(0).err_contains("1 exchange");
    let capture = std::fs::read_to_string(home.capture()).unwrap();
    assert!(capture.contains(&demo.url()), "{capture}");
    assert!(capture.contains("\"secured\":"), "{capture}");
    assert!(!capture.contains("0123456789abcdef"), "{capture}");
    home.wire(&["show", "-q"]).exits_with(0);
}

#[test]
fn other_hosts_are_tunnelled_unread_and_listed() {
    let home = Home::new();
    let demo = Demo::start(&home);
    let proxy = Proxy::start(&home, &[]);
    // The client sees the server's own certificate.
    proxy.send(&home, &demo.url(), "demo.pem").exits_with(0);
    let host = format!("unread   localhost:{}  no known API", demo.port);
    proxy.stop().exits_with(1).err_contains(&host);
    assert_eq!(home.captures(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn a_client_that_does_not_trust_the_authority_is_listed() {
    let home = Home::new();
    let demo = Demo::start(&home);
    let proxy = Proxy::start(&home, &["--host", "localhost"]);
    proxy.send(&home, &demo.url(), "demo.pem").exits_with(3);
    proxy
        .stop()
        .exits_with(1)
        .err_contains("refused  localhost:");
}

#[test]
fn a_server_that_is_not_trusted_is_a_502_inside_the_opened_tls() {
    let home = Home::new();
    let demo = Demo::start(&home);
    // The recorder trusts another root than that of the server.
    let other = Home::new();
    Demo::start(&other);
    std::fs::copy(other.path("demo.pem"), home.path("demo.pem")).unwrap();
    let proxy = Proxy::start(&home, &["--host", "localhost"]);
    let answer = proxy.send(&home, &demo.url(), "ca/ca.pem");
    assert!(answer.out().contains("wire record: TLS with"), "{answer:?}");
    proxy.stop().exits_with(0);
    home.wire(&["show", "-q"]).exits_with(3);
}

#[test]
fn plain_requests_to_a_proxy_lose_only_the_servers_name() {
    let home = Home::new();
    home.file("demo.pem", Demo::start(&home).port.to_string());
    let demo = Demo::start(&home);
    let proxy = Proxy::start(&home, &["--host", "127.0.0.1"]);
    let server = Server::answering(ANSWER);
    let url = server.url();
    proxy.send(&home, &url, "demo.pem");
    let received = String::from_utf8(server.received()).unwrap();
    assert!(
        received.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{received}"
    );
    proxy.stop().exits_with(0);
    let capture = std::fs::read_to_string(home.capture()).unwrap();
    assert!(capture.contains("\"edited\":"), "{capture}");
    drop(demo);
}

/// Runs `wire record -- PROGRAM` with a variable set.
fn record(home: &Home, variables: &[(&str, &str)], program: &[&str]) -> Run {
    let arguments = [&["record", "--ca-dir", "ca", "--"], program].concat();
    let mut command = home.command(&arguments);
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.envs(variables.iter().copied());
    Run::from_output(command.output().unwrap())
}

#[test]
fn a_program_is_led_by_its_base_url_and_its_exit_code_is_passed_on() {
    let home = Home::new();
    let server = Server::start(vec![Step::Read, write(ANSWER)]);
    let base = format!("http://{}/v1", server.addr);
    let request = home.request();
    let wire = env!("CARGO_BIN_EXE_wire");
    let script = format!(
        "{wire} send {} --url $OPENAI_BASE_URL/chat/completions -H 'Authorization: Bearer sk-test' --no-capture -q; exit 7",
        request.display()
    );
    let run = record(&home, &[("OPENAI_BASE_URL", &base)], &["sh", "-c", &script]);
    let run = run.exits_with(7).err_contains("1 exchange recorded");
    assert_eq!(run.out(), "{}");
    let received = String::from_utf8(server.received()).unwrap();
    assert!(
        received.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"),
        "{received}"
    );
    assert!(received.contains(&format!("Host: {}\r\n", base[7..].trim_end_matches("/v1"))));
    let capture = std::fs::read_to_string(home.capture()).unwrap();
    assert!(
        capture.contains(&format!("{base}/chat/completions")),
        "{capture}"
    );
    let files = std::fs::read_dir(home.path("ca")).unwrap();
    let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().starts_with("bundle")),
        "{names:?}"
    );
}

#[test]
fn no_exchange_is_a_diagnosis_and_no_success() {
    let home = Home::new();
    record(&home, &[], &["true"])
        .exits_with(1)
        .err_contains("no exchange was recorded");
    record(&home, &[], &["sh", "-c", "exit 5"]).exits_with(5);
    record(&home, &[], &["no-such-program-here"])
        .exits_with(2)
        .err_contains("cannot be started");
}

#[test]
fn explaining_runs_nothing() {
    let home = Home::new();
    let run = home.wire(&[
        "record",
        "--ca-dir",
        "ca",
        "--explain",
        "--",
        "touch",
        "made",
    ]);
    let run = run.exits_with(0);
    assert!(
        run.out().contains("OPENAI_BASE_URL=http://127.0.0.1:"),
        "{}",
        run.out()
    );
    let run = home.wire(&[
        "record",
        "--ca-dir",
        "ca",
        "--print-env",
        "--",
        "touch",
        "made",
    ]);
    assert!(
        run.out()
            .contains("export OPENAI_BASE_URL=http://127.0.0.1:"),
        "{}",
        run.out()
    );
    assert!(!home.path("made").exists());
}
