//! Real pairs of exchanges, compared as `wire diff` compares them: each report was read and judged, and is kept in
//! `tests/diff/`. `SNAPSHOTS=overwrite cargo test --test diff_pairs` writes them anew.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]

#[path = "common/exchange_files.rs"]
mod exchange_files;

use std::path::PathBuf;

use exchange_files::{file, names, reads, tape};
use wire::call::{Call, ReadOptions};
use wire::diff::{self, DiffInput, DiffLayer, noise};
use wire::render::OutputStyle;
use wire::render::diff::{DiffView, NoiseView, write_unified};

/// An exchange of `tests/exchanges`, as if it had been captured.
fn subject(name: &str) -> DiffInput {
    let [request, response] = ["request.http", "response.http"].map(|part| file(name, part));
    let tape = tape(name, &request, &response, &reads(name));
    DiffInput::from_call(name.to_owned(), Call::read(tape, &ReadOptions::default()))
}

fn report(left: &DiffInput, right: &DiffInput) -> String {
    let difference = diff::compare(left, right, &DiffLayer::ALL, &noise::noise_rules(&[]));
    let style = OutputStyle {
        width: 100,
        ..OutputStyle::default()
    };
    let mut text = Vec::new();
    let view = DiffView {
        difference: &difference,
        noise: NoiseView::Hidden("--all shows them"),
    };
    write_unified(view, &style, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

const PAIRS: [(&str, &str); 12] = [
    ("openai-chat-plain", "openai-chat-gzip"),
    ("openai-chat-plain", "openai-chat-reasoning"),
    ("openai-chat-reasoning", "openai-chat-reasoning-empty"),
    ("openai-chat-stream-usage", "openai-chat-stream-no-usage"),
    ("openai-chat-stream-usage", "groq-stream"),
    ("openai-chat-stream-usage", "llamacpp-stream"),
    ("openai-chat-stream-usage", "openai-stream-truncated"),
    ("openai-chat-stream-tools", "compat-stream-tools-empty-id"),
    ("deepseek-stream-reasoning", "xai-stream-reasoning"),
    ("openai-429-tpm", "openai-429-insufficient-quota"),
    ("openai-429-tpm", "anthropic-429"),
    (
        "openai-chat-stream-usage",
        "anthropic-stream-thinking-tools",
    ),
];

/// The requests of two clients that were asked for the same.
const REQUESTS: [(&str, &str); 4] = [
    ("openai-python-2.54.0-plain", "openai-python-2.54.0-stream"),
    ("openai-python-2.54.0-plain", "openai-node-6.49.0-plain"),
    ("openai-python-2.54.0-plain", "langchain-openai-1.7.3-plain"),
    (
        "anthropic-python-2.12.0-retry",
        "anthropic-python-2.12.0-retry.2",
    ),
];

/// A request as a real client sent it.
fn request(name: &str) -> DiffInput {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/sdk-requests");
    let path = folder.join(format!("sdk-{name}.http"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    DiffInput::from_request(name.to_owned(), bytes, &ReadOptions::default())
}

#[test]
fn each_pair_prints_its_judged_report() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/diff");
    let assert = snapbox::Assert::new().action_env("SNAPSHOTS");
    let exchanges = PAIRS.map(|(left, right)| (left, right, subject as fn(&str) -> DiffInput));
    let requests = REQUESTS.map(|(left, right)| (left, right, request as fn(&str) -> DiffInput));
    for (left, right, read) in exchanges.into_iter().chain(requests) {
        let text = report(&read(left), &read(right));
        let path = folder.join(format!("{left}..{right}.txt"));
        assert.eq(text, snapbox::Data::read_from(&path, None));
    }
}

#[test]
fn an_exchange_does_not_differ_from_itself() {
    let names = names();
    assert!(names.len() > 50);
    for name in &names {
        let (left, right) = (subject(name), subject(name));
        let difference = diff::compare(&left, &right, &DiffLayer::ALL, &noise::noise_rules(&[]));
        assert_eq!(difference.changes().count(), 0, "{name}");
    }
}

#[test]
fn swapping_the_sides_mirrors_every_change() {
    let told = |left: &DiffInput, right: &DiffInput, mirror: bool| {
        let difference = diff::compare(left, right, &DiffLayer::ALL, &noise::noise_rules(&[]));
        let mut told: Vec<_> = difference
            .changes()
            .map(|(layer, change)| {
                let what = if mirror {
                    change.what.mirrored()
                } else {
                    change.what
                };
                let values = [&change.left, &change.right]
                    .map(|shown| shown.as_ref().map(|shown| shown.value.clone()));
                let [one, other] = values;
                let sides = if mirror { (other, one) } else { (one, other) };
                (layer, what, format!("{sides:?}"))
            })
            .collect();
        told.sort();
        told
    };
    for (left, right) in PAIRS {
        let (left, right) = (subject(left), subject(right));
        let there = told(&left, &right, false);
        let back = told(&right, &left, true);
        // Which keys of an object moved may be said from either side.
        let count = |told: &[(DiffLayer, diff::ChangeKind, String)]| {
            told.iter()
                .filter(|(_, what, _)| *what != diff::ChangeKind::Reordered)
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(count(&there), count(&back));
    }
}
