//! One accepted connection: bytes become whole requests, requests become replies, and the connection
//! is kept, closed or dropped as both want. What is answered is the business of whoever passes it in.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::coding::ReplyCoding;
use super::reply::{self, AfterReply, ReplyOptions, ServerReply};
use super::request::ServerRequest;
use crate::http1::{
    BodyFraming, BodyRetention, Event, HttpDecoder, HttpLimits, HttpMessage, MessageEnd,
};
use crate::tape::Window;

/// The longest body that is taken.
pub const BODY_LIMIT: u64 = 64 << 20;

/// Whoever answers requests.
pub trait RequestHandler {
    /// The reply to `request`.
    fn handle(&self, request: &ServerRequest) -> ServerReply;
    /// The reply when the request could not be read: `status` and what is wrong with it.
    fn refuse(&self, status: u16, fault: &str) -> ServerReply;
}

/// Answers what comes on `stream` until one side has enough. An error is the connection's own.
pub async fn serve_stream<S, A>(stream: S, answer: &A) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: RequestHandler + ?Sized,
{
    let mut connection = ServerConnection {
        stream,
        buffered: Vec::new(),
        buffer_offset: 0,
        peer_closed: false,
    };
    loop {
        let (reply, manner) = match connection.read_request().await? {
            NextRequest::Closed => return connection.close().await,
            NextRequest::Complete(request, manner) => (answer.handle(&request), manner),
            NextRequest::Rejected(status, fault) => {
                (answer.refuse(status, &fault), ReplyOptions::default())
            }
        };
        match reply::write_reply(&mut connection.stream, reply, manner).await? {
            AfterReply::KeepAlive => {}
            AfterReply::Close => return connection.close().await,
            AfterReply::Disconnect => return Ok(()),
            AfterReply::Stall => return connection.drain().await,
        }
    }
}

struct ServerConnection<S> {
    stream: S,
    /// Read, not yet part of a request: what a client pipelined stays here.
    buffered: Vec<u8>,
    /// Offset of the first byte held.
    buffer_offset: u64,
    peer_closed: bool,
}

enum NextRequest {
    Complete(ServerRequest, ReplyOptions),
    /// A status and what is wrong.
    Rejected(u16, String),
    /// The peer has no more to ask.
    Closed,
}

/// A request that is being read.
struct RequestReader {
    decoder: HttpDecoder,
    message: HttpMessage,
    body: Vec<u8>,
}

/// What to do after the bytes at hand were read.
enum ReadProgress {
    NeedsMore,
    /// The head is whole, and its sender waits for leave to go on (RFC 9110, 10.1.1).
    ExpectsContinue,
    Done(NextRequest),
}

impl<S: AsyncRead + AsyncWrite + Unpin> ServerConnection<S> {
    async fn read_request(&mut self) -> io::Result<NextRequest> {
        let mut reading = RequestReader {
            decoder: HttpDecoder::for_request(self.buffer_offset, HttpLimits::default()),
            message: HttpMessage::default(),
            body: Vec::new(),
        };
        loop {
            let window = Window {
                base: self.buffer_offset,
                bytes: &self.buffered,
                ended: self.peer_closed,
            };
            let found = reading.step(window);
            self.discard_before(reading.decoder.at());
            match found {
                ReadProgress::Done(next) => return Ok(next),
                ReadProgress::ExpectsContinue => {
                    self.stream
                        .write_all(b"HTTP/1.1 100 Continue\r\n\r\n")
                        .await?;
                    self.stream.flush().await?;
                }
                ReadProgress::NeedsMore => {}
            }
            self.fill_buffer().await?;
        }
    }

    async fn fill_buffer(&mut self) -> io::Result<()> {
        self.buffered.reserve(16 << 10);
        match self.stream.read_buf(&mut self.buffered).await {
            Ok(0) => self.peer_closed = true,
            Ok(_) => {}
            // Without a goodbye of TLS, or with a reset: the peer is gone all the same.
            Err(error) if is_disconnect(&error) => self.peer_closed = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn discard_before(&mut self, offset: u64) {
        let read = usize::try_from(offset.saturating_sub(self.buffer_offset)).unwrap_or(usize::MAX);
        self.buffered.drain(..read.min(self.buffered.len()));
        self.buffer_offset = offset;
    }

    /// Says goodbye, then reads for a moment: closing with unread bytes would reset the connection, and
    /// the peer could lose the reply (RFC 9112, 9.6).
    async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        if !self.peer_closed {
            let lingering = tokio::time::timeout(LINGER_TIME, self.drain());
            return lingering.await.unwrap_or(Ok(()));
        }
        Ok(())
    }

    /// Reads in vain until the peer leaves.
    async fn drain(mut self) -> io::Result<()> {
        let mut ignored = vec![0; 16 << 10];
        while !self.peer_closed {
            match self.stream.read(&mut ignored).await {
                Ok(0) => self.peer_closed = true,
                Ok(_) => {}
                Err(error) if is_disconnect(&error) => self.peer_closed = true,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

const LINGER_TIME: Duration = Duration::from_secs(2);

fn is_disconnect(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(
        error.kind(),
        UnexpectedEof | ConnectionReset | ConnectionAborted | BrokenPipe
    )
}

impl RequestReader {
    fn step(&mut self, seen: Window<'_>) -> ReadProgress {
        let mut waiting = false;
        while let Some(event) = self.decoder.step(seen) {
            self.message
                .add_event(&event, seen, BodyRetention::HeadsOnly);
            match event {
                Event::HeadEnd(_, framing) => {
                    if matches!(framing, BodyFraming::Length(length) if length > BODY_LIMIT) {
                        return ReadProgress::Done(body_too_large());
                    }
                    waiting = self.expects_continue() && framing != BodyFraming::Empty;
                }
                Event::Data(_) if self.message.body_length > BODY_LIMIT => {
                    return ReadProgress::Done(body_too_large());
                }
                Event::Data(span) => {
                    waiting = false;
                    self.body.extend_from_slice(seen.slice(span));
                }
                Event::End(end) => return ReadProgress::Done(self.finish(end)),
                _ => {}
            }
        }
        if waiting {
            ReadProgress::ExpectsContinue
        } else {
            ReadProgress::NeedsMore
        }
    }

    fn finish(&mut self, end: MessageEnd) -> NextRequest {
        match end {
            MessageEnd::Complete | MessageEnd::Closed => {
                let request = self.build_request();
                let manner = self.reply_options(&request);
                NextRequest::Complete(request, manner)
            }
            // Nothing came after the last request: the usual end.
            MessageEnd::Truncated { .. }
                if self.message.start.is_none() && self.message.head.bytes.is_empty() =>
            {
                NextRequest::Closed
            }
            MessageEnd::Truncated { within, .. } => {
                NextRequest::Rejected(400, format!("The request ended inside {within}."))
            }
            MessageEnd::FramingLost { at, fault } => {
                let text = fault.explain();
                let clause = fault.clause();
                let fault = format!("At byte {at} of this connection: {text} ({clause}).");
                NextRequest::Rejected(400, fault)
            }
        }
    }

    fn build_request(&mut self) -> ServerRequest {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let message = &self.message;
        ServerRequest {
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

    fn reply_options(&self, request: &ServerRequest) -> ReplyOptions {
        let http10 = self.is_http10();
        let accepted = request
            .field_values("accept-encoding")
            .collect::<Vec<_>>()
            .join(",");
        ReplyOptions {
            head_only: request.method == "HEAD",
            http10,
            keep_alive: if http10 {
                request.field_lists("connection", "keep-alive")
            } else {
                !request.field_lists("connection", "close")
            },
            coding: ReplyCoding::from_accept_encoding(&accepted),
        }
    }

    fn expects_continue(&self) -> bool {
        let expected = self.message.head.get("expect");
        // An HTTP/1.0 peer would take the interim response for the final one.
        !self.is_http10()
            && expected.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
    }

    fn is_http10(&self) -> bool {
        self.message.start.is_some_and(|start| start.is_http10())
    }
}

fn body_too_large() -> NextRequest {
    let fault = format!("The request body is longer than {BODY_LIMIT} bytes.");
    NextRequest::Rejected(413, fault)
}

#[cfg(test)]
mod tests;
