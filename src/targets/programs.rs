//! Plans how a program is led through the recorder: which servers it needs loopback ports for, and what the user has set
//! before. Pure: the environment is passed in, files are read by the caller.

use std::path::PathBuf;

use super::api;
use super::environment::Environment;
use super::own_settings::{OwnSettings, SettingPlace, SettingsSource};
use super::program_table::{BaseUrlVariable, KnownProgram};
use crate::net::{HintedError, ProxyEnv, TargetUrl};

pub use super::own_settings::ReadFile;
pub use super::program_table::ProgramTable;

/// The ways in which a program may be led through the recorder.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Via {
    /// Base URLs that lead to one loopback port for each upstream. The program speaks plain HTTP to the recorder.
    BaseUrl,
    /// Proxy variables and a bundle of trusted certificates. The recorder opens TLS.
    Proxy,
    /// Both: a client that reads no base-URL variable takes the proxy.
    #[default]
    Auto,
}

/// A server that the program is to reach through a loopback port of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PlannedUpstream {
    /// Name of the API, such as `openai`, or of the variable that named the server.
    pub name: String,
    /// The first base URL that leads there. Other base URLs of the same server differ in the path only: the loopback
    /// port passes every path on as it is.
    pub base_url: TargetUrl,
}

/// A place that holds a base URL of the program.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum BaseUrlPlace {
    Variable(String),
    Setting(SettingPlace),
}

/// A base URL that is led to a loopback port.
#[derive(Clone, Debug)]
pub(super) struct RoutedBaseUrl {
    pub(super) place: BaseUrlPlace,
    /// Index in the upstreams of the plan.
    pub(super) upstream: usize,
    /// `USER:PASSWORD@`, as it is written; usually empty.
    pub(super) userinfo: String,
    /// Path and query, as they are written; they may be empty.
    pub(super) suffix: String,
    /// The base URL without the recorder.
    pub(super) original: String,
}

/// What a plan is made from.
pub struct PlanInput<'a> {
    /// The command: program and arguments.
    pub command: &'a [String],
    /// The variables that the program would see.
    pub environment: &'a Environment,
    /// The ways to lead it through the recorder.
    pub via: Via,
    /// The known programs and variables.
    pub table: &'a ProgramTable,
    /// Reads the settings files of known programs.
    pub read_file: ReadFile<'a>,
}

/// How a program is led through the recorder. Its method `settings` (in `program_settings.rs`) makes the
/// variables and arguments of it, once the ports are known.
pub struct ProgramPlan<'a> {
    /// The servers that need a loopback port each, in this order.
    pub upstreams: Vec<PlannedUpstream>,
    /// Files of trusted certificates that variables name already: the bundle must hold their certificates too.
    pub trusted_files: Vec<PathBuf>,
    /// The proxies that the program would use: those of the way to the upstreams.
    pub proxies: ProxyEnv,
    pub(super) input: PlanInput<'a>,
    /// Index of the word in the command that names the program.
    pub(super) program_index: usize,
    pub(super) routed: Vec<RoutedBaseUrl>,
    /// Further variables: name, value, reason.
    pub(super) switches: Vec<(String, String, String)>,
    pub(super) notes: Vec<String>,
}

/// Plans the run of a program. `wire record -- PROGRAM` binds a port for each upstream of the plan, and a port for the
/// proxy, and then asks for the settings.
pub fn plan(input: PlanInput<'_>) -> ProgramPlan<'_> {
    let (program_index, program) = input.table.find_program(input.command);
    let mut plan = ProgramPlan {
        upstreams: Vec::new(),
        trusted_files: trusted_files(&input),
        proxies: user_proxies(input.environment),
        program_index,
        routed: Vec::new(),
        switches: Vec::new(),
        notes: program.map_or_else(Vec::new, |program| program.notes.clone()),
        input,
    };
    if plan.input.via != Via::Proxy {
        plan.route_base_urls(program);
    }
    if plan.has_proxy() {
        plan.note_exempt_hosts();
    }
    plan
}

impl<'a> ProgramPlan<'a> {
    /// Whether the program is to use the recorder as its proxy, which then needs a port and a certificate bundle.
    pub fn has_proxy(&self) -> bool {
        self.input.via != Via::BaseUrl
    }

    fn route_base_urls(&mut self, program: Option<&'a KnownProgram>) {
        if let Some(word) = program.and_then(|program| self.server_word(program)) {
            self.notes.push(format!(
                "`{word}` makes this program a server: its base-URL variables stay as they are"
            ));
            return;
        }
        let variables = self.base_url_variables(program);
        let names: Vec<_> = variables
            .iter()
            .map(|((name, _), _)| name.clone())
            .collect();
        let source = SettingsSource {
            command: self.input.command,
            environment: self.input.environment,
            read_file: self.input.read_file,
        };
        let own = program.and_then(|program| program.settings);
        let own = own.map_or_else(OwnSettings::default, |kind| source.read(kind, &names));
        self.notes.extend(own.notes);
        for (place, url) in own.base_urls {
            self.route(BaseUrlPlace::Setting(place), &url, None);
        }
        for ((name, default), api) in variables {
            let in_settings = BaseUrlPlace::Setting(SettingPlace::ClaudeVariable(name.clone()));
            if self.routed.iter().any(|routed| routed.place == in_settings) {
                continue;
            }
            let set = self.input.environment.get(name);
            let base = set.as_deref().map(|set| api::complete_base_url(name, set));
            let Some(base) = base.or_else(|| (!default.is_empty()).then(|| default.clone())) else {
                continue;
            };
            self.route(
                BaseUrlPlace::Variable(name.clone()),
                &base,
                api.map(|api| api.0),
            );
            if let Some((_, effect)) = api
                && set.is_none()
                && program.is_none()
                && !effect.is_empty()
                && !self.notes.iter().any(|note| note == effect)
            {
                self.notes.push(effect.to_owned());
            }
        }
        self.add_first_party_switch(program);
    }

    /// The word of the command that makes the program a server.
    fn server_word(&self, program: &KnownProgram) -> Option<&'a str> {
        let arguments = self.input.command.iter().skip(self.program_index + 1);
        let mut arguments = arguments.filter(|word| !word.starts_with('-'));
        let word = arguments.next()?;
        program.unless.contains(word).then_some(word.as_str())
    }

    /// The base-URL variables that the program may read, each with the name of its API and the effect of setting it.
    fn base_url_variables(
        &self,
        program: Option<&'a KnownProgram>,
    ) -> Vec<(&'a BaseUrlVariable, Option<(&'a str, &'a str)>)> {
        let own = program.into_iter().flat_map(|program| &program.variables);
        let mut variables: Vec<_> = own.map(|variable| (variable, None)).collect();
        let wanted = program.and_then(|program| program.apis.as_ref());
        let table = self.input.table;
        for api in table
            .apis
            .iter()
            .filter(|api| wanted.is_none_or(|wanted| wanted.contains(&api.name)))
        {
            for variable in &api.variables {
                if !variables.iter().any(|((name, _), _)| *name == variable.0) {
                    variables.push((variable, Some((api.name.as_str(), api.effect.as_str()))));
                }
            }
        }
        variables
    }

    /// Leads a base URL to the loopback port of its server. One that cannot be read is noted, and stays as it is.
    fn route(&mut self, place: BaseUrlPlace, base: &str, api: Option<&str>) {
        let name = place.name();
        let parsed = match TargetUrl::parse(base.trim()) {
            Ok(parsed) => parsed,
            Err(HintedError { error, .. }) => {
                self.notes.push(format!("{name} stays as it is: {error}"));
                return;
            }
        };
        let origin =
            |url: &TargetUrl| (url.scheme, url.host.as_str().to_ascii_lowercase(), url.port);
        let known = self
            .upstreams
            .iter()
            .position(|known| origin(&known.base_url) == origin(&parsed));
        let upstream = known.unwrap_or_else(|| {
            self.upstreams.push(PlannedUpstream {
                name: api.unwrap_or(&name).to_owned(),
                base_url: parsed,
            });
            self.upstreams.len() - 1
        });
        let (userinfo, suffix) = split_base_url(base.trim());
        self.routed.push(RoutedBaseUrl {
            place,
            upstream,
            userinfo: userinfo.to_owned(),
            suffix: suffix.to_owned(),
            original: without_userinfo(base),
        });
    }

    /// Sets the variable with which a program behaves behind a base URL as it does without one, if its upstream is the
    /// first party's.
    fn add_first_party_switch(&mut self, program: Option<&KnownProgram>) {
        let Some(switch) = program.and_then(|program| program.first_party.as_ref()) else {
            return;
        };
        let routed = self
            .routed
            .iter()
            .find(|routed| routed.place.name() == switch.variable);
        let upstream = routed.and_then(|routed| self.upstreams.get(routed.upstream));
        if upstream.is_some_and(|upstream| upstream.base_url.host.as_str() == switch.host) {
            let reason = format!(
                "the program behaves behind {} as it does without it",
                switch.variable
            );
            self.switches
                .push((switch.name.clone(), switch.value.clone(), reason));
        }
    }

    /// Notes the known API hosts that the user's `NO_PROXY` keeps from the proxy.
    fn note_exempt_hosts(&mut self) {
        let proxies = ProxyEnv {
            all_proxy: Some("http://127.0.0.1".to_owned()),
            no_proxy: self.proxies.no_proxy.clone(),
            ..ProxyEnv::default()
        };
        let bases = self.input.table.apis.iter().flat_map(|api| &api.variables);
        let mut hosts: Vec<_> = bases
            .filter_map(|(_, base)| TargetUrl::parse(base).ok())
            .filter(|url| !is_local(url) && matches!(proxies.proxy_for(url), Ok(None)))
            .map(|url| url.host.to_string())
            .collect();
        hosts.dedup();
        if !hosts.is_empty() {
            let hosts = hosts.join(", ");
            let note = format!("NO_PROXY keeps these hosts from the proxy: {hosts}");
            self.notes.push(note);
        }
    }
}

impl BaseUrlPlace {
    /// The name of the variable, key or provider, as notes name it.
    fn name(&self) -> String {
        match self {
            Self::Variable(name) | Self::Setting(SettingPlace::ClaudeVariable(name)) => {
                name.clone()
            }
            Self::Setting(SettingPlace::CodexArgument(_, prefix)) => {
                prefix.trim_end_matches('=').to_owned()
            }
            Self::Setting(SettingPlace::CodexKey(key)) => key.clone(),
            Self::Setting(SettingPlace::OpencodeProvider(name)) => name.clone(),
        }
    }
}

fn is_local(url: &TargetUrl) -> bool {
    url.host.as_str() == "localhost" || url.host.ip().is_some_and(|ip| ip.is_loopback())
}

/// The files of trusted certificates that variables name.
fn trusted_files(input: &PlanInput<'_>) -> Vec<PathBuf> {
    let names = input.table.trust.iter().chain(&input.table.trust_if_set);
    let mut files: Vec<_> = names
        .filter_map(|name| input.environment.get(name))
        .map(|path| PathBuf::from(&*path))
        .collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// The proxies that the variables name, as programs read them: unlike for curl, `HTTP_PROXY` counts too.
fn user_proxies(environment: &Environment) -> ProxyEnv {
    let either = |lower: &str, upper: &str| {
        let value = environment.get(lower).or_else(|| environment.get(upper));
        value.map(|value| value.into_owned())
    };
    ProxyEnv {
        http_proxy: either("http_proxy", "HTTP_PROXY"),
        https_proxy: either("https_proxy", "HTTPS_PROXY"),
        all_proxy: either("all_proxy", "ALL_PROXY"),
        no_proxy: either("no_proxy", "NO_PROXY"),
    }
}

/// The credentials of a base URL with their `@`, and the text after host and port.
fn split_base_url(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or(rest);
    let (authority, suffix) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let userinfo = authority.rfind('@').and_then(|at| authority.get(..=at));
    (userinfo.unwrap_or_default(), suffix)
}

/// `text` without the credentials of a URL.
pub(super) fn without_userinfo(text: &str) -> String {
    let (userinfo, _) = split_base_url(text);
    match userinfo.is_empty() || !text.contains("://") {
        true => text.to_owned(),
        false => text.replacen(userinfo, "", 1),
    }
}
