//! Which body follows a head: the clauses of RFC 9112, section 6.3, and nothing else.
//! Reading the body is `chunked` and `decoder`; reading the fields themselves is `head`.

use super::oddity::{HttpFault, OddityKind};

/// The rule that decides where a body ends: length, chunks, close, no body.
#[derive(Clone, Copy, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyFraming {
    /// No body, whatever the fields say (clauses 1, 6 and 7).
    Empty,
    /// So many bytes (clause 6).
    Length(u64),
    /// Chunks (clause 4).
    Chunked,
    /// All that comes until the connection ends (clauses 4 and 8).
    UntilClose,
    /// The connection is no longer HTTP (clause 2, and status 101).
    Tunnel,
}

impl std::fmt::Display for BodyFraming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Empty => f.write_str("no body"),
            Self::Length(length) => write!(f, "Content-Length {length}"),
            Self::Chunked => f.write_str("chunked"),
            Self::UntilClose => f.write_str("until the connection closes"),
            Self::Tunnel => f.write_str("no longer HTTP"),
        }
    }
}

/// The method of a request, as far as the framing of its response depends on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RequestMethod {
    /// HEAD: no body.
    Head,
    /// CONNECT: a tunnel, once a 2xx came.
    Connect,
    /// Any other.
    Other,
}

impl RequestMethod {
    /// The class of a method as spelled in the request line (methods are case-sensitive).
    pub fn from_method(method: &[u8]) -> Self {
        match method {
            b"HEAD" => Self::Head,
            b"CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }
}

/// The framing fields of a head, collected while the head is read.
#[derive(Clone, Debug, Default)]
pub(super) struct FramingFields {
    pub(super) http10: bool,
    pub(super) length: ContentLength,
    /// Whether there was a Transfer-Encoding, and whether its last coding is `chunked`.
    pub(super) coding: Option<LastCoding>,
    pub(super) unknown_coding: bool,
}

/// The state of the Content-Length fields: absent, valid, or in conflict.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum ContentLength {
    #[default]
    Absent,
    Once(u64),
    Repeated(u64),
    Conflict,
    Unreadable,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LastCoding {
    Chunked,
    Other,
}

impl FramingFields {
    /// Adds one field of the head.
    pub(super) fn add_field(&mut self, name: &[u8], value: &[u8]) {
        if name.eq_ignore_ascii_case(b"content-length") {
            for one in value.split(|&byte| byte == b',') {
                self.length = self.length.merge(one.trim_ascii());
            }
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            for one in value.split(|&byte| byte == b',') {
                self.add_coding(one.trim_ascii());
            }
        }
    }

    fn add_coding(&mut self, coding: &[u8]) {
        const KNOWN: [&[u8]; 5] = [b"gzip", b"x-gzip", b"deflate", b"compress", b"x-compress"];
        if coding.is_empty() {
            return;
        }
        let chunked = coding.eq_ignore_ascii_case(b"chunked");
        self.unknown_coding |=
            !chunked && !KNOWN.iter().any(|known| coding.eq_ignore_ascii_case(known));
        self.coding = Some(if chunked {
            LastCoding::Chunked
        } else {
            LastCoding::Other
        });
    }
}

impl ContentLength {
    fn merge(self, text: &[u8]) -> Self {
        let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
        let number = std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse::<u64>().ok());
        match (self, number.filter(|_| digits)) {
            (Self::Conflict, _) => Self::Conflict,
            (Self::Unreadable, _) | (_, None) => Self::Unreadable,
            (Self::Absent, Some(length)) => Self::Once(length),
            (Self::Once(before) | Self::Repeated(before), Some(length)) if before == length => {
                Self::Repeated(length)
            }
            (Self::Once(_) | Self::Repeated(_), Some(_)) => Self::Conflict,
        }
    }
}

/// What was decided: the framing, or the fault that leaves none; and what is odd about the fields.
pub(super) type FramingDecision = (Result<BodyFraming, HttpFault>, Vec<OddityKind>);

/// The framing of a response to a request with the method `asked`.
pub(super) fn response_framing(
    asked: RequestMethod,
    status: u16,
    cues: &FramingFields,
) -> FramingDecision {
    let bodyless = match (asked, status) {
        (_, 101) => Some(BodyFraming::Tunnel),
        (RequestMethod::Head, _) | (_, 0..=199 | 204 | 304) => Some(BodyFraming::Empty),
        (RequestMethod::Connect, 200..=299) => Some(BodyFraming::Tunnel),
        _ => None,
    };
    if let Some(framing) = bodyless {
        // HEAD and 304 may announce what a GET would have had (RFC 9110, 8.6).
        let may_announce = asked == RequestMethod::Head || status == 304;
        let announces = cues.length != ContentLength::Absent || cues.coding.is_some();
        let mut odd = length_oddities(cues);
        odd.extend((announces && !may_announce).then_some(OddityKind::FramingWithoutBody));
        return (Ok(framing), odd);
    }
    match cues.coding {
        Some(LastCoding::Chunked) => (Ok(BodyFraming::Chunked), coding_oddities(cues)),
        Some(LastCoding::Other) => {
            let mut odd = coding_oddities(cues);
            odd.push(OddityKind::CodingNotChunked);
            (Ok(BodyFraming::UntilClose), odd)
        }
        None => length_framing(cues.length, BodyFraming::UntilClose),
    }
}

/// The framing of a request.
pub(super) fn request_framing(cues: &FramingFields) -> FramingDecision {
    match cues.coding {
        Some(LastCoding::Chunked) => (Ok(BodyFraming::Chunked), coding_oddities(cues)),
        Some(LastCoding::Other) => (Err(HttpFault::RequestCoding), coding_oddities(cues)),
        None => length_framing(cues.length, BodyFraming::Empty),
    }
}

fn length_framing(length: ContentLength, absent: BodyFraming) -> FramingDecision {
    match length {
        ContentLength::Absent => (Ok(absent), vec![]),
        ContentLength::Once(length) => (Ok(BodyFraming::Length(length)), vec![]),
        ContentLength::Repeated(length) => (
            Ok(BodyFraming::Length(length)),
            vec![OddityKind::RepeatedLength],
        ),
        ContentLength::Conflict => (Err(HttpFault::LengthConflict), vec![]),
        ContentLength::Unreadable => (Err(HttpFault::BadLength), vec![]),
    }
}

/// Reports an unreadable Content-Length that the framing does not depend on.
fn length_oddities(cues: &FramingFields) -> Vec<OddityKind> {
    let unreadable = matches!(
        cues.length,
        ContentLength::Unreadable | ContentLength::Conflict
    );
    let odd = unreadable.then_some(OddityKind::LengthIgnored);
    odd.into_iter().collect()
}

fn coding_oddities(cues: &FramingFields) -> Vec<OddityKind> {
    let mut odd = length_oddities(cues);
    // Clause 3: the coding wins, and both together smell of smuggling.
    if cues.length != ContentLength::Absent {
        odd.push(OddityKind::LengthAndCoding);
    }
    if cues.http10 {
        odd.push(OddityKind::CodingInHttp10);
    }
    if cues.unknown_coding {
        odd.push(OddityKind::UnknownCoding);
    }
    odd
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cues(fields: &[(&str, &str)]) -> FramingFields {
        let mut cues = FramingFields::default();
        for (name, value) in fields {
            cues.add_field(name.as_bytes(), value.as_bytes());
        }
        cues
    }

    #[test]
    fn the_clauses_in_order() {
        #[track_caller]
        fn case(asked: RequestMethod, status: u16, fields: &[(&str, &str)], framing: BodyFraming) {
            let (decided, _) = response_framing(asked, status, &cues(fields));
            assert_eq!(decided, Ok(framing));
        }
        let length = ("Content-Length", "5");
        let chunked = ("Transfer-Encoding", "chunked");
        case(RequestMethod::Head, 200, &[length], BodyFraming::Empty);
        case(RequestMethod::Other, 100, &[length], BodyFraming::Empty);
        case(RequestMethod::Other, 204, &[chunked], BodyFraming::Empty);
        case(RequestMethod::Other, 304, &[length], BodyFraming::Empty);
        case(RequestMethod::Other, 101, &[], BodyFraming::Tunnel);
        case(RequestMethod::Connect, 200, &[length], BodyFraming::Tunnel);
        case(
            RequestMethod::Connect,
            407,
            &[length],
            BodyFraming::Length(5),
        );
        case(
            RequestMethod::Other,
            200,
            &[chunked, length],
            BodyFraming::Chunked,
        );
        case(
            RequestMethod::Other,
            200,
            &[("transfer-encoding", "gzip, Chunked")],
            BodyFraming::Chunked,
        );
        case(
            RequestMethod::Other,
            200,
            &[("Transfer-Encoding", "chunked, gzip")],
            BodyFraming::UntilClose,
        );
        case(
            RequestMethod::Other,
            200,
            &[("Transfer-Encoding", "gzip"), chunked],
            BodyFraming::Chunked,
        );
        case(RequestMethod::Other, 200, &[length], BodyFraming::Length(5));
        case(
            RequestMethod::Other,
            200,
            &[length, length],
            BodyFraming::Length(5),
        );
        case(
            RequestMethod::Other,
            200,
            &[("Content-Length", "5, 5")],
            BodyFraming::Length(5),
        );
        case(RequestMethod::Other, 200, &[], BodyFraming::UntilClose);
    }

    #[test]
    fn unreadable_lengths_lose_the_framing() {
        #[track_caller]
        fn case(values: &[&str], fault: HttpFault) {
            let fields: Vec<_> = values
                .iter()
                .map(|value| ("Content-Length", *value))
                .collect();
            assert_eq!(
                response_framing(RequestMethod::Other, 200, &cues(&fields)).0,
                Err(fault)
            );
            assert_eq!(request_framing(&cues(&fields)).0, Err(fault));
        }
        case(&["5", "6"], HttpFault::LengthConflict);
        case(&["5, 6"], HttpFault::LengthConflict);
        case(&["+5"], HttpFault::BadLength);
        case(&["-1"], HttpFault::BadLength);
        case(&["0x5"], HttpFault::BadLength);
        case(&[""], HttpFault::BadLength);
        case(&["99999999999999999999"], HttpFault::BadLength);
    }

    #[test]
    fn an_unreadable_length_that_nothing_depends_on_is_told() {
        let odd = |asked, status, fields: &[_]| response_framing(asked, status, &cues(fields)).1;
        let length = ("Content-Length", "x");
        let ignored = OddityKind::LengthIgnored;
        assert_eq!(odd(RequestMethod::Head, 200, &[length]), [ignored]);
        assert_eq!(
            odd(RequestMethod::Other, 204, &[length]),
            [ignored, OddityKind::FramingWithoutBody]
        );
        let chunked = ("Transfer-Encoding", "chunked");
        assert_eq!(
            odd(RequestMethod::Other, 200, &[length, chunked]),
            [ignored, OddityKind::LengthAndCoding]
        );
        assert_eq!(
            odd(RequestMethod::Other, 200, &[("Content-Length", "1")]),
            []
        );
    }

    #[test]
    fn a_request_without_framing_has_no_body() {
        assert_eq!(request_framing(&cues(&[])).0, Ok(BodyFraming::Empty));
        let coded = cues(&[("Transfer-Encoding", "gzip")]);
        assert_eq!(request_framing(&coded).0, Err(HttpFault::RequestCoding));
    }
}
