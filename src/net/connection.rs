//! An open connection to the target: reads and writes bytes, and says how it ended.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::failure::{NetFailure, io_error_words};
use super::hint::HintedError;
use super::raw_stream::{RawStream, Transport};
use super::tls::{BufferedTlsStream, EstablishedTls, HandshakeRecorder, explain};
use crate::tape::{CloseKind, ExchangeStage};

/// An open connection to the target, plain or over TLS.
pub struct ClientConnection {
    io: ConnectionIo,
    /// The peer's name in errors.
    peer_name: String,
    /// Whether the bytes go through TLS with the target or with an HTTPS proxy, so that `close_notify` ends them.
    ends_in_tls: bool,
}

enum ConnectionIo {
    Plain(Box<dyn Transport>),
    Tls(Box<BufferedTlsStream>, Arc<HandshakeRecorder>),
}

impl ClientConnection {
    /// A connection without TLS of its own.
    pub(super) fn from_raw(stream: RawStream) -> Self {
        Self {
            io: ConnectionIo::Plain(stream.io),
            peer_name: stream.peer_name,
            ends_in_tls: stream.through_tls,
        }
    }

    /// A connection over TLS with the target.
    pub(super) fn from_tls(tls: EstablishedTls) -> Self {
        Self {
            io: ConnectionIo::Tls(tls.stream, tls.recorder),
            peer_name: tls.peer_name,
            ends_in_tls: true,
        }
    }

    /// Whether the connection uses TLS with the target.
    pub fn is_tls(&self) -> bool {
        matches!(self.io, ConnectionIo::Tls(..))
    }

    /// The peer's name in errors: `host (address:port)`.
    pub fn peer_name(&self) -> &str {
        &self.peer_name
    }

    /// How the peer closed the connection; `None` if this result of a read says that it is open. The buffer of the
    /// read must not be empty.
    pub fn closing_after_read(&self, read: &io::Result<usize>) -> Option<CloseKind> {
        use io::ErrorKind as Kind;
        match read {
            Ok(0) if self.ends_in_tls => Some(CloseKind::CloseNotify),
            Ok(0) => Some(CloseKind::Eof),
            Ok(_) => None,
            Err(error) => match error.kind() {
                // TCP ended before TLS did (RFC 8446, 6.1).
                Kind::UnexpectedEof if self.ends_in_tls => Some(CloseKind::EofWithoutCloseNotify),
                Kind::UnexpectedEof => Some(CloseKind::Eof),
                Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => {
                    Some(CloseKind::Reset)
                }
                _ => None,
            },
        }
    }

    /// Explains an error of reading or writing, with a hint.
    pub fn io_failure(&self, stage: ExchangeStage, error: &io::Error) -> NetFailure {
        let doing = match stage {
            ExchangeStage::Write => "writing to",
            ExchangeStage::Read => "reading from",
            ExchangeStage::Resolve
            | ExchangeStage::Connect
            | ExchangeStage::Proxy
            | ExchangeStage::Tls => "talking with",
        };
        let why = match &self.io {
            // A refusal of TLS 1.3 may come with the first read: the client finishes first (RFC 8446, 2).
            ConnectionIo::Tls(_, recorder) => explain(error, recorder, false),
            ConnectionIo::Plain(_) => HintedError::new(io_error_words(error)),
        };
        let context = format!("{doing} {} failed", self.peer_name);
        NetFailure::explained(stage, why.in_context(&context))
    }

    /// Closes the connection: `close_notify` under TLS, then the end of the stream.
    pub async fn close(&mut self) -> io::Result<()> {
        match self.shutdown().await {
            // The peer closed it first.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            outcome => outcome,
        }
    }

    fn transport(self: Pin<&mut Self>) -> Pin<&mut dyn Transport> {
        match &mut self.get_mut().io {
            ConnectionIo::Plain(stream) => Pin::new(&mut **stream),
            ConnectionIo::Tls(stream, _) => Pin::new(&mut **stream),
        }
    }
}

impl AsyncRead for ClientConnection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.transport().poll_read(context, buffer)
    }
}

impl AsyncWrite for ClientConnection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.transport().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.transport().poll_shutdown(context)
    }
}
