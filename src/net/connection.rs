//! A connection that is ready for HTTP: bytes both ways, how it ended, and why it broke.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::authority::Host;
use super::failure::{Failure, words};
use super::tls::{self, Handshaken, Setting, Stream, Witness};
use super::wire::{Transport, Wire};
use crate::tape::{CloseKind, ExchangeStage};

/// An open connection to the target, plain or over TLS.
pub struct Connection {
    io: Io,
    /// Who is at the other end, as errors name it.
    place: String,
    /// Whether the end of the stream is an end of TLS: with the target, or with an HTTPS proxy.
    ends_in_tls: bool,
}

enum Io {
    Plain(Box<dyn Transport>),
    Tls(Box<Secure>),
}

struct Secure {
    stream: Box<Stream>,
    host: Host,
    witness: Arc<Witness>,
    setting: Setting,
}

impl Connection {
    /// Without TLS of its own.
    pub(super) fn plain(wire: Wire) -> Self {
        Self {
            io: Io::Plain(wire.io),
            place: wire.place,
            ends_in_tls: wire.through_tls,
        }
    }

    /// Over TLS that stands.
    pub(super) fn secure(handshaken: Handshaken, host: Host, setting: Setting) -> Self {
        Self {
            io: Io::Tls(Box::new(Secure {
                stream: handshaken.stream,
                host,
                witness: handshaken.witness,
                setting,
            })),
            place: handshaken.place,
            ends_in_tls: true,
        }
    }

    /// Whether TLS stands with the target.
    pub fn is_secured(&self) -> bool {
        matches!(self.io, Io::Tls(_))
    }

    /// Who is at the other end, as errors name it: `host (address:port)`.
    pub fn peer(&self) -> &str {
        &self.place
    }

    /// How the peer ended the connection, if this outcome of a read into a buffer that was not empty
    /// says that it did.
    pub fn closing_of(&self, read: &io::Result<usize>) -> Option<CloseKind> {
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
    pub fn failure(&self, stage: ExchangeStage, error: &io::Error) -> Failure {
        let doing = match stage {
            ExchangeStage::Write => "writing to",
            ExchangeStage::Read => "reading from",
            ExchangeStage::Resolve
            | ExchangeStage::Connect
            | ExchangeStage::Proxy
            | ExchangeStage::Tls => "talking with",
        };
        let (why, hint) = self.explain(error);
        let error = format!("{doing} {} failed: {why}", self.place);
        Failure {
            hint,
            ..Failure::refused(stage, error)
        }
    }

    /// A refusal of TLS 1.3 may come with the first read only: the client finishes first (RFC 8446, 2).
    fn explain(&self, error: &io::Error) -> (String, Option<String>) {
        match &self.io {
            Io::Tls(secure) => {
                tls::explain_later(error, &secure.host, &secure.witness, secure.setting)
            }
            Io::Plain(_) => (words(error), None),
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

    fn stream(self: Pin<&mut Self>) -> Pin<&mut dyn Transport> {
        match &mut self.get_mut().io {
            Io::Plain(stream) => Pin::new(&mut **stream),
            Io::Tls(secure) => Pin::new(&mut *secure.stream),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream().poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(context)
    }
}
