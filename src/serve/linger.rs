//! Ends a connection so that the peer does not lose the last bytes that were written to it.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Time for which a connection is still read after our side was shut down: several round trips of a slow network.
const LINGER_TIME: Duration = Duration::from_secs(2);

/// Most bytes that one read drops.
const READ_SIZE: usize = 4 << 10;

/// Shuts our side down, then reads until the peer closes its side, for up to [`LINGER_TIME`]: closing with unread bytes
/// would reset the connection, and the peer could lose the reply (RFC 9112, 9.6).
pub(crate) async fn close<S>(stream: &mut S) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.shutdown().await?;
    let lingering = tokio::time::timeout(LINGER_TIME, drain(stream));
    lingering.await.unwrap_or(Ok(()))
}

/// Reads and drops bytes until the peer closes its side.
pub(super) async fn drain(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    let mut dropped = Vec::with_capacity(READ_SIZE);
    loop {
        dropped.clear();
        match stream.read_buf(&mut dropped).await {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if is_disconnect(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// Whether an error of reading says that the peer is gone: a reset, or an end without close_notify, closes the
/// connection too.
pub(super) fn is_disconnect(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe
    )
}
