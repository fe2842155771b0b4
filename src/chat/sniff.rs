//! Recognises the media type of a body by its beginning and its Content-Type. The beginning counts if the two differ.

use super::completion::BodyMediaType;
use super::note::NoteFacts;
use crate::sse;
use crate::tape::Window;

/// Hints about a body before its first byte: Content-Type and dialect.
#[derive(Clone, Debug, Default)]
pub(super) struct BodyHints {
    /// `Content-Type` without parameters, lower case.
    pub(super) content_type: String,
    /// Whether the response has no body by its status or method.
    pub(super) has_no_body: bool,
    /// Whether a JSON array is a stream in this dialect.
    pub(super) array_is_stream: bool,
    /// Whether JSON comes in lines in this dialect.
    pub(super) json_is_lines: bool,
}

/// Bytes after leading white space that are enough to recognise a media type: `<!doctype` has nine.
const SNIFF_LEN: usize = 9;

/// Leading white space, in bytes, after which sniffing stops and the Content-Type decides: far more than the blank
/// lines that servers send to keep a connection alive.
const MAX_BLANK: usize = 64 << 10;

/// Media type of AWS event streams.
const AWS_EVENTSTREAM: &str = "application/vnd.amazon.eventstream";

/// Media type to read a body as. `None`: more bytes are needed.
pub(super) fn sniff_media(label: &BodyHints, seen: Window<'_>) -> Option<BodyMediaType> {
    let held = seen.bytes.get(..MAX_BLANK).unwrap_or(seen.bytes);
    let bytes = held.strip_prefix(b"\xef\xbb\xbf").unwrap_or(held);
    let start = bytes.trim_ascii_start();
    let Some(first) = start.first() else {
        let silent =
            bytes.is_empty() && (label.has_no_body || label.content_type != "text/event-stream");
        return (seen.ended || held.len() >= MAX_BLANK).then_some(match silent {
            true => BodyMediaType::Empty,
            // A stream may be over before its first event.
            false => labelled_media(label),
        });
    };
    // A mark that has not come whole looks like something else.
    if seen.bytes.len() < 3 && b"\xef\xbb\xbf".starts_with(seen.bytes) && !seen.ended {
        return None;
    }
    match first {
        // The first byte of a frame of less than 16 MiB; text has no NUL.
        0 if label.content_type == AWS_EVENTSTREAM => return Some(BodyMediaType::AwsEventstream),
        0 => match sse::begins_with_frame(seen.bytes) {
            Some(true) => return Some(BodyMediaType::AwsEventstream),
            None if !seen.ended => return None,
            _ => {}
        },
        b'{' if is_json_lines(label) => return Some(BodyMediaType::Ndjson),
        b'{' => match begins_with_batch_line(start) {
            None if !seen.ended => return None,
            Some(true) => return Some(BodyMediaType::Ndjson),
            _ => return Some(BodyMediaType::Json),
        },
        b'[' if label.array_is_stream => return Some(BodyMediaType::JsonArray),
        b'[' => return Some(BodyMediaType::Json),
        _ if label.content_type == "text/event-stream" => return Some(BodyMediaType::Sse),
        _ => {}
    }
    if start.len() < SNIFF_LEN && held.len() < MAX_BLANK && !seen.ended {
        return None;
    }
    let begins = |words: &[&str]| {
        words.iter().any(|word| {
            let head = start.get(..word.len()).unwrap_or(start);
            head.eq_ignore_ascii_case(word.as_bytes())
        })
    };
    if begins(&["data:", "event:", "id:", "retry:", ": "]) {
        return Some(BodyMediaType::Sse);
    }
    if begins(&["<!doctype", "<html", "<head"]) {
        return Some(BodyMediaType::Html);
    }
    Some(labelled_media(label))
}

/// Bytes of the first line in which the `custom_id` of a batch file is: it is the first or second member.
const BATCH_ID_WITHIN: usize = 512;

/// Whether `body` begins with a line of a batch file: an object on one line with a `custom_id` at its top. Providers label
/// these files in many ways (`application/octet-stream`, `application/binary`). `None`: more bytes are needed.
fn begins_with_batch_line(body: &[u8]) -> Option<bool> {
    let held = body.get(..BATCH_ID_WITHIN).unwrap_or(body);
    let end = memchr::memchr(b'\n', held);
    let line = end.map_or(held, |end| held.get(..end).unwrap_or(held));
    let Some(at) = memchr::memmem::find(line, b"\"custom_id\"") else {
        return (end.is_some() || held.len() >= BATCH_ID_WITHIN).then_some(false);
    };
    let before = line.get(..at).unwrap_or_default();
    let depth = before.iter().filter(|byte| matches!(byte, b'{' | b'['));
    Some(depth.count() == 1)
}

fn is_json_lines(label: &BodyHints) -> bool {
    let named = matches!(
        label.content_type.as_str(),
        "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
    );
    let unnamed = !label.content_type.ends_with("/json") && !label.content_type.ends_with("+json");
    named || (label.json_is_lines && unnamed)
}

/// Media type by the Content-Type alone.
fn labelled_media(label: &BodyHints) -> BodyMediaType {
    match label.content_type.as_str() {
        "text/event-stream" => BodyMediaType::Sse,
        "text/html" => BodyMediaType::Html,
        AWS_EVENTSTREAM => BodyMediaType::AwsEventstream,
        kind if kind.ends_with("json") && !is_json_lines(label) => BodyMediaType::Json,
        kind if is_json_lines(label) && !kind.is_empty() => BodyMediaType::Ndjson,
        kind if kind.starts_with("text/") => BodyMediaType::Text,
        _ => BodyMediaType::Binary,
    }
}

/// The facts about a Content-Type that differs from the recognised media type; `None` if they agree.
pub(super) fn media_mismatch(label: &BodyHints, media: BodyMediaType) -> Option<NoteFacts> {
    let labelled = labelled_media(label);
    let is_json = |media| matches!(media, BodyMediaType::Json | BodyMediaType::JsonArray);
    let same = labelled == media || (is_json(labelled) && is_json(media));
    let is_named = matches!(
        media,
        BodyMediaType::Json | BodyMediaType::Sse | BodyMediaType::Html
    );
    let is_labelled = matches!(
        labelled,
        BodyMediaType::Json | BodyMediaType::Sse | BodyMediaType::Ndjson
    );
    (!same && is_named && is_labelled).then(|| {
        let what = match media {
            BodyMediaType::Sse => "an event stream",
            BodyMediaType::Html => "a page",
            _ => "JSON",
        };
        vec![
            ("body", what.to_owned()),
            ("label", label.content_type.clone()),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::{BodyHints, BodyMediaType, sniff_media};
    use crate::tape::Window;

    #[test]
    fn the_beginning_counts_more_than_the_label() {
        let cases = [
            ("text/event-stream", "data: {}", BodyMediaType::Sse),
            ("text/event-stream", "{\"error\":1}", BodyMediaType::Json),
            ("text/event-stream", "\n\n: hi\n", BodyMediaType::Sse),
            ("application/json", "data: {}", BodyMediaType::Sse),
            ("application/json", "\n\n{}", BodyMediaType::Json),
            ("application/x-ndjson", "{}\n", BodyMediaType::Ndjson),
            ("", "{}", BodyMediaType::Json),
            (
                "",
                "{\"id\":\"a\",\"custom_id\":\"b\"}\n",
                BodyMediaType::Ndjson,
            ),
            (
                "",
                "{\"data\":[{\"custom_id\":\"b\"}]}",
                BodyMediaType::Json,
            ),
            ("", "{\n\"custom_id\":\"b\"}", BodyMediaType::Json),
            ("", "<html>", BodyMediaType::Html),
            ("text/html", "<div>hello</div>", BodyMediaType::Html),
            (
                "application/vnd.amazon.eventstream",
                "\0\0\0\x01abcd",
                BodyMediaType::AwsEventstream,
            ),
            (
                "application/vnd.amazon.eventstream",
                "{\"message\":\"denied\"}",
                BodyMediaType::Json,
            ),
            ("", "\0\0\0\x01abcd", BodyMediaType::Binary),
            ("text/plain", "upstream failed", BodyMediaType::Text),
            ("application/json", "", BodyMediaType::Empty),
            ("text/event-stream", "", BodyMediaType::Sse),
        ];
        for (content_type, body, expected) in cases {
            let label = BodyHints {
                content_type: content_type.to_owned(),
                ..BodyHints::default()
            };
            let seen = |bytes| Window {
                base: 0,
                bytes,
                ended: true,
            };
            assert_eq!(
                sniff_media(&label, seen(body.as_bytes())),
                Some(expected),
                "{body:?}"
            );
        }
    }

    #[test]
    fn a_cut_beginning_is_never_read_as_something_else() {
        let label = BodyHints::default();
        for body in ["<!doctype html><p>", "retry: 10\n\n", "<html><p></p>"] {
            let media = |length: usize, ended| {
                let bytes = body.as_bytes().get(..length).unwrap_or_default();
                let seen = Window {
                    base: 0,
                    bytes,
                    ended,
                };
                sniff_media(&label, seen)
            };
            let whole = media(body.len(), true);
            for length in 1..body.len() {
                let early = media(length, false);
                assert!(early.is_none() || early == whole, "{body:?} {length}");
            }
        }
    }
}
