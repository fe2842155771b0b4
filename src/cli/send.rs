//! `wire send`: from arguments to one exchange, watched by the screen and the capture.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use super::args::{self, Common};
use super::complain::Complaint;
use super::destination::{DEMO, Destination};
use super::env::Env;
use super::exit::Exit;
use super::{output, request, route};
use crate::capture::store::{self, Store};
use crate::capture::{Masker, Secrets, Writer, mask_url};
use crate::client;
use crate::net::{Clock, Failure, Route, Target, Tls};
use crate::render::{Painted, words};
use crate::serve::{Demo, DemoOptions};
use crate::span::Side;
use crate::tape::{Cause, Fact, Origin, Tape, Watch};

/// Runs `wire send`.
pub(super) fn run(common: &Common, args: &args::Send) -> Result<Exit, Complaint> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Complaint::new(Exit::NoConnection, format!("no runtime: {error}")))?;
    let ended = runtime.block_on(send(common, args));
    // The system's resolver cannot be interrupted; nobody waits for it after a time limit.
    runtime.shutdown_background();
    ended
}

async fn send(common: &Common, args: &args::Send) -> Result<Exit, Complaint> {
    let demo = match &args.whither {
        args::Whither {
            to: Some(to),
            url: None,
            ..
        } if to == DEMO => Some(start_demo().await?),
        _ => None,
    };
    let mut job = Job::new(args, demo.as_ref())?;
    if args.dry_run {
        return dry_run(&job);
    }
    let mut show = Show::new(common, args, &job.origin)?;
    let mut capture = Capture::create(common, args, &job)?;
    // Making the file is no part of the exchange.
    job.clock = Clock::start();
    let masks = job.secrets(&capture.salt);
    for note in &job.notes {
        show.note(note);
    }
    if args.keep.keep_secrets && capture.writer.is_some() {
        show.note("WARNING: this capture holds its secrets as they are (--keep-secrets)");
    }
    let failure = {
        let (screen, writer) = (show.watch(), &mut capture.writer);
        let mut feed: Box<dyn Watch + '_> = match (args.keep.reveal, args.keep.keep_secrets) {
            (false, false) => Box::new(Masker::new((writer, screen), masks.clone())),
            (true, false) => Box::new((screen, Masker::new(writer, masks.clone()))),
            (false, true) => Box::new((writer, Masker::new(screen, masks.clone()))),
            (true, true) => Box::new((writer, screen)),
        };
        exchange(args, &job, feed.as_mut()).await
    };
    let told = show.finish(args, failure.and_then(|failure| failure.hint))?;
    Ok(capture.finish(told))
}

async fn start_demo() -> Result<Demo, Complaint> {
    let started = Demo::start(DemoOptions::default()).await;
    started.map_err(|error| {
        Complaint::new(
            Exit::NoConnection,
            format!("the demo server cannot start: {error}"),
        )
    })
}

/// Everything that is known before the first byte goes out.
struct Job {
    route: Route,
    tls: Tls,
    bytes: Vec<u8>,
    clock: Clock,
    origin: Origin,
    /// What the capture's file is called after.
    label: String,
    /// Values that must not be seen.
    keys: Vec<Vec<u8>>,
    /// What the user should know beforehand.
    notes: Vec<String>,
}

impl Job {
    fn new(args: &args::Send, demo: Option<&Demo>) -> Result<Self, Complaint> {
        let env = Env::load()?;
        let mut notes = Vec::new();
        let name = args.whither.to.as_deref().unwrap_or("openai");
        let base = demo.map(|demo| format!("https://localhost:{}/v1", demo.addr.port()));
        let destination = match (&base, &args.whither.url) {
            (Some(base), _) => Destination::demo(base),
            // A URL of one's own needs no name; with one, it is spoken to as that API is.
            (None, Some(_)) if name == DEMO => Destination::demo(""),
            (None, _) => Destination::find(name, args.whither.config.as_deref())?,
        };
        let method = args.head.method.as_deref().unwrap_or("POST");
        let file = read_request(args, method)?;
        let in_path = destination.path.contains("{model}")
            && args.whither.path.is_none()
            && args.whither.url.is_none();
        let body = match (args.raw, file) {
            (false, Some(bytes)) => Some(request::body(
                bytes,
                request::name(args.request.as_ref()),
                &args.edits,
                in_path,
            )?),
            (_, bytes) => bytes.map(|bytes| request::Body {
                bytes,
                model: None,
                streams: false,
                not_json: None,
            }),
        };
        let model = body.as_ref().and_then(|body| body.model.clone());
        if let Some(error) = body.as_ref().and_then(|body| body.not_json.as_ref()) {
            notes.push(format!(
                "the request is not JSON ({error}); it goes out as it is"
            ));
        }
        let streams = body.as_ref().is_some_and(|body| body.streams);
        let url = url(args, &destination, &env, model.as_deref(), streams)?;
        let mut target =
            Target::parse(&url).map_err(|error| Complaint::usage(format!("{url}: {error}")))?;
        let route = route::route(target.clone(), &args.connection, demo.is_some())?;
        if args.edits.model.is_some() && in_path && body.is_none() {
            notes.push("--model goes into the path here".to_owned());
        }
        let bytes = match (args.raw, body) {
            (true, body) => body.map(|body| body.bytes).unwrap_or_default(),
            (false, body) => {
                let mut fields = destination.fields.clone();
                fields.extend(credentials(
                    args,
                    name,
                    &destination,
                    &env,
                    &mut target,
                    &mut notes,
                )?);
                message(args, method, &route, &fields, body.map(|body| body.bytes))?
            }
        };
        let clock = Clock::start();
        let keys = keys(&env, &route, &target);
        Ok(Self {
            tls: route::tls(&args.tls, demo.map(|demo| demo.roots_pem.as_str()))?,
            label: model.unwrap_or_else(|| target.host.to_string()),
            origin: origin(&clock, &mask_url(&target.to_url())),
            route,
            bytes,
            clock,
            keys,
            notes,
        })
    }

    fn secrets(&self, salt: &[u8; 32]) -> Secrets {
        Secrets::new(self.keys.iter().cloned(), salt)
    }
}

/// The request file; without one only methods that need no body will do.
fn read_request(args: &args::Send, method: &str) -> Result<Option<Vec<u8>>, Complaint> {
    match &args.request {
        Some(path) => request::read(path).map(Some),
        None if method == "POST" || args.raw => Err(Complaint::usage("no request file")
            .hint("name a JSON file, or - for standard input; `-X GET` needs none")),
        None => Ok(None),
    }
}

fn url(
    args: &args::Send,
    destination: &Destination,
    env: &Env,
    model: Option<&str>,
    streams: bool,
) -> Result<String, Complaint> {
    if let Some(url) = &args.whither.url {
        return Ok(url.clone());
    }
    let path = match &args.whither.path {
        Some(path) => path,
        None if streams && !destination.stream_path.is_empty() => &destination.stream_path,
        None => &destination.path,
    };
    let path = match (path.contains("{model}"), model) {
        (false, _) => path.clone(),
        (true, Some(model)) => path.replace("{model}", model),
        (true, None) => {
            return Err(Complaint::usage(
                "this API names the model in its path, and none is given",
            )
            .hint("add -m MODEL"));
        }
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(format!("{}{slash}{path}", destination.base(env)))
}

/// The field with the key, if one may go to this host.
fn credentials(
    args: &args::Send,
    name: &str,
    destination: &Destination,
    env: &Env,
    target: &mut Target,
    notes: &mut Vec<String>,
) -> Result<Option<(String, String)>, Complaint> {
    let edits = &args.head.header;
    let own = |field: &str| {
        edits.iter().any(|edit| {
            edit.split([':', ';'])
                .next()
                .is_some_and(|name| name.trim().eq_ignore_ascii_case(field))
        })
    };
    if own(&destination.key_field)
        || destination
            .fields
            .iter()
            .any(|(name, _)| name == &destination.key_field)
    {
        return Ok(None);
    }
    if let Some(user) = target.user.take() {
        let encoded = base64_simd::STANDARD.encode_to_string(user.as_bytes());
        return Ok(Some((
            "Authorization".to_owned(),
            format!("Basic {encoded}"),
        )));
    }
    if args.whither.url.is_some() && args.whither.to.is_none() {
        let home = Target::parse(&destination.base(env));
        let at_home = home.is_ok_and(|home| home.host == target.host && home.port == target.port);
        if !at_home {
            notes.push("no key goes along: --url names no API (add --to NAME, or -H 'Authorization: Bearer ...')".to_owned());
            return Ok(None);
        }
    }
    destination.key(name, env)
}

fn message(
    args: &args::Send,
    method: &str,
    route: &Route,
    fields: &[(String, String)],
    body: Option<Vec<u8>>,
) -> Result<Vec<u8>, Complaint> {
    let absolute = route.absolute_form();
    let whole = route.target.to_url();
    let mut fields = fields.to_vec();
    fields.extend(
        route
            .proxy_authorization()
            .map(|value| ("Proxy-Authorization".to_owned(), value)),
    );
    let line = request::Line {
        method,
        target: if absolute { &whole } else { &route.target.path },
        http10: args.head.http10,
        authority: &route.target.authority(),
        fields: &fields,
        body: body.as_deref(),
    };
    let mut bytes = request::head(&line, &args.head.header)?.encode();
    bytes.extend_from_slice(&body.unwrap_or_default());
    Ok(bytes)
}

/// Values that must be seen nowhere: those whose variable says so, and the passwords of URLs.
fn keys(env: &Env, route: &Route, target: &Target) -> Vec<Vec<u8>> {
    let of_user = |user: &Option<String>| {
        let password = user.as_ref().and_then(|user| user.split_once(':'));
        password.map(|(_, password)| password.as_bytes().to_vec())
    };
    let proxy = route.proxy.as_ref().and_then(|proxy| of_user(&proxy.user));
    env.secrets()
        .chain(proxy)
        .chain(of_user(&target.user))
        .collect()
}

fn origin(clock: &Clock, url: &str) -> Origin {
    let started = clock.started();
    let seconds = u64::try_from(started.as_second()).unwrap_or(0);
    let nanos = u32::try_from(started.subsec_nanosecond()).unwrap_or(0);
    let context = uuid::NoContext;
    Origin {
        id: uuid::Uuid::new_v7(uuid::Timestamp::from_unix(context, seconds, nanos)).to_string(),
        started,
        via: "send".to_owned(),
        url: url.to_owned(),
        tool: concat!("wire ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}

/// Prints the bytes that would go out.
fn dry_run(job: &Job) -> Result<Exit, Complaint> {
    let mut masker = Masker::new(Tape::new(job.origin.clone()), job.secrets(&fresh_salt()));
    let moment = job.clock.moment();
    masker.bytes(Side::Sent, moment, &job.bytes);
    masker.ended(Side::Sent, moment);
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
async fn exchange(args: &args::Send, job: &Job, feed: &mut dyn Watch) -> Option<Failure> {
    let clock = &job.clock;
    let mut stop = pin!(stop(args.connection.max_time));
    let timeout = Some(args.connection.connect_timeout);
    let connected = {
        let mut report = |moment, fact: &Fact| feed.fact(moment, fact);
        let connecting = crate::net::connect(&job.route, &job.tls, clock, timeout, &mut report);
        tokio::select! {
            biased;
            connected = connecting => connected,
            (cause, error) = &mut stop => Err(Failure {
                stage: crate::tape::Stage::Connect,
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
                &Fact::Failed {
                    stage,
                    cause,
                    error,
                },
            );
            Some(failure)
        }
        Ok(connection) => {
            let limits = client::Limits {
                idle: Some(args.connection.idle_timeout),
                http1: output::http1_limits(&args.limits),
            };
            client::exchange(connection, &job.bytes, limits, clock, feed, stop).await
        }
    }
}

/// Waits for Ctrl-C, for the signal that ends services, or for the limit.
async fn stop(max_time: Option<Duration>) -> (Cause, String) {
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
            (Cause::TimedOut, format!("it took longer than --max-time, {limit} s"))
        }
        _ = signalled(SignalKind::interrupt()) => (Cause::Interrupted, "Ctrl-C".to_owned()),
        _ = signalled(SignalKind::terminate()) => (Cause::Interrupted, "SIGTERM".to_owned()),
    }
}

/// The capture that is being written.
struct Capture {
    writer: Option<Writer<File>>,
    path: PathBuf,
    salt: [u8; 32],
}

fn fresh_salt() -> [u8; 32] {
    let mut salt = [0; 32];
    // Without randomness there could be no TLS either; fingerprints then compare beyond their folder.
    let _ = aws_lc_rs::rand::fill(&mut salt);
    salt
}

impl Capture {
    fn create(common: &Common, args: &args::Send, job: &Job) -> Result<Self, Complaint> {
        let mut capture = Self {
            writer: None,
            path: PathBuf::new(),
            salt: fresh_salt(),
        };
        if args.keep.no_capture {
            return Ok(capture);
        }
        let failed = |error: store::StoreError| {
            Complaint::new(
                Exit::NoCapture,
                format!("no capture can be written: {error}"),
            )
            .hint("name another folder with --captures, or go without: --no-capture")
        };
        let file = match &args.keep.capture {
            Some(path) => {
                let file = store::create(path, false).map_err(failed)?;
                // Fingerprints compare within one folder; a device has none.
                if let (true, Some(folder)) = (path.is_file(), path.parent()) {
                    let folder = if folder == Path::new("") {
                        Path::new(".")
                    } else {
                        folder
                    };
                    capture.salt = Store::new(folder.to_owned())
                        .salt(capture.salt)
                        .unwrap_or(capture.salt);
                }
                capture.path.clone_from(path);
                file
            }
            None => {
                let store = output::store(common);
                capture.salt = store.salt(capture.salt).map_err(failed)?;
                let (file, path) = store.create(&job.origin, &job.label).map_err(failed)?;
                capture.path = path;
                file
            }
        };
        capture.writer = Some(Writer::new(file, &job.origin));
        Ok(capture)
    }

    /// Says where the capture is, or that it is not whole.
    fn finish(self, (exit, mut notes): (Exit, Option<Box<dyn Write>>)) -> Exit {
        let Some(writer) = self.writer else {
            return exit;
        };
        let (written, path) = (writer.written(), self.path.display().to_string());
        match writer.finish() {
            Ok(()) => {
                if let Some(notes) = &mut notes {
                    let _ = writeln!(
                        notes,
                        "* captured in {} ({})",
                        words::line(&path),
                        words::bytes(written)
                    );
                }
                exit
            }
            Err(error) => {
                let text = format!(
                    "{path}: the capture breaks off after {}: {error}",
                    words::bytes(written)
                );
                let told = Complaint::new(Exit::NoCapture, text).tell();
                if matches!(exit, Exit::Done | Exit::Found) {
                    told
                } else {
                    exit
                }
            }
        }
    }
}

/// What the user sees: the exchange as it goes, or one document at its end.
enum Show {
    Live(Box<output::Live>),
    Json(Box<Tape>),
}

impl Show {
    fn new(common: &Common, args: &args::Send, origin: &Origin) -> Result<Self, Complaint> {
        if args.output.json {
            return Ok(Self::Json(Box::new(Tape::new(origin.clone()))));
        }
        let live = output::live(common, &args.output, &args.limits)?;
        Ok(Self::Live(Box::new(live)))
    }

    fn watch(&mut self) -> &mut dyn Watch {
        match self {
            Self::Live(live) => live.as_mut(),
            Self::Json(tape) => tape.as_mut(),
        }
    }

    fn note(&mut self, text: &str) {
        match self {
            Self::Live(live) => live.note(text),
            Self::Json(_) => {
                let _ = writeln!(output::stderr(), "* {}", words::line(text));
            }
        }
    }

    /// Ends the showing. Says how to end, and where a last note may go.
    fn finish(
        self,
        args: &args::Send,
        hint: Option<String>,
    ) -> Result<(Exit, Option<Box<dyn Write>>), Complaint> {
        let (meta, painted) = match self {
            Self::Live(live) => (live.plan().parts.meta, live.finish()),
            Self::Json(tape) => (false, output::document(&tape, &args.limits)),
        };
        let exit = ended(&painted, args.fail);
        if exit != Exit::Done && exit != Exit::Found && !meta {
            let why = match &painted.trouble {
                Some(trouble) if painted.exchange.outcome().is_whole() => trouble.to_string(),
                _ => words::outcome(&painted.exchange),
            };
            Complaint::new(exit, why).tell();
        }
        if let Some(hint) = hint {
            let _ = writeln!(output::stderr(), "hint: {}", words::line(&hint));
        }
        if let Some(error) = painted.broken {
            if error.kind() == io::ErrorKind::BrokenPipe {
                return Ok((Exit::Done, None));
            }
            let text = format!("standard output cannot be written: {error}");
            return Ok((Complaint::new(Exit::NoCapture, text).tell(), None));
        }
        Ok((
            exit,
            meta.then(|| Box::new(output::stderr()) as Box<dyn Write>),
        ))
    }
}

/// What the end of an exchange means for the exit code.
pub(super) fn ended(painted: &Painted, fail: bool) -> Exit {
    let status = painted.exchange.response.status().unwrap_or(0);
    match Exit::of(&painted.exchange.outcome()) {
        Exit::Done if painted.trouble.is_some() => Exit::Broken,
        Exit::Done if fail && status >= 400 => Exit::Found,
        exit => exit,
    }
}
