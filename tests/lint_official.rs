//! Findings of severity warning and above on recorded answers of official providers: each is listed with the reason why it
//! is true. The exchanges of `tests/exchanges` are always read; those beside `WIRE_CONFORMANCE` where they are there.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests look at files and variables themselves"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use wire::call::{Call, ReadOptions};
use wire::capture::store;
use wire::chat::Severity;
use wire::diff::DiffInput;
use wire::import;
use wire::lint::{Finding, check_call, sequence};

/// The folder of the public suites, or `None`, which is reported.
fn suites() -> Option<PathBuf> {
    let folder = std::env::var_os("WIRE_CONFORMANCE").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("SKIPPED: WIRE_CONFORMANCE names no folder");
    }
    folder
}

/// Reads `REQUEST` and `RESPONSE` of an exchange as a call.
fn read(request: &Path, response: &Path) -> Call {
    let bytes = [request, response].map(|path| std::fs::read(path).unwrap());
    Call::read(
        import::read_message(&bytes.concat()),
        &ReadOptions::default(),
    )
}

/// The exchanges in `folder` by name.
fn exchanges(folder: &Path) -> BTreeMap<String, Call> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        Some(name.strip_suffix(".request.http")?.to_owned())
    });
    let call = |name: String| {
        let part = |part: &str| folder.join(format!("{name}.{part}.http"));
        let call = read(&part("request"), &part("response"));
        (name, call)
    };
    names.map(call).collect()
}

/// Exchange, severity and rule of each finding that is no mere information.
fn serious(name: &str, findings: &[Finding]) -> BTreeSet<[String; 3]> {
    let serious = findings
        .iter()
        .filter(|finding| finding.severity > Severity::Info);
    let row = |finding: &Finding| {
        let severity = finding.severity.name();
        [name, severity, finding.rule.id].map(str::to_owned)
    };
    serious.map(row).collect()
}

/// The rows of the reviewed list, without their reasons.
fn reviewed() -> BTreeSet<[String; 3]> {
    let page = include_str!("lint/official-answers.md");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, severity, rule, reason] = cells.try_into().ok()?;
        Severity::find(severity)?;
        assert!(!reason.is_empty(), "{name}, {rule}: no reason");
        Some([name, severity, rule].map(str::to_owned))
    });
    rows.collect()
}

#[test]
fn each_finding_on_an_official_answer_is_reviewed() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchanges");
    let mut calls = exchanges(&own);
    let suites = suites();
    if let Some(suites) = &suites {
        calls.extend(exchanges(&suites.join("exchanges")));
    }
    let found: BTreeSet<_> = calls
        .iter()
        .flat_map(|(name, call)| serious(name, &check_call(call.into())))
        .collect();
    let mut listed = reviewed();
    if suites.is_none() {
        listed.retain(|[name, ..]| calls.contains_key(name));
    }
    let [new, gone] = [found.difference(&listed), listed.difference(&found)]
        .map(|rows| rows.map(|row| row.join(" | ")).collect::<Vec<_>>());
    assert!(
        new.is_empty() && gone.is_empty(),
        "not in tests/lint/official-answers.md:\n{}\nno longer found:\n{}",
        new.join("\n"),
        gone.join("\n")
    );
}

/// Exchanges that look odd and are right have nothing above information.
#[test]
fn exchanges_that_only_look_odd_have_no_serious_finding() {
    let Some(folder) = suites().map(|suites| suites.join("../corpus/lint")) else {
        return;
    };
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("SKIPPED: there is no {}", folder.display());
        return;
    };
    let mut found = BTreeSet::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("clean-") {
            found.extend(serious(&name, &corpus_findings(&path)));
        }
    }
    assert!(found.is_empty(), "{found:?}");
}

/// The findings of a folder of the corpus: of its capture, or its exchange, and of the call that follows it.
fn corpus_findings(folder: &Path) -> Vec<Finding> {
    let part = |part: &str| folder.join(part);
    let capture = part("capture.wire");
    let call = match std::fs::read(&capture) {
        Ok(bytes) => Call::read(
            store::parse(&capture, &bytes).unwrap().tape,
            &ReadOptions::default(),
        ),
        Err(_) => read(&part("request.http"), &part("response.http")),
    };
    let mut findings = check_call((&call).into());
    if part("b.request.http").exists() {
        let next = read(&part("b.request.http"), &part("b.response.http"));
        findings.extend(check_call((&next).into()));
        let [call, next] = [call, next].map(|call| DiffInput::from_call(String::new(), call));
        findings.extend(sequence::check_pair(&call, &next));
    }
    findings
}
