//! What was seen of one exchange: the bytes of both directions with the moment each crossed, and what
//! happened to the connection. Everything else in `wire` is derived from this.

use serde::{Deserialize, Serialize};

use crate::span::{Moment, Span, StreamSide};

/// Whoever wants to know what happens on a connection, while it happens.
///
/// The capture writer, the live view and [`Tape`] itself are all watchers: one feed for all.
pub trait WireSink {
    /// Something happened to the connection.
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact);
    /// One read or write moved these bytes.
    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]);
    /// No more bytes will come on this side. Whoever held some back lets them go.
    fn ended(&mut self, side: StreamSide, moment: Moment) {
        let _ = (side, moment);
    }
    /// Whether it wants no more, so that the exchange may as well stop: whoever read its output is gone.
    fn is_done(&self) -> bool {
        false
    }
}

impl<W: WireSink + ?Sized> WireSink for &mut W {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        (**self).fact(moment, fact);
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        (**self).bytes(side, moment, bytes);
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        (**self).ended(side, moment);
    }

    fn is_done(&self) -> bool {
        (**self).is_done()
    }
}

/// A watcher that may be absent.
impl<W: WireSink> WireSink for Option<W> {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        if let Some(watch) = self {
            watch.fact(moment, fact);
        }
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        if let Some(watch) = self {
            watch.bytes(side, moment, bytes);
        }
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        if let Some(watch) = self {
            watch.ended(side, moment);
        }
    }

    fn is_done(&self) -> bool {
        self.as_ref().is_some_and(WireSink::is_done)
    }
}

/// Two watchers of one feed; done as soon as either is.
impl<A: WireSink, B: WireSink> WireSink for (A, B) {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.0.fact(moment, fact);
        self.1.fact(moment, fact);
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        self.0.bytes(side, moment, bytes);
        self.1.bytes(side, moment, bytes);
    }

    fn ended(&mut self, side: StreamSide, moment: Moment) {
        self.0.ended(side, moment);
        self.1.ended(side, moment);
    }

    fn is_done(&self) -> bool {
        self.0.is_done() || self.1.is_done()
    }
}

/// All that was seen of one exchange.
#[derive(Clone, Debug)]
pub struct Tape {
    /// Where the recording comes from.
    pub origin: TapeOrigin,
    /// What the program wrote.
    pub sent: Stream,
    /// What it read.
    pub received: Stream,
    /// What happened to the connection, in order.
    pub facts: Vec<(Moment, ConnectionFact)>,
}

impl Tape {
    /// An empty tape.
    pub fn new(origin: TapeOrigin) -> Self {
        Self {
            origin,
            sent: Stream::new(StreamSide::Sent),
            received: Stream::new(StreamSide::Received),
            facts: Vec::new(),
        }
    }

    /// The stream of that side.
    pub fn stream(&self, side: StreamSide) -> &Stream {
        match side {
            StreamSide::Sent => &self.sent,
            StreamSide::Received => &self.received,
        }
    }

    /// Plays the tape to a watcher in the order of its moments: facts, reads and writes as they came.
    ///
    /// Among things of one moment, facts of the connection come before bytes, and sent before received,
    /// save that closing and failing come last.
    pub fn replay(&self, watch: &mut dyn WireSink) {
        let mut facts = self.facts.iter().peekable();
        let mut sent = self.sent.reads().peekable();
        let mut received = self.received.reads().peekable();
        let never = Moment::from_micros(u64::MAX);
        loop {
            let next_fact = facts
                .peek()
                .map(|(at, fact)| (*at, u8::from(fact.ends_exchange()) * 3));
            let next_sent = sent.peek().map(|(_, at)| (*at, 1));
            let next_received = received.peek().map(|(_, at)| (*at, 2));
            let first = [next_fact, next_sent, next_received]
                .into_iter()
                .flatten()
                .min();
            match first {
                None => break,
                Some((_, 1)) => {
                    if let Some((span, at)) = sent.next() {
                        watch.bytes(StreamSide::Sent, at, self.sent.slice(span));
                    }
                }
                Some((_, 2)) => {
                    if let Some((span, at)) = received.next() {
                        watch.bytes(StreamSide::Received, at, self.received.slice(span));
                    }
                }
                Some(_) => {
                    if let Some((at, fact)) = facts.next() {
                        watch.fact(*at, fact);
                    }
                }
            }
        }
        let last = |stream: &Stream| stream.marks.last().map_or(never, |mark| mark.moment);
        watch.ended(StreamSide::Sent, last(&self.sent));
        watch.ended(StreamSide::Received, last(&self.received));
    }
}

impl WireSink for Tape {
    fn fact(&mut self, moment: Moment, fact: &ConnectionFact) {
        self.facts.push((moment, fact.clone()));
    }

    fn bytes(&mut self, side: StreamSide, moment: Moment, bytes: &[u8]) {
        match side {
            StreamSide::Sent => self.sent.push(moment, bytes),
            StreamSide::Received => self.received.push(moment, bytes),
        }
    }

    fn ended(&mut self, side: StreamSide, _moment: Moment) {
        match side {
            StreamSide::Sent => self.sent.ended = true,
            StreamSide::Received => self.received.ended = true,
        }
    }
}

/// Where a recording comes from: the first line of a capture.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct TapeOrigin {
    /// Unique, sorts by time (UUID version 7).
    pub id: String,
    /// Wall-clock time of moment zero, UTC.
    pub started: jiff::Timestamp,
    /// Which verb made it: `send`, `record`.
    pub via: String,
    /// Where the request was meant to go, secrets masked.
    pub url: String,
    /// Which program wrote it, with its version.
    pub tool: String,
}

/// The bytes of one direction, with the moment of each read or write.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Which direction.
    pub side: StreamSide,
    /// Offset of the first byte still held.
    pub base: u64,
    /// The bytes from `base` on.
    pub bytes: Vec<u8>,
    /// Where each read or write began; ascending in offset and moment.
    pub marks: Vec<ReadMark>,
    /// Whether no more can come.
    pub ended: bool,
}

/// The byte at `at` was the first of one read or write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ReadMark {
    /// Absolute offset.
    pub at: u64,
    /// When that read or write returned.
    pub moment: Moment,
}

impl Stream {
    /// A stream that has not begun.
    pub fn new(side: StreamSide) -> Self {
        Self {
            side,
            base: 0,
            bytes: Vec::new(),
            marks: Vec::new(),
            ended: false,
        }
    }

    /// Appends what one read or write moved. An empty one leaves no trace.
    pub fn push(&mut self, moment: Moment, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.marks.push(ReadMark {
            at: self.end(),
            moment,
        });
        self.bytes.extend_from_slice(bytes);
    }

    /// Offset one past the last byte seen so far.
    pub fn end(&self) -> u64 {
        self.base.saturating_add(self.bytes.len() as u64)
    }

    /// What a decoder may see now.
    pub fn window(&self) -> Window<'_> {
        Window {
            base: self.base,
            bytes: &self.bytes,
            ended: self.ended,
        }
    }

    /// The bytes of `span` that are held; shorter, or empty, where they are not.
    pub fn slice(&self, span: Span) -> &[u8] {
        self.window().slice(span)
    }

    /// When the byte at `offset` crossed; `None` outside what was seen.
    pub fn moment_at(&self, offset: u64) -> Option<Moment> {
        if offset >= self.end() {
            return None;
        }
        let after = self.marks.partition_point(|mark| mark.at <= offset);
        Some(self.marks.get(after.checked_sub(1)?)?.moment)
    }

    /// `span`, cut where one read or write ended and the next began.
    pub fn split_at_reads(&self, span: Span) -> impl Iterator<Item = Span> + '_ {
        let first = self.marks.partition_point(|mark| mark.at <= span.start);
        let inner = self.marks.get(first..).unwrap_or_default().iter();
        let cuts = inner
            .map(|mark| mark.at)
            .take_while(move |at| *at < span.end);
        let ends = cuts.chain(std::iter::once(span.end));
        ends.scan(span.start, |start, end| {
            Some(Span::new(std::mem::replace(start, end), end))
        })
    }

    /// Each read or write: its bytes and its moment, in order.
    pub fn reads(&self) -> impl Iterator<Item = (Span, Moment)> + '_ {
        self.marks.iter().enumerate().map(|(n, mark)| {
            let end = self
                .marks
                .get(n.saturating_add(1))
                .map_or(self.end(), |next| next.at);
            (Span::new(mark.at, end), mark.moment)
        })
    }
}

/// A stream of which only what a reader still needs is held, so that memory stays bounded however long
/// it runs.
#[derive(Clone, Debug, Default)]
pub struct RollingBuffer {
    base: u64,
    held: Vec<u8>,
}

impl RollingBuffer {
    /// Offset of the first byte that the reader still needs.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Offset one past the last byte fed so far.
    pub fn end(&self) -> u64 {
        self.base.saturating_add(self.held.len() as u64)
    }

    /// Shows `bytes`, after what is still held, to `read`, which answers with the offset of the first
    /// byte that it still needs. Where nothing was held, nothing is copied but what is left over.
    pub fn feed(&mut self, bytes: &[u8], ended: bool, read: impl FnOnce(Window<'_>) -> u64) {
        let direct = self.held.is_empty();
        if !direct {
            self.held.extend_from_slice(bytes);
        }
        let window = Window {
            base: self.base,
            bytes: if direct { bytes } else { &self.held },
            ended,
        };
        let needed = read(window).clamp(self.base, window.end());
        let read = usize::try_from(needed.saturating_sub(self.base)).unwrap_or(usize::MAX);
        if direct {
            self.held
                .extend_from_slice(bytes.get(read..).unwrap_or_default());
        } else {
            self.held.drain(..read.min(self.held.len()));
        }
        self.base = needed;
    }
}

/// What a decoder may see now: the bytes from `base` on, and whether more can come.
#[derive(Clone, Copy, Debug)]
pub struct Window<'a> {
    /// Absolute offset of the first byte.
    pub base: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether no more can come.
    pub ended: bool,
}

impl<'a> Window<'a> {
    /// Offset one past the last byte.
    pub fn end(&self) -> u64 {
        self.base.saturating_add(self.bytes.len() as u64)
    }

    /// The bytes from the absolute `offset` on; empty past the end.
    pub fn slice_from(&self, offset: u64) -> &'a [u8] {
        self.slice(Span::new(offset, self.end()))
    }

    /// The bytes of `span` that are seen; shorter, or empty, where they are not.
    pub fn slice(&self, span: Span) -> &'a [u8] {
        let seen = span.intersection(Span::new(self.base, self.end()));
        Span::new(
            seen.start.saturating_sub(self.base),
            seen.end.saturating_sub(self.base),
        )
        .of(self.bytes)
    }
}

/// Something that happened to the connection. In a capture, one line each, under the variant's name.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConnectionFact {
    /// A name became addresses.
    Resolved {
        /// The name that was asked for.
        host: String,
        /// `address:port`, in the order in which they will be tried.
        addrs: Vec<String>,
    },
    /// An address did not accept a connection.
    Tried {
        /// `address:port`.
        peer: String,
        /// What it answered.
        error: String,
    },
    /// A connection stands.
    Connected {
        /// `address:port` or the path of a Unix socket.
        peer: String,
        /// Our own end; empty for a Unix socket.
        local: String,
    },
    /// A proxy opened a way to the target.
    Tunnelled {
        /// The proxy's URL without credentials.
        proxy: String,
        /// What it was asked to connect to, `host:port`.
        to: String,
    },
    /// TLS stands.
    Secured(TlsSession),
    /// The connection had served an earlier exchange.
    Reused {},
    /// One side ended the connection.
    Closed {
        /// Who.
        by: ConnectionParty,
        /// In what way.
        how: CloseKind,
    },
    /// It went wrong here; what was seen before stands.
    Failed {
        /// What was being done.
        stage: ExchangeStage,
        /// What kind of end it was.
        cause: FailureCause,
        /// What went wrong, in words, with the address or name concerned.
        error: String,
    },
    /// A secret was replaced by as many `*` before the bytes were written.
    Redacted {
        /// Which rule found it: a field's name, a query parameter, `known key`.
        rule: String,
        /// In which stream.
        side: StreamSide,
        /// Where.
        span: Span,
        /// Equal secrets have equal fingerprints within one capture folder; it tells nothing else.
        fingerprint: String,
    },
}

impl ConnectionFact {
    /// Whether it ends the exchange, and so comes after the bytes of the same moment.
    pub fn ends_exchange(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Failed { .. })
    }
}

/// What TLS agreed on.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct TlsSession {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// Cipher suite, IANA name.
    pub cipher: String,
    /// Key exchange group, IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Application protocol the peer chose, if it chose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// Server name that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// What the peer showed, leaf first.
    #[serde(default)]
    pub chain: Vec<Certificate>,
    /// Whether the chain was checked (`false` under `--insecure`).
    #[serde(default)]
    pub verified: bool,
}

/// One certificate of a chain, as far as people look at it.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Distinguished name.
    pub subject: String,
    /// Distinguished name of the signer.
    pub issuer: String,
    /// First valid moment, RFC 3339.
    pub not_before: String,
    /// Last valid moment, RFC 3339.
    pub not_after: String,
    /// DNS names and addresses it is valid for.
    #[serde(default)]
    pub names: Vec<String>,
    /// SHA-256 of its DER bytes, lower-case hex.
    pub sha256: String,
}

/// One end of the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionParty {
    /// `wire`, or the program that it records.
    Us,
    /// The server.
    Peer,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseKind {
    /// TLS said goodbye: what came before is whole (RFC 8446, 6.1).
    CloseNotify,
    /// The TCP connection ended, without TLS or without its goodbye.
    Eof,
    /// TLS without its goodbye: an attacker, or a sloppy server, may have cut the stream.
    EofWithoutCloseNotify,
    /// The connection was reset.
    Reset,
}

/// What was being done when it went wrong, in the order of an exchange.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeStage {
    /// Turning the name into addresses.
    Resolve,
    /// Opening the connection.
    Connect,
    /// Asking a proxy for a way.
    Proxy,
    /// Agreeing on TLS.
    Tls,
    /// Writing the request.
    Write,
    /// Reading the response.
    Read,
}

/// What kind of end a failure was; the exit code follows from it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The peer, the network or the machine refused.
    Refused,
    /// A time limit of ours passed.
    TimedOut,
    /// The user interrupted.
    Interrupted,
}
