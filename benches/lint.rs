//! How fast exchanges are linted: `cargo bench --bench lint`. A stream of 100 MB on one core, from the bytes of HTTP in
//! pieces of 16 KiB (a TLS record) to the findings; and `wire lint` over a folder of 10,000 small captures.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock, writes captures and prints"
)]

mod memory;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use memory::peak;
use wire::call::{CallReader, ReadOptions};
use wire::chat::{AnswerReadOptions, AnswerRetention};
use wire::lint::{CallView, Finding, check_call};
use wire::span::{Moment, StreamSide};
use wire::tape::WireSink;

const BYTES: usize = 100_000_000;

/// Captures in the folder that `wire lint` reads.
const CAPTURES: usize = 10_000;

const REQUEST: &str = "POST /v1/chat/completions HTTP/1.1\r\nHost: example.com\r\nContent-Type: application/json\r\nContent-Length: 121\r\n\r\n{\"model\":\"gpt-4o-mini\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"stream\":true,\"stream_options\":{\"include_usage\":true}}";

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

const END: &str = "data: {\"id\":\"chatcmpl-Abc123\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":8,\"completion_tokens\":2,\"total_tokens\":10}}\n\ndata: [DONE]\n\n";

/// Events as OpenAI sends them, with words of several lengths, up to `bytes`.
fn response(bytes: usize) -> String {
    let words = [
        "The",
        " quick",
        " brown",
        " fox",
        " über",
        " 東京",
        " \\\"quoted\\\"",
        "\\n",
    ];
    let mut response = HEAD.to_owned();
    for word in words.iter().cycle() {
        if response.len() >= bytes {
            break;
        }
        response.push_str("data: {\"id\":\"chatcmpl-Abc123\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_b5712ecddf\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"");
        response.push_str(word);
        response.push_str("\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n");
    }
    response.push_str(END);
    response
}

fn lint(response: &[u8]) -> Vec<Finding> {
    let options = ReadOptions {
        answer: AnswerReadOptions {
            retention: AnswerRetention::TextStart,
            ..AnswerReadOptions::default()
        },
        ..ReadOptions::default()
    };
    let mut reader = CallReader::new(&options);
    reader.bytes(StreamSide::Sent, Moment::default(), REQUEST.as_bytes());
    for (n, piece) in response.chunks(16 << 10).enumerate() {
        let moment = Moment::from_micros(n as u64);
        reader.bytes(StreamSide::Received, moment, piece);
    }
    reader.ended(StreamSide::Received, Moment::default());
    let (report, ()) = reader.finish(&options.prices);
    check_call(CallView {
        exchange: &report.exchange,
        request_body: &report.request_body,
        decode_error: report.decode_error.as_ref(),
        meaning: Some(&report.meaning),
        capture_notes: &[],
    })
}

fn main() {
    let response = response(BYTES);
    let before = peak();
    let megabytes = response.len() as f64 / 1e6;
    let mut rates: Vec<f64> = (0..5)
        .map(|_| {
            let began = Instant::now();
            assert!(lint(response.as_bytes()).len() < 10);
            megabytes / began.elapsed().as_secs_f64()
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let (least, median, most) = (rates[0], rates[2], rates[4]);
    println!(
        "linting a stream of {megabytes:.0} MB: {median:.0} MB/s ({least:.0} .. {most:.0}, 5 runs)"
    );
    println!(
        "memory beyond the stream itself, at most: {} KiB",
        peak() - before
    );
    let folder = tempfile::tempdir().unwrap();
    write_captures(folder.path());
    let mut times: Vec<f64> = (0..5).map(|_| lint_folder(folder.path())).collect();
    times.sort_by(f64::total_cmp);
    let (least, median, most) = (times[0], times[2], times[4]);
    println!(
        "`wire lint` over {CAPTURES} captures: {median:.2} s ({least:.2} .. {most:.2}, 5 runs)"
    );
}

/// Writes captures of small exchanges: four events each.
fn write_captures(folder: &Path) {
    let response = response(700);
    for number in 0..CAPTURES {
        let origin = serde_json::json!({"wire": 1, "id": format!("{number}"), "started": "2026-01-01T00:00:00Z", "via": "send", "url": "http://example.com/v1/chat/completions", "tool": "wire"});
        let sent = serde_json::json!({"t": 10, "sent": REQUEST});
        let received = serde_json::json!({"t": 100, "received": response});
        let closed = serde_json::json!({"t": 110, "closed": {"by": "peer", "how": "eof"}});
        let text = format!("{origin}\n{sent}\n{received}\n{closed}\n");
        std::fs::write(
            folder.join(format!("20260101-000000-{number:05}.wire")),
            text,
        )
        .unwrap();
    }
}

/// The seconds of one run of `wire lint` over `folder`.
fn lint_folder(folder: &Path) -> f64 {
    let began = Instant::now();
    let status = Command::new(env!("CARGO_BIN_EXE_wire"))
        .args(["lint", "--severity", "warning"])
        .arg(folder)
        .env_clear()
        .current_dir(folder)
        .stdout(Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), Some(0));
    began.elapsed().as_secs_f64()
}
