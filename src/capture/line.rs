//! One event of a tape as one line of JSON, and back.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{VERSION, text};
use crate::span::{Moment, StreamSide};
use crate::tape::{ConnectionFact, TapeOrigin};

/// Appends the first line of a capture.
pub(super) fn put_origin(out: &mut Vec<u8>, origin: &TapeOrigin) {
    #[derive(Serialize)]
    struct First<'a> {
        wire: u64,
        #[serde(flatten)]
        origin: &'a TapeOrigin,
    }
    put(
        out,
        &First {
            wire: VERSION,
            origin,
        },
    );
}

/// Appends the line of a fact.
pub(super) fn put_fact(out: &mut Vec<u8>, moment: Moment, fact: &ConnectionFact) {
    #[derive(Serialize)]
    struct Line<'a> {
        t: Moment,
        #[serde(flatten)]
        fact: &'a ConnectionFact,
    }
    put(out, &Line { t: moment, fact });
}

/// Appends the line of one read or write.
pub(super) fn put_bytes(out: &mut Vec<u8>, moment: Moment, side: StreamSide, bytes: &[u8]) {
    out.extend_from_slice(b"{\"t\":");
    put_json(out, &moment);
    out.extend_from_slice(match side {
        StreamSide::Sent => b",\"sent\":".as_slice(),
        StreamSide::Received => b",\"received\":",
    });
    match std::str::from_utf8(bytes) {
        Ok(text) => text::put(out, text),
        Err(_) => {
            out.extend_from_slice(b"{\"base64\":\"");
            base64_simd::STANDARD.encode_append(bytes, out);
            out.extend_from_slice(b"\"}");
        }
    }
    out.extend_from_slice(b"}\n");
}

fn put(out: &mut Vec<u8>, line: &impl Serialize) {
    put_json(out, line);
    out.push(b'\n');
}

/// Writing our own plain values into memory cannot fail: no map has keys other than strings.
fn put_json(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    let before = out.len();
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        out.extend_from_slice(b"null");
    }
}

/// What one line after the first says.
#[derive(Debug)]
pub(super) enum Event {
    Fact(ConnectionFact),
    Bytes(StreamSide, Vec<u8>),
    /// An event of a later version: its name.
    Unknown(String),
}

/// The first line, told apart from a line of something else by its key `wire`.
pub(super) fn parse_origin(line: &[u8]) -> Result<(u64, TapeOrigin), serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct First {
        wire: u64,
        #[serde(flatten)]
        origin: TapeOrigin,
    }
    let first: First = serde_json::from_slice(line)?;
    Ok((first.wire, first.origin))
}

/// One further line: its moment, its event, and the keys that this version does not know.
pub(super) fn parse_event(line: &[u8]) -> Result<(Moment, Event), serde_json::Error> {
    let pairs: Pairs<'_> = serde_json::from_slice(line)?;
    let mut moment = None;
    let mut event = None;
    for (key, value) in pairs.0 {
        match key.as_ref() {
            "t" => moment = Some(Moment::deserialize(value)?),
            "sent" => event = Some(Event::Bytes(StreamSide::Sent, bytes(value)?)),
            "received" => event = Some(Event::Bytes(StreamSide::Received, bytes(value)?)),
            name if event.is_none() || matches!(event, Some(Event::Unknown(_))) => {
                event = Some(fact(name, value)?);
            }
            _ => {}
        }
    }
    let moment = moment.ok_or_else(|| missing("t"))?;
    Ok((moment, event.ok_or_else(|| missing("an event"))?))
}

fn missing(what: &str) -> serde_json::Error {
    serde::de::Error::custom(format_args!("the line lacks {what}"))
}

/// The names under which facts are written.
const FACTS: [&str; 9] = [
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

fn fact(name: &str, value: &RawValue) -> Result<Event, serde_json::Error> {
    if !FACTS.contains(&name) {
        return Ok(Event::Unknown(name.to_owned()));
    }
    let tagged = format!("{{\"{name}\":{}}}", value.get());
    Ok(Event::Fact(serde_json::from_str(&tagged)?))
}

fn bytes(value: &RawValue) -> Result<Vec<u8>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Bytes<'a> {
        #[serde(borrow)]
        Text(Cow<'a, str>),
        Coded {
            #[serde(borrow)]
            base64: Cow<'a, str>,
        },
    }
    match serde_json::from_str(value.get())? {
        Bytes::Text(text) => Ok(text.into_owned().into_bytes()),
        Bytes::Coded { base64 } => base64_simd::STANDARD
            .decode_to_vec(base64.as_bytes())
            .map_err(|_| serde::de::Error::custom("this is not base64")),
    }
}

/// The members of an object, undecoded.
struct Pairs<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Pairs<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object: one event of a capture")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(2);
                while let Some(pair) = map.next_entry::<Key<'de>, &'de RawValue>()? {
                    pairs.push((pair.0.0, pair.1));
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

#[derive(serde::Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
