//! Other programs that the tests run: finds, starts and stops them, and waits for lines of their output.

use std::io::{BufRead as _, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// Longest wait for a line of a counterpart's output: long enough to load a model on a slow machine; only a program
/// that hangs takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Prints `SKIPPED` and what is missing; fails under `WIRE_PEERS=required`.
#[track_caller]
pub(crate) fn missing(what: &str) {
    assert_ne!(
        std::env::var("WIRE_PEERS").as_deref(),
        Ok("required"),
        "{what}"
    );
    eprintln!("SKIPPED: {what}");
}

/// The path of the program `name`; `None` if it is not installed.
#[track_caller]
pub(crate) fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Servers are in a folder that is in the PATH of root alone.
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

/// A running program, killed when this is dropped.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    /// Starts `command` and reads the lines of its standard output and standard error.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        forward_lines(child.stdout.take().unwrap(), sender.clone());
        forward_lines(child.stderr.take().unwrap(), sender);
        Self { child, lines }
    }

    /// Waits for a line in which `find` finds something. Returns all lines as the error if the program ended before.
    pub(crate) fn try_wait_for<T>(
        &self,
        find: impl Fn(&str) -> Option<T>,
    ) -> Result<T, Vec<String>> {
        let mut received = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            if let Some(found) = find(&line) {
                return Ok(found);
            }
            received.push(line);
        }
        Err(received)
    }

    /// Waits for a line in which `find` finds something; fails if the program ends before.
    #[track_caller]
    pub(crate) fn wait_for<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        match self.try_wait_for(find) {
            Ok(found) => found,
            Err(received) => panic!("the expected line did not come, but: {received:#?}"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends each line of `from` to `to` until it ends, also if `to` is closed: a full pipe would stop the program.
fn forward_lines(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let _ = to.send(String::from_utf8_lossy(&line).into_owned());
        }
    });
}
