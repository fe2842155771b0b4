//! The time that the difference of two large JSON texts takes: `cargo bench --bench json_diff [CASE...]`. For each pair
//! the time to read both and to compare them (time on the core), the peak memory of the process with both texts, and
//! the kinds of change. `cargo bench --bench json_diff aligners [CASE...]` compares aligners instead.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a benchmark reads the clock and prints"
)]

mod aligners;
mod memory;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use memory::peak;
use wire::diff::json::compare;
use wire::diff::work_limit::WorkLimit;
use wire::json::{JsonDocument, MAX_DEPTH};

/// A name, and two texts.
type Case = (&'static str, fn() -> [String; 2]);

const CASES: [Case; 20] = [
    ("5,000 messages, one put in at the front", || {
        [conversation(|_, text| text), front(|_, text| text)]
    }),
    ("the same, each string changed", || {
        [conversation(|_, text| text), conversation(edited)]
    }),
    ("the same, each string changed and one put in", || {
        [conversation(|_, text| text), front(edited)]
    }),
    ("the same, nothing left of any text", || {
        [
            conversation(|_, text| text),
            conversation(|n, _| words(n + 1_000_000, 480)),
        ]
    }),
    (
        "17,500 completions, 50 scalars and 20 orders changed",
        || [completions(|_| true), completions_edited(|_| true)],
    ),
    ("the same, 10 put in and 10 taken out", || {
        [
            completions(|n| n % 1750 != 5),
            completions_edited(|n| n % 1750 != 900),
        ]
    }),
    (
        "17,500 completions, the keys of all in another order",
        || {
            [
                completions(|_| true),
                completions(|_| true)
                    .replace(r#""object":"chat.completion","#, "")
                    .replace(r#","usage""#, r#","object":"chat.completion","usage""#),
            ]
        },
    ),
    ("200,000 equal numbers, and one less", || {
        [array(0..200_000, |_| 7), array(0..199_999, |_| 7)]
    }),
    ("200,000 of two numbers in turn, shifted", || {
        [
            array(0..200_000, |n| n % 2),
            array(0..200_000, |n| (n + 1) % 2),
        ]
    }),
    ("200,000 of two numbers at random", || {
        [
            array(0..200_000, |n| random(n) % 2),
            array(200_000..400_000, |n| random(n) % 2),
        ]
    }),
    ("5,000,000 digits at random", || {
        [
            array(0..5_000_000, |n| random(n) % 10),
            array(5_000_000..10_000_000, |n| random(n) % 10),
        ]
    }),
    ("200,000 different numbers, shuffled", || {
        [
            array(0..200_000, |n| n),
            array(0..200_000, |n| shuffled(n, 200_000)),
        ]
    }),
    ("1,200,000 different numbers, shuffled", || {
        [
            array(0..1_200_000, |n| n),
            array(0..1_200_000, |n| shuffled(n, 1_200_000)),
        ]
    }),
    ("1,000,000 numbers, all changed", || {
        [
            array(0..1_000_000, |n| n * 2),
            array(0..1_000_000, |n| n * 2 + 1),
        ]
    }),
    ("arrays in arrays, each leaf changed", || {
        [nested("[", "1", "]"), nested("[", "2", "]")]
    }),
    ("pairs in pairs, each leaf changed", || {
        [nested("[1,", "1", "]"), nested("[1,", "2", "]")]
    }),
    ("objects in objects, each leaf changed", || {
        [nested("{\"a\":", "1", "}"), nested("{\"a\":", "2", "}")]
    }),
    (
        "an object of 300,000 keys in another order, each value changed",
        || [object(|n| n, 1), object(|n| shuffled(n, 300_000), 2)],
    ),
    ("300,000 times the same key, and one less", || {
        [
            object(|_| 1, 1),
            object(|_| 1, 1).replacen("\"k1\":2,", "", 1),
        ]
    }),
    ("strings of JSON, each changed inside", || {
        [calls(1), calls(2)]
    }),
];

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .collect();
    if let Some(("aligners", cases)) = wanted.split_first().map(|(first, rest)| (&**first, rest)) {
        return aligners::run(cases);
    }
    println!(
        "{:>7} {:>8} {:>8}  case: kinds of change",
        "read", "compare", "peak"
    );
    for (name, texts) in CASES {
        if wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())) {
            run(name, texts());
        }
    }
}

fn run(name: &str, texts: [String; 2]) {
    // From here on, the most.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let began = on_core();
    let [left, right] =
        (texts.each_ref()).map(|text| JsonDocument::parse(text.as_bytes()).unwrap());
    let read = on_core() - began;
    let diff = compare(&left, &right, WorkLimit::default());
    let compared = on_core() - began - read;
    let peak = peak() / 1024;
    let mut kinds = BTreeMap::new();
    for change in &diff.changes {
        *kinds.entry(change.kind).or_insert(0u32) += 1;
    }
    let coarse = if diff.coarse { " (coarse)" } else { "" };
    let millis = |time: Duration| format!("{:.0} ms", time.as_secs_f64() * 1000.0);
    println!(
        "{:>7} {:>8} {peak:>4} MiB  {name}: {kinds:?}{coarse}",
        millis(read),
        millis(compared)
    );
}

/// How long this process has run on a core.
fn on_core() -> Duration {
    let times = std::fs::read_to_string("/proc/self/schedstat").unwrap_or_default();
    let nanos = times.split(' ').next().and_then(|nanos| nanos.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

/// A number that looks like chance (SplitMix64).
fn random(n: u64) -> u64 {
    let mut z = n.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

/// The `n`th of `0..most` in an order that looks like chance.
fn shuffled(n: u64, most: u64) -> u64 {
    // A multiplication is a permutation for whoever shares no factor, and xor shifts mix what it leaves in rows.
    let bits = 64 - (most - 1).leading_zeros();
    let mask = (1u64 << bits) - 1;
    let mut value = n;
    loop {
        value = value.wrapping_mul(0x9E37_79B1) & mask;
        value ^= value >> (bits / 2);
        value = value.wrapping_mul(0x85EB_CA6B) & mask;
        value ^= value >> (bits / 2);
        if value < most {
            return value;
        }
    }
}

/// So many words, of a vocabulary of some thousands, in which some are much more frequent than others.
fn words(seed: u64, count: u64) -> String {
    let mut text = String::new();
    for n in 0..count {
        let [one, other] = [0, 1].map(|half| random(2 * (seed * 1000 + n) + half) % 5000);
        let word = one * other / 5000;
        write!(text, "{}w{word:x}", if n > 0 { " " } else { "" }).unwrap();
    }
    text
}

/// A text in which some words were replaced.
fn edited(n: u64, text: String) -> String {
    let word = format!(" new{n} ");
    text.replacen(" w1 ", &word, 2) + " changed"
}

fn message(n: u64, edit: fn(u64, String) -> String) -> String {
    let role = ["user", "assistant"][n as usize % 2];
    let content = edit(n, words(n, 480));
    format!(r#"{{"role":"{role}","content":"{content}"}}"#)
}

fn conversation(edit: fn(u64, String) -> String) -> String {
    let messages: Vec<_> = (0..5000).map(|n| message(n, edit)).collect();
    format!(
        r#"{{"model":"gpt-4o","messages":[{}]}}"#,
        messages.join(",")
    )
}

fn front(edit: fn(u64, String) -> String) -> String {
    let new = format!(r#""messages":[{},"#, message(777_777, |_, text| text));
    conversation(edit).replacen(r#""messages":["#, &new, 1)
}

fn completion(n: u64) -> String {
    let content = words(n, 25);
    format!(
        r#"{{"id":"chatcmpl-{n:08}","object":"chat.completion","created":{},"model":"gpt-4o-mini","choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":{},"completion_tokens":{},"total_tokens":77,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}}}},"system_fingerprint":"fp_b5712ecddf"}}"#,
        1_700_000_000 + n,
        random(n) % 4000,
        random(n + 9) % 500,
    )
}

fn completions(keep: fn(u64) -> bool) -> String {
    let all: Vec<_> = (0..17_500).filter(|&n| keep(n)).map(completion).collect();
    format!("[{}]", all.join(","))
}

fn completions_edited(keep: fn(u64) -> bool) -> String {
    let edit = |n: u64| match n {
        n if n % 350 == 17 => completion(n).replace(r#""total_tokens":77"#, r#""total_tokens":78"#),
        n if n % 875 == 33 => {
            let whole: serde_json::Map<String, serde_json::Value> =
                serde_json::from_str(&completion(n)).unwrap();
            let turned: serde_json::Map<_, _> = whole.into_iter().rev().collect();
            serde_json::to_string(&turned).unwrap()
        }
        n => completion(n),
    };
    let all: Vec<_> = (0..17_500).filter(|&n| keep(n)).map(edit).collect();
    format!("[{}]", all.join(","))
}

fn array(range: std::ops::Range<u64>, number: fn(u64) -> u64) -> String {
    let numbers: Vec<_> = range.map(|n| number(n).to_string()).collect();
    format!("[{}]", numbers.join(","))
}

/// 10 MB of containers that hold one thing, as deep as can be read.
fn nested(open: &str, leaf: &str, close: &str) -> String {
    let depth = MAX_DEPTH - 1;
    let one = open.repeat(depth) + leaf + &close.repeat(depth);
    let all = vec![one; 10_000_000 / ((open.len() + close.len()) * depth)];
    format!("[{}]", all.join(","))
}

fn object(key: fn(u64) -> u64, add: u64) -> String {
    let members: Vec<_> = (0..300_000)
        .map(|n| format!("\"k{}\":{}", key(n), n + add))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// 20,000 calls of tools.
fn calls(add: u64) -> String {
    let call = |n: u64| {
        let text = words(n, 40);
        format!(
            r#"{{"id":"call_{n}","type":"function","function":{{"name":"edit","arguments":"{{\"path\":\"src/{n}.rs\",\"line\":{},\"text\":\"{text}\"}}"}}}}"#,
            n + add
        )
    };
    let calls: Vec<_> = (0..20_000).map(call).collect();
    format!("[{}]", calls.join(","))
}
