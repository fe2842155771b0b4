//! What `wire send` knows before the first byte goes out: the bytes, the way, whom to trust, what to mask.

use super::args;
use super::complain::Complaint;
use super::destination::Destination;
use super::env::Env;
use super::{output, request, route};
use crate::capture::{Secrets, mask_url};
use crate::demo::Demo;
use crate::net::{Clock, Route, Target, Tls};
use crate::tape::TapeOrigin;

/// One exchange, ready to go.
pub(super) struct Job {
    pub(super) route: Route,
    pub(super) tls: Tls,
    /// The request, head and body.
    pub(super) bytes: Vec<u8>,
    pub(super) clock: Clock,
    pub(super) origin: TapeOrigin,
    /// What the capture's file is called after.
    pub(super) label: String,
    /// Values that must not be seen.
    keys: Vec<Vec<u8>>,
    /// What the user should know beforehand.
    pub(super) notes: Vec<String>,
}

/// What was asked for, and the API that it is asked of.
struct Plan<'a> {
    args: &'a args::Send,
    env: Env,
    /// `--to`, or its default.
    name: &'a str,
    api: Destination,
    /// Whether this API names the model, and streaming, in its path.
    model_in_path: bool,
    notes: Vec<String>,
}

impl Job {
    /// Reads the request and the environment, and puts the message together.
    pub(super) fn new(args: &args::Send, demo: Option<&Demo>) -> Result<Self, Complaint> {
        let mut plan = Plan::new(args, demo)?;
        let body = plan.body()?;
        let url = plan.url(body.as_ref())?;
        let target = Target::parse(&url)
            .map_err(|error| Complaint::usage(error.error).hint_of(error.hint))?;
        let route = route::route(target, &args.connection, demo.is_some())?;
        let model = body.as_ref().and_then(|body| body.model.clone());
        let bytes = plan.message(&route, body)?;
        let clock = Clock::start();
        let keys = keys(&plan.env, &route);
        let known = Secrets::new(keys.iter().cloned(), &[0; 32]);
        let label = model.unwrap_or_else(|| route.target.host.to_string());
        Ok(Self {
            tls: route::tls(&args.tls, demo.map(|demo| demo.roots_pem.as_str()))?,
            label: known.hide(&label),
            origin: origin(&clock, &known.hide(&mask_url(&route.target.to_url()))),
            bytes,
            clock,
            keys,
            route,
            notes: plan.notes,
        })
    }

    /// What is to be masked; `salt` makes the fingerprints.
    pub(super) fn secrets(&self, salt: &[u8; 32]) -> Secrets {
        Secrets::new(self.keys.iter().cloned(), salt)
    }
}

impl<'a> Plan<'a> {
    fn new(args: &'a args::Send, demo: Option<&Demo>) -> Result<Self, Complaint> {
        let whither = &args.whither;
        let name = whither.to.first().map_or("openai", String::as_str);
        let api = match demo {
            Some(demo) => {
                Destination::demo(name, &format!("https://localhost:{}", demo.addr.port()))?
            }
            // A URL of one's own is spoken to as the named API is.
            None if Destination::is_demo(name) => Destination::demo(name, "")?,
            None => Destination::find(name, whither.config.as_deref())?,
        };
        let own_path = whither.path.is_some() || whither.url.is_some();
        let (env, unread) = Env::load();
        for note in &unread {
            output::note(note);
        }
        Ok(Self {
            args,
            env,
            name,
            model_in_path: api.path.contains("{model}") && !own_path,
            api,
            notes: Vec::new(),
        })
    }

    fn method(&self) -> &'a str {
        self.args.head.method.as_deref().unwrap_or("POST")
    }

    /// The body as it goes out; with `--raw` the whole message.
    fn body(&mut self) -> Result<Option<request::Body>, Complaint> {
        let Some(path) = &self.args.request else {
            if self.method() != "POST" && !self.args.raw {
                return Ok(None);
            }
            return Err(Complaint::usage("no request file")
                .hint("name a JSON file, or - for standard input; `-X GET` needs none"));
        };
        let bytes = match &self.args.read {
            Some(bytes) => bytes.clone(),
            None => request::read(path)?,
        };
        if self.args.raw {
            return Ok(Some(request::Body::opaque(bytes)));
        }
        let body = request::body(bytes, path, &self.args.edits, self.model_in_path)?;
        if let Some(error) = &body.not_json {
            let note = format!("the request is not JSON ({error}); it goes out as it is");
            self.notes.push(note);
        }
        Ok(Some(body))
    }

    fn url(&self, body: Option<&request::Body>) -> Result<String, Complaint> {
        if let Some(url) = &self.args.whither.url {
            return Ok(url.clone());
        }
        let streams = body.is_some_and(|body| body.streams);
        let path = match &self.args.whither.path {
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
                return Err(Complaint::usage(text).hint("add -m MODEL"));
            }
        };
        Ok(self.api.url(&self.env, &path))
    }

    /// The request, head and body.
    fn message(
        &mut self,
        route: &Route,
        body: Option<request::Body>,
    ) -> Result<Vec<u8>, Complaint> {
        let body = body.map(|body| body.bytes);
        if self.args.raw {
            return Ok(body.unwrap_or_default());
        }
        let mut fields = self.api.fields.clone();
        fields.extend(self.credentials(&route.target)?);
        let for_proxy = route.proxy_authorization();
        fields.extend(for_proxy.map(|value| ("Proxy-Authorization".to_owned(), value)));
        let whole = route.target.to_url();
        let line = request::Line {
            method: self.method(),
            target: if route.absolute_form() {
                &whole
            } else {
                &route.target.path
            },
            http10: self.args.head.http10,
            authority: &route.target.authority(),
            fields: &fields,
            body: body.as_deref(),
        };
        let mut bytes = request::head(&line, &self.args.head.header)?.encode();
        bytes.extend_from_slice(&body.unwrap_or_default());
        Ok(bytes)
    }

    /// The field with the key, if one may go to this host.
    fn credentials(&mut self, target: &Target) -> Result<Option<(String, String)>, Complaint> {
        let field = &self.api.key_field;
        let named = |edit: &String| {
            let name = edit.split([':', ';']).next().unwrap_or_default();
            name.trim().eq_ignore_ascii_case(field)
        };
        let has_one = self.api.fields.iter().any(|(name, _)| name == field);
        if has_one || self.args.head.header.iter().any(named) {
            return Ok(None);
        }
        if let Some(user) = &target.user {
            let encoded = base64_simd::STANDARD.encode_to_string(user.as_bytes());
            return Ok(Some((
                "Authorization".to_owned(),
                format!("Basic {encoded}"),
            )));
        }
        let whither = &self.args.whither;
        if whither.url.is_some() && whither.to.is_empty() && !self.is_at_home(target) {
            let note = "no key goes along: --url names no API (add --to NAME, or -H 'Authorization: Bearer ...')";
            self.notes.push(note.to_owned());
            return Ok(None);
        }
        self.api.key(self.name, &self.env)
    }

    /// Whether `target` is the API's own server.
    fn is_at_home(&self, target: &Target) -> bool {
        let home = Target::parse(&self.api.base(&self.env));
        home.is_ok_and(|home| {
            (home.scheme, &home.host, home.port) == (target.scheme, &target.host, target.port)
        })
    }
}

/// Values that must be seen nowhere: those whose variable says so, and the credentials of URLs, as they are
/// and as they are sent.
fn keys(env: &Env, route: &Route) -> Vec<Vec<u8>> {
    let proxy = route.proxy.as_ref();
    let users = [
        proxy.and_then(|proxy| proxy.user.as_ref()),
        route.target.user.as_ref(),
    ];
    // A user without a password is often a token.
    let passwords = users.into_iter().flatten().map(|user| {
        let password = user.split_once(':').map(|(_, password)| password);
        password.unwrap_or(user).as_bytes().to_vec()
    });
    let sent = proxy.and_then(|proxy| proxy.authorization());
    let sent = sent.and_then(|value| Some(value.strip_prefix("Basic ")?.as_bytes().to_vec()));
    env.secrets().chain(passwords).chain(sent).collect()
}

fn origin(clock: &Clock, url: &str) -> TapeOrigin {
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
