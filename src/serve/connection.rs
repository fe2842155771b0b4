//! One accepted connection: bytes become whole requests, requests become replies, and the connection
//! is kept, closed or dropped as both want. What is answered is the business of whoever passes it in.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::coding::Coding;
use super::reply::{self, After, Manner, Reply};
use super::request::Request;
use crate::http1::{
    BodyFraming, BodyRetention, Event, HttpDecoder, HttpLimits, HttpMessage, MessageEnd,
};
use crate::tape::Window;

/// The longest body that is taken.
pub const BODY_LIMIT: u64 = 64 << 20;

/// Whoever answers requests.
pub trait Answer {
    /// The reply to `request`.
    fn answer(&self, request: &Request) -> Reply;
    /// The reply when the request could not be read: `status` and what is wrong with it.
    fn refuse(&self, status: u16, fault: &str) -> Reply;
}

/// Answers what comes on `stream` until one side has enough. An error is the connection's own.
pub async fn attend<S, A>(stream: S, answer: &A) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Answer + ?Sized,
{
    let mut connection = Connection {
        stream,
        held: Vec::new(),
        base: 0,
        ended: false,
    };
    loop {
        let (reply, manner) = match connection.read().await? {
            Next::Gone => return connection.close().await,
            Next::Whole(request, manner) => (answer.answer(&request), manner),
            Next::Refused(status, fault) => (answer.refuse(status, &fault), Manner::default()),
        };
        match reply::write(&mut connection.stream, reply, manner).await? {
            After::Keep => {}
            After::Close => return connection.close().await,
            After::Cut => return Ok(()),
            After::Stall => return connection.listen().await,
        }
    }
}

struct Connection<S> {
    stream: S,
    /// Read, not yet part of a request: what a client pipelined stays here.
    held: Vec<u8>,
    /// Offset of the first byte held.
    base: u64,
    ended: bool,
}

enum Next {
    Whole(Request, Manner),
    /// A status and what is wrong.
    Refused(u16, String),
    /// The peer has no more to ask.
    Gone,
}

/// A request that is being read.
struct Reading {
    decoder: HttpDecoder,
    message: HttpMessage,
    body: Vec<u8>,
}

/// What to do after the bytes at hand were read.
enum Found {
    Nothing,
    /// The head is whole, and its sender waits for leave to go on (RFC 9110, 10.1.1).
    Waiting,
    Next(Next),
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    async fn read(&mut self) -> io::Result<Next> {
        let mut reading = Reading {
            decoder: HttpDecoder::for_request(self.base, HttpLimits::default()),
            message: HttpMessage::default(),
            body: Vec::new(),
        };
        loop {
            let window = Window {
                base: self.base,
                bytes: &self.held,
                ended: self.ended,
            };
            let found = reading.step(window);
            self.drop_before(reading.decoder.at());
            match found {
                Found::Next(next) => return Ok(next),
                Found::Waiting => {
                    self.stream
                        .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                        .await?;
                    self.stream.flush().await?;
                }
                Found::Nothing => {}
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        self.held.reserve(16 << 10);
        match self.stream.read_buf(&mut self.held).await {
            Ok(0) => self.ended = true,
            Ok(_) => {}
            // Without a goodbye of TLS, or with a reset: the peer is gone all the same.
            Err(error) if is_end(&error) => self.ended = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn drop_before(&mut self, offset: u64) {
        let read = usize::try_from(offset.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.held.drain(..read.min(self.held.len()));
        self.base = offset;
    }

    /// Says goodbye, then reads for a moment: closing with unread bytes would reset the connection, and
    /// the peer could lose the reply (RFC 9112, 9.6).
    async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        if !self.ended {
            let lingering = tokio::time::timeout(LINGER, self.listen());
            return lingering.await.unwrap_or(Ok(()));
        }
        Ok(())
    }

    /// Reads in vain until the peer leaves.
    async fn listen(mut self) -> io::Result<()> {
        let mut ignored = vec![0; 16 << 10];
        while !self.ended {
            match self.stream.read(&mut ignored).await {
                Ok(0) => self.ended = true,
                Ok(_) => {}
                Err(error) if is_end(&error) => self.ended = true,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

const LINGER: Duration = Duration::from_secs(2);

fn is_end(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe
    )
}

impl Reading {
    fn step(&mut self, seen: Window<'_>) -> Found {
        let mut waiting = false;
        while let Some(event) = self.decoder.step(seen) {
            self.message
                .add_event(&event, seen, BodyRetention::HeadsOnly);
            match event {
                Event::HeadEnd(_, framing) => {
                    if matches!(framing, BodyFraming::Length(length) if length > BODY_LIMIT) {
                        return Found::Next(too_large());
                    }
                    waiting = self.expects() && framing != BodyFraming::Empty;
                }
                Event::Data(_) if self.message.body_length > BODY_LIMIT => {
                    return Found::Next(too_large());
                }
                Event::Data(span) => {
                    waiting = false;
                    self.body.extend_from_slice(seen.slice(span));
                }
                Event::End(end) => return Found::Next(self.end(end)),
                _ => {}
            }
        }
        if waiting {
            Found::Waiting
        } else {
            Found::Nothing
        }
    }

    fn end(&mut self, end: MessageEnd) -> Next {
        match end {
            MessageEnd::Complete | MessageEnd::Closed => {
                let request = self.request();
                let manner = self.manner(&request);
                Next::Whole(request, manner)
            }
            // Nothing came after the last request: the usual end.
            MessageEnd::Truncated { .. }
                if self.message.start.is_none() && self.message.head.bytes.is_empty() =>
            {
                Next::Gone
            }
            MessageEnd::Truncated { within, .. } => {
                Next::Refused(400, format!("The request ended inside {within}."))
            }
            MessageEnd::FramingLost { at, fault } => {
                let text = fault.explain();
                let clause = fault.clause();
                let fault = format!("At byte {at} of this connection: {text} ({clause}).");
                Next::Refused(400, fault)
            }
        }
    }

    fn request(&mut self) -> Request {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let message = &self.message;
        Request {
            method: message.method().map(text).unwrap_or_default(),
            target: message.target().map(text).unwrap_or_default(),
            fields: message
                .head
                .pairs()
                .map(|(name, value)| (text(name), text(value)))
                .collect(),
            body: std::mem::take(&mut self.body),
        }
    }

    fn manner(&self, request: &Request) -> Manner {
        let http10 = self.is_http10();
        let accepted = request.all("accept-encoding").collect::<Vec<_>>().join(",");
        Manner {
            head_only: request.method == "HEAD",
            http10,
            keep: if http10 {
                request.lists("connection", "keep-alive")
            } else {
                !request.lists("connection", "close")
            },
            coding: Coding::accepted(&accepted),
        }
    }

    fn expects(&self) -> bool {
        let expected = self.message.head.get("expect");
        // An HTTP/1.0 peer would take the interim response for the final one.
        !self.is_http10()
            && expected.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
    }

    fn is_http10(&self) -> bool {
        self.message.start.is_some_and(|start| start.is_http10())
    }
}

fn too_large() -> Next {
    let fault = format!("The request body is longer than {BODY_LIMIT} bytes.");
    Next::Refused(413, fault)
}

#[cfg(test)]
mod tests;
