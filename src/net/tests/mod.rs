//! Tests of `connect` on loopback, with real listeners and scripted peers.

mod dial;
mod proxies;
mod tls;

use std::future::Future;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::testing::TestAuthority;
use super::*;
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, FailureCause, WireSink};

/// Runs `peer` on the first connection to a port of its own.
async fn listen<F>(peer: impl FnOnce(TcpStream) -> F + Send + 'static) -> SocketAddr
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        peer(stream).await;
    });
    address
}

/// An address where nothing listens.
async fn unused_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap()
}

/// Sends back the first four bytes, then ends the stream properly.
async fn echo(mut stream: impl raw_stream::Transport) {
    let mut four = [0; 4];
    stream.read_exact(&mut four).await.unwrap();
    stream.write_all(&four).await.unwrap();
    stream.shutdown().await.unwrap();
}

fn route(url: &str) -> ConnectRoute {
    ConnectRoute::direct(TargetUrl::parse(url).unwrap())
}

/// The direct route to `url`, whose host name resolves to `address`.
fn route_at(url: &str, address: SocketAddr) -> ConnectRoute {
    let mut route = route(url);
    let entry = format!("*:{}:{}", route.target.port, address.ip());
    route.overrides = vec![ResolveOverride::parse(&entry).unwrap()];
    route
}

fn trust_only(authority: &TestAuthority) -> TlsOptions {
    TlsOptions {
        roots: TrustRoots::Pem(authority.pem.clone().into(), "test.pem".into()),
        ..TlsOptions::default()
    }
}

/// A sink that keeps the reported facts.
#[derive(Default)]
struct Facts(Vec<ConnectionFact>);

impl WireSink for Facts {
    fn fact(&mut self, _: Moment, fact: &ConnectionFact) {
        self.0.push(fact.clone());
    }

    fn bytes(&mut self, _: StreamSide, _: Moment, _: &[u8]) {}
}

/// A stop signal that never comes.
fn never_stopped() -> impl Future<Output = (FailureCause, String)> {
    std::future::pending()
}

/// Connects by `route`. Returns the result and the reported facts.
async fn connect_and_record(
    route: &ConnectRoute,
    options: TlsOptions,
) -> (Result<ClientConnection, NetFailure>, Vec<ConnectionFact>) {
    let tls = TlsClient::new(&options).unwrap();
    let mut facts = Facts::default();
    let clock = Clock::start();
    let outcome = connect(route, &tls, &clock, None, &mut facts, never_stopped()).await;
    (outcome, facts.0)
}

/// Sends `ping`, expects it back, and returns how the peer then closed.
async fn ping_and_close(connection: &mut ClientConnection) -> crate::tape::CloseKind {
    connection.write_all(b"ping").await.unwrap();
    let mut four = [0; 4];
    connection.read_exact(&mut four).await.unwrap();
    assert_eq!(&four, b"ping");
    let end = connection.read(&mut four).await;
    connection.closing_after_read(&end).unwrap()
}

fn fact_names(facts: &[ConnectionFact]) -> Vec<&'static str> {
    let name = |fact: &ConnectionFact| match fact {
        ConnectionFact::Resolved { .. } => "resolved",
        ConnectionFact::Tried { .. } => "tried",
        ConnectionFact::Connected { .. } => "connected",
        ConnectionFact::Tunnelled { .. } => "tunnelled",
        ConnectionFact::Secured(_) => "secured",
        _ => "other",
    };
    facts.iter().map(name).collect()
}

/// A connection may be made in one task and used in another.
#[test]
fn a_connection_can_move_between_threads() {
    fn check<T: Send>(_: T) {}
    let (route, tls) = (
        route("http://h"),
        TlsClient::new(&TlsOptions::default()).unwrap(),
    );
    let clock = Clock::start();
    let mut facts = Facts::default();
    check(connect(
        &route,
        &tls,
        &clock,
        None,
        &mut facts,
        never_stopped(),
    ));
}
