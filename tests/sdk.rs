//! The official SDKs talk to the demo server and print what they read; `wire` reads the same bytes and must find
//! the same values. The SDKs are an oracle outside this project.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests look at files and variables themselves, and say when they are skipped"
)]

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Instant;

use common::Home;
use serde_json::Value;
use wire::capture::CaptureWriter;
use wire::demo::{DemoOptions, DemoServer};
use wire::span::{Moment, StreamSide};
use wire::tape::{CloseKind, ConnectionFact, ConnectionParty, Tape, TapeOrigin, WireSink};

const CASES: [&str; 13] = [
    "chat-plain",
    "chat-plain-two",
    "chat-plain-tools",
    "chat-stream",
    "chat-stream-tools",
    "responses-plain",
    "responses-plain-tools",
    "responses-stream",
    "responses-stream-tools",
    "messages-plain",
    "messages-plain-tools",
    "messages-stream",
    "messages-stream-tools",
];

/// The Python interpreter in which the SDKs are installed.
fn python() -> Option<PathBuf> {
    let named = std::env::var_os("WIRE_PEERS_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| PathBuf::from("python3"));
    let probe = Command::new(&python)
        .args(["-c", "import openai, anthropic"])
        .output();
    if probe.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    assert!(
        std::env::var_os("WIRE_PEERS").is_none_or(|value| value != "required"),
        "the Python packages openai and anthropic are not installed"
    );
    eprintln!("SKIPPED: the Python packages openai and anthropic are not installed");
    None
}

/// Runs the demo server, without TLS, until the test is over.
fn demo() -> (SocketAddr, tokio::runtime::Runtime, DemoServer) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let options = DemoOptions {
        tls: false,
        pace: std::time::Duration::ZERO,
        ..DemoOptions::default()
    };
    let demo = runtime.block_on(DemoServer::start(options)).unwrap();
    (demo.addr, runtime, demo)
}

/// Relays one connection to `upstream`. Returns the address to connect to, and a thread that returns the tape.
fn relay(upstream: SocketAddr) -> (SocketAddr, std::thread::JoinHandle<Tape>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let thread = std::thread::spawn(move || {
        let (client, _) = listener.accept().unwrap();
        let server = TcpStream::connect(upstream).unwrap();
        record(&client, &server)
    });
    (addr, thread)
}

fn record(client: &TcpStream, server: &TcpStream) -> Tape {
    let started = Instant::now();
    let (sender, received) = mpsc::channel();
    let copy = |side: StreamSide, mut from: TcpStream, mut to: TcpStream| {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 16 << 10];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                let micros = u64::try_from(started.elapsed().as_micros()).unwrap();
                sender
                    .send((side, Moment::from_micros(micros), buffer[..length].to_vec()))
                    .unwrap();
                if to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            drop(to.shutdown(Shutdown::Write));
        })
    };
    let clone = |stream: &TcpStream| stream.try_clone().unwrap();
    let threads = [
        copy(StreamSide::Sent, clone(client), clone(server)),
        copy(StreamSide::Received, clone(server), clone(client)),
    ];
    drop(sender);
    let mut tape = Tape::new(TapeOrigin {
        id: "0197f0aa-0000-7000-8000-00000000cafe".into(),
        started: jiff::Timestamp::UNIX_EPOCH,
        via: "test".into(),
        url: "http://localhost/".into(),
        tool: "test".into(),
        connection: None,
    });
    let mut last = Moment::default();
    for (side, moment, bytes) in received {
        tape.bytes(side, moment, &bytes);
        last = moment;
    }
    for thread in threads {
        thread.join().unwrap();
    }
    tape.fact(
        last,
        &ConnectionFact::Closed {
            by: ConnectionParty::Peer,
            how: CloseKind::Eof,
        },
    );
    tape
}

fn write(tape: &Tape, path: &Path) {
    let mut writer = CaptureWriter::new(std::fs::File::create(path).unwrap(), &tape.origin);
    tape.replay(&mut writer);
    writer.finish().unwrap();
}

/// The values of `wire show --json` that the SDK prints too, in the SDK's shape.
fn wire_reading(document: &Value, expected: &Value) -> Value {
    let completion = &document["report"]["completion"];
    let arguments = |call: &Value, sdk: &Value| {
        let text = call["arguments"].as_str().unwrap();
        // Anthropic's SDK gives arguments as a value.
        if sdk.is_string() {
            call["arguments"].clone()
        } else {
            serde_json::from_str(text).unwrap()
        }
    };
    let choice = |(n, choice): (usize, &Value)| {
        let sdk = &expected["choices"][n];
        let calls = choice["tool_calls"].as_array().unwrap().iter().enumerate();
        let calls: Vec<_> = calls
            .map(|(n, call)| {
                serde_json::json!({
                    "name": call["name"],
                    "arguments": arguments(call, &sdk["tools"][n]["arguments"]),
                    "id": call["id"],
                })
            })
            .collect();
        // The Responses API has no finish reason.
        let finish = if sdk["finish"].is_null() {
            &Value::Null
        } else {
            &choice["finish"]["named"]
        };
        serde_json::json!({ "text": choice["text"], "finish": finish, "tools": calls })
    };
    let choices: Vec<_> = completion["choices"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(choice)
        .collect();
    serde_json::json!({
        "id": completion["id"],
        "model": completion["served_model"],
        "choices": choices,
        "usage": {
            "input": completion["usage"]["input"],
            "output": completion["usage"]["output"],
            "cached": completion["usage"]["cached_input"],
        },
    })
}

#[test]
fn sdks_and_wire_read_the_same_values() {
    let Some(python) = python() else { return };
    let (upstream, _runtime, _demo) = demo();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdk/oracle.py");
    let home = Home::new();
    for case in CASES {
        let (addr, tape) = relay(upstream);
        let output = Command::new(&python)
            .arg(&script)
            .args([case, &format!("http://{addr}")])
            .env("NO_PROXY", "127.0.0.1")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{case}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let expected: Value = serde_json::from_slice(&output.stdout).unwrap();
        let path = home.path("sdk.wire");
        write(&tape.join().unwrap(), &path);
        let document = home
            .wire(&["show", "sdk.wire", "--json"])
            .exits_with(0)
            .json();
        assert_eq!(wire_reading(&document, &expected), expected, "{case}");
        assert_eq!(
            document["report"]["completion"]["verdict"]["kind"], "complete",
            "{case}"
        );
    }
}
