//! `wire` through a real proxy: by `CONNECT`, by whole URLs and by SOCKS 5; from the command line and from the
//! environment.

use std::process::{Command, Stdio};

use super::certificates::{Authority, authority};
use super::counterpart::{Running, python, script};
use super::openssl::Openssl;
use crate::common::{Home, Run, Server, check_schema};

const ANSWER: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const PASSWORD: &str = "open-sesame";

struct Proxy {
    port: u16,
    running: Running,
}

impl Proxy {
    #[track_caller]
    fn start() -> Option<Self> {
        let mut command = Command::new(python("pproxy")?);
        command
            .arg(script("proxy.py"))
            .arg(format!("me:{PASSWORD}"))
            .stdin(Stdio::piped());
        let running = Running::start(&mut command);
        let port = running.wait_for(|line| line.strip_prefix("listening ")?.parse().ok());
        Some(Self { port, running })
    }

    fn url(&self, scheme: &str, password: &str) -> String {
        format!("{scheme}://me:{password}@127.0.0.1:{}", self.port)
    }

    /// Waits until the proxy reports a connection to `to`.
    #[track_caller]
    fn opened(&self, to: &str) {
        self.running
            .wait_for(|line| line.contains(to).then_some(()));
    }
}

/// A TLS server with a name that has to be resolved, and the authority of its certificate.
struct Secured {
    authority: Authority,
    server: Openssl,
}

impl Secured {
    #[track_caller]
    fn start() -> Option<Self> {
        let authority = authority("authority");
        let issued = authority.issue(&["localhost"], |_| {});
        let server = Openssl::start(&issued, &[])?;
        Some(Self { authority, server })
    }

    fn to(&self) -> String {
        format!("localhost:{}", self.server.addr.port())
    }

    /// Sends a GET to the server with these flags and environment variables.
    fn get(&self, flags: &[&str], variables: &[(&str, &str)]) -> (Home, Run) {
        let home = Home::new();
        home.file("ca.pem", &self.authority.pem);
        let url = format!("https://{}/", self.to());
        let get = ["send", "-X", "GET", "--cacert", "ca.pem", "--url", &url];
        let mut command = home.command(&[&get[..], flags].concat());
        command.envs(variables.iter().copied());
        let run = Run::from_output(command.output().unwrap());
        check_schema(&home.capture());
        for text in [&run.err, &std::fs::read_to_string(home.capture()).unwrap()] {
            assert!(!text.contains(PASSWORD), "the password is printed: {text}");
        }
        (home, run)
    }
}

#[test]
fn tunnels_reach_the_target() {
    let (Some(proxy), Some(target)) = (Proxy::start(), Secured::start()) else {
        return;
    };
    for scheme in ["http", "socks5", "socks5h"] {
        let (home, run) = target.get(&["-x", &proxy.url(scheme, PASSWORD)], &[]);
        let opened = format!(
            "proxy {scheme}://127.0.0.1:{} opened a tunnel to {}",
            proxy.port,
            target.to()
        );
        let run = run
            .exits_with(0)
            .err_contains(&opened)
            .err_contains("CN=leaf by CN=authority")
            .err_contains("complete: 200");
        proxy.opened(&format!(":{}", target.server.addr.port()));
        // The two kinds of SOCKS 5 differ in which side resolves the name.
        let resolves = run.err.contains("resolved localhost");
        assert_eq!(resolves, scheme == "socks5", "{}", run.err);
        let shown = home.wire(&["show"]).exits_with(0);
        assert!(shown.out().contains(&opened), "{}", shown.out());
    }
}

#[test]
fn plain_requests_go_to_a_proxy_with_the_whole_url() {
    let Some(proxy) = Proxy::start() else {
        return;
    };
    for scheme in ["http", "socks5h"] {
        let home = Home::new();
        home.request();
        let server = Server::answering(ANSWER);
        let (url, through) = (server.url(), proxy.url(scheme, PASSWORD));
        let run = home.wire(&["send", "r.json", "--url", &url, "-x", &through]);
        let run = run.exits_with(0);
        assert_eq!(run.out(), "ok");
        assert!(!run.err.contains(PASSWORD), "{}", run.err);
        let whole = run.err.contains(&format!("> POST {url} HTTP/1.1"));
        assert_eq!(whole, scheme == "http", "{}", run.err);
        proxy.opened(&server.addr.to_string());
        let received = String::from_utf8(server.received()).unwrap();
        assert!(received.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
        assert!(!received.contains("Proxy-Authorization"), "{received}");
    }
}

#[test]
fn proxies_and_exceptions_come_from_the_environment() {
    let (Some(proxy), Some(target)) = (Proxy::start(), Secured::start()) else {
        return;
    };
    #[track_caller]
    fn case(target: &Secured, flags: &[&str], variables: &[(&str, &str)], through: bool) {
        let (_, run) = target.get(flags, variables);
        let run = run.exits_with(0);
        assert_eq!(
            run.err.contains("opened a tunnel to"),
            through,
            "{}",
            run.err
        );
    }
    let url = proxy.url("http", PASSWORD);
    let socks = proxy.url("socks5h", PASSWORD);
    let dead = "http://127.0.0.1:1";
    case(&target, &[], &[("HTTPS_PROXY", &url)], true);
    case(&target, &[], &[("https_proxy", &url)], true);
    case(&target, &[], &[("ALL_PROXY", &socks)], true);
    // Variables of the other scheme have no effect.
    case(&target, &[], &[("http_proxy", dead)], false);
    let exempt = [("HTTPS_PROXY", dead), ("NO_PROXY", "other, localhost")];
    case(&target, &[], &exempt, false);
    let other = [("HTTPS_PROXY", &*url), ("NO_PROXY", "other,127.0.0.1")];
    case(&target, &[], &other, true);
    case(
        &target,
        &["--noproxy", "*"],
        &[("HTTPS_PROXY", dead)],
        false,
    );
    case(&target, &["-x", ""], &[("HTTPS_PROXY", dead)], false);
    // A proxy of the command line precedes one of the environment; exceptions apply to both.
    case(&target, &["-x", &url], &[("HTTPS_PROXY", dead)], true);
    let exempt = [("NO_PROXY", "localhost")];
    case(&target, &["-x", dead], &exempt, false);
    case(&target, &["-x", &url, "--noproxy", ""], &exempt, true);
    let (_, run) = target.get(&[], &[("HTTPS_PROXY", dead)]);
    run.exits_with(3).err_contains("127.0.0.1:1");
}

#[test]
fn a_wrong_proxy_password_is_reported() {
    let (Some(proxy), Some(target)) = (Proxy::start(), Secured::start()) else {
        return;
    };
    let no_user = format!("http://127.0.0.1:{}", proxy.port);
    for (url, hint) in [
        (
            proxy.url("http", "wrong-password"),
            "did not accept the credentials",
        ),
        (no_user, "USER:PASSWORD"),
    ] {
        let (home, run) = target.get(&["-x", &url], &[]);
        let words = format!(
            "the proxy http://127.0.0.1:{} opened no way to {}: it answered `HTTP/1.1 407",
            proxy.port,
            target.to()
        );
        let run = run
            .exits_with(3)
            .err_contains(&words)
            .err_contains("hint: ")
            .err_contains(hint);
        assert!(!run.err.contains("wrong-password"), "{}", run.err);
        let shown = home.wire(&["show"]).exits_with(3);
        assert!(shown.out().contains("407"), "{}", shown.out());
    }
    let (_, run) = target.get(&["-x", &proxy.url("socks5h", "wrong-password")], &[]);
    let run = run.exits_with(3).err_contains("opened no way to");
    assert!(!run.err.contains("wrong-password"), "{}", run.err);
}

#[test]
fn a_proxy_that_cannot_reach_the_target_is_reported() {
    let Some(proxy) = Proxy::start() else {
        return;
    };
    let home = Home::new();
    for scheme in ["http", "socks5h"] {
        let through = proxy.url(scheme, PASSWORD);
        // No server listens on port 1.
        let url = "https://127.0.0.1:1/";
        let run = home.wire(&["send", "-X", "GET", "--url", url, "-x", &through]);
        run.exits_with(3)
            .err_contains(&format!("{scheme}://127.0.0.1:{}", proxy.port))
            .err_contains("127.0.0.1:1");
    }
}
