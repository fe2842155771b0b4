//! Programs that are not ours: whether they are here, starting them, hearing what they say, ending them.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// How long a counterpart may take to say what is awaited: a bound for what hangs, not a measure.
const PATIENCE: Duration = Duration::from_secs(120);

/// Says what is missing, and so what is not tested here.
#[track_caller]
pub(crate) fn missing(what: &str) {
    assert_ne!(
        std::env::var("WIRE_PEERS").as_deref(),
        Ok("required"),
        "{what}"
    );
    eprintln!("SKIPPED: {what}");
}

/// Where a program is.
#[track_caller]
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers live where only root looks.
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    folders.push("/usr/sbin".into());
    let found = folders.iter().map(|folder| folder.join(name));
    let found = found.into_iter().find(|path| path.is_file());
    if found.is_none() {
        missing(&format!("{name} is not installed"));
    }
    found
}

/// A Python that can import `module`.
#[track_caller]
pub(crate) fn python(module: &str) -> Option<PathBuf> {
    let named = std::env::var_os("WIRE_PEERS_PYTHON");
    let python = named.map_or_else(|| PathBuf::from("python3"), PathBuf::from);
    let tried = Command::new(&python)
        .args(["-c", &format!("import {module}")])
        .stderr(Stdio::null())
        .status();
    if tried.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    missing(&format!("no Python that has {module} is installed"));
    None
}

/// A helper script beside this file.
pub(crate) fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/peers")
        .join(name)
}

/// A program that runs until this is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts it, and listens to both its outputs.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        pass_on(child.stdout.take().unwrap(), sender.clone());
        pass_on(child.stderr.take().unwrap(), sender);
        Self { child, lines }
    }

    /// Waits for the line in which `find` finds something; what it said instead, if it ended.
    pub(crate) fn hears<T>(&self, find: impl Fn(&str) -> Option<T>) -> Result<T, Vec<String>> {
        let mut heard = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if let Some(found) = find(&line) {
                return Ok(found);
            }
            heard.push(line);
        }
        Err(heard)
    }

    /// The same of a program that has to work.
    #[track_caller]
    pub(crate) fn says<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        match self.hears(find) {
            Ok(found) => found,
            Err(heard) => panic!("it never said so, but: {heard:#?}"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads to the end, whoever listens: a full pipe would stop the program.
fn pass_on(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let _ = to.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}
