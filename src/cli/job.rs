//! What `wire send` knows before the first byte goes out: the request, the route, the trusted roots, the secrets.

use std::collections::BTreeMap;
use std::path::Path;

use super::args;
use super::error::CliError;
use super::{env, request, route};
use crate::capture::{Secrets, mask_url};
use crate::client;
use crate::demo::DemoServer;
use crate::net::{Clock, ConnectRoute, TargetUrl, TlsClient};
use crate::tape::TapeOrigin;
use crate::targets::api::{self, ApiTarget};
use crate::targets::environment::Environment;
use crate::targets::request::{RequestBody, RequestPlan, secret_values};

/// One exchange, ready to go.
pub(super) struct SendJob {
    pub(super) route: ConnectRoute,
    pub(super) tls: TlsClient,
    /// The request, head and body.
    pub(super) request_bytes: Vec<u8>,
    pub(super) clock: Clock,
    pub(super) origin: TapeOrigin,
    /// The model or the host, for the name of the capture's file.
    pub(super) label: String,
    /// Values that must be masked.
    secret_values: Vec<Vec<u8>>,
    /// Prefixes of unknown keys that must be masked.
    key_prefixes: Vec<String>,
    /// What the user should know before the exchange.
    pub(super) notes: Vec<String>,
}

impl SendJob {
    /// Reads the request and builds the message.
    pub(super) fn new(
        args: &args::SendArgs,
        environment: &Environment,
        demo: Option<&DemoServer>,
    ) -> Result<Self, CliError> {
        let plan = request_plan(args, environment, demo)?;
        let mut notes = Vec::new();
        let body = read_body(args, &plan)?;
        if let Some(error) = body.as_ref().and_then(|body| body.json_error.as_ref()) {
            notes.push(format!(
                "the request is not JSON ({error}); it goes out as it is"
            ));
        }
        let target = TargetUrl::parse(&plan.request_url(body.as_ref())?)?;
        let route = route::build_route(target, &args.connection, demo.is_some())?;
        let (model, body) = body.map_or((None, None), |body| (body.model, Some(body.bytes)));
        let request_bytes = match args.raw {
            true => body.unwrap_or_default(),
            false => {
                let message = plan.build_message(&route, body.as_deref())?;
                if message.key_withheld {
                    let note = "no key goes along: --url names no API (add --to NAME, or -H 'Authorization: Bearer ...')";
                    notes.push(note.to_owned());
                }
                message.bytes
            }
        };
        let clock = Clock::start();
        let keys = secret_values(environment, &route);
        let known = Secrets::new(keys.iter().cloned(), &[0; 32]);
        let label = model.unwrap_or_else(|| route.target.host.to_string());
        Ok(Self {
            tls: route::build_tls(&args.tls, demo.map(|demo| demo.roots_pem.as_str()))?,
            label: known.mask_text(&label),
            origin: client::new_origin(
                &clock,
                "send",
                &known.mask_text(&mask_url(&route.target.to_url())),
            ),
            request_bytes,
            clock,
            secret_values: keys,
            key_prefixes: args.recording.mask_like.clone(),
            route,
            notes,
        })
    }

    /// The values to mask. `salt` makes the fingerprints.
    pub(super) fn secrets(&self, salt: &[u8; 32]) -> Secrets {
        Secrets::new(self.secret_values.iter().cloned(), salt).with_prefixes(&self.key_prefixes)
    }
}

/// The API that the arguments name, and how to send to it.
fn request_plan<'a>(
    args: &'a args::SendArgs,
    environment: &'a Environment,
    demo: Option<&DemoServer>,
) -> Result<RequestPlan<'a>, CliError> {
    let name = args.target.to.first().map_or("openai", String::as_str);
    let api = match demo {
        // `--url` with `--to demo:NAME` sends to that URL as to the API NAME.
        None if ApiTarget::is_demo(name) => ApiTarget::for_demo(name, "")?,
        None => ApiTarget::find(name, &read_config(args.target.config.as_deref())?)?,
        Some(demo) => {
            ApiTarget::for_demo(name, &format!("https://localhost:{}", demo.addr.port()))?
        }
    };
    Ok(RequestPlan {
        name,
        api,
        environment,
        method: args.head.method.as_deref().unwrap_or("POST"),
        http10: args.head.http10,
        head_edits: &args.head.header,
        url: args.target.url.as_deref(),
        path: args.target.path.as_deref(),
        is_named: !args.target.to.is_empty(),
    })
}

/// The body as it goes out; with `--raw` the whole message.
fn read_body(
    args: &args::SendArgs,
    plan: &RequestPlan<'_>,
) -> Result<Option<RequestBody>, CliError> {
    let Some(path) = &args.request else {
        if plan.method != "POST" && !args.raw {
            return Ok(None);
        }
        return Err(CliError::usage("no request file")
            .with_hint("name a JSON file, or - for standard input; `-X GET` needs none"));
    };
    let bytes = match &args.request_bytes {
        Some(bytes) => bytes.clone(),
        None => request::read_input(path)?,
    };
    if args.raw {
        return Ok(Some(RequestBody::from_raw(bytes)));
    }
    request::prepare_body(bytes, path, &args.edits, plan.has_model_in_path()).map(Some)
}

/// Reads `--config`, `$WIRE_CONFIG` or the user's own file. Only a file that was named must exist.
#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
fn read_config(named: Option<&Path>) -> Result<api::OwnTargets, CliError> {
    let named = named
        .map(Path::to_owned)
        .or_else(|| env::path("WIRE_CONFIG"));
    let own = || {
        let home =
            env::path("XDG_CONFIG_HOME").or_else(|| Some(env::path("HOME")?.join(".config")));
        home.map(|folder| folder.join("wire/targets.json"))
    };
    let must_exist = named.is_some();
    let Some(path) = named.or_else(own) else {
        return Ok(BTreeMap::new());
    };
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must_exist => {
            return Ok(BTreeMap::new());
        }
        Err(error) => return Err(CliError::unreadable_file(&path, &error)),
    };
    api::parse_config(&text).map_err(|error| {
        CliError::usage(format!("{}: {error}", path.display())).with_hint(
            r#"it reads {"targets": {"NAME": {"base": "http://127.0.0.1:8080/v1", "key_env": ["MY_KEY"]}}}"#,
        )
    })
}
