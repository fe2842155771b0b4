//! Sockets, names, TLS and the clock: everything that touches a network, and nothing that knows HTTP
//! beyond what a proxy needs to hear.
//!
//! [`connect`] walks a [`ConnectRoute`]: names to addresses, the first address that answers, the proxy, TLS. What
//! happens on the way is told as it happens, as [`ConnectionFact`](crate::tape::ConnectionFact)s; what stops it is a
//! [`NetFailure`] that says where and why. The [`ClientConnection`] that comes of it carries bytes, and knows how
//! it ended.

mod authority;
mod clock;
mod connection;
mod dial;
mod failure;
mod progress;
mod proxy;
mod raw_stream;
mod resolve;
mod route;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tls;
mod url;

pub use authority::{Host, UrlError};
pub use clock::Clock;
pub use connection::ClientConnection;
pub use failure::NetFailure;
pub use proxy::{Proxy, ProxyEnv, ProxyKind};
pub use resolve::{IpFamily, ResolveOverride, ResolveOverrideError};
pub use route::{ConnectRoute, connect};
pub use tls::{ClientCert, TlsClient, TlsError, TlsOptions, TrustRoots};
pub use url::{TargetUrl, UrlScheme};
