//! OpenSSL's own server, set up well and badly: each way to fail has words of its own.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use rcgen::{CertificateParams, date_time_ymd};
use tempfile::TempDir;

use super::certificates::{Authority, Issued, authority, self_signed};
use super::counterpart::{Running, program};
use crate::common::{Home, Run, check_schema};

/// A running `openssl s_server` that answers each GET with a page about the connection.
pub(super) struct Openssl {
    pub(super) addr: SocketAddr,
    _folder: TempDir,
    _running: Running,
}

/// Why there is none.
enum Absent {
    /// There is no openssl; the test has said so.
    Program,
    /// It does not take these options.
    Options(Vec<String>),
}

impl Openssl {
    fn try_with(issued: &Issued, options: &[&str]) -> Result<Self, Absent> {
        let openssl = program("openssl").ok_or(Absent::Program)?;
        let folder = tempfile::tempdir().unwrap();
        let both = folder.path().join("both.pem");
        std::fs::write(&both, issued.both()).unwrap();
        let mut command = Command::new(openssl);
        command
            .args(["s_server", "-accept", "127.0.0.1:0", "-www", "-cert"])
            .arg(both)
            .args(options)
            .stdin(Stdio::piped());
        let running = Running::start(&mut command);
        let addr = running
            .hears(|line| line.strip_prefix("ACCEPT ")?.trim().parse().ok())
            .map_err(Absent::Options)?;
        Ok(Self {
            addr,
            _folder: folder,
            _running: running,
        })
    }

    #[track_caller]
    pub(super) fn with(issued: &Issued, options: &[&str]) -> Option<Self> {
        match Self::try_with(issued, options) {
            Ok(server) => Some(server),
            Err(Absent::Program) => None,
            Err(Absent::Options(said)) => panic!("it did not start: {said:#?}"),
        }
    }

    fn url(&self) -> String {
        format!("https://{}/", self.addr)
    }
}

/// A home that has the authority's certificate, and what it makes of the server.
fn get(authority: &Authority, server: &Openssl, flags: &[&str]) -> (Home, Run) {
    let home = Home::new();
    home.file("ca.pem", &authority.pem);
    let url = server.url();
    let run = home.wire(&[&["send", "-X", "GET", "--url", &url], flags].concat());
    (home, run)
}

/// A failure of TLS is told, with what to do about it, by `send` and from the capture.
#[track_caller]
fn fails(authority: &Authority, server: &Openssl, flags: &[&str], words: &str, hint: &str) {
    let (home, run) = get(authority, server, flags);
    let run = run
        .ends(3)
        .says(words)
        .says(&format!("TLS with {}", server.addr));
    let advice = run.err.lines().find(|line| line.starts_with("hint: "));
    let advice = advice.unwrap_or_else(|| panic!("no hint: {}", run.err));
    assert!(advice.contains(hint), "`{hint}` is not in: {advice}");
    assert!(run.out.is_empty());
    check_schema(&home.capture());
    let shown = home.wire(&["show"]).ends(3);
    assert!(shown.out().contains(words), "{}", shown.out());
    let document = home.wire(&["show", "--json"]).ends(3).json();
    assert_eq!(document["sent"]["bytes"], 0);
}

const TRUSTING: &[&str] = &["--cacert", "ca.pem"];

#[test]
fn certificates_that_will_not_do_are_told_apart() {
    #[track_caller]
    fn case(names: &[&str], change: impl FnOnce(&mut CertificateParams), words: &str, hint: &str) {
        let authority = authority("authority");
        let issued = authority.issue(names, change);
        if let Some(server) = Openssl::with(&issued, &[]) {
            fails(&authority, &server, TRUSTING, words, hint);
        }
    }
    case(
        &["127.0.0.1"],
        |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 2, 3);
        },
        "the server's certificate expired: it was valid until 2002-02-03",
        "renewed",
    );
    case(
        &["127.0.0.1"],
        |params| {
            params.not_before = date_time_ymd(3000, 1, 1);
            params.not_after = date_time_ymd(3001, 1, 1);
        },
        "the server's certificate is not yet valid: it will be from 3000-01-01",
        "clock",
    );
    case(
        &["api.example", "other.example"],
        |_| {},
        "is not for 127.0.0.1: it is valid for api.example, other.example",
        "--resolve",
    );
    case(
        &["127.0.0.1"],
        |params| params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth],
        "the certificate `CN=leaf` is not for TLS servers",
        "-k accepts it",
    );
}

#[test]
fn issuers_that_nobody_knows_are_told_apart() {
    let authority = authority("unknown authority");
    let issued = authority.issue(&["127.0.0.1"], |_| {});
    let Some(server) = Openssl::with(&issued, &[]) else {
        return;
    };
    let words = "was issued by `CN=unknown authority`, which is not trusted";
    fails(&authority, &server, &[], words, "--cacert FILE");

    // The same name, and another key.
    let again = super::certificates::authority("unknown authority");
    let words = "not signed with the key of its issuer `CN=unknown authority`";
    fails(&again, &server, TRUSTING, words, "made anew");

    let Some(server) = Openssl::with(&self_signed(&["127.0.0.1"]), &[]) else {
        return;
    };
    let words = "the server's certificate `CN=leaf` is self-signed";
    fails(&authority, &server, &[], words, "trusts that certificate");
}

#[test]
fn handshakes_that_cannot_succeed_are_told_apart() {
    #[track_caller]
    fn case(options: &[&str], words: &str, hint: &str) {
        let authority = authority("authority");
        let issued = authority.issue(&["127.0.0.1"], |_| {});
        if let Some(server) = Openssl::with(&issued, options) {
            fails(&authority, &server, TRUSTING, words, hint);
        }
    }
    case(
        &["-tls1_2", "-cipher", "AES128-SHA:AES256-SHA"],
        "the server found nothing in common with us (handshake_failure)",
        "ciphers",
    );
    case(
        &["-tls1_2", "-Verify", "1"],
        "the server wants a client certificate",
        "--cert FILE",
    );
}

#[test]
fn a_server_that_is_too_old_is_told() {
    let authority = authority("authority");
    let issued = authority.issue(&["127.0.0.1"], |_| {});
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    match Openssl::try_with(&issued, &old) {
        Ok(server) => {
            let words = "the server speaks only TLS 1.1 or older";
            fails(&authority, &server, TRUSTING, words, "1.2 and 1.3");
        }
        Err(Absent::Program) => {}
        Err(Absent::Options(_)) => eprintln!("SKIPPED: this openssl does not serve TLS 1.1"),
    }
}

#[test]
fn a_client_certificate_may_be_missed_after_the_handshake() {
    let authority = authority("authority");
    let issued = authority.issue(&["127.0.0.1"], |_| {});
    // In TLS 1.3 the client is through before the server has looked.
    let verify = ["-tls1_3", "-Verify", "1"];
    let Some(server) = Openssl::with(&issued, &verify) else {
        return;
    };
    let (home, run) = get(&authority, &server, TRUSTING);
    run.ends(4)
        .says("client certificate")
        .says("hint: ")
        .says("--cert FILE");
    check_schema(&home.capture());
    home.wire(&["show"]).ends(4);
}

#[test]
fn who_insists_gets_through_and_is_told_what_it_is_worth() {
    let authority = authority("authority");
    let issued = authority.issue(&["api.example"], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 2, 3);
    });
    let Some(server) = Openssl::with(&issued, &[]) else {
        return;
    };
    let (home, run) = get(&authority, &server, &["-k"]);
    let run = run
        .ends(0)
        .says("NOT VERIFIED")
        .says("CN=leaf by CN=authority, until 2002-02-03");
    assert!(run.out().contains("TLSv1.3"), "{}", run.out());
    check_schema(&home.capture());
    let shown = home.wire(&["show"]).ends(0);
    assert!(shown.out().contains("NOT VERIFIED"), "{}", shown.out());
    let text = std::fs::read_to_string(home.capture()).unwrap();
    assert!(text.contains(r#""verified":false"#), "{text}");
}

#[test]
fn trust_and_secrets_of_the_session_come_from_files() {
    let authority = authority("authority");
    let issued = authority.issue(&["api.example", "127.0.0.1"], |_| {});
    let Some(server) = Openssl::with(&issued, &[]) else {
        return;
    };
    let (_, run) = get(&authority, &server, TRUSTING);
    assert!(!run.ends(0).err.contains("NOT VERIFIED"));

    let home = Home::new();
    home.file("ca.pem", &authority.pem);
    let url = server.url();
    let mut command = home.command(&["send", "-X", "GET", "--url", &url]);
    command
        .env("SSL_CERT_FILE", home.path("ca.pem"))
        .env("SSLKEYLOGFILE", home.path("keys.log"));
    let run = Run::of(command.output().unwrap()).ends(0);
    assert!(!run.err.contains("NOT VERIFIED"), "{}", run.err);
    let keys = std::fs::read_to_string(home.path("keys.log")).unwrap();
    for secret in [
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
        "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
        "CLIENT_TRAFFIC_SECRET_0 ",
    ] {
        assert!(keys.contains(secret), "{secret}: {keys}");
    }

    // A name that only --resolve knows, sent in the handshake and verified.
    let port = server.addr.port();
    let url = format!("https://api.example:{port}/");
    let resolve = format!("api.example:{port}:127.0.0.1");
    let named = ["--resolve", &resolve, "--cacert", "ca.pem"];
    let run = home.wire(&[&["send", "-X", "GET", "--url", &url], &named[..]].concat());
    run.ends(0)
        .says(&format!("> Host: api.example:{port}"))
        .says("complete: 200");
    let newest = home.captures().pop().unwrap();
    let text = std::fs::read_to_string(newest).unwrap();
    assert!(text.contains(r#""sni":"api.example""#), "{text}");
}
