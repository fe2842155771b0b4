//! A connection that is ready for HTTP: bytes both ways, how it ended, and why it broke.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::authority::Host;
use super::failure::{NetFailure, io_error_words};
use super::raw_stream::{RawStream, Transport};
use super::tls::{self, BufferedTlsStream, EstablishedTls, HandshakeRecorder, TlsHintContext};
use crate::tape::{CloseKind, ExchangeStage};

/// An open connection to the target, plain or over TLS.
pub struct ClientConnection {
    io: ConnectionIo,
    /// Who is at the other end, as errors name it.
    peer_name: String,
    /// Whether the end of the stream is an end of TLS: with the target, or with an HTTPS proxy.
    ends_in_tls: bool,
}

enum ConnectionIo {
    Plain(Box<dyn Transport>),
    Tls(Box<TlsIo>),
}

struct TlsIo {
    stream: Box<BufferedTlsStream>,
    host: Host,
    recorder: Arc<HandshakeRecorder>,
    hint_context: TlsHintContext,
}

impl ClientConnection {
    /// Without TLS of its own.
    pub(super) fn from_raw(wire: RawStream) -> Self {
        Self {
            io: ConnectionIo::Plain(wire.io),
            peer_name: wire.peer_name,
            ends_in_tls: wire.through_tls,
        }
    }

    /// Over TLS that stands.
    pub(super) fn from_tls(
        handshaken: EstablishedTls,
        host: Host,
        setting: TlsHintContext,
    ) -> Self {
        Self {
            io: ConnectionIo::Tls(Box::new(TlsIo {
                stream: handshaken.stream,
                host,
                recorder: handshaken.recorder,
                hint_context: setting,
            })),
            peer_name: handshaken.peer_name,
            ends_in_tls: true,
        }
    }

    /// Whether TLS stands with the target.
    pub fn is_tls(&self) -> bool {
        matches!(self.io, ConnectionIo::Tls(_))
    }

    /// Who is at the other end, as errors name it: `host (address:port)`.
    pub fn peer_name(&self) -> &str {
        &self.peer_name
    }

    /// How the peer ended the connection, if this outcome of a read into a buffer that was not empty
    /// says that it did.
    pub fn closing_after_read(&self, read: &io::Result<usize>) -> Option<CloseKind> {
        use io::ErrorKind as Kind;
        match read {
            Ok(0) if self.ends_in_tls => Some(CloseKind::CloseNotify),
            Ok(0) => Some(CloseKind::Eof),
            Ok(_) => None,
            Err(error) => match error.kind() {
                // TCP ended, and TLS had not (RFC 8446, 6.1).
                Kind::UnexpectedEof if self.ends_in_tls => Some(CloseKind::EofWithoutCloseNotify),
                Kind::UnexpectedEof => Some(CloseKind::Eof),
                Kind::ConnectionReset | Kind::ConnectionAborted | Kind::BrokenPipe => {
                    Some(CloseKind::Reset)
                }
                _ => None,
            },
        }
    }

    /// What a failed read or write means.
    pub fn io_failure(&self, stage: ExchangeStage, error: &io::Error) -> NetFailure {
        let doing = match stage {
            ExchangeStage::Write => "writing to",
            ExchangeStage::Read => "reading from",
            ExchangeStage::Resolve
            | ExchangeStage::Connect
            | ExchangeStage::Proxy
            | ExchangeStage::Tls => "talking with",
        };
        let (why, hint) = self.explain_error(error);
        let error = format!("{doing} {} failed: {why}", self.peer_name);
        NetFailure {
            hint,
            ..NetFailure::refused(stage, error)
        }
    }

    /// A refusal of TLS 1.3 may come with the first read only: the client finishes first (RFC 8446, 2).
    fn explain_error(&self, error: &io::Error) -> (String, Option<String>) {
        match &self.io {
            ConnectionIo::Tls(secure) => tls::explain_stream_error(
                error,
                &secure.host,
                &secure.recorder,
                secure.hint_context,
            ),
            ConnectionIo::Plain(_) => (io_error_words(error), None),
        }
    }

    /// Says goodbye: `close_notify` under TLS, then the end of the stream.
    pub async fn close(&mut self) -> io::Result<()> {
        match self.shutdown().await {
            // The peer was quicker.
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            outcome => outcome,
        }
    }

    fn transport(self: Pin<&mut Self>) -> Pin<&mut dyn Transport> {
        match &mut self.get_mut().io {
            ConnectionIo::Plain(stream) => Pin::new(&mut **stream),
            ConnectionIo::Tls(secure) => Pin::new(&mut *secure.stream),
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
