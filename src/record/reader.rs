//! Reads both directions of a relayed connection: which bytes of the client may be forwarded, and to which exchange each
//! byte of the server belongs. Pure: it gets bytes and returns steps.
//!
//! A request is forwarded when its head is whole and sound, and then as far as its body is sound. A fault in the head
//! stops it before its first byte has left; a fault in the body, before the bad bytes, so that the server never sees a
//! whole request. What two readers could understand in two ways is a fault (RFC 9112, 11.2): such a request could
//! smuggle a second one past a proxy.

use std::collections::VecDeque;
use std::ops::Range;

use crate::http1::{
    BodyFraming, Connection, ConnectionEvent, Event, HeadField, HttpLimits, MessageEnd, OddityKind,
    StartLine,
};
use crate::span::StreamSide;
use crate::tape::Window;

/// Most bytes of a refused request that are kept for its capture: a refused body can be of any length.
const KEPT_OF_REFUSED: usize = 64 << 10;

/// What the bytes of a client ask the relay to do, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum ClientStep {
    /// Forward a request head.
    Head(ClientHead),
    /// Forward body bytes, or bytes of a tunnel.
    Body { exchange: u64, bytes: Vec<u8> },
    /// The request is whole, or its sender has left.
    End { exchange: u64 },
    /// Refuse the request and all that follows it.
    Refuse(RequestRefusal),
}

/// A sound request head, as the client wrote it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct ClientHead {
    /// Number of the exchange on the connection, from 0.
    pub(super) exchange: u64,
    /// From the start line to the empty line.
    pub(super) bytes: Vec<u8>,
    /// The request target in `bytes`.
    pub(super) target: Range<usize>,
    /// The value of the Host field in `bytes`.
    pub(super) host: Option<Range<usize>>,
}

/// A request that is not forwarded, or no further.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct RequestRefusal {
    pub(super) exchange: u64,
    /// The reason, with the offset on the client's connection and the clause of the RFC.
    pub(super) reason: String,
    /// Whether the head, and perhaps a part of the body, is at the server already.
    pub(super) is_forwarded: bool,
    /// The bytes that are not forwarded, at most [`KEPT_OF_REFUSED`] of them.
    pub(super) bytes: Vec<u8>,
}

/// To which exchange bytes of the server belong. There are no bytes where an end became known without them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct ServerPiece {
    pub(super) exchange: u64,
    /// Whether the final response ends here.
    pub(super) ends: bool,
}

/// The reader of one connection.
#[derive(Debug)]
pub(super) struct RelayReader {
    connection: Connection,
    requests: RequestSide,
    responses: ResponseSide,
}

impl RelayReader {
    pub(super) fn new(limits: HttpLimits) -> Self {
        Self {
            connection: Connection::new(limits),
            requests: RequestSide::default(),
            responses: ResponseSide::default(),
        }
    }

    /// Reads the next bytes of the client; `ended`: no more will come.
    pub(super) fn read_client(&mut self, bytes: &[u8], ended: bool) {
        self.feed(StreamSide::Sent, bytes, ended);
    }

    /// Reads the next bytes of the server and returns them in pieces, each of one exchange, in order.
    pub(super) fn read_server<'b>(
        &mut self,
        bytes: &'b [u8],
        ended: bool,
    ) -> Vec<(ServerPiece, &'b [u8])> {
        let start = self.responses.end;
        self.responses.end = start.saturating_add(bytes.len() as u64);
        self.feed(StreamSide::Received, bytes, ended);
        self.responses.take_pieces(start, bytes)
    }

    /// The next thing to do for the client.
    pub(super) fn next_step(&mut self) -> Option<ClientStep> {
        self.requests.steps.pop_front()
    }

    /// Puts back a step that cannot be done yet.
    pub(super) fn put_back(&mut self, step: ClientStep) {
        self.requests.steps.push_front(step);
    }

    /// Number of the exchange whose response comes next, or is coming.
    pub(super) fn answering(&self) -> u64 {
        self.responses.exchange
    }

    /// Whether the final response to `answering` has begun.
    pub(super) fn has_begun_answer(&self) -> bool {
        self.responses.has_begun
    }

    fn feed(&mut self, side: StreamSide, bytes: &[u8], ended: bool) {
        let (requests, responses) = (&mut self.requests, &mut self.responses);
        self.connection
            .feed(side, bytes, ended, |found, seen| match found.side {
                StreamSide::Sent => requests.add(found, seen),
                StreamSide::Received => responses.add(&found.event),
            });
    }
}

/// The requests of a connection.
#[derive(Debug, Default)]
struct RequestSide {
    steps: VecDeque<ClientStep>,
    /// The head that is being read.
    head: ClientHead,
    host_fields: usize,
    is_http10: bool,
    /// Whether the current head was passed on.
    is_forwarded: bool,
    /// Whether a request was refused or cut: nothing is read after it.
    is_over: bool,
    /// Offset up to which bytes were taken into steps.
    taken: u64,
}

impl RequestSide {
    fn add(&mut self, found: &ConnectionEvent, seen: Window<'_>) {
        if self.is_over {
            return;
        }
        self.head.exchange = found.exchange;
        match found.event {
            Event::Odd(odd) if is_refused(odd.kind) => {
                let reason = explain(odd.at.start, odd.kind.explain(), odd.kind.clause());
                return self.refuse(reason, seen);
            }
            Event::End(MessageEnd::FramingLost { at, fault }) => {
                return self.refuse(explain(at, fault.explain(), fault.clause()), seen);
            }
            Event::Start(start) => self.add_start(start),
            Event::Field(field) => self.add_field(field, seen),
            Event::HeadEnd(span, _) => {
                self.head.bytes.extend_from_slice(seen.slice(span));
                self.taken = span.end;
                return self.finish_head(seen);
            }
            Event::End(end) => return self.finish_request(end, seen),
            _ => {}
        }
        let Some((_, span)) = found.event.role_and_span() else {
            return;
        };
        self.taken = span.end;
        let bytes = seen.slice(span);
        // Sound bytes outside of a message are those of a tunnel.
        let is_body = self.is_forwarded || matches!(found.event, Event::Unframed(_));
        match (is_body, self.steps.back_mut()) {
            (false, _) => self.head.bytes.extend_from_slice(bytes),
            (true, Some(ClientStep::Body { bytes: body, .. })) => body.extend_from_slice(bytes),
            (true, _) => self.steps.push_back(ClientStep::Body {
                exchange: found.exchange,
                bytes: bytes.to_vec(),
            }),
        }
    }

    fn add_start(&mut self, start: StartLine) {
        if let StartLine::Request {
            line,
            target,
            http10,
            ..
        } = start
        {
            self.head.target = self.range_in_head(line.start, target.start, target.end);
            self.is_http10 = http10;
        }
    }

    fn add_field(&mut self, field: HeadField, seen: Window<'_>) {
        if seen.slice(field.name).eq_ignore_ascii_case(b"host") {
            let (start, end) = (field.value.start, field.value.end);
            self.head.host = Some(self.range_in_head(field.line.start, start, end));
            self.host_fields = self.host_fields.saturating_add(1);
        }
    }

    /// Where the part from `start` to `end` of a line at `line` will be in the head, of which the line is not part yet.
    fn range_in_head(&self, line: u64, start: u64, end: u64) -> Range<usize> {
        let place = |at: u64| {
            let offset = usize::try_from(at.saturating_sub(line)).unwrap_or(usize::MAX);
            self.head.bytes.len().saturating_add(offset)
        };
        place(start)..place(end)
    }

    fn finish_head(&mut self, seen: Window<'_>) {
        if let Some(fault) = self.head_fault() {
            return self.refuse(fault, seen);
        }
        self.is_forwarded = true;
        let exchange = self.head.exchange;
        let head = std::mem::take(&mut self.head);
        self.head.exchange = exchange;
        self.steps.push_back(ClientStep::Head(head));
    }

    /// The fault of a head whose lines are all sound.
    fn head_fault(&self) -> Option<String> {
        let target = self.head.bytes.get(self.head.target.clone());
        let is_ascii = target.is_some_and(|target| target.iter().all(u8::is_ascii_graphic));
        let (text, clause) = match self.host_fields {
            _ if !is_ascii => ("the request target is not ASCII", "RFC 9112, 3.2"),
            0 if !self.is_http10 => ("the Host field is missing", "RFC 9112, 3.2"),
            2.. => ("there are several Host fields", "RFC 9112, 3.2"),
            _ => return self.strict_fault(),
        };
        Some(format!("In the head: {text} ({clause})."))
    }

    fn strict_fault(&self) -> Option<String> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut strict = httparse::Request::new(&mut fields);
        let refusal = strict.parse(&self.head.bytes).err()?;
        Some(format!("A strict parser refuses the head: {refusal}."))
    }

    fn finish_request(&mut self, end: MessageEnd, seen: Window<'_>) {
        let exchange = self.head.exchange;
        if !self.is_forwarded {
            // The client left inside the head.
            return self.refuse("The request ended inside its head.".to_owned(), seen);
        }
        self.steps.push_back(ClientStep::End { exchange });
        *self = Self {
            steps: std::mem::take(&mut self.steps),
            taken: self.taken,
            is_over: !end.is_whole(),
            ..Self::default()
        };
    }

    fn refuse(&mut self, reason: String, seen: Window<'_>) {
        let mut bytes = self.take_back();
        bytes.append(&mut self.head.bytes);
        bytes.extend_from_slice(seen.slice_from(self.taken));
        bytes.truncate(KEPT_OF_REFUSED);
        self.is_over = true;
        self.steps.push_back(ClientStep::Refuse(RequestRefusal {
            exchange: self.head.exchange,
            reason,
            is_forwarded: self.is_forwarded,
            bytes,
        }));
    }

    /// The bytes of the current request that are passed on and not forwarded yet. They are not forwarded then.
    fn take_back(&mut self) -> Vec<u8> {
        let current = self.head.exchange;
        let is_current = |step: &ClientStep| match step {
            ClientStep::Head(head) => head.exchange == current,
            ClientStep::Body { exchange, .. } => *exchange == current,
            ClientStep::End { .. } | ClientStep::Refuse(_) => false,
        };
        let first = self.steps.iter().position(is_current);
        let waiting = self.steps.split_off(first.unwrap_or(self.steps.len()));
        let mut bytes = Vec::new();
        for step in waiting {
            match step {
                ClientStep::Head(head) => {
                    self.is_forwarded = false;
                    bytes.extend_from_slice(&head.bytes);
                }
                ClientStep::Body { bytes: body, .. } => bytes.extend_from_slice(&body),
                ClientStep::End { .. } | ClientStep::Refuse(_) => {}
            }
        }
        bytes
    }
}

/// Most fields of a head that is forwarded: servers accept about 100 (Apache's default is 100, Node's 2,000).
const MAX_FIELDS: usize = 1000;

/// Whether a request with this oddity is refused. An empty line before a request is common, and harmless.
fn is_refused(kind: OddityKind) -> bool {
    !matches!(kind, OddityKind::LeadingBlank | OddityKind::AfterEnd)
}

fn explain(at: u64, text: &str, clause: &str) -> String {
    format!("At byte {at} of this connection: {text} ({clause}).")
}

/// The responses of a connection.
#[derive(Debug, Default)]
struct ResponseSide {
    /// Offset behind the last byte.
    end: u64,
    /// Offset behind the last byte that has a role.
    read: u64,
    exchange: u64,
    /// Whether the final response began.
    has_begun: bool,
    /// Whether the bytes are no longer HTTP.
    is_tunnel: bool,
    /// Offsets at which final responses ended, and their exchanges.
    ends: Vec<(u64, u64)>,
}

impl ResponseSide {
    fn add(&mut self, event: &Event) {
        if let Some((_, span)) = event.role_and_span() {
            self.read = span.end;
        }
        match *event {
            Event::Start(start) => {
                let status = start.status().unwrap_or_default();
                self.has_begun = !(100..200).contains(&status) || status == 101;
            }
            Event::HeadEnd(_, framing) => self.is_tunnel |= framing == BodyFraming::Tunnel,
            Event::End(MessageEnd::Complete | MessageEnd::Closed)
                if self.has_begun && !self.is_tunnel =>
            {
                self.ends.push((self.read, self.exchange));
                self.exchange = self.exchange.saturating_add(1);
                self.has_begun = false;
            }
            _ => {}
        }
    }

    /// The pieces of `bytes`, which begin at `start`.
    fn take_pieces<'b>(&mut self, start: u64, bytes: &'b [u8]) -> Vec<(ServerPiece, &'b [u8])> {
        let mut rest = bytes;
        let mut pieces = Vec::with_capacity(self.ends.len().saturating_add(1));
        let mut at = start;
        for (to, exchange) in self.ends.drain(..) {
            let length = usize::try_from(to.saturating_sub(at)).unwrap_or(usize::MAX);
            let (piece, after) = rest.split_at(length.min(rest.len()));
            pieces.push((
                ServerPiece {
                    exchange,
                    ends: true,
                },
                piece,
            ));
            (rest, at) = (after, at.max(to));
        }
        if !rest.is_empty() {
            let exchange = self.exchange;
            pieces.push((
                ServerPiece {
                    exchange,
                    ends: false,
                },
                rest,
            ));
        }
        pieces
    }
}

#[doc(hidden)]
pub use checks::fuzz;

/// The promises of the file's page, as assertions for tests and fuzzing.
#[allow(
    clippy::arithmetic_side_effects,
    reason = "assertions over small numbers of its own"
)]
mod checks {
    use super::*;

    /// Bytes forwarded for each exchange, and the refused exchange with the bytes that stayed here.
    pub(super) type Passed = (Vec<(u64, Vec<u8>)>, Option<(u64, Vec<u8>)>);

    /// Reads the client's bytes in pieces of the lengths `steps`, and takes the steps after each piece.
    pub(super) fn pass(bytes: &[u8], steps: impl Iterator<Item = usize>) -> Passed {
        let mut reader = RelayReader::new(HttpLimits::default());
        let (mut passed, mut refused): Passed = (Vec::new(), None);
        let mut rest = bytes;
        let mut ends = steps.chain(std::iter::once(usize::MAX));
        loop {
            let length = ends.next().unwrap_or(usize::MAX).min(rest.len());
            let (piece, after) = rest.split_at(length);
            rest = after;
            reader.read_client(piece, rest.is_empty());
            while let Some(step) = reader.next_step() {
                let (exchange, bytes) = match step {
                    ClientStep::Head(head) => (head.exchange, head.bytes),
                    ClientStep::Body { exchange, bytes } => (exchange, bytes),
                    ClientStep::End { .. } => continue,
                    ClientStep::Refuse(refusal) => {
                        assert!(refused.is_none(), "refused twice");
                        refused = Some((refusal.exchange, refusal.bytes));
                        continue;
                    }
                };
                assert!(refused.is_none(), "something is forwarded after a refusal");
                match passed.last_mut().filter(|(last, _)| *last == exchange) {
                    Some((_, known)) => known.extend(bytes),
                    None => passed.push((exchange, bytes)),
                }
            }
            if rest.is_empty() {
                return (passed, refused);
            }
        }
    }

    /// Asserts that forwarded bytes are those of the client, and that a split changes no whole request and no refusal.
    pub fn fuzz(bytes: &[u8]) {
        let (steps, bytes) = bytes.split_at(bytes.len().min(4));
        let (whole, refused) = pass(bytes, std::iter::empty());
        let lengths = steps.iter().map(|step| usize::from(*step));
        let (split, split_refused) = pass(bytes, lengths.cycle().take(64));
        let forwarded: Vec<u8> = split.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
        assert!(bytes.starts_with(&forwarded), "other bytes are forwarded");
        let exchange = |refused: &Option<(u64, Vec<u8>)>| refused.as_ref().map(|(at, _)| *at);
        assert_eq!(
            exchange(&refused),
            exchange(&split_refused),
            "a split matters"
        );
        // A refused request may be forwarded up to its fault where it came in pieces.
        let sound = |passed: Vec<(u64, Vec<u8>)>| -> Vec<_> {
            let stop = exchange(&refused).unwrap_or(u64::MAX);
            passed.into_iter().filter(|(at, _)| *at < stop).collect()
        };
        assert_eq!(sound(whole), sound(split), "a split changes a request");
    }
}

#[cfg(test)]
mod tests {
    use super::checks::{fuzz, pass};
    use super::*;

    const GOOD: &[u8] = b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nok";
    const CHUNKED: &[u8] =
        b"POST /b HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: 1\r\n\r\n";

    fn refusal(bytes: &[u8]) -> RequestRefusal {
        let mut reader = RelayReader::new(HttpLimits::default());
        reader.read_client(bytes, false);
        loop {
            match reader.next_step().expect("the request is refused") {
                ClientStep::Refuse(refusal) => return refusal,
                step => assert!(!matches!(step, ClientStep::Head(_)), "{step:?}"),
            }
        }
    }

    #[test]
    fn pipelined_requests_pass_unchanged() {
        let both = [GOOD, CHUNKED, GOOD].concat();
        let (passed, refused) = pass(&both, std::iter::repeat_n(1, both.len()));
        let expected = [
            (0, GOOD.to_vec()),
            (1, CHUNKED.to_vec()),
            (2, GOOD.to_vec()),
        ];
        assert_eq!((passed, refused), (expected.to_vec(), None));
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_refused() {
        let case = |request: &str, reason: &str| {
            let refused = refusal(request.as_bytes());
            assert!(refused.reason.contains(reason), "{}", refused.reason);
            assert_eq!(refused.bytes, request.as_bytes());
            assert!(!refused.is_forwarded);
        };
        let head = "POST / HTTP/1.1\r\nHost: h\r\n";
        case(
            &format!("{head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            "Content-Length beside Transfer-Encoding",
        );
        case(
            &format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nok"),
            "disagree",
        );
        case(
            &format!("{head}Content-Length : 2\r\n\r\nok"),
            "white space",
        );
        case(&format!("{head}X: a\r\n b\r\n\r\n"), "folded");
        case(
            &format!("{head}Transfer-Encoding: chunked\r\n\r\n2 ;x\r\nok\r\n0\nx"),
            "LF alone",
        );
        case("POST / HTTP/1.1\r\n\r\n", "Host field is missing");
        case(
            "POST / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "several Host fields",
        );
        case("POST /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", "not ASCII");
    }

    #[test]
    fn a_fault_in_a_body_whose_head_has_passed_stops_before_its_bytes() {
        let head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut reader = RelayReader::new(HttpLimits::default());
        reader.read_client(head, false);
        assert!(matches!(reader.next_step(), Some(ClientStep::Head(_))));
        reader.read_client(b"2\r\nok\r\nzz\r\n", false);
        let Some(ClientStep::Refuse(refused)) = reader.next_step() else {
            panic!("it is refused");
        };
        assert!(refused.is_forwarded);
        assert_eq!(
            refused.bytes, b"2\r\nok\r\nzz\r\n",
            "the chunk came with the fault"
        );
    }

    #[test]
    fn each_byte_of_the_server_belongs_to_one_exchange() {
        let mut reader = RelayReader::new(HttpLimits::default());
        reader.read_client(&[GOOD, GOOD].concat(), false);
        let answer = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 204 No Content\r\n\r\n";
        let first = answer
            .windows(6)
            .position(|window| window == b"okHTTP")
            .unwrap()
            + 2;
        let pieces = reader.read_server(answer, false);
        let piece = |exchange| ServerPiece {
            exchange,
            ends: true,
        };
        assert_eq!(
            pieces,
            [(piece(0), &answer[..first]), (piece(1), &answer[first..])]
        );
        assert_eq!(reader.answering(), 2);
    }

    #[test]
    fn a_tunnel_passes_in_both_directions() {
        let mut reader = RelayReader::new(HttpLimits::default());
        let upgrade =
            b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        reader.read_client(&[upgrade.as_slice(), b"\x81\x00"].concat(), false);
        assert!(matches!(reader.next_step(), Some(ClientStep::Head(_))));
        assert!(matches!(
            reader.next_step(),
            Some(ClientStep::End { exchange: 0 })
        ));
        assert_eq!(reader.next_step(), None, "early frames wait for the answer");
        let answer = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x01a";
        let pieces = reader.read_server(answer, false);
        let joined: Vec<u8> = pieces
            .iter()
            .flat_map(|(_, bytes)| bytes.to_vec())
            .collect();
        assert_eq!(joined, answer);
        assert!(
            pieces
                .iter()
                .all(|(piece, _)| piece.exchange == 0 && !piece.ends)
        );
        let body = ClientStep::Body {
            exchange: 0,
            bytes: b"\x81\x00".to_vec(),
        };
        assert_eq!(reader.next_step(), Some(body));
    }

    proptest::proptest! {
        #[test]
        fn any_split_forwards_the_same_requests(
            steps in proptest::collection::vec(0u8..40, 4),
            picks in proptest::collection::vec(0usize..8, 0..5),
            noise in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..20),
        ) {
            let parts: [&[u8]; 8] = [
                GOOD, CHUNKED, b"\r\n", b"GET / HTTP/1.0\r\n\r\n", b"X: y\r\n",
                b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nhello\r\n0\r\n\r\n", &noise,
            ];
            let text = picks.iter().map(|&pick| parts[pick]).collect::<Vec<_>>().concat();
            fuzz(&[steps, text].concat());
        }
    }
}
