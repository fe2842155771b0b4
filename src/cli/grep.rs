//! `wire ls --grep` and `--answer`: captures whose bodies, or whose answers, hold some words.

use std::sync::atomic::{AtomicUsize, Ordering};

use memchr::memmem::{self, Finder};

use crate::capture;
use crate::capture::store::Store;
use crate::chat::{Keep, Options};
use crate::content;
use crate::exchange::{Exchange, decoded};
use crate::http1::Limits;
use crate::price::Prices;
use crate::report::Report;
use crate::tape::Tape;

/// What is looked for.
pub(super) enum Words<'a> {
    /// In the bodies, as they crossed the wire but for their codings.
    InBodies(&'a str),
    /// In the text, reasoning or tool arguments of the answer, pieces joined.
    InAnswer(&'a str),
}

/// The names of those captures that hold `words`, in the order given. Each core looks at some.
pub(super) fn having(store: &Store, names: Vec<String>, words: &Words<'_>) -> Vec<String> {
    let search = Search::new(words);
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
            if search.is_in(&file) {
                found.push(place);
            }
        }
    };
    let mut found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(look)).collect();
        // A thread that panicked found nothing; the others did.
        let found = threads.into_iter().filter_map(|thread| thread.join().ok());
        found.flatten().collect::<Vec<_>>()
    });
    found.sort_unstable();
    let names_of = found.iter().filter_map(|&place| names.get(place).cloned());
    names_of.collect()
}

struct Search<'a> {
    words: &'a Words<'a>,
    finder: Finder<'a>,
    /// The words as our captures spell them, inside a JSON string.
    spelled: Vec<u8>,
}

impl<'a> Search<'a> {
    fn new(words: &'a Words<'a>) -> Self {
        let (Words::InBodies(text) | Words::InAnswer(text)) = words;
        let quoted = serde_json::to_string(text).unwrap_or_default();
        let inner = quoted
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'));
        Self {
            words,
            finder: Finder::new(text.as_bytes()),
            spelled: inner.unwrap_or_default().as_bytes().to_vec(),
        }
    }

    fn is_in(&self, file: &[u8]) -> bool {
        match self.words {
            Words::InBodies(_) if !self.may_be_in(file) => false,
            Words::InBodies(_) => read(file).is_some_and(|tape| self.in_bodies(&tape)),
            Words::InAnswer(_) => read(file).is_some_and(|tape| self.in_answer(&tape)),
        }
    }

    /// Whether the file has to be decoded to know. Most need not be: the words do not stand in it, and no
    /// piece of a body ends in the middle of them.
    fn may_be_in(&self, file: &[u8]) -> bool {
        // Other programs may spell strings in other ways.
        let first = file.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let ours = memmem::find(first, b"\"tool\":\"wire ").is_some();
        !ours
            || memmem::find(file, &self.spelled).is_some()
            || self.is_cut_in(file)
            || has_coding(file)
    }

    /// Whether a read or a chunk ends with the beginning of the words.
    fn is_cut_in(&self, file: &[u8]) -> bool {
        let opens = |before: &[u8]| {
            let lengths = 1..self.spelled.len();
            lengths.rev().any(|length| {
                let start = self.spelled.get(..length).unwrap_or_default();
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

    fn in_bodies(&self, tape: &Tape) -> bool {
        let exchange = Exchange::read(tape, Limits::default());
        let sides = [
            (&exchange.request, &tape.sent),
            (&exchange.response, &tape.received),
        ];
        sides.into_iter().any(|(message, stream)| {
            let body = decoded(message, stream, content::Limits::default());
            self.finder.find(&body.bytes).is_some()
        })
    }

    fn in_answer(&self, tape: &Tape) -> bool {
        let exchange = Exchange::read(tape, Limits::default());
        let options = Options {
            keep: Keep::Text,
            ..Options::default()
        };
        let limits = content::Limits::default();
        let report = Report::read(tape, &exchange, limits, options, &Prices::default());
        report.completion.choices.iter().any(|choice| {
            let calls = choice.tool_calls.iter().map(|call| &call.arguments);
            let texts = [&choice.text, &choice.reasoning].into_iter();
            let mut texts = texts.chain(&choice.refusal).chain(calls);
            texts.any(|text| self.finder.find(text.as_bytes()).is_some())
        })
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
fn has_coding(file: &[u8]) -> bool {
    let is_plain = |at: usize| {
        let value = file.get(at.saturating_add(8)..).unwrap_or_default();
        value.trim_ascii_start().starts_with(b"chunked\\r\\n")
    };
    let mut names =
        memmem::find_iter(file, b"ncoding:").chain(memmem::find_iter(file, b"NCODING:"));
    memmem::find(file, b"{\"base64\":").is_some() || names.any(|at| !is_plain(at))
}

fn read(mut file: &[u8]) -> Option<Tape> {
    Some(capture::read(&mut file).ok()?.tape)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Writer;
    use crate::span::{Moment, Side};
    use crate::tape::{Origin, Watch};

    fn capture(pieces: &[&[u8]], tool: &str) -> Vec<u8> {
        let origin = Origin {
            id: "0".into(),
            started: jiff::Timestamp::UNIX_EPOCH,
            via: "send".into(),
            url: "http://h/v1/chat/completions".into(),
            tool: tool.into(),
        };
        let mut writer = Writer::new(Vec::new(), &origin);
        writer.bytes(
            Side::Sent,
            Moment::default(),
            b"POST /v1/chat/completions HTTP/1.1\r\nX: needle\r\n\r\n",
        );
        for piece in pieces {
            writer.bytes(Side::Received, Moment::default(), piece);
        }
        writer.finish().unwrap()
    }

    #[test]
    fn words_are_found_however_they_are_cut() {
        #[track_caller]
        fn case(pieces: &[&[u8]], words: &str, expected: bool) {
            for tool in ["wire 0.1.0", "other"] {
                let file = capture(pieces, tool);
                let words = Words::InBodies(words);
                assert_eq!(Search::new(&words).is_in(&file), expected, "{tool}");
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
        let zipped = {
            use std::io::Write as _;
            let mut coder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            coder.write_all(b"a needle").unwrap();
            coder.finish().unwrap()
        };
        case(
            &[
                b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
                &zipped,
            ],
            "needle",
            true,
        );
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
        let is_in = |words: Words<'_>| Search::new(&words).is_in(&file);
        assert!(is_in(Words::InAnswer("a needle")));
        assert!(!is_in(Words::InAnswer("noodle")));
        assert!(!is_in(Words::InBodies("a needle")));
    }
}
