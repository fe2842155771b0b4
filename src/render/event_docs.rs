//! The events of a streamed answer as JSON objects, made one by one while they are written.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use crate::call::Call;
use crate::span::{Moment, Span};
use crate::sse::{EventDecoder, SseEvent, StreamFormat, StreamItem};
use crate::tape::Window;

/// Longest event whose data is written as text, in bytes: the pieces of an answer are shorter, and the body in the same
/// document has the rest (images in base64, the whole answer in the last event of Responses).
const MAX_SHOWN_EVENT: u64 = 4096;

/// The list of the events of a streamed answer. Comments, of which there may be millions, are only counted in `report`.
#[derive(Clone, Copy)]
pub(super) struct EventList<'a> {
    call: &'a Call,
    format: StreamFormat,
}

#[derive(Serialize)]
struct EventDoc<'a> {
    /// Number of the event; `None` for fields without data.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<u64>,
    kind: &'static str,
    /// Arrival time of the last byte that was needed to read it.
    t: Option<Moment>,
    /// The whole event in the decoded body.
    span: Span,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Cow<'a, str>>,
    /// The place of data that is too long to be written here.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_at: Option<Span>,
}

impl<'a> EventList<'a> {
    /// The events of `call`; `None` if its answer is no stream.
    pub(super) fn from_call(call: &'a Call) -> Option<Self> {
        let format = call.meaning.completion.media.stream_format()?;
        Some(Self { call, format })
    }
}

impl Serialize for EventList<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let body = &self.call.response_body;
        let seen = Window {
            base: 0,
            bytes: &body.bytes,
            ended: true,
        };
        let mut decoder = EventDecoder::new(self.format);
        let mut next_number = 0_u64;
        to.collect_seq(std::iter::from_fn(|| {
            loop {
                let item = decoder.step(seen)?;
                let Some(mut doc) = event_doc(item, seen) else {
                    continue;
                };
                if item.is_numbered() {
                    doc.number = Some(next_number);
                    next_number = next_number.saturating_add(1);
                }
                let offset = body.wire_offset(decoder.ready_at().saturating_sub(1));
                doc.t = offset.and_then(|offset| self.call.tape.received.moment_at(offset));
                return Some(doc);
            }
        }))
    }
}

/// The object for an item, without number and time; `None` for items that are not listed.
fn event_doc<'a>(item: StreamItem, seen: Window<'a>) -> Option<EventDoc<'a>> {
    let (kind, event) = match item {
        StreamItem::Event(event) => ("event", event),
        StreamItem::WithoutData(event) if event.id.is_some() || event.retry.is_some() => {
            ("without_data", event)
        }
        StreamItem::TooLong(_) => ("too_long", SseEvent::default()),
        // Readers may never see its last line, but its bytes are there.
        StreamItem::Truncated(cut) if cut.with_line.first_data.is_some() => ("cut", cut.with_line),
        StreamItem::Truncated(cut) => ("cut", cut.event),
        StreamItem::Unframed { .. } => ("unframed", SseEvent::default()),
        StreamItem::WithoutData(_) | StreamItem::Comment { .. } | StreamItem::Separator(_) => {
            return None;
        }
    };
    let text = |span: Span| String::from_utf8_lossy(seen.slice(span));
    let is_short = event.span.len() <= MAX_SHOWN_EVENT;
    let data = event.first_data.filter(|_| is_short);
    let data = data.map(|_| match event.data(seen) {
        Cow::Borrowed(data) => String::from_utf8_lossy(data),
        Cow::Owned(data) => Cow::Owned(String::from_utf8_lossy(&data).into_owned()),
    });
    let whole = if event.data_lines == 1 {
        event.first_data
    } else {
        Some(event.span)
    };
    Some(EventDoc {
        number: None,
        kind,
        t: None,
        span: item.span(),
        name: event.name.map(text),
        id: event.id.map(text),
        retry: event.retry,
        data,
        data_at: whole.filter(|_| !is_short && event.first_data.is_some()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::call::ReadOptions;
    use crate::import;

    fn call(body: &str) -> Call {
        let message = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{body}"
        );
        let tape = import::read_message(message.as_bytes());
        Call::read(tape, &ReadOptions::default())
    }

    fn events(call: &Call) -> Value {
        serde_json::to_value(EventList::from_call(call)).unwrap()
    }

    #[test]
    fn each_event_has_its_fields_and_its_place() {
        let call = call(
            "retry: 10\n\n: hi\n\nevent: a\nid: 7\ndata: one\ndata: two\n\nevent: empty\n\ndata: {}",
        );
        let found = events(&call);
        let span = |start, end| json!({"start": start, "end": end});
        let expected = json!([
            {"kind": "without_data", "t": 0, "span": span(0, 10), "retry": 10},
            {"number": 0, "kind": "event", "t": 0, "span": span(17, 52), "name": "a", "id": "7", "data": "one\ntwo"},
            {"number": 1, "kind": "cut", "t": 0, "span": span(67, 75), "data": "{}"},
        ]);
        assert_eq!(found, expected);
    }

    #[test]
    fn long_data_has_its_place_alone() {
        let call = call(&format!("data: \"{}\"\n\n", "x".repeat(5000)));
        let found = events(&call);
        assert_eq!(found[0]["data_at"], json!({"start": 6, "end": 5008}));
        assert_eq!(found[0].get("data"), None);
    }

    #[test]
    fn comments_are_counted_and_not_listed() {
        let call = call(&": x\n".repeat(10_000));
        assert_eq!(events(&call), json!([]));
        let completion = &call.meaning.completion;
        assert_eq!(completion.comments, 10_000);
        assert_eq!((completion.deltas.len(), call.events.len()), (0, 0));
    }

    #[test]
    fn an_answer_that_is_no_stream_has_no_list() {
        assert!(EventList::from_call(&call("{}")).is_none());
    }
}
