//! What all forms of `wire record` share: the recorder that arguments describe, its start, its log and its end.

use std::fs::File;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::args::CommonArgs;
use super::capture_file::random_salt;
use super::error::CliError;
use super::exit::ExitReason;
use super::record_args::RecordArgs;
use super::{ca, ls, output, route};
use crate::capture::Secrets;
use crate::net::{Clock, ConnectRoute, TargetUrl, TlsClient};
use crate::record::ca::CertificateAuthority;
use crate::record::{
    CaptureListener, ProxyRules, Recorder, RecorderOptions, Retention, StopState, Upstream,
    WrittenCaptures,
};
use crate::render::program::{MissedConnection, TunnelledHost};
use crate::targets::environment::Environment;
use crate::targets::programs::ProgramTable;
use crate::targets::request::route_credentials;

/// Connections that the system holds until they are accepted: as many as may start at one moment.
const BACKLOG: u32 = 4096;

/// Descriptors that are no connections: standard streams, listeners, the capture that is written, name lookups.
const OTHER_DESCRIPTORS: usize = 48;

/// What a recording is made from.
pub(super) struct Setup<'a> {
    pub(super) common: &'a CommonArgs,
    pub(super) args: &'a RecordArgs,
    pub(super) tls: Arc<TlsClient>,
    pub(super) table: Arc<ProgramTable>,
    pub(super) environment: Environment,
}

/// What a recording left behind.
pub(super) struct RecordedRun {
    pub(super) written: WrittenCaptures,
    /// Connections that passed through the recorder unread.
    pub(super) tunnels: Vec<TunnelledHost>,
    /// Connections of the program that went past the recorder.
    pub(super) past: Vec<MissedConnection>,
    pub(super) log: Log,
}

impl Setup<'_> {
    /// The route to `url`.
    pub(super) fn route(&self, url: TargetUrl) -> Result<ConnectRoute, CliError> {
        route::build_route(url, &self.args.connection, false)
    }

    /// What the recorder does as a proxy.
    pub(super) fn proxy_rules(&self) -> Result<ProxyRules, CliError> {
        let folder = ca::authority_folder(&self.args.authority)?;
        let authority = CertificateAuthority::open_or_create(&folder, Clock::start().started());
        let authority = authority.map_err(|error| {
            CliError::usage(error)
                .with_hint("`wire ca --remove` removes it; the next recording makes another one")
        })?;
        let (tls, connection) = (Arc::clone(&self.tls), self.args.connection.clone());
        let table = Arc::clone(&self.table);
        let make_upstream = move |url: TargetUrl| {
            let is_captured = table.is_api_host(url.host.as_str());
            let route = route::build_route(url, &connection, false);
            let route = route.map_err(CliError::into_hinted)?;
            // The path of the URL is that of one request, and no base.
            Ok(Upstream {
                is_captured,
                ..Upstream::of_origin(route, Arc::clone(&tls))
            })
        };
        Ok(ProxyRules {
            authority,
            table: Arc::clone(&self.table),
            make_upstream: Arc::new(make_upstream),
        })
    }

    /// Starts the recorder and the thread that writes.
    pub(super) fn start_recorder(
        &self,
        upstreams: &[&Upstream],
    ) -> Result<(RecorderHandle, watch::Sender<StopState>), CliError> {
        let store = output::capture_store(self.common);
        let write_failed = |error: String| CliError::new(ExitReason::WriteFailed, error);
        let salt = store.salt(random_salt());
        let salt = salt.map_err(|error| write_failed(error.to_string()))?;
        let routes = upstreams.iter().map(|upstream| &upstream.route);
        let credentials = routes.flat_map(route_credentials);
        let secrets = self.environment.secret_values().chain(credentials);
        let log = self.open_log()?;
        let (stop, stopped) = watch::channel(StopState::Running);
        let style = output::stderr_style(self.common);
        let (live, lines) = (self.args.live, Arc::clone(&log));
        let listener: CaptureListener = Box::new(move |path: &Path| {
            if live {
                write_log(&lines, &ls::live_row(path, &style));
            }
        });
        let options = RecorderOptions {
            secrets: Secrets::new(secrets, &salt).with_prefixes(&self.args.mask_like),
            connect_timeout: self.args.connection.connect_timeout,
            connections: connection_limit(),
            retention: Retention {
                captures: self.args.keep,
                bytes: self.args.keep_bytes,
            },
        };
        let started = Recorder::start(store, options, stopped, listener);
        let (recorder, writer) =
            started.map_err(|error| write_failed(format!("no writer thread: {error}")))?;
        let handle = RecorderHandle {
            recorder: Arc::new(recorder),
            writer,
            log,
        };
        Ok((handle, stop))
    }

    #[expect(clippy::disallowed_methods, reason = "cli/ writes the user's files")]
    fn open_log(&self) -> Result<Log, CliError> {
        let file = match &self.args.log {
            None => None,
            Some(path) => {
                Some(File::create(path).map_err(|error| CliError::unreadable_file(path, &error))?)
            }
        };
        Ok(Arc::new(Mutex::new(file)))
    }
}

/// The file of `--log`; standard error without one.
pub(super) type Log = Arc<Mutex<Option<File>>>;

/// Writes lines for the user.
pub(super) fn write_log(log: &Log, text: &[u8]) {
    let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
    // A log that cannot be written is no reason to stop a recording.
    let _ = match log.as_mut() {
        Some(file) => file.write_all(text),
        None => output::stderr().write_all(text),
    };
}

/// A running recorder.
pub(super) struct RecorderHandle {
    pub(super) recorder: Arc<Recorder>,
    writer: JoinHandle<WrittenCaptures>,
    pub(super) log: Log,
}

impl RecorderHandle {
    /// Waits until all captures are written. All listeners have ended.
    pub(super) fn finish(self) -> Result<RecordedRun, CliError> {
        let tunnels = self.recorder.tunnels();
        drop(self.recorder);
        let written = self.writer.join().map_err(|_| {
            let text = "the thread that writes captures panicked";
            CliError::new(ExitReason::WriteFailed, text)
        })?;
        Ok(RecordedRun {
            written,
            tunnels,
            past: vec![],
            log: self.log,
        })
    }
}

/// Ends the listeners: exchanges run on for the time of `--grace`, then they are cut.
pub(super) async fn stop_services(
    mut services: JoinSet<std::io::Result<()>>,
    stop: &watch::Sender<StopState>,
    args: &RecordArgs,
) -> Result<(), CliError> {
    let _ = stop.send(StopState::Stopping);
    let deadline = tokio::time::sleep(args.grace);
    tokio::pin!(deadline);
    let mut is_cut = false;
    loop {
        tokio::select! {
            ended = services.join_next() => match ended {
                None => return Ok(()),
                ended => check_ended(ended)?,
            },
            () = &mut deadline, if !is_cut => {
                is_cut = true;
                let _ = stop.send(StopState::Cutting);
            }
        }
    }
}

/// Reports a listener that ended by itself.
pub(super) fn check_ended(
    ended: Option<Result<std::io::Result<()>, tokio::task::JoinError>>,
) -> Result<(), CliError> {
    let error = match ended {
        Some(Ok(Err(error))) => error.to_string(),
        Some(Err(error)) => error.to_string(),
        Some(Ok(Ok(()))) | None => return Ok(()),
    };
    let text = format!("no more connections can be accepted: {error}");
    Err(CliError::new(ExitReason::NoConnection, text))
}

/// Lets this process open as many descriptors as the system allows: each stream needs two.
pub(super) fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // Without it there are fewer streams at a time; the others get a 503.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// Connections of clients that may be open at a time: each needs two descriptors, and some are for other things.
fn connection_limit() -> usize {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    // A semaphore has a limit of its own.
    let most = limit.saturating_sub(OTHER_DESCRIPTORS) / 2;
    most.clamp(1, tokio::sync::Semaphore::MAX_PERMITS)
}

/// Opens a listening socket.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, CliError> {
    let socket = match address.is_ipv4() {
        true => TcpSocket::new_v4(),
        false => TcpSocket::new_v6(),
    };
    let opened = socket.and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    });
    opened.map_err(|error| {
        let text = format!("cannot listen on {address}: {error}");
        CliError::new(ExitReason::NoConnection, text)
            .with_hint("choose another port: --listen 127.0.0.1:0 takes a free one")
    })
}

/// The path of the certificate bundle of this process.
pub(super) fn bundle_path(args: &RecordArgs) -> Result<PathBuf, CliError> {
    let folder = ca::authority_folder(&args.authority)?;
    Ok(folder.join(format!("bundle-{}.pem", std::process::id())))
}
