//! Tests of TLS handshakes: those that succeed, and each kind of failure.

use rcgen::{BasicConstraints, IsCa, date_time_ymd};
use rustls::version::{TLS12, TLS13};
use tokio_rustls::TlsAcceptor;

use super::super::testing::{TestCertificate, issue_by, new_acceptor, new_authority, self_signed};
use super::*;
use crate::tape::{CloseKind, ExchangeStage, TlsSession};

/// Accepts TLS, and echoes if that succeeds.
async fn serve(acceptor: TlsAcceptor) -> SocketAddr {
    listen(async move |stream| {
        if let Ok(stream) = acceptor.accept(stream).await {
            echo(stream).await;
        }
    })
    .await
}

fn tls_session(facts: &[ConnectionFact]) -> &TlsSession {
    match facts.last() {
        Some(ConnectionFact::Secured(secured)) => secured,
        other => panic!("not secured: {other:?}"),
    }
}

/// The failure of a handshake with a server that shows `issued`.
async fn handshake_failure(issued: &TestCertificate, options: TlsOptions) -> (String, String) {
    let address = serve(new_acceptor(issued, None, &TLS13)).await;
    let url = format!("https://api.example:{}", address.port());
    let (outcome, facts) = connect_and_record(&route_at(&url, address), options).await;
    assert_eq!(fact_names(&facts), ["resolved", "connected"]);
    let failure = outcome.err().unwrap();
    assert_eq!(failure.stage, ExchangeStage::Tls);
    let start = format!("TLS with api.example ({address}) failed: ");
    let why = failure.error.strip_prefix(&start).unwrap().to_owned();
    (why, format!("{:?}", failure.hint))
}

#[tokio::test]
async fn the_agreed_parameters_are_reported() {
    let authority = new_authority();
    let issued = authority.issue(&["api.example"]);
    for (version, name) in [(&TLS12, "TLSv1.2"), (&TLS13, "TLSv1.3")] {
        let address = serve(new_acceptor(&issued, None, version)).await;
        let url = format!("https://api.example:{}", address.port());
        let (connection, facts) =
            connect_and_record(&route_at(&url, address), trust_only(&authority)).await;
        let mut connection = connection.unwrap();
        assert!(connection.is_tls());
        assert_eq!(
            ping_and_close(&mut connection).await,
            CloseKind::CloseNotify
        );
        connection.close().await.unwrap();
        assert_eq!(fact_names(&facts), ["resolved", "connected", "secured"]);
        let secured = tls_session(&facts);
        assert_eq!(secured.version, name);
        assert!(secured.cipher.starts_with("TLS_"));
        assert_eq!(secured.group.as_deref(), Some("x25519"));
        assert_eq!(secured.alpn.as_deref(), Some("http/1.1"));
        assert_eq!(secured.sni.as_deref(), Some("api.example"));
        assert_eq!(secured.chain[0].names, ["api.example"]);
        assert!(secured.verified);
    }
}

#[tokio::test]
async fn addresses_are_verified_and_not_sent() {
    let authority = new_authority();
    let address = serve(new_acceptor(&authority.issue(&["127.0.0.1"]), None, &TLS13)).await;
    let route = route(&format!("https://{address}"));
    let (connection, facts) = connect_and_record(&route, trust_only(&authority)).await;
    assert_eq!(
        ping_and_close(&mut connection.unwrap()).await,
        CloseKind::CloseNotify
    );
    assert_eq!(tls_session(&facts).sni, None);
}

#[tokio::test]
async fn insecure_accepts_any_certificate_and_reports_it() {
    let issued = self_signed(&["other"], IsCa::NoCa);
    let address = serve(new_acceptor(&issued, None, &TLS13)).await;
    let options = TlsOptions {
        insecure: true,
        ..TlsOptions::default()
    };
    let (connection, facts) =
        connect_and_record(&route(&format!("https://{address}")), options).await;
    assert_eq!(
        ping_and_close(&mut connection.unwrap()).await,
        CloseKind::CloseNotify
    );
    assert!(!tls_session(&facts).verified);
    assert_eq!(
        tls_session(&facts).refusal.as_deref(),
        Some("the server's certificate `CN=leaf` is self-signed")
    );
    assert_eq!(tls_session(&facts).chain[0].names, ["other"]);
}

#[tokio::test]
async fn a_pinned_certificate_is_accepted_without_its_issuer() {
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let issued = self_signed(&["api.example"], is_ca);
        let options = || TlsOptions {
            roots: TrustRoots::Pem(issued.pem.clone().into(), "own.pem".into()),
            ..TlsOptions::default()
        };
        let address = serve(new_acceptor(&issued, None, &TLS13)).await;
        let url = format!("https://api.example:{}", address.port());
        let (connection, facts) = connect_and_record(&route_at(&url, address), options()).await;
        assert_eq!(
            ping_and_close(&mut connection.unwrap()).await,
            CloseKind::CloseNotify
        );
        assert!(tls_session(&facts).verified);

        let address = serve(new_acceptor(&issued, None, &TLS13)).await;
        let url = format!("https://evil.example:{}", address.port());
        let failure = connect_and_record(&route_at(&url, address), options())
            .await
            .0
            .err();
        assert!(failure.unwrap().error.contains("is not for evil.example"));
    }
}

#[tokio::test]
async fn wrong_dates_are_reported() {
    let authority = new_authority();
    let old = authority.issue_with(&["api.example"], |params| {
        params.not_after = date_time_ymd(2020, 2, 3);
    });
    let (why, hint) = handshake_failure(&old, trust_only(&authority)).await;
    assert_eq!(
        why,
        "the server's certificate expired: it was valid until 2020-02-03T00:00:00Z"
    );
    assert!(hint.contains("RenewCertificate"));
    let early = authority.issue_with(&["api.example"], |params| {
        params.not_before = date_time_ymd(4000, 1, 1);
        params.not_after = date_time_ymd(4001, 1, 1);
    });
    let (why, _) = handshake_failure(&early, trust_only(&authority)).await;
    assert!(why.ends_with("is not yet valid: it will be from 4000-01-01T00:00:00Z on"));
}

#[tokio::test]
async fn wrong_names_are_reported() {
    let authority = new_authority();
    let other = authority.issue(&["a.example", "*.b.example"]);
    let (why, hint) = handshake_failure(&other, trust_only(&authority)).await;
    assert_eq!(
        why,
        "the server's certificate is not for api.example: it is valid for a.example, *.b.example"
    );
    assert!(hint.contains("UseCertificateName"));
}

#[tokio::test]
async fn untrusted_issuers_are_reported() {
    let issued = new_authority().issue(&["api.example"]);
    let (why, hint) = handshake_failure(&issued, TlsOptions::default()).await;
    assert_eq!(
        why,
        "the server's certificate was issued by `CN=test authority`, which is not trusted"
    );
    assert!(hint.contains("TrustAuthority"));
    // Another authority with the same name and another key.
    let (why, hint) = handshake_failure(&issued, trust_only(&new_authority())).await;
    assert!(why.contains("not signed with the key of its issuer `CN=test authority`"));
    assert!(hint.contains("TrustRenewedAuthority"));
    for is_ca in [IsCa::NoCa, IsCa::Ca(BasicConstraints::Unconstrained)] {
        let own = self_signed(&["api.example"], is_ca);
        let (why, hint) = handshake_failure(&own, TlsOptions::default()).await;
        assert_eq!(why, "the server's certificate `CN=leaf` is self-signed");
        assert!(hint.contains("TrustCertificate"));
    }
}

#[tokio::test]
async fn a_certificate_used_as_an_authority_is_reported() {
    let authority = new_authority();
    let middle = authority.issue_with(&["other.example"], |params| {
        params.distinguished_name = rcgen::DistinguishedName::new();
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "middle");
    });
    let leaf = issue_by(&middle, "middle", &["api.example"]);
    let (why, hint) = handshake_failure(&leaf, trust_only(&authority)).await;
    assert_eq!(
        why,
        "the server's certificate was issued with the certificate `CN=middle`, which is no authority's"
    );
    assert!(hint.contains("AcceptCertificate"));
    // The other way round: a root that is shown as a server's own certificate.
    let root = authority.issue_with(&["api.example"], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    });
    let (why, _) = handshake_failure(&root, trust_only(&authority)).await;
    assert_eq!(
        why,
        "the server's certificate `CN=leaf` is refused: it is an authority's certificate, not a server's"
    );
}

fn with_client(mut options: TlsOptions, issued: &TestCertificate) -> TlsOptions {
    options.client_cert = Some(ClientCert {
        cert_pem: issued.pem.clone().into(),
        cert_name: "c.pem".into(),
        key_pem: issued.key_pem.clone().into(),
        key_name: "k.pem".into(),
    });
    options
}

/// Connects to a server that wants client certificates of `authority`.
async fn connect_with_client_auth(
    authority: &TestAuthority,
    version: &'static rustls::SupportedProtocolVersion,
    options: TlsOptions,
) -> Result<ClientConnection, NetFailure> {
    let issued = authority.issue(&["127.0.0.1"]);
    let address = serve(new_acceptor(&issued, Some(authority), version)).await;
    connect_and_record(&route(&format!("https://{address}")), options)
        .await
        .0
}

/// The failure of the handshake or, under TLS 1.3, of the first read after it.
async fn client_auth_failure(connection: Result<ClientConnection, NetFailure>) -> NetFailure {
    match connection {
        Err(failure) => failure,
        Ok(mut connection) => {
            let error = connection.read(&mut [0; 4]).await.unwrap_err();
            connection.io_failure(ExchangeStage::Read, &error)
        }
    }
}

#[tokio::test]
async fn client_certificates_are_shown_when_asked_for() {
    let authority = new_authority();
    for version in [&TLS12, &TLS13] {
        let options = with_client(trust_only(&authority), &authority.issue(&["me"]));
        let mut connection = connect_with_client_auth(&authority, version, options)
            .await
            .unwrap();
        assert_eq!(
            ping_and_close(&mut connection).await,
            CloseKind::CloseNotify
        );
    }
}

#[tokio::test]
async fn a_missing_client_certificate_is_reported() {
    let authority = new_authority();
    for (version, stage) in [(&TLS12, ExchangeStage::Tls), (&TLS13, ExchangeStage::Read)] {
        let outcome = connect_with_client_auth(&authority, version, trust_only(&authority)).await;
        let failure = client_auth_failure(outcome).await;
        assert_eq!(failure.stage, stage);
        assert!(
            failure.error.contains("wants a client certificate"),
            "{failure}"
        );
        assert!(format!("{:?}", failure.hint).contains("ClientCertificate"));
    }
}

#[tokio::test]
async fn a_refused_client_certificate_is_reported() {
    let (authority, stranger) = (new_authority(), self_signed(&["me"], IsCa::NoCa));
    for version in [&TLS12, &TLS13] {
        let options = with_client(trust_only(&authority), &stranger);
        let failure =
            client_auth_failure(connect_with_client_auth(&authority, version, options).await).await;
        assert!(
            failure
                .error
                .ends_with("refused our client certificate (unknown_ca)"),
            "{failure}"
        );
    }
}

/// The failure of a handshake with this peer.
async fn failure_with_peer(address: SocketAddr) -> (String, String) {
    let url = format!("https://{address}");
    let failure = connect_and_record(&route(&url), TlsOptions::default())
        .await
        .0
        .err();
    let failure = failure.unwrap();
    assert_eq!(failure.stage, ExchangeStage::Tls);
    let start = format!("TLS with {address} failed: ");
    let why = failure.error.strip_prefix(&start).unwrap().to_owned();
    (why, format!("{:?}", failure.hint))
}

/// A peer that reads the first message and answers with these bytes.
async fn peer_answering(bytes: &'static [u8]) -> SocketAddr {
    listen(async move |mut stream: TcpStream| {
        let mut seen = [0; 4096];
        let _ = stream.read(&mut seen).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
    })
    .await
}

#[tokio::test]
async fn plain_http_on_the_port_is_reported() {
    let of = async |answer: &'static [u8]| failure_with_peer(peer_answering(answer).await).await;
    let (why, hint) = of(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert_eq!(
        why,
        "this port speaks plain HTTP, not TLS: it answered `HTTP/1.1 400 Bad Request`"
    );
    assert_eq!(hint, "Some(PlainHttp)");
    let (why, hint) = of(b"SSH-2.0-OpenSSH_9.2\r\n").await;
    assert_eq!(
        why,
        "this port speaks no TLS: it answered `SSH-2.0-OpenSSH_9.2`"
    );
    assert_eq!(hint, "Some(CheckPort)");
    let (why, _) = of(b"\x00\x1b[2J and more").await;
    assert_eq!(why, "this port speaks no TLS");
}

#[tokio::test]
async fn a_peer_that_closes_during_the_handshake_is_reported() {
    let (why, hint) = failure_with_peer(peer_answering(b"").await).await;
    assert_eq!(why, "the peer closed the connection during the handshake");
    assert_eq!(hint, "Some(CheckPort)");
    let reset = listen(async |mut stream: TcpStream| {
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.set_zero_linger().unwrap();
    });
    let (why, _) = failure_with_peer(reset.await).await;
    assert_eq!(why, "the peer reset the connection during the handshake");
}

#[tokio::test]
async fn each_alert_has_its_own_error() {
    let of = async |alert: &'static [u8]| failure_with_peer(peer_answering(alert).await).await;
    let (why, hint) = of(b"\x15\x03\x01\x00\x02\x02\x28").await;
    assert!(why.contains("nothing in common with us (handshake_failure)"));
    assert!(hint.contains("ciphers"));
    let (why, hint) = of(b"\x15\x03\x01\x00\x02\x02\x70").await;
    assert!(why.contains("knows no 127.0.0.1 (unrecognized_name)"));
    assert!(hint.contains("CheckServerName"));
    let (why, hint) = of(b"\x15\x03\x01\x00\x02\x02\x46").await;
    assert_eq!(why, "the server speaks only TLS 1.1 or older");
    assert!(hint.contains("1.2 and 1.3"));
    let (why, _) = of(b"\x15\x03\x01\x00\x02\x02\x78").await;
    assert!(why.contains("does not speak HTTP/1.1"));
    let (why, _) = of(b"\x15\x03\x01\x00\x02\x02\x50").await;
    assert_eq!(why, "the server sent the alert internal_error");
}

#[tokio::test]
async fn an_end_without_close_notify_is_reported() {
    let authority = new_authority();
    let acceptor = new_acceptor(&authority.issue(&["127.0.0.1"]), None, &TLS13);
    let address = listen(async move |stream: TcpStream| {
        let mut stream = acceptor.accept(stream).await.unwrap();
        let mut four = [0; 4];
        stream.read_exact(&mut four).await.unwrap();
        stream.write_all(&four).await.unwrap();
        stream.flush().await.unwrap();
        stream.into_inner().0.shutdown().await.unwrap();
    })
    .await;
    let route = route(&format!("https://{address}"));
    let mut connection = connect_and_record(&route, trust_only(&authority))
        .await
        .0
        .unwrap();
    assert_eq!(
        ping_and_close(&mut connection).await,
        CloseKind::EofWithoutCloseNotify
    );
    let error = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let failure = connection.io_failure(ExchangeStage::Read, &error);
    assert!(
        failure
            .error
            .ends_with("without TLS's goodbye (close_notify)")
    );
}

/// A running `openssl s_server`, killed when the test ends.
struct Server(std::process::Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts `openssl s_server` with these options; `None` if openssl is not installed or refuses them.
fn openssl(options: &[&str]) -> Option<(Server, SocketAddr, tempfile::TempDir)> {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::process::{Command, Stdio};

    let issued = self_signed(&["127.0.0.1"], IsCa::NoCa);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("both.pem");
    let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
    write!(file, "{}{}", issued.pem, issued.key_pem).unwrap();
    file.persist(&path).unwrap();
    let mut child = Command::new("openssl")
        .args(["s_server", "-accept", "127.0.0.1:0", "-cert"])
        .arg(&path)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let output = child.stdout.take().unwrap();
    let server = Server(child);
    let ready = BufReader::new(output)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("ACCEPT ")?.parse().ok())?;
    Some((server, ready, folder))
}

#[tokio::test]
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
async fn a_server_with_only_old_tls_versions_is_reported() {
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    let Some((_server, address, _folder)) = openssl(&old) else {
        eprintln!("SKIPPED: no openssl that serves TLS 1.1");
        return;
    };
    let (why, _) = failure_with_peer(address).await;
    assert_eq!(why, "the server speaks only TLS 1.1 or older");
}
