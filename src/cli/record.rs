//! `wire record`: from arguments to a recorder, and what is printed while and after it runs.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::watch;

use super::args::CommonArgs;
use super::capture_file::random_salt;
use super::error::CliError;
use super::exit::ExitReason;
use super::record_args::RecordArgs;
use super::{env, ls, output, route, send, signals};
use crate::capture::Secrets;
use crate::net::TargetUrl;
use crate::record::{self, Recorder, StopState, Upstream, WrittenCaptures};
use crate::targets::request::secret_values;

/// Connections that the system holds until they are accepted: as many as may start at one moment.
const BACKLOG: u32 = 4096;

/// Runs `wire record`.
pub(super) fn run(common: &CommonArgs, args: &RecordArgs) -> Result<ExitReason, CliError> {
    if !args.listen.ip().is_loopback() {
        return Err(
            CliError::usage(format!("{} is open to other machines", args.listen))
                .with_hint("listen on 127.0.0.1 or [::1]"),
        );
    }
    let (environment, notes) = env::load();
    for note in notes {
        output::print_note(&note);
    }
    let tls = Arc::new(route::build_tls(&args.tls, None)?);
    let mut secrets = Vec::new();
    let mut upstreams = Vec::new();
    for text in &args.upstream {
        let (prefix, url) = split_upstream(text);
        let route = route::build_route(TargetUrl::parse(url)?, &args.connection, false)?;
        secrets.extend(secret_values(&environment, &route));
        upstreams.push(Upstream::new(&prefix, route, Arc::clone(&tls)));
    }
    let written = send::block_on(record_until_stopped(common, args, upstreams, &secrets))?;
    report(common, &written)
}

/// `PREFIX=URL`, or a URL alone.
fn split_upstream(text: &str) -> (String, &str) {
    match text.split_once('=') {
        Some((prefix, url)) if !prefix.contains(':') => {
            (format!("/{}", prefix.trim_matches('/')), url)
        }
        _ => (String::new(), text),
    }
}

async fn record_until_stopped(
    common: &CommonArgs,
    args: &RecordArgs,
    upstreams: Vec<Upstream>,
    secrets: &[Vec<u8>],
) -> Result<WrittenCaptures, CliError> {
    let store = output::capture_store(common);
    let salt = store
        .salt(random_salt())
        .map_err(|error| CliError::new(ExitReason::WriteFailed, error.to_string()))?;
    let (stop, stopped) = watch::channel(StopState::Running);
    let style = output::stderr_style(common);
    let live = args.live;
    let listener: record::CaptureListener = Box::new(move |path: &Path| {
        if live {
            ls::print_live_row(path, &style);
        }
    });
    let secrets = Secrets::new(secrets.iter().cloned(), &salt);
    let started = Recorder::start(
        store,
        secrets,
        args.connection.connect_timeout,
        stopped,
        listener,
    );
    let (recorder, writer) = started.map_err(|error| {
        CliError::new(
            ExitReason::WriteFailed,
            format!("no writer thread: {error}"),
        )
    })?;
    let socket = listen(args.listen)?;
    let address = socket.local_addr().unwrap_or(args.listen);
    for upstream in &upstreams {
        let to = upstream.route.target.to_url();
        let from = format!("http://{address}{}", upstream.prefix);
        output::print_fact(&format!("recording {from}, forwarding to {to}"));
    }
    signals::exit_on_second_signal();
    let serving = record::serve(socket, Arc::new(upstreams), Arc::new(recorder));
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = &mut serving => ended,
        _ = send::wait_for_signal() => {
            let _ = stop.send(StopState::Stopping);
            match tokio::time::timeout(args.grace, &mut serving).await {
                Ok(ended) => ended,
                Err(_) => {
                    let _ = stop.send(StopState::Cutting);
                    serving.await
                }
            }
        }
    };
    ended.map_err(|error| {
        CliError::new(
            ExitReason::NoConnection,
            format!("accepting on {}: {error}", args.listen),
        )
    })?;
    writer.join().map_err(|_| {
        CliError::new(
            ExitReason::WriteFailed,
            "the thread that writes captures panicked",
        )
    })
}

fn listen(address: SocketAddr) -> Result<TcpListener, CliError> {
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
        CliError::new(
            ExitReason::NoConnection,
            format!("cannot listen on {address}: {error}"),
        )
        .with_hint("choose another port: --listen 127.0.0.1:0 takes a free one")
    })
}

/// Prints what was recorded.
fn report(common: &CommonArgs, written: &WrittenCaptures) -> Result<ExitReason, CliError> {
    let _ = common;
    output::print_fact(&format!("{} exchanges were recorded", written.count));
    if let Some(error) = &written.error {
        return Err(CliError::new(
            ExitReason::WriteFailed,
            format!("{} captures are not whole: {error}", written.failed),
        ));
    }
    Ok(match written.count {
        0 => ExitReason::FoundSomething,
        _ => ExitReason::Done,
    })
}
