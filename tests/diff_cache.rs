//! `wire diff --cache`: how far prompts go together, against captures of the demo server and request files.

mod common;

use common::{Home, Run};
use serde_json::{Value, json};

/// A system prompt that is long enough to be cached, with a date.
fn system(date: &str) -> String {
    let rules = "Answer briefly, cite your sources, and never make facts up. ".repeat(100);
    format!("You work for Example. Today is {date}. {rules}")
}

fn chat(date: &str, turns: usize) -> Value {
    let mut messages = vec![json!({"role": "system", "content": system(date)})];
    for n in 0..turns {
        messages.push(json!({"role": "user", "content": format!("question {n}")}));
        messages.push(json!({"role": "assistant", "content": format!("answer {n}")}));
    }
    messages.push(json!({"role": "user", "content": "and now?"}));
    json!({"model": "gpt-4o-mini", "messages": messages})
}

fn claude(date: &str, turns: usize) -> Value {
    let mut request = chat(date, turns);
    let mark = json!({"type": "ephemeral"});
    let text = |text: &Value| json!([{"type": "text", "text": text, "cache_control": mark}]);
    let messages = request["messages"].as_array_mut().unwrap();
    let system = text(&messages.remove(0)["content"]);
    let last = messages.last_mut().unwrap();
    last["content"] = text(&last["content"]);
    request["system"] = system;
    request["model"] = json!("claude-sonnet-4-5");
    request["max_tokens"] = json!(50);
    request
}

fn send(home: &Home, request: &Value, to: &str) {
    home.file("sent.json", request.to_string());
    let run = home.wire(&["send", "sent.json", "--to", to, "-q"]);
    run.exits_with(0);
}

fn cache(home: &Home, arguments: &[&str]) -> Run {
    home.wire(&[&["diff", "--cache"], arguments].concat())
}

#[track_caller]
fn shows(run: &Run, texts: &[&str]) {
    for text in texts {
        assert!(
            run.out().contains(text),
            "`{text}` is not in:\n{}",
            run.out()
        );
    }
}

#[test]
fn a_conversation_step_by_step() {
    let home = Home::new();
    send(&home, &chat("2026-11-25", 1), "demo");
    send(&home, &chat("2026-11-25", 2), "demo");
    send(&home, &chat("2026-11-26", 3), "demo");
    let run = cache(&home, &["@~2", "@~1"]).exits_with(1);
    // A question and its answer came in before the last question.
    shows(
        &run,
        &[
            "BROKEN at messages[3] user: 2 items came in",
            "agrees with the bytes",
        ],
    );

    let run = cache(&home, &["@~1..@"]).exits_with(1);
    shows(
        &run,
        &[
            "BROKEN at messages[0] system: /messages/0/content was changed",
            "[-2026-11-25.-]{+2026-11-26.+}",
            "more than from a cache",
            "assumed",
        ],
    );
    assert!(run.out().is_ascii(), "{}", run.out());
    let run = cache(&home, &["@~2..@"]).exits_with(1);
    shows(
        &run,
        &[
            "STEP",
            "2 of 2 steps break the prefix",
            "messages[0] system changed",
        ],
    );

    let steps = cache(&home, &["@~1", "@", "--json"]).exits_with(1).json();
    let step = &steps["steps"][0];
    assert_eq!(step["state"], "broken");
    assert_eq!(
        step["written"]["divergence"]["right"]["pointer"],
        "/messages/0/content"
    );
    assert_eq!(step["estimate"]["basis"], "usage");
    assert_eq!(step["estimate"]["prompt"], step["check"]["input"]);
    // The demo server takes the whole prompt for cached, whatever came before.
    assert_eq!(step["check"]["verdict"], "more");
    assert_eq!(step["beside"], json!([]));
    assert!(
        step["written"]["lost"]["tokens"].as_u64().unwrap() > 1000,
        "{step}"
    );
}

#[test]
fn what_only_goes_on_is_intact() {
    let home = Home::new();
    let first = chat("2026-11-25", 2);
    let mut next = first.clone();
    let messages = next["messages"].as_array_mut().unwrap();
    messages.push(json!({"role": "assistant", "content": "now this"}));
    messages.push(json!({"role": "user", "content": "thanks"}));
    send(&home, &first, "demo");
    send(&home, &next, "demo");
    let run = cache(&home, &[]).exits_with(0);
    shows(
        &run,
        &[
            "intact: right goes on where left ends",
            "100%",
            "agrees with the bytes",
        ],
    );
    // A capture against a request that was not sent, and the other way round.
    home.file("next.json", next.to_string());
    let run = cache(&home, &["@~1", "next.json"]).exits_with(0);
    shows(
        &run,
        &["no answer to check it by", "four bytes taken for one"],
    );
    let run = cache(&home, &["next.json", "@~1"]).exits_with(0);
    shows(&run, &["right ends 2 segments earlier"]);
    // Laid out otherwise.
    home.file("wide.json", serde_json::to_string_pretty(&next).unwrap());
    let run = cache(&home, &["next.json", "wide.json"]).exits_with(1);
    shows(
        &run,
        &[
            "RESPELLED",
            "other white space",
            "as JSON values intact",
            "no document tells",
        ],
    );
    let run = cache(&home, &["wide.json", "@"]).exits_with(1);
    shows(&run, &["agrees with the JSON values"]);
}

#[test]
fn marks_of_anthropic_are_no_part_of_the_prompt() {
    let home = Home::new();
    let first = claude("2026-11-25", 2);
    let mut next = first.clone();
    let messages = next["messages"].as_array_mut().unwrap();
    let last = messages.last_mut().unwrap();
    last["content"] = last["content"][0]["text"].clone();
    messages.push(json!({"role": "assistant", "content": "now this"}));
    let content = json!([{"type": "text", "text": "thanks", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]);
    messages.push(json!({"role": "user", "content": content}));
    send(&home, &first, "demo:anthropic");
    send(&home, &next, "demo:anthropic");
    send(&home, &claude("2026-11-26", 2), "demo:anthropic");
    let run = cache(&home, &["@~2", "@~1"]).exits_with(0);
    shows(
        &run,
        &[
            "intact",
            "documented",
            "marks",
            "/messages/6/content/0 (1h)",
        ],
    );
    // Each demo server begins with an empty cache.
    shows(
        &run,
        &[
            "0 of",
            "written: FEWER than the bytes allow",
            "the bytes do not show why",
        ],
    );
    let run = cache(&home, &["@~1", "@"]).exits_with(1);
    shows(
        &run,
        &[
            "BROKEN at system[0] text",
            "every mark of left stands behind the break",
        ],
    );
}

#[test]
fn what_stands_beside_the_prompt_is_told() {
    let home = Home::new();
    let mut request = chat("2026-11-25", 1);
    send(&home, &request, "demo");
    request["model"] = json!("gpt-4o");
    request["prompt_cache_key"] = json!("user-7");
    home.file("sent.json", request.to_string());
    let header = [
        "-H",
        "OpenAI-Organization: org-9",
        "-H",
        "Authorization: Bearer another-key-0123456789",
    ];
    let run = home.wire(&[&["send", "sent.json", "--to", "demo", "-q"], &header[..]].concat());
    run.exits_with(0);
    // The prefix is intact, but a cache belongs to one model.
    let run = cache(&home, &[]).exits_with(1);
    shows(
        &run,
        &[
            "model  gpt-4o-mini -> gpt-4o",
            "/prompt_cache_key  - -> \"user-7\"",
        ],
    );
    shows(&run, &["openai-organization  - -> org-9", "key  "]);
    assert!(!run.out().contains("another-key"), "{}", run.out());
}

#[test]
fn foreign_text_cannot_steer_the_terminal() {
    let home = Home::new();
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let request = |name: &str, word: &str| {
        let message = json!({"role": "user\u{1b}[2J", "content": word});
        json!({"model": "m", "tools": [tool(name)], "messages": [message]}).to_string()
    };
    home.file("a.json", request("x\u{1b}[31m\nfake line", "one\u{7}"));
    home.file("b.json", request("x\u{1b}[31m\nfake line", "two\u{202e}\r"));
    home.file("c.json", request("\u{9b}1m", "two"));
    for pair in [["a.json", "b.json"], ["b.json", "c.json"]] {
        let run = cache(&home, &pair).exits_with(1);
        assert!(run.out().is_ascii(), "{}", run.out());
        assert!(
            run.out()
                .chars()
                .all(|char| char == '\n' || !char.is_control())
        );
        assert!(!run.out().contains("\nfake"), "{}", run.out());
    }
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let home = Home::new();
    let file = home.request();
    let file = file.to_str().unwrap();
    cache(&home, &[file])
        .exits_with(2)
        .err_contains("nothing to compare");
    cache(&home, &[file, "nowhere.json"]).exits_with(2);
    cache(&home, &[file, file, "--stat"])
        .exits_with(2)
        .err_contains("cannot be used with");
    cache(&home, &[file, file, "--dialect", "klingon"])
        .exits_with(2)
        .err_contains("no dialect");
    let run = cache(&home, &[file, file, "--dialect", "cohere"]).exits_with(0);
    shows(
        &run,
        &["tools, documents, response_format, messages (assumed"],
    );
}
