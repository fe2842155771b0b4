//! Event streams, JSON lines and arrays, with the items that they decode to.

use proptest::prelude::*;

use super::{EventDecoder, MAX_EVENT_BYTES, SseEvent, StreamFormat, StreamItem, checks, fuzz};
use crate::tape::Window;

fn whole_window(bytes: &[u8]) -> Window<'_> {
    Window {
        base: 0,
        bytes,
        ended: true,
    }
}

/// Each item as text: `name|data|id|retry` of an event, the same after `-` for one without data, `:text` of a comment,
/// `~` and the span of one that is too long, `!` and the bytes of a cut one.
fn describe_items(format: StreamFormat, bytes: &[u8]) -> Vec<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let part = |span: Option<crate::span::Span>| {
        span.map_or(String::new(), |span| text(whole_window(bytes).slice(span)))
    };
    let event = |event: &SseEvent| {
        let data = text(&event.data(whole_window(bytes)));
        let retry = event.retry.map_or(String::new(), |retry| retry.to_string());
        format!("{}|{data}|{}|{retry}", part(event.name), part(event.id))
    };
    let items = checks::decode_in_pieces(format, MAX_EVENT_BYTES, bytes, &[bytes.len()]);
    let lines = items.iter().filter_map(|item| match item {
        StreamItem::Event(found) => Some(event(found)),
        StreamItem::WithoutData(found) => Some(format!("-{}", event(found))),
        StreamItem::Comment { text, .. } => Some(format!(":{}", part(Some(*text)))),
        StreamItem::Separator(_) => None,
        StreamItem::TooLong(span) => Some(format!("~{span}")),
        StreamItem::Truncated(cut) => Some(format!("!{}", part(Some(cut.span)))),
    });
    lines.collect()
}

#[test]
fn event_streams_are_read_by_the_standard() {
    let cases: &[(&str, &[&str])] = &[
        ("data: a\n\n", &["|a||"]),
        ("data:  a\n\n", &["| a||"]),
        ("data:a\rdata:b\r\n\n", &["|a\nb||"]),
        ("data\n\n", &["|||"]),
        ("data:\ndata\n\n", &["|\n||"]),
        ("\u{feff}data: a\n\n", &["|a||"]),
        ("\n\u{feff}data: a\n\n", &["-|||"]),
        ("event: x\nid: 7\nretry: 10\ndata: a\n\n", &["x|a|7|10"]),
        ("event: x\n\n", &["-x|||"]),
        ("id: a\0b\nretry: 1x\ndata: a\n\n", &["|a||"]),
        (
            ": hi\n:there\n\ndata: a\n:in\n\n",
            &[":hi", ":there", ":in", "|a||"],
        ),
        (": hi", &["!: hi"]),
        ("data: a\n", &["!data: a\n"]),
        ("data: a\n\ndata: b", &["|a||", "!data: b"]),
        ("Data: a\n data: b\nother\ndata: c\n\n", &["|c||"]),
        ("\r\n\r\n", &[]),
        ("", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(
            describe_items(StreamFormat::EventStream, text.as_bytes()),
            *expected,
            "{text:?}"
        );
        fuzz(text.as_bytes());
    }
}

#[test]
fn an_event_is_returned_at_the_first_byte_of_its_blank_line() {
    let bytes = b"data: a\r\n\r";
    let open = Window {
        base: 0,
        bytes,
        ended: false,
    };
    let mut decoder = EventDecoder::new(StreamFormat::EventStream);
    assert!(matches!(decoder.step(open), Some(StreamItem::Event(_))));
    assert_eq!(decoder.ready_at(), 10);
    assert_eq!(decoder.at(), 9);
    assert_eq!(decoder.step(open), None);
}

#[test]
fn json_lines_are_read_line_by_line() {
    let cases: &[(&str, &[&str])] = &[
        (
            "{\"a\":1}\n{\"b\":2}\r\n",
            &["|{\"a\":1}||", "|{\"b\":2}||"],
        ),
        ("\n\n {} \n", &["|{}||"]),
        ("{}\n{\"a\":1}", &["|{}||", "|{\"a\":1}||"]),
        ("{}\n{\"a\":", &["|{}||", "!{\"a\":"]),
    ];
    for (text, expected) in cases {
        assert_eq!(
            describe_items(StreamFormat::Lines, text.as_bytes()),
            *expected,
            "{text:?}"
        );
        fuzz(text.as_bytes());
    }
}

#[test]
fn arrays_are_read_item_by_item() {
    let cases: &[(&str, &[&str])] = &[
        (
            "[{\"a\":\"]}\\\"\"},\r\n{}]\n",
            &["|{\"a\":\"]}\\\"\"}||", "|{}||"],
        ),
        ("[1, \"a,b\", [2]]", &["|1||", "|\"a,b\"||", "|[2]||"]),
        ("[]", &[]),
        ("[{}", &["|{}||", "!"]),
        ("[{\"a\":", &["!{\"a\":"]),
    ];
    for (text, expected) in cases {
        assert_eq!(
            describe_items(StreamFormat::Array, text.as_bytes()),
            *expected,
            "{text:?}"
        );
        fuzz(text.as_bytes());
    }
}

#[test]
fn an_event_over_the_limit_is_skipped_without_being_held() {
    let mut decoder = EventDecoder::with_limit(StreamFormat::EventStream, 100);
    let mut rolling = crate::tape::RollingBuffer::default();
    let mut found = Vec::new();
    let pieces = [b"data: ".to_vec()]
        .into_iter()
        .chain(std::iter::repeat_n(vec![b'x'; 64], 1000))
        .chain([b"\n\ndata: a\n\n".to_vec()]);
    for piece in pieces {
        rolling.feed(&piece, false, |seen| {
            assert!(seen.bytes.len() < 400, "held: {}", seen.bytes.len());
            found.extend(std::iter::from_fn(|| decoder.step(seen)));
            decoder.at()
        });
    }
    assert!(matches!(found[0], StreamItem::TooLong(span) if span.len() == 64_007));
    assert!(matches!(found[2], StreamItem::Event(_)));
}

proptest! {
    #[test]
    fn any_split_gives_the_same_items(
        text in "(data|event|id|:|retry|d|\\{|\\}|\\[|\\]|\"|\\\\|,|1| |x|\u{feff}|\r|\n|\r\n|\n\n){0,40}",
        sizes in prop::collection::vec(0usize..9, 1..6),
    ) {
        prop_assume!(sizes.iter().sum::<usize>() > 0);
        let bytes = text.as_bytes();
        for format in [StreamFormat::EventStream, StreamFormat::Lines, StreamFormat::Array] {
            let whole = checks::decode_in_pieces(format, MAX_EVENT_BYTES, bytes, &[bytes.len()]);
            checks::assert_covers(&whole, bytes.len() as u64);
            prop_assert_eq!(whole, checks::decode_in_pieces(format, MAX_EVENT_BYTES, bytes, &sizes));
        }
        fuzz(bytes);
    }
}
