//! Reads what only the frames of an AWS event stream have: faults, exceptions, and the events of a model in base64.

use super::api_error::ApiError;
use super::builder::EventPlace;
use super::delta::DeltaSink;
use super::members::text_at;
use super::note::rule;
use super::reader::AnswerReader;
use crate::json::{JsonDocument, JsonValue};
use crate::sse::{FrameFacts, FrameFault, SseEvent};
use crate::tape::Window;

impl AnswerReader {
    /// Notes the fault of a frame and counts the event as damaged: a piece of the answer may be missing.
    pub(super) fn note_frame_fault(
        &mut self,
        rule: &'static str,
        fault: FrameFault,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) {
        self.count_damaged_event();
        self.with_builder(place, sink, |builder| {
            let facts = vec![("fault", fault.describe().to_owned())];
            builder.note(rule, builder.event_place(), facts);
        });
    }

    /// Reads what a frame has beside its data. Returns whether nothing is left to read: the frame is an error.
    pub(super) fn take_frame_facts(
        &mut self,
        facts: FrameFacts,
        event: &SseEvent,
        seen: Window<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) -> bool {
        if let Some(fault) = facts.fault {
            self.note_frame_fault(rule::EVENTSTREAM_FRAME_BROKEN, fault, place, sink);
        }
        if facts.is_error {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let class = event.name.map(|name| text(seen.slice(name)));
            let message = event.frame_header(seen, b":error-message").map(text);
            let error = ApiError::from_frame(class, message, &event.data(seen));
            self.with_builder(place, sink, |builder| {
                builder.push_error(error, builder.place.span);
            });
        }
        facts.is_error
    }

    /// Reads the event of the model's own API that a frame of `InvokeModelWithResponseStream` holds: `{"bytes":"..."}`.
    /// Returns false if `root` is no such frame.
    pub(super) fn take_wrapped_event(
        &mut self,
        root: JsonValue<'_>,
        place: EventPlace,
        sink: &mut dyn DeltaSink,
    ) -> bool {
        let Some(coded) = text_at(root, "bytes") else {
            return false;
        };
        // The JSON is not in the body as it is: its values have the place of the frame.
        let place = EventPlace {
            base: None,
            ..place
        };
        let Ok(inner) = base64_simd::STANDARD.decode_to_vec(coded.as_bytes()) else {
            self.note_frame_fault(
                rule::EVENTSTREAM_FRAME_BROKEN,
                FrameFault::Base64,
                place,
                sink,
            );
            return true;
        };
        match JsonDocument::parse(&inner) {
            Ok(document) => self.take_json_event(b"", document.root(), place, sink),
            Err(error) => self.take_unreadable_event(&error, b"", &inner, place, sink),
        }
        true
    }
}
