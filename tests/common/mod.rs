//! Shared by the tests of the whole program: runs `wire` in a fresh folder, and a server that follows a script.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

pub mod websocket;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;

/// A folder to run `wire` in: with no captures, no `.env`, and none of the machine's own settings.
pub struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The command that runs `wire` with these arguments and an empty environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wire"));
        command
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn wire(&self, arguments: &[&str]) -> Run {
        Run::from_output(self.command(arguments).output().unwrap())
    }

    /// The files of `./captures`, old to new.
    pub fn captures(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path("captures")) else {
            return vec![];
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut found: Vec<_> = paths
            .filter(|path| path.extension().is_some_and(|ending| ending == "wire"))
            .collect();
        found.sort();
        found
    }

    /// The only capture in the folder; fails if there are several.
    pub fn capture(&self) -> PathBuf {
        let found = self.captures();
        assert_eq!(found.len(), 1, "{found:?}");
        found.into_iter().next().unwrap()
    }

    /// A request file that every test may send.
    pub fn request(&self) -> PathBuf {
        self.file("r.json", REQUEST)
    }
}

pub const REQUEST: &str =
    r#"{"model": "gpt-4o-mini",  "messages": [{"role":"user","content":"hi"}]}"#;

/// The exit code and output of a run of `wire`.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
}

impl Run {
    pub fn from_output(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: output.stdout,
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub fn out(&self) -> &str {
        std::str::from_utf8(&self.out).unwrap()
    }

    #[track_caller]
    pub fn exits_with(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "stdout: {}\nstderr: {}",
            String::from_utf8_lossy(&self.out),
            self.err
        );
        self
    }

    #[track_caller]
    pub fn err_contains(self, text: &str) -> Self {
        assert!(self.err.contains(text), "`{text}` is not in: {}", self.err);
        self
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.out)))
    }
}

/// One step of a scripted server.
#[derive(Clone, Debug)]
pub enum Step {
    /// Reads until the request is whole.
    Read,
    /// Reads this number of bytes.
    Take(usize),
    /// Writes these bytes, in one write.
    Write(Vec<u8>),
    /// Writes these bytes again and again, until the client is gone.
    Pour(Vec<u8>),
    /// Waits until the test calls [`Server::resume`].
    Wait,
    /// Waits until the client closes.
    Drain,
}

pub fn write(bytes: impl Into<Vec<u8>>) -> Step {
    Step::Write(bytes.into())
}

/// A server on a loopback port that follows a script for one connection, and then closes it: with a reset
/// where it has not read all that came.
pub struct Server {
    pub addr: SocketAddr,
    go: mpsc::Sender<()>,
    thread: Option<JoinHandle<Vec<u8>>>,
}

impl Server {
    pub fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (go, wait) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            // A second connection is refused from now on, and not only once the script has ended.
            drop(listener);
            run_script(stream, steps, &wait)
        });
        Self {
            addr,
            go,
            thread: Some(thread),
        }
    }

    /// A server that answers one whole request with `response` and closes.
    pub fn answering(response: impl Into<Vec<u8>>) -> Self {
        Self::start(vec![Step::Read, write(response)])
    }

    pub fn url(&self) -> String {
        format!("http://{}/v1/chat/completions", self.addr)
    }

    /// Ends one [`Step::Wait`] of the server.
    pub fn resume(&self) {
        self.go.send(()).unwrap();
    }

    /// The bytes that the server read; waits until it has finished its script.
    pub fn received(mut self) -> Vec<u8> {
        self.thread.take().unwrap().join().unwrap()
    }
}

fn run_script(mut stream: TcpStream, steps: Vec<Step>, wait: &mpsc::Receiver<()>) -> Vec<u8> {
    let mut received = Vec::new();
    for step in steps {
        match step {
            Step::Read => read_request(&mut stream, &mut received),
            Step::Take(length) => {
                let mut bytes = vec![0; length];
                stream.read_exact(&mut bytes).unwrap();
                received.extend(bytes);
            }
            // The client may be gone, which is what some tests want.
            Step::Write(bytes) => drop(stream.write_all(&bytes)),
            Step::Pour(bytes) => while stream.write_all(&bytes).is_ok() {},
            Step::Wait => drop(wait.recv()),
            Step::Drain => drop(stream.read_to_end(&mut received)),
        }
    }
    received
}

fn read_request(stream: &mut TcpStream, received: &mut Vec<u8>) {
    let mut buffer = vec![0; 64 << 10];
    while !is_whole(received) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(length) => received.extend_from_slice(&buffer[..length]),
        }
    }
}

fn is_whole(received: &[u8]) -> bool {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else {
        return false;
    };
    let head = String::from_utf8_lossy(&received[..end]);
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length:")?
            .trim()
            .parse()
            .ok()
    });
    received.len() - end - 4 >= length.unwrap_or(0)
}

/// Reads from a child until `text` was seen.
#[track_caller]
pub fn read_until(from: &mut impl Read, text: &str) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&seen).contains(text) {
        let length = from.read(&mut byte).unwrap();
        assert!(
            length > 0,
            "`{text}` never came: {}",
            String::from_utf8_lossy(&seen)
        );
        seen.push(byte[0]);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

/// Sends a signal to a child that a test started.
pub fn signal(child: &Child, name: &str) {
    let done = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(done.success());
}

/// Waits until a child has been asleep for a while, and so is blocked.
pub fn wait_until_asleep(child: &Child) {
    let path = format!("/proc/{}/stat", child.id());
    let mut asleep = 0;
    while asleep < 1000 {
        let stat = std::fs::read_to_string(&path).unwrap_or_default();
        asleep = if stat.contains(") S ") { asleep + 1 } else { 0 };
        std::thread::yield_now();
    }
}

/// Checks every line of a capture against the schema.
pub fn check_schema(path: &Path) {
    let schema = include_str!("../../captures/schema.json");
    let schema = serde_json::from_str(schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    for (number, line) in text.lines().enumerate() {
        let value = serde_json::from_str(line).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(
            errors.is_empty(),
            "{}: line {}: {errors:?}\n{line}",
            path.display(),
            number + 1
        );
        assert_eq!(
            value.get("wire").is_some(),
            number == 0,
            "the first line, and it alone, is the origin"
        );
    }
}
