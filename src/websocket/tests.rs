//! Tests of the WebSocket readers: each rule by an example, and an encoder whose bytes are read back.

#[path = "../../tests/common/websocket_frame.rs"]
mod websocket_frame;

use proptest::prelude::*;

use super::checks::{assert_same_when_split, read_frames, read_messages};
use super::*;
use crate::span::{Span, StreamSide};

use websocket_frame::frame;

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn received(bytes: &[u8]) -> Vec<Message> {
    read_messages(StreamSide::Received, None, bytes, &[bytes.len()])
}

fn faults(messages: &[Message]) -> Vec<FrameFault> {
    let faults = messages.iter().flat_map(|message| &message.faults);
    faults.map(|found| found.fault).collect()
}

#[test]
fn the_examples_of_rfc_6455_section_5_7_are_read() {
    let hello = |side, bytes: &[u8]| {
        let messages = read_messages(side, None, bytes, &[bytes.len()]);
        let texts = messages
            .iter()
            .map(|message| (message.text(), message.faults.len()));
        assert_eq!(
            texts.collect::<Vec<_>>(),
            [(Some("Hello"), 0)],
            "{bytes:x?}"
        );
    };
    hello(StreamSide::Received, b"\x81\x05Hello");
    hello(
        StreamSide::Sent,
        b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58",
    );
    hello(StreamSide::Received, b"\x01\x03Hel\x80\x02lo");
}

#[test]
fn control_frames_come_between_the_fragments_of_a_message() {
    let bytes = b"\x01\x03Hel\x89\x02hi\x80\x02lo\x88\x05\x03\xe8bye";
    let messages = received(bytes);
    let seen = messages
        .iter()
        .map(|message| (message.opcode, message.frames, message.span));
    let expected = [
        (Opcode::Ping, 1, Span::new(5, 9)),
        (Opcode::Text, 2, Span::new(0, 13)),
        (Opcode::Close, 1, Span::new(13, 20)),
    ];
    assert_eq!(seen.collect::<Vec<_>>(), expected);
    let text = &messages[1];
    assert_eq!(text.pieces, [(0, Span::new(2, 5)), (3, Span::new(11, 13))]);
    let reason = messages[2].close_reason().unwrap();
    assert_eq!(reason.to_string(), "code 1000 (normal closure): bye");
    assert_eq!(faults(&messages), []);
}

#[test]
fn each_broken_rule_is_a_fault_and_the_rest_is_read() {
    let case = |bytes: &[u8], fault| {
        let mut bytes = bytes.to_vec();
        bytes.extend(b"\x81\x04next");
        let messages = received(&bytes);
        assert!(
            faults(&messages).contains(&fault),
            "{fault:?}: {messages:?}"
        );
        assert_eq!(messages.last().unwrap().text(), Some("next"), "{fault:?}");
    };
    case(b"\xa1\x01a", FrameFault::ReservedBits);
    case(b"\xc1\x01a", FrameFault::ReservedBits);
    case(b"\x83\x01a", FrameFault::UnknownOpcode);
    case(b"\x81\x81\x00\x00\x00\x00a", FrameFault::Masked);
    case(&frame(0x89, None, &[0; 126]), FrameFault::ControlTooLong);
    case(b"\x09\x00", FrameFault::ControlFragmented);
    case(b"\x81\x7e\x00\x01a", FrameFault::LengthNotMinimal);
    case(
        b"\x81\x7f\x00\x00\x00\x00\x00\x00\x00\x01a",
        FrameFault::LengthNotMinimal,
    );
    case(b"\x80\x01a", FrameFault::NothingToContinue);
    case(b"\x01\x01a", FrameFault::MessageNotEnded);
    case(b"\x81\x01\xff", FrameFault::NotUtf8);
    let sent = read_messages(StreamSide::Sent, None, b"\x81\x01a", &[3]);
    assert_eq!(faults(&sent), [FrameFault::NotMasked]);
}

#[test]
fn faults_of_close_frames() {
    let case = |payload: &[u8], expected: &[FrameFault]| {
        assert_eq!(faults(&received(&frame(0x88, None, payload))), expected);
    };
    case(b"", &[]);
    case(b"\x03", &[FrameFault::CloseCodeCut]);
    case(b"\x03\xee", &[FrameFault::CloseCodeInvalid]);
    case(b"\x03\xe8\xff", &[FrameFault::NotUtf8]);
    case(b"\x0f\xa0app", &[]);
}

#[test]
fn bytes_after_a_close_frame_are_no_frames() {
    let bytes = b"\x88\x00\x81\x01a";
    let events = read_frames(StreamSide::Received, false, bytes, &[1]);
    assert_eq!(
        events.last(),
        Some(&FrameEvent::AfterClose(Span::new(2, 5)))
    );
    assert_eq!(received(bytes).len(), 1);
}

#[test]
fn a_cut_says_how_many_bytes_did_not_come() {
    let cut = |bytes: &[u8]| read_frames(StreamSide::Received, false, bytes, &[1]).pop();
    let missing = |head, missing| Some(FrameEvent::Cut { head, missing });
    assert_eq!(cut(b"\x81\x05Hel"), missing(Span::empty_at(5), Some(2)));
    assert_eq!(cut(b"\x81\x7e\x01"), missing(Span::new(0, 3), None));
    let messages = received(b"\x01\x01a\x80\x05b");
    assert_eq!(messages.len(), 1);
    assert_eq!(
        (messages[0].is_whole, &*messages[0].payload),
        (false, &b"ab"[..])
    );
    let huge = b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xffabc";
    assert_eq!(faults(&received(huge)), [FrameFault::LengthTooLarge]);
}

#[test]
fn the_handshake_names_the_parameters_of_deflate() {
    let read = |value: &str| DeflateParams::read([value.as_bytes()]);
    assert_eq!(read("x-webkit-deflate-frame"), None);
    assert_eq!(read("permessage-deflate"), Some(DeflateParams::default()));
    let all = "foo, Permessage-Deflate ; server_no_context_takeover;client_max_window_bits=\"10\"; \
               server_max_window_bits = 12";
    assert_eq!(
        read(all),
        Some(DeflateParams {
            server_no_context_takeover: true,
            client_no_context_takeover: false,
            server_max_window_bits: Some(12),
            client_max_window_bits: Some(10),
        })
    );
}

/// Compresses messages as a sender with permessage-deflate does (RFC 7692, 7.2.1).
struct Deflater(flate2::Compress, bool);

impl Deflater {
    fn new(is_without_context: bool) -> Self {
        Self(
            flate2::Compress::new(flate2::Compression::default(), false),
            is_without_context,
        )
    }

    fn message(&mut self, payload: &[u8]) -> Vec<u8> {
        if self.1 {
            self.0.reset();
        }
        let mut out = Vec::with_capacity(payload.len() + 1024);
        self.0
            .compress_vec(payload, &mut out, flate2::FlushCompress::Sync)
            .unwrap();
        // An empty block is left out where nothing came since the last one; RFC 7692, 7.2.3.6 has this form for it.
        match out.len().checked_sub(4) {
            None => vec![0],
            Some(length) => {
                out.truncate(length);
                out
            }
        }
    }
}

#[test]
fn a_context_is_kept_between_messages_or_not() {
    for is_without_context in [false, true] {
        let mut deflater = Deflater::new(is_without_context);
        let texts = ["a text of some words", "a text of some words", "", "a text"];
        let bytes: Vec<u8> = texts
            .iter()
            .flat_map(|text| frame(0xc1, None, &deflater.message(text.as_bytes())))
            .collect();
        let params = DeflateParams {
            server_no_context_takeover: is_without_context,
            ..DeflateParams::default()
        };
        let messages = read_messages(StreamSide::Received, Some(params), &bytes, &[7]);
        let read: Vec<_> = messages
            .iter()
            .map(|message| message.text().unwrap())
            .collect();
        assert_eq!(read, texts);
        assert_eq!(faults(&messages), []);
    }
}

/// The example of RFC 7692, 7.2.3.4: a message whose deflate data end with a last block.
#[test]
fn a_last_block_ends_no_message() {
    let bytes = b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00";
    let messages = read_messages(
        StreamSide::Received,
        Some(DeflateParams::default()),
        bytes,
        &[1],
    );
    let texts: Vec<_> = messages.iter().map(Message::text).collect();
    assert_eq!(texts, [Some("Hello"), Some("Hello")]);
}

#[test]
fn a_bomb_is_read_to_the_limit_and_said_to_be_over_it() {
    let mut deflater = Deflater::new(false);
    let bomb = deflater.message(&vec![b'a'; 1 << 20]);
    let bytes = [
        frame(0xc1, None, &bomb),
        frame(0xc1, None, &deflater.message(b"a")),
    ]
    .concat();
    let messages = read_messages(
        StreamSide::Received,
        Some(DeflateParams::default()),
        &bytes,
        &[9],
    );
    assert_eq!(messages[0].payload.len() as u64, checks::LOW_LIMITS.message);
    // The second message may refer to bytes that were not inflated.
    assert_eq!(
        faults(&messages),
        [FrameFault::OverLimit, FrameFault::NotInflated]
    );
    let params = DeflateParams {
        server_no_context_takeover: true,
        ..DeflateParams::default()
    };
    let many = frame(0xc1, None, &Deflater::new(true).message(&[b'a'; 2000])).repeat(6);
    let messages = read_messages(StreamSide::Received, Some(params), &many, &[9]);
    let sizes: Vec<_> = messages
        .iter()
        .map(|message| message.payload.len())
        .collect();
    assert_eq!(
        sizes,
        [2000, 2000, 2000, 2000, 1000, 0],
        "of all messages together"
    );
}

/// A message to encode: opcode, payload, sizes of its fragments, whether it is compressed.
type EncodedMessage = (bool, Vec<u8>, Vec<usize>, bool);

fn any_message() -> impl Strategy<Value = EncodedMessage> {
    let payload = prop_oneof![
        "[a-zä ]{0,40}".prop_map(String::into_bytes),
        "x{120,300}".prop_map(String::into_bytes),
    ];
    (
        any::<bool>(),
        payload,
        prop::collection::vec(0usize..60, 0..4),
        any::<bool>(),
    )
}

/// The frames of a message, with a ping between its fragments.
fn encode(message: &EncodedMessage, key: Option<[u8; 4]>, deflater: &mut Deflater) -> Vec<u8> {
    let (is_text, payload, sizes, is_compressed) = message;
    let payload = match is_compressed {
        true => deflater.message(payload),
        false => payload.clone(),
    };
    let (mut bytes, mut rest) = (Vec::new(), payload.as_slice());
    let mut first = if *is_text { 1 } else { 2 } | if *is_compressed { 0x40 } else { 0 };
    for size in sizes {
        let (piece, after) = rest.split_at(*size.min(&rest.len()));
        bytes.extend(frame(first, key, piece));
        bytes.extend(frame(0x89, key, b"are you there"));
        (rest, first) = (after, 0);
    }
    bytes.extend(frame(first | 0x80, key, rest));
    bytes
}

proptest! {
    #[test]
    fn encoded_messages_are_read_back(
        messages in prop::collection::vec(any_message(), 0..6),
        is_sent: bool,
        is_without_context: bool,
        size in 1usize..50,
    ) {
        let (side, key) = match is_sent {
            true => (StreamSide::Sent, Some(KEY)),
            false => (StreamSide::Received, None),
        };
        let mut deflater = Deflater::new(is_without_context);
        let bytes: Vec<u8> = messages
            .iter()
            .flat_map(|message| encode(message, key, &mut deflater))
            .collect();
        let params = DeflateParams {
            server_no_context_takeover: is_without_context,
            client_no_context_takeover: is_without_context,
            ..DeflateParams::default()
        };
        let read = read_messages(side, Some(params), &bytes, &[size]);
        prop_assert_eq!(faults(&read), vec![]);
        let data: Vec<_> = read.iter().filter(|message| !message.opcode.is_control()).collect();
        prop_assert_eq!(data.len(), messages.len());
        for (read, (is_text, payload, sizes, is_compressed)) in data.iter().zip(&messages) {
            prop_assert_eq!(read.opcode == Opcode::Text, *is_text);
            prop_assert_eq!(&read.payload, payload);
            prop_assert_eq!(read.frames, sizes.len() as u64 + 1);
            prop_assert_eq!(read.is_compressed, *is_compressed);
        }
        assert_same_when_split(side, Some(params), &bytes, &[size]);
    }

    #[test]
    fn any_bytes_are_read_in_any_split(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        sizes in prop::collection::vec(0usize..20, 1..5),
        choice: u8,
    ) {
        prop_assume!(sizes.iter().any(|size| *size > 0));
        let deflate = (choice & 1 != 0).then_some(DeflateParams::default());
        let side = if choice & 2 != 0 { StreamSide::Sent } else { StreamSide::Received };
        assert_same_when_split(side, deflate, &bytes, &sizes);
    }

    #[test]
    fn short_frames_of_any_kind_are_read_in_any_split(
        frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..12)), 0..12),
        masked: bool,
        choice: u8,
    ) {
        let key = masked.then_some(KEY);
        let bytes: Vec<u8> = frames
            .iter()
            .flat_map(|(first, payload)| frame(*first, key, payload))
            .collect();
        fuzz(&[&[choice], bytes.as_slice()].concat());
    }
}
