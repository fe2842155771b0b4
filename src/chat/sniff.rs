//! What a body is: by its label, and by how it begins, which is what counts where the two differ.

use super::completion::Media;
use crate::sse::StreamFormat;
use crate::tape::Window;

/// What the label and the dialect say, before the first byte.
#[derive(Clone, Debug, Default)]
pub(super) struct Label {
    /// `Content-Type` without parameters, lower case.
    pub(super) content_type: String,
    /// Whether no body belongs to it.
    pub(super) bodyless: bool,
    /// Whether a JSON array of this dialect is a stream.
    pub(super) array_streams: bool,
    /// Whether JSON of this dialect comes in lines.
    pub(super) lines_stream: bool,
}

/// How many bytes after white space are enough to tell.
const ENOUGH: usize = 8;

/// White space before which nobody waits longer: what a body is, its label must say then.
const SPACE: usize = 64 << 10;

/// What a body is to be read as. `None`: more bytes are needed.
pub(super) fn sniff(label: &Label, seen: Window<'_>) -> Option<Media> {
    let held = seen.bytes.get(..SPACE).unwrap_or(seen.bytes);
    let bytes = held.strip_prefix(b"\xef\xbb\xbf").unwrap_or(held);
    let start = bytes.trim_ascii_start();
    let Some(first) = start.first() else {
        let silent =
            bytes.is_empty() && (label.bodyless || label.content_type != "text/event-stream");
        return (seen.ended || held.len() >= SPACE).then_some(match silent {
            true => Media::Empty,
            // A stream may be over before its first event.
            false => by_label(label),
        });
    };
    // A mark that has not come whole looks like something else.
    if seen.bytes.len() < 3 && b"\xef\xbb\xbf".starts_with(seen.bytes) && !seen.ended {
        return None;
    }
    match first {
        b'{' if is_lines(label) => return Some(Media::Ndjson),
        b'{' => return Some(Media::Json),
        b'[' if label.array_streams => return Some(Media::JsonArray),
        b'[' => return Some(Media::Json),
        _ if label.content_type == "text/event-stream" => return Some(Media::Sse),
        _ => {}
    }
    if start.len() < ENOUGH && held.len() < SPACE && !seen.ended {
        return None;
    }
    let begins = |words: &[&str]| {
        words.iter().any(|word| {
            let head = start.get(..word.len()).unwrap_or(start);
            head.eq_ignore_ascii_case(word.as_bytes())
        })
    };
    if begins(&["data:", "event:", "id:", "retry:", ": "]) {
        return Some(Media::Sse);
    }
    if begins(&["<!doctype", "<html", "<head"]) {
        return Some(Media::Html);
    }
    Some(by_label(label))
}

fn is_lines(label: &Label) -> bool {
    let named = matches!(
        label.content_type.as_str(),
        "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
    );
    let unnamed = !label.content_type.ends_with("/json") && !label.content_type.ends_with("+json");
    named || (label.lines_stream && unnamed)
}

/// What the label alone says.
fn by_label(label: &Label) -> Media {
    match label.content_type.as_str() {
        "text/event-stream" => Media::Sse,
        "text/html" => Media::Html,
        kind if kind.ends_with("json") && !is_lines(label) => Media::Json,
        kind if is_lines(label) && !kind.is_empty() => Media::Ndjson,
        kind if kind.starts_with("text/") => Media::Text,
        _ => Media::Binary,
    }
}

/// How the events of such a body are written, if it has any.
pub(super) fn format(media: Media) -> Option<StreamFormat> {
    match media {
        Media::Sse => Some(StreamFormat::EventStream),
        Media::Ndjson => Some(StreamFormat::Lines),
        Media::JsonArray => Some(StreamFormat::Array),
        _ => None,
    }
}

/// Whether the label says something else, in words.
pub(super) fn differs(label: &Label, media: Media) -> Option<String> {
    let labelled = by_label(label);
    let is_json = |media| matches!(media, Media::Json | Media::JsonArray);
    let same = labelled == media || (is_json(labelled) && is_json(media));
    let told = matches!(media, Media::Json | Media::Sse | Media::Html);
    let is_labelled = matches!(labelled, Media::Json | Media::Sse | Media::Ndjson);
    (!same && told && is_labelled).then(|| {
        let what = match media {
            Media::Sse => "an event stream",
            Media::Html => "a page",
            _ => "JSON",
        };
        format!(
            "the body is {what}, though its Content-Type says {}",
            label.content_type
        )
    })
}

#[cfg(test)]
mod tests {
    use super::{Label, Media, sniff};
    use crate::tape::Window;

    #[test]
    fn the_beginning_counts_more_than_the_label() {
        let cases = [
            ("text/event-stream", "data: {}", Media::Sse),
            ("text/event-stream", "{\"error\":1}", Media::Json),
            ("text/event-stream", "\n\n: hi\n", Media::Sse),
            ("application/json", "data: {}", Media::Sse),
            ("application/json", "\n\n{}", Media::Json),
            ("application/x-ndjson", "{}\n", Media::Ndjson),
            ("", "{}", Media::Json),
            ("", "<html>", Media::Html),
            ("text/html", "<div>hello</div>", Media::Html),
            (
                "application/vnd.amazon.eventstream",
                "\0\0\0\x01abcd",
                Media::Binary,
            ),
            ("text/plain", "upstream failed", Media::Text),
            ("application/json", "", Media::Empty),
            ("text/event-stream", "", Media::Sse),
        ];
        for (content_type, body, expected) in cases {
            let label = Label {
                content_type: content_type.to_owned(),
                ..Label::default()
            };
            let seen = |bytes| Window {
                base: 0,
                bytes,
                ended: true,
            };
            assert_eq!(
                sniff(&label, seen(body.as_bytes())),
                Some(expected),
                "{body:?}"
            );
        }
    }
}
