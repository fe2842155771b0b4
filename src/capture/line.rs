//! Converts the events of a tape to lines of JSON, and back.

use serde::de::Error as _;
use serde::{Deserialize, Serialize};
use serde_json::{Error, Value};

use super::json_string;
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, TapeOrigin};

/// The version of the format that this program writes, and the newest that it reads.
pub const FORMAT_VERSION: u64 = 1;

/// Appends the first line of a capture file, with the origin of the tape.
pub(super) fn put_origin(out: &mut Vec<u8>, origin: &TapeOrigin) {
    #[derive(Serialize)]
    struct OriginLineRef<'a> {
        wire: u64,
        #[serde(flatten)]
        origin: &'a TapeOrigin,
    }
    put_line(
        out,
        &OriginLineRef {
            wire: FORMAT_VERSION,
            origin,
        },
    );
}

/// Appends the line of a connection fact.
pub(super) fn put_fact(out: &mut Vec<u8>, moment: Moment, fact: &ConnectionFact) {
    #[derive(Serialize)]
    struct FactLine<'a> {
        t: Moment,
        #[serde(flatten)]
        fact: &'a ConnectionFact,
    }
    put_line(out, &FactLine { t: moment, fact });
}

/// Appends the line of the bytes of one read or write.
pub(super) fn put_bytes(out: &mut Vec<u8>, moment: Moment, side: StreamSide, bytes: &[u8]) {
    out.extend_from_slice(b"{\"t\":");
    put_json(out, &moment);
    out.extend_from_slice(match side {
        StreamSide::Sent => b",\"sent\":".as_slice(),
        StreamSide::Received => b",\"received\":",
    });
    match std::str::from_utf8(bytes) {
        Ok(text) => json_string::put_json_string(out, text),
        Err(_) => {
            out.extend_from_slice(b"{\"base64\":\"");
            base64_simd::STANDARD.encode_append(bytes, out);
            out.extend_from_slice(b"\"}");
        }
    }
    out.extend_from_slice(b"}\n");
}

fn put_line(out: &mut Vec<u8>, line: &impl Serialize) {
    put_json(out, line);
    out.push(b'\n');
}

/// Appends `value` as JSON. This cannot fail for our own plain values: no map has keys other than strings.
fn put_json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

/// The event in a line of a capture file after the first.
#[derive(Debug)]
pub(super) enum CaptureEvent {
    Fact(ConnectionFact),
    Bytes(StreamSide, Vec<u8>),
    /// An event of a later format version: its name.
    Unknown(String),
}

/// Parses the first line of a capture, recognised by its key `wire`: the format version and the origin.
pub(super) fn parse_origin(line: &[u8]) -> Result<(u64, TapeOrigin), Error> {
    #[derive(Deserialize)]
    struct OriginLine {
        wire: u64,
        #[serde(flatten)]
        origin: TapeOrigin,
    }
    let first: OriginLine = serde_json::from_slice(line)?;
    Ok((first.wire, first.origin))
}

/// Parses a line after the first: its moment and event. Unknown keys beside a known event are ignored.
pub(super) fn parse_event(line: &[u8]) -> Result<(Moment, CaptureEvent), Error> {
    if let Some(event) = parse_bytes_line(line) {
        return Ok(event);
    }
    let (mut moment, mut event) = (None, None);
    let members: serde_json::Map<String, Value> = serde_json::from_slice(line)?;
    for (name, value) in members {
        match name.as_str() {
            "t" => moment = Some(serde_json::from_value(value)?),
            "sent" => event = Some(CaptureEvent::Bytes(StreamSide::Sent, parse_bytes(value)?)),
            "received" => {
                event = Some(CaptureEvent::Bytes(
                    StreamSide::Received,
                    parse_bytes(value)?,
                ));
            }
            known if FACT_NAMES.contains(&known) => {
                let fact = Value::Object([(name, value)].into_iter().collect());
                event = Some(CaptureEvent::Fact(serde_json::from_value(fact)?));
            }
            _ => event = event.or(Some(CaptureEvent::Unknown(name))),
        }
    }
    let moment = moment.ok_or_else(|| Error::custom("the line lacks t"))?;
    let event = event.ok_or_else(|| Error::custom("the line lacks an event"))?;
    Ok((moment, event))
}

/// Parses a line of bytes as [`put_bytes`] writes it, which almost all lines are, without the general parser.
/// `None` for every other line.
fn parse_bytes_line(line: &[u8]) -> Option<(Moment, CaptureEvent)> {
    let rest = line.strip_prefix(b"{\"t\":")?;
    let (moment, rest) = rest.split_at_checked(memchr::memchr(b',', rest)?)?;
    let (side, rest) = match rest.strip_prefix(b",\"received\":") {
        Some(rest) => (StreamSide::Received, rest),
        None => (StreamSide::Sent, rest.strip_prefix(b",\"sent\":")?),
    };
    let bytes = match rest.strip_prefix(b"{\"base64\":\"") {
        Some(coded) => decode_base64(coded.strip_suffix(b"\"}}")?).ok()?,
        None => json_string::unescape(rest.strip_prefix(b"\"")?.strip_suffix(b"\"}")?)?,
    };
    let moment = serde_json::from_slice(moment).ok()?;
    Some((moment, CaptureEvent::Bytes(side, bytes)))
}

/// The JSON keys of all connection facts.
const FACT_NAMES: [&str; 11] = [
    "resolved",
    "tried",
    "connected",
    "tunnelled",
    "secured",
    "reused",
    "closed",
    "failed",
    "redacted",
    "edited",
    "replied",
];

/// The bytes of a read or write: a string, or an object with base64.
fn parse_bytes(value: Value) -> Result<Vec<u8>, Error> {
    let coded = value.get("base64").and_then(Value::as_str);
    match (coded, &value) {
        (Some(coded), _) => decode_base64(coded.as_bytes()),
        (None, Value::String(text)) => Ok(text.as_bytes().to_vec()),
        _ => Err(Error::custom(
            "bytes are a string, or an object with base64",
        )),
    }
}

fn decode_base64(coded: &[u8]) -> Result<Vec<u8>, Error> {
    let decoded = base64_simd::STANDARD.decode_to_vec(coded);
    decoded.map_err(|_| Error::custom("this is not base64"))
}
