//! `wire send` to one: from arguments to one exchange, watched by the screen and the capture.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use super::args::{self, Common};
use super::complain::Complaint;
use super::destination::Destination;
use super::exit::Exit;
use super::job::Job;
use super::keep::{Capture, fresh_salt};
use super::means::Means;
use super::output;
use super::signals;
use crate::call::meaning::Report;
use crate::capture::Masker;
use crate::client;
use crate::demo::{Demo, DemoOptions};
use crate::exchange::Exchange;
use crate::http1;
use crate::net::{Clock, Failure, Route};
use crate::render::plan::Answer;
use crate::render::{Painted, words};
use crate::span::StreamSide;
use crate::tape::{ConnectionFact, ExchangeStage, FailureCause, Tape, TapeOrigin, WireSink};

/// Sends once.
pub(super) fn run(common: &Common, args: &args::Send) -> Result<Exit, Complaint> {
    block_on(send(common, args))
}

/// Runs a future to its end, with sockets and timers.
pub(super) fn block_on<T>(
    future: impl Future<Output = Result<T, Complaint>>,
) -> Result<T, Complaint> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Complaint::new(Exit::NoConnection, format!("no runtime: {error}")))?;
    let ended = runtime.block_on(future);
    // The system's resolver cannot be interrupted; nobody waits for it after a time limit.
    runtime.shutdown_background();
    ended
}

async fn send(common: &Common, args: &args::Send) -> Result<Exit, Complaint> {
    let demo = demo(args).await?;
    let mut job = Job::new(args, demo.as_ref())?;
    if args.dry_run {
        return dry_run(&job);
    }
    let means = Means::new(common, &args.output, &args.limits)?;
    let mut show = Show::new(common, args, &job.origin, &means)?;
    let (failure, capture) = kept(common, args, &means, &mut job, &mut show).await?;
    let hint = failure.and_then(|failure| failure.hint);
    let (exit, room) = show.finish(&means, args.fail, hint);
    Ok(capture.finish(exit, room))
}

/// Whoever looks on besides the capture.
pub(super) trait Screen {
    /// The feed.
    fn watch(&mut self) -> &mut dyn WireSink;
    /// A note that comes before it.
    fn note(&mut self, text: &str);
}

/// Runs one exchange and keeps it; the failure, if there was no connection, has a hint.
pub(super) async fn kept(
    common: &Common,
    args: &args::Send,
    means: &Means,
    job: &mut Job,
    screen: &mut dyn Screen,
) -> Result<(Option<Failure>, Capture), Complaint> {
    let mut capture = Capture::create(common, &args.keep, job)?;
    // Making the file is no part of the exchange.
    job.clock = Clock::start();
    let masks = job.secrets(&capture.salt);
    for note in &job.notes {
        screen.note(note);
    }
    if args.keep.keep_secrets && capture.writer.is_some() {
        screen.note("WARNING: this capture holds its secrets as they are (--keep-secrets)");
    }
    let failure = {
        let (screen, writer) = (screen.watch(), &mut capture.writer);
        let mut feed: Box<dyn WireSink + '_> = match (args.keep.reveal, args.keep.keep_secrets) {
            (false, false) => Box::new(Masker::new((writer, screen), masks.clone())),
            (true, false) => Box::new((screen, Masker::new(writer, masks.clone()))),
            (false, true) => Box::new((writer, Masker::new(screen, masks.clone()))),
            (true, true) => Box::new((writer, screen)),
        };
        exchange(args, means.limits.0, job, feed.as_mut()).await
    };
    Ok((failure, capture))
}

/// Whether the embedded server is asked.
pub(super) fn is_demo(args: &args::Send) -> bool {
    let to = args.whither.to.first();
    args.whither.url.is_none() && to.is_some_and(|to| Destination::is_demo(to))
}

/// The embedded server, where it is asked.
pub(super) async fn demo(args: &args::Send) -> Result<Option<Demo>, Complaint> {
    match is_demo(args) {
        true => start_demo(args.whither.pace).await.map(Some),
        false => Ok(None),
    }
}

async fn start_demo(pace: Option<Duration>) -> Result<Demo, Complaint> {
    let usual = DemoOptions::default();
    let options = DemoOptions {
        pace: pace.unwrap_or(usual.pace),
        ..usual
    };
    let started = Demo::start(options).await;
    started.map_err(|error| {
        let text = format!("the demo server cannot start: {error}");
        Complaint::new(Exit::NoConnection, text)
    })
}

/// Prints the bytes that would go out.
fn dry_run(job: &Job) -> Result<Exit, Complaint> {
    let mut masker = Masker::new(Tape::new(job.origin.clone()), job.secrets(&fresh_salt()));
    let moment = job.clock.moment();
    masker.bytes(StreamSide::Sent, moment, &job.bytes);
    masker.ended(StreamSide::Sent, moment);
    let tape = masker.into_inner();
    let bytes = &tape.sent.bytes;
    if output::stdout_is_terminal() {
        use crate::render::escape::{Keep, escape};
        let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
        return output::plain(format!("{}\n", escape(text.as_bytes(), Keep::Lines)).as_bytes());
    }
    output::plain(bytes)
}

/// Runs the exchange; the failure, if there was no connection, has a hint.
async fn exchange(
    args: &args::Send,
    limits: http1::HttpLimits,
    job: &Job,
    feed: &mut dyn WireSink,
) -> Option<Failure> {
    let clock = &job.clock;
    signals::second_ends();
    let mut stop = pin!(stop(args.connection.max_time));
    let timeout = Some(args.connection.connect_timeout);
    // What is being done, in case that somebody stops it.
    let stage = Cell::new(first(&job.route));
    let connected = {
        let mut report = |moment, fact: &ConnectionFact| {
            stage.set(after(fact, job.route.proxy.is_some()));
            feed.fact(moment, fact);
        };
        let connecting = crate::net::connect(&job.route, &job.tls, clock, timeout, &mut report);
        tokio::select! {
            biased;
            connected = connecting => connected,
            (cause, error) = &mut stop => Err(Failure {
                stage: stage.get(),
                cause,
                error,
                hint: None,
            }),
        }
    };
    match connected {
        Err(failure) => {
            let Failure {
                stage,
                cause,
                error,
                ..
            } = failure.clone();
            feed.fact(
                clock.moment(),
                &ConnectionFact::Failed {
                    stage,
                    cause,
                    error,
                },
            );
            Some(failure)
        }
        Ok(connection) => {
            let limits = client::drive::ExchangeLimits {
                idle: Some(args.connection.idle_timeout),
                http1: limits,
            };
            client::drive::run_exchange(connection, &job.bytes, limits, clock, feed, stop).await
        }
    }
}

/// What is done first on the way to the server.
fn first(route: &Route) -> ExchangeStage {
    let proxy = route.proxy.as_ref().map(|proxy| &proxy.host);
    let is_address = proxy.unwrap_or(&route.target.host).ip().is_some();
    match is_address || route.unix_socket.is_some() {
        true => ExchangeStage::Connect,
        false => ExchangeStage::Resolve,
    }
}

/// What is done next on the way to the server, once `fact` has been told.
fn after(fact: &ConnectionFact, proxied: bool) -> ExchangeStage {
    match fact {
        ConnectionFact::Connected { .. } if proxied => ExchangeStage::Proxy,
        ConnectionFact::Connected { .. } | ConnectionFact::Tunnelled { .. } => ExchangeStage::Tls,
        _ => ExchangeStage::Connect,
    }
}

/// Waits for Ctrl-C, for the signal that ends services, or for the limit.
async fn stop(max_time: Option<Duration>) -> (FailureCause, String) {
    use tokio::signal::unix::{SignalKind, signal};
    let late = async {
        match max_time {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    let signalled = |kind| async move {
        match signal(kind) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = late => {
            let limit = max_time.unwrap_or_default().as_secs_f64();
            (FailureCause::TimedOut, format!("it took longer than --max-time, {limit} s"))
        }
        _ = signalled(SignalKind::interrupt()) => (FailureCause::Interrupted, "Ctrl-C".to_owned()),
        _ = signalled(SignalKind::terminate()) => (FailureCause::Interrupted, "SIGTERM".to_owned()),
    }
}

/// What the user sees: the exchange as it goes, or one document at its end.
enum Show {
    Live(Box<output::Live>),
    Json(Box<Tape>),
}

impl Show {
    fn new(
        common: &Common,
        args: &args::Send,
        origin: &TapeOrigin,
        means: &Means,
    ) -> Result<Self, Complaint> {
        if args.output.json {
            return Ok(Self::Json(Box::new(Tape::new(origin.clone()))));
        }
        let live = output::live(common, &args.output, means, args.events)?;
        Ok(Self::Live(Box::new(live)))
    }

    /// Ends the showing. Says how to end, and whether there is room for a last note.
    fn finish(self, means: &Means, fail: bool, hint: Option<String>) -> (Exit, bool) {
        let text_alone = matches!(&self, Self::Live(live) if live.plan().answer == Answer::Text);
        let (meta, painted) = match self {
            Self::Live(live) => (live.plan().parts.meta, live.finish(&means.prices)),
            Self::Json(tape) => (false, output::document(&tape, means)),
        };
        let exit = ended(&painted, fail);
        if text_alone {
            note_errors(&painted);
        }
        if !matches!(exit, Exit::Done | Exit::Found) && !meta {
            Complaint::new(exit, why(&painted)).tell();
        }
        if let Some(hint) = hint {
            output::hint(&hint);
        }
        match &painted.broken {
            None => (exit, meta),
            Some(error) => (output::broken(error), false),
        }
    }
}

impl Screen for Show {
    fn watch(&mut self) -> &mut dyn WireSink {
        match self {
            Self::Live(live) => live.as_mut(),
            Self::Json(tape) => tape.as_mut(),
        }
    }

    fn note(&mut self, text: &str) {
        match self {
            Self::Live(live) => live.note(text),
            Self::Json(_) => {
                output::fact(text);
            }
        }
    }
}

/// Says that an error was answered, where an answer's text alone is shown and an error has none.
pub(super) fn note_errors(painted: &Painted) {
    let status = painted.exchange.response.status().unwrap_or(0);
    let errors = painted
        .report
        .iter()
        .flat_map(|report| &report.completion.errors);
    let errors: Vec<_> = errors.map(|error| error.message.as_str()).collect();
    if status >= 400 || !errors.is_empty() {
        output::note(&format!("status {status}: {}", errors.join("; ")));
    }
}

/// Why an exchange is no success, in words.
fn why(painted: &Painted) -> String {
    match (&painted.trouble, &painted.report) {
        _ if !painted.exchange.outcome().is_whole() => words::outcome(&painted.exchange),
        (Some(trouble), _) => words::undecoded(trouble),
        (None, Some(report)) => format!("the answer: {}", report.completion.verdict),
        (None, None) => words::outcome(&painted.exchange),
    }
}

/// What the end of an exchange that was shown means for the exit code.
pub(super) fn ended(painted: &Painted, fail: bool) -> Exit {
    let whole =
        painted.trouble.is_none() && !painted.report.as_ref().is_some_and(Report::is_broken);
    exit_of(&painted.exchange, whole, fail)
}

/// What the end of an exchange means for the exit code; `whole`: its body could be decoded, and did not break off.
pub(super) fn exit_of(exchange: &Exchange, whole: bool, fail: bool) -> Exit {
    let status = exchange.response.status().unwrap_or(0);
    match Exit::of(&exchange.outcome()) {
        Exit::Done if !whole => Exit::Broken,
        Exit::Done if fail && status >= 400 => Exit::Found,
        exit => exit,
    }
}
