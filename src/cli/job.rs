//! What `wire send` knows before the first byte goes out: the bytes, the way, whom to trust, what to mask.

use super::args;
use super::destination::ApiTarget;
use super::env::Environment;
use super::error::CliError;
use super::{output, request, route};
use crate::capture::{Secrets, mask_url};
use crate::demo::DemoServer;
use crate::net::{Clock, ConnectRoute, TargetUrl, TlsClient};
use crate::tape::TapeOrigin;

/// One exchange, ready to go.
pub(super) struct SendJob {
    pub(super) route: ConnectRoute,
    pub(super) tls: TlsClient,
    /// The request, head and body.
    pub(super) request_bytes: Vec<u8>,
    pub(super) clock: Clock,
    pub(super) origin: TapeOrigin,
    /// What the capture's file is called after.
    pub(super) label: String,
    /// Values that must not be seen.
    secret_values: Vec<Vec<u8>>,
    /// What the user should know beforehand.
    pub(super) notes: Vec<String>,
}

/// What was asked for, and the API that it is asked of.
struct RequestPlan<'a> {
    args: &'a args::SendArgs,
    env: Environment,
    /// `--to`, or its default.
    target_name: &'a str,
    api: ApiTarget,
    /// Whether this API names the model, and streaming, in its path.
    model_in_path: bool,
    notes: Vec<String>,
}

impl SendJob {
    /// Reads the request and the environment, and puts the message together.
    pub(super) fn new(args: &args::SendArgs, demo: Option<&DemoServer>) -> Result<Self, CliError> {
        let mut plan = RequestPlan::new(args, demo)?;
        let body = plan.read_body()?;
        let url = plan.request_url(body.as_ref())?;
        let target = TargetUrl::parse(&url)?;
        let route = route::build_route(target, &args.connection, demo.is_some())?;
        let model = body.as_ref().and_then(|body| body.model.clone());
        let bytes = plan.build_message(&route, body)?;
        let clock = Clock::start();
        let keys = secret_values(&plan.env, &route);
        let known = Secrets::new(keys.iter().cloned(), &[0; 32]);
        let label = model.unwrap_or_else(|| route.target.host.to_string());
        Ok(Self {
            tls: route::build_tls(&args.tls, demo.map(|demo| demo.roots_pem.as_str()))?,
            label: known.mask_text(&label),
            origin: new_origin(&clock, &known.mask_text(&mask_url(&route.target.to_url()))),
            request_bytes: bytes,
            clock,
            secret_values: keys,
            route,
            notes: plan.notes,
        })
    }

    /// What is to be masked; `salt` makes the fingerprints.
    pub(super) fn secrets(&self, salt: &[u8; 32]) -> Secrets {
        Secrets::new(self.secret_values.iter().cloned(), salt)
    }
}

impl<'a> RequestPlan<'a> {
    fn new(args: &'a args::SendArgs, demo: Option<&DemoServer>) -> Result<Self, CliError> {
        let target_args = &args.target;
        let name = target_args.to.first().map_or("openai", String::as_str);
        let api = match demo {
            Some(demo) => {
                ApiTarget::for_demo(name, &format!("https://localhost:{}", demo.addr.port()))?
            }
            // A URL of one's own is spoken to as the named API is.
            None if ApiTarget::is_demo(name) => ApiTarget::for_demo(name, "")?,
            None => ApiTarget::find(name, target_args.config.as_deref())?,
        };
        let own_path = target_args.path.is_some() || target_args.url.is_some();
        let (env, unread) = Environment::load();
        for note in &unread {
            output::print_note(note);
        }
        Ok(Self {
            args,
            env,
            target_name: name,
            model_in_path: api.path.contains("{model}") && !own_path,
            api,
            notes: Vec::new(),
        })
    }

    fn method(&self) -> &'a str {
        self.args.head.method.as_deref().unwrap_or("POST")
    }

    /// The body as it goes out; with `--raw` the whole message.
    fn read_body(&mut self) -> Result<Option<request::RequestBody>, CliError> {
        let Some(path) = &self.args.request else {
            if self.method() != "POST" && !self.args.raw {
                return Ok(None);
            }
            return Err(CliError::usage("no request file")
                .with_hint("name a JSON file, or - for standard input; `-X GET` needs none"));
        };
        let bytes = match &self.args.request_bytes {
            Some(bytes) => bytes.clone(),
            None => request::read_input(path)?,
        };
        if self.args.raw {
            return Ok(Some(request::RequestBody::from_raw(bytes)));
        }
        let body = request::prepare_body(bytes, path, &self.args.edits, self.model_in_path)?;
        if let Some(error) = &body.json_error {
            let note = format!("the request is not JSON ({error}); it goes out as it is");
            self.notes.push(note);
        }
        Ok(Some(body))
    }

    fn request_url(&self, body: Option<&request::RequestBody>) -> Result<String, CliError> {
        if let Some(url) = &self.args.target.url {
            return Ok(url.clone());
        }
        let streams = body.is_some_and(|body| body.wants_stream);
        let path = match &self.args.target.path {
            Some(path) => path,
            None if streams && !self.api.stream_path.is_empty() => &self.api.stream_path,
            None => &self.api.path,
        };
        let model = body.and_then(|body| body.model.as_deref());
        let path = match (path.contains("{model}"), model) {
            (false, _) => path.clone(),
            (true, Some(model)) => path.replace("{model}", model),
            (true, None) => {
                let text = "this API names the model in its path, and none is given";
                return Err(CliError::usage(text).with_hint("add -m MODEL"));
            }
        };
        Ok(self.api.url(&self.env, &path))
    }

    /// The request, head and body.
    fn build_message(
        &mut self,
        route: &ConnectRoute,
        body: Option<request::RequestBody>,
    ) -> Result<Vec<u8>, CliError> {
        let body = body.map(|body| body.bytes);
        if self.args.raw {
            return Ok(body.unwrap_or_default());
        }
        let mut fields = self.api.fields.clone();
        fields.extend(self.credential_field(&route.target)?);
        let for_proxy = route.proxy_authorization();
        fields.extend(for_proxy.map(|value| ("Proxy-Authorization".to_owned(), value)));
        let whole = route.target.to_url();
        let line = request::HeadParts {
            method: self.method(),
            target: if route.uses_absolute_form() {
                &whole
            } else {
                &route.target.path
            },
            http10: self.args.head.http10,
            authority: &route.target.authority(),
            fields: &fields,
            body: body.as_deref(),
        };
        let mut bytes = request::build_head(&line, &self.args.head.header)?.encode();
        bytes.extend_from_slice(&body.unwrap_or_default());
        Ok(bytes)
    }

    /// The field with the key, if one may go to this host.
    fn credential_field(
        &mut self,
        target: &TargetUrl,
    ) -> Result<Option<(String, String)>, CliError> {
        let field = &self.api.key_field;
        let named = |edit: &String| {
            let name = edit.split([':', ';']).next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case(field)
        };
        let has_one = self.api.fields.iter().any(|(name, _)| name == field);
        if has_one || self.args.head.header.iter().any(named) {
            return Ok(None);
        }
        if let Some(user) = &target.userinfo {
            let encoded = base64_simd::STANDARD.encode_to_string(user.as_bytes());
            return Ok(Some((
                "Authorization".to_owned(),
                format!("Basic {encoded}"),
            )));
        }
        let target_args = &self.args.target;
        if target_args.url.is_some() && target_args.to.is_empty() && !self.is_own_server(target) {
            let note = "no key goes along: --url names no API (add --to NAME, or -H 'Authorization: Bearer ...')";
            self.notes.push(note.to_owned());
            return Ok(None);
        }
        self.api.credential_field(self.target_name, &self.env)
    }

    /// Whether `target` is the API's own server.
    fn is_own_server(&self, target: &TargetUrl) -> bool {
        let home = TargetUrl::parse(&self.api.base_url(&self.env));
        home.is_ok_and(|home| {
            (home.scheme, &home.host, home.port) == (target.scheme, &target.host, target.port)
        })
    }
}

/// Values that must be seen nowhere: those whose variable says so, and the credentials of URLs, as they are
/// and as they are sent.
fn secret_values(env: &Environment, route: &ConnectRoute) -> Vec<Vec<u8>> {
    let proxy = route.proxy.as_ref();
    let users = [
        proxy.and_then(|proxy| proxy.userinfo.as_ref()),
        route.target.userinfo.as_ref(),
    ];
    // A user without a password is often a token.
    let passwords = users.into_iter().flatten().map(|user| {
        let password = user.split_once(':').map(|(_, password)| password);
        password.unwrap_or(user).as_bytes().to_vec()
    });
    let sent = proxy.and_then(|proxy| proxy.authorization());
    let sent = sent.and_then(|value| Some(value.strip_prefix("Basic ")?.as_bytes().to_vec()));
    env.secret_values().chain(passwords).chain(sent).collect()
}

fn new_origin(clock: &Clock, url: &str) -> TapeOrigin {
    let started = clock.started();
    let seconds = u64::try_from(started.as_second()).unwrap_or(0);
    let nanos = u32::try_from(started.subsec_nanosecond()).unwrap_or(0);
    let time = uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos);
    TapeOrigin {
        id: uuid::Uuid::new_v7(time).to_string(),
        started,
        via: "send".to_owned(),
        url: url.to_owned(),
        tool: concat!("wire ", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}
