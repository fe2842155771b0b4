//! The demo server: listens, speaks TLS, and answers with [`super::answer`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

use crate::net::Clock;
use crate::serve::{RequestHandler, ServerReply, ServerRequest, serve_stream};

/// How the demo server is to be.
#[derive(Clone, Copy, Debug)]
pub struct DemoOptions {
    /// Where it listens; port 0 takes a free one. By default `127.0.0.1:0`.
    pub addr: SocketAddr,
    /// Whether it speaks TLS; by default it does.
    pub tls: bool,
    /// The pause between the events of a stream; by default 15 ms. Zero is allowed.
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
    /// Where it listens.
    pub addr: SocketAddr,
    /// The certificate to trust, as PEM, for `localhost`, `127.0.0.1` and `::1`; empty without TLS.
    pub roots_pem: String,
    task: JoinHandle<()>,
}

impl DemoServer {
    /// Binds, and serves from then on as a task of the current runtime.
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
        let desk = Arc::new(DemoHandler {
            pace: options.pace,
            request_count: AtomicU64::new(0),
        });
        Ok(Self {
            addr,
            roots_pem,
            task: tokio::spawn(accept_connections(listener, acceptor, desk)),
        })
    }
}

impl Drop for DemoServer {
    fn drop(&mut self) {
        // The connections are owned by this task, and end with it.
        self.task.abort();
    }
}

async fn accept_connections(
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
    desk: Arc<DemoHandler>,
) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(
                    stream,
                    acceptor.clone(),
                    Arc::clone(&desk),
                ));
            }
            // Out of descriptors, or a peer that left at once: the next one may have more luck.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Errors of a connection end here: its other end is the one that tells about them.
async fn serve_connection(
    stream: TcpStream,
    acceptor: Option<TlsAcceptor>,
    desk: Arc<DemoHandler>,
) {
    // Each event is to leave at once; where that cannot be had, it still leaves.
    let _ = stream.set_nodelay(true);
    let _ = match acceptor {
        None => serve_stream(stream, &*desk).await,
        Some(acceptor) => match acceptor.accept(stream).await {
            Ok(stream) => serve_stream(stream, &*desk).await,
            Err(error) => Err(error),
        },
    };
}

/// What the connections share: it numbers the requests and reads the clock, so that answers are pure.
struct DemoHandler {
    pace: Duration,
    request_count: AtomicU64,
}

impl DemoHandler {
    fn next_context(&self) -> super::DemoContext {
        super::DemoContext {
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
