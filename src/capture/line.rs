//! Converts the events of a tape to lines of JSON, and back.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

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
pub(super) fn parse_origin(line: &[u8]) -> Result<(u64, TapeOrigin), serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct OriginLine {
        wire: u64,
        #[serde(flatten)]
        origin: TapeOrigin,
    }
    let first: OriginLine = serde_json::from_slice(line)?;
    Ok((first.wire, first.origin))
}

/// Parses a line after the first: its moment and event. Unknown keys beside a known event are ignored.
pub(super) fn parse_event(line: &[u8]) -> Result<(Moment, CaptureEvent), serde_json::Error> {
    if let Some(event) = parse_plain_bytes(line) {
        return Ok(event);
    }
    let pairs: RawMembers<'_> = serde_json::from_slice(line)?;
    let mut moment = None;
    let mut event = None;
    for (key, value) in pairs.0 {
        match key.as_ref() {
            "t" => moment = Some(Moment::deserialize(value)?),
            "sent" => event = Some(CaptureEvent::Bytes(StreamSide::Sent, parse_bytes(value)?)),
            "received" => {
                event = Some(CaptureEvent::Bytes(
                    StreamSide::Received,
                    parse_bytes(value)?,
                ))
            }
            name if event.is_none() || matches!(event, Some(CaptureEvent::Unknown(_))) => {
                event = Some(parse_fact(name, value)?);
            }
            _ => {}
        }
    }
    let moment = moment.ok_or_else(|| missing_key_error("t"))?;
    Ok((moment, event.ok_or_else(|| missing_key_error("an event"))?))
}

/// Reads a line as [`put_bytes`] writes it for text: `{"t":12,"received":"..."}`. `None` for any other line. Almost all
/// lines are of this form, and reading them in one pass halves the time of reading a capture.
fn parse_plain_bytes(line: &[u8]) -> Option<(Moment, CaptureEvent)> {
    let rest = line.strip_prefix(b"{\"t\":")?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    let micros = std::str::from_utf8(rest.get(..digits)?)
        .ok()?
        .parse()
        .ok()?;
    let rest = rest.get(digits..)?.strip_suffix(b"}")?;
    let (side, text) = match rest.strip_prefix(b",\"received\":") {
        Some(text) => (StreamSide::Received, text),
        None => (StreamSide::Sent, rest.strip_prefix(b",\"sent\":")?),
    };
    let text: String = serde_json::from_slice(text).ok()?;
    let bytes = CaptureEvent::Bytes(side, text.into_bytes());
    Some((Moment::from_micros(micros), bytes))
}

fn missing_key_error(what: &str) -> serde_json::Error {
    serde::de::Error::custom(format_args!("the line lacks {what}"))
}

/// The JSON keys of all connection facts.
const FACT_NAMES: [&str; 9] = [
    "resolved",
    "tried",
    "connected",
    "tunnelled",
    "secured",
    "reused",
    "closed",
    "failed",
    "redacted",
];

fn parse_fact(name: &str, value: &RawValue) -> Result<CaptureEvent, serde_json::Error> {
    if !FACT_NAMES.contains(&name) {
        return Ok(CaptureEvent::Unknown(name.to_owned()));
    }
    let tagged = format!("{{\"{name}\":{}}}", value.get());
    Ok(CaptureEvent::Fact(serde_json::from_str(&tagged)?))
}

/// The bytes of a read or write: a JSON string, or an object with base64.
fn parse_bytes(value: &RawValue) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Base64Bytes<'a> {
        #[serde(borrow)]
        base64: Cow<'a, str>,
    }
    // Chosen by the first byte: an untagged enum would copy the text once more.
    if value.get().starts_with('"') {
        return serde_json::from_str::<String>(value.get()).map(String::into_bytes);
    }
    let Base64Bytes { base64 } = serde_json::from_str(value.get())?;
    base64_simd::STANDARD
        .decode_to_vec(base64.as_bytes())
        .map_err(|_| serde::de::Error::custom("this is not base64"))
}

/// The members of a JSON object: keys, and values as raw text.
struct RawMembers<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for RawMembers<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct RawMembersVisitor;
        impl<'de> Visitor<'de> for RawMembersVisitor {
            type Value = RawMembers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object: one event of a capture")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(2);
                while let Some(pair) = map.next_entry::<MemberKey<'de>, &'de RawValue>()? {
                    pairs.push((pair.0.0, pair.1));
                }
                Ok(RawMembers(pairs))
            }
        }
        deserializer.deserialize_map(RawMembersVisitor)
    }
}

#[derive(serde::Deserialize)]
struct MemberKey<'a>(#[serde(borrow)] Cow<'a, str>);
