//! The value at a JSON path in a body of a call, with the bytes it crossed in.

use super::Call;
use crate::json::{self, JsonError, PathNotFound, ValuePath};
use crate::span::{Moment, Span, StreamSide};
use crate::sse::{EventDecoder, StreamFormat, StreamItem};
use crate::tape::Window;

/// A JSON value of a body and its place.
#[derive(Debug)]
pub struct FoundValue {
    /// The bytes of the value.
    pub text: Vec<u8>,
    /// Its span in the decoded body.
    pub span: Span,
    /// Its span in the stream.
    pub wire: Span,
    /// When its last byte crossed.
    pub whole_at: Option<Moment>,
}

/// The reason why a body has no value at a path.
#[derive(Debug)]
pub enum LookupError {
    /// The answer is a stream, and the path does not begin with the number of an event that has data.
    NoEvent,
    /// The body, or the data of the event, is not JSON.
    NotJson(JsonError),
    /// The path leads to no value.
    NotFound(PathNotFound),
}

impl Call {
    /// The value at `path` in the body of one side. In a stream of events the path begins with the number of an event.
    ///
    /// # Errors
    ///
    /// There is no such value.
    pub fn value_at(&self, side: StreamSide, path: &ValuePath) -> Result<FoundValue, LookupError> {
        let (body, format) = match side {
            StreamSide::Sent => (&self.request_body, None),
            StreamSide::Received => {
                let format = self.meaning.completion.media.stream_format();
                (&self.response_body, format)
            }
        };
        let whole = Window {
            base: 0,
            bytes: &body.bytes,
            ended: true,
        };
        let (data, inner) = match format {
            None => (Span::new(0, body.bytes.len() as u64), path.clone()),
            Some(format) => event_data_span(whole, format, path).ok_or(LookupError::NoEvent)?,
        };
        let document =
            json::JsonDocument::parse(whole.slice(data)).map_err(LookupError::NotJson)?;
        let value = json::find(&document, &inner).map_err(LookupError::NotFound)?;
        let place = |offset: u64| data.start.saturating_add(offset);
        let span = Span::new(place(value.span().start), place(value.span().end));
        let wire = body.wire_span(span);
        let stream = self.tape.stream(side);
        Ok(FoundValue {
            text: value.raw().to_vec(),
            span,
            wire,
            whole_at: stream.moment_at(wire.end.saturating_sub(1)),
        })
    }
}

/// The span of the data of the event that the first step of `path` numbers, and the rest of the path.
fn event_data_span(
    body: Window<'_>,
    format: StreamFormat,
    path: &ValuePath,
) -> Option<(Span, ValuePath)> {
    let (number, rest) = path.steps().split_first()?;
    let number: usize = number.parse().ok()?;
    let mut decoder = EventDecoder::new(format);
    let items = std::iter::from_fn(|| decoder.step(body));
    let mut events = items.filter(StreamItem::is_numbered);
    match events.nth(number)? {
        StreamItem::Event(event) => Some((event.first_data?, rest.iter().cloned().collect())),
        _ => None,
    }
}
