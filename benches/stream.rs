//! How fast a stream of events is decoded and explained: `cargo bench --bench stream`. One core, 100 MB in
//! pieces of 16 KiB (a TLS record), as a live view reads them; prints the rate and the peak memory.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints"
)]

mod memory;

use std::time::Instant;

use memory::peak;
use wire::chat::timeline::TimelineBuilder;
use wire::chat::{AnswerReadOptions, AnswerReader, AnswerRetention, BodyEnding, dialect_by_name};
use wire::exchange::Exchange;
use wire::span::Moment;

const BYTES: usize = 100_000_000;

/// Events as OpenAI sends them, with words of several lengths.
fn stream() -> Vec<u8> {
    let words = [
        "The",
        " quick",
        " brown",
        " fox",
        " jumps",
        " über",
        " die",
        " 東京",
        " \\\"quoted\\\"",
        "\\n",
    ];
    let mut stream = Vec::with_capacity(BYTES + 1000);
    for word in words.iter().cycle() {
        if stream.len() >= BYTES {
            break;
        }
        stream.extend_from_slice(b"data: {\"id\":\"chatcmpl-Abc123\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gpt-4o-mini-2024-07-18\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_b5712ecddf\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"");
        stream.extend_from_slice(word.as_bytes());
        stream.extend_from_slice(
            b"\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n",
        );
    }
    stream.extend_from_slice(b"data: {\"id\":\"chatcmpl-Abc123\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n");
    stream
}

fn main() {
    let stream = stream();
    let before = peak();
    let options = AnswerReadOptions {
        dialect: dialect_by_name("openai-chat"),
        retention: AnswerRetention::TextStart,
        ..AnswerReadOptions::default()
    };
    let mut rates: Vec<f64> = (0..5).map(|_| rate(&stream, options)).collect();
    rates.sort_by(f64::total_cmp);
    let (least, median, most) = (rates[0], rates[2], rates[4]);
    println!(
        "explaining a stream of {} MB: {median:.0} MB/s ({least:.0} .. {most:.0}, 5 runs)",
        stream.len() / 1_000_000
    );
    println!(
        "memory beyond the stream itself, at most: {} KiB",
        peak() - before
    );
}

fn rate(stream: &[u8], options: AnswerReadOptions) -> f64 {
    let began = Instant::now();
    let mut reader = AnswerReader::new(&Exchange::default(), &[], options);
    let mut gather = TimelineBuilder::default();
    for (n, piece) in stream.chunks(16 << 10).enumerate() {
        reader.push(piece, Moment::from_micros(n as u64), &mut gather);
    }
    let completion = reader.finish(BodyEnding::Whole, &mut gather);
    let timeline = gather.finish(&completion, None, None);
    assert!(completion.verdict.is_whole() && timeline.content_events > 100_000);
    stream.len() as f64 / began.elapsed().as_secs_f64() / 1e6
}
