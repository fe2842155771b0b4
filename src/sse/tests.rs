//! Event streams, JSON lines and arrays, with the items that they decode to.

use proptest::prelude::*;

use super::{
    EventDecoder, FrameFault, MAX_EVENT_BYTES, SseEvent, StreamFormat, StreamItem, checks,
    encode_frame, fuzz, fuzz_frames,
};
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
        StreamItem::Unframed { span, fault } => Some(format!("?{span} {fault:?}")),
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

fn frame(kind: &str, payload: &str) -> Vec<u8> {
    let headers = [(":message-type", "event"), (":event-type", kind)];
    encode_frame(&headers, payload.as_bytes())
}

#[test]
fn frames_are_read_with_their_headers() {
    let lines = |bytes: &[u8]| describe_items(StreamFormat::Frames, bytes);
    let two = [frame("a", "{}"), frame("b", "")].concat();
    assert_eq!(lines(&two), ["a|{}||", "b|||"]);
    let cut = &two[..two.len() - 1];
    assert_eq!(lines(cut).len(), 2);
    assert!(lines(cut)[1].starts_with('!'));
    assert_eq!(lines(&two[..9])[0].as_bytes()[0], b'!');
    assert_eq!(lines(b""), [""; 0]);
    for bytes in [
        &two[..],
        cut,
        &two[..9],
        b"",
        b"{\"message\":\"not a frame\"}",
    ] {
        fuzz(bytes);
    }
}

#[test]
fn values_of_all_types_are_skipped() {
    let mut block = Vec::new();
    for (kind, length) in [
        (0, 0),
        (1, 0),
        (2, 1),
        (3, 2),
        (4, 4),
        (5, 8),
        (8, 8),
        (9, 16),
    ] {
        block.extend_from_slice(&[1, b'x', kind]);
        block.extend(std::iter::repeat_n(0, length));
    }
    block.extend_from_slice(b"\x01x\x06\0\x02ab\x0b:event-type\x07\0\x01a");
    let read = |block: &[u8]| {
        let bytes = checks::encode_raw_frame(block, b"{}");
        let items = checks::decode_in_pieces(StreamFormat::Frames, 1 << 20, &bytes, &[1]);
        let [StreamItem::Event(event)] = items[..] else {
            panic!("{items:?}")
        };
        (
            event.name(whole_window(&bytes)) == b"a",
            event.frame.unwrap().fault,
        )
    };
    assert_eq!(read(&block), (true, None));
    let cut = &block[..block.len() - 1];
    assert_eq!(read(cut), (false, Some(FrameFault::Headers)));
    assert_eq!(read(b"\x01x\x0a"), (false, Some(FrameFault::Headers)));
}

#[test]
fn a_frame_with_a_fault_is_an_event_and_lost_lengths_end_the_stream() {
    let fault_at = |at: usize| {
        let mut bytes = [frame("a", "{}"), frame("b", "{}")].concat();
        bytes[at] ^= 1;
        fuzz(&bytes);
        checks::decode_in_pieces(StreamFormat::Frames, 1 << 20, &bytes, &[bytes.len()])
    };
    let fault = |item: &StreamItem| match item {
        StreamItem::Event(event) => event.frame.and_then(|frame| frame.fault),
        StreamItem::Unframed { fault, .. } => Some(*fault),
        other => panic!("{other:?}"),
    };
    let [payload, lengths] = [frame("a", "{}").len() - 5, 3].map(fault_at);
    assert_eq!(fault(&payload[0]), Some(FrameFault::FrameChecksum));
    assert_eq!(fault(&payload[1]), None);
    assert_eq!(lengths.len(), 1);
    assert_eq!(fault(&lengths[0]), Some(FrameFault::PreludeChecksum));
}

#[test]
fn a_frame_shorter_than_its_parts_loses_the_framing() {
    let mut bytes = [0, 0, 0, 15, 0, 0, 0, 0].to_vec();
    bytes.extend_from_slice(&super::frames::checksum_of(&bytes).to_be_bytes());
    let found = describe_items(StreamFormat::Frames, &bytes);
    assert_eq!(found, ["?0..12 Lengths"]);
    assert_eq!(super::begins_with_frame(&bytes), Some(false));
    assert_eq!(super::begins_with_frame(&frame("a", "{}")), Some(true));
    assert_eq!(super::begins_with_frame(b"\0\0\0"), None);
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
        for format in StreamFormat::ALL {
            let whole = checks::decode_in_pieces(format, MAX_EVENT_BYTES, bytes, &[bytes.len()]);
            checks::assert_covers(&whole, bytes.len() as u64);
            prop_assert_eq!(whole, checks::decode_in_pieces(format, MAX_EVENT_BYTES, bytes, &sizes));
        }
        fuzz(bytes);
    }

    #[test]
    fn any_split_of_frames_gives_the_same_items(lines in prop::collection::vec(any::<u8>(), 0..80)) {
        fuzz_frames(&lines);
    }
}
