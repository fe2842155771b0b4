//! A WebSocket connection for tests, built message by message: each crosses a millisecond after the last.

#[path = "websocket_frame.rs"]
mod websocket_frame;

use wire::capture::CaptureWriter;
use wire::span::{Moment, StreamSide};
use wire::tape::{CloseKind, ConnectionFact, ConnectionParty, Tape, TapeOrigin, WireSink};

pub use websocket_frame::frame;

pub fn origin() -> TapeOrigin {
    TapeOrigin {
        id: "019ac9a7-0000-7000-8000-00000000beef".into(),
        started: "2026-11-28T12:00:00Z".parse().unwrap(),
        via: "record".into(),
        url: "https://api.openai.com/v1/responses".into(),
        tool: "wire test".into(),
        connection: None,
    }
}

/// A connection and its tape so far.
#[derive(Clone)]
pub struct Connection {
    tape: Tape,
    now: u64,
    deflaters: Option<[std::rc::Rc<std::cell::RefCell<flate2::Compress>>; 2]>,
}

impl Connection {
    /// A connection whose handshake is done.
    pub fn open(path: &str, deflate: bool) -> Self {
        let mut connection = Self {
            tape: Tape::new(origin()),
            now: 0,
            deflaters: deflate.then(|| {
                [(), ()].map(|()| {
                    let compress = flate2::Compress::new(flate2::Compression::default(), false);
                    std::rc::Rc::new(std::cell::RefCell::new(compress))
                })
            }),
        };
        let extension = match deflate {
            true => "Sec-WebSocket-Extensions: permessage-deflate\r\n",
            false => "",
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: api.openai.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: ************************\r\nSec-WebSocket-Version: 13\r\n{extension}\r\n"
        );
        let response = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nx-request-id: req_1\r\n{extension}\r\n"
        );
        connection.cross(StreamSide::Sent, request.as_bytes());
        connection.cross(StreamSide::Received, response.as_bytes());
        connection
    }

    fn cross(&mut self, side: StreamSide, bytes: &[u8]) {
        self.now += 1000;
        self.tape.bytes(side, Moment::from_micros(self.now), bytes);
    }

    fn text_frame(&self, side: usize, key: Option<[u8; 4]>, event: &serde_json::Value) -> Vec<u8> {
        let text = event.to_string();
        let Some(deflaters) = &self.deflaters else {
            return frame(0x81, key, text.as_bytes());
        };
        let mut out = Vec::with_capacity(text.len() + 1024);
        deflaters[side]
            .borrow_mut()
            .compress_vec(text.as_bytes(), &mut out, flate2::FlushCompress::Sync)
            .unwrap();
        frame(0xc1, key, &out[..out.len() - 4])
    }

    pub fn send(&mut self, event: &serde_json::Value) {
        let frame = self.text_frame(0, Some([0x37, 0xfa, 0x21, 0x3d]), event);
        self.cross(StreamSide::Sent, &frame);
    }

    pub fn receive(&mut self, event: &serde_json::Value) {
        let frame = self.text_frame(1, None, event);
        self.cross(StreamSide::Received, &frame);
    }

    pub fn receive_all(&mut self, events: &[serde_json::Value]) {
        for event in events {
            self.receive(event);
        }
    }

    pub fn send_frame(&mut self, frame: &[u8]) {
        self.cross(StreamSide::Sent, frame);
    }

    pub fn receive_frame(&mut self, frame: &[u8]) {
        self.cross(StreamSide::Received, frame);
    }

    /// The tape of a connection that the peer ends.
    pub fn end(mut self, how: CloseKind) -> Tape {
        self.now += 1000;
        let by = ConnectionParty::Peer;
        let fact = ConnectionFact::Closed { by, how };
        self.tape.fact(Moment::from_micros(self.now), &fact);
        self.stop()
    }

    /// The tape of a recording that stops here.
    pub fn stop(mut self) -> Tape {
        for side in [StreamSide::Sent, StreamSide::Received] {
            self.tape.ended(side, Moment::from_micros(self.now));
        }
        self.tape
    }
}

/// The capture file of `tape`.
pub fn capture_of(tape: &Tape) -> Vec<u8> {
    let mut writer = CaptureWriter::new(Vec::new(), &tape.origin);
    tape.replay(&mut writer);
    writer.finish().unwrap()
}
