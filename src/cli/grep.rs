//! `wire ls --grep` and `--answer`: captures whose bodies, or whose answers, hold some words.

use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::memmem::{self, Finder};

use super::output;
use crate::call::{Call, ReadOptions};
use crate::capture;
use crate::capture::store::CaptureStore;
use crate::chat::AnswerRetention;
use crate::content::{self, ContentCoding, DecodeError};
use crate::exchange::Exchange;
use crate::http1::{HttpLimits, HttpMessage};
use crate::tape::{Stream, Tape};

/// What is looked for.
pub(super) enum SearchQuery<'a> {
    /// In the bodies, as they crossed the wire but for their codings.
    InBodies(&'a str),
    /// In the text, reasoning or tool arguments of the answer, pieces joined.
    InAnswer(&'a str),
}

/// Names of the captures that contain `words`, in the order given; searched by one thread per core. A body that could
/// not be searched to its end is reported.
pub(super) fn find_matching(
    store: &CaptureStore,
    names: Vec<String>,
    words: &SearchQuery<'_>,
) -> Vec<String> {
    let search = CaptureSearch::new(words);
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let look = || {
        let mut found = Vec::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(name) = names.get(place) else {
                return found;
            };
            let file = store.read(name).unwrap_or_default();
            match search.search(&file) {
                SearchResult::NoMatch => {}
                other => found.push((place, other)),
            }
        }
    };
    let mut found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(look)).collect();
        // A thread that panicked found nothing; the others did.
        let found = threads.into_iter().filter_map(|thread| thread.join().ok());
        found.flatten().collect::<Vec<_>>()
    });
    found.sort_unstable_by_key(|&(place, _)| place);
    let having = found.into_iter().filter_map(|(place, found)| {
        let name = names.get(place)?;
        match found {
            SearchResult::Match => return Some(name.clone()),
            SearchResult::SearchedInPart(trouble) => {
                output::print_note(&format!("{name} is searched in part: {trouble}"));
            }
            SearchResult::NoMatch => {}
        }
        None
    });
    having.collect()
}

/// What a search in one capture came to.
#[derive(Debug, PartialEq)]
enum SearchResult {
    Match,
    NoMatch,
    /// Not in what a limit of ours lets out of the body.
    SearchedInPart(DecodeError),
}

impl SearchResult {
    /// `trouble`: why not all was searched, if it was not.
    fn from_match(is_in: bool, trouble: Option<DecodeError>) -> Self {
        match trouble.filter(|trouble| trouble.kind.is_limit()) {
            _ if is_in => Self::Match,
            Some(trouble) => Self::SearchedInPart(trouble),
            None => Self::NoMatch,
        }
    }

    /// What came to light in either of two places.
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

/// How much of a coded body is decoded before it is asked whether that was enough.
const PIECE_SIZE: usize = 64 << 10;

struct CaptureSearch<'a> {
    query: &'a SearchQuery<'a>,
    finder: Finder<'a>,
    /// The words as our captures spell them, inside a JSON string.
    json_spelling: Vec<u8>,
}

impl<'a> CaptureSearch<'a> {
    fn new(words: &'a SearchQuery<'a>) -> Self {
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

    fn search(&self, file: &[u8]) -> SearchResult {
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

    /// Whether the file has to be decoded to know. Most need not be: the words do not stand in it, and no
    /// piece of a body ends in the middle of them.
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
        let call = Call::read(
            tape,
            &ReadOptions::without_prices(AnswerRetention::TextOnly),
        );
        let is_in = call.meaning.completion.choices.iter().any(|choice| {
            let calls = choice.tool_calls.iter().map(|call| &call.arguments);
            let texts = [&choice.text, &choice.reasoning].into_iter();
            let mut texts = texts.chain(&choice.refusal).chain(calls);
            texts.any(|text| self.finder.find(text.as_bytes()).is_some())
        });
        SearchResult::from_match(is_in, call.response_body.error)
    }
}

/// Whether a chunk-size line may begin here, as it is spelled in a JSON string; also one of which nothing, or
/// only a part, stands on this line of the file.
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

/// Whether what stands after `text`, a part of a JSON string, is the letter of an escape.
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
    fn a_bomb_is_searched_in_part_and_told() {
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
