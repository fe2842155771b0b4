//! One exchange over one connection: writes the request's exact bytes, reads the response at the same
//! time (a server may answer before it has read all, RFC 9112, 9.5), and passes both to a sink.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use crate::exchange::{ExchangeReader, LOST_READ_LIMIT};
use crate::http1::{self, BodyRetention, MessageEnd};
use crate::net::{ClientConnection, Clock, Hint, NetFailure};
use crate::span::{Moment, StreamSide};
use crate::tape::{
    CloseKind, ConnectionFact, ConnectionParty, ExchangeStage, FailureCause, WireSink,
};

/// The limits of an exchange: time without a byte, bytes in all, sizes of heads.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeLimits {
    /// The most bytes that are read.
    pub received: Option<u64>,
    /// The longest time without a byte either way.
    pub idle: Option<Duration>,
    /// Size limits of heads and chunk-size lines.
    pub http1: http1::HttpLimits,
}

/// Silence after which an exchange with lost framing ends, since no byte can mark its end: longer than the pauses
/// between the packets of one answer.
const LOST_IDLE_LIMIT: Duration = Duration::from_secs(1);

/// Time that a body waits for `100 Continue`. RFC 9110, 10.1.1, lets the client choose; curl waits one second too.
const CONTINUE_WAIT: Duration = Duration::from_secs(1);

/// Time limit of closing the connection. The answer is complete by then, so a peer that does not reply delays the user
/// by no more than this.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Bytes that one read takes at most: four TLS records, so that a fast download needs few calls.
const READ_SIZE: usize = 64 << 10;

/// Sends `request` and reads until the response is over, a limit passes, or `stop` says why to stop.
///
/// A failure is no error: the sink gets it as the last fact. It is returned too, since it may hold a hint for the
/// user.
pub async fn run_exchange(
    mut connection: ClientConnection,
    request: &[u8],
    limits: ExchangeLimits,
    clock: &Clock,
    watch: &mut dyn WireSink,
    stop: impl Future<Output = (FailureCause, String)>,
) -> Option<NetFailure> {
    let mut run = ExchangeRun {
        reader: ExchangeReader::new(BodyRetention::HeadsOnly, limits.http1),
        clock,
        sink: watch,
        request,
        written: 0,
        flushed: 0,
        write_limit: continue_offset(request, limits.http1),
        write_error: None,
    };
    let ended = run.drive(&mut connection, limits, pin!(stop)).await;
    run.finish(&mut connection, ended).await
}

/// Offset at which writing pauses for `100 Continue`: after the head, if it asks for that; otherwise the end.
fn continue_offset(request: &[u8], limits: http1::HttpLimits) -> usize {
    let mut reader = ExchangeReader::new(BodyRetention::HeadsOnly, limits);
    reader.bytes(StreamSide::Sent, Moment::default(), request, &mut ());
    let head = &reader.exchange.request.head;
    match head.get("expect") {
        Some(_) => head.bytes.len(),
        None => request.len(),
    }
}

/// The reason why an exchange ended.
enum ExchangeEnd {
    /// The response is over, or all that will come of it.
    Answered,
    /// The sink wants no more.
    SinkDone,
    /// The peer ended the connection.
    Closed(CloseKind),
    /// It failed.
    Failed(NetFailure),
}

/// The result of one read, write or flush on the connection.
enum IoEvent {
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Flushed(io::Result<()>),
}

struct ExchangeRun<'a> {
    reader: ExchangeReader,
    clock: &'a Clock,
    sink: &'a mut dyn WireSink,
    request: &'a [u8],
    /// Bytes that the connection took.
    written: usize,
    /// Bytes that left it.
    flushed: usize,
    /// Bytes that may be written for now.
    write_limit: usize,
    /// The error that ended the writing: an answer can still be read.
    write_error: Option<io::Error>,
}

impl ExchangeRun<'_> {
    async fn drive(
        &mut self,
        connection: &mut ClientConnection,
        limits: ExchangeLimits,
        mut stop: Pin<&mut impl Future<Output = (FailureCause, String)>>,
    ) -> ExchangeEnd {
        let mut buffer = vec![0; READ_SIZE];
        // 34 years: longer than any program runs.
        let never = Duration::from_secs(1 << 30);
        let mut idle = limits.idle.unwrap_or(never);
        let mut quiet = pin!(sleep(idle));
        let mut hold = pin!(sleep(CONTINUE_WAIT));
        loop {
            let turn = tokio::select! {
                // First, because a fast peer always has something to read.
                biased;
                (cause, error) = &mut stop => {
                    return self.stopped_by_us(cause, error);
                }
                turn = self.next_io(connection, &mut buffer) => turn,
                () = &mut hold, if self.write_limit < self.request.len() && !self.is_answered() => {
                    self.write_limit = self.request.len();
                    continue;
                }
                () = &mut quiet => return self.idle_end(idle),
            };
            let ended = self.handle_io(turn, &buffer, connection);
            if let Some(ended) = ended.or_else(|| self.end_of_bytes(limits.received)) {
                return ended;
            }
            if self.is_framing_lost() {
                idle = idle.min(LOST_IDLE_LIMIT);
            }
            quiet.set(sleep(idle));
        }
    }

    /// The next read, write or flush for which the connection is ready. Cancelling it loses
    /// nothing. Written bytes are reported before the response to them, whose framing depends on the request.
    async fn next_io(&mut self, connection: &mut ClientConnection, buffer: &mut [u8]) -> IoEvent {
        let pending = self
            .request
            .get(self.written..self.write_limit)
            .unwrap_or_default();
        let unflushed = self.flushed < self.written;
        let writing = self.write_error.is_none();
        poll_fn(|context| {
            let mut connection = Pin::new(&mut *connection);
            let flushing = writing && unflushed;
            if flushing && let Poll::Ready(done) = connection.as_mut().poll_flush(context) {
                return Poll::Ready(IoEvent::Flushed(done));
            }
            let mut read = ReadBuf::new(buffer);
            if let Poll::Ready(done) = connection.as_mut().poll_read(context, &mut read) {
                return Poll::Ready(IoEvent::Read(done.map(|()| read.filled().len())));
            }
            if writing && !flushing && !pending.is_empty() {
                return connection
                    .as_mut()
                    .poll_write(context, pending)
                    .map(IoEvent::Wrote);
            }
            Poll::Pending
        })
        .await
    }

    fn handle_io(
        &mut self,
        turn: IoEvent,
        buffer: &[u8],
        connection: &ClientConnection,
    ) -> Option<ExchangeEnd> {
        match turn {
            IoEvent::Wrote(Ok(0)) => self.write_error = Some(io::ErrorKind::WriteZero.into()),
            IoEvent::Wrote(Ok(length)) => self.written = self.written.saturating_add(length),
            IoEvent::Flushed(Ok(())) => {
                let bytes = self
                    .request
                    .get(self.flushed..self.written)
                    .unwrap_or_default();
                self.flushed = self.written;
                self.record_bytes(StreamSide::Sent, bytes);
            }
            // The peer may have answered, and closed, before it read all: read on.
            IoEvent::Wrote(Err(error)) | IoEvent::Flushed(Err(error)) => {
                self.write_error = Some(error)
            }
            IoEvent::Read(Ok(length)) if length > 0 => {
                self.record_bytes(
                    StreamSide::Received,
                    buffer.get(..length).unwrap_or_default(),
                );
                // A server that answers without `100 Continue` does not want the body (RFC 9110, 10.1.1).
                if !self.is_answered() {
                    self.write_limit = self.request.len();
                }
            }
            IoEvent::Read(read) => return Some(self.end_of_read(read, connection)),
        }
        if self.sink.is_done() {
            return Some(ExchangeEnd::SinkDone);
        }
        let answered = self.reader.exchange.response.end == Some(MessageEnd::Complete);
        answered.then_some(ExchangeEnd::Answered)
    }

    fn record_bytes(&mut self, side: StreamSide, bytes: &[u8]) {
        let moment = self.clock.moment();
        self.sink.bytes(side, moment, bytes);
        self.reader.bytes(side, moment, bytes, &mut ());
        if side == StreamSide::Sent && self.flushed == self.request.len() {
            self.sink.ended(side, moment);
            self.reader.ended(side, &mut ());
        }
    }

    fn end_of_read(&self, read: io::Result<usize>, connection: &ClientConnection) -> ExchangeEnd {
        let nothing = self.reader.exchange.received.bytes == 0;
        if let (Some(error), true) = (&self.write_error, nothing) {
            return ExchangeEnd::Failed(connection.io_failure(ExchangeStage::Write, error));
        }
        if let Some(how) = connection.closing_after_read(&read) {
            return ExchangeEnd::Closed(how);
        }
        let error = read.err().unwrap_or_else(|| io::ErrorKind::Other.into());
        ExchangeEnd::Failed(connection.io_failure(ExchangeStage::Read, &error))
    }

    fn idle_end(&self, idle: Duration) -> ExchangeEnd {
        if self.is_framing_lost() {
            return ExchangeEnd::Answered;
        }
        let error = format!("no byte came or went for {} s", idle.as_secs_f64());
        self.stopped_by_us(FailureCause::TimedOut, error)
    }

    /// The end of an exchange whose peer sent more than `limit` bytes, or too many after the framing was lost.
    fn end_of_bytes(&self, limit: Option<u64>) -> Option<ExchangeEnd> {
        let exchange = &self.reader.exchange;
        let received = exchange.received.bytes;
        let lost_at = exchange.framing_lost_at();
        if lost_at.is_some_and(|at| received.saturating_sub(at) > LOST_READ_LIMIT) {
            return Some(ExchangeEnd::Answered);
        }
        let limit = limit.filter(|limit| received > *limit);
        limit.map(|limit| {
            let error =
                format!("wire stopped after {received} received bytes: the limit is {limit}");
            match self.stopped_by_us(FailureCause::Refused, error) {
                ExchangeEnd::Failed(failure) => ExchangeEnd::Failed(NetFailure {
                    hint: Some(Hint::LargerCapture),
                    ..failure
                }),
                other => other,
            }
        })
    }

    /// The end of an exchange that `wire` itself stops.
    fn stopped_by_us(&self, cause: FailureCause, error: String) -> ExchangeEnd {
        let stage = if self.flushed < self.request.len() {
            ExchangeStage::Write
        } else {
            ExchangeStage::Read
        };
        ExchangeEnd::Failed(NetFailure {
            stage,
            cause,
            error,
            hint: None,
        })
    }

    /// Whether the final response has begun.
    fn is_answered(&self) -> bool {
        let response = &self.reader.exchange.response;
        response.status().is_some() && !response.is_interim()
    }

    fn is_framing_lost(&self) -> bool {
        matches!(
            self.reader.exchange.response.end,
            Some(MessageEnd::FramingLost { .. })
        )
    }

    async fn finish(
        &mut self,
        connection: &mut ClientConnection,
        ended: ExchangeEnd,
    ) -> Option<NetFailure> {
        let moment = self.clock.moment();
        for side in [StreamSide::Sent, StreamSide::Received] {
            self.sink.ended(side, moment);
            self.reader.ended(side, &mut ());
        }
        match ended {
            ExchangeEnd::Closed(how) => self.sink.fact(
                moment,
                &ConnectionFact::Closed {
                    by: ConnectionParty::Peer,
                    how,
                },
            ),
            ExchangeEnd::Failed(failure) => {
                self.sink.fact(moment, &failure.fact());
                return Some(failure);
            }
            ExchangeEnd::Answered | ExchangeEnd::SinkDone => {
                let goodbye = tokio::time::timeout(CLOSE_TIMEOUT, connection.close()).await;
                let how = match (connection.is_tls(), goodbye) {
                    (true, Ok(Ok(()))) => CloseKind::CloseNotify,
                    _ => CloseKind::Eof,
                };
                self.sink.fact(
                    self.clock.moment(),
                    &ConnectionFact::Closed {
                        by: ConnectionParty::Us,
                        how,
                    },
                );
            }
        }
        None
    }
}
