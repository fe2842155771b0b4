//! The capture of one recorded exchange: masks, makes lines, and gives them to the writer.

use std::sync::{Arc, Mutex, PoisonError};

use super::edits::HeadEdit;
use super::writer::{CaptureLines, CaptureQueue, NewCapture};
use crate::capture::{CaptureWriter, LineSink, Masker, Secrets};
use crate::json::JsonDocument;
use crate::net::Clock;
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, TapeOrigin, WireSink};

/// Most bytes of a request body that are searched for the model, which names the file. Longer bodies are rare, and are
/// named after the host.
const SEARCHED_BODY: usize = 1 << 20;

/// The capture of one exchange while it runs.
pub(super) struct ExchangeCapture {
    /// Number of the exchange on its connection, from 0.
    pub(super) exchange: u64,
    pub(super) clock: Clock,
    /// Whether the request is whole, or no more of it will come.
    pub(super) request_over: bool,
    /// Whether the response is whole.
    pub(super) response_over: bool,
    has_response: bool,
    /// Whether it is written at all.
    pub(super) is_wanted: bool,
    /// Number of the capture in this recorder.
    number: u64,
    /// Set until the file has a name.
    new: Option<Box<NewCapture>>,
    /// The request body so far, until the file has a name.
    body: Vec<u8>,
    lines: SharedLines,
    feed: Masker<CaptureWriter<SharedLines>>,
}

/// The lines that were not given to the writer yet.
#[derive(Clone, Debug, Default)]
struct SharedLines(Arc<Mutex<Vec<u8>>>);

impl LineSink for SharedLines {
    fn put_line(&mut self, line: &mut Vec<u8>) -> std::io::Result<()> {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend_from_slice(line);
        Ok(())
    }
}

impl SharedLines {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ExchangeCapture {
    /// A capture that begins at the start of `clock`. `host` names the file if the request names no model.
    pub(super) fn new(
        (number, exchange): (u64, u64),
        clock: Clock,
        origin: TapeOrigin,
        host: &str,
        secrets: Secrets,
    ) -> Self {
        let lines = SharedLines::default();
        let writer = CaptureWriter::new(lines.clone(), &origin);
        Self {
            exchange,
            clock,
            request_over: false,
            response_over: false,
            has_response: false,
            is_wanted: true,
            number,
            new: Some(Box::new(NewCapture {
                label: secrets.mask_text(host),
                origin,
            })),
            body: Vec::new(),
            lines,
            feed: Masker::new(writer, secrets),
        }
    }

    /// Adds the head as it is forwarded, with its edits.
    pub(super) fn add_head(&mut self, head: &[u8], edits: Vec<HeadEdit>) {
        let moment = self.clock.moment();
        for HeadEdit { span, was } in edits {
            let side = StreamSide::Sent;
            self.feed
                .fact(moment, &ConnectionFact::Edited { side, span, was });
        }
        self.feed.bytes(StreamSide::Sent, moment, head);
    }

    /// Adds bytes of the request body.
    pub(super) fn add_body(&mut self, bytes: &[u8]) {
        if self.new.is_some() && self.body.len() < SEARCHED_BODY {
            self.body.extend_from_slice(bytes);
        }
        self.feed
            .bytes(StreamSide::Sent, self.clock.moment(), bytes);
    }

    /// Adds bytes of the response, which came at `moment`.
    pub(super) fn add_response(&mut self, moment: Moment, bytes: &[u8]) {
        self.has_response = true;
        self.feed.bytes(StreamSide::Received, moment, bytes);
    }

    /// Adds a fact of the connection.
    pub(super) fn add_fact(&mut self, fact: &ConnectionFact) {
        self.feed.fact(self.clock.moment(), fact);
    }

    /// Ends the request.
    pub(super) fn end_request(&mut self) {
        self.request_over = true;
        self.feed.ended(StreamSide::Sent, self.clock.moment());
    }

    /// Gives the lines so far to the writer. They wait until the request is over, so that the file can be named after
    /// the model, but no longer than for the first byte of the response.
    pub(super) fn flush(&mut self, queue: &CaptureQueue) {
        let may_name_model = !self.request_over && !self.has_response;
        if self.new.is_some() && may_name_model && self.body.len() < SEARCHED_BODY {
            return;
        }
        let lines = self.lines.take();
        if !lines.is_empty() && self.is_wanted {
            queue.put(CaptureLines {
                number: self.number,
                new: self.take_new(),
                lines,
                ended: false,
            });
        }
    }

    /// Ends the capture. `last` is the fact that ended the exchange, if the connection ended with it.
    pub(super) fn finish(mut self, queue: &CaptureQueue, last: Option<&ConnectionFact>) {
        let moment = self.clock.moment();
        for side in [StreamSide::Sent, StreamSide::Received] {
            self.feed.ended(side, moment);
        }
        if let Some(last) = last {
            self.feed.fact(moment, last);
        }
        let new = self.take_new();
        let Self {
            number,
            is_wanted,
            lines,
            feed,
            ..
        } = self;
        // The lines are in `lines`; an error cannot come from memory.
        let _ = feed.flush_into_sink().finish();
        if is_wanted {
            queue.put(CaptureLines {
                number,
                new,
                lines: lines.take(),
                ended: true,
            });
        }
    }

    /// What the writer needs to create the file; `None` once it has that. The model names the file, masked like all else
    /// that reaches the disk.
    fn take_new(&mut self) -> Option<Box<NewCapture>> {
        let mut new = self.new.take()?;
        let body = std::mem::take(&mut self.body);
        if let Some(model) = requested_model(&body) {
            new.label = self.feed.mask_text(&model);
        }
        Some(new)
    }
}

/// Facts of the connection to the server, reported while it is made.
impl WireSink for ExchangeCapture {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.feed.fact(moment, fact);
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        self.feed.bytes(side, moment, bytes);
    }
}

/// The model that the request body names.
fn requested_model(body: &[u8]) -> Option<String> {
    if body.first() != Some(&b'{') {
        return None;
    }
    let document = JsonDocument::parse(body).ok()?;
    let model = document.root().get("model")?.as_str()?;
    Some(model.into_owned())
}
