//! Other programs judge the same exchanges as `wire lint`: httplint heads, eventsource-parser and httpx-sse framing, the
//! typed classes of `openai`, `anthropic` and `openresponses-types` events. Each disagreement is written down in
//! `tests/lint/judges.md`, with who is right.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "tests look at files and variables themselves, and say when they are skipped"
)]

mod lint_pairs {
    #[allow(dead_code, reason = "shared with the test of the pairs")]
    pub(crate) mod notation;
}

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64_simd::STANDARD;
use lint_pairs::notation::read_blocks;
use serde_json::{Value, json};
use wire::call::{Call, ReadOptions};
use wire::chat::{BodyMediaType, Severity};
use wire::import;
use wire::lint::{Finding, Legality, RuleLayer, check_call};
use wire::span::StreamSide;
use wire::sse::{EventDecoder, StreamFormat, StreamItem};
use wire::tape::{Tape, Window};

/// An exchange with what `wire` says of it.
struct Judged {
    /// What the judges get.
    case: Value,
    /// Names and data of the events of a stream, as a client's code receives them.
    events: Vec<[String; 2]>,
    /// Rules that the bytes of its response break.
    head: BTreeSet<&'static str>,
    /// Rules that its answer breaks, against the form of its API.
    answer: BTreeSet<&'static str>,
}

fn judge(name: &str, tape: Tape, options: &ReadOptions, has_whole_objects: bool) -> Judged {
    let call = Call::read(tape, options);
    let body = &call.response_body.bytes;
    let completion = &call.meaning.completion;
    let is_stream = completion.media == BodyMediaType::Sse;
    let events = if is_stream { events(body) } else { vec![] };
    let is_read = is_stream || completion.media == BodyMediaType::Json;
    let is_answer = completion.status == Some(200) && has_whole_objects && is_read;
    let texts: Vec<_> = match is_stream {
        true => events.iter().map(|[_, data]| data.clone()).collect(),
        false => vec![String::from_utf8_lossy(body).into_owned()],
    };
    let texts: Vec<_> = texts.into_iter().filter(|text| text != "[DONE]").collect();
    let base64 = |bytes: &[u8]| STANDARD.encode_to_string(bytes);
    let findings = check_call((&call).into());
    let is_received = |finding: &&Finding| {
        let place = finding.place.wire;
        place.is_some_and(|place| place.side == StreamSide::Received)
    };
    let head = findings.iter().filter(is_received);
    let in_answer = |layer| matches!(layer, RuleLayer::Sse | RuleLayer::Json | RuleLayer::Chat);
    let answer = findings
        .iter()
        .filter(|finding| in_answer(finding.rule.layer) && finding.severity > Severity::Info)
        .filter(|finding| finding.rule.legal == Legality::DialectIllegal);
    Judged {
        case: json!({
            "name": name,
            "response": base64(&call.tape.received.bytes),
            "stream": is_stream.then(|| base64(body)),
            "events": is_answer.then_some(texts),
            "dialect": completion.dialect_name(),
            "streamed": is_stream,
        }),
        events,
        answer: answer.map(|finding| finding.rule.id).collect(),
        head: head.map(|finding| finding.rule.id).collect(),
    }
}

/// Names and data of the events that a client's code receives. The name `message` is the same as none.
fn events(body: &[u8]) -> Vec<[String; 2]> {
    let seen = Window {
        base: 0,
        bytes: body,
        ended: true,
    };
    let mut decoder = EventDecoder::new(StreamFormat::EventStream);
    let items = std::iter::from_fn(|| decoder.step(seen));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let events = items.filter_map(|item| match item {
        StreamItem::Event(event) => {
            let name = text(event.name(seen));
            let name = if name == "message" {
                String::new()
            } else {
                name
            };
            Some([name, text(&event.data(seen))])
        }
        _ => None,
    });
    events.collect()
}

/// The exchanges that are judged: the pairs of all rules, the exchanges of the project, and those of the public suites.
fn judged() -> BTreeMap<String, Judged> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut judged = BTreeMap::new();
    let mut add = |name: String, tape, options: &ReadOptions, has_whole_objects| {
        let found = judge(&name, tape, options, has_whole_objects);
        judged.insert(name, found);
    };
    for file in ["http", "sse", "json"] {
        let text = std::fs::read_to_string(root.join(format!("tests/lint/{file}.txt"))).unwrap();
        for block in read_blocks(&text) {
            for (side, broken) in [("broken", true), ("clean", false)] {
                let case = block.case(broken);
                let tape = case.calls[0].tape();
                add(
                    format!("{} ({side})", block.rule),
                    tape,
                    &case.options,
                    false,
                );
            }
        }
    }
    let suites = std::env::var_os("WIRE_CONFORMANCE").map(PathBuf::from);
    let suites = suites.map(|suites| suites.join("exchanges"));
    for folder in [Some(root.join("tests/exchanges")), suites]
        .into_iter()
        .flatten()
    {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let Some(name) = name.strip_suffix(".request.http") else {
                continue;
            };
            let part = |part: &str| std::fs::read(folder.join(format!("{name}.{part}.http")));
            let bytes = ["request", "response"].map(|name| part(name).unwrap());
            let tape = import::read_message(&bytes.concat());
            add(name.to_owned(), tape, &ReadOptions::default(), true);
        }
    }
    judged
}

/// The Python interpreter and the folder of the judges in JavaScript; `None` if they are not installed.
fn judges() -> Option<(PathBuf, PathBuf)> {
    let python = std::env::var_os("WIRE_PEERS_PYTHON").map(PathBuf::from);
    let found = python.and_then(|python| {
        let folder = python.parent()?.parent()?.to_owned();
        let imports = "import httplint, httpx_sse, openai, anthropic, openresponses_types";
        let probe = Command::new(&python).args(["-c", imports]).output();
        let has_parser = folder.join("node_modules/eventsource-parser").is_dir();
        (probe.is_ok_and(|probe| probe.status.success()) && has_parser).then_some((python, folder))
    });
    let required = std::env::var_os("WIRE_PEERS").is_some_and(|value| value == "required");
    assert!(found.is_some() || !required, "the judges are not installed");
    if found.is_none() {
        eprintln!("SKIPPED: the judges are not installed (.ci/peers)");
    }
    found
}

/// What a program prints of the cases, one JSON object a line.
fn ask(command: &mut Command, cases: &str) -> Vec<Value> {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(cases.as_bytes()).unwrap());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{command:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The row of a disagreement: exchange, judge, its words and ours.
fn disagreement(own: &Judged, said: &Value) -> Option<[String; 3]> {
    let judge = said["judge"].as_str().unwrap();
    let (theirs, ours) = match (said["events"].as_array(), judge) {
        (Some(_), _) if said["events"] == json!(own.events) => return None,
        (Some(theirs), _) => (
            format!("{} events: {theirs:?}", theirs.len()),
            format!("{} events: {:?}", own.events.len(), own.events),
        ),
        (None, judge) => {
            let broken = match judge {
                "httplint" => &own.head,
                _ => &own.answer,
            };
            let theirs = said["objections"].as_array().unwrap();
            if theirs.is_empty() == broken.is_empty() {
                return None;
            }
            (format!("{theirs:?}"), format!("{broken:?}"))
        }
    };
    Some([judge.to_owned(), theirs, ours])
}

/// The exchange and the judge of each row of the list, which has four columns more.
fn listed() -> BTreeSet<(String, String)> {
    let page = include_str!("lint/judges.md");
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [name, judge, .., right, why]: [&str; 6] = cells.try_into().ok()?;
        let is_row = ["wire", "judge", "both"].contains(&right);
        assert!(!is_row || !why.is_empty(), "{name}, {judge}: no reason");
        is_row.then(|| (name.to_owned(), judge.to_owned()))
    });
    rows.collect()
}

#[test]
fn each_disagreement_with_another_judge_is_explained() {
    let Some((python, folder)) = judges() else {
        return;
    };
    let own = judged();
    let lines: Vec<_> = own.values().map(|own| own.case.to_string()).collect();
    let cases = lines.join("\n");
    let script = |name: &str| format!("{}/tests/judges/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut said = ask(Command::new(python).arg(script("judges.py")), &cases);
    let mut node = Command::new("node");
    said.extend(ask(node.arg(script("eventsource.mjs")).arg(folder), &cases));
    assert!(said.len() > own.len());
    let mut listed = listed();
    listed.retain(|(name, _)| own.contains_key(name));
    let mut new = Vec::new();
    for said in &said {
        let name = said["name"].as_str().unwrap();
        if let Some([judge, theirs, ours]) = disagreement(&own[name], said)
            && !listed.remove(&(name.to_owned(), judge.clone()))
        {
            new.push(format!("| {name} | {judge} | {theirs} | {ours} | | |"));
        }
    }
    assert!(
        new.is_empty() && listed.is_empty(),
        "not in tests/lint/judges.md:\n{}\nno longer true:\n{listed:?}",
        new.join("\n")
    );
}
