//! Sending: one exchange over a connection of its own ([`exchange`]), or many of them ([`several`]).

pub mod drive;
pub mod several;

use std::pin::pin;
use std::time::Duration;

use crate::net::{self, Clock, ConnectRoute, NetFailure, TlsClient};
use crate::tape::{FailureCause, WireSink};
use drive::ExchangeLimits;

/// Connects, sends `request` and reads until the response is over, a limit passes, or `stop` says why to stop.
///
/// A failure is reported to `sink` as its last fact, and returned, since it may carry a hint.
pub async fn exchange(
    (route, tls): (&ConnectRoute, &TlsClient),
    request: &[u8],
    connect_timeout: Duration,
    limits: ExchangeLimits,
    clock: &Clock,
    sink: &mut dyn WireSink,
    stop: impl Future<Output = (FailureCause, String)>,
) -> Option<NetFailure> {
    let mut stop = pin!(stop);
    match net::connect(route, tls, clock, Some(connect_timeout), sink, &mut stop).await {
        Ok(connection) => drive::run_exchange(connection, request, limits, clock, sink, stop).await,
        Err(failure) => {
            sink.fact(clock.moment(), &failure.fact());
            Some(failure)
        }
    }
}
