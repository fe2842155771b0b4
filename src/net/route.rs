//! The way to a target, and the story of opening it: resolve, connect, ask the proxy, agree on TLS.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::BufReader;

use super::Clock;
use super::authority::Host;
use super::connection::ClientConnection;
use super::dial;
use super::failure::NetFailure;
use super::progress::ConnectProgress;
use super::proxy::{self, Proxy, ProxyKind, SocksDestination};
use super::raw_stream::RawStream;
use super::resolve::{IpFamily, ResolveOverride, resolve};
use super::tls::{TlsClient, TlsPeer};
use super::url::{TargetUrl, UrlScheme};
use crate::span::Moment;
use crate::tape::{ConnectionFact, ExchangeStage};

/// The way to a target.
#[derive(Clone, Debug)]
pub struct ConnectRoute {
    /// Where to.
    pub target: TargetUrl,
    /// Through which proxy.
    pub proxy: Option<Proxy>,
    /// Instead of an address: the socket to connect to. Then no proxy is used.
    pub unix_socket: Option<PathBuf>,
    /// Addresses that stand in for the resolver's, for proxies too.
    pub overrides: Vec<ResolveOverride>,
    /// Which addresses may be used.
    pub family: IpFamily,
}

impl ConnectRoute {
    /// The direct way.
    pub fn direct(target: TargetUrl) -> Self {
        Self {
            target,
            proxy: None,
            unix_socket: None,
            overrides: Vec::new(),
            family: IpFamily::Any,
        }
    }

    /// Whether the request target is the whole URL, as an HTTP proxy wants it (RFC 9112, 3.2.2).
    pub fn uses_absolute_form(&self) -> bool {
        self.forwarding_proxy().is_some()
    }

    /// The value of `Proxy-Authorization` for the request itself. Where there is a tunnel, the proxy has
    /// got it already, and the request belongs to the target.
    pub fn proxy_authorization(&self) -> Option<String> {
        self.forwarding_proxy()?.authorization()
    }

    /// The proxy in use.
    fn active_proxy(&self) -> Option<&Proxy> {
        match self.unix_socket {
            Some(_) => None,
            None => self.proxy.as_ref(),
        }
    }

    /// The proxy that gets the request itself.
    fn forwarding_proxy(&self) -> Option<&Proxy> {
        let plain = self.target.scheme == UrlScheme::Http;
        self.active_proxy().filter(|proxy| plain && proxy.is_http())
    }
}

/// Opens a connection, and reports what happens on the way.
///
/// `connect_timeout` covers all of it, to the end of the TLS handshake. [`ConnectionFact::Secured`] is TLS with
/// the target; that with an HTTPS proxy is no fact of its own.
pub async fn connect<R>(
    route: &ConnectRoute,
    tls: &TlsClient,
    clock: &Clock,
    connect_timeout: Option<Duration>,
    report: &mut R,
) -> Result<ClientConnection, NetFailure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let mut progress = ConnectProgress::new(clock, report);
    let way = open_connection(route, tls, &mut progress);
    let Some(limit) = connect_timeout else {
        return way.await;
    };
    match tokio::time::timeout(limit, way).await {
        Ok(outcome) => outcome,
        Err(_) => Err(progress.timeout_failure(limit)),
    }
}

async fn open_connection<R>(
    route: &ConnectRoute,
    tls: &TlsClient,
    progress: &mut ConnectProgress<'_, R>,
) -> Result<ClientConnection, NetFailure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let wire = match (&route.unix_socket, route.active_proxy()) {
        (Some(path), _) => dial::dial_unix(path, progress).await?,
        (None, None) => connect_tcp(&route.target.host, route.target.port, route, progress).await?,
        (None, Some(proxy)) => connect_via_proxy(proxy, route, tls, progress).await?,
    };
    match route.target.scheme {
        UrlScheme::Http => Ok(ClientConnection::from_raw(wire)),
        UrlScheme::Https => start_tls(wire, &route.target.host, tls, progress).await,
    }
}

async fn connect_tcp<R>(
    host: &Host,
    port: u16,
    route: &ConnectRoute,
    progress: &mut ConnectProgress<'_, R>,
) -> Result<RawStream, NetFailure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let addresses = resolve(host, port, &route.overrides, route.family, progress).await?;
    dial::dial(host, &addresses, progress).await
}

async fn start_tls<R>(
    wire: RawStream,
    host: &Host,
    tls: &TlsClient,
    progress: &mut ConnectProgress<'_, R>,
) -> Result<ClientConnection, NetFailure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    progress.enter_stage(ExchangeStage::Tls, wire.peer_name.clone());
    let handshaken = tls.handshake(wire, host, TlsPeer::Target).await?;
    progress.report_fact(&ConnectionFact::Secured(handshaken.secured.clone()));
    Ok(ClientConnection::from_tls(
        handshaken,
        host.clone(),
        tls.hint_context(),
    ))
}

/// The way through a proxy, up to where the target begins.
async fn connect_via_proxy<R>(
    proxy: &Proxy,
    route: &ConnectRoute,
    tls: &TlsClient,
    progress: &mut ConnectProgress<'_, R>,
) -> Result<RawStream, NetFailure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let destination = socks_destination(proxy, route, progress).await?;
    let wire = connect_tcp(&proxy.host, proxy.port, route, progress)
        .await
        .map_err(|failure| proxy_unreachable(proxy, failure))?;
    let wire = RawStream {
        peer_name: format!("the proxy {}", wire.peer_name),
        ..wire
    };
    let wire = match proxy.kind {
        ProxyKind::Https => start_proxy_tls(wire, proxy, tls, progress).await?,
        ProxyKind::Http | ProxyKind::Socks5 | ProxyKind::Socks5h => wire,
    };
    if route.uses_absolute_form() {
        return Ok(wire);
    }
    let to = route.target.host_and_port();
    progress.enter_stage(ExchangeStage::Proxy, proxy.to_url());
    let place = format!("{to} through {}", proxy.to_url());
    let wire = match destination {
        Some(destination) => open_socks_tunnel(wire, proxy, &destination, &to, place).await?,
        None => open_http_tunnel(wire, proxy, &to, place).await?,
    };
    progress.report_fact(&ConnectionFact::Tunnelled {
        proxy: proxy.to_url(),
        to,
    });
    Ok(wire)
}

/// It is the proxy that cannot be found or does not answer, which its user may not know to be in use.
fn proxy_unreachable(proxy: &Proxy, failure: NetFailure) -> NetFailure {
    NetFailure {
        error: format!(
            "the proxy {} is out of reach: {}",
            proxy.to_url(),
            failure.error
        ),
        ..failure
    }
    .with_hint(
        "is the proxy running? It comes from --proxy or from the environment (https_proxy, ...)",
    )
}

/// What a SOCKS proxy is asked for; other proxies get the name.
async fn socks_destination<R>(
    proxy: &Proxy,
    route: &ConnectRoute,
    progress: &mut ConnectProgress<'_, R>,
) -> Result<Option<SocksDestination>, NetFailure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let TargetUrl { host, port, .. } = &route.target;
    let ip = match proxy.kind {
        ProxyKind::Http | ProxyKind::Https => return Ok(None),
        ProxyKind::Socks5h => host.ip(),
        ProxyKind::Socks5 => resolve(host, *port, &route.overrides, route.family, progress)
            .await?
            .first()
            .map(SocketAddr::ip),
    };
    Ok(Some(SocksDestination::new(host.as_str(), ip, *port)))
}

/// TLS with the proxy; what follows runs inside.
async fn start_proxy_tls<R>(
    wire: RawStream,
    proxy: &Proxy,
    tls: &TlsClient,
    progress: &mut ConnectProgress<'_, R>,
) -> Result<RawStream, NetFailure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    progress.enter_stage(ExchangeStage::Tls, wire.peer_name.clone());
    let handshaken = tls.handshake(wire, &proxy.host, TlsPeer::Proxy).await?;
    Ok(RawStream {
        io: handshaken.stream,
        peer_name: handshaken.peer_name,
        through_tls: true,
    })
}

async fn open_http_tunnel(
    wire: RawStream,
    proxy: &Proxy,
    to: &str,
    place: String,
) -> Result<RawStream, NetFailure> {
    let RawStream {
        io, through_tls, ..
    } = wire;
    // The reader stays in the way: it may hold bytes of the target.
    let mut io = BufReader::new(io);
    proxy::open_tunnel(
        proxy::ConnectRequest {
            proxy,
            host_and_port: to,
        },
        &mut io,
    )
    .await?;
    Ok(RawStream {
        through_tls,
        ..RawStream::new(io, place)
    })
}

async fn open_socks_tunnel(
    mut wire: RawStream,
    proxy: &Proxy,
    destination: &SocksDestination,
    to: &str,
    place: String,
) -> Result<RawStream, NetFailure> {
    proxy::connect_socks(proxy, destination, to, &mut wire.io).await?;
    Ok(RawStream {
        peer_name: place,
        ..wire
    })
}
