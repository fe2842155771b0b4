//! Every case is fed whole, byte by byte, at every two-way split and with empty slices between.

use super::checks::{assert_tiles, decode_in_steps};
use super::*;
use crate::http1::StartLine;

fn text(bytes: &[u8], span: Span) -> String {
    let range = span.start as usize..span.end as usize;
    String::from_utf8_lossy(&bytes[range])
        .escape_default()
        .to_string()
}

/// One line an event, short enough to be compared by eye.
fn story(bytes: &[u8], events: &[Event]) -> String {
    let line = |event: &Event| match *event {
        Event::Blank(_) => "blank".to_owned(),
        Event::Start(StartLine::Status {
            version,
            code,
            reason,
            ..
        }) => {
            format!(
                "status {} {code} [{}]",
                text(bytes, version),
                text(bytes, reason)
            )
        }
        Event::Start(StartLine::Request {
            method,
            target,
            version,
            ..
        }) => {
            format!(
                "request [{}] [{}] {}",
                text(bytes, method),
                text(bytes, target),
                text(bytes, version)
            )
        }
        Event::Field(field) => format!(
            "[{}]: [{}]",
            text(bytes, field.name),
            text(bytes, field.value)
        ),
        Event::Trailer(field) => {
            format!(
                "trailer [{}]: [{}]",
                text(bytes, field.name),
                text(bytes, field.value)
            )
        }
        Event::HeadEnd(_, framing) => format!("head ends: {framing}"),
        Event::ChunkHead {
            size, extensions, ..
        } => format!("chunk {size}{}", text(bytes, extensions)),
        Event::Data(span) => format!("data [{}]", text(bytes, span)),
        Event::ChunkEnd(_) => "chunk ends".to_owned(),
        Event::TrailerEnd(_) => "trailers end".to_owned(),
        Event::Odd(oddity) => format!("odd {:?} {}", oddity.kind, oddity.at),
        Event::End(end) => format!("end {end:?}"),
        Event::Unframed(span) => format!("unframed [{}]", text(bytes, span)),
    };
    events.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn feed(decoder: HttpDecoder, bytes: &[u8]) -> String {
    let whole = decode_in_steps(decoder.clone(), bytes, std::iter::once(bytes.len()));
    assert_tiles(&whole, bytes.len() as u64);
    let each = decode_in_steps(decoder.clone(), bytes, std::iter::repeat_n(1, bytes.len()));
    assert_eq!(whole, each, "byte by byte");
    for cut in 0..bytes.len() {
        let halves = decode_in_steps(
            decoder.clone(),
            bytes,
            [0, cut, 0, bytes.len() - cut, 0].into_iter(),
        );
        assert_eq!(whole, halves, "cut at {cut}");
    }
    story(bytes, &whole)
}

#[track_caller]
fn response(bytes: &str, expected: &str) {
    let decoder = HttpDecoder::new(Some(RequestMethod::Other), 0, HttpLimits::default());
    assert_eq!(feed(decoder, bytes.as_bytes()), expected.trim());
}

#[track_caller]
fn request(bytes: &str, expected: &str) {
    assert_eq!(
        feed(
            HttpDecoder::new(None, 0, HttpLimits::default()),
            bytes.as_bytes()
        ),
        expected.trim()
    );
}

#[test]
fn a_length() {
    response(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 ",
        "
status HTTP/1.1 200 [OK]
[Content-Length]: [5]
head ends: Content-Length 5
data [hello]
end Complete",
    );
}

#[test]
fn a_length_cut_short() {
    response(
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
        "
status HTTP/1.1 200 [OK]
[Content-Length]: [5]
head ends: Content-Length 5
data [hel]
end Truncated { within: Body, missing: Some(2) }",
    );
}

#[test]
fn chunks_with_extension_and_trailer() {
    response(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\nmore",
        "
status HTTP/1.1 200 [OK]
[Transfer-Encoding]: [chunked]
head ends: chunked
chunk 5;a=b
data [hello]
chunk ends
chunk 0
trailer [X-Sum]: [1]
trailers end
end Complete",
    );
}

#[test]
fn chunks_cut_in_each_part() {
    #[track_caller]
    fn case(tail: &str, end: &str) {
        let bytes =
            format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n{tail}");
        let decoder = HttpDecoder::new(Some(RequestMethod::Other), 0, HttpLimits::default());
        let story = feed(decoder, bytes.as_bytes());
        assert!(story.contains(end), "{story}");
    }
    case("", "Truncated { within: ChunkHead, missing: None }");
    case("3", "Truncated { within: ChunkHead, missing: None }");
    case(
        "3\r\na",
        "Truncated { within: ChunkData, missing: Some(2) }",
    );
    case("3\r\nabc", "Truncated { within: ChunkEnd, missing: None }");
    case(
        "3\r\nabc\r",
        "Truncated { within: ChunkEnd, missing: None }",
    );
    case("0\r\n", "Truncated { within: Trailers, missing: None }");
    case(
        "0\r\nA: b\r\n",
        "Truncated { within: Trailers, missing: None }",
    );
    case("x\r\n", "FramingLost { at: 57, fault: BadChunkSize }");
    case("3\r\nabcd", "FramingLost { at: 63, fault: BadChunkEnd }");
}

#[test]
fn empty_lines_before_the_start_line_are_part_of_the_limit() {
    let limits = HttpLimits {
        head: 20,
        ..HttpLimits::default()
    };
    let story = |blanks: usize| {
        let bytes = format!("{}HTTP/1.1 200 OK\r\n\r\n", "\r\n".repeat(blanks));
        feed(
            HttpDecoder::new(Some(RequestMethod::Other), 0, limits),
            bytes.as_bytes(),
        )
    };
    assert!(!story(0).contains("Lost"), "{}", story(0));
    assert!(
        story(2).contains("FramingLost { at: 4, fault: HeadTooLong }"),
        "{}",
        story(2)
    );
    assert!(
        story(99).contains("FramingLost { at: 20, fault: HeadTooLong }"),
        "{}",
        story(99)
    );
}

#[test]
fn everything_odd_in_one_head_is_read_and_told() {
    response(
        "\r\nHTTP/1.1  200\nA : 1\r\n: 2\r\nB\t: x\x01y\r\nC: one\r\n two\r\n\r\n",
        "
odd LeadingBlank 0..2
blank
odd BareLf 15..16
odd StartLineSpacing 10..12
odd NoReason 15..15
status HTTP/1.1 200 []
odd SpaceBeforeColon 17..18
[A]: [1]
odd EmptyName 23..23
[]: [2]
odd SpaceBeforeColon 29..30
odd ControlInValue 33..34
[B]: [x\\u{1}y]
odd Folded 43..49
[C]: [one\\r\\n two]
head ends: until the connection closes
end Closed",
    );
}

#[test]
fn what_cannot_be_read_is_unframed_and_kept() {
    response(
        "SSH-2.0-OpenSSH\r\nmore",
        "
end FramingLost { at: 0, fault: NotHttp }
unframed [SSH-2.0-OpenSSH\\r\\nmore]",
    );
    response(
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\nbody",
        "
status HTTP/1.1 200 [OK]
end FramingLost { at: 17, fault: NoColon }
unframed [no colon\\r\\n\\r\\nbody]",
    );
}

#[test]
fn requests() {
    request(
        "POST /v1/chat/completions?a=b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}",
        "
request [POST] [/v1/chat/completions?a=b] HTTP/1.1
[Host]: [x]
[Content-Length]: [2]
head ends: Content-Length 2
data [{}]
end Complete",
    );
    request(
        "GET /a b HTTP/1.0\r\n\r\n",
        "
odd StartLineSpacing 0..17
request [GET] [/a b] HTTP/1.0
head ends: no body
end Complete",
    );
}

#[test]
fn a_head_over_the_limit_is_lost_at_the_line_that_passes_it() {
    let limits = HttpLimits {
        head: 40,
        chunk_head: 10,
    };
    let bytes = b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 0123456789012345678901234567890\r\n\r\n";
    let story = feed(
        HttpDecoder::new(Some(RequestMethod::Other), 0, limits),
        bytes,
    );
    assert!(
        story.contains("end FramingLost { at: 23, fault: HeadTooLong }"),
        "{story}"
    );
}

#[test]
fn a_folded_line_over_the_limit_is_lost() {
    let limits = HttpLimits {
        head: 40,
        chunk_head: 10,
    };
    let bytes = b"HTTP/1.1 200 OK\r\nA: 1\r\n 0123456789012345678901234567890\r\n\r\n";
    let story = feed(
        HttpDecoder::new(Some(RequestMethod::Other), 0, limits),
        bytes,
    );
    assert!(
        story.contains("end FramingLost { at: 17, fault: HeadTooLong }"),
        "{story}"
    );
}

proptest::proptest! {
    #[test]
    fn any_bytes_in_any_split(bytes in proptest::collection::vec(proptest::sample::select(
        b"HTTP/1. 20\r\n\r\n\n:;abc5\t\0x".to_vec()), 0..200)) {
        fuzz(&bytes);
    }

    #[test]
    fn broken_messages_in_any_split(
        steps in proptest::array::uniform4(0u8..),
        at in 0usize..200,
        byte in proptest::sample::select(b"\r\n :;0f\0\x80".to_vec()),
        chunked in proptest::bool::ANY,
    ) {
        let mut bytes = steps.to_vec();
        bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n");
        bytes.extend_from_slice(if chunked {
            b"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n10\r\n0123456789abcdef\r\n0\r\nT: u\r\n\r\n".as_slice()
        } else {
            b"Content-Length: 20\r\n\r\n0123456789012345678901234"
        });
        if let Some(place) = bytes.get_mut(4 + at) {
            *place = byte;
        }
        fuzz(&bytes);
    }
}

#[test]
fn the_lines_of_chunks_may_not_outweigh_their_data() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let end_of = |line: &str, count: usize| {
        let chunk = format!("{line}\r\na\r\n");
        let text = format!("{head}{}0\r\n\r\n", chunk.repeat(count));
        let decoder = HttpDecoder::new(Some(RequestMethod::Other), 0, HttpLimits::default());
        let events = decode_in_steps(decoder, text.as_bytes(), std::iter::once(text.len()));
        events.into_iter().find_map(|event| match event {
            Event::End(end) => Some(end),
            _ => None,
        })
    };
    let whole = Some(MessageEnd::Complete);
    assert_eq!(end_of("1", 100_000), whole);
    assert_eq!(end_of("1;ieof", 100_000), whole);
    assert_eq!(end_of(&format!("1;a={}", "b".repeat(99)), 100), whole);
    // Lines of 106 bytes, of which each chunk pays 18: line 187 passes the limit of 16 KiB.
    let at = head.len() as u64 + 186 * (106 + 3);
    assert_eq!(
        end_of(&format!("1;a={}", "b".repeat(100)), 300),
        Some(MessageEnd::FramingLost {
            at,
            fault: HttpFault::ChunkOverhead
        })
    );
}

#[test]
fn trailers_that_are_too_long_are_named() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let text = format!("{head}{}", "A: b\r\n".repeat(100_000));
    let decoder = HttpDecoder::new(Some(RequestMethod::Other), 0, HttpLimits::default());
    let events = decode_in_steps(decoder, text.as_bytes(), std::iter::once(text.len()));
    assert!(events.iter().any(|event| matches!(
        event,
        Event::End(MessageEnd::FramingLost {
            fault: HttpFault::TrailersTooLong,
            ..
        })
    )));
}
