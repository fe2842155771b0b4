//! Accepts the connections of clients.

use std::io;
use std::sync::Arc;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::proxy::{self, ProxyRules};
use super::relay::Relay;
use super::reply::OwnReply;
use super::upstream::Upstreams;
use super::{Recorder, StopState};
use crate::serve::linger;

/// What is done with the clients of a listener.
#[derive(Clone)]
pub enum Service {
    /// Their requests are relayed.
    Relay(Upstreams),
    /// They use the recorder as their proxy.
    Proxy(Arc<ProxyRules>),
}

/// Accepts connections and serves each until the recorder stops and the last connection has ended.
///
/// # Errors
///
/// Accepting fails for a reason other than the number of open connections.
pub async fn serve(
    listener: TcpListener,
    service: Service,
    recorder: Arc<Recorder>,
) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    let mut stop = recorder.stop.clone();
    // Kept for the moment when no descriptor is left: a client is then told so.
    let mut spare = listener_spare();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|state| *state != StopState::Running) => break,
            accepted = listener.accept() => accepted,
        };
        while tasks.try_join_next().is_some() {}
        match accepted {
            Ok((client, _)) => {
                let Ok(place) = Arc::clone(&recorder.places).try_acquire_owned() else {
                    tasks.spawn(refuse(client));
                    continue;
                };
                let _ = client.set_nodelay(true);
                let (recorder, service) = (Arc::clone(&recorder), service.clone());
                tasks.spawn(async move {
                    let _place = place;
                    match service {
                        Service::Relay(upstreams) => {
                            Relay::new(&recorder, &upstreams, client).run().await;
                        }
                        Service::Proxy(rules) => {
                            proxy::serve_client(&recorder, &rules, client).await;
                        }
                    }
                });
            }
            Err(error) if is_out_of_descriptors(&error) => {
                drop(spare.take());
                if let Ok((client, _)) = listener.accept().await {
                    refuse(client).await;
                }
                spare = listener_spare();
            }
            // The client left before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => return Err(error),
        }
    }
    while tasks.join_next().await.is_some() {}
    Ok(())
}

/// Tells a client that there is no room for it.
async fn refuse(mut client: TcpStream) {
    let reason = "no file descriptor is left for another connection";
    let _ = client.write_all(&OwnReply::Unavailable.bytes(reason)).await;
    let _ = linger::close(&mut client).await;
}

/// A descriptor that can be given up.
fn listener_spare() -> Option<std::net::UdpSocket> {
    std::net::UdpSocket::bind("127.0.0.1:0").ok()
}

/// Whether an error of accepting a connection says that no descriptor is left.
fn is_out_of_descriptors(error: &io::Error) -> bool {
    // EMFILE and ENFILE have no kind of their own in std.
    matches!(error.raw_os_error(), Some(23 | 24))
}
