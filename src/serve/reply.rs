//! A reply as a value, and how it is written: its head in order, its body counted or in chunks, with
//! pauses, and with the faults that it asks for.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::coding::{BodyEncoder, ReplyCoding};

/// What is answered.
pub struct ServerReply {
    /// The status code.
    pub status: u16,
    /// The fields in order; those that frame the body are added when it is written.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: ReplyBody,
    /// How long to wait before the head.
    pub delay: Duration,
    /// Whether the connection ends after it.
    pub close_after: bool,
}

/// A body, and so its framing.
pub enum ReplyBody {
    /// Whole: Content-Length.
    Whole(Vec<u8>),
    /// Made while it is written, its length known before: Content-Length.
    KnownLength {
        /// What Content-Length says.
        length: u64,
        /// What is written.
        steps: Box<dyn Iterator<Item = BodyStep> + Send>,
    },
    /// One chunk a step, flushed each: Transfer-Encoding (RFC 9112, 7.1).
    Chunked(Box<dyn Iterator<Item = BodyStep> + Send>),
}

/// One thing done while a body is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BodyStep {
    /// How long to wait before it.
    pub pause: Duration,
    /// What is done.
    pub action: BodyAction,
}

/// What is done in a step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BodyAction {
    /// Writes bytes of the body.
    Bytes(Vec<u8>),
    /// Writes bytes past coding and framing, which they may break.
    RawBytes(Vec<u8>),
    /// Drops the connection, without a goodbye.
    Disconnect,
    /// Never goes on, until the peer leaves.
    Stall,
}

impl BodyStep {
    /// Writes `bytes` after `pause`.
    pub fn bytes_after(pause: Duration, bytes: impl Into<Vec<u8>>) -> Self {
        let act = BodyAction::Bytes(bytes.into());
        Self { pause, action: act }
    }

    /// Does `act` without waiting.
    pub fn immediate(act: BodyAction) -> Self {
        let pause = Duration::ZERO;
        Self { pause, action: act }
    }
}

impl ServerReply {
    /// A reply with a whole body, at once.
    pub fn whole(status: u16, fields: Vec<(String, String)>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            fields,
            body: ReplyBody::Whole(body.into()),
            delay: Duration::ZERO,
            close_after: false,
        }
    }

    /// Adds a field at the end.
    #[must_use]
    pub fn with_field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }
}

/// What the request leaves open for its reply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReplyOptions {
    /// The head only: HEAD was asked.
    pub(super) head_only: bool,
    /// The peer speaks HTTP/1.0: no chunks.
    pub(super) http10: bool,
    /// The connection may serve another request.
    pub(super) keep_alive: bool,
    pub(super) coding: ReplyCoding,
}

/// How the connection stands after a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AfterReply {
    /// The next request may come.
    KeepAlive,
    /// It is to be closed properly.
    Close,
    /// It is to be dropped.
    Disconnect,
    /// It is to be held, in silence.
    Stall,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum ReplyFraming {
    ContentLength(u64),
    Chunked,
    UntilClose,
}

/// Writes `reply`.
pub(super) async fn write_reply<W: AsyncWrite + Unpin>(
    out: &mut W,
    reply: ServerReply,
    manner: ReplyOptions,
) -> io::Result<AfterReply> {
    sleep_for(reply.delay).await;
    let mut encoder = BodyEncoder::new(manner.coding)?;
    let (frame, mut whole, steps) = match reply.body {
        ReplyBody::Whole(bytes) => {
            let mut bytes = encoder.push(bytes)?;
            bytes.extend(encoder.finish()?);
            encoder = BodyEncoder::Identity;
            (ReplyFraming::ContentLength(bytes.len() as u64), bytes, None)
        }
        ReplyBody::KnownLength { length, steps } if manner.coding == ReplyCoding::Identity => {
            (ReplyFraming::ContentLength(length), Vec::new(), Some(steps))
        }
        ReplyBody::KnownLength { steps, .. } | ReplyBody::Chunked(steps) if manner.http10 => {
            (ReplyFraming::UntilClose, Vec::new(), Some(steps))
        }
        ReplyBody::KnownLength { steps, .. } | ReplyBody::Chunked(steps) => {
            (ReplyFraming::Chunked, Vec::new(), Some(steps))
        }
    };
    let keep = manner.keep_alive && !reply.close_after && frame != ReplyFraming::UntilClose;
    let mut bytes = encode_head(reply.status, &reply.fields, frame, keep, manner.coding);
    if !manner.head_only {
        bytes.append(&mut whole);
    }
    out.write_all(&bytes).await?;
    out.flush().await?;
    let after = if keep {
        AfterReply::KeepAlive
    } else {
        AfterReply::Close
    };
    match steps {
        Some(steps) if !manner.head_only => write_body(out, steps, frame, encoder, after).await,
        _ => Ok(after),
    }
}

fn encode_head(
    status: u16,
    fields: &[(String, String)],
    frame: ReplyFraming,
    keep: bool,
    coding: ReplyCoding,
) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason_phrase(status));
    let mut field = |name: &str, value: &str| {
        head.extend([name, ": ", value, "\r\n"]);
    };
    for (name, value) in fields {
        field(name, value);
    }
    if let Some(name) = coding.name() {
        field("Content-Encoding", name);
        field("vary", "Accept-Encoding");
    }
    field("Connection", if keep { "keep-alive" } else { "close" });
    match frame {
        ReplyFraming::ContentLength(length) => field("Content-Length", &length.to_string()),
        ReplyFraming::Chunked => field("Transfer-Encoding", "chunked"),
        ReplyFraming::UntilClose => {}
    }
    head.push_str("\r\n");
    head.into_bytes()
}

async fn write_body<W: AsyncWrite + Unpin>(
    out: &mut W,
    steps: Box<dyn Iterator<Item = BodyStep> + Send>,
    frame: ReplyFraming,
    mut encoder: BodyEncoder,
    mut after: AfterReply,
) -> io::Result<AfterReply> {
    for step in steps {
        sleep_for(step.pause).await;
        let bytes = match step.action {
            BodyAction::Bytes(bytes) => frame_chunk(encoder.push(bytes)?, frame),
            BodyAction::RawBytes(bytes) => {
                // Who reads on after broken framing would take the next reply for this one.
                after = AfterReply::Close;
                bytes
            }
            BodyAction::Disconnect => return Ok(AfterReply::Disconnect),
            BodyAction::Stall => return Ok(AfterReply::Stall),
        };
        out.write_all(&bytes).await?;
        out.flush().await?;
    }
    let mut last = frame_chunk(encoder.finish()?, frame);
    if frame == ReplyFraming::Chunked {
        last.extend_from_slice(b"0\r\n\r\n");
    }
    out.write_all(&last).await?;
    out.flush().await?;
    Ok(after)
}

/// One chunk, or the bytes as they are. Nothing becomes nothing: an empty chunk would be the last.
fn frame_chunk(bytes: Vec<u8>, frame: ReplyFraming) -> Vec<u8> {
    if frame != ReplyFraming::Chunked || bytes.is_empty() {
        return bytes;
    }
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

async fn sleep_for(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// The reason phrase of a status code (RFC 9110, 15, and the IANA registry); empty for unknown ones.
pub(super) fn reason_phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        // Not registered; Anthropic's API and some proxies use it.
        529 => "Overloaded",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn written(body: ReplyBody, manner: ReplyOptions) -> (String, AfterReply) {
        let mut out = Vec::new();
        let reply = ServerReply {
            body,
            ..ServerReply::whole(200, vec![("a".to_owned(), "b".to_owned())], "")
        };
        let after = write_reply(&mut out, reply, manner).await.unwrap();
        (String::from_utf8_lossy(&out).into_owned(), after)
    }

    fn steps<const N: usize>(acts: [BodyAction; N]) -> Box<dyn Iterator<Item = BodyStep> + Send> {
        Box::new(acts.into_iter().map(BodyStep::immediate))
    }

    const KEEP: ReplyOptions = ReplyOptions {
        head_only: false,
        http10: false,
        keep_alive: true,
        coding: ReplyCoding::Identity,
    };

    #[tokio::test]
    async fn counted_and_chunked() {
        let (text, after) = written(ReplyBody::Whole(b"hi".to_vec()), KEEP).await;
        let head = "HTTP/1.1 200 OK\r\na: b\r\nConnection: keep-alive\r\n";
        assert_eq!(text, format!("{head}Content-Length: 2\r\n\r\nhi"));
        assert_eq!(after, AfterReply::KeepAlive);

        let acts = [
            BodyAction::Bytes(b"one".to_vec()),
            BodyAction::Bytes(vec![]),
            BodyAction::Bytes(b"two".to_vec()),
        ];
        let (text, after) = written(ReplyBody::Chunked(steps(acts)), KEEP).await;
        let chunks = "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n";
        assert_eq!(
            text,
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}")
        );
        assert_eq!(after, AfterReply::KeepAlive);
    }

    #[tokio::test]
    async fn what_http10_and_head_get() {
        let http10 = ReplyOptions {
            http10: true,
            ..KEEP
        };
        let acts = [BodyAction::Bytes(b"one".to_vec())];
        let (text, after) = written(ReplyBody::Chunked(steps(acts)), http10).await;
        assert!(text.ends_with("Connection: close\r\n\r\none"), "{text}");
        assert_eq!(after, AfterReply::Close);

        let head_only = ReplyOptions {
            head_only: true,
            ..KEEP
        };
        let (text, after) = written(ReplyBody::Whole(b"hi".to_vec()), head_only).await;
        assert!(text.ends_with("Content-Length: 2\r\n\r\n"), "{text}");
        assert_eq!(after, AfterReply::KeepAlive);
    }

    #[tokio::test]
    async fn faults() {
        let acts = [BodyAction::Bytes(b"one".to_vec()), BodyAction::Disconnect];
        let (text, after) = written(ReplyBody::Chunked(steps(acts)), KEEP).await;
        assert!(text.ends_with("3\r\none\r\n"), "{text}");
        assert_eq!(after, AfterReply::Disconnect);

        let acts = [BodyAction::RawBytes(b"zz\r\n".to_vec())];
        let (text, after) = written(ReplyBody::Chunked(steps(acts)), KEEP).await;
        assert!(text.ends_with("\r\n\r\nzz\r\n0\r\n\r\n"), "{text}");
        assert_eq!(after, AfterReply::Close);

        let counted = ReplyBody::KnownLength {
            length: 9,
            steps: steps([BodyAction::Bytes(b"one".to_vec()), BodyAction::Stall]),
        };
        let (text, after) = written(counted, KEEP).await;
        assert!(text.ends_with("Content-Length: 9\r\n\r\none"), "{text}");
        assert_eq!(after, AfterReply::Stall);
    }

    #[tokio::test]
    async fn a_coded_body_is_chunked_where_its_length_is_not_known() {
        let coded = ReplyOptions {
            coding: ReplyCoding::Zstd,
            ..KEEP
        };
        let (text, _) = written(ReplyBody::Whole(b"hi".to_vec()), coded).await;
        assert!(text.contains("Content-Encoding: zstd\r\nvary: Accept-Encoding\r\n"));
        assert!(text.contains("Content-Length: "));
        let counted = ReplyBody::KnownLength {
            length: 3,
            steps: steps([BodyAction::Bytes(b"one".to_vec())]),
        };
        let (text, after) = written(counted, coded).await;
        assert!(text.contains("Transfer-Encoding: chunked\r\n"));
        assert_eq!(after, AfterReply::KeepAlive);
    }
}
