//! How fast the masker is: `cargo bench --bench mask`. One core, 256 MB in reads of 32 KiB to a sink that keeps nothing;
//! prints the least time of seven runs.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints"
)]

use std::time::Instant;

use wire::capture::{Masker, Secrets};
use wire::span::{Moment, StreamSide};
use wire::tape::{ConnectionFact, WireSink};

const BYTES: usize = 256 << 20;
const READ: usize = 32 << 10;
const ROUNDS: usize = 7;
const KEY: &str = "sk-proj-Zq9xUNIQ7f3aTw8KdLmP2Rs5VbYhCgEj4nAo";

#[derive(Debug)]
struct NoSink;

impl WireSink for NoSink {
    fn fact(&mut self, _: Moment, _: &ConnectionFact) {}
    fn bytes(&mut self, _: StreamSide, _: Moment, bytes: &[u8]) {
        std::hint::black_box(bytes);
    }
    fn ended(&mut self, _: StreamSide, _: Moment) {}
    fn is_done(&self) -> bool {
        false
    }
}

/// Events as OpenAI sends them.
fn event_stream() -> Vec<u8> {
    let words = ["The", " über", " 東京", " \\\"quoted\\\"", "\\n"];
    let mut stream = Vec::with_capacity(BYTES + 1000);
    for word in words.iter().cycle() {
        if stream.len() >= BYTES {
            return stream;
        }
        let event = format!(
            "data: {{\"id\":\"chatcmpl-Abc123\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{word}\"}},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":null}}\n\n"
        );
        stream.extend_from_slice(event.as_bytes());
    }
    stream
}

/// Random bytes (xorshift, a fixed seed).
fn random_bytes() -> Vec<u8> {
    let mut state = 88_172_645_463_325_252_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(BYTES).collect()
}

/// Seconds to mask `body` with `keys` known keys, of which the request carries one.
fn measure(body: &[u8], keys: usize) -> f64 {
    let known = (0..keys).map(|number| format!("{KEY}{number}").into_bytes());
    let mut masker = Masker::new(NoSink, Secrets::new(known, &[7; 32]));
    let start = Moment::default();
    let request = format!("GET / HTTP/1.1\r\nAuthorization: Bearer {KEY}0\r\n\r\n");
    masker.bytes(StreamSide::Sent, start, request.as_bytes());
    masker.bytes(StreamSide::Received, start, b"HTTP/1.1 200 OK\r\n\r\n");
    let clock = Instant::now();
    for read in body.chunks(READ) {
        masker.bytes(StreamSide::Received, start, read);
    }
    clock.elapsed().as_secs_f64()
}

fn main() {
    for (name, body) in [("text", event_stream()), ("bytes", random_bytes())] {
        for keys in [1, 10] {
            let rounds = (0..ROUNDS).map(|_| measure(&body, keys));
            let least = rounds.fold(f64::MAX, f64::min);
            println!("{name}, {keys} known keys: {:.0} ms", least * 1e3);
        }
    }
}
