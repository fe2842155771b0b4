//! The exchanges of one connection that have not ended, each with its capture.

use std::collections::VecDeque;

use super::Recorder;
use super::exchange_capture::ExchangeCapture;
use super::reader::{ClientHead, ServerPiece};
use super::upstream::ChosenUpstream;
use crate::net::{Clock, ClockReading};
use crate::tape::{ConnectionFact, ConnectionPlace};

/// The captures of the exchanges that run on one connection, in order.
pub(super) struct OpenExchanges<'a> {
    recorder: &'a Recorder,
    captures: VecDeque<ExchangeCapture>,
    /// Id of the first exchange of the connection.
    first_id: Option<String>,
    /// When the first byte of the next request came.
    request_began: Option<Clock>,
}

impl<'a> OpenExchanges<'a> {
    pub(super) fn new(recorder: &'a Recorder) -> Self {
        Self {
            recorder,
            captures: VecDeque::new(),
            first_id: None,
            request_began: None,
        }
    }

    /// Whether no exchange runs.
    pub(super) fn is_empty(&self) -> bool {
        self.captures.is_empty()
    }

    /// Starts the clock of the next exchange, unless it runs: bytes of the client came.
    pub(super) fn note_client_bytes(&mut self) {
        self.request_began.get_or_insert_with(Clock::start);
    }

    /// Begins the capture of the request with `head` to `chosen`.
    pub(super) fn begin(&mut self, head: &ClientHead, chosen: Option<&ChosenUpstream>) {
        let target = head.bytes.get(head.target.clone()).unwrap_or_default();
        match chosen {
            Some(chosen) => {
                let upstream = &chosen.upstream;
                let host = upstream.route.target.host.as_str();
                self.add(head.exchange, &chosen.url(head), host);
                if let Some(capture) = self.captures.back_mut() {
                    capture.is_wanted = upstream.is_captured;
                }
            }
            None => self.add(head.exchange, &String::from_utf8_lossy(target), "unknown"),
        }
    }

    /// Begins the capture of a request that cannot be read.
    pub(super) fn begin_refused(&mut self, exchange: u64) {
        self.add(exchange, "", "refused");
    }

    fn add(&mut self, exchange: u64, url: &str, host: &str) {
        let clock = self.request_began.take().unwrap_or_else(Clock::start);
        let mut origin = self.recorder.new_origin(&clock, url);
        let first = self.first_id.get_or_insert_with(|| origin.id.clone());
        origin.connection = Some(ConnectionPlace {
            id: first.clone(),
            exchange: exchange.saturating_add(1),
        });
        let numbers = (self.recorder.next_number(), exchange);
        let secrets = self.recorder.secrets.clone();
        let capture = ExchangeCapture::new(numbers, clock, origin, host, secrets);
        self.captures.push_back(capture);
    }

    /// The capture of an exchange that has not ended.
    pub(super) fn capture(&mut self, exchange: u64) -> Option<&mut ExchangeCapture> {
        let mut captures = self.captures.iter_mut();
        captures.find(|capture| capture.exchange == exchange)
    }

    /// Adds bytes that the server sent for an exchange. Bytes that no request asked for get a capture of their own.
    pub(super) fn add_response(&mut self, piece: ServerPiece, reading: ClockReading, bytes: &[u8]) {
        if self.capture(piece.exchange).is_none() && !bytes.is_empty() {
            self.add(piece.exchange, "", "unasked");
        }
        if let Some(capture) = self.capture(piece.exchange) {
            capture.add_response(capture.clock.moment_of(reading), bytes);
            capture.response_over |= piece.ends;
        }
    }

    /// Gives the lines so far to the writer.
    pub(super) fn flush(&mut self) {
        for capture in &mut self.captures {
            capture.flush(&self.recorder.queue);
        }
    }

    /// Ends the captures of exchanges whose request and response are whole, while the connection goes on.
    pub(super) fn finish_whole(&mut self) {
        while let Some(first) = self.captures.front()
            && first.request_over
            && first.response_over
        {
            if let Some(capture) = self.captures.pop_front() {
                capture.finish(&self.recorder.queue, None);
            }
        }
    }

    /// Ends all captures with the connection. `last` says how it ended.
    pub(super) fn finish_all(&mut self, last: &ConnectionFact) {
        for capture in self.captures.drain(..) {
            capture.finish(&self.recorder.queue, Some(last));
        }
    }
}
