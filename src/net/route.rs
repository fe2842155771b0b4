//! The route to a target: the proxy, Unix socket and addresses that a connection uses.

use std::path::PathBuf;

use super::overrides::{IpFamily, ResolveOverride};
use super::proxy::Proxy;
use super::url::{TargetUrl, UrlScheme};

/// The route to a target: through which proxy, Unix socket or addresses to connect.
#[derive(Clone, Debug)]
pub struct ConnectRoute {
    /// The target.
    pub target: TargetUrl,
    /// The proxy; `None` for a direct connection.
    pub proxy: Option<Proxy>,
    /// Unix socket to connect to, instead of an address or a proxy.
    pub unix_socket: Option<PathBuf>,
    /// Addresses used instead of those of the resolver, also for proxies.
    pub overrides: Vec<ResolveOverride>,
    /// Family of the addresses that may be used.
    pub family: IpFamily,
    /// Whether the bytes are not ours to read: TLS is left to others, and an HTTP proxy opens a tunnel for them.
    pub is_tunnel: bool,
}

impl ConnectRoute {
    /// The route to `target` without proxy, socket or overrides.
    pub fn direct(target: TargetUrl) -> Self {
        Self {
            target,
            proxy: None,
            unix_socket: None,
            overrides: Vec::new(),
            family: IpFamily::Any,
            is_tunnel: false,
        }
    }

    /// Whether the request line has the whole URL, which a forwarding HTTP proxy needs (RFC 9112, 3.2.2).
    pub fn uses_absolute_form(&self) -> bool {
        self.forwarding_proxy().is_some()
    }

    /// The value of the request's own `Proxy-Authorization` field. A proxy that opens a tunnel gets it with `CONNECT`
    /// instead.
    pub fn proxy_authorization(&self) -> Option<String> {
        self.forwarding_proxy()?.authorization()
    }

    /// The proxy in use; `None` with a Unix socket.
    pub(super) fn active_proxy(&self) -> Option<&Proxy> {
        match self.unix_socket {
            Some(_) => None,
            None => self.proxy.as_ref(),
        }
    }

    /// The HTTP proxy that forwards a plain request without a tunnel; `None` for other routes.
    fn forwarding_proxy(&self) -> Option<&Proxy> {
        let plain = self.target.scheme == UrlScheme::Http && !self.is_tunnel;
        self.active_proxy().filter(|proxy| plain && proxy.is_http())
    }
}
