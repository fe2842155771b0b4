//! `wire record -- PROGRAM`: leads a program through the recorder, runs it, and reports what was seen of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::error::CliError;
use super::exit::ExitReason;
use super::record_report;
use super::record_setup::{self, RecordedRun, Setup};
use super::{output, send};
use crate::record::coverage::Coverage;
use crate::record::program::RunningProgram;
use crate::record::{Service, Upstream, Upstreams, serve};
use crate::render::program::{self, CommandChange};
use crate::targets::program_settings::ProgramSettings;
use crate::targets::programs::{self, PlanInput, ProgramPlan, Via};

/// Time between two looks at the program's connections: most last longer.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// Runs a program under the recorder.
pub(super) fn run(setup: &Setup<'_>) -> Result<ExitReason, CliError> {
    let plan = programs::plan(PlanInput {
        command: &setup.args.program,
        environment: &setup.environment,
        via: setup.args.via.into(),
        table: &setup.table,
        read_file: &read_file,
    });
    let (run, code) = send::block_on(record_program(setup, &plan))?;
    let Some(run) = run else {
        return Ok(ExitReason::Done);
    };
    let exit = record_report::print(setup, &run).unwrap_or_else(CliError::print);
    Ok(match code {
        0 => exit,
        code => ExitReason::Program(code),
    })
}

#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
fn read_file(path: &Path) -> Option<Vec<u8>> {
    std::fs::read(path).ok()
}

async fn record_program(
    setup: &Setup<'_>,
    plan: &ProgramPlan<'_>,
) -> Result<(Option<RecordedRun>, u8), CliError> {
    let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut sockets: Vec<TcpListener> = Vec::new();
    let mut upstreams = Vec::new();
    for planned in &plan.upstreams {
        sockets.push(record_setup::listen(loopback)?);
        // The program's base URL has the path already.
        let route = setup.route(planned.base_url.clone())?;
        upstreams.push(Upstream::of_origin(route, Arc::clone(&setup.tls)));
    }
    let proxy = plan
        .has_proxy()
        .then(|| record_setup::listen(loopback))
        .transpose()?;
    let addresses: Vec<SocketAddr> = sockets
        .iter()
        .chain(&proxy)
        .filter_map(|socket| socket.local_addr().ok())
        .collect();
    let ports: Vec<u16> = addresses
        .iter()
        .take(sockets.len())
        .map(SocketAddr::port)
        .collect();
    let proxy_address = addresses.get(sockets.len());
    let proxy_url = proxy_address.map(|address| format!("http://{address}"));
    let bundle = record_setup::bundle_path(setup.args)?;
    let settings = plan.settings(&ports, proxy_url.as_deref(), Some(&bundle));
    if setup.args.explain || setup.args.print_env {
        print_settings(setup, &settings)?;
        return Ok((None, 0));
    }
    for note in &settings.notes {
        output::print_note(note);
    }
    let (handle, stop) = setup.start_recorder(&upstreams.iter().collect::<Vec<_>>())?;
    let mut services = JoinSet::new();
    for (socket, upstream) in sockets.into_iter().zip(upstreams) {
        let service = Service::Relay(Upstreams::one(upstream));
        services.spawn(serve(socket, service, Arc::clone(&handle.recorder)));
    }
    let mut bundle_file = None;
    if let Some(socket) = proxy {
        let rules = setup.proxy_rules()?;
        let written = rules.authority.write_bundle(&bundle, &plan.trusted_files);
        for note in written.map_err(CliError::usage)? {
            output::print_note(&note);
        }
        bundle_file = Some(RemovedFile(&bundle));
        let service = Service::Proxy(Arc::new(rules));
        services.spawn(serve(socket, service, Arc::clone(&handle.recorder)));
    }
    let ran = run_to_end(&settings, addresses, setup.args.via.into()).await;
    record_setup::stop_services(services, &stop, setup.args).await?;
    drop(bundle_file);
    let mut run = handle.finish()?;
    let (code, past) = ran?;
    run.past = past;
    Ok((Some(run), code))
}

/// A file that is removed at the end.
struct RemovedFile<'a>(&'a Path);

impl Drop for RemovedFile<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.0);
    }
}

/// Runs the program, and looks at its connections meanwhile. Returns its exit code and the connections that went past
/// the recorder.
async fn run_to_end(
    settings: &ProgramSettings,
    own: Vec<SocketAddr>,
    via: Via,
) -> Result<(u8, Vec<program::MissedConnection>), CliError> {
    let started = RunningProgram::start(&settings.arguments, &settings.variables);
    let mut running = started.map_err(|error| {
        let name = settings.arguments.first().map_or("", String::as_str);
        CliError::usage(format!("{name} cannot be started: {error}"))
    })?;
    let (end, mut ended) = oneshot::channel::<()>();
    let mut coverage = Coverage::new(running.pid(), own);
    let looking = tokio::task::spawn_blocking(move || {
        let is_running = |ended: &mut oneshot::Receiver<()>| {
            ended.try_recv() == Err(oneshot::error::TryRecvError::Empty)
        };
        while is_running(&mut ended) {
            coverage.look();
            std::thread::sleep(LOOK_INTERVAL);
        }
        coverage
    });
    let code = running.wait().await;
    drop(end);
    let past = looking
        .await
        .map(|coverage| coverage.missed_connections(via, &[]));
    let code = code.map_err(|error| CliError::usage(format!("the program is lost: {error}")))?;
    Ok((code, past.unwrap_or_default()))
}

/// Prints what is set for the program, and runs nothing.
fn print_settings(setup: &Setup<'_>, settings: &ProgramSettings) -> Result<(), CliError> {
    let mut text = Vec::new();
    let change = CommandChange {
        before: &setup.args.program,
        after: &settings.arguments,
    };
    let written = match setup.args.print_env {
        true => program::write_shell_lines(&settings.variables, change, &mut text),
        false => program::write_explanation(
            &settings.changed_variables(),
            change,
            &settings.notes,
            &output::stdout_style(setup.common),
            &mut text,
        ),
    };
    written.map_err(CliError::usage)?;
    output::write_stdout(&text).map(|_| ())
}
