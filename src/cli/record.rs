//! `wire record` until Ctrl-C: forwards to named servers, or is a proxy.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::args::CommonArgs;
use super::error::CliError;
use super::exit::ExitReason;
use super::record_args::RecordArgs;
use super::record_setup::{self, RecordedRun, Setup};
use super::{env, output, record_program, record_report, route, send, signals};
use crate::net::TargetUrl;
use crate::record::{Service, Upstream, Upstreams, serve};
use crate::targets::programs::ProgramTable;

/// Runs `wire record`.
pub(super) fn run(common: &CommonArgs, args: &RecordArgs) -> Result<ExitReason, CliError> {
    let (environment, notes) = env::load();
    for note in notes {
        output::print_note(&note);
    }
    let setup = Setup {
        common,
        args,
        tls: Arc::new(route::build_tls(&args.tls, None)?),
        table: Arc::new(program_table(args)?.with_hosts(&args.host)),
        environment,
    };
    if !args.program.is_empty() {
        return record_program::run(&setup);
    }
    if !args.listen.ip().is_loopback() {
        return Err(
            CliError::usage(format!("{} is open to other machines", args.listen))
                .with_hint("listen on 127.0.0.1 or [::1]"),
        );
    }
    let written = send::block_on(record_until_stopped(&setup))?;
    record_report::print(&setup, &written)
}

#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
fn program_table(args: &RecordArgs) -> Result<ProgramTable, CliError> {
    let Some(path) = &args.programs else {
        return Ok(ProgramTable::built_in());
    };
    let text = std::fs::read(path).map_err(|error| CliError::unreadable_file(path, &error))?;
    ProgramTable::with_file(&text)
        .map_err(|error| CliError::usage(format!("{}: {error}", path.display())))
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

async fn record_until_stopped(setup: &Setup<'_>) -> Result<RecordedRun, CliError> {
    let args = setup.args;
    let mut upstreams = Vec::new();
    for text in &args.upstream {
        let (prefix, url) = split_upstream(text);
        let route = setup.route(TargetUrl::parse(url)?)?;
        let upstream = Upstream::new(&prefix, route, Arc::clone(&setup.tls));
        upstreams.push(Arc::new(upstream));
    }
    let known: Vec<_> = upstreams.iter().map(Arc::as_ref).collect();
    let socket = record_setup::listen(args.listen)?;
    let address = socket.local_addr().unwrap_or(args.listen);
    for upstream in &known {
        let to = upstream.route.target.to_url();
        let from = format!("http://{address}{}", upstream.prefix);
        output::print_fact(&format!("recording {from}, forwarding to {to}"));
    }
    record_setup::raise_descriptor_limit();
    let (handle, stop) = setup.start_recorder(&known)?;
    let service = match args.intercept {
        false => Service::Relay(Upstreams::ByPath(Arc::new(upstreams))),
        true => {
            output::print_fact(&format!(
                "recording as the proxy http://{address}, `wire ca` shows the certificate to trust"
            ));
            Service::Proxy(Arc::new(setup.proxy_rules()?))
        }
    };
    signals::exit_on_second_signal();
    let mut services = JoinSet::new();
    services.spawn(serve(socket, service, Arc::clone(&handle.recorder)));
    tokio::select! {
        ended = services.join_next() => record_setup::check_ended(ended)?,
        _ = send::wait_for_signal() => {}
    }
    record_setup::stop_services(services, &stop, args).await?;
    handle.finish()
}
