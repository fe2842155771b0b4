//! The demo server: it listens, accepts TLS, and answers with [`super::answer`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use super::context::DemoContext;
use crate::net::Clock;
use crate::serve::{RequestHandler, ServerReply, ServerRequest, serve_stream};

/// The options of a demo server.
#[derive(Clone, Copy, Debug)]
pub struct DemoOptions {
    /// The address to listen on; port 0 takes a free port. By default `127.0.0.1:0`.
    pub addr: SocketAddr,
    /// Whether it speaks TLS; true by default.
    pub tls: bool,
    /// The pause between the events of a stream. Zero is allowed; by default 15 ms, the pace of a fast model.
    pub pace: Duration,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: true,
            pace: Duration::from_millis(15),
        }
    }
}

/// A running demo server. It stops, with all its connections, when this is dropped.
#[derive(Debug)]
pub struct DemoServer {
    /// The address that it listens on.
    pub addr: SocketAddr,
    /// The certificate to trust, as PEM, for `localhost`, `127.0.0.1` and `::1`; empty without TLS.
    pub roots_pem: String,
    task: JoinHandle<()>,
}

impl DemoServer {
    /// Binds the address and serves as a task of the current runtime.
    pub async fn start(options: DemoOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(options.addr).await?;
        let addr = listener.local_addr()?;
        let (acceptor, roots_pem) = if options.tls {
            let (acceptor, pem) =
                crate::serve::tls::self_signed_acceptor(Clock::start().started())?;
            (Some(acceptor), pem)
        } else {
            (None, String::new())
        };
        let handler = Arc::new(DemoHandler {
            pace: options.pace,
            request_count: AtomicU64::new(0),
        });
        Ok(Self {
            addr,
            roots_pem,
            task: tokio::spawn(accept_connections(listener, acceptor, handler)),
        })
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        // The task owns the connections, which end with it.
        self.task.abort();
    }
}

async fn accept_connections(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    handler: Arc<DemoHandler>,
) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(
                    stream,
                    acceptor.clone(),
                    Arc::clone(&handler),
                ));
            }
            // Out of file descriptors, or the peer left at once: wait a moment, so as not to spin, and try again.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Serves one connection. Errors are dropped: the client reports them.
async fn serve_connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    handler: Arc<DemoHandler>,
) {
    // Each event should leave at once; without this option it leaves a little later.
    let _ = stream.set_nodelay(true);
    let _ = match acceptor {
        None => serve_stream(stream, &*handler).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => serve_stream(stream, &*handler).await,
            Err(error) => Err(error),
        },
    };
}

/// The handler that all connections share. It numbers requests and reads the clock, so that replies are pure.
struct DemoHandler {
    pace: Duration,
    request_count: AtomicU64,
}

impl DemoHandler {
    fn next_context(&self) -> DemoContext {
        DemoContext {
            request_number: self
                .request_count
                .fetch_add(1, Ordering::Relaxed)
                .saturating_add(1),
            created_secs: Clock::start().started().as_second(),
            pace: self.pace,
        }
    }
}

impl RequestHandler for DemoHandler {
    fn handle(&self, request: &ServerRequest) -> ServerReply {
        super::answer(request, self.next_context())
    }

    fn refuse(&self, status: u16, fault: &str) -> ServerReply {
        super::refuse(status, fault, self.next_context())
    }
}

#[cfg(test)]
mod tests;
