//! Masking: a sink that replaces each byte of a secret by `*` before it passes bytes on, also in secrets that several
//! reads or writes split.
//!
//! Secrets are found by place (the fields and query parameters of `names`), then by value: keys that the
//! caller knows and keys found in the request, anywhere in either direction, in all `forms`, also split over two chunks or,
//! in a response, over the strings of several JSON texts (`pieces`). A key that breaks off is masked as far as it goes. A
//! run is passed on, whole and in order, once later bytes cannot change how it is masked. That is at once, unless
//! it ends inside a head line, inside a possible known key or an escape, or its bytes wait in the [`Connection`] (a response
//! for its request, bytes after a CONNECT for the answer to it: at most [`crate::http1::MAX_WAITING`]).
//!
//! ```text
//!  run --> Connection --events--> SecretScanner of each side --> which spans are masked, which offset is decided
//!     \--> queue of copies, only while the masking of a run is not decided --> sink
//! ```
//!
//! The bytes of a body are one event a read, so they pass with the key scanner alone, without a copy.
//!
//! Secrets inside compressed bodies are not found: masking would change the length of the coded bytes.

mod escapes;
mod forms;
pub(super) mod key_shapes;
pub(super) mod names;
mod pieces;
mod scanner;
pub(super) mod secret_value;
pub(super) mod secrets;
mod text_spans;
mod unframed_line;

use std::collections::VecDeque;

use scanner::SecretScanner;
use secrets::Secrets;

use crate::http1::{Connection, HttpLimits};
use crate::span::{Moment, Span, StreamSide};
use crate::tape::{ConnectionFact, WireSink};

/// A sink that replaces each byte of a secret by `*` and passes bytes and facts on to another sink.
#[derive(Debug)]
pub struct Masker<W> {
    sink: W,
    secrets: Secrets,
    connection: Connection,
    scanners: SideScanners,
    /// Runs and facts that wait in order until the masking of the first one is decided.
    queue: VecDeque<QueuedEvent>,
}

/// The scanners of both directions.
#[derive(Debug)]
struct SideScanners {
    sent: SecretScanner,
    received: SecretScanner,
}

impl SideScanners {
    fn of_side(&mut self, side: StreamSide) -> &mut SecretScanner {
        match side {
            StreamSide::Sent => &mut self.sent,
            StreamSide::Received => &mut self.received,
        }
    }
}

#[derive(Debug)]
enum QueuedEvent {
    Fact(Moment, ConnectionFact),
    Bytes {
        side: StreamSide,
        moment: Moment,
        span: Span,
        bytes: Vec<u8>,
    },
    Ended(StreamSide, Moment),
}

impl<W: WireSink> Masker<W> {
    /// A masker that passes on to `inner` and searches for `secrets`.
    pub fn new(inner: W, secrets: Secrets) -> Self {
        Self {
            sink: inner,
            secrets,
            connection: Connection::new(HttpLimits::default()),
            scanners: SideScanners {
                sent: SecretScanner::new(StreamSide::Sent),
                received: SecretScanner::new(StreamSide::Received),
            },
            queue: VecDeque::new(),
        }
    }

    /// The sink that gets the masked bytes.
    pub fn sink(&self) -> &W {
        &self.sink
    }

    /// `text` with the secrets masked that are known by now.
    pub fn mask_text(&self, text: &str) -> String {
        self.secrets.mask_text(text)
    }

    /// Passes on everything that waits and returns the sink.
    pub fn flush_into_sink(mut self) -> W {
        for side in [StreamSide::Sent, StreamSide::Received] {
            self.scan(side, &[], true);
        }
        self.flush_decided();
        self.sink
    }

    /// Scans the next bytes of one side for secrets; returns their span.
    fn scan(&mut self, side: StreamSide, bytes: &[u8], ended: bool) -> Span {
        let (scanners, secrets) = (&mut self.scanners, &mut self.secrets);
        let scanner = scanners.of_side(side);
        let span = scanner.extend(bytes.len());
        self.connection.feed(side, bytes, ended, |found, seen| {
            let scanner = scanners.of_side(found.side);
            scanner.scan_event(&found.event, seen, secrets);
        });
        if ended {
            scanners.of_side(side).end_body(secrets);
        }
        span
    }

    /// Passes on runs and facts up to the first whose masking is not decided.
    fn flush_decided(&mut self) {
        while let Some(mut first) = self.queue.pop_front() {
            match &mut first {
                QueuedEvent::Fact(moment, fact) => self.sink.fact(*moment, fact),
                QueuedEvent::Ended(side, moment) => self.sink.ended(*side, *moment),
                QueuedEvent::Bytes {
                    side,
                    moment,
                    span,
                    bytes,
                } => {
                    let scanner = self.scanners.of_side(*side);
                    if !scanner.is_decided(span.end) {
                        return self.queue.push_front(first);
                    }
                    scanner.mask(*span, bytes, |fact| self.sink.fact(*moment, &fact));
                    self.sink.bytes(*side, *moment, bytes);
                }
            }
        }
    }
}

impl<W: WireSink> WireSink for Masker<W> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        let mut fact = fact.clone();
        mask_fact(&mut fact, &self.secrets);
        if self.queue.is_empty() {
            self.sink.fact(moment, &fact);
        } else {
            self.queue.push_back(QueuedEvent::Fact(moment, fact));
        }
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        let span = self.scan(side, bytes, false);
        if self.queue.is_empty() && self.scanners.of_side(side).is_clean() {
            return self.sink.bytes(side, moment, bytes);
        }
        self.queue.push_back(QueuedEvent::Bytes {
            side,
            moment,
            span,
            bytes: bytes.to_vec(),
        });
        self.flush_decided();
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        self.scan(side, &[], true);
        self.queue.push_back(QueuedEvent::Ended(side, moment));
        self.flush_decided();
    }

    fn is_done(&self) -> bool {
        self.sink.is_done()
    }
}

/// Masks known secrets in the text of a fact: a proxy may repeat the request in its error, and a host name may contain
/// a key.
fn mask_fact(fact: &mut ConnectionFact, secrets: &Secrets) {
    let texts: Vec<&mut String> = match fact {
        ConnectionFact::Resolved { host, .. } => vec![host],
        ConnectionFact::Tried { peer, error } => vec![peer, error],
        ConnectionFact::Connected { peer, .. } => vec![peer],
        ConnectionFact::Tunnelled { proxy, to } => vec![proxy, to],
        ConnectionFact::Secured(secured) => secured.sni.iter_mut().collect(),
        ConnectionFact::Failed { error, .. } => vec![error],
        ConnectionFact::Edited { was, .. } => vec![was],
        ConnectionFact::Replied { reason, .. } => vec![reason],
        ConnectionFact::Reused {}
        | ConnectionFact::Closed { .. }
        | ConnectionFact::Redacted { .. } => vec![],
    };
    for text in texts {
        *text = secrets.mask_text(text);
    }
}

/// Masks bytes that hold a secret in many places, split as their first bytes say, and asserts that the secret is gone,
/// that the length stays, and that a split changes nothing. The body of a fuzz target.
#[doc(hidden)]
pub fn fuzz(bytes: &[u8]) {
    checks::fuzz(bytes);
}

#[allow(
    clippy::arithmetic_side_effects,
    reason = "assertions over small numbers of its own"
)]
mod checks {
    use super::*;
    use crate::tape::{Tape, TapeOrigin};

    pub(super) const KEY: &[u8] = b"sk-0123456789abcdef";

    pub(super) fn mask(side: StreamSide, bytes: &[u8], steps: impl Iterator<Item = usize>) -> Tape {
        let origin = TapeOrigin {
            id: String::new(),
            started: jiff::Timestamp::UNIX_EPOCH,
            via: String::new(),
            url: String::new(),
            tool: String::new(),
            connection: None,
        };
        let mut secrets = Secrets::new([KEY.to_vec()], &[7; 32]);
        // As if a request had carried it.
        secrets.learn(KEY);
        let mut masker = Masker::new(Tape::new(origin), secrets);
        let mut rest = bytes;
        let mut now = 0;
        for step in steps.chain(std::iter::once(usize::MAX)) {
            let (run, after) = rest.split_at(step.min(rest.len()));
            masker.bytes(side, Moment::from_micros(now), run);
            rest = after;
            now += 1;
        }
        masker.ended(side, Moment::from_micros(now));
        masker.flush_into_sink()
    }

    /// The key for `K`, the key in another form for `U` and `B`, strings that hold it in pieces for `J`, and other bytes as
    /// they are.
    fn replace_letter(byte: &u8) -> &[u8] {
        match byte {
            b'K' => KEY,
            b'U' => br"sk-01234\u0035%36789a&#98;cdef",
            b'B' => b"c2stMDEyMzQ1Njc4OWFiY2RlZg==",
            b'J' => b"{\"d\":[\"sk-01\"]}\n{\"d\":[\"2345\",\"6789abcd\"]}\n{\"d\":[\"ef\"]}\n",
            byte => std::slice::from_ref(byte),
        }
    }

    pub(super) fn fuzz(bytes: &[u8]) {
        let (steps, bytes) = bytes.split_at(bytes.len().min(4));
        let steps: Vec<_> = steps.iter().map(|&step| usize::from(step % 16)).collect();
        let text: Vec<u8> = bytes.iter().flat_map(replace_letter).copied().collect();
        for side in [StreamSide::Sent, StreamSide::Received] {
            let whole = mask(side, &text, std::iter::empty());
            let split = mask(
                side,
                &text,
                steps
                    .iter()
                    .copied()
                    .cycle()
                    .take(text.len() * 4 * steps.len().min(1)),
            );
            let (whole, split) = (whole.stream(side), split.stream(side));
            assert_eq!(whole.bytes.len(), text.len(), "the length changed");
            assert_eq!(split.bytes, whole.bytes, "a split changed the masking");
            let unmasked = |window: &[u8]| window == KEY;
            assert!(
                !whole.bytes.windows(KEY.len()).any(unmasked),
                "the key is still there"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::checks::{KEY, mask};
    use super::*;
    use crate::tape::Tape;

    fn text(bytes: &[u8]) -> String {
        String::from_utf8_lossy(bytes).into_owned()
    }

    #[track_caller]
    fn case(side: StreamSide, input: &str, expected: &str) {
        for step in 1..input.len() {
            let tape = mask(
                side,
                input.as_bytes(),
                std::iter::repeat_n(step, input.len() / step),
            );
            assert_eq!(
                text(&tape.stream(side).bytes),
                expected,
                "in steps of {step}"
            );
        }
    }

    #[test]
    fn secrets_are_masked_by_field_and_parameter_name() {
        case(
            StreamSide::Sent,
            "POST /v1/m?key=abcdefgh&x=1 HTTP/1.1\r\nAuthorization: Bearer qwertzuiop\r\nCookie: a=b\r\n\r\n",
            "POST /v1/m?key=********&x=1 HTTP/1.1\r\nAuthorization: Bearer **********\r\nCookie: a=*\r\n\r\n",
        );
        case(
            StreamSide::Received,
            "HTTP/1.1 200 OK\r\nset-cookie: __cf_bm=abc; path=/\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nset-cookie: __cf_bm=***; path=/\r\nContent-Length: 2\r\n\r\nok",
        );
    }

    #[test]
    fn a_folded_value_is_masked_whole() {
        case(
            StreamSide::Sent,
            "GET / HTTP/1.1\r\nX-Api-Key: abc\r\n def\r\n\r\n",
            "GET / HTTP/1.1\r\nX-Api-Key: ***\r\n ***\r\n\r\n",
        );
    }

    #[test]
    fn a_known_key_is_masked_everywhere() {
        case(
            StreamSide::Received,
            "HTTP/1.1 401 sk-0123456789abcdef\r\nX-Echo: <sk-0123456789abcdef>\r\nContent-Length: 23\r\n\r\n[ sk-0123456789abcdef ]",
            "HTTP/1.1 401 sk-****************\r\nX-Echo: <sk-****************>\r\nContent-Length: 23\r\n\r\n[ sk-**************** ]",
        );
    }

    #[test]
    fn a_key_split_over_two_chunks_is_masked() {
        case(
            StreamSide::Received,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsk-01\r\n10\r\n23456789abcdef s\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsk-**\r\n10\r\n************** s\r\n0\r\n\r\n",
        );
    }

    #[test]
    fn a_key_learned_from_a_field_is_masked_in_the_body() {
        case(
            StreamSide::Sent,
            "POST / HTTP/1.1\r\nAuthorization: Bearer qwertzuiop\r\nContent-Length: 12\r\n\r\n[qwertzuiop]",
            "POST / HTTP/1.1\r\nAuthorization: Bearer **********\r\nContent-Length: 12\r\n\r\n[**********]",
        );
    }

    #[test]
    fn secrets_of_the_peer_are_masked_only_in_their_own_field() {
        case(
            StreamSide::Received,
            "HTTP/1.1 200 OK\r\nSet-Cookie: lang=content\r\nX-Token: english\r\n\r\n{\"content\":\"english\"}",
            "HTTP/1.1 200 OK\r\nSet-Cookie: lang=*******\r\nX-Token: *******\r\n\r\n{\"content\":\"english\"}",
        );
        case(
            StreamSide::Sent,
            "POST / HTTP/1.1\r\nCookie: theme=content\r\nContent-Length: 9\r\n\r\n[content]",
            "POST / HTTP/1.1\r\nCookie: theme=*******\r\nContent-Length: 9\r\n\r\n[content]",
        );
    }

    #[test]
    fn the_target_of_an_unreadable_request_line_is_masked() {
        case(
            StreamSide::Sent,
            "POST /v1/m:x?key=abcdefgh&x=1\r\nHost: h\r\n\r\nabcdefgh ?key=1",
            "POST /v1/m:x?key=********&x=1\r\nHost: h\r\n\r\n******** ?key=1",
        );
        case(StreamSide::Sent, "GET /?key=abcdefgh", "GET /?key=********");
        case(
            StreamSide::Received,
            "what is /?key=abcdefgh\r\n",
            "what is /?key=abcdefgh\r\n",
        );
    }

    #[test]
    fn the_text_of_a_fact_is_masked() {
        let tape = mask(StreamSide::Sent, b"", std::iter::empty());
        let mut masker = Masker::new(tape, Secrets::new([KEY.to_vec()], &[7; 32]));
        let key = text(KEY);
        let failed = ConnectionFact::Failed {
            stage: crate::tape::ExchangeStage::Proxy,
            cause: crate::tape::FailureCause::Refused,
            error: format!("it answered `407 {key}`"),
        };
        let resolved = ConnectionFact::Resolved {
            host: format!("{key}.example"),
            addrs: vec![],
        };
        for fact in [&failed, &resolved] {
            masker.fact(Moment::default(), fact);
        }
        let facts = format!("{:?}", masker.flush_into_sink().facts);
        assert!(!facts.contains(&key), "{facts}");
        assert!(facts.contains("407 sk-****************`"), "{facts}");
    }

    #[test]
    fn sensitive_lines_outside_messages_are_masked() {
        case(
            StreamSide::Sent,
            "what is this\r\nAuthorization: Bearer abc\r\nHost: h\r\n\r\nsk-0123456789abcdef",
            "what is this\r\nAuthorization: ****** ***\r\nHost: h\r\n\r\nsk-****************",
        );
    }

    #[test]
    fn a_secret_in_an_unfinished_line_is_masked() {
        case(
            StreamSide::Sent,
            "GET / HTTP/1.1\r\nAuthorization: Bearer abcdefgh",
            "GET / HTTP/1.1\r\nAuthorization: ****** ********",
        );
    }

    /// A response whose body has these lines.
    fn response(lines: &[&str]) -> String {
        let body = lines.join("\n");
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    #[track_caller]
    fn body_case(input: &[&str], expected: &[&str]) {
        case(StreamSide::Received, &response(input), &response(expected));
    }

    #[test]
    fn other_forms_of_a_known_key_are_masked() {
        body_case(
            &[
                "0123456789ABCDEF.",
                r"01234\u003567\u0038\u0039abcdef.",
                "%30123456789abcde%66.",
                "0123&#52;56789abcde&#x66;.",
                "c2stMDEyMzQ1Njc4OWFiY2RlZg==",
                "30313233343536373839616263646566.",
                "0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00a\x00b\x00c\x00d\x00e\x00f\x00.",
            ],
            &[
                "****************.",
                &("*".repeat(31) + "."),
                &("*".repeat(20) + "."),
                &("*".repeat(25) + "."),
                "c2st*********************g==",
                &("*".repeat(32) + "."),
                &("*".repeat(31) + "\0."),
            ],
        );
    }

    #[test]
    fn a_key_that_breaks_off_is_masked_as_far_as_it_goes() {
        body_case(
            &["0123456789abcd,", "0123456789ab"],
            &["**************,", "************"],
        );
        // Its first ten digits may be any number.
        body_case(&["0123456789,"], &["0123456789,"]);
    }

    #[test]
    fn a_key_in_pieces_is_masked_in_each_string() {
        let event = |text: &str| {
            format!(
                "data: {{\"id\":\"a\",\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n"
            )
        };
        let bodies =
            |texts: &[&str]| -> Vec<String> { texts.iter().map(|text| event(text)).collect() };
        let check = |input: &[&str], expected: &[&str]| {
            let (input, expected) = (bodies(input), bodies(expected));
            let lines = |texts: &[String]| {
                texts
                    .iter()
                    .map(String::as_str)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let (input, expected) = (lines(&input), lines(&expected));
            let input: Vec<_> = input.iter().map(String::as_str).collect();
            let expected: Vec<_> = expected.iter().map(String::as_str).collect();
            body_case(&input, &expected);
        };
        check(
            &["a sk-0123", "4567", "89abc", "def."],
            &["a sk-****", "****", "*****", "***."],
        );
        // Bytes of the key that do not wait are passed on, two at most.
        check(
            &[
                "sk-", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e",
                "f", "!",
            ],
            &[
                "sk-", "0", "1", "*", "*", "*", "*", "*", "*", "*", "*", "*", "*", "*", "*", "*",
                "*", "!",
            ],
        );
        // Another text comes between, and an escape in the key.
        check(
            &["0123456", "other", "", r"7\u00389a", "bcdef"],
            &["*******", "other", "", "*********", "*****"],
        );
        // Numbers and words that end like the beginning of a key.
        check(&["0123", "4 of 5", "0", "1"], &["0123", "4 of 5", "0", "1"]);
    }

    #[test]
    fn masked_runs_keep_moments_and_equal_keys_have_equal_fingerprints() {
        let input = b"POST / HTTP/1.1\r\nX-Api-Key: sk-0123456789abcdef\r\nContent-Length: 19\r\n\r\nsk-0123456789abcdef";
        let tape = mask(StreamSide::Sent, input, std::iter::repeat_n(10, 20));
        let moments: Vec<_> = tape
            .sent
            .marks
            .iter()
            .map(|mark| (mark.at, mark.moment.micros))
            .collect();
        assert_eq!(moments, (0..9).map(|n| (n * 10, n)).collect::<Vec<_>>());
        let prints: Vec<_> = tape
            .facts
            .iter()
            .filter_map(|(_, fact)| match fact {
                ConnectionFact::Redacted {
                    rule, fingerprint, ..
                } => Some((rule.as_str(), fingerprint.as_str())),
                _ => None,
            })
            .collect();
        assert_eq!(prints.len(), 2);
        assert_eq!(prints[0].1, prints[1].1);
        assert_eq!((prints[0].0, prints[1].0), ("x-api-key", "known key"));
        assert_eq!(KEY.len(), 19);
    }

    #[test]
    fn the_visible_prefix_of_a_key_is_passed_on_at_once() {
        let secrets = Secrets::new([KEY.to_vec()], &[7; 32]);
        let tape = mask(StreamSide::Sent, b"", std::iter::empty());
        let mut masker = Masker::new(tape, secrets);
        let seen = |masker: &Masker<Tape>| text(&masker.sink().sent.bytes);
        let head = "POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n";
        masker.bytes(StreamSide::Sent, Moment::default(), head.as_bytes());
        masker.bytes(StreamSide::Sent, Moment::default(), b"ask-");
        assert_eq!(seen(&masker), format!("{head}ask-"));
        masker.bytes(StreamSide::Sent, Moment::default(), b"0123");
        assert_eq!(seen(&masker), format!("{head}ask-"), "this may be the key");
        masker.bytes(StreamSide::Sent, Moment::default(), b"456789abcdef.");
        assert_eq!(seen(&masker), format!("{head}ask-****************."));
    }

    proptest::proptest! {
        #[test]
        fn a_key_is_masked_at_any_split(bytes in proptest::collection::vec(
            proptest::sample::select(b"KUBJ0s-\r\n:a{\"\\%& ".to_vec()), 0..80)) {
            fuzz(&bytes);
        }

        #[test]
        fn a_key_in_a_message_is_masked_at_any_split(
            steps in proptest::array::uniform4(0u8..),
            body in proptest::collection::vec(proptest::sample::select(b"Ks-01 %\\u".to_vec()), 0..40),
            chunked in proptest::bool::ANY,
        ) {
            let mut bytes = steps.to_vec();
            bytes.extend_from_slice(b"HTTP/1.1 200 K\r\nX: K\r\nAuthorization: K\r\n");
            if chunked {
                bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
                for piece in body.chunks(3) {
                    let keys = piece.iter().filter(|&&byte| byte == b'K').count();
                    let length = piece.len() + keys * (KEY.len() - 1);
                    bytes.extend_from_slice(format!("{length:x}\r\n").as_bytes());
                    bytes.extend_from_slice(piece);
                    bytes.extend_from_slice(b"\r\n");
                }
                bytes.extend_from_slice(b"0\r\nT: K\r\n\r\n");
            } else {
                bytes.extend_from_slice(b"\r\n");
                bytes.extend_from_slice(&body);
            }
            fuzz(&bytes);
        }

        #[test]
        fn a_key_in_pieces_is_masked_at_any_split(
            steps in proptest::array::uniform4(0u8..),
            body in proptest::collection::vec(proptest::sample::select(b"KUBJ01\"{}[:,\n\\ ".to_vec()), 0..40),
        ) {
            let mut bytes = steps.to_vec();
            bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\n\r\n");
            bytes.extend_from_slice(&body);
            fuzz(&bytes);
        }
    }
}
