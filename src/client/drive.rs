//! One exchange over one connection: writes the request's exact bytes, reads the response at the same
//! time (a server may answer before it has heard all, RFC 9112, 9.5), and tells a watcher of each.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use crate::exchange::Reader;
use crate::http1::{self, End, Keep};
use crate::net::{Clock, Connection, Failure};
use crate::span::Side;
use crate::tape::{Cause, Closing, Fact, Party, Stage, Watch};

/// How long an exchange may take, and how long a head may be.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest time without a byte either way.
    pub idle: Option<Duration>,
    /// What the decoders take.
    pub http1: http1::Limits,
}

/// After the framing is lost: how long the peer may be silent before no more is expected.
const AFTER_LOST: Duration = Duration::from_secs(1);

/// How long a body waits for `100 Continue` (RFC 9110, 10.1.1, lets the client choose).
const CONTINUE: Duration = Duration::from_secs(1);

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(1);

/// How much one read takes at most: four TLS records.
const READ: usize = 64 << 10;

/// Sends `request` and reads until the response is over, a limit passes, or `stop` says why to stop.
///
/// A failure is no error: the watcher hears of it as its last fact. It is given back too, since it may
/// know what the user can do.
pub async fn exchange(
    mut connection: Connection,
    request: &[u8],
    limits: Limits,
    clock: &Clock,
    watch: &mut dyn Watch,
    stop: impl Future<Output = (Cause, String)>,
) -> Option<Failure> {
    let mut run = Run {
        reader: Reader::new(Keep::Heads, limits.http1),
        clock,
        watch,
        request,
        written: 0,
        flushed: 0,
        gate: gate(request),
        broken: None,
    };
    let ended = run.drive(&mut connection, limits, pin!(stop)).await;
    run.end(&mut connection, ended).await
}

/// Where the writing pauses for `100 Continue`: after the head, if it asks for that.
fn gate(request: &[u8]) -> usize {
    let mut head = http1::Decoder::request(0, http1::Limits::default());
    let seen = crate::tape::Window {
        base: 0,
        bytes: request,
        ended: false,
    };
    while let Some(event) = head.step(seen) {
        match event {
            http1::Event::Field(field)
                if seen.slice(field.name).eq_ignore_ascii_case(b"expect") =>
            {
                let end = memchr::memmem::find(request, b"\r\n\r\n");
                return end.map_or(request.len(), |end| end.saturating_add(4));
            }
            http1::Event::HeadEnd(..) => break,
            _ => {}
        }
    }
    request.len()
}

/// Why the driving stopped.
enum Ended {
    /// The response is over, or all that will come of it.
    Answered,
    /// Whoever watches wants no more.
    Unwatched,
    /// The peer ended the connection.
    Closed(Closing),
    /// It failed.
    Failed(Failure),
}

/// What one turn on the connection gave.
enum Turn {
    Read(io::Result<usize>),
    Wrote(io::Result<usize>),
    Flushed(io::Result<()>),
}

struct Run<'a> {
    reader: Reader,
    clock: &'a Clock,
    watch: &'a mut dyn Watch,
    request: &'a [u8],
    /// Bytes that the connection took.
    written: usize,
    /// Bytes that left it.
    flushed: usize,
    /// Bytes that may be written for now.
    gate: usize,
    /// Why writing stopped: the answer may still be there to be read.
    broken: Option<io::Error>,
}

impl Run<'_> {
    async fn drive(
        &mut self,
        connection: &mut Connection,
        limits: Limits,
        mut stop: Pin<&mut impl Future<Output = (Cause, String)>>,
    ) -> Ended {
        let mut buffer = vec![0; READ];
        let never = Duration::from_secs(1 << 30);
        let mut idle = limits.idle.unwrap_or(never);
        let mut quiet = pin!(sleep(idle));
        let mut hold = pin!(sleep(CONTINUE));
        loop {
            let turn = tokio::select! {
                // Whoever wants to stop is heard first: a fast peer always has something to read.
                biased;
                (cause, error) = &mut stop => {
                    return self.failed(cause, error);
                }
                turn = self.turn(connection, &mut buffer) => turn,
                () = &mut hold, if self.gate < self.request.len() && !self.is_answered() => {
                    self.gate = self.request.len();
                    continue;
                }
                () = &mut quiet => return self.silent(idle),
            };
            if let Some(ended) = self.took(turn, &buffer, connection) {
                return ended;
            }
            if self.is_lost() {
                idle = idle.min(AFTER_LOST);
            }
            quiet.set(sleep(idle));
        }
    }

    /// Whatever the connection is ready for first: flushing, reading, writing. Cancelling it loses
    /// nothing. What was written is told before what answers it: whether that has a body depends on it.
    async fn turn(&mut self, connection: &mut Connection, buffer: &mut [u8]) -> Turn {
        let pending = self
            .request
            .get(self.written..self.gate)
            .unwrap_or_default();
        let unflushed = self.flushed < self.written;
        let writing = self.broken.is_none();
        poll_fn(|context| {
            let mut connection = Pin::new(&mut *connection);
            let flushing = writing && unflushed;
            if flushing && let Poll::Ready(done) = connection.as_mut().poll_flush(context) {
                return Poll::Ready(Turn::Flushed(done));
            }
            let mut read = ReadBuf::new(buffer);
            if let Poll::Ready(done) = connection.as_mut().poll_read(context, &mut read) {
                return Poll::Ready(Turn::Read(done.map(|()| read.filled().len())));
            }
            if writing && !flushing && !pending.is_empty() {
                return connection
                    .as_mut()
                    .poll_write(context, pending)
                    .map(Turn::Wrote);
            }
            Poll::Pending
        })
        .await
    }

    fn took(&mut self, turn: Turn, buffer: &[u8], connection: &Connection) -> Option<Ended> {
        match turn {
            Turn::Wrote(Ok(0)) => self.broken = Some(io::ErrorKind::WriteZero.into()),
            Turn::Wrote(Ok(length)) => self.written = self.written.saturating_add(length),
            Turn::Flushed(Ok(())) => {
                let bytes = self
                    .request
                    .get(self.flushed..self.written)
                    .unwrap_or_default();
                self.flushed = self.written;
                self.tell(Side::Sent, bytes);
            }
            // The peer may have answered, and closed, before it heard all: read on.
            Turn::Wrote(Err(error)) | Turn::Flushed(Err(error)) => self.broken = Some(error),
            Turn::Read(Ok(length)) if length > 0 => {
                self.tell(Side::Received, buffer.get(..length).unwrap_or_default());
                // Whoever answers instead of saying `100 Continue` does not want the body (RFC 9110, 10.1.1).
                if !self.is_answered() {
                    self.gate = self.request.len();
                }
            }
            Turn::Read(read) => return Some(self.closed(read, connection)),
        }
        if self.watch.is_done() {
            return Some(Ended::Unwatched);
        }
        let answered = self.reader.exchange.response.end == Some(End::Complete);
        answered.then_some(Ended::Answered)
    }

    fn tell(&mut self, side: Side, bytes: &[u8]) {
        let moment = self.clock.moment();
        self.watch.bytes(side, moment, bytes);
        self.reader.bytes(side, moment, bytes, &mut ());
        if side == Side::Sent && self.flushed == self.request.len() {
            self.watch.ended(side, moment);
            self.reader.ended(side, &mut ());
        }
    }

    fn closed(&self, read: io::Result<usize>, connection: &Connection) -> Ended {
        let nothing = self.reader.exchange.received.bytes == 0;
        if let (Some(error), true) = (&self.broken, nothing) {
            return Ended::Failed(connection.failure(Stage::Write, error));
        }
        if let Some(how) = connection.closing_of(&read) {
            return Ended::Closed(how);
        }
        let error = read.err().unwrap_or_else(|| io::ErrorKind::Other.into());
        Ended::Failed(connection.failure(Stage::Read, &error))
    }

    fn silent(&self, idle: Duration) -> Ended {
        if self.is_lost() {
            return Ended::Answered;
        }
        let error = format!("no byte came or went for {} s", idle.as_secs_f64());
        self.failed(Cause::TimedOut, error)
    }

    /// It ends because we end it.
    fn failed(&self, cause: Cause, error: String) -> Ended {
        let stage = if self.flushed < self.request.len() {
            Stage::Write
        } else {
            Stage::Read
        };
        Ended::Failed(Failure {
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

    fn is_lost(&self) -> bool {
        matches!(self.reader.exchange.response.end, Some(End::Lost { .. }))
    }

    async fn end(&mut self, connection: &mut Connection, ended: Ended) -> Option<Failure> {
        let moment = self.clock.moment();
        for side in [Side::Sent, Side::Received] {
            self.watch.ended(side, moment);
            self.reader.ended(side, &mut ());
        }
        match ended {
            Ended::Closed(how) => self.watch.fact(
                moment,
                &Fact::Closed {
                    by: Party::Peer,
                    how,
                },
            ),
            Ended::Failed(failure) => {
                let Failure {
                    stage,
                    cause,
                    error,
                    ..
                } = failure.clone();
                self.watch.fact(
                    moment,
                    &Fact::Failed {
                        stage,
                        cause,
                        error,
                    },
                );
                return Some(failure);
            }
            Ended::Answered | Ended::Unwatched => {
                let goodbye = tokio::time::timeout(GOODBYE, connection.close()).await;
                let how = match (connection.is_secured(), goodbye) {
                    (true, Ok(Ok(()))) => Closing::CloseNotify,
                    _ => Closing::Eof,
                };
                self.watch
                    .fact(self.clock.moment(), &Fact::Closed { by: Party::Us, how });
            }
        }
        None
    }
}
