//! Opens a connection: resolves, connects, asks the proxy for a tunnel, does the TLS handshake.

use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use tokio::io::BufReader;

use super::authority::Host;
use super::clock::Clock;
use super::connection::ClientConnection;
use super::connector::Connector;
use super::failure::NetFailure;
use super::hint::Hint;
use super::proxy::{self, Proxy, ProxyKind, SocksDestination};
use super::raw_stream::RawStream;
use super::route::ConnectRoute;
use super::tls::{EstablishedTls, TlsClient, TlsPeer};
use super::url::UrlScheme;
use crate::tape::{ConnectionFact, ExchangeStage, FailureCause, WireSink};

/// Opens a connection to the target of `route` and reports each step to `sink` as a fact.
///
/// `limit` covers all of it, to the end of the TLS handshake. `stop` ends the attempt. [`ConnectionFact::Secured`] is
/// TLS with the target; TLS with an HTTPS proxy has no fact of its own.
pub async fn connect(
    route: &ConnectRoute,
    tls: &TlsClient,
    clock: &Clock,
    limit: Option<Duration>,
    sink: &mut (impl WireSink + ?Sized),
    stop: impl Future<Output = (FailureCause, String)>,
) -> Result<ClientConnection, NetFailure> {
    let mut connector = Connector::new(route, tls, clock, sink);
    let stop = pin!(stop);
    // 34 years: longer than any program runs.
    let patience = limit.unwrap_or(Duration::from_secs(1 << 30));
    let ended = tokio::select! {
        biased;
        opened = connector.open() => return opened,
        stopped = stop => Some(stopped),
        () = tokio::time::sleep(patience) => None,
    };
    Err(match ended {
        Some((cause, error)) => connector.stopped(cause, error),
        None => connector.timeout_failure(patience),
    })
}

impl<S: WireSink + ?Sized> Connector<'_, S> {
    async fn open(&mut self) -> Result<ClientConnection, NetFailure> {
        let target = &self.route.target;
        let stream = match (&self.route.unix_socket, self.route.active_proxy()) {
            (Some(path), _) => self.dial_unix(path).await?,
            (None, None) => self.connect_tcp(&target.host, target.port).await?,
            (None, Some(proxy)) => self.connect_via_proxy(proxy).await?,
        };
        match target.scheme {
            _ if self.route.is_tunnel => Ok(ClientConnection::from_raw(stream)),
            UrlScheme::Http => Ok(ClientConnection::from_raw(stream)),
            UrlScheme::Https => {
                let tls = self
                    .start_tls(stream, &target.host, TlsPeer::Target)
                    .await?;
                self.report_fact(&ConnectionFact::Secured(tls.secured.clone()));
                Ok(ClientConnection::from_tls(tls))
            }
        }
    }

    async fn connect_tcp(&mut self, host: &Host, port: u16) -> Result<RawStream, NetFailure> {
        let addresses = self.resolve(host, port).await?;
        self.dial(host, &addresses).await
    }

    async fn start_tls(
        &mut self,
        stream: RawStream,
        host: &Host,
        peer: TlsPeer,
    ) -> Result<EstablishedTls, NetFailure> {
        self.enter_stage(ExchangeStage::Tls, stream.peer_name.clone());
        self.tls.handshake(stream, host, peer).await
    }

    /// Connects to `proxy` and opens a tunnel to the target, if the proxy does not forward the request itself.
    async fn connect_via_proxy(&mut self, proxy: &Proxy) -> Result<RawStream, NetFailure> {
        let destination = self.socks_destination(proxy).await?;
        let connected = self.connect_tcp(&proxy.host, proxy.port).await;
        let mut stream = connected.map_err(|failure| proxy_unreachable(proxy, failure))?;
        stream.peer_name = format!("the proxy {}", stream.peer_name);
        if proxy.kind == ProxyKind::Https {
            let tls = self.start_tls(stream, &proxy.host, TlsPeer::Proxy).await?;
            stream = RawStream {
                io: tls.stream,
                peer_name: tls.peer_name,
                through_tls: true,
            };
        }
        if self.route.uses_absolute_form() {
            return Ok(stream);
        }
        let to = self.route.target.host_and_port();
        self.enter_stage(ExchangeStage::Proxy, proxy.to_url());
        match destination {
            Some(destination) => {
                proxy::connect_socks(proxy, &destination, &to, &mut stream.io).await?;
            }
            None => {
                // The buffered reader stays in use: it may hold bytes of the target.
                let mut io = BufReader::new(stream.io);
                proxy::open_tunnel(proxy, &to, &mut io).await?;
                stream.io = Box::new(io);
            }
        }
        stream.peer_name = format!("{to} through {}", proxy.to_url());
        self.report_fact(&ConnectionFact::Tunnelled {
            proxy: proxy.to_url(),
            to,
        });
        Ok(stream)
    }

    /// The address or name that a SOCKS proxy is asked to connect to; `None` for an HTTP proxy, which gets `host:port`.
    async fn socks_destination(
        &mut self,
        proxy: &Proxy,
    ) -> Result<Option<SocksDestination>, NetFailure> {
        let target = &self.route.target;
        let ip = match proxy.kind {
            ProxyKind::Http | ProxyKind::Https => return Ok(None),
            ProxyKind::Socks5h => target.host.ip(),
            ProxyKind::Socks5 => {
                let addresses = self.resolve(&target.host, target.port).await?;
                addresses.first().map(SocketAddr::ip)
            }
        };
        let name = target.host.as_str();
        Ok(Some(SocksDestination::new(name, ip, target.port)))
    }
}

/// Names the proxy in the error of a failed connection to it: the user may not know that one is in use.
fn proxy_unreachable(proxy: &Proxy, failure: NetFailure) -> NetFailure {
    let proxy = proxy.to_url();
    NetFailure {
        error: format!("the proxy {proxy} is out of reach: {}", failure.error),
        hint: Some(Hint::CheckProxy),
        ..failure
    }
}
