//! Converts the events of a tape to lines of JSON, and back.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::value::MapAccessDeserializer;
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
    let EventLine { moment, event } = serde_json::from_slice(line)?;
    let moment = moment.ok_or_else(|| missing_key_error("t"))?;
    Ok((moment, event.ok_or_else(|| missing_key_error("an event"))?))
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

/// The values of one line. Bytes are read where they are, since almost all of a capture is bytes.
#[derive(Default)]
struct EventLine {
    moment: Option<Moment>,
    event: Option<CaptureEvent>,
}

impl<'de> Deserialize<'de> for EventLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EventLineVisitor;
        impl<'de> Visitor<'de> for EventLineVisitor {
            type Value = EventLine;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object: one event of a capture")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut line = EventLine::default();
                while let Some(MemberKey(key)) = map.next_key()? {
                    let side = match key.as_ref() {
                        "t" => {
                            line.moment = Some(map.next_value()?);
                            continue;
                        }
                        "sent" => StreamSide::Sent,
                        "received" => StreamSide::Received,
                        name => {
                            let value = map.next_value()?;
                            if matches!(line.event, None | Some(CaptureEvent::Unknown(_))) {
                                let fact = parse_fact(name, value);
                                line.event = Some(fact.map_err(serde::de::Error::custom)?);
                            }
                            continue;
                        }
                    };
                    let CapturedBytes(bytes) = map.next_value()?;
                    line.event = Some(CaptureEvent::Bytes(side, bytes));
                }
                Ok(line)
            }
        }
        deserializer.deserialize_map(EventLineVisitor)
    }
}

#[derive(serde::Deserialize)]
struct MemberKey<'a>(#[serde(borrow)] Cow<'a, str>);

/// The bytes of a read or write: a JSON string, or an object with base64.
struct CapturedBytes(Vec<u8>);

impl<'de> Deserialize<'de> for CapturedBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Base64Bytes<'a> {
            #[serde(borrow)]
            base64: Cow<'a, str>,
        }
        struct CapturedBytesVisitor;
        impl<'de> Visitor<'de> for CapturedBytesVisitor {
            type Value = CapturedBytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes: a string, or an object with base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(CapturedBytes(text.as_bytes().to_vec()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let Base64Bytes { base64 } =
                    Base64Bytes::deserialize(MapAccessDeserializer::new(map))?;
                let decoded = base64_simd::STANDARD.decode_to_vec(base64.as_bytes());
                let refuse = |_| serde::de::Error::custom("this is not base64");
                decoded.map(CapturedBytes).map_err(refuse)
            }
        }
        deserializer.deserialize_any(CapturedBytesVisitor)
    }
}
