//! `wire record`: stands between a program and an API, passes every byte on as it came, and captures each exchange.
//!
//! ```text
//! listener --accept--> Relay (a task for each connection) --> upstream
//!                        |
//!                        +--> ExchangeCapture --> writer thread --> capture files
//! ```

#![cfg_attr(
    not(test),
    warn(
        clippy::arithmetic_side_effects,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::unwrap_used
    )
)]

pub mod ca;
pub mod coverage;
mod edits;
mod exchange_capture;
mod listener;
mod open_exchanges;
mod outbox;
pub mod program;
mod proxy;
mod reader;
mod relay;
mod reply;
mod rewound;
mod upstream;
mod writer;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

use crate::capture::Secrets;
use crate::capture::store::CaptureStore;
use crate::client;
use crate::net::Clock;
use crate::render::program::{TunnelReason, TunnelledHost};
use crate::tape::{FailureCause, TapeOrigin};

pub use listener::{Service, serve};
pub use proxy::ProxyRules;
pub use upstream::{Upstream, UpstreamMaker, Upstreams};
pub use writer::{CaptureListener, LISTED_CAPTURES, Retention, WrittenCaptures};

#[doc(hidden)]
pub use reader::fuzz;

use writer::CaptureQueue;

/// Whether the recorder runs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StopState {
    /// It does.
    Running,
    /// It takes no new connections; exchanges run to their end.
    Stopping,
    /// Exchanges are cut.
    Cutting,
}

/// The settings of a recorder.
#[derive(Debug)]
pub struct RecorderOptions {
    /// Values that are masked in captures.
    pub secrets: Secrets,
    /// Time limit for connecting to a server, TLS included.
    pub connect_timeout: Duration,
    /// Most connections of clients at a time.
    pub connections: usize,
    /// How many captures stay.
    pub retention: Retention,
}

/// What all connections of a recorder share.
#[derive(Debug)]
pub struct Recorder {
    secrets: Secrets,
    connect_timeout: Duration,
    queue: CaptureQueue,
    stop: watch::Receiver<StopState>,
    numbers: AtomicU64,
    /// Connections that may still begin.
    places: Arc<Semaphore>,
    tunnels: Mutex<Vec<TunnelledHost>>,
}

/// Why an exchange was cut.
const STOPPED: &str = "the recorder was stopped";

/// Most servers of tunnels that are kept apart for the list at the end.
const TUNNEL_LIMIT: usize = 1000;

impl Recorder {
    /// A recorder that writes into `store`, and the thread that writes. `listener` gets the path of each capture that is
    /// whole. The thread ends when the recorder is dropped.
    ///
    /// # Errors
    ///
    /// The system starts no thread.
    pub fn start(
        store: CaptureStore,
        options: RecorderOptions,
        stop: watch::Receiver<StopState>,
        listener: CaptureListener,
    ) -> io::Result<(Self, JoinHandle<WrittenCaptures>)> {
        let (queue, writer) = CaptureQueue::start(store, options.retention, listener)?;
        let RecorderOptions {
            secrets,
            connect_timeout,
            connections,
            ..
        } = options;
        let recorder = Self {
            secrets,
            connect_timeout,
            queue,
            stop,
            numbers: AtomicU64::new(0),
            places: Arc::new(Semaphore::new(connections)),
            tunnels: Mutex::default(),
        };
        Ok((recorder, writer))
    }

    fn new_origin(&self, clock: &Clock, url: &str) -> TapeOrigin {
        let url = crate::capture::mask_url(url);
        client::new_origin(clock, "record", &self.secrets.mask_text(&url))
    }

    /// The connections so far that passed unread.
    pub fn tunnels(&self) -> Vec<TunnelledHost> {
        let tunnels = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        tunnels.clone()
    }

    fn note_tunnel(&self, host: &str, reason: TunnelReason) {
        let mut tunnels = self.tunnels.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = tunnels.len() < TUNNEL_LIMIT;
        let known = tunnels
            .iter_mut()
            .find(|known| known.host == host && known.reason == reason);
        match known {
            Some(known) => known.count = known.count.saturating_add(1),
            None if has_room => tunnels.push(TunnelledHost {
                host: host.to_owned(),
                reason,
                count: 1,
            }),
            None => {}
        }
    }

    /// Waits until exchanges are cut, and returns why.
    fn cut(&self) -> impl Future<Output = (FailureCause, String)> + use<> {
        let mut stop = self.stop.clone();
        async move {
            let _ = stop.wait_for(|state| *state == StopState::Cutting).await;
            (FailureCause::Interrupted, STOPPED.to_owned())
        }
    }

    fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}
