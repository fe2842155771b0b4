//! One recorded connection: passes bytes on in both directions as they come, and captures each exchange.
//!
//! ```text
//!             RelayReader                                       net::connect
//! client ---> steps: head, body, end, refuse ---edits---> upstream (made at the first head)
//!        <------------------ the same bytes <------------
//!                                  | a copy
//!                           ExchangeCapture ---> CaptureQueue
//! ```
//!
//! Bytes of the server go to the client before they are read as HTTP. The relay reads from one side only when the other
//! has taken everything, so that a slow reader slows its peer down.

use std::future::poll_fn;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf};

use super::edits;
use super::open_exchanges::OpenExchanges;
use super::outbox::Outbox;
use super::reader::{ClientHead, ClientStep, RelayReader, RequestRefusal};
use super::reply::OwnReply;
use super::upstream::{ChosenUpstream, Upstream, Upstreams};
use super::{Recorder, STOPPED, StopState};
use crate::http1::HttpLimits;
use crate::net::{self, ClientConnection, ClockReading};
use crate::serve::linger;
use crate::tape::{
    CloseKind, ConnectionFact, ConnectionParty, ExchangeStage, FailureCause, WireSink as _,
};

/// Bytes that one read takes at most. The buffer is on the stack, so that an idle connection holds none.
const READ_SIZE: usize = 32 << 10;

/// Time limit of closing the connection to the server.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// One connection of a client.
pub(super) struct Relay<'a, C> {
    recorder: &'a Recorder,
    upstreams: &'a Upstreams,
    client: C,
    /// The connection to the server.
    server: Option<(Arc<Upstream>, ClientConnection)>,
    reader: RelayReader,
    to_client: Outbox,
    to_server: Outbox,
    exchanges: OpenExchanges<'a>,
    client_end: Option<CloseKind>,
    server_end: Option<CloseKind>,
    /// Whether the client's end was passed on to the server.
    is_end_passed_on: bool,
    /// Whether the server takes no more bytes.
    is_server_deaf: bool,
    /// Whether the connection ends as soon as the client has its bytes: the recorder answered itself.
    is_closing: bool,
}

/// Why the relay stopped passing bytes on.
enum Pause {
    /// A connection to this upstream is needed for this head.
    Connect(ClientHead, ChosenUpstream),
    /// The capture queue is full.
    QueueFull,
    /// The connection is over.
    Over(RelayEnd),
}

/// How a relayed connection ended.
#[derive(Clone, Copy, Debug)]
enum RelayEnd {
    /// One side ended it.
    Closed(ConnectionParty, CloseKind),
    /// The recorder ended it, after a reply of its own.
    Replied,
    /// The recorder was stopped.
    Stopped,
}

impl<'a, C: AsyncRead + AsyncWrite + Unpin> Relay<'a, C> {
    pub(super) fn new(recorder: &'a Recorder, upstreams: &'a Upstreams, client: C) -> Self {
        Self {
            recorder,
            upstreams,
            client,
            server: None,
            reader: RelayReader::new(HttpLimits::default()),
            to_client: Outbox::default(),
            to_server: Outbox::default(),
            exchanges: OpenExchanges::new(recorder),
            client_end: None,
            server_end: None,
            is_end_passed_on: false,
            is_server_deaf: false,
            is_closing: false,
        }
    }

    /// Passes bytes on until the connection is over.
    pub(super) async fn run(mut self) {
        let mut stop = self.recorder.stop.clone();
        let end = loop {
            let pause = tokio::select! {
                biased;
                pause = poll_fn(|context| self.poll(context)) => pause,
                // The next poll asks for the new state.
                changed = stop.changed() => match changed {
                    Ok(()) => continue,
                    Err(_) => Pause::Over(RelayEnd::Stopped),
                },
            };
            match pause {
                Pause::Over(end) => break end,
                Pause::QueueFull => self.recorder.queue.room().await,
                Pause::Connect(head, chosen) => self.connect(head, chosen).await,
            }
        };
        self.finish(end).await;
    }

    /// Whether the connection ends in this state of the recorder: at once if it is idle, or after the time for that.
    fn must_stop(&self, state: StopState) -> bool {
        match state {
            StopState::Running => false,
            StopState::Stopping => self.exchanges.is_empty(),
            StopState::Cutting => true,
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Pause> {
        loop {
            let moved = match self.move_bytes(context) {
                Ok(moved) => moved,
                Err(pause) => {
                    self.exchanges.flush();
                    return Poll::Ready(pause);
                }
            };
            if !moved {
                self.exchanges.flush();
                let is_idle = self.must_stop(*self.recorder.stop.borrow());
                return match is_idle {
                    true => Poll::Ready(Pause::Over(RelayEnd::Stopped)),
                    false => Poll::Pending,
                };
            }
            if !self.recorder.queue.has_room() {
                self.exchanges.flush();
                return Poll::Ready(Pause::QueueFull);
            }
        }
    }

    /// Reads and writes once on each side that is ready. Returns whether anything moved.
    fn move_bytes(&mut self, context: &mut Context<'_>) -> Result<bool, Pause> {
        self.drain_outboxes(context)?;
        self.take_steps(context)?;
        let from_server = self.to_client.is_empty() && self.read_server(context)?;
        let from_client = self.to_server.is_empty() && self.read_client(context)?;
        self.end_when_over(context)?;
        Ok(from_server || from_client)
    }

    fn drain_outboxes(&mut self, context: &mut Context<'_>) -> Result<(), Pause> {
        let emptied = self.to_client.poll_empty(&mut self.client, context);
        if emptied.is_err() {
            return Err(self.client_is_gone());
        }
        if let Some((_, server)) = &mut self.server
            && self.to_server.poll_empty(server, context).is_err()
        {
            self.close_to_server();
        }
        Ok(())
    }

    /// The server takes no more: it may have answered before it read all (RFC 9112, 9.5), so it is read on.
    fn close_to_server(&mut self) {
        self.is_server_deaf = true;
        self.to_server = Outbox::default();
    }

    fn client_is_gone(&self) -> Pause {
        Pause::Over(RelayEnd::Closed(ConnectionParty::Program, CloseKind::Reset))
    }

    /// Does what the client asks, while the server takes bytes.
    fn take_steps(&mut self, context: &mut Context<'_>) -> Result<(), Pause> {
        while self.to_server.is_empty() && !self.is_closing {
            match self.reader.next_step() {
                None => break,
                Some(ClientStep::Head(head)) => {
                    if !self.take_head(head, context)? {
                        break;
                    }
                }
                Some(ClientStep::Body { exchange, bytes }) => {
                    if let Some(capture) = self.exchanges.capture(exchange) {
                        capture.add_body(&bytes);
                    }
                    self.write_server(&bytes, context);
                }
                Some(ClientStep::End { exchange }) => {
                    if let Some(capture) = self.exchanges.capture(exchange) {
                        capture.end_request();
                    }
                    self.exchanges.finish_whole();
                }
                Some(ClientStep::Refuse(refusal)) => {
                    // The responses to earlier requests come first.
                    if self.reader.answering() < refusal.exchange && self.server.is_some() {
                        self.reader.put_back(ClientStep::Refuse(refusal));
                        break;
                    }
                    self.refuse(refusal, context)?;
                }
            }
        }
        Ok(())
    }

    /// Forwards a request head. Returns whether it could be; if not, it waits for earlier responses.
    fn take_head(&mut self, head: ClientHead, context: &mut Context<'_>) -> Result<bool, Pause> {
        let chosen = self.upstreams.choose(&head);
        let is_waiting = self.reader.answering() < head.exchange && self.server.is_some();
        let connected = self.server.as_ref().map(|(upstream, _)| upstream);
        match chosen {
            Ok(chosen) if connected.is_some_and(|at| at.is_same_server(&chosen.upstream)) => {
                self.exchanges.begin(&head, Some(&chosen));
                if let Some(capture) = self.exchanges.capture(head.exchange) {
                    capture.add_fact(&ConnectionFact::Reused {});
                }
                self.add_head(&head, Some(&chosen), context);
            }
            _ if is_waiting => {
                self.reader.put_back(ClientStep::Head(head));
                return Ok(false);
            }
            Ok(chosen) => {
                self.exchanges.begin(&head, Some(&chosen));
                return Err(Pause::Connect(head, chosen));
            }
            Err(reason) => {
                self.exchanges.begin(&head, None);
                self.add_head(&head, None, context);
                self.capture_unsent(head.exchange);
                self.reply(head.exchange, OwnReply::NotFound, &reason, context)?;
            }
        }
        Ok(true)
    }

    /// Edits the head, forwards it and captures it.
    fn add_head(
        &mut self,
        head: &ClientHead,
        chosen: Option<&ChosenUpstream>,
        context: &mut Context<'_>,
    ) {
        let (bytes, edits) = match chosen {
            Some(chosen) => {
                let authority = chosen.upstream.route.target.authority();
                edits::address_to(head, &authority, &chosen.replaced, &chosen.path)
            }
            None => (head.bytes.clone(), vec![]),
        };
        if let Some(capture) = self.exchanges.capture(head.exchange) {
            capture.add_head(&bytes, edits);
        }
        self.write_server(&bytes, context);
    }

    fn write_server(&mut self, bytes: &[u8], context: &mut Context<'_>) {
        if let Some((_, server)) = &mut self.server
            && !self.is_server_deaf
            && self.to_server.write(server, context, bytes).is_err()
        {
            self.close_to_server();
        }
    }

    /// Refuses a request: nothing more of it goes to the server.
    fn refuse(&mut self, refusal: RequestRefusal, context: &mut Context<'_>) -> Result<(), Pause> {
        let RequestRefusal {
            exchange,
            reason,
            is_forwarded,
            bytes,
        } = refusal;
        if is_forwarded {
            // The server must not wait for the rest, nor take the request for a whole one.
            self.server = None;
        } else {
            if bytes.is_empty() {
                return Ok(());
            }
            self.exchanges.begin_refused(exchange);
        }
        if let Some(capture) = self.exchanges.capture(exchange) {
            capture.add_body(&bytes);
            capture.end_request();
        }
        if self.client_end.is_some() {
            // The client has left: a reply would not be read.
            self.is_closing = true;
            return Ok(());
        }
        let begun = is_forwarded && self.reader.has_begun_answer();
        let reason = format!("the request was refused: {reason}");
        match begun {
            true => {
                self.is_closing = true;
                Ok(())
            }
            false => self.reply(exchange, OwnReply::BadRequest, &reason, context),
        }
    }

    /// Answers an exchange in place of the server, and ends the connection after it.
    fn reply(
        &mut self,
        exchange: u64,
        reply: OwnReply,
        reason: &str,
        context: &mut Context<'_>,
    ) -> Result<(), Pause> {
        let bytes = reply.bytes(reason);
        self.is_closing = true;
        if let Some(capture) = self.exchanges.capture(exchange) {
            let moment = capture.clock.moment();
            let (status, reason) = (reply.status(), reason.to_owned());
            capture.fact(moment, &ConnectionFact::Replied { status, reason });
            capture.add_response(moment, &bytes);
        }
        match self.to_client.write(&mut self.client, context, &bytes) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.client_is_gone()),
        }
    }

    /// Connects to an upstream for `head`, and forwards it.
    async fn connect(&mut self, head: ClientHead, chosen: ChosenUpstream) {
        (self.server, self.server_end) = (None, None);
        (self.is_server_deaf, self.is_end_passed_on) = (false, false);
        let capture = self.exchanges.capture(head.exchange);
        let Some(capture) = capture else { return };
        let upstream = Arc::clone(&chosen.upstream);
        let clock = capture.clock;
        let (route, tls) = (&upstream.route, &upstream.tls);
        let limit = Some(self.recorder.connect_timeout);
        let cut = self.recorder.cut();
        let failure = match net::connect(route, tls, &clock, limit, capture, cut).await {
            Ok(server) => {
                self.server = Some((upstream, server));
                None
            }
            Err(failure) => Some(failure),
        };
        poll_fn(|context| {
            self.add_head(&head, Some(&chosen), context);
            if let Some(failure) = &failure {
                // A client that has left is noticed at the next read.
                let _ = self.reply(head.exchange, OwnReply::BadGateway, &failure.error, context);
            }
            Poll::Ready(())
        })
        .await;
        if let Some(failure) = failure {
            self.capture_unsent(head.exchange);
            if let Some(capture) = self.exchanges.capture(head.exchange) {
                capture.add_fact(&failure.fact());
            }
        }
    }

    /// Captures the rest of a request, as far as it was read, that no server gets.
    fn capture_unsent(&mut self, exchange: u64) {
        let Some(capture) = self.exchanges.capture(exchange) else {
            return;
        };
        while let Some(step) = self.reader.next_step() {
            match step {
                ClientStep::Body { bytes, .. } => capture.add_body(&bytes),
                _ => return capture.end_request(),
            }
        }
    }

    /// Reads once from the server. Returns whether something came.
    fn read_server(&mut self, context: &mut Context<'_>) -> Result<bool, Pause> {
        let Some((_, server)) = self.server.as_mut().filter(|_| self.server_end.is_none()) else {
            return Ok(false);
        };
        let mut space = [const { MaybeUninit::<u8>::uninit() }; READ_SIZE];
        let mut buffer = ReadBuf::uninit(&mut space);
        let read = match Pin::new(&mut *server).poll_read(context, &mut buffer) {
            Poll::Pending => return Ok(false),
            Poll::Ready(read) => read.map(|()| buffer.filled().len()),
        };
        if let Some(how) = server.closing_after_read(&read) {
            self.server_end = Some(how);
        } else if read.is_err() {
            self.server_end = Some(CloseKind::Reset);
        }
        let bytes = buffer.filled();
        let reading = ClockReading::now();
        let mut gone = false;
        if !bytes.is_empty() && !self.is_closing {
            gone = self
                .to_client
                .write(&mut self.client, context, bytes)
                .is_err();
        }
        for (piece, bytes) in self.reader.read_server(bytes, self.server_end.is_some()) {
            self.exchanges.add_response(piece, reading, bytes);
        }
        if self.server_end.is_none() {
            self.exchanges.finish_whole();
        }
        match gone {
            true => Err(self.client_is_gone()),
            false => Ok(true),
        }
    }

    /// Reads once from the client. Returns whether something came.
    fn read_client(&mut self, context: &mut Context<'_>) -> Result<bool, Pause> {
        if self.client_end.is_some() || self.is_closing {
            return Ok(false);
        }
        let mut space = [const { MaybeUninit::<u8>::uninit() }; READ_SIZE];
        let mut buffer = ReadBuf::uninit(&mut space);
        let read = match Pin::new(&mut self.client).poll_read(context, &mut buffer) {
            Poll::Pending => return Ok(false),
            Poll::Ready(read) => read,
        };
        let bytes = buffer.filled();
        if read.is_err() {
            return Err(self.client_is_gone());
        }
        if bytes.is_empty() {
            self.client_end = Some(CloseKind::Eof);
        } else {
            self.exchanges.note_client_bytes();
        }
        self.reader.read_client(bytes, bytes.is_empty());
        Ok(true)
    }

    /// Ends the connection once one side has ended it and everything before that was passed on.
    fn end_when_over(&mut self, context: &mut Context<'_>) -> Result<(), Pause> {
        if !self.to_client.is_empty() {
            return Ok(());
        }
        if self.is_closing {
            return Err(Pause::Over(RelayEnd::Replied));
        }
        if let Some(how) = self.server_end {
            let (by, how) = match self.client_end {
                Some(client) if !self.exchanges.is_empty() => (ConnectionParty::Program, client),
                _ => (ConnectionParty::Peer, how),
            };
            return Err(Pause::Over(RelayEnd::Closed(by, how)));
        }
        let Some(how) = self.client_end else {
            return Ok(());
        };
        if self.exchanges.is_empty() {
            return Err(Pause::Over(RelayEnd::Closed(ConnectionParty::Program, how)));
        }
        if self.to_server.is_empty()
            && !self.is_end_passed_on
            && let Some((_, server)) = &mut self.server
        {
            // A client that only ended its side may wait for the response.
            self.is_end_passed_on = Pin::new(server).poll_shutdown(context).is_ready();
        }
        Ok(())
    }

    /// Ends all captures and both connections.
    async fn finish(mut self, end: RelayEnd) {
        let last = match end {
            RelayEnd::Closed(by, how) => ConnectionFact::Closed { by, how },
            RelayEnd::Replied => ConnectionFact::Closed {
                by: ConnectionParty::Us,
                how: CloseKind::Eof,
            },
            RelayEnd::Stopped => ConnectionFact::Failed {
                stage: ExchangeStage::Read,
                cause: FailureCause::Interrupted,
                error: STOPPED.to_owned(),
            },
        };
        self.exchanges.finish_all(&last);
        if let Some((_, mut server)) = self.server.take() {
            let _ = tokio::time::timeout(CLOSE_TIMEOUT, server.close()).await;
        }
        let _ = match self.client_end {
            None => linger::close(&mut self.client).await,
            Some(_) => self.client.shutdown().await,
        };
    }
}
