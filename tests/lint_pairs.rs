//! Every rule of `wire lint` has an exchange that breaks it and a neighbour that does not, in `tests/lint`.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its own files itself"
)]

mod lint_pairs {
    pub(crate) mod notation;
    pub(crate) mod pieces;
}

use std::collections::BTreeSet;

use lint_pairs::notation::{Block, Case, Half, read_blocks};
use lint_pairs::pieces;
use wire::call::Call;
use wire::diff::DiffInput;
use wire::lint::{Finding, all_rules, check_call, sequence};

/// Rules without a pair, each with the reason.
const WITHOUT_PAIR: &[(&str, &str)] = &[
    (
        "capture-line-too-long",
        "a line over 256 MiB is too large for a test",
    ),
    ("websocket-protocol", "tests/websocket.rs writes the frames"),
    ("websocket-limit", "tests/websocket.rs writes the frames"),
];

fn blocks() -> Vec<Block> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lint");
    let entries = std::fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let texts = paths.filter(|path| path.extension().is_some_and(|ending| ending == "txt"));
    texts
        .flat_map(|path| read_blocks(&std::fs::read_to_string(path).unwrap()))
        .collect()
}

/// The findings of one half of a block. Of two calls, those that compare them.
fn findings(case: &Case) -> Vec<Finding> {
    let read = |half: &Half| {
        let mut call = Call::read(half.tape(), &case.options);
        call.capture_notes = half.notes();
        call
    };
    match case.calls.as_slice() {
        [one] => check_call((&read(one)).into()),
        [one, other] => {
            let [one, other] =
                [one, other].map(|half| DiffInput::from_call(String::new(), read(half)));
            sequence::check_pair(&one, &other)
        }
        calls => panic!("{} calls", calls.len()),
    }
}

fn ids(findings: &[Finding]) -> BTreeSet<&str> {
    findings.iter().map(|finding| finding.rule.id).collect()
}

#[test]
fn every_rule_has_a_pair() {
    let blocks = blocks();
    let named: BTreeSet<_> = blocks.iter().map(|block| block.rule.as_str()).collect();
    let known: BTreeSet<_> = all_rules().iter().map(|rule| rule.id).collect();
    let unknown: Vec<_> = named.difference(&known).collect();
    assert!(unknown.is_empty(), "no such rules: {unknown:?}");
    let excused: BTreeSet<_> = WITHOUT_PAIR.iter().map(|(rule, _)| *rule).collect();
    let missing: BTreeSet<_> = known.difference(&named).copied().collect();
    assert_eq!(missing, excused, "rules without a pair in tests/lint");
}

#[test]
fn the_first_of_a_pair_breaks_its_rule_and_the_second_does_not() {
    let mut wrong = Vec::new();
    for block in blocks() {
        let [broken, clean] = [true, false].map(|broken| findings(&block.case(broken)));
        wrong.extend(judge_pair(&block, &broken, &clean));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What is wrong with the findings of a pair.
fn judge_pair(block: &Block, broken: &[Finding], clean: &[Finding]) -> Vec<String> {
    let rule = block.rule.as_str();
    let mut wrong = Vec::new();
    let found = broken.iter().find(|finding| finding.rule.id == rule);
    match found {
        None => wrong.push(format!("{rule}: not found, but {:?}", ids(broken))),
        Some(found) => {
            let severity = block.severity.unwrap_or(found.rule.severity);
            if found.severity != severity {
                wrong.push(format!("{rule}: found as {:?}", found.severity));
            }
        }
    }
    if ids(clean).contains(rule) {
        wrong.push(format!(
            "{rule}: the neighbour is not clean: {:?}",
            ids(clean)
        ));
    }
    let mut others: BTreeSet<_> = ids(broken).union(&ids(clean)).copied().collect();
    others.remove(rule);
    let listed: BTreeSet<_> = block.also.iter().map(String::as_str).collect();
    if others != listed {
        wrong.push(format!("{rule}: also {others:?}, not {listed:?}"));
    }
    wrong
}

#[test]
fn a_response_read_byte_by_byte_has_the_same_findings() {
    for block in blocks() {
        for broken in [true, false] {
            let case = block.case(broken);
            let [half] = case.calls.as_slice() else {
                continue;
            };
            let mut whole = findings(&case);
            let mut split = pieces::findings(half, &case.options);
            for finding in whole.iter_mut().chain(&mut split) {
                finding.place.answer.at = None;
            }
            assert_eq!(split, whole, "{}: a split changes the findings", block.rule);
        }
    }
}
