//! One accepted connection: reads whole requests, writes the reply of the [`RequestHandler`] to each, and keeps,
//! closes or drops the connection.

use std::collections::VecDeque;
use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::coding::ReplyCoding;
use super::linger;
use super::reply::{self, AfterReply, ReplyOptions, ServerReply};
use super::request::ServerRequest;
use crate::http1::{
    BodyFraming, BodyRetention, Connection, Event, HttpLimits, HttpMessage, HttpOddity, MessageEnd,
    OddityKind,
};
use crate::span::StreamSide;
use crate::tape::Window;

/// Longest request body that is read, in bytes. A body is held whole in memory; the largest that the APIs accept,
/// with images inside, is about half of this.
pub const BODY_LIMIT: u64 = 64 << 20;

/// Largest read from the stream, in bytes: more than most requests have.
const READ_SIZE: usize = 16 << 10;

/// Makes the replies of a server.
pub trait RequestHandler {
    /// Returns the reply to `request`.
    fn handle(&self, request: &ServerRequest) -> ServerReply;
    /// Returns the reply to an unreadable request, with this status code and description of the fault.
    fn refuse(&self, status: u16, fault: &str) -> ServerReply;
}

/// Answers requests on `stream` until one side closes it. Only an I/O error of the stream is an error.
pub async fn serve_stream<S, A>(stream: S, answer: &A) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: RequestHandler + ?Sized,
{
    let mut connection = ServerConnection {
        stream,
        connection: Connection::new(HttpLimits::default()),
        reader: RequestReader::default(),
        peer_closed: false,
    };
    loop {
        let (reply, options) = match connection.read_request().await? {
            NextRequest::Closed => return connection.close().await,
            NextRequest::Complete(request, options) => (answer.handle(&request), options),
            NextRequest::Rejected(status, fault) => {
                (answer.refuse(status, &fault), ReplyOptions::default())
            }
        };
        match reply::write_reply(&mut connection.stream, reply, options).await? {
            AfterReply::KeepAlive => connection.connection.skip_response(),
            AfterReply::Close => return connection.close().await,
            AfterReply::Disconnect => return Ok(()),
            AfterReply::Stall => return linger::drain(&mut connection.stream).await,
        }
    }
}

struct ServerConnection<S> {
    stream: S,
    connection: Connection,
    reader: RequestReader,
    peer_closed: bool,
}

enum NextRequest {
    Complete(ServerRequest, ReplyOptions),
    /// The request cannot be read: the status code of the reply, and the fault.
    Rejected(u16, String),
    /// The peer closed the connection between two requests.
    Closed,
}

/// Builds requests from the HTTP/1 events of the connection.
#[derive(Default)]
struct RequestReader {
    message: HttpMessage,
    body: Vec<u8>,
    /// The client waits for `100 Continue` before it sends the body (RFC 9110, 10.1.1).
    expects_continue: bool,
    /// Requests that were read and have no reply yet: several if the client pipelines.
    ready: VecDeque<NextRequest>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ServerConnection<S> {
    async fn read_request(&mut self) -> io::Result<NextRequest> {
        let mut bytes = Vec::with_capacity(READ_SIZE);
        loop {
            let reader = &mut self.reader;
            self.connection
                .feed(StreamSide::Sent, &bytes, self.peer_closed, |found, seen| {
                    reader.add_event(&found.event, seen);
                });
            if let Some(next) = reader.ready.pop_front() {
                return Ok(next);
            }
            if self.peer_closed {
                return Ok(NextRequest::Closed);
            }
            if std::mem::take(&mut reader.expects_continue) {
                let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
                self.stream.write_all(interim).await?;
                self.stream.flush().await?;
            }
            self.read_more(&mut bytes).await?;
        }
    }

    /// Reads once into `bytes`, replacing the bytes of the last read.
    async fn read_more(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        bytes.clear();
        match self.stream.read_buf(bytes).await {
            Ok(0) => self.peer_closed = true,
            Ok(_) => {}
            Err(error) if linger::is_disconnect(&error) => self.peer_closed = true,
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Ends the connection.
    async fn close(mut self) -> io::Result<()> {
        match self.peer_closed {
            true => self.stream.shutdown().await,
            false => linger::close(&mut self.stream).await,
        }
    }
}

impl RequestReader {
    fn add_event(&mut self, event: &Event, seen: Window<'_>) {
        self.message
            .add_event(event, seen, BodyRetention::HeadsOnly);
        match *event {
            Event::Odd(odd) if makes_framing_ambiguous(odd.kind) => {
                self.ready.push_back(ambiguous_framing(odd));
            }
            Event::HeadEnd(_, BodyFraming::Length(length)) if length > BODY_LIMIT => {
                self.ready.push_back(body_too_large());
            }
            Event::HeadEnd(_, framing) => {
                self.expects_continue = framing != BodyFraming::Empty && self.asks_to_continue();
            }
            Event::Data(_) if self.message.body_length > BODY_LIMIT => {
                self.ready.push_back(body_too_large());
            }
            Event::Data(span) => {
                self.expects_continue = false;
                self.body.extend_from_slice(seen.slice(span));
            }
            Event::End(end) => {
                let next = self.finish(end);
                self.ready.push_back(next);
                self.message = HttpMessage::default();
            }
            _ => {}
        }
    }

    fn finish(&mut self, end: MessageEnd) -> NextRequest {
        match end {
            MessageEnd::Complete | MessageEnd::Closed => {
                let request = self.build_request();
                let options = self.reply_options(&request);
                NextRequest::Complete(request, options)
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
        let message = &self.message;
        ServerRequest {
            method: message.method().unwrap_or_default().to_vec(),
            target: message.target().unwrap_or_default().to_vec(),
            fields: message
                .head
                .pairs()
                .map(|(name, value)| (name.to_vec(), value.to_vec()))
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
            head_only: request.method == b"HEAD",
            http10,
            keep_alive: if http10 {
                request.field_lists("connection", "keep-alive")
            } else {
                !request.field_lists("connection", "close")
            },
            coding: ReplyCoding::from_accept_encoding(&accepted),
        }
    }

    fn asks_to_continue(&self) -> bool {
        let expected = self.message.head.get("expect");
        // An HTTP/1.0 peer would take the interim response for the final one.
        !self.is_http10()
            && expected.is_some_and(|value| value.eq_ignore_ascii_case(b"100-continue"))
    }

    fn is_http10(&self) -> bool {
        self.message.start.is_some_and(|start| start.is_http10())
    }
}

/// Whether another reader may see the request end at another place. An attacker uses that to smuggle a second request
/// past a proxy (RFC 9112, 11.2), so that the connection must be closed after the reply (RFC 9112, 6.1).
fn makes_framing_ambiguous(kind: OddityKind) -> bool {
    use OddityKind as K;
    matches!(
        kind,
        K::LengthAndCoding
            | K::CodingInHttp10
            | K::RepeatedLength
            | K::LengthIgnored
            | K::UnknownCoding
            | K::SpaceBeforeColon
            | K::Folded
            | K::BareCr
    )
}

fn ambiguous_framing(odd: HttpOddity) -> NextRequest {
    let (at, text, clause) = (odd.at.start, odd.kind.explain(), odd.kind.clause());
    let fault = format!(
        "At byte {at} of this connection: {text} ({clause}). Such a request can be read in two ways."
    );
    NextRequest::Rejected(400, fault)
}

fn body_too_large() -> NextRequest {
    let fault = format!("The request body is longer than {BODY_LIMIT} bytes.");
    NextRequest::Rejected(413, fault)
}

#[cfg(test)]
mod tests;
