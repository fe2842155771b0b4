//! Sockets, DNS, TLS and the clock: everything that touches a network. The only HTTP here is `CONNECT` to a proxy.
//!
//! [`connect()`] follows a [`ConnectRoute`]: it resolves names, connects to the first address that answers, asks the
//! proxy, does the TLS handshake, and reports each step as a [`ConnectionFact`](crate::tape::ConnectionFact) when it
//! happens. A [`NetFailure`] says where and why it stopped. A [`ClientConnection`] reads and writes bytes and says how
//! it ended.

mod authority;
mod clock;
mod connect;
mod connection;
mod connector;
mod dial;
mod failure;
mod hint;
mod overrides;
mod proc_sockets;
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

pub use authority::Host;
pub(crate) use clock::TlsClock;
pub use clock::{Clock, ClockReading};
pub use connect::connect;
pub use connection::ClientConnection;
pub use failure::NetFailure;
pub use hint::{Hint, HintedError};
pub use overrides::{IpFamily, ResolveOverride};
pub use proc_sockets::{ProcessConnection, ProcessTree};
pub use proxy::{Proxy, ProxyEnv, ProxyKind};
pub use route::ConnectRoute;
#[doc(hidden)]
pub use tls::fuzz_client_hello;
pub use tls::{
    ClientCert, ClientHello, FirstBytes, HELLO_LIMIT, TlsClient, TlsOptions, TrustRoots,
    read_certificate, read_client_hello,
};
pub use url::{TargetUrl, UrlScheme};
