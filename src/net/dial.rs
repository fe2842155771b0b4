//! Opens TCP and Unix sockets; no other file does. Several addresses race as in RFC 8305.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::authority::Host;
use super::connector::Connector;
use super::failure::{NetFailure, escape_text, io_error_words};
use super::hint::Hint;
use super::raw_stream::RawStream;
use crate::tape::{ConnectionFact, ExchangeStage, WireSink};

/// Delay before the attempt for the next address starts: the value that RFC 8305, 5, recommends.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// An address and the result of connecting to it.
type DialAttempt = (SocketAddr, io::Result<TcpStream>);

impl<S: WireSink + ?Sized> Connector<'_, S> {
    /// Connects to the first of `addresses` that answers.
    ///
    /// The next attempt starts when the previous one has failed, or after [`ATTEMPT_DELAY`]. Once one succeeds, the
    /// others are dropped.
    pub(super) async fn dial(
        &mut self,
        host: &Host,
        addresses: &[SocketAddr],
    ) -> Result<RawStream, NetFailure> {
        self.enter_stage(ExchangeStage::Connect, "");
        let mut waiting = addresses.iter().copied();
        let mut running: JoinSet<DialAttempt> = JoinSet::new();
        let mut failed: Vec<(SocketAddr, io::Error)> = Vec::new();
        loop {
            if let Some(address) = waiting.next() {
                self.add_peer(&peer_name(host, &address));
                running.spawn(connect_one(address));
            }
            let answer = if waiting.len() == 0 {
                running.join_next().await
            } else {
                match timeout(ATTEMPT_DELAY, running.join_next()).await {
                    Ok(answer) => answer,
                    Err(_) => continue,
                }
            };
            match answer {
                Some(Ok((_, Ok(stream)))) => return Ok(self.report_connected(host, stream)),
                Some(Ok((address, Err(error)))) => {
                    self.report_fact(&ConnectionFact::Tried {
                        peer: address.to_string(),
                        error: io_error_words(&error),
                    });
                    failed.push((address, error));
                }
                // An attempt that was cancelled or panicked has no error to report.
                Some(Err(_)) => {}
                None => return Err(dial_failure(host, &failed)),
            }
        }
    }

    fn report_connected(&mut self, host: &Host, stream: TcpStream) -> RawStream {
        // Requests are written whole: Nagle's algorithm would only blur the times. If the system refuses, the
        // connection works all the same.
        let _ = stream.set_nodelay(true);
        let name = |address: io::Result<SocketAddr>| address.map(|one| one.to_string());
        let peer = stream.peer_addr();
        let place = peer
            .as_ref()
            .map_or_else(|_| host.to_string(), |address| peer_name(host, address));
        self.report_fact(&ConnectionFact::Connected {
            peer: name(peer).unwrap_or_default(),
            local: name(stream.local_addr()).unwrap_or_default(),
        });
        RawStream::new(stream, place)
    }

    /// Connects to a Unix socket.
    pub(super) async fn dial_unix(&mut self, path: &Path) -> Result<RawStream, NetFailure> {
        let name = escape_text(&path.display().to_string());
        self.enter_stage(ExchangeStage::Connect, name.clone());
        match tokio::net::UnixStream::connect(path).await {
            Ok(stream) => {
                self.report_fact(&ConnectionFact::Connected {
                    peer: path.display().to_string(),
                    local: String::new(),
                });
                Ok(RawStream::new(stream, name))
            }
            Err(error) => {
                self.report_fact(&ConnectionFact::Tried {
                    peer: path.display().to_string(),
                    error: io_error_words(&error),
                });
                let error = format!(
                    "cannot connect to the socket {name}: {}",
                    io_error_words(&error)
                );
                Err(NetFailure::refused(ExchangeStage::Connect, error)
                    .with_hint("is the server running, and is this its socket?"))
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is where connections are opened"
)]
async fn connect_one(address: SocketAddr) -> DialAttempt {
    (address, TcpStream::connect(address).await)
}

/// The peer's name in errors: `name (address)`, or the address alone.
fn peer_name(host: &Host, address: &SocketAddr) -> String {
    if host.ip() == Some(address.ip()) {
        address.to_string()
    } else {
        format!("{host} ({address})")
    }
}

fn dial_failure(host: &Host, failed: &[(SocketAddr, io::Error)]) -> NetFailure {
    let error = match failed {
        [(address, error)] => format!(
            "cannot connect to {}: {}",
            peer_name(host, address),
            io_error_words(error)
        ),
        several => {
            let each: Vec<String> = several
                .iter()
                .map(|(address, error)| format!("{address}: {}", io_error_words(error)))
                .collect();
            format!("cannot connect to {host}: {}", each.join("; "))
        }
    };
    let failure = NetFailure::refused(ExchangeStage::Connect, error);
    let refused =
        |(_, error): &(SocketAddr, io::Error)| error.kind() == io::ErrorKind::ConnectionRefused;
    if !failed.is_empty() && failed.iter().all(refused) {
        failure.with_hint("nothing listens there: is the server running, and is the port right?")
    } else {
        failure.with_hint(Hint::UseProxy)
    }
}
