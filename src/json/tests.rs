//! Cases by hand, and properties with `serde_json` as the second opinion.

use proptest::prelude::*;
use serde_json::Value as Plain;

use super::*;
use crate::span::Span;

#[track_caller]
fn refused(text: &str, expected: &str) {
    let error = JsonDocument::parse(text.as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), expected, "{text:?}");
    fuzz(text.as_bytes());
}

#[test]
fn refusals() {
    refused(
        "",
        "there is no JSON: the text is empty (byte 0, line 1 column 1)",
    );
    refused(
        " \n",
        "there is no JSON: the text is empty (byte 2, line 2 column 1)",
    );
    refused(
        "\u{feff}{}",
        "a byte order mark stands before the JSON (byte 0, line 1 column 1)",
    );
    refused(
        "{\"a\": 1\n \"b\"}",
        "expected `,` or `}` after a member (byte 9, line 2 column 2)",
    );
    refused(
        "[\"é\" 2]",
        "expected `,` or `]` after an item (byte 6, line 1 column 6)",
    );
    refused(
        "{\"a\" 1}",
        "expected `:` after a key (byte 5, line 1 column 6)",
    );
    refused(
        "{a: 1}",
        "expected a key in double quotes (byte 1, line 1 column 2)",
    );
    refused(
        "[1,]",
        "a comma with nothing after it (byte 2, line 1 column 3)",
    );
    refused(
        "{\"a\":1 , }",
        "a comma with nothing after it (byte 7, line 1 column 8)",
    );
    refused(
        "[01]",
        "a number with a leading zero (byte 1, line 1 column 2)",
    );
    refused(
        "[1.]",
        "expected a digit in a number (byte 3, line 1 column 4)",
    );
    refused(
        "-x",
        "expected a digit in a number (byte 1, line 1 column 2)",
    );
    refused("NaN", "expected a value (byte 0, line 1 column 1)");
    refused("nul!", "expected a value (byte 0, line 1 column 1)");
    refused(
        "{} {}",
        "text after the end of the JSON (byte 3, line 1 column 4)",
    );
    refused(
        "\"a\tb\"",
        "a control character, 0x09, in a string (byte 2, line 1 column 3)",
    );
    refused(
        r#""\x""#,
        "an escape that JSON does not know (byte 1, line 1 column 2)",
    );
    refused(
        r#""\u12g4""#,
        "an escape that JSON does not know (byte 1, line 1 column 2)",
    );
}

#[test]
fn cut_short() {
    let case = |text: &str, part, began| {
        let at = text.len();
        let expected = format!(
            "ends inside {part} that began at byte {began} (byte {at}, line 1 column {})",
            at + 1
        );
        refused(text, &expected);
    };
    case("{\"a", "a string", 1);
    case("[\"a\\", "a string", 1);
    case("[\"a\\u12", "a string", 1);
    case("{\"a\"", "an object", 0);
    case("{\"a\":", "an object", 0);
    case("{\"a\":1", "an object", 0);
    case("{\"a\":1,", "an object", 0);
    case("[[1], ", "an array", 0);
    case("[[1, ", "an array", 1);
    case("-", "a number", 0);
    case("[1e", "a number", 1);
    case("tru", "a word", 0);
}

#[test]
fn not_utf8() {
    let error = JsonDocument::parse(b"[\"ok\", \"\xff\"]").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the bytes are not UTF-8 (byte 8, line 1 column 9)"
    );
    let error = JsonDocument::parse(b"[oops, \"\xff\"]").unwrap_err();
    assert_eq!(error.at, 1, "the first fault is reported");
    let error = JsonDocument::parse(b"[\"\xe2\x82").unwrap_err();
    assert!(matches!(error.kind, JsonFault::Truncated { began: 1, .. }));
}

#[test]
fn depth_is_bounded() {
    let deep = |levels| [b"[".repeat(levels), b"]".repeat(levels)].concat();
    assert!(JsonDocument::parse(&deep(MAX_DEPTH)).is_ok());
    let error = JsonDocument::parse(&deep(MAX_DEPTH + 1)).unwrap_err();
    assert_eq!(
        (error.at, error.kind),
        (MAX_DEPTH as u64, JsonFault::TooDeep)
    );
    assert!(JsonDocument::parse(&b"[".repeat(1 << 20)).is_err());
    fuzz(&deep(MAX_DEPTH));
}

#[test]
fn values() {
    let text = br#"{"a":1,"n":[18446744073709551615,-1,1.50,1e999],"a":"x\n\ud83d\ude00\ud83d!","\u0074":true}"#;
    let document = JsonDocument::parse(text).unwrap();
    let root = document.root();
    assert_eq!(root.len(), 4);
    assert_eq!(root.get("a").unwrap().as_str().unwrap(), "x\n😀\u{fffd}!");
    assert_eq!(root.get_all("a").count(), 2);
    assert_eq!(root.get("t").unwrap().as_bool(), Some(true));
    let numbers: Vec<_> = root.get("n").unwrap().items().collect();
    assert_eq!(numbers[0].as_u64(), Some(u64::MAX));
    assert_eq!(
        (numbers[1].as_u64(), numbers[1].as_f64()),
        (None, Some(-1.0))
    );
    assert_eq!(
        (numbers[2].raw(), numbers[2].as_f64()),
        (&b"1.50"[..], Some(1.5))
    );
    assert_eq!(numbers[3].as_f64(), None);
    assert_eq!(
        root.get("n").unwrap().item_at(1).unwrap().span(),
        Span::new(33, 35)
    );
    assert_eq!(root.item_at(0).map(JsonValue::kind), None);
    assert!(!root.is_empty());
    fuzz(text);
}

#[test]
fn half_surrogates() {
    let case = |text: &str, expected: &str| {
        let document = JsonDocument::parse(text.as_bytes()).unwrap();
        assert_eq!(document.root().as_str().unwrap(), expected, "{text}");
    };
    case(r#""\ud800""#, "\u{fffd}");
    case(r#""\udc00\ud800""#, "\u{fffd}\u{fffd}");
    case(r#""\ud83d\n""#, "\u{fffd}\n");
    case(r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀");
    case(
        r#""\ud83d\u00e9\/\"\\\b\f\r\t""#,
        "\u{fffd}é/\"\\\u{8}\u{c}\r\t",
    );
}

#[test]
fn paths() {
    let case = |text: &str, expected: &str| {
        let path = ValuePath::parse(text).unwrap();
        assert_eq!(path.to_string(), expected, "{text}");
        assert_eq!(ValuePath::parse(expected).unwrap(), path, "{text}");
    };
    case("", "");
    case(".", "");
    case("/", "/");
    case("/a~1b/~0/0", "/a~1b/~0/0");
    case("/~01", "/~01");
    case("messages.0.content", "/messages/0/content");
    case(".messages[0].content", "/messages/0/content");
    case("messages[]", "/messages/-");
    case("messages.-", "/messages/-");
    case("[0][1]", "/0/1");
    case(r#""a.b".c"#, "/a.b/c");
    case(r#"a["b.c"]['d']"#, "/a/b.c/d");
    case(r"a\.b\[.c", "/a.b[/c");
    case(r#""say \"hi\"""#, "/say \"hi\"");
    case("\"\".a", "//a");
}

#[test]
fn paths_that_are_none() {
    let case = |text: &str, expected| assert_eq!(ValuePath::parse(text), Err(expected), "{text}");
    case("/a~2", ValuePathError::BadTilde { at: 2 });
    case("/b/~", ValuePathError::BadTilde { at: 3 });
    case("a..b", ValuePathError::EmptyName { at: 2 });
    case("a.", ValuePathError::EmptyName { at: 2 });
    case("\"a", ValuePathError::Unclosed { at: 0 });
    case("a.b\\", ValuePathError::Unclosed { at: 2 });
    case("a[0", ValuePathError::Unclosed { at: 1 });
    case("a[x]", ValuePathError::NotIndex { at: 1 });
    case("a[01]", ValuePathError::NotIndex { at: 1 });
    case("a[\"x\"y]", ValuePathError::NotIndex { at: 1 });
    case("\"a\"b", ValuePathError::MissingSeparator { at: 3 });
    case("a[0]b", ValuePathError::MissingSeparator { at: 4 });
}

#[test]
fn finding() {
    let text = br#"{"model":"m","messages":[{},[]],"": {"x\ny": null}, "stream": true}"#;
    let document = JsonDocument::parse(text).unwrap();
    let missed = |path: &str| {
        let path = ValuePath::parse(path).unwrap();
        find(&document, &path).unwrap_err().to_string()
    };
    assert_eq!(
        missed("messages.3.role"),
        "`/messages/3`: the array has 2 items"
    );
    assert_eq!(
        missed("messages.1.0"),
        "`/messages/1/0`: the array is empty"
    );
    assert_eq!(
        missed("messages.x"),
        "`/messages/x`: not an index, but the array has 2 items"
    );
    assert_eq!(missed("messages.-"), "`/messages/-`: the array has 2 items");
    assert_eq!(
        missed("mesages"),
        "`/mesages`: no such key (did you mean `messages`?); there are: model, messages, , stream"
    );
    assert_eq!(
        missed("messages[0].role"),
        "`/messages/0/role`: no such key; the object is empty"
    );
    assert_eq!(missed("model.x.y"), "`/model/x`: `/model` is a string");
    assert_eq!(missed("//z"), "`//z`: no such key; there are: x\\ny");
    let document = JsonDocument::parse(b"7").unwrap();
    let error = find(&document, &ValuePath::parse("a").unwrap()).unwrap_err();
    assert_eq!(error.to_string(), "`/a`: the document is a number");
}

#[test]
fn pointers() {
    let text = br#" {"a/b": [1, {"c" : "d"}], "e": {} } "#;
    let document = JsonDocument::parse(text).unwrap();
    let at = |needle: &str| {
        let offset = std::str::from_utf8(text).unwrap().find(needle).unwrap();
        pointer_at(&document, offset as u64)
    };
    assert_eq!(at("{\"a"), "");
    assert_eq!(at("a/b"), "/a~1b");
    assert_eq!(at("[1"), "/a~1b");
    assert_eq!(at("1"), "/a~1b/0");
    assert_eq!(at(", {"), "/a~1b");
    assert_eq!(at(" : "), "/a~1b/1/c");
    assert_eq!(at("d\""), "/a~1b/1/c");
    assert_eq!(at("{}"), "/e");
    assert_eq!(at("} "), "/e");
    assert_eq!(pointer_at(&document, 0), "");
    assert_eq!(pointer_at(&document, 1 << 40), "");
}

#[track_caller]
fn sets(text: &str, path: &str, new: &str, expected: &str) {
    let edited = edit::set(
        text.as_bytes(),
        &ValuePath::parse(path).unwrap(),
        new.as_bytes(),
    )
    .unwrap();
    assert_eq!(String::from_utf8_lossy(&edited.bytes), expected);
    fuzz(&edited.bytes);
}

#[test]
fn setting_what_is_there() {
    sets(
        r#"{"a" : 1.0 , "b":2}"#,
        "a",
        " [true] ",
        r#"{"a" : [true] , "b":2}"#,
    );
    sets(r#"{"a":1,"a":2}"#, "a", "3", r#"{"a":1,"a":3}"#);
    sets("[1, 2]", "/1", "{}", "[1, {}]");
    sets("\n 7 \n", "", "8", "\n 8 \n");
}

#[test]
fn setting_a_new_member() {
    sets(r#"{"a":1}"#, "k", "2", r#"{"a":1,"k":2}"#);
    sets(r#"{"a": 1}"#, "k", "2", r#"{"a": 1, "k": 2}"#);
    sets(r#"{ "a":1 }"#, "k", "2", r#"{ "a":1, "k":2 }"#);
    sets(
        r#"{"a":1, "b" : 2}"#,
        "k\"",
        "2",
        r#"{"a":1, "b" : 2, "k\"" : 2}"#,
    );
    sets(
        "{\n  \"a\": 1\n}\n",
        "k",
        "2",
        "{\n  \"a\": 1,\n  \"k\": 2\n}\n",
    );
    sets(
        "{\r\n\t\"a\": 1,\r\n\t\"b\": 2\r\n}",
        "k",
        "3",
        "{\r\n\t\"a\": 1,\r\n\t\"b\": 2,\r\n\t\"k\": 3\r\n}",
    );
    sets(
        "{\n  \"a\": 1\n, \"b\": 2\n}",
        "k",
        "3",
        "{\n  \"a\": 1\n, \"b\": 2\n, \"k\": 3\n}",
    );
    sets("{}", "k", "2", r#"{"k":2}"#);
    sets(r#"{"a": {}}"#, "a.k", "2", r#"{"a": {"k": 2}}"#);
    sets(
        r#"{"a": 1}"#,
        "x.y.0.z",
        "2",
        r#"{"a": 1, "x": {"y": [{"z": 2}]}}"#,
    );
    sets(
        r#"{}"#,
        "logit_bias.50256",
        "-100",
        r#"{"logit_bias":{"50256":-100}}"#,
    );
}

#[test]
fn setting_a_new_item() {
    sets("[]", "-", "1", "[1]");
    sets("[1]", "1", "2", "[1,2]");
    sets("[1, 2]", "-", "3", "[1, 2, 3]");
    sets("[\n  1\n]", "-", "2", "[\n  1,\n  2\n]");
    sets(r#"{"a": [1]}"#, "a[]", "2", r#"{"a": [1, 2]}"#);
    sets(
        r#"{"m": []}"#,
        "m[0].role",
        "\"user\"",
        r#"{"m": [{"role": "user"}]}"#,
    );
}

#[test]
fn setting_in_vain() {
    let case = |text: &str, path: &str, new: &str, expected: &str| {
        let path = ValuePath::parse(path).unwrap();
        let error = edit::set(text.as_bytes(), &path, new.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected);
    };
    case("[1]", "2", "1", "`/2`: the array has 1 item");
    case(
        "[1]",
        "x",
        "1",
        "`/x`: not an index, but the array has 1 item",
    );
    case("{\"a\":1}", "a.b", "1", "`/a/b`: `/a` is a number");
    case(
        "{}",
        "a",
        "{a}",
        "the new value is not JSON: expected a key in double quotes (byte 1, line 1 column 2)",
    );
    case(
        "{",
        "a",
        "1",
        "the document is not JSON: ends inside an object that began at byte 0 (byte 1, line 1 column 2)",
    );
}

#[test]
fn removing() {
    let case = |text: &str, path: &str, expected: &str| {
        let edited = edit::remove(text.as_bytes(), &ValuePath::parse(path).unwrap()).unwrap();
        assert_eq!(String::from_utf8_lossy(&edited.bytes), expected);
        assert!(edited.span.is_empty());
        fuzz(text.as_bytes());
    };
    case(r#"{"a": 1, "b": 2}"#, "a", r#"{"b": 2}"#);
    case(r#"{"a": 1 , "b": 2 }"#, "b", r#"{"a": 1 }"#);
    case("{\n  \"a\": 1,\n  \"b\": 2\n}", "b", "{\n  \"a\": 1\n}");
    case("{\n  \"a\": 1,\n  \"b\": 2\n}", "a", "{\n  \"b\": 2\n}");
    case("{\n  \"a\": 1\n}", "a", "{}");
    case("[1, [2], 3]", "1", "[1, 3]");
    case("[1, [2], 3]", "/1/0", "[1, [], 3]");
    case(r#"{"a":1,"b":0,"a":2}"#, "a", r#"{"a":1,"b":0}"#);
    let path = ValuePath::parse("").unwrap();
    assert_eq!(
        edit::remove(b"[]", &path),
        Err(JsonEditError::CannotRemoveRoot)
    );
}

#[test]
fn the_pages_picture() {
    let text = br#"{"a": [1, 2], "b": null}"#;
    let document = JsonDocument::parse(text).unwrap();
    let nodes: Vec<_> = document
        .nodes()
        .iter()
        .map(|node| (node.span(), node.next))
        .collect();
    assert_eq!(nodes[0], (Span::new(0, 24), 7));
    assert_eq!(nodes[2], (Span::new(6, 12), 5));
}

#[test]
fn long_strings_are_read_by_words() {
    for length in 0..40 {
        for stop in ["\"", "\\n\"", "\u{1}\"", "é\""] {
            let text = format!("\"{}{stop}", "\u{7f}".repeat(length));
            let ok = JsonDocument::parse(text.as_bytes()).is_ok();
            assert_eq!(ok, !stop.starts_with('\u{1}'), "{text:?}");
        }
    }
}

/// Any value, with keys that repeat from one object to the next so that paths are found.
fn plain() -> impl Strategy<Value = Plain> {
    let leaf = prop_oneof![
        Just(Plain::Null),
        any::<bool>().prop_map(Plain::from),
        any::<i64>().prop_map(Plain::from),
        any::<u64>().prop_map(Plain::from),
        (-1e10..1e10).prop_map(|number: f64| Plain::from(number)),
        any::<String>().prop_map(Plain::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = prop_oneof!["[a-d/~\\.]{0,2}", any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Plain::from),
            prop::collection::vec((key, inner), 0..5)
                .prop_map(|members| Plain::Object(members.into_iter().collect())),
        ]
    })
}

fn printed(value: &Plain, pretty: bool) -> Vec<u8> {
    match pretty {
        true => serde_json::to_vec_pretty(value).unwrap(),
        false => serde_json::to_vec(value).unwrap(),
    }
}

/// What a program would read, built from our tree.
fn to_plain(value: JsonValue<'_>) -> Plain {
    match value.kind() {
        JsonKind::Null => Plain::Null,
        JsonKind::True | JsonKind::False => Plain::from(value.as_bool().unwrap()),
        JsonKind::Number => serde_json::from_slice(value.raw()).unwrap(),
        JsonKind::String => Plain::from(value.as_str().unwrap()),
        JsonKind::Array => value.items().map(to_plain).collect(),
        JsonKind::Object => {
            let member = |(key, value): (JsonValue<'_>, _)| {
                (key.as_str().unwrap().into_owned(), to_plain(value))
            };
            Plain::Object(value.members().map(member).collect())
        }
    }
}

/// A step of a path that often leads somewhere.
fn steps() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(
        prop_oneof!["[a-d/~\\.]{0,2}", "[0-4]", Just("-".to_owned())],
        0..4,
    )
}

/// What `set` should come to; `None` where it should refuse.
fn set_plain(value: &mut Plain, steps: &[String], new: Plain) -> Option<()> {
    let Some((step, deeper)) = steps.split_first() else {
        *value = new;
        return Some(());
    };
    let empty = || match deeper.first().map(String::as_str) {
        Some("0" | "-") => Plain::Array(Vec::new()),
        _ => Plain::Object(serde_json::Map::new()),
    };
    match value {
        Plain::Object(members) => set_plain(
            members.entry(step.clone()).or_insert_with(empty),
            deeper,
            new,
        ),
        Plain::Array(items) => {
            let index = if step == "-" {
                items.len()
            } else {
                step.parse().ok()?
            };
            if index == items.len() {
                items.push(empty());
            }
            set_plain(items.get_mut(index)?, deeper, new)
        }
        _ => None,
    }
}

proptest! {
    #[test]
    fn reads_what_is_printed(value in plain(), pretty: bool) {
        let text = printed(&value, pretty);
        let document = JsonDocument::parse(&text).unwrap();
        prop_assert_eq!(to_plain(document.root()), value);
        fuzz(&text);
    }

    #[test]
    fn quotes_and_unquotes(text: String) {
        let quoted = quote(&text);
        prop_assert_eq!(&serde_json::from_slice::<String>(&quoted).unwrap(), &text);
        let document = JsonDocument::parse(&quoted).unwrap();
        prop_assert_eq!(document.root().as_str().unwrap(), text);
    }

    #[test]
    fn sets_as_a_program_would(value in plain(), new in plain(), steps in steps(), pretty: bool) {
        let text = printed(&value, pretty);
        let path = ValuePath::from_iter(steps.clone());
        let mut expected = value;
        let possible = set_plain(&mut expected, &steps, new.clone());
        let edited = edit::set(&text, &path, &printed(&new, false));
        prop_assert_eq!(edited.is_ok(), possible.is_some());
        if let Ok(edited) = edited {
            let read: Plain = serde_json::from_slice(&edited.bytes).unwrap();
            prop_assert_eq!(read, expected);
            let (start, end) = (edited.span.start as usize, edited.span.end as usize);
            let kept = edited.bytes.len() - end;
            prop_assert_eq!(&text[..start], &edited.bytes[..start]);
            prop_assert_eq!(&text[text.len() - kept..], &edited.bytes[end..]);
            let document = JsonDocument::parse(&edited.bytes).unwrap();
            if !steps.contains(&"-".to_owned()) {
                prop_assert_eq!(to_plain(find(&document, &path).unwrap()), new);
            }
        }
    }

    #[test]
    fn agrees_on_what_is_json(
        value in plain(),
        pretty: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), mutation()), 1..4),
    ) {
        let mut text = printed(&value, pretty);
        for (place, (insert, byte)) in changes {
            let at = place.index(text.len() + 1);
            match insert {
                true => text.insert(at, byte),
                false if at < text.len() => text[at] = byte,
                false => text.truncate(at.saturating_sub(usize::from(byte % 4))),
            }
        }
        fuzz(&text);
    }

    #[test]
    fn any_bytes_are_judged(text: Vec<u8>) {
        fuzz(&text);
    }

    #[test]
    fn paths_are_read_back(steps in prop::collection::vec(any::<String>(), 0..4), text: String) {
        let path = ValuePath::from_iter(steps);
        prop_assert_eq!(ValuePath::parse(&path.to_string()).unwrap(), path);
        let _ = ValuePath::parse(&text);
    }
}

/// Inserted or replaced, and mostly a byte that means something.
fn mutation() -> impl Strategy<Value = (bool, u8)> {
    let byte = prop_oneof![
        prop::sample::select(b"{}[]:,\"\\ue-+.0179tfn \n\x00\x1f/".to_vec()),
        any::<u8>()
    ];
    (any::<bool>(), byte)
}
