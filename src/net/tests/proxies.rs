//! Tests of connecting through proxies of each kind, and of proxies that fail.

use rustls::version::TLS13;
use tokio::io::copy_bidirectional;

use super::super::testing::{new_acceptor, new_authority};
use super::*;
use crate::tape::{CloseKind, ExchangeStage};

/// A TLS server for `api.example` that echoes.
async fn target(authority: &TestAuthority) -> SocketAddr {
    let acceptor = new_acceptor(&authority.issue(&["api.example"]), None, &TLS13);
    listen(async move |stream| echo(acceptor.accept(stream).await.unwrap()).await).await
}

/// Reads a message head and asserts that it begins with `start`.
async fn expect_head(stream: &mut impl raw_stream::Transport, start: &str) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    assert!(head.starts_with(start), "{head}");
}

/// Copies bytes between the client and `to`, in both directions.
async fn forward(mut stream: impl raw_stream::Transport, to: SocketAddr) {
    let mut onward = connect_onward(to).await;
    let _ = copy_bidirectional(&mut stream, &mut onward).await;
}

#[expect(clippy::disallowed_methods, reason = "the proxy of a test connects")]
async fn connect_onward(to: SocketAddr) -> TcpStream {
    TcpStream::connect(to).await.unwrap()
}

fn route_through(url: &str, proxy: &str) -> ConnectRoute {
    let mut route = route(url);
    route.proxy = Some(Proxy::parse(proxy).unwrap());
    route
}

#[tokio::test]
async fn connect_opens_a_tunnel_for_tls() {
    let authority = new_authority();
    let to = target(&authority).await;
    let proxy = listen(async move |mut stream: TcpStream| {
        let wanted = "CONNECT api.example:443 HTTP/1.1\r\nHost: api.example:443\r\n\
                      Proxy-Authorization: Basic dTpw\r\n\r\n";
        expect_head(&mut stream, wanted).await;
        stream.set_nodelay(true).unwrap();
        for byte in b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n" {
            stream.write_all(&[*byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        forward(stream, to).await;
    })
    .await;
    let route = route_through("https://api.example/", &format!("http://u:p@{proxy}"));
    assert!(!route.uses_absolute_form());
    assert_eq!(route.proxy_authorization(), None);
    let (connection, facts) = connect_and_record(&route, trust_only(&authority)).await;
    assert_eq!(
        ping_and_close(&mut connection.unwrap()).await,
        CloseKind::CloseNotify
    );
    assert_eq!(fact_names(&facts), ["connected", "tunnelled", "secured"]);
    let tunnelled = ConnectionFact::Tunnelled {
        proxy: format!("http://{proxy}"),
        to: "api.example:443".into(),
    };
    assert_eq!(facts[1], tunnelled);
}

#[tokio::test]
async fn tls_runs_inside_tls_with_the_proxy() {
    let authority = new_authority();
    let to = target(&authority).await;
    let envelope = new_acceptor(&authority.issue(&["127.0.0.1"]), None, &TLS13);
    let proxy = listen(async move |stream| {
        let mut stream = envelope.accept(stream).await.unwrap();
        expect_head(&mut stream, "CONNECT api.example:443 ").await;
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        forward(stream, to).await;
    })
    .await;
    let route = route_through("https://api.example/", &format!("https://{proxy}"));
    let (connection, facts) = connect_and_record(&route, trust_only(&authority)).await;
    assert_eq!(
        ping_and_close(&mut connection.unwrap()).await,
        CloseKind::CloseNotify
    );
    assert_eq!(fact_names(&facts), ["connected", "tunnelled", "secured"]);
}

#[tokio::test]
async fn an_https_proxy_is_verified_even_when_the_target_is_not() {
    let envelope = new_acceptor(&new_authority().issue(&["127.0.0.1"]), None, &TLS13);
    let proxy = listen(async move |stream| drop(envelope.accept(stream).await)).await;
    let options = TlsOptions {
        insecure: true,
        ..TlsOptions::default()
    };
    let route = route_through("https://api.example/", &format!("https://{proxy}"));
    let failure = connect_and_record(&route, options).await.0.err().unwrap();
    let start = format!("TLS with the proxy {proxy} failed: ");
    assert!(failure.error.starts_with(&start), "{failure}");
    assert!(format!("{:?}", failure.hint).contains("TrustProxyAuthority"));
}

#[tokio::test]
async fn plain_requests_go_to_the_proxy_without_a_tunnel() {
    let proxy = listen(echo).await;
    let route = route_through("http://api.example/v1", &format!("http://u:p@{proxy}"));
    assert!(route.uses_absolute_form());
    assert_eq!(route.proxy_authorization().as_deref(), Some("Basic dTpw"));
    let (connection, facts) = connect_and_record(&route, TlsOptions::default()).await;
    let mut connection = connection.unwrap();
    assert_eq!(connection.peer_name(), format!("the proxy {proxy}"));
    assert_eq!(ping_and_close(&mut connection).await, CloseKind::Eof);
    assert_eq!(fact_names(&facts), ["connected"]);
}

#[tokio::test]
async fn a_plain_request_through_an_https_proxy_ends_with_close_notify() {
    let authority = new_authority();
    let envelope = new_acceptor(&authority.issue(&["127.0.0.1"]), None, &TLS13);
    let proxy = listen(async move |stream| echo(envelope.accept(stream).await.unwrap()).await);
    let route = route_through("http://api.example/", &format!("https://{}", proxy.await));
    let mut connection = connect_and_record(&route, trust_only(&authority))
        .await
        .0
        .unwrap();
    assert!(!connection.is_tls());
    assert_eq!(
        ping_and_close(&mut connection).await,
        CloseKind::CloseNotify
    );
}

#[tokio::test]
async fn socks_gets_the_name_or_the_address() {
    for (scheme, asked) in [
        ("socks5h", &b"\x05\x01\x00\x03\x0bapi.example\x00\x50"[..]),
        ("socks5", &b"\x05\x01\x00\x01\x0a\x01\x02\x03\x00\x50"[..]),
    ] {
        let proxy = listen(async move |mut stream: TcpStream| {
            let mut greeting = [0; 3];
            stream.read_exact(&mut greeting).await.unwrap();
            assert_eq!(&greeting, b"\x05\x01\x00");
            stream.write_all(b"\x05\x00").await.unwrap();
            let mut request = vec![0; asked.len()];
            stream.read_exact(&mut request).await.unwrap();
            assert_eq!(request, asked);
            // The answer and the target's first bytes in one piece.
            stream
                .write_all(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00early")
                .await
                .unwrap();
        })
        .await;
        let mut route = route_through("http://api.example/", &format!("{scheme}://{proxy}"));
        route.overrides = vec![ResolveOverride::parse("api.example:80:10.1.2.3").unwrap()];
        assert!(!route.uses_absolute_form());
        let (connection, facts) = connect_and_record(&route, TlsOptions::default()).await;
        let mut text = String::new();
        connection.unwrap().read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "early");
        let resolved = facts
            .iter()
            .any(|fact| matches!(fact, ConnectionFact::Resolved { .. }));
        assert_eq!(resolved, scheme == "socks5");
        assert!(matches!(
            facts.last(),
            Some(ConnectionFact::Tunnelled { .. })
        ));
    }
}

#[tokio::test]
async fn an_unreachable_proxy_and_an_unreachable_target_are_distinguished() {
    let proxy = unused_address().await;
    let route = route_through("https://api.example/", &format!("http://{proxy}"));
    let failure = connect_and_record(&route, TlsOptions::default())
        .await
        .0
        .err()
        .unwrap();
    assert_eq!(failure.stage, ExchangeStage::Connect);
    let why = format!("cannot connect to {proxy}: connection refused");
    let wanted = format!("the proxy http://{proxy} is out of reach: {why}");
    assert_eq!(failure.error, wanted);
    assert!(format!("{:?}", failure.hint).contains("CheckProxy"));
}

#[tokio::test]
async fn a_proxy_that_closes_during_connect_is_reported() {
    let proxy = listen(async |mut stream: TcpStream| {
        expect_head(&mut stream, "CONNECT").await;
        stream.write_all(b"HTTP/1.1 200 O").await.unwrap();
    })
    .await;
    let route = route_through("https://api.example/", &format!("http://{proxy}"));
    let (outcome, facts) = connect_and_record(&route, TlsOptions::default()).await;
    let failure = outcome.err().unwrap();
    assert_eq!(fact_names(&facts), ["connected"]);
    assert_eq!(failure.stage, ExchangeStage::Proxy);
    assert_eq!(
        failure.error,
        format!(
            "the proxy http://{proxy} opened no way to api.example:443: \
             it closed the connection in the middle of its answer"
        )
    );
}

#[tokio::test]
async fn errors_inside_a_tunnel_name_the_target_and_the_proxy() {
    let proxy = listen(async |mut stream: TcpStream| {
        expect_head(&mut stream, "CONNECT").await;
        stream
            .write_all(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Oh\r\n\r\n")
            .await
            .unwrap();
        let _ = stream.read(&mut [0; 4096]).await;
    })
    .await;
    let route = route_through("https://api.example/", &format!("http://{proxy}"));
    let failure = connect_and_record(&route, TlsOptions::default())
        .await
        .0
        .err()
        .unwrap();
    let wanted = format!(
        "TLS with api.example:443 through http://{proxy} failed: \
         this port speaks plain HTTP, not TLS: it answered `HTTP/1.1 400 Oh`"
    );
    assert_eq!(failure.error, wanted);
}
