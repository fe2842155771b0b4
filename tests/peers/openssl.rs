//! `wire` against `openssl s_server`: good and bad configurations; each failure has its own error message.

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

/// Why `openssl s_server` was not started.
enum StartError {
    /// openssl is not installed, which was reported.
    Program,
    /// It refused the options: the lines that it printed.
    Options(Vec<String>),
}

impl Openssl {
    fn try_start(issued: &Issued, options: &[&str]) -> Result<Self, StartError> {
        let openssl = program("openssl").ok_or(StartError::Program)?;
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
            .try_wait_for(|line| line.strip_prefix("ACCEPT ")?.trim().parse().ok())
            .map_err(StartError::Options)?;
        Ok(Self {
            addr,
            _folder: folder,
            _running: running,
        })
    }

    #[track_caller]
    pub(super) fn start(issued: &Issued, options: &[&str]) -> Option<Self> {
        match Self::try_start(issued, options) {
            Ok(server) => Some(server),
            Err(StartError::Program) => None,
            Err(StartError::Options(said)) => panic!("it did not start: {said:#?}"),
        }
    }

    fn url(&self) -> String {
        format!("https://{}/", self.addr)
    }
}

/// Sends a GET to the server from a home folder that holds the authority's certificate.
fn get(authority: &Authority, server: &Openssl, flags: &[&str]) -> (Home, Run) {
    let home = Home::new();
    home.file("ca.pem", &authority.pem);
    let url = server.url();
    let run = home.wire(&[&["send", "-X", "GET", "--url", &url], flags].concat());
    (home, run)
}

/// Asserts that TLS fails with `words` and the hint `hint`, in `send` and in `show` from the capture.
#[track_caller]
fn assert_tls_failure(
    authority: &Authority,
    server: &Openssl,
    flags: &[&str],
    words: &str,
    hint: &str,
) {
    let (home, run) = get(authority, server, flags);
    let run = run
        .exits_with(3)
        .err_contains(words)
        .err_contains(&format!("TLS with {}", server.addr));
    let advice = run.err.lines().find(|line| line.starts_with("hint: "));
    let advice = advice.unwrap_or_else(|| panic!("no hint: {}", run.err));
    assert!(advice.contains(hint), "`{hint}` is not in: {advice}");
    assert!(run.out.is_empty());
    check_schema(&home.capture());
    let shown = home.wire(&["show"]).exits_with(3);
    assert!(shown.out().contains(words), "{}", shown.out());
    let document = home.wire(&["show", "--json"]).exits_with(3).json();
    assert_eq!(document["sent"]["bytes"], 0);
}

const TRUSTING: &[&str] = &["--cacert", "ca.pem"];

#[test]
fn each_unacceptable_certificate_has_its_own_error() {
    #[track_caller]
    fn case(names: &[&str], change: impl FnOnce(&mut CertificateParams), words: &str, hint: &str) {
        let authority = authority("authority");
        let issued = authority.issue(names, change);
        if let Some(server) = Openssl::start(&issued, &[]) {
            assert_tls_failure(&authority, &server, TRUSTING, words, hint);
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
fn each_untrusted_issuer_has_its_own_error() {
    let authority = authority("unknown authority");
    let issued = authority.issue(&["127.0.0.1"], |_| {});
    let Some(server) = Openssl::start(&issued, &[]) else {
        return;
    };
    let words = "was issued by `CN=unknown authority`, which is not trusted";
    assert_tls_failure(&authority, &server, &[], words, "--cacert FILE");

    // The same name, and another key.
    let again = super::certificates::authority("unknown authority");
    let words = "not signed with the key of its issuer `CN=unknown authority`";
    assert_tls_failure(&again, &server, TRUSTING, words, "made anew");

    let Some(server) = Openssl::start(&self_signed(&["127.0.0.1"]), &[]) else {
        return;
    };
    let words = "the server's certificate `CN=leaf` is self-signed";
    assert_tls_failure(&authority, &server, &[], words, "trusts that certificate");
}

#[test]
fn each_failed_handshake_has_its_own_error() {
    #[track_caller]
    fn case(options: &[&str], words: &str, hint: &str) {
        let authority = authority("authority");
        let issued = authority.issue(&["127.0.0.1"], |_| {});
        if let Some(server) = Openssl::start(&issued, options) {
            assert_tls_failure(&authority, &server, TRUSTING, words, hint);
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
fn an_outdated_tls_version_is_reported() {
    let authority = authority("authority");
    let issued = authority.issue(&["127.0.0.1"], |_| {});
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    match Openssl::try_start(&issued, &old) {
        Ok(server) => {
            let words = "the server speaks only TLS 1.1 or older";
            assert_tls_failure(&authority, &server, TRUSTING, words, "1.2 and 1.3");
        }
        Err(StartError::Program) => {}
        Err(StartError::Options(_)) => eprintln!("SKIPPED: this openssl does not serve TLS 1.1"),
    }
}

#[test]
fn a_missing_client_certificate_fails_after_the_handshake() {
    let authority = authority("authority");
    let issued = authority.issue(&["127.0.0.1"], |_| {});
    // In TLS 1.3 the client finishes its handshake before the server checks the client's certificate.
    let verify = ["-tls1_3", "-Verify", "1"];
    let Some(server) = Openssl::start(&issued, &verify) else {
        return;
    };
    let (home, run) = get(&authority, &server, TRUSTING);
    run.exits_with(4)
        .err_contains("client certificate")
        .err_contains("hint: ")
        .err_contains("--cert FILE");
    check_schema(&home.capture());
    home.wire(&["show"]).exits_with(4);
}

#[test]
fn insecure_accepts_any_certificate_and_reports_it() {
    let authority = authority("authority");
    let issued = authority.issue(&["api.example"], |params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2002, 2, 3);
    });
    let Some(server) = Openssl::start(&issued, &[]) else {
        return;
    };
    let (home, run) = get(&authority, &server, &["-k"]);
    let run = run
        .exits_with(0)
        .err_contains("NOT VERIFIED")
        .err_contains("CN=leaf by CN=authority, until 2002-02-03");
    assert!(run.out().contains("TLSv1.3"), "{}", run.out());
    check_schema(&home.capture());
    let shown = home.wire(&["show"]).exits_with(0);
    assert!(shown.out().contains("NOT VERIFIED"), "{}", shown.out());
    let text = std::fs::read_to_string(home.capture()).unwrap();
    assert!(text.contains(r#""verified":false"#), "{text}");
    assert!(text.contains(r#""refusal":"the server"#), "{text}");
    let listed = home.wire(&["ls"]).exits_with(0);
    assert!(listed.out().contains("NOT VERIFIED"), "{}", listed.out());
    // Also where nothing but the body is shown.
    let Some(server) = Openssl::start(&issued, &[]) else {
        return;
    };
    let (_, run) = get(&authority, &server, &["-k", "-q"]);
    run.exits_with(0)
        .err_contains("note: the certificate was NOT VERIFIED (-k): the server's certificate")
        .err_contains("2002-02-03");
}

#[test]
fn roots_and_session_keys_use_files() {
    let authority = authority("authority");
    let issued = authority.issue(&["api.example", "127.0.0.1"], |_| {});
    let Some(server) = Openssl::start(&issued, &[]) else {
        return;
    };
    let (_, run) = get(&authority, &server, TRUSTING);
    assert!(!run.exits_with(0).err.contains("NOT VERIFIED"));

    let home = Home::new();
    home.file("ca.pem", &authority.pem);
    let url = server.url();
    let mut command = home.command(&["send", "-X", "GET", "--url", &url]);
    command
        .env("SSL_CERT_FILE", home.path("ca.pem"))
        .env("SSLKEYLOGFILE", home.path("keys.log"));
    let run = Run::from_output(command.output().unwrap()).exits_with(0);
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
    run.exits_with(0)
        .err_contains(&format!("> Host: api.example:{port}"))
        .err_contains("complete: 200");
    let newest = home.captures().pop().unwrap();
    let text = std::fs::read_to_string(newest).unwrap();
    assert!(text.contains(r#""sni":"api.example""#), "{text}");
}

#[test]
fn a_key_that_is_too_short_is_reported() {
    let Some(openssl) = program("openssl") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new(openssl)
        .args([
            "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "30",
        ])
        .args([
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-subj",
            "/CN=short",
        ])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .current_dir(&folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let read = |name| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let issued = Issued {
        pem: read("cert.pem"),
        key: read("key.pem"),
    };
    let Some(server) = Openssl::start(&issued, &["-cipher", "DEFAULT@SECLEVEL=0"]) else {
        return;
    };
    let home = Home::new();
    home.file("ca.pem", &issued.pem);
    let url = server.url();
    for trust in [&["--cacert", "ca.pem"][..], &["-k"]] {
        home.wire(&[&["send", "-X", "GET", "--url", &url], trust].concat())
            .exits_with(3)
            .err_contains("the server's certificate has an RSA key of 1024 bits; 2048 to 8192")
            .err_contains("hint: the server needs a certificate with a longer key");
    }
}
