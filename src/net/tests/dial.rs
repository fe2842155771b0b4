//! Tests of resolving, connecting, Unix sockets and the connect time limit.

use std::time::Duration;

use super::*;
use crate::tape::{CloseKind, ExchangeStage, FailureCause};

#[tokio::test]
async fn an_address_is_not_resolved() {
    let address = listen(echo).await;
    let (connection, facts) =
        connect_and_record(&route(&format!("http://{address}")), TlsOptions::default()).await;
    let mut connection = connection.unwrap();
    assert_eq!(fact_names(&facts), ["connected"]);
    assert!(!connection.is_tls());
    assert_eq!(connection.peer_name(), address.to_string());
    assert_eq!(ping_and_close(&mut connection).await, CloseKind::Eof);
    connection.close().await.unwrap();
}

#[tokio::test]
async fn a_name_is_resolved_by_the_system() {
    let address = listen(echo).await;
    let mut route = route(&format!("http://localhost:{}", address.port()));
    route.family = IpFamily::V4;
    let (connection, facts) = connect_and_record(&route, TlsOptions::default()).await;
    assert_eq!(
        connection.unwrap().peer_name(),
        format!("localhost ({address})")
    );
    assert_eq!(
        facts.first(),
        Some(&ConnectionFact::Resolved {
            host: "localhost".into(),
            addrs: vec![address.to_string()],
        })
    );
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_refuses() {
    let address = listen(echo).await;
    let mut route = route(&format!("http://h:{}", address.port()));
    let entry = format!("h:{}:[::1],127.0.0.1", address.port());
    route.overrides = vec![ResolveOverride::parse(&entry).unwrap()];
    let (connection, facts) = connect_and_record(&route, TlsOptions::default()).await;
    assert_eq!(
        ping_and_close(&mut connection.unwrap()).await,
        CloseKind::Eof
    );
    assert_eq!(fact_names(&facts), ["resolved", "tried", "connected"]);
}

#[tokio::test]
async fn all_refused_addresses_are_reported() {
    let address = unused_address().await;
    let mut route = route(&format!("http://h:{}", address.port()));
    let entry = format!("h:{}:127.0.0.1,127.0.0.1", address.port());
    route.overrides = vec![ResolveOverride::parse(&entry).unwrap()];
    let (outcome, facts) = connect_and_record(&route, TlsOptions::default()).await;
    let failure = outcome.err().unwrap();
    assert_eq!(fact_names(&facts), ["resolved", "tried", "tried"]);
    assert_eq!(failure.stage, ExchangeStage::Connect);
    assert_eq!(
        failure.error,
        format!(
            "cannot connect to h: {address}: connection refused; {address}: connection refused"
        )
    );
    assert!(format!("{:?}", failure.hint).contains("nothing listens there"));
}

#[tokio::test]
async fn one_refusal_names_host_and_address() {
    let address = unused_address().await;
    let url = format!("http://{address}");
    let failure = connect_and_record(&route(&url), TlsOptions::default())
        .await
        .0
        .err();
    let wanted = format!("cannot connect to {address}: connection refused");
    assert_eq!(failure.unwrap().error, wanted);
}

#[tokio::test]
async fn an_unknown_name_is_reported() {
    // RFC 6761, 6.4: no resolver returns an address for `.invalid`.
    let route = route("http://no.such.invalid");
    let (outcome, facts) = connect_and_record(&route, TlsOptions::default()).await;
    let failure = outcome.err().unwrap();
    assert_eq!(failure.stage, ExchangeStage::Resolve);
    assert!(
        failure
            .error
            .starts_with("cannot resolve no.such.invalid: ")
    );
    assert!(facts.is_empty());
}

#[tokio::test]
async fn a_time_out_names_the_stage_and_the_peer() {
    let (hold, held) = tokio::sync::oneshot::channel::<()>();
    let address = listen(async move |_stream| drop(held.await)).await;
    let route = route(&format!("https://{address}"));
    let tls = TlsClient::new(&TlsOptions::default()).unwrap();
    let limit = Some(Duration::from_millis(200));
    let mut facts = Facts::default();
    let outcome = connect(
        &route,
        &tls,
        &Clock::start(),
        limit,
        &mut facts,
        never_stopped(),
    )
    .await;
    let failure = outcome.err().unwrap();
    assert_eq!(
        (failure.stage, failure.cause),
        (ExchangeStage::Tls, FailureCause::TimedOut)
    );
    let wanted = format!("no connection after 200ms, while agreeing on TLS with {address}");
    assert_eq!(failure.error, wanted);
    drop(hold);
}

#[tokio::test]
async fn a_unix_socket_replaces_the_address() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    tokio::spawn(async move { echo(listener.accept().await.unwrap().0).await });
    let mut route = route("http://h/");
    route.unix_socket = Some(path.clone());
    route.proxy = Some(Proxy::parse("http://unused:1").unwrap());
    assert!(!route.uses_absolute_form());
    let (connection, facts) = connect_and_record(&route, TlsOptions::default()).await;
    assert_eq!(
        ping_and_close(&mut connection.unwrap()).await,
        CloseKind::Eof
    );
    let peer = path.display().to_string();
    let local = String::new();
    assert_eq!(facts, [ConnectionFact::Connected { peer, local }]);

    route.unix_socket = Some(folder.path().join("none"));
    let failure = connect_and_record(&route, TlsOptions::default())
        .await
        .0
        .err()
        .unwrap();
    assert!(failure.error.ends_with("none: no such file"));
}

#[tokio::test]
async fn a_reset_and_an_end_are_distinguished() {
    let address = listen(async |mut stream: TcpStream| {
        let mut four = [0; 4];
        stream.read_exact(&mut four).await.unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    let url = format!("http://{address}");
    let mut connection = connect_and_record(&route(&url), TlsOptions::default())
        .await
        .0
        .unwrap();
    connection.write_all(b"ping").await.unwrap();
    let end = connection.read(&mut [0; 4]).await;
    assert_eq!(connection.closing_after_read(&end), Some(CloseKind::Reset));
    let failure = connection.io_failure(ExchangeStage::Read, &end.unwrap_err());
    assert_eq!(
        failure.error,
        format!("reading from {address} failed: the peer reset the connection")
    );
}
