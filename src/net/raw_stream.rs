//! A way to the peer before anyone speaks HTTP on it: bytes both ways, whatever carries them.

use tokio::io::{AsyncRead, AsyncWrite};

/// Whatever carries bytes: TCP, a Unix socket, a tunnel through a proxy's TLS.
///
/// One virtual call a read; never one a byte.
pub(super) trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// An open way to the peer.
pub(super) struct RawStream {
    pub(super) io: Box<dyn Transport>,
    /// Who is at the other end, as errors name it.
    pub(super) peer_name: String,
    /// Whether it runs through TLS with a proxy, so that its end is an end of TLS.
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
