//! `wire send` to one target: from arguments to one exchange, which is shown and captured.

use std::io::ErrorKind;
use std::time::Duration;

use super::args::{self, CommonArgs};
use super::capture_file::{CaptureFile, random_salt};
use super::error::CliError;
use super::exit::ExitReason;
use super::hints::decode_hint;
use super::job::SendJob;
use super::output;
use super::read_options::read_options;
use super::signals;
use crate::call::{Call, ReadOptions};
use crate::capture::Masker;
use crate::client::{self, drive::ExchangeLimits};
use crate::demo::{DemoOptions, DemoServer};
use crate::exchange::Exchange;
use crate::http1;
use crate::net::{Clock, Hint, NetFailure};
use crate::render::view_options::AnswerForm;
use crate::render::{RenderedExchange, wording};
use crate::span::StreamSide;
use crate::tape::{FailureCause, Tape, TapeOrigin, WireSink};
use crate::targets::api::ApiTarget;
use crate::targets::environment::Environment;

/// Sends one request and shows the exchange.
pub(super) fn run(
    common: &CommonArgs,
    args: &args::SendArgs,
    environment: &Environment,
) -> Result<ExitReason, CliError> {
    block_on(send_once(common, args, environment))
}

/// Runs a future to its end on a runtime with sockets and timers.
pub(super) fn block_on<T>(
    future: impl Future<Output = Result<T, CliError>>,
) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::new(ExitReason::NoConnection, format!("no runtime: {error}")))?;
    let ended = runtime.block_on(future);
    // The system's resolver cannot be interrupted; the program does not wait for it after a time limit.
    runtime.shutdown_background();
    ended
}

async fn send_once(
    common: &CommonArgs,
    args: &args::SendArgs,
    environment: &Environment,
) -> Result<ExitReason, CliError> {
    let demo = start_demo_for(args).await?;
    let mut job = SendJob::new(args, environment, demo.as_ref())?;
    if args.dry_run {
        return print_dry_run(&job);
    }
    let means = read_options(common, args.output.dialect.as_deref(), &args.limits)?;
    let mut show = SendView::new(common, args, &job.origin, &means)?;
    let (failure, capture) = run_and_record(common, args, &means, &mut job, &mut show).await?;
    let hint = failure.and_then(|failure| failure.hint);
    let (exit, room) = show.finish(&means, args.fail, hint);
    Ok(capture.finish(exit, room))
}

/// A sink that shows the exchange to the user.
pub(super) trait ExchangeViewer {
    /// The sink that takes facts and bytes.
    fn sink(&mut self) -> &mut dyn WireSink;
    /// Shows a note before the exchange.
    fn show_note(&mut self, text: &str);
}

/// Runs one exchange and captures it. Returns also the failure, which may have a hint, if there was no connection.
pub(super) async fn run_and_record(
    common: &CommonArgs,
    args: &args::SendArgs,
    means: &ReadOptions,
    job: &mut SendJob,
    screen: &mut dyn ExchangeViewer,
) -> Result<(Option<NetFailure>, CaptureFile), CliError> {
    let mut capture = CaptureFile::create(common, &args.recording, job)?;
    // Making the file is no part of the exchange.
    job.clock = Clock::start();
    let masks = job.secrets(&capture.salt);
    for note in &job.notes {
        screen.show_note(note);
    }
    if args.recording.keep_secrets && capture.writer.is_some() {
        screen.show_note("WARNING: this capture holds its secrets as they are (--keep-secrets)");
    }
    let failure = {
        let (screen, writer) = (screen.sink(), &mut capture.writer);
        let mut feed: Box<dyn WireSink + '_> =
            match (args.recording.reveal, args.recording.keep_secrets) {
                (false, false) => Box::new(Masker::new((writer, screen), masks.clone())),
                (true, false) => Box::new((screen, Masker::new(writer, masks.clone()))),
                (false, true) => Box::new((writer, Masker::new(screen, masks.clone()))),
                (true, true) => Box::new((writer, screen)),
            };
        run_exchange(args, means.http1, job, feed.as_mut()).await
    };
    Ok((failure, capture))
}

/// Whether the target is the embedded server.
pub(super) fn targets_demo(args: &args::SendArgs) -> bool {
    let to = args.target.to.first();
    args.target.url.is_none() && to.is_some_and(|to| ApiTarget::is_demo(to))
}

/// Starts the embedded server if it is the target.
pub(super) async fn start_demo_for(args: &args::SendArgs) -> Result<Option<DemoServer>, CliError> {
    match targets_demo(args) {
        true => start_demo(args.target.pace).await.map(Some),
        false => Ok(None),
    }
}

async fn start_demo(pace: Option<Duration>) -> Result<DemoServer, CliError> {
    let usual = DemoOptions::default();
    let options = DemoOptions {
        pace: pace.unwrap_or(usual.pace),
        ..usual
    };
    let started = DemoServer::start(options).await;
    started.map_err(|error| {
        let text = format!("the demo server cannot start: {error}");
        CliError::new(ExitReason::NoConnection, text)
    })
}

/// Prints the bytes that would go out.
fn print_dry_run(job: &SendJob) -> Result<ExitReason, CliError> {
    let mut masker = Masker::new(Tape::new(job.origin.clone()), job.secrets(&random_salt()));
    let moment = job.clock.moment();
    masker.bytes(StreamSide::Sent, moment, &job.request_bytes);
    masker.ended(StreamSide::Sent, moment);
    let tape = masker.flush_into_sink();
    let bytes = &tape.sent.bytes;
    if output::stdout_is_terminal() {
        use crate::render::escape::{KeptWhitespace, escape};
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        return output::write_stdout(
            format!("{}\n", escape(text.as_bytes(), KeptWhitespace::Lines)).as_bytes(),
        );
    }
    output::write_stdout(bytes)
}

/// Runs the exchange. Returns the failure, which may have a hint.
async fn run_exchange(
    args: &args::SendArgs,
    http1: http1::HttpLimits,
    job: &SendJob,
    feed: &mut dyn WireSink,
) -> Option<NetFailure> {
    signals::exit_on_second_signal();
    let limits = ExchangeLimits {
        received: (!args.recording.no_capture).then_some(args.recording.max_capture),
        idle: Some(args.connection.idle_timeout),
        http1,
    };
    client::exchange(
        (&job.route, &job.tls),
        &job.request_bytes,
        args.connection.connect_timeout,
        limits,
        &job.clock,
        feed,
        wait_for_stop(args.connection.max_time),
    )
    .await
}

/// Waits for Ctrl-C, for the signal that ends services, or for the limit.
async fn wait_for_stop(max_time: Option<Duration>) -> (FailureCause, String) {
    let late = async {
        match max_time {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        () = late => {
            let limit = max_time.unwrap_or_default().as_secs_f64();
            (FailureCause::TimedOut, format!("it took longer than --max-time, {limit} s"))
        }
        name = wait_for_signal() => (FailureCause::Interrupted, name.to_owned()),
    }
}

/// Waits for Ctrl-C or SIGTERM, and returns its name.
pub(super) async fn wait_for_signal() -> &'static str {
    use tokio::signal::unix::{SignalKind, signal};
    let signalled = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = signalled(SignalKind::interrupt()) => "Ctrl-C",
        _ = signalled(SignalKind::terminate()) => "SIGTERM",
    }
}

/// The output of `wire send`: a live view, or a JSON document at the end.
enum SendView {
    Live(Box<output::StdioView>),
    Document(Box<Tape>),
}

impl SendView {
    fn new(
        common: &CommonArgs,
        args: &args::SendArgs,
        origin: &TapeOrigin,
        means: &ReadOptions,
    ) -> Result<Self, CliError> {
        if args.output.json {
            return Ok(Self::Document(Box::new(Tape::new(origin.clone()))));
        }
        let live = output::live_view(common, &args.output, means, args.events)?;
        Ok(Self::Live(Box::new(live)))
    }

    /// Ends the view. Returns how to end, and whether facts may still be printed.
    fn finish(self, means: &ReadOptions, fail: bool, hint: Option<Hint>) -> (ExitReason, bool) {
        let text_alone = matches!(&self, Self::Live(live) if live.view_options().answer_form == AnswerForm::Text);
        let (meta, painted) = match self {
            Self::Live(live) => (live.view_options().parts.meta, live.finish(&means.prices)),
            Self::Document(tape) => (false, output::print_json_document(Call::read(*tape, means))),
        };
        let exit = exit_of_view(&painted, fail);
        if !meta {
            print_unverified(&painted.exchange);
        }
        if text_alone {
            print_answer_errors(&painted);
        }
        if !matches!(exit, ExitReason::Done | ExitReason::FoundSomething) && !meta {
            CliError::new(exit, failure_text(&painted)).print();
        }
        let decode_hint = painted.decode_error.as_ref().and_then(decode_hint);
        for hint in hint.into_iter().chain(decode_hint) {
            output::print_hint(&hint);
        }
        match &painted.output_error {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                (output::exit_after_write_error(error), false)
            }
            // A reader that went away is no error, and changes nothing of how the exchange ended.
            error => (exit, meta && error.is_none()),
        }
    }
}

impl ExchangeViewer for SendView {
    fn sink(&mut self) -> &mut dyn WireSink {
        match self {
            Self::Live(live) => live.as_mut(),
            Self::Document(tape) => tape.as_mut(),
        }
    }

    fn show_note(&mut self, text: &str) {
        match self {
            Self::Live(live) => live.write_note(text),
            Self::Document(_) => {
                output::print_fact(text);
            }
        }
    }
}

/// Prints why the server's certificate would have been refused, if it was not verified. It is no detail of a report: an
/// attacker may have answered.
pub(super) fn print_unverified(exchange: &Exchange) {
    if let Some(secured) = exchange.unverified_tls() {
        let refusal = secured.refusal.as_deref();
        let refusal = refusal.unwrap_or("the check would have passed");
        output::print_note(&format!("the certificate was NOT VERIFIED (-k): {refusal}"));
    }
}

/// Prints the error of an answer when only text is shown, since an error has no text.
pub(super) fn print_answer_errors(painted: &RenderedExchange) {
    let status = painted.exchange.response.status().unwrap_or(0);
    let errors = painted
        .meaning
        .iter()
        .flat_map(|report| &report.completion.errors);
    let errors: Vec<_> = errors.map(|error| error.message.as_str()).collect();
    if status >= 400 || !errors.is_empty() {
        output::print_note(&format!("status {status}: {}", errors.join("; ")));
    }
}

/// Returns in words why an exchange failed.
fn failure_text(painted: &RenderedExchange) -> String {
    match (&painted.decode_error, &painted.meaning) {
        _ if !painted.exchange.outcome().is_whole() => wording::describe_outcome(&painted.exchange),
        (Some(trouble), _) => wording::describe_undecoded(trouble),
        (None, Some(report)) => format!("the answer: {}", report.completion.verdict),
        (None, None) => wording::describe_outcome(&painted.exchange),
    }
}

/// Returns the exit reason of an exchange that was shown.
pub(super) fn exit_of_view(painted: &RenderedExchange, fail: bool) -> ExitReason {
    exchange_exit(&painted.exchange, painted.is_complete(), fail)
}

/// Returns the exit reason of an exchange. `whole`: its body was decoded and did not break off.
pub(super) fn exchange_exit(exchange: &Exchange, whole: bool, fail: bool) -> ExitReason {
    let status = exchange.response.status().unwrap_or(0);
    let outcome = exchange.outcome();
    match ExitReason::from_outcome(&outcome) {
        ExitReason::Done if outcome.is_whole() && !whole => ExitReason::BrokenExchange,
        ExitReason::Done if fail && status >= 400 => ExitReason::FoundSomething,
        exit => exit,
    }
}
