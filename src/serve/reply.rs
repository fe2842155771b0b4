//! A reply of the server, and writing it: head, framed body, pauses, and faults on purpose.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::coding::{BodyEncoder, ReplyCoding};

/// A reply of the server: status, fields, body, delay.
pub struct ServerReply {
    /// The status code.
    pub status: u16,
    /// The head fields in order; those that frame the body are added when it is written.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: ReplyBody,
    /// The pause before the head is written.
    pub delay: Duration,
    /// Whether the connection is closed after the reply.
    pub close_after: bool,
}

/// The body of a reply: its bytes or steps, and the framing that they get.
pub enum ReplyBody {
    /// All bytes at once, framed by Content-Length.
    Whole(Vec<u8>),
    /// Steps with a known total length, framed by Content-Length.
    KnownLength {
        /// The value of Content-Length.
        length: u64,
        /// The steps that write it.
        steps: BoxedSteps,
    },
    /// Steps that are written as one flushed chunk each (RFC 9112, 7.1).
    Chunked(BoxedSteps),
}

/// The steps of writing a body, in order.
pub type BoxedSteps = Box<dyn Iterator<Item = BodyStep> + Send>;

/// One step of writing a reply body: a pause, then an action.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BodyStep {
    /// The pause before the action.
    pub pause: Duration,
    /// The action after the pause.
    pub action: BodyAction,
}

/// An action of the server while it writes a reply body: write bytes, drop the connection, or stall.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BodyAction {
    /// Writes bytes of the body, coded and framed.
    Bytes(Vec<u8>),
    /// Writes bytes without coding and framing, and so may break both.
    RawBytes(Vec<u8>),
    /// Drops the connection without close_notify.
    Disconnect,
    /// Writes nothing more and waits until the peer closes.
    Stall,
}

impl BodyStep {
    /// A step that writes `bytes` after `pause`, coded and framed.
    pub fn bytes_after(pause: Duration, bytes: impl Into<Vec<u8>>) -> Self {
        let action = BodyAction::Bytes(bytes.into());
        Self { pause, action }
    }

    /// A step with `action` and without a pause.
    pub fn immediate(action: BodyAction) -> Self {
        let pause = Duration::ZERO;
        Self { pause, action }
    }
}

impl ServerReply {
    /// A reply with all of its body at once, without delay.
    pub fn whole(status: u16, fields: Vec<(String, String)>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            fields,
            body: ReplyBody::Whole(body.into()),
            delay: Duration::ZERO,
            close_after: false,
        }
    }

    /// Adds a head field after the others.
    #[must_use]
    pub fn with_field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }
}

/// Properties of a request that decide how its reply is framed: HTTP version, method, accepted codings.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReplyOptions {
    /// Only the head is written: the method is HEAD.
    pub(super) head_only: bool,
    /// The client speaks HTTP/1.0, which has no chunks.
    pub(super) http10: bool,
    /// The client allows another request on this connection.
    pub(super) keep_alive: bool,
    /// The content coding that the client prefers.
    pub(super) coding: ReplyCoding,
}

/// What to do with the connection after a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum AfterReply {
    /// Read the next request.
    KeepAlive,
    /// Shut it down properly.
    Close,
    /// Drop it.
    Disconnect,
    /// Keep it open and write nothing.
    Stall,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum ReplyFraming {
    ContentLength(u64),
    Chunked,
    UntilClose,
}

/// Writes `reply` and returns what to do with the connection.
pub(super) async fn write_reply<W: AsyncWrite + Unpin>(
    out: &mut W,
    reply: ServerReply,
    options: ReplyOptions,
) -> io::Result<AfterReply> {
    sleep_for(reply.delay).await;
    let mut encoder = BodyEncoder::new(options.coding)?;
    let (frame, mut whole, steps) = match reply.body {
        ReplyBody::Whole(bytes) => {
            let mut bytes = encoder.push(bytes)?;
            bytes.extend(encoder.finish()?);
            encoder = BodyEncoder::Identity;
            (ReplyFraming::ContentLength(bytes.len() as u64), bytes, None)
        }
        ReplyBody::KnownLength { length, steps } if options.coding == ReplyCoding::Identity => {
            (ReplyFraming::ContentLength(length), Vec::new(), Some(steps))
        }
        ReplyBody::KnownLength { steps, .. } | ReplyBody::Chunked(steps) if options.http10 => {
            (ReplyFraming::UntilClose, Vec::new(), Some(steps))
        }
        ReplyBody::KnownLength { steps, .. } | ReplyBody::Chunked(steps) => {
            (ReplyFraming::Chunked, Vec::new(), Some(steps))
        }
    };
    let keep = options.keep_alive && !reply.close_after && frame != ReplyFraming::UntilClose;
    let mut bytes = encode_head(reply.status, &reply.fields, frame, keep, options.coding);
    if !options.head_only {
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
        Some(steps) if !options.head_only => write_body(out, steps, frame, encoder, after).await,
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
    steps: BoxedSteps,
    frame: ReplyFraming,
    mut encoder: BodyEncoder,
    mut after: AfterReply,
) -> io::Result<AfterReply> {
    for step in steps {
        sleep_for(step.pause).await;
        let bytes = match step.action {
            BodyAction::Bytes(bytes) => frame_chunk(encoder.push(bytes)?, frame),
            BodyAction::RawBytes(bytes) => {
                // After broken framing a client would read the next reply as part of this one.
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

/// Frames `bytes` as one chunk, or returns them unchanged if the reply is not chunked. Empty `bytes` stay empty,
/// since an empty chunk would end the body.
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

    async fn written(body: ReplyBody, options: ReplyOptions) -> (String, AfterReply) {
        let mut out = Vec::new();
        let reply = ServerReply {
            body,
            ..ServerReply::whole(200, vec![("a".to_owned(), "b".to_owned())], "")
        };
        let after = write_reply(&mut out, reply, options).await.unwrap();
        (String::from_utf8_lossy(&out).into_owned(), after)
    }

    fn boxed_steps<const N: usize>(acts: [BodyAction; N]) -> BoxedSteps {
        Box::new(acts.into_iter().map(BodyStep::immediate))
    }

    const KEEP: ReplyOptions = ReplyOptions {
        head_only: false,
        http10: false,
        keep_alive: true,
        coding: ReplyCoding::Identity,
    };

    #[tokio::test]
    async fn bodies_have_a_length_or_chunks() {
        let (text, after) = written(ReplyBody::Whole(b"hi".to_vec()), KEEP).await;
        let head = "HTTP/1.1 200 OK\r\na: b\r\nConnection: keep-alive\r\n";
        assert_eq!(text, format!("{head}Content-Length: 2\r\n\r\nhi"));
        assert_eq!(after, AfterReply::KeepAlive);

        let acts = [
            BodyAction::Bytes(b"one".to_vec()),
            BodyAction::Bytes(vec![]),
            BodyAction::Bytes(b"two".to_vec()),
        ];
        let (text, after) = written(ReplyBody::Chunked(boxed_steps(acts)), KEEP).await;
        let chunks = "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n";
        assert_eq!(
            text,
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}")
        );
        assert_eq!(after, AfterReply::KeepAlive);
    }

    #[tokio::test]
    async fn http10_gets_no_chunks_and_head_no_body() {
        let http10 = ReplyOptions {
            http10: true,
            ..KEEP
        };
        let acts = [BodyAction::Bytes(b"one".to_vec())];
        let (text, after) = written(ReplyBody::Chunked(boxed_steps(acts)), http10).await;
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
    async fn requested_faults_are_written() {
        let acts = [BodyAction::Bytes(b"one".to_vec()), BodyAction::Disconnect];
        let (text, after) = written(ReplyBody::Chunked(boxed_steps(acts)), KEEP).await;
        assert!(text.ends_with("3\r\none\r\n"), "{text}");
        assert_eq!(after, AfterReply::Disconnect);

        let acts = [BodyAction::RawBytes(b"zz\r\n".to_vec())];
        let (text, after) = written(ReplyBody::Chunked(boxed_steps(acts)), KEEP).await;
        assert!(text.ends_with("\r\n\r\nzz\r\n0\r\n\r\n"), "{text}");
        assert_eq!(after, AfterReply::Close);

        let counted = ReplyBody::KnownLength {
            length: 9,
            steps: boxed_steps([BodyAction::Bytes(b"one".to_vec()), BodyAction::Stall]),
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
            steps: boxed_steps([BodyAction::Bytes(b"one".to_vec())]),
        };
        let (text, after) = written(counted, coded).await;
        assert!(text.contains("Transfer-Encoding: chunked\r\n"));
        assert_eq!(after, AfterReply::KeepAlive);
    }
}
