//! Search in captures: files whose bodies, or whose answers, contain some words.

use memchr::memmem::{self, Finder};

use crate::call::websocket::{SocketMessage, WebSocketSession};
use crate::call::{Call, ReadOptions};
use crate::capture;
use crate::chat::AnswerRetention;
use crate::content::{self, ContentCoding, DecodeError};
use crate::exchange::Exchange;
use crate::http1::{HttpLimits, HttpMessage};
use crate::tape::{Stream, Tape};

/// The words that are searched, and the part of a call that is searched.
pub enum SearchQuery<'a> {
    /// Words in the bodies, content and transfer codings undone.
    InBodies(&'a str),
    /// Words in the text, reasoning or tool arguments of the answer, pieces joined.
    InAnswer(&'a str),
}

/// The result of a search in one capture.
#[derive(Debug, PartialEq)]
pub enum SearchResult {
    /// The words are there.
    Match,
    /// The words are not there.
    NoMatch,
    /// The words are not in the part that a decode limit let through.
    SearchedInPart(DecodeError),
}

impl SearchResult {
    /// The result; `trouble` is the reason why a part was not searched.
    fn from_match(is_in: bool, trouble: Option<DecodeError>) -> Self {
        match trouble.filter(|trouble| trouble.kind.is_limit()) {
            _ if is_in => Self::Match,
            Some(trouble) => Self::SearchedInPart(trouble),
            None => Self::NoMatch,
        }
    }

    /// The result of two searches: a match in either is a match.
    fn or_else(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::Match => Self::Match,
            Self::NoMatch => other(),
            Self::SearchedInPart(trouble) => match other() {
                Self::Match => Self::Match,
                _ => Self::SearchedInPart(trouble),
            },
        }
    }
}

/// Bytes of a coded body that are decoded before the next search. Searched bytes are dropped, so that a search needs no
/// more memory than this, and a match ends the decoding early.
const PIECE_SIZE: usize = 64 << 10;

/// A search that is run over many captures.
pub struct CaptureSearch<'a> {
    query: &'a SearchQuery<'a>,
    finder: Finder<'a>,
    /// The words as captures of `wire` spell them inside a JSON string.
    json_spelling: Vec<u8>,
}

impl<'a> CaptureSearch<'a> {
    /// Prepares the search.
    pub fn new(words: &'a SearchQuery<'a>) -> Self {
        let (SearchQuery::InBodies(text) | SearchQuery::InAnswer(text)) = words;
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let inner = quoted
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'));
        Self {
            query: words,
            finder: Finder::new(text.as_bytes()),
            json_spelling: inner.unwrap_or_default().as_bytes().to_vec(),
        }
    }

    /// Searches the bytes of one capture file.
    pub fn search(&self, file: &[u8]) -> SearchResult {
        let read = || read_tape(file);
        match self.query {
            SearchQuery::InBodies(_) if !self.may_match(file) => SearchResult::NoMatch,
            SearchQuery::InBodies(_) => {
                read().map_or(SearchResult::NoMatch, |tape| self.search_bodies(&tape))
            }
            SearchQuery::InAnswer(_) => {
                read().map_or(SearchResult::NoMatch, |tape| self.search_answer(tape))
            }
        }
    }

    /// Whether the file must be decoded to know. Most need not be: the words are not in it, and no piece of a body
    /// ends in the middle of them.
    fn may_match(&self, file: &[u8]) -> bool {
        // Other programs may spell strings in other ways.
        let first = file.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let ours = memmem::find(first, b"\"tool\":\"wire ").is_some();
        !ours
            || memmem::find(file, &self.json_spelling).is_some()
            || self.may_be_split(file)
            || may_be_coded(file)
    }

    /// Whether a read or a chunk ends with the beginning of the words.
    fn may_be_split(&self, file: &[u8]) -> bool {
        let opens = |before: &[u8]| {
            let lengths = 1..self.json_spelling.len();
            lengths.rev().any(|length| {
                let start = self.json_spelling.get(..length).unwrap_or_default();
                before
                    .strip_suffix(start)
                    .is_some_and(|text| !is_in_escape(text))
            })
        };
        let lines = memchr::memchr_iter(b'\n', file).any(|end| {
            let line = file.get(..end).unwrap_or_default();
            let text = line.strip_suffix(b"\"}");
            text.is_some_and(|text| opens(text.strip_suffix(b"\\r").unwrap_or(text)))
        });
        // A chunk's data end with CR LF, or with LF alone, and another chunk follows.
        lines
            || memmem::find_iter(file, b"\\n").any(|end| {
                let before = file.get(..end).unwrap_or_default();
                let after = file.get(end.saturating_add(2)..).unwrap_or_default();
                opens(before.strip_suffix(b"\\r").unwrap_or(before)) && may_be_chunk_head(after)
            })
    }

    fn search_bodies(&self, tape: &Tape) -> SearchResult {
        let exchange = Exchange::read(tape, HttpLimits::default());
        let sent = self.search_body(&exchange.request, &tape.sent);
        sent.or_else(|| self.search_body(&exchange.response, &tape.received))
            .or_else(|| self.search_messages(tape, &exchange))
    }

    /// Searches the messages of a WebSocket.
    fn search_messages(&self, tape: &Tape, exchange: &Exchange) -> SearchResult {
        let options = ReadOptions::without_prices(AnswerRetention::TotalsOnly);
        let session = WebSocketSession::read(tape, exchange, &options);
        let is_in = |own: &SocketMessage| self.finder.find(&own.message.payload).is_some();
        let is_match = session.is_some_and(|session| session.messages.iter().any(is_in));
        SearchResult::from_match(is_match, None)
    }

    /// The body is searched as it is decoded: what was looked at need not be held.
    fn search_body(&self, message: &HttpMessage, stream: &Stream) -> SearchResult {
        let codings = ContentCoding::parse(message.codings()).unwrap_or_default();
        let mut decoder = content::ContentDecoder::new(&codings, content::DecodeLimits::default());
        // Words may begin in one piece and end in the next.
        let tail = self.finder.needle().len().saturating_sub(1);
        let mut text = Vec::new();
        let mut is_in = self.finder.needle().is_empty();
        let spans = message.body.iter().map(|&span| stream.slice(span));
        for run in spans.flat_map(|run| run.chunks(PIECE_SIZE)) {
            let pushed = decoder.push_to(run, &mut |decoded| {
                text.extend_from_slice(decoded);
                is_in = is_in || self.finder.find(&text).is_some();
                text.drain(..text.len().saturating_sub(tail));
            });
            if is_in || pushed.is_err() {
                return SearchResult::from_match(is_in, pushed.err());
            }
        }
        SearchResult::from_match(is_in, None)
    }

    fn search_answer(&self, tape: Tape) -> SearchResult {
        let options = ReadOptions::without_prices(AnswerRetention::TextOnly);
        let exchange = Exchange::read(&tape, options.http1);
        let Some(session) = WebSocketSession::read(&tape, &exchange, &options) else {
            return self.search_call(Call::read(tape, &options));
        };
        let mut calls = (0..session.calls.len())
            .filter_map(|number| session.call(number, &tape, &exchange, &options));
        let is_in = calls.any(|call| self.search_call(call) == SearchResult::Match);
        SearchResult::from_match(is_in, None)
    }

    fn search_call(&self, call: Call) -> SearchResult {
        let is_in = call.meaning.completion.choices.iter().any(|choice| {
            let calls = choice.tool_calls.iter().map(|call| &call.arguments);
            let texts = [&choice.text, &choice.reasoning].into_iter();
            let mut texts = texts.chain(&choice.refusal).chain(calls);
            texts.any(|text| self.finder.find(text.as_bytes()).is_some())
        });
        SearchResult::from_match(is_in, call.response_body.error)
    }
}

/// Whether a chunk-size line may begin here, as it is spelled in a JSON string; also one of
/// which this line of the file has only a part, or nothing.
fn may_be_chunk_head(text: &[u8]) -> bool {
    let digits = text
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let after = text.get(digits..).unwrap_or_default();
    let ends = [b"\\r".as_slice(), b"\\n", b"\\t", b";", b" ", b"\""];
    match digits {
        0 => after.starts_with(b"\""),
        _ => ends.iter().any(|end| after.starts_with(end)),
    }
}

/// Whether the byte after `text`, a part of a JSON string, is the letter of an escape.
fn is_in_escape(text: &[u8]) -> bool {
    let backslashes = text.iter().rev().take_while(|byte| **byte == b'\\').count();
    backslashes % 2 == 1
}

/// Whether bytes are written as base64, or a field may name a coding other than chunked.
fn may_be_coded(file: &[u8]) -> bool {
    let is_plain = |at: usize| {
        let value = file.get(at.saturating_add(8)..).unwrap_or_default();
        value.trim_ascii_start().starts_with(b"chunked\\r\\n")
    };
    let mut names =
        memmem::find_iter(file, b"ncoding:").chain(memmem::find_iter(file, b"NCODING:"));
    memmem::find(file, b"{\"base64\":").is_some() || names.any(|at| !is_plain(at))
}

fn read_tape(mut file: &[u8]) -> Option<Tape> {
    Some(capture::read(&mut file).ok()?.tape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::CaptureWriter;
    use crate::span::{Moment, StreamSide};
    use crate::tape::{TapeOrigin, WireSink};

    fn capture(pieces: &[&[u8]], tool: &str) -> Vec<u8> {
        let origin = TapeOrigin {
            id: "0".into(),
            started: jiff::Timestamp::UNIX_EPOCH,
            via: "send".into(),
            url: "http://h/v1/chat/completions".into(),
            tool: tool.into(),
            connection: None,
        };
        let mut writer = CaptureWriter::new(Vec::new(), &origin);
        writer.bytes(
            StreamSide::Sent,
            Moment::default(),
            b"POST /v1/chat/completions HTTP/1.1\r\nX: needle\r\n\r\n",
        );
        for piece in pieces {
            writer.bytes(StreamSide::Received, Moment::default(), piece);
        }
        writer.finish().unwrap()
    }

    #[test]
    fn words_are_found_however_they_are_cut() {
        #[track_caller]
        fn case(pieces: &[&[u8]], words: &str, expected: bool) {
            for tool in ["wire 0.1.0", "other"] {
                let file = capture(pieces, tool);
                let words = SearchQuery::InBodies(words);
                let found = CaptureSearch::new(&words).search(&file);
                assert_eq!(found == SearchResult::Match, expected, "{tool}");
            }
        }
        let head: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        case(&[head, b"8\r\na needle\r\n0\r\n\r\n"], "needle", true);
        case(
            &[head, b"5\r\na nee\r\n", b"3\r\ndle\r\n0\r\n\r\n"],
            "needle",
            true,
        );
        case(
            &[head, b"5\r\na nee\r\n3\r\ndle\r\n0\r\n\r\n"],
            "needle",
            true,
        );
        case(&[head, b"8\r\na ne", b"edle\r\n0\r\n\r\n"], "needle", true);
        case(
            &[head, b"5\r\na nee\r", b"\n3\r\ndle\r\n0\r\n\r\n"],
            "needle",
            true,
        );
        case(
            &[head, b"5\r\na nee\r\n3", b"\r\ndle\r\n0\r\n\r\n"],
            "needle",
            true,
        );
        case(&[head, b"5\na nee\n3;x=1\ndle\n0\n\n"], "needle", true);
        case(&[head, b"8\r\na noodle\r\n0\r\n\r\n"], "needle", false);
        case(
            &[head, b"a\r\nsay \"K\xc3\xb6ln\r\n0\r\n\r\n"],
            "\"K\u{f6}ln",
            true,
        );
        case(
            &[head, b"9\r\nsay \"K\xc3", b"\xb6l\r\n0\r\n\r\n"],
            "\"K\u{f6}l",
            true,
        );
        let zipped = gzip(&[b"a needle"]);
        case(&[ZIPPED, &zipped], "needle", true);
    }

    const ZIPPED: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";

    fn gzip(parts: &[&[u8]]) -> Vec<u8> {
        use std::io::Write as _;
        let mut coder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        for part in parts {
            coder.write_all(part).unwrap();
        }
        coder.finish().unwrap()
    }

    #[test]
    fn a_bomb_is_searched_in_part_and_reported() {
        let zeros = vec![0; 40 << 20];
        #[track_caller]
        fn case(coded: &[u8], words: SearchQuery<'_>) -> SearchResult {
            CaptureSearch::new(&words).search(&capture(&[ZIPPED, coded], "other"))
        }
        let found = case(
            &gzip(&[&zeros, b"a needle"]),
            SearchQuery::InBodies("needle"),
        );
        let SearchResult::SearchedInPart(trouble) = found else {
            panic!("{found:?}");
        };
        assert_eq!(trouble.kind, content::CodingFault::RatioLimit(200));
        let before = gzip(&[b"a needle", &zeros]);
        assert_eq!(
            case(&before, SearchQuery::InBodies("needle")),
            SearchResult::Match
        );
        let found = case(&before, SearchQuery::InAnswer("needle"));
        assert!(
            matches!(found, SearchResult::SearchedInPart(_)),
            "{found:?}"
        );
    }

    #[test]
    fn words_are_found_where_pieces_of_a_body_meet() {
        let filler = vec![b'x'; (16 << 10) - 3];
        let text = [&*filler, b"needle", &*filler].concat();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len());
        let file = capture(&[head.as_bytes(), &text], "other");
        let look = |words| CaptureSearch::new(&SearchQuery::InBodies(words)).search(&file);
        assert_eq!(look("needle"), SearchResult::Match);
        assert_eq!(look("needles"), SearchResult::NoMatch);
        assert_eq!(look(""), SearchResult::Match);
    }

    #[test]
    fn answers_are_searched_with_their_pieces_joined() {
        let event = |text: &str| {
            format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
            )
        };
        let body = format!("{}{}", event("a nee"), event("dle"));
        let head: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
        let file = capture(&[head, body.as_bytes()], "wire 0.1.0");
        let is_in = |words: SearchQuery<'_>| {
            CaptureSearch::new(&words).search(&file) == SearchResult::Match
        };
        assert!(is_in(SearchQuery::InAnswer("a needle")));
        assert!(!is_in(SearchQuery::InAnswer("noodle")));
        assert!(!is_in(SearchQuery::InBodies("a needle")));
    }
}
