//! The authority judged by others: rustls, OpenSSL, and Python's strict checks.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};

use super::*;

fn now() -> Timestamp {
    net::Clock::start().started()
}

fn authority(folder: &Path) -> CertificateAuthority {
    CertificateAuthority::open_or_create(folder, now()).unwrap()
}

/// Does a handshake in memory. Returns the protocol that was chosen, or the client's error.
fn handshake(
    roots_pem: &str,
    config: Arc<ServerConfig>,
    host: &str,
    alpn: &[&str],
) -> Result<Option<Vec<u8>>, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let found = CertificateDer::pem_slice_iter(roots_pem.as_bytes());
    roots.add_parsable_certificates(found.map(Result::unwrap));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    client.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
    let mut server = ServerConnection::new(config).unwrap();
    while client.is_handshaking() || server.is_handshaking() {
        let mut bytes = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut bytes).unwrap();
        }
        server.read_tls(&mut &*bytes).unwrap();
        server.process_new_packets()?;
        bytes.clear();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut &*bytes).unwrap();
        client.process_new_packets()?;
    }
    Ok(client.alpn_protocol().map(<[u8]>::to_vec))
}

#[test]
fn a_client_that_trusts_the_bundle_accepts_names_and_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(&folder.path().join("ca"));
    let (bundle, _) = authority.bundle(&[]);
    for host in ["api.openai.com", "127.0.0.1", "::1", "a_b.example"] {
        let config = authority.server_config(host, now()).unwrap();
        let chosen = handshake(&bundle, config, host, &["h2", "http/1.1"]);
        assert_eq!(chosen.unwrap().as_deref(), Some(&b"http/1.1"[..]), "{host}");
    }
    let config = authority.server_config("api.openai.com", now()).unwrap();
    assert!(handshake(&bundle, Arc::clone(&config), "api.x.ai", &[]).is_err());
    assert!(handshake(&bundle, Arc::clone(&config), "api.openai.com", &["h2"]).is_err());
    let (system, _) = {
        let other = CertificateAuthority::open_or_create(&folder.path().join("other"), now());
        other.unwrap().bundle(&[])
    };
    assert!(handshake(&system, config, "api.openai.com", &[]).is_err());
}

#[test]
fn the_authority_is_made_once_and_its_key_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/wire/ca");
    assert!(read_certificate(&path).unwrap().is_none());
    let first = authority(&path);
    assert_eq!(authority(&path).certificate, first.certificate);
    let mode = |name: &str| {
        let data = std::fs::metadata(path.join(name)).unwrap();
        data.permissions().mode() & 0o777
    };
    assert_eq!(
        (mode(KEY_FILE), mode(CERTIFICATE_FILE), mode("")),
        (0o600, 0o600, 0o700)
    );
    let shown = read_certificate(&path).unwrap().unwrap();
    assert_eq!(shown.subject, "CN=wire record CA");
    let end: Timestamp = shown.not_after.parse().unwrap();
    assert!(end > days_after(now(), 4 * 365) && end < days_after(now(), 6 * 365));
    // No draft is left beside it.
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1
    );
    assert!(remove(&path).unwrap());
    assert!(!path.exists() && !remove(&path).unwrap());
}

#[test]
fn many_recorders_that_start_at_once_share_one_authority() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca");
    let certificates: Vec<_> = std::thread::scope(|scope| {
        let start = || scope.spawn(|| authority(&path).certificate);
        let threads: Vec<_> = (0..8).map(|_| start()).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(
        certificates
            .iter()
            .all(|certificate| *certificate == certificates[0])
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_cannot_be_used_is_refused_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca");
    let error = |now| {
        CertificateAuthority::open_or_create(&path, now)
            .err()
            .unwrap()
            .to_string()
    };
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("notes"), "mine").unwrap();
    assert!(error(now()).contains("other files"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    std::fs::remove_file(path.join("notes")).unwrap();
    authority(&path);
    assert!(error(days_after(now(), AUTHORITY_DAYS - 30)).contains("ends on"));
    std::fs::write(path.join(KEY_FILE), "no key").unwrap();
    assert!(error(now()).contains("no private key"));
    std::fs::write(path.join(CERTIFICATE_FILE), "no certificate").unwrap();
    assert!(error(now()).contains("no certificate"));
    assert!(read_certificate(&path).is_err());
}

#[test]
fn certificates_are_kept_and_made_anew_at_half_their_life() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(folder.path().join("ca").as_path());
    let first = authority.server_config("a.example", now()).unwrap();
    let again = authority.server_config("A.example.", now()).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    let later = days_after(now(), LEAF_DAYS / 2 + 1);
    let renewed = authority.server_config("a.example", later).unwrap();
    assert!(!Arc::ptr_eq(&first, &renewed));
    for number in 0..=CACHE_LIMIT / 100 {
        let host = format!("{number}.example");
        authority.server_config(&host, now()).unwrap();
    }
    assert!(authority.configs.lock().unwrap().len() <= CACHE_LIMIT);
}

#[test]
fn a_bundle_holds_the_certificates_of_the_users_files() {
    let folder = tempfile::tempdir().unwrap();
    let own = authority(&folder.path().join("ca"));
    let other = authority(&folder.path().join("other"));
    let file = certificate_path(&folder.path().join("other"));
    let files = [file.clone(), file, folder.path().join("missing")];
    let path = folder.path().join("bundle.pem");
    let notes = own.write_bundle(&path, &files).unwrap();
    assert!(notes.last().unwrap().contains("missing"));
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(&other.certificate_pem()).count(), 1);
    assert!(text.ends_with(&own.certificate_pem()));
    assert!(
        own.write_bundle(&path, &[]).is_err(),
        "an existing file is not replaced"
    );
}

/// The chain for `host` in files: the authority and the host's certificate.
fn chain_files(folder: &Path, host: &str) -> (PathBuf, PathBuf) {
    let authority = authority(&folder.join("ca"));
    let params = tls::leaf_params(now(), "wire record", vec![host.to_owned()], LEAF_DAYS).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &authority.issuer).unwrap();
    let path = folder.join("leaf.pem");
    std::fs::write(&path, tls::to_pem("CERTIFICATE", leaf.der())).unwrap();
    (certificate_path(&folder.join("ca")), path)
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn openssl_accepts_the_chain_by_its_strict_rules() {
    let folder = tempfile::tempdir().unwrap();
    let (root, leaf) = chain_files(folder.path(), "api.openai.com");
    let run = |arguments: &[&str]| {
        let mut command = Command::new("openssl");
        command.args(arguments).arg(&leaf).output().ok()
    };
    let root = root.to_str().unwrap();
    let verify = [
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        root,
    ];
    let Some(output) = run(&verify) else {
        eprintln!("SKIPPED: no openssl");
        return;
    };
    let text = |output: std::process::Output| String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{output:?}");
    let named = run(&[
        "verify",
        "-verify_hostname",
        "api.openai.com",
        "-CAfile",
        root,
    ]);
    assert!(named.unwrap().status.success());
    let shown = text(run(&["x509", "-noout", "-text", "-in"]).unwrap());
    for part in [
        "Subject Key Identifier",
        "Authority Key Identifier",
        "CA:FALSE",
        "TLS Web Server Authentication",
        "P-256",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

/// A Python from 3.13 on, whose default context has `VERIFY_X509_STRICT`; an older one sets the flag itself.
const PYTHON_CLIENT: &str = "
import ssl, sys
context = ssl.create_default_context(cafile=sys.argv[1])
context.verify_flags |= ssl.VERIFY_X509_STRICT
into, out = ssl.MemoryBIO(), ssl.MemoryBIO()
tls = context.wrap_bio(into, out, server_hostname='api.openai.com')
server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(sys.argv[2], sys.argv[3])
peer = server.wrap_bio(out, into, server_side=True)
for turn in range(4):
    for side in (tls, peer):
        try: side.do_handshake()
        except ssl.SSLWantReadError: pass
print(tls.version())
";

#[test]
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn python_accepts_the_chain_by_its_strict_rules() {
    let folder = tempfile::tempdir().unwrap();
    let authority = authority(&folder.path().join("ca"));
    let hosts = vec!["api.openai.com".to_owned()];
    let params = tls::leaf_params(now(), "wire record", hosts, LEAF_DAYS).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &authority.issuer).unwrap();
    let [chain, key_file] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
    let pem = tls::to_pem("CERTIFICATE", leaf.der()) + &authority.certificate_pem();
    std::fs::write(&chain, pem).unwrap();
    std::fs::write(&key_file, tls::to_pem("PRIVATE KEY", &key.serialize_der())).unwrap();
    let mut python = Command::new("python3");
    python.args(["-c", PYTHON_CLIENT]);
    python.arg(certificate_path(&folder.path().join("ca")));
    let Ok(output) = python.args([&chain, &key_file]).output() else {
        eprintln!("SKIPPED: no Python");
        return;
    };
    assert_eq!(output.stdout, b"TLSv1.3\n", "{output:?}");
}
