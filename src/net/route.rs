//! The way to a target, and the story of opening it: resolve, connect, ask the proxy, agree on TLS.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::BufReader;

use super::Clock;
use super::authority::Host;
use super::connection::Connection;
use super::dial;
use super::failure::Failure;
use super::progress::Progress;
use super::proxy::{self, Destination, Proxy, ProxyKind};
use super::resolve::{Family, Override, resolve};
use super::tls::{Tls, With};
use super::url::{Scheme, Target};
use super::wire::Wire;
use crate::span::Moment;
use crate::tape::{ConnectionFact, ExchangeStage};

/// The way to a target.
#[derive(Clone, Debug)]
pub struct Route {
    /// Where to.
    pub target: Target,
    /// Through which proxy.
    pub proxy: Option<Proxy>,
    /// Instead of an address: the socket to connect to. Then no proxy is used.
    pub unix_socket: Option<PathBuf>,
    /// Addresses that stand in for the resolver's, for proxies too.
    pub resolve: Vec<Override>,
    /// Which addresses may be used.
    pub family: Family,
}

impl Route {
    /// The direct way.
    pub fn to(target: Target) -> Self {
        Self {
            target,
            proxy: None,
            unix_socket: None,
            resolve: Vec::new(),
            family: Family::Any,
        }
    }

    /// Whether the request target is the whole URL, as an HTTP proxy wants it (RFC 9112, 3.2.2).
    pub fn absolute_form(&self) -> bool {
        self.forwarding_proxy().is_some()
    }

    /// The value of `Proxy-Authorization` for the request itself. Where there is a tunnel, the proxy has
    /// got it already, and the request belongs to the target.
    pub fn proxy_authorization(&self) -> Option<String> {
        self.forwarding_proxy()?.authorization()
    }

    /// The proxy in use.
    fn proxy(&self) -> Option<&Proxy> {
        match self.unix_socket {
            Some(_) => None,
            None => self.proxy.as_ref(),
        }
    }

    /// The proxy that gets the request itself.
    fn forwarding_proxy(&self) -> Option<&Proxy> {
        let plain = self.target.scheme == Scheme::Http;
        self.proxy().filter(|proxy| plain && proxy.is_http())
    }
}

/// Opens a connection, and reports what happens on the way.
///
/// `connect_timeout` covers all of it, to the end of the TLS handshake. [`Fact::Secured`] is TLS with
/// the target; that with an HTTPS proxy is no fact of its own.
pub async fn connect<R>(
    route: &Route,
    tls: &Tls,
    clock: &Clock,
    connect_timeout: Option<Duration>,
    report: &mut R,
) -> Result<Connection, Failure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let mut progress = Progress::new(clock, report);
    let way = establish(route, tls, &mut progress);
    let Some(limit) = connect_timeout else {
        return way.await;
    };
    match tokio::time::timeout(limit, way).await {
        Ok(outcome) => outcome,
        Err(_) => Err(progress.timed_out(limit)),
    }
}

async fn establish<R>(
    route: &Route,
    tls: &Tls,
    progress: &mut Progress<'_, R>,
) -> Result<Connection, Failure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let wire = match (&route.unix_socket, route.proxy()) {
        (Some(path), _) => dial::unix(path, progress).await?,
        (None, None) => tcp(&route.target.host, route.target.port, route, progress).await?,
        (None, Some(proxy)) => through(proxy, route, tls, progress).await?,
    };
    match route.target.scheme {
        Scheme::Http => Ok(Connection::plain(wire)),
        Scheme::Https => secure(wire, &route.target.host, tls, progress).await,
    }
}

async fn tcp<R>(
    host: &Host,
    port: u16,
    route: &Route,
    progress: &mut Progress<'_, R>,
) -> Result<Wire, Failure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let addresses = resolve(host, port, &route.resolve, route.family, progress).await?;
    dial::dial(host, &addresses, progress).await
}

async fn secure<R>(
    wire: Wire,
    host: &Host,
    tls: &Tls,
    progress: &mut Progress<'_, R>,
) -> Result<Connection, Failure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    progress.enter(ExchangeStage::Tls, wire.place.clone());
    let handshaken = tls.handshake(wire, host, With::Target).await?;
    progress.tell(&ConnectionFact::Secured(handshaken.secured.clone()));
    Ok(Connection::secure(handshaken, host.clone(), tls.setting()))
}

/// The way through a proxy, up to where the target begins.
async fn through<R>(
    proxy: &Proxy,
    route: &Route,
    tls: &Tls,
    progress: &mut Progress<'_, R>,
) -> Result<Wire, Failure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let destination = destination(proxy, route, progress).await?;
    let wire = tcp(&proxy.host, proxy.port, route, progress)
        .await
        .map_err(|failure| unreachable(proxy, failure))?;
    let wire = Wire {
        place: format!("the proxy {}", wire.place),
        ..wire
    };
    let wire = match proxy.kind {
        ProxyKind::Https => enveloped(wire, proxy, tls, progress).await?,
        ProxyKind::Http | ProxyKind::Socks5 | ProxyKind::Socks5h => wire,
    };
    if route.absolute_form() {
        return Ok(wire);
    }
    let to = route.target.host_and_port();
    progress.enter(ExchangeStage::Proxy, proxy.to_url());
    let place = format!("{to} through {}", proxy.to_url());
    let wire = match destination {
        Some(destination) => associated(wire, proxy, &destination, &to, place).await?,
        None => tunnelled(wire, proxy, &to, place).await?,
    };
    progress.tell(&ConnectionFact::Tunnelled {
        proxy: proxy.to_url(),
        to,
    });
    Ok(wire)
}

/// It is the proxy that cannot be found or does not answer, which its user may not know to be in use.
fn unreachable(proxy: &Proxy, failure: Failure) -> Failure {
    Failure {
        error: format!(
            "the proxy {} is out of reach: {}",
            proxy.to_url(),
            failure.error
        ),
        ..failure
    }
    .hint("is the proxy running? It comes from --proxy or from the environment (https_proxy, ...)")
}

/// What a SOCKS proxy is asked for; other proxies get the name.
async fn destination<R>(
    proxy: &Proxy,
    route: &Route,
    progress: &mut Progress<'_, R>,
) -> Result<Option<Destination>, Failure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    let Target { host, port, .. } = &route.target;
    let ip = match proxy.kind {
        ProxyKind::Http | ProxyKind::Https => return Ok(None),
        ProxyKind::Socks5h => host.ip(),
        ProxyKind::Socks5 => resolve(host, *port, &route.resolve, route.family, progress)
            .await?
            .first()
            .map(SocketAddr::ip),
    };
    Ok(Some(Destination::of(host.as_str(), ip, *port)))
}

/// TLS with the proxy; what follows runs inside.
async fn enveloped<R>(
    wire: Wire,
    proxy: &Proxy,
    tls: &Tls,
    progress: &mut Progress<'_, R>,
) -> Result<Wire, Failure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    progress.enter(ExchangeStage::Tls, wire.place.clone());
    let handshaken = tls.handshake(wire, &proxy.host, With::Proxy).await?;
    Ok(Wire {
        io: handshaken.stream,
        place: handshaken.place,
        through_tls: true,
    })
}

async fn tunnelled(wire: Wire, proxy: &Proxy, to: &str, place: String) -> Result<Wire, Failure> {
    let Wire {
        io, through_tls, ..
    } = wire;
    // The reader stays in the way: it may hold bytes of the target.
    let mut io = BufReader::new(io);
    proxy::tunnel(proxy::Request { proxy, to }, &mut io).await?;
    Ok(Wire {
        through_tls,
        ..Wire::new(io, place)
    })
}

async fn associated(
    mut wire: Wire,
    proxy: &Proxy,
    destination: &Destination,
    to: &str,
    place: String,
) -> Result<Wire, Failure> {
    proxy::associate(proxy, destination, to, &mut wire.io).await?;
    Ok(Wire { place, ..wire })
}
