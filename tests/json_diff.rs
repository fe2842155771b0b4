//! JSON diffs of real request and answer bodies: each pair keeps the promises of the module page, and the crate
//! `json_patch` turns the left body into the right one with our patch.

#![allow(
    clippy::disallowed_methods,
    reason = "tests look at files and variables themselves"
)]

use std::path::Path;

use serde_json::Value;
use wire::diff::json::{compare, fuzz, patch};
use wire::diff::work_limit::WorkLimit;
use wire::json::JsonDocument;

/// The uncompressed JSON bodies of the messages in a folder, in the order of their file names.
fn bodies(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let body = |path| {
        let text = String::from_utf8(std::fs::read(path).unwrap()).ok()?;
        let (_, body) = text.split_once("\r\n\r\n")?;
        JsonDocument::parse(body.as_bytes()).ok()?;
        Some(body.to_owned())
    };
    let mut bodies: Vec<_> = files.iter().filter_map(body).collect();
    bodies.dedup();
    bodies
}

/// The value with all numbers as doubles, so that `1` and `1.0` are equal.
fn with_float_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().into(),
        Value::Array(items) => items.into_iter().map(with_float_numbers).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            members
                .map(|(key, value)| (key, with_float_numbers(value)))
                .collect()
        }
        other => other,
    }
}

fn assert_pair(left: &str, right: &str) {
    fuzz(format!("{left}\0{right}").as_bytes());
    let [one, other] = [left, right].map(|text| JsonDocument::parse(text.as_bytes()).unwrap());
    let diff = compare(&one, &other, WorkLimit::default());
    let operations: json_patch::Patch = serde_json::from_str(&patch(&diff, &other)).unwrap();
    let mut value: Value = serde_json::from_str(left).unwrap();
    json_patch::patch(&mut value, &operations).unwrap();
    assert_eq!(
        with_float_numbers(value),
        with_float_numbers(serde_json::from_str(right).unwrap())
    );
}

#[test]
fn diffs_of_real_bodies_patch_one_into_the_other() {
    for folder in ["sdk-requests", "server-exchanges"] {
        let bodies = bodies(folder);
        assert!(bodies.len() > 20, "{folder} has bodies");
        for distance in [1, 2, 7] {
            for pair in bodies.windows(distance + 1) {
                assert_pair(&pair[0], &pair[distance]);
            }
        }
    }
}
