//! A stream to the peer before HTTP begins: bytes both ways, over any transport.

use tokio::io::{AsyncRead, AsyncWrite};

/// A transport of bytes: TCP, a Unix socket, a tunnel through the TLS of a proxy.
///
/// It costs one virtual call per read, never one per byte.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// An open stream to the peer, or to a proxy.
pub(super) struct RawStream {
    pub(super) io: Box<dyn Transport>,
    /// The peer, as errors name it.
    pub(super) peer_name: String,
    /// Whether it runs through TLS with a proxy, so that it ends with the end of TLS.
    pub(super) through_tls: bool,
}

impl RawStream {
    pub(super) fn new(io: impl Transport + 'static, place: String) -> Self {
        Self {
            io: Box::new(io),
            peer_name: place,
            through_tls: false,
        }
    }
}
