//! What a person would call the difference, by example; and what the module page promises, for any pair.

mod judged;

use super::super::change::ChangeKind;
use super::super::work_limit::WorkLimit;
use super::{JsonDiff, JsonPlace, compare};
use crate::json::{JsonDocument, MAX_DEPTH};

fn comparison(left: &str, right: &str) -> JsonDiff {
    let left = JsonDocument::parse(left.as_bytes()).unwrap();
    let right = JsonDocument::parse(right.as_bytes()).unwrap();
    compare(&left, &right, WorkLimit::default())
}

fn pointer(place: &JsonPlace) -> String {
    let mut text = place.path.to_string().replace(':', " > ");
    if let Some(duplicate) = place.duplicate {
        text += &format!(" ({} of {})", duplicate.nth, duplicate.of);
    }
    if place.hidden {
        text += " hidden";
    }
    text
}

/// One line for each change: its kind, and the place where it is; both where they differ.
fn lines(comparison: &JsonDiff) -> Vec<String> {
    assert!(!comparison.coarse);
    let line = |change: &super::JsonChange| {
        let (left, right) = (pointer(&change.left), pointer(&change.right));
        let place = match change.kind {
            ChangeKind::Added => right,
            ChangeKind::Removed => left,
            _ if left == right => left,
            _ => format!("{left} -> {right}"),
        };
        let keys = match change.keys.is_empty() {
            true => String::new(),
            false => format!(" [{}]", change.keys.join(" ")),
        };
        let key = if change.is_key { "key" } else { "" };
        format!("{key}{} {place}{keys}", change.kind.name())
    };
    comparison.changes.iter().map(line).collect()
}

pub(super) fn case(left: &str, right: &str, expected: &[&str]) {
    assert_eq!(lines(&comparison(left, right)), expected, "{left}\n{right}");
}

#[test]
fn members_go_by_key() {
    case(
        r#"{"a": 1, "b": 2}"#,
        r#"{"a":1,"b":3,"c":4}"#,
        &["changed /b", "added /c"],
    );
    case(r#"{"a": 1, "b": 2}"#, r#"{"b":2}"#, &["removed /a"]);
    case(r#"{"a/b~": 1}"#, r#"{"a/b~": null}"#, &["changed /a~1b~0"]);
    case(r#"{"a": 1}"#, r#"{"\u0061": 1}"#, &["keyrespelled /a"]);
    case(r#"{"a": {}}"#, r#"{"a": []}"#, &["changed /a"]);
    case("[]", "{}", &["changed "]);
}

#[test]
fn the_order_of_keys_is_no_value() {
    case(
        r#"{"a": 1, "b": 2, "c": 3}"#,
        r#"{"c": 3, "a": 1, "b": 2}"#,
        &["reordered  [c]"],
    );
    case(
        r#"{"a": 1, "b": 2, "c": 3}"#,
        r#"{"c": 3, "x": 0, "a": 1, "b": 5}"#,
        &["reordered  [c]", "added /x", "changed /b"],
    );
}

#[test]
fn duplicates_go_by_their_order() {
    case(
        r#"{"t": 1, "t": 2}"#,
        r#"{"t": 2}"#,
        &["removed /t (1 of 2) hidden"],
    );
    case(
        r#"{"t": 1, "t": {"a": 1}, "t": 2}"#,
        r#"{"t": 1, "t": {"a": 2}, "t": 3}"#,
        &["changed /t/a hidden", "changed /t (3 of 3)"],
    );
}

#[test]
fn spelling_is_told_as_that() {
    case("1", "1.0", &["respelled "]);
    case(
        r#"["é", 10]"#,
        r#"["\u00e9", 1e1]"#,
        &["respelled /0", "respelled /1"],
    );
    case("[9007199254740993]", "[9007199254740992]", &["changed /0"]);
    case(r#""\ud800""#, r#""\ud801""#, &["changed "]);
}

#[test]
fn strings_are_compared_inside() {
    case(
        r#"{"arguments": "{\"city\": \"Par\u00eds\", \"n\": 1}"}"#,
        r#"{"arguments": "{\"city\": \"Paris\", \"n\": 1}"}"#,
        &["changed /arguments > /city"],
    );
    case(
        r#"["{\"a\":1}"]"#,
        r#"["{\"a\": 1}"]"#,
        &["respelled /0 > "],
    );
    case(r#"["{\"a\":1}"]"#, r#"["{\"a\": 1"]"#, &["changed /0"]);
    case(r#"["[1]"]"#, r#"["{}"]"#, &["changed /0"]);
    let (left, right) = (r#"["\u007b\"a\\nb\":[1,2]}"]"#, r#"["{\"a\\nb\":[1,3]}"]"#);
    let diff = comparison(left, right);
    let [change] = &diff.changes[..] else {
        panic!("{diff:?}")
    };
    let at = |place: &JsonPlace, text: &str| {
        text[place.span.start as usize..place.span.end as usize].to_owned()
    };
    assert_eq!(
        (at(&change.left, left), at(&change.right, right)),
        ("2".into(), "3".into())
    );
}

#[test]
fn an_item_put_in_is_one_addition() {
    case(
        r#"[{"a":1},{"b":2}]"#,
        r#"[{"z":9},{"a":1},{"b":2}]"#,
        &["added /0"],
    );
    case("[1,2,3]", "[1,3]", &["removed /1"]);
}

#[test]
fn many_items_edited_are_each_paired() {
    let message = |n: u32, last: &str| {
        let words: Vec<_> = (n * 40..n * 40 + 30)
            .map(|word| format!("w{}", word % 977))
            .collect();
        format!(
            r#"{{"role":"user","content":"{} {last}"}}"#,
            words.join(" ")
        )
    };
    let messages = |range: std::ops::Range<u32>, last| {
        let messages: Vec<_> = range.map(|n| message(n, last)).collect();
        format!("[{}]", messages.join(","))
    };
    let diff = comparison(&messages(1..300, "old"), &messages(0..300, "new"));
    assert!(!diff.coarse);
    assert_eq!(diff.changes.len(), 300);
    assert_eq!(
        lines(&diff)[..2],
        ["added /0", "changed /0/content -> /1/content"]
    );
}

#[test]
fn as_deep_as_can_be_read() {
    let tower = |leaf: &str| {
        let text = format!(
            "{}{leaf}{}",
            "[".repeat(MAX_DEPTH - 1),
            "]".repeat(MAX_DEPTH - 1)
        );
        let string = serde_json::to_string(&format!("{{\"a\":{text}}}")).unwrap();
        format!("{{\"text\":{text},\"string\":{string}}}")
    };
    let diff = comparison(&tower("1"), &tower("2"));
    assert_eq!(diff.changes.len(), 2);
    assert!(diff.coarse, "the tower in the string stands on another");
    assert_eq!(
        diff.changes[0].right.path.to_string().len(),
        "/text".len() + 2 * (MAX_DEPTH - 1)
    );
}

#[test]
fn what_is_too_much_is_told_coarsely() {
    let array = |add: usize| {
        format!(
            "{{\"a\":{:?},\"b\":{add}}}",
            (add..add + 50).collect::<Vec<_>>()
        )
    };
    let (left, right) = (array(0), array(100));
    let [left, right] = [&left, &right].map(|text| JsonDocument::parse(text.as_bytes()).unwrap());
    let effort = WorkLimit {
        max_bytes: 5000,
        ..WorkLimit::default()
    };
    let diff = compare(&left, &right, effort);
    assert!(diff.coarse);
    let paths: Vec<_> = diff
        .changes
        .iter()
        .map(|change| (change.kind, pointer(&change.right)))
        .collect();
    let changed = |path: &str| (ChangeKind::Changed, path.to_owned());
    assert_eq!(paths, [changed("/a"), changed("/b")]);
}
