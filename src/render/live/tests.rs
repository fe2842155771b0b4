//! When and in which order painted bytes are written.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use super::LivePainter;
use crate::render::OutputStyle;
use crate::render::view_options::{
    AnswerForm, DecodeLevel, ExchangeParts, StyledOutput, ViewOptions,
};
use crate::span::{Moment, StreamSide};
use crate::tape::WireSink as _;

/// An output that remembers each write.
#[derive(Clone, Debug, Default)]
struct Writes(Rc<RefCell<Vec<String>>>);

impl Write for Writes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.0.borrow_mut().push(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A painter of `parts` that writes both outputs to `out`.
fn painter(parts: ExchangeParts, out: &Writes) -> LivePainter<Writes, Writes> {
    let plan = ViewOptions {
        parts,
        with_marks: false,
        decode: DecodeLevel::All,
        answer_form: AnswerForm::Body,
        pretty: false,
        pretty_notes: false,
        on_screen: false,
    };
    let screen = || StyledOutput {
        out: out.clone(),
        style: OutputStyle::default(),
    };
    let mut live = LivePainter::new(screen(), screen(), plan, &Default::default());
    // Without a request the response is read at once.
    live.ended(StreamSide::Sent, Moment::default());
    live
}

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn each_read_is_written_at_once_in_one_write() {
    let out = Writes::default();
    let parts = ExchangeParts {
        response_body: true,
        ..ExchangeParts::default()
    };
    let mut live = painter(parts, &out);
    live.bytes(StreamSide::Received, Moment::default(), HEAD);
    for (chunks, written) in [(1000, "x".repeat(1000)), (1, "x".to_owned())] {
        let read = b"1\r\nx\r\n".repeat(chunks);
        live.bytes(StreamSide::Received, Moment::default(), &read);
        assert_eq!(out.0.take(), [written]);
    }
    // Nothing is held back if it is longer than the buffer.
    let read = [b"10000\r\n".to_vec(), vec![b'y'; 1 << 16]].concat();
    live.bytes(StreamSide::Received, Moment::default(), &read);
    assert_eq!(out.0.take().concat().len(), 1 << 16);
}

#[test]
fn notes_are_written_in_the_order_of_arrival() {
    let out = Writes::default();
    let parts = ExchangeParts {
        response_body: true,
        response_head: true,
        ..ExchangeParts::default()
    };
    let mut live = painter(parts, &out);
    let rest = b"1\r\na\r\n1\r\nb\r\n0\r\nTrailer: t\r\n\r\n";
    let whole = [HEAD, rest].concat();
    live.bytes(StreamSide::Received, Moment::default(), &whole);
    let head = String::from_utf8_lossy(HEAD);
    assert_eq!(out.0.take().concat(), format!("{head}abTrailer: t\r\n"));
}
