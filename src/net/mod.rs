//! Sockets, names, TLS and the clock: everything that touches a network, and nothing that knows HTTP
//! beyond what a proxy needs to hear.
//!
//! [`connect`] walks a [`Route`]: names to addresses, the first address that answers, the proxy, TLS. What
//! happens on the way is told as it happens, as [`Fact`](crate::tape::Fact)s; what stops it is a
//! [`Failure`] that says where and why. The [`Connection`] that comes of it carries bytes, and knows how
//! it ended.

mod authority;
mod clock;
mod connection;
mod dial;
mod failure;
mod progress;
mod proxy;
mod resolve;
mod route;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tls;
mod url;
mod wire;

pub use authority::{Host, UrlError};
pub use clock::Clock;
pub use connection::Connection;
pub use failure::Failure;
pub use proxy::{Proxy, ProxyEnv, ProxyKind};
pub use resolve::{Family, Override, OverrideError};
pub use route::{Route, connect};
pub use tls::{ClientCert, Roots, Tls, TlsError, TlsOptions};
pub use url::{Scheme, Target};
