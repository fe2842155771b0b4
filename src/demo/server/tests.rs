//! The whole server over real sockets, with a client that trusts only its certificate.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::*;

fn request() -> String {
    let body =
        r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Hi!"}]}"#;
    let length = body.len();
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

async fn started(tls: bool) -> DemoServer {
    let options = DemoOptions {
        tls,
        pace: Duration::ZERO,
        ..DemoOptions::default()
    };
    DemoServer::start(options).await.unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a client of its own")]
async fn connected(demo: &DemoServer) -> TcpStream {
    TcpStream::connect(demo.addr).await.unwrap()
}

async fn asked(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> String {
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut reply = String::new();
    // With TLS this fails unless the server says goodbye.
    stream.read_to_string(&mut reply).await.unwrap();
    reply
}

fn client(demo: &DemoServer) -> tokio_rustls::TlsConnector {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(demo.roots_pem.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Arc::new(config).into()
}

#[tokio::test]
async fn tls_works_for_every_name_of_this_machine() {
    let demo = started(true).await;
    for name in ["localhost", "127.0.0.1", "::1"] {
        let tcp = connected(&demo).await;
        let name = ServerName::try_from(name).unwrap();
        let stream = client(&demo).connect(name, tcp).await.unwrap();
        let agreed = stream.get_ref().1.alpn_protocol();
        assert_eq!(agreed, Some(&b"http/1.1"[..]));
        let reply = asked(stream, &request()).await;
        assert!(reply.starts_with("HTTP/1.1 200 OK\r\nDate: "), "{reply}");
        assert!(reply.contains("gpt-4o-mini-2024-07-18"), "{reply}");
        assert!(
            reply.ends_with("e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"),
            "{reply}"
        );
    }
}

#[tokio::test]
async fn the_certificate_of_another_server_is_not_trusted() {
    let (demo, other) = (started(true).await, started(true).await);
    let tcp = connected(&demo).await;
    let name = ServerName::try_from("localhost").unwrap();
    client(&other).connect(name, tcp).await.unwrap_err();
}

#[tokio::test]
async fn it_answers_without_tls() {
    let demo = started(false).await;
    assert_eq!(demo.roots_pem, "");
    let reply = asked(connected(&demo).await, &request()).await;
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    let reply = asked(connected(&demo).await, "GET nonsense\r\n\r\n").await;
    assert!(reply.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{reply}");
    assert!(reply.contains("At byte 0 of this connection"), "{reply}");
}

#[tokio::test]
async fn connections_end_when_the_server_is_dropped() {
    let demo = started(false).await;
    let mut open = connected(&demo).await;
    open.write_all(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut one = [0; 1];
    open.read_exact(&mut one).await.unwrap();
    drop(demo);
    // The connection ends, however; what is left of the reply may come before.
    let _ = open.read_to_end(&mut Vec::new()).await;
}
