//! A byte stream to the target or to a proxy, over any transport, before TLS with the target.

use tokio::io::{AsyncRead, AsyncWrite};

/// A byte stream in both directions: TCP, a Unix socket, or a tunnel through the TLS of a proxy.
///
/// As a trait object it costs one virtual call per read, never one per byte.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// An open byte stream to the target or to a proxy, with its name for errors.
pub(super) struct RawStream {
    pub(super) io: Box<dyn Transport>,
    /// The peer's name in errors.
    pub(super) peer_name: String,
    /// Whether it goes through TLS with a proxy, so that `close_notify` ends it.
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
