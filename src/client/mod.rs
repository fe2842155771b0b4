//! Sending: one exchange over a connection of its own ([`exchange`]), or many of them ([`several`]).

pub mod drive;
pub mod several;

use std::pin::pin;
use std::time::Duration;

use crate::net::{self, Clock, ConnectRoute, NetFailure, TlsClient};
use crate::tape::{FailureCause, TapeOrigin, WireSink};
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

/// The first line of the capture of an exchange with `url` that begins now. `url` is masked already.
/// `via` is the verb.
pub fn new_origin(clock: &Clock, via: &str, url: &str) -> TapeOrigin {
    let started = clock.started();
    let seconds = u64::try_from(started.as_second()).unwrap_or(0);
    let nanos = u32::try_from(started.subsec_nanosecond()).unwrap_or(0);
    let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
    TapeOrigin {
        id: uuid::Uuid::new_v7(time).to_string(),
        started,
        via: via.to_owned(),
        url: url.to_owned(),
        tool: concat!("wire ", env!("CARGO_PKG_VERSION")).to_owned(),
        connection: None,
    }
}
