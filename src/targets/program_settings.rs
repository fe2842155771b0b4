//! The variables and arguments that a program is run with under the recorder, made from its plan and the recorder's
//! ports.

use std::path::Path;

use super::own_settings::{self, SettingPlace};
use super::programs::{BaseUrlPlace, ProgramPlan, without_userinfo};
use crate::render::program::ChangedVariable;

/// The variables and arguments that a program is run with, and how they differ from a run without the recorder.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ProgramSettings {
    /// Variables to set, by name and value.
    pub variables: Vec<(String, String)>,
    /// The whole command: program and arguments.
    pub arguments: Vec<String>,
    /// What the user should know: effects on the program, and what the recorder cannot see.
    pub notes: Vec<String>,
    /// For each variable its value without the recorder, and the reason for the change.
    reasons: Vec<(Option<String>, String)>,
}

impl ProgramPlan<'_> {
    /// Returns the variables and arguments of the run.
    ///
    /// `ports`: the loopback port of each upstream, in their order. `proxy_url`: the recorder's proxy, such as
    /// `http://127.0.0.1:4000`. `bundle_path`: a file with the system's roots, [`Self::trusted_files`], and the
    /// recorder's CA; absolute, since the program may change its folder. Where one is missing, what needs it is left
    /// out.
    pub fn settings(
        &self,
        ports: &[u16],
        proxy_url: Option<&str>,
        bundle_path: Option<&Path>,
    ) -> ProgramSettings {
        let mut settings = ProgramSettings {
            arguments: self.input.command.to_vec(),
            notes: self.notes.clone(),
            ..ProgramSettings::default()
        };
        self.set_base_urls(ports, &mut settings);
        for (name, value, reason) in &self.switches {
            self.set(&mut settings, name, value.clone(), reason);
        }
        if let Some(url) = proxy_url.filter(|_| self.has_proxy()) {
            self.set_proxy(url, &mut settings);
        }
        if let Some(path) = bundle_path.filter(|_| self.has_proxy()) {
            let reason = "trusts the system's roots and the recorder's CA";
            let table = self.input.table;
            for name in self.with_set(&table.trust, &table.trust_if_set) {
                self.set(&mut settings, name, path.display().to_string(), reason);
            }
        }
        self.extend_no_proxy(&mut settings);
        settings
    }

    fn set_base_urls(&self, ports: &[u16], settings: &mut ProgramSettings) {
        let (mut inserted, mut claude, mut opencode) =
            (Vec::new(), serde_json::Map::new(), Vec::new());
        for routed in &self.routed {
            let Some(port) = ports.get(routed.upstream) else {
                continue;
            };
            let url = format!(
                "http://{}127.0.0.1:{port}{}",
                routed.userinfo, routed.suffix
            );
            match &routed.place {
                BaseUrlPlace::Variable(name) => {
                    self.set(
                        settings,
                        name,
                        url,
                        &format!("leads to {}", routed.original),
                    );
                }
                BaseUrlPlace::Setting(SettingPlace::CodexArgument(index, prefix)) => {
                    if let Some(word) = settings.arguments.get_mut(*index) {
                        *word = format!("{prefix}\"{url}\"");
                    }
                }
                BaseUrlPlace::Setting(SettingPlace::CodexKey(key)) => {
                    inserted.extend(["-c".to_owned(), format!("{key}=\"{url}\"")]);
                }
                BaseUrlPlace::Setting(SettingPlace::ClaudeVariable(name)) => {
                    claude.insert(name.clone(), url.into());
                }
                BaseUrlPlace::Setting(SettingPlace::OpencodeProvider(name)) => {
                    opencode.push((name.as_str(), url));
                }
            }
        }
        if !claude.is_empty() {
            let value = serde_json::json!({ "env": claude });
            inserted.extend(["--settings".to_owned(), value.to_string()]);
        }
        if !opencode.is_empty() {
            let urls: Vec<_> = opencode
                .iter()
                .map(|(name, url)| (*name, url.as_str()))
                .collect();
            let (name, value) = own_settings::opencode_variable(self.input.environment, &urls);
            self.set(
                settings,
                &name,
                value,
                "base URLs of opencode's own settings",
            );
        }
        let place = (self.program_index + 1).min(settings.arguments.len());
        settings.arguments.splice(place..place, inserted);
    }

    fn set_proxy(&self, url: &str, settings: &mut ProgramSettings) {
        let table = self.input.table;
        for name in self.with_set(&table.proxy, &table.proxy_if_set) {
            self.set(settings, name, url.to_owned(), "the recorder is the proxy");
        }
        for (name, value) in &table.switches {
            let reason = "makes the runtime read the proxy variables";
            self.set(settings, name, value.clone(), reason);
        }
    }

    /// Adds this machine to the hosts without a proxy: loopback ports are reached directly, with the user's proxy too.
    fn extend_no_proxy(&self, settings: &mut ProgramSettings) {
        let table = self.input.table;
        let user = self.proxies.no_proxy.as_deref();
        for name in self.with_set(&table.no_proxy, &table.no_proxy_if_set) {
            let own = self.input.environment.get(name);
            let list = extended_no_proxy(own.as_deref().or(user).unwrap_or_default());
            self.set(
                settings,
                name,
                list,
                "this machine is reached without a proxy",
            );
        }
    }

    /// `always`, and those of `if_set` that have a value.
    fn with_set<'b>(
        &'b self,
        always: &'b [String],
        if_set: &'b [String],
    ) -> impl Iterator<Item = &'b str> {
        let set = if_set
            .iter()
            .filter(|name| self.input.environment.get(name).is_some());
        always.iter().chain(set).map(String::as_str)
    }

    /// Sets a variable, also to the value that it has: that may come from a `.env` file, which the program need not read.
    fn set(&self, settings: &mut ProgramSettings, name: &str, value: String, reason: &str) {
        let before = self.input.environment.get(name);
        let before = before.map(|before| before.into_owned());
        settings.variables.push((name.to_owned(), value));
        settings.reasons.push((before, reason.to_owned()));
    }
}

impl ProgramSettings {
    /// The variables with their values before and after, and the reason for each change: the rows of `--explain`.
    /// Credentials in URLs are left out.
    pub fn changed_variables(&self) -> Vec<ChangedVariable> {
        let changes = self.variables.iter().zip(&self.reasons);
        changes
            .map(|((name, value), (before, reason))| ChangedVariable {
                name: name.clone(),
                value: without_userinfo(value),
                before: before.as_deref().map(without_userinfo),
                reason: reason.clone(),
            })
            .collect()
    }
}

/// `list` with the names and addresses of this machine that it lacks.
fn extended_no_proxy(list: &str) -> String {
    let mut entries: Vec<_> = list
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .collect();
    if entries != ["*"] {
        for own in ["127.0.0.1", "localhost", "::1"] {
            if !entries.contains(&own) {
                entries.push(own);
            }
        }
    }
    entries.join(",")
}

#[cfg(test)]
mod tests;
