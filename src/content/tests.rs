//! Tests with streams of each coding: split, cut, damaged, nested, and followed by more bytes.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::prelude::*;

use super::checks::{assert_same_when_split, decode_in_steps};
use super::*;
use crate::span::Span;

/// Writes `parts` to an encoder with a flush after each; returns the encoder.
fn encode_parts<W: Write>(mut coder: W, parts: &[&[u8]], mut after: impl FnMut(&W)) -> W {
    for part in parts {
        coder.write_all(part).unwrap();
        coder.flush().unwrap();
        after(&coder);
    }
    coder
}

/// The parts encoded with a flush after each, and the number of coded bytes after each.
fn encode_with_flushes(coding: ContentCoding, parts: &[&[u8]]) -> (Vec<u8>, Vec<usize>) {
    let mut ends = Vec::new();
    let coded = match coding {
        ContentCoding::Identity => encode_parts(Vec::new(), parts, |out| ends.push(out.len())),
        ContentCoding::Gzip => {
            let coder = GzEncoder::new(Vec::new(), Compression::default());
            let coder = encode_parts(coder, parts, |coder| ends.push(coder.get_ref().len()));
            coder.finish().unwrap()
        }
        ContentCoding::Deflate => {
            let coder = ZlibEncoder::new(Vec::new(), Compression::default());
            let coder = encode_parts(coder, parts, |coder| ends.push(coder.get_ref().len()));
            coder.finish().unwrap()
        }
        ContentCoding::Brotli => {
            let coder = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
            let coder = encode_parts(coder, parts, |coder| ends.push(coder.get_ref().len()));
            coder.into_inner()
        }
        ContentCoding::Zstd => {
            let coder = zstd::stream::write::Encoder::new(Vec::new(), 3).unwrap();
            let coder = encode_parts(coder, parts, |coder| ends.push(coder.get_ref().len()));
            coder.finish().unwrap()
        }
    };
    (coded, ends)
}

fn encode(coding: ContentCoding, text: &[u8]) -> Vec<u8> {
    encode_with_flushes(coding, &[text]).0
}

fn encode_raw_deflate(text: &[u8]) -> Vec<u8> {
    let mut coder = DeflateEncoder::new(Vec::new(), Compression::default());
    coder.write_all(text).unwrap();
    coder.finish().unwrap()
}

const CODED: [ContentCoding; 4] = [
    ContentCoding::Gzip,
    ContentCoding::Deflate,
    ContentCoding::Brotli,
    ContentCoding::Zstd,
];

/// The decoded bytes and the error message, which must be the same at any split.
#[track_caller]
fn decode_at_any_split(codings: &[ContentCoding], bytes: &[u8]) -> (Vec<u8>, String) {
    assert_same_when_split(codings, bytes, 7, DecodeLimits::default());
    let (out, trouble) =
        decode_in_steps(codings, bytes, bytes.len().max(1), DecodeLimits::default());
    (
        out,
        trouble.map_or_else(String::new, |trouble| trouble.to_string()),
    )
}

#[test]
fn coding_names_are_parsed() {
    let parse = |names: &[&str]| ContentCoding::parse(names.iter().map(|name| name.as_bytes()));
    assert_eq!(
        parse(&["gzip", "BR"]),
        Ok(vec![ContentCoding::Gzip, ContentCoding::Brotli])
    );
    assert_eq!(
        parse(&["X-Gzip , identity,, deflate", "zstd"]),
        Ok(vec![
            ContentCoding::Gzip,
            ContentCoding::Deflate,
            ContentCoding::Zstd
        ])
    );
    assert_eq!(parse(&[]), Ok(vec![]));
    let error = parse(&["compress\x1b"]).unwrap_err();
    assert_eq!(error.to_string(), "unknown content coding `compress\\x1b`");
}

#[test]
fn flushed_bytes_are_decoded_at_once() {
    let parts: [&[u8]; 4] = [
        b"data: one\n\n",
        b"data: two\n\n",
        b": ping\n\n",
        b"data: [DONE]\n\n",
    ];
    let every = [&CODED[..], &[ContentCoding::Identity]].concat();
    for coding in every {
        let (coded, ends) = encode_with_flushes(coding, &parts);
        let mut decoder = ContentDecoder::new(&[coding], DecodeLimits::default());
        let mut start = 0;
        for (end, part) in ends.into_iter().zip(parts) {
            let mut out = Vec::new();
            decoder.push(&coded[start..end], &mut out).unwrap();
            assert_eq!(out, part, "{coding}");
            start = end;
        }
        decoder.push(&coded[start..], &mut Vec::new()).unwrap();
        decoder.finish().unwrap();
    }
}

#[test]
fn an_empty_body_is_complete() {
    for coding in CODED {
        assert_eq!(
            decode_at_any_split(&[coding], b""),
            (Vec::new(), String::new())
        );
    }
}

#[test]
fn a_coded_body_that_is_cut_is_truncated() {
    for coding in CODED {
        let coded = encode(coding, b"some text, some text");
        for cut in 1..coded.len() {
            let (_, trouble) = decode_at_any_split(&[coding], &coded[..cut]);
            let expected = format!(
                "{coding}: the coded bytes stop before their end (byte {cut} of the coded body)"
            );
            assert_eq!(trouble, expected);
        }
    }
}

#[test]
fn bytes_after_the_coded_end_are_an_error() {
    for coding in CODED {
        let coded = encode(coding, b"some text");
        for more in ["\r\n", "\0", "\x1f", "\x1fx", "{", "(x"] {
            let (out, trouble) =
                decode_at_any_split(&[coding], &[&coded, more.as_bytes()].concat());
            assert_eq!(out, b"some text");
            let end = coded.len();
            // A byte that might begin another member or frame differs from trailing ones only in the next.
            let cut = (coding == ContentCoding::Gzip && more == "\x1f")
                .then_some("stop before their end");
            let expected = cut.unwrap_or("more bytes follow the end of the coded ones");
            assert!(trouble.contains(expected), "{more:?}: {trouble}");
            let at = if cut.is_some() { end + 1 } else { end };
            assert!(
                trouble.contains(&format!("(byte {at} of")),
                "{more:?}: {trouble}"
            );
        }
    }
}

#[test]
fn plain_text_is_not_a_coded_body() {
    let text = br#"{"error": "not coded at all"}"#;
    for coding in [ContentCoding::Gzip, ContentCoding::Zstd] {
        let expected = format!(
            "{coding}: the body does not begin as this coding does (byte 0 of the coded body)"
        );
        assert_eq!(decode_at_any_split(&[coding], text), (Vec::new(), expected));
    }
    for coding in [ContentCoding::Deflate, ContentCoding::Brotli] {
        let (_, trouble) = decode_at_any_split(&[coding], text);
        assert!(trouble.contains("corrupt"), "{trouble}");
    }
}

#[test]
fn a_wrong_checksum_is_an_error_after_the_text() {
    let mut coded = encode(ContentCoding::Gzip, b"some text");
    let place = coded.len() - 8;
    coded[place] ^= 1;
    let (out, trouble) = decode_at_any_split(&[ContentCoding::Gzip], &coded);
    assert_eq!(out, b"some text");
    assert!(
        trouble.starts_with("gzip: the coded bytes are corrupt: incorrect data check"),
        "{trouble}"
    );
}

#[test]
fn several_members_or_frames_are_one_body() {
    for coding in [ContentCoding::Gzip, ContentCoding::Zstd] {
        let twice = [
            encode(coding, b"one "),
            encode(coding, b""),
            encode(coding, b"two"),
        ]
        .concat();
        assert_eq!(
            decode_at_any_split(&[coding], &twice),
            (b"one two".to_vec(), String::new())
        );
    }
    let skippable = b"\x50\x2a\x4d\x18\x03\0\0\0abc";
    let frames = [
        skippable,
        &encode(ContentCoding::Zstd, b"one")[..],
        skippable,
    ]
    .concat();
    assert_eq!(
        decode_at_any_split(&[ContentCoding::Zstd], &frames),
        (b"one".to_vec(), String::new())
    );
}

#[test]
fn deflate_is_read_with_and_without_a_zlib_header() {
    for text in [&b""[..], b"x", b"some text, some text, some text"] {
        let expected = (text.to_vec(), String::new());
        assert_eq!(
            decode_at_any_split(&[ContentCoding::Deflate], &encode_raw_deflate(text)),
            expected
        );
        assert_eq!(
            decode_at_any_split(
                &[ContentCoding::Deflate],
                &encode(ContentCoding::Deflate, text)
            ),
            expected
        );
    }
}

#[test]
fn nested_codings_are_undone_in_reverse_order() {
    let text = b"some text, some text, some text";
    let once = encode(ContentCoding::Gzip, text);
    let twice = encode(ContentCoding::Brotli, &once);
    let codings = [ContentCoding::Gzip, ContentCoding::Brotli];
    assert_eq!(
        decode_at_any_split(&codings, &twice),
        (text.to_vec(), String::new())
    );
    let cut_inside = encode(ContentCoding::Brotli, &once[..once.len() - 1]);
    let (out, trouble) = decode_at_any_split(&codings, &cut_inside);
    assert_eq!(out, text);
    assert!(
        trouble.starts_with("gzip: the coded bytes stop before their end"),
        "{trouble}"
    );
    let (_, trouble) = decode_at_any_split(&[ContentCoding::Gzip; 9], b"x");
    assert_eq!(
        trouble,
        "gzip: 9 codings are on this body, more than can be undone (byte 0 of the coded body)"
    );
}

#[test]
fn a_bomb_stops_at_the_size_limit() {
    let limits = DecodeLimits {
        size: 100_000,
        ..DecodeLimits::default()
    };
    for coding in CODED {
        let coded = encode(coding, &vec![0; 1 << 20]);
        assert_same_when_split(&[coding], &coded, 5, limits);
        let (out, trouble) = decode_in_steps(&[coding], &coded, coded.len(), limits);
        assert_eq!(out.len(), 100_000);
        assert_eq!(trouble.unwrap().kind, CodingFault::SizeLimit(100_000));
        let exact = DecodeLimits {
            size: 1 << 20,
            ..limits
        };
        assert_eq!(decode_in_steps(&[coding], &coded, 3, exact).1, None);
    }
}

#[test]
fn a_bomb_stops_at_the_ratio_limit() {
    for coding in CODED {
        let coded = encode(coding, &vec![0; 40 << 20]);
        let (out, trouble) =
            decode_in_steps(&[coding], &coded, coded.len(), DecodeLimits::default());
        assert_eq!(
            trouble.unwrap().kind,
            CodingFault::RatioLimit(200),
            "{coding}"
        );
        let most = (16 << 20) + (64 << 10);
        assert!((16 << 20..=most).contains(&out.len()), "{}", out.len());
    }
}

#[test]
fn a_small_body_may_have_any_ratio() {
    for coding in CODED {
        let text = vec![b' '; 16 << 20];
        let coded = encode(coding, &text);
        assert!(text.len() > 200 * coded.len(), "{coding} makes it small");
        let read = decode_in_steps(&[coding], &coded, 512, DecodeLimits::default());
        assert!(read == (text, None), "{coding}");
    }
}

#[test]
fn output_is_passed_on_in_pieces() {
    for coding in CODED {
        let coded = encode(coding, &vec![0; 1 << 20]);
        let (mut longest, mut all) = (0, 0);
        let mut decoder = ContentDecoder::new(&[coding], DecodeLimits::default());
        let mut out = |piece: &[u8]| {
            longest = longest.max(piece.len());
            all += piece.len();
        };
        decoder.push_to(&coded, &mut out).unwrap();
        assert_eq!(all, 1 << 20, "{coding}");
        assert!(longest <= 16 << 10, "{coding}: {longest} bytes at once");
    }
}

#[test]
fn a_body_held_in_memory_has_its_own_limit() {
    let text = b"some text".repeat(100);
    let limits = DecodeLimits {
        held_size: 500,
        ..DecodeLimits::default()
    };
    for coding in CODED {
        let coded = encode(coding, &text);
        let run = [(Span::new(10, 10 + coded.len() as u64), &*coded)];
        let body = DecodedBody::decode(&[coding], run, limits);
        assert_eq!(body.bytes, text[..500], "{coding}");
        assert_eq!(body.error.unwrap().kind, CodingFault::SizeLimit(500));
        assert!(body.error_at.is_some_and(|at| run[0].0.contains(at - 1)));
        assert_eq!(
            decode_in_steps(&[coding], &coded, 7, limits),
            (text.clone(), None)
        );
    }
    // A body without coding is held already, so the limit does not apply.
    let run = [(Span::new(0, text.len() as u64), &*text)];
    assert_eq!(DecodedBody::decode(&[], run, limits).error, None);
}

#[test]
fn a_zstd_window_over_the_limit_is_refused() {
    let mut coder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    coder.window_log(20).unwrap();
    coder.include_contentsize(false).unwrap();
    let coded = encode_parts(coder, &[b"some text"], |_| {})
        .finish()
        .unwrap();
    let limits = DecodeLimits {
        window_log: 15,
        ..DecodeLimits::default()
    };
    assert_same_when_split(&[ContentCoding::Zstd], &coded, 4, limits);
    let trouble = decode_in_steps(&[ContentCoding::Zstd], &coded, 1, limits)
        .1
        .unwrap();
    assert_eq!(trouble.kind, CodingFault::WindowLimit(15));
    assert_eq!(
        decode_in_steps(&[ContentCoding::Zstd], &coded, 1, DecodeLimits::default()).1,
        None
    );
}

#[test]
fn each_decoded_byte_has_a_wire_offset() {
    let body = DecodedBody::decode(
        &[],
        [(Span::new(10, 13), &b"abc"[..]), (Span::new(20, 22), b"de")],
        DecodeLimits::default(),
    );
    assert_eq!(body.bytes, b"abcde");
    assert_eq!(
        body.pieces,
        [(0, Span::new(10, 13)), (3, Span::new(20, 22))]
    );
    let offsets: Vec<_> = (0..6).map(|offset| body.wire_offset(offset)).collect();
    assert_eq!(
        offsets,
        [Some(10), Some(11), Some(12), Some(20), Some(21), None]
    );
    assert_eq!(body.wire_span(Span::new(1, 4)), Span::new(11, 21));
    assert_eq!(body.wire_span(Span::new(3, 3)), Span::empty_at(20));
    assert_eq!(body.wire_span(Span::new(5, 9)), Span::empty_at(22));

    let (coded, ends) = encode_with_flushes(ContentCoding::Gzip, &[b"data: 1\n\n", b"data: 2\n\n"]);
    let (head, rest) = coded.split_at(5);
    let (one, rest) = rest.split_at(ends[0] - 5);
    let (two, end) = rest.split_at(ends[1] - ends[0]);
    let mut at = 0;
    let runs = [head, one, two, end].map(|run| {
        let span = Span::new(at, at + run.len() as u64);
        at = span.end + 7;
        (span, run)
    });
    let body = DecodedBody::decode(&[ContentCoding::Gzip], runs, DecodeLimits::default());
    assert_eq!(body.bytes, b"data: 1\n\ndata: 2\n\n");
    let spans = [Span::new(0, runs[1].0.end), runs[2].0];
    assert_eq!(body.pieces, [(0, spans[0]), (9, spans[1])]);
    assert_eq!(body.wire_offset(8), Some(spans[0].end - 1));
    assert_eq!(body.wire_offset(9), Some(spans[1].end - 1));
    assert_eq!(body.wire_span(Span::new(2, 3)), spans[0]);
    assert_eq!(body.wire_span(Span::new(2, 12)), Span::new(0, spans[1].end));
    assert_eq!((body.error, body.error_at), (None, None));
    let cut = DecodedBody::decode(
        &[ContentCoding::Gzip],
        runs[..3].iter().copied(),
        DecodeLimits::default(),
    );
    assert_eq!(cut.error.unwrap().kind, CodingFault::Truncated);
    assert_eq!(cut.error_at, Some(runs[2].0.end));
}

#[test]
fn text_before_damage_is_kept() {
    let text: Vec<u8> = (0..40_000u32)
        .flat_map(|n| n.to_string().into_bytes())
        .collect();
    for coding in CODED {
        let mut coded = encode(coding, &text);
        let middle = coded.len() / 2;
        coded[middle..].fill(0xff);
        let (out, trouble) = decode_at_any_split(&[coding], &coded);
        assert!(text.starts_with(&out[..out.len().min(40_000)]), "{coding}");
        assert!(!trouble.is_empty(), "{coding}");
        let least = if coding == ContentCoding::Zstd {
            0
        } else {
            40_000
        };
        assert!(out.len() >= least, "{coding}: {}", out.len());
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300),
        "[a-e \n]{0,300}".prop_map(String::into_bytes),
        (any::<u8>(), 0usize..5000).prop_map(|(byte, count)| vec![byte; count]),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn encoded_bytes_decode_to_themselves(
        text in text(),
        codings in prop::collection::vec(prop::sample::select(CODED.to_vec()), 1..4),
        step in 1usize..400,
    ) {
        let bytes = codings.iter().fold(text.clone(), |bytes, &coding| encode(coding, &bytes));
        assert_same_when_split(&codings, &bytes, step, DecodeLimits::default());
        let (out, trouble) = decode_in_steps(&codings, &bytes, step, DecodeLimits::default());
        prop_assert_eq!(trouble, None);
        prop_assert_eq!(out, text);
    }

    #[test]
    fn damage_gives_the_same_error_at_any_split(
        text in text(),
        coding in prop::sample::select(CODED.to_vec()),
        place in any::<prop::sample::Index>(),
        byte: u8,
        step in 1usize..400,
    ) {
        let mut bytes = encode(coding, &text);
        let place = place.index(bytes.len());
        bytes[place] = byte;
        assert_same_when_split(&[coding], &bytes, step, DecodeLimits::default());
        let size = DecodeLimits { size: text.len() as u64 / 2, ..DecodeLimits::default() };
        assert_same_when_split(&[coding], &bytes, step, size);
    }

    #[test]
    fn any_bytes_are_decoded(
        mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        coding in prop::sample::select(CODED.to_vec()),
        text in text(),
        choice: [u8; 3],
        coded_too: bool,
    ) {
        if coded_too {
            bytes = encode(coding, &text);
        }
        fuzz(&[&choice[..], &bytes].concat());
    }
}
