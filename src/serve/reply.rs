//! A reply as a value, and how it is written: its head in order, its body counted or in chunks, with
//! pauses, and with the faults that it asks for.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::coding::{Coding, Encoder};

/// What is answered.
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The fields in order; those that frame the body are added when it is written.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Body,
    /// How long to wait before the head.
    pub delay: Duration,
    /// Whether the connection ends after it.
    pub close: bool,
}

/// A body, and so its framing.
pub enum Body {
    /// Whole: Content-Length.
    Plain(Vec<u8>),
    /// Made while it is written, its length known before: Content-Length.
    Counted {
        /// What Content-Length says.
        length: u64,
        /// What is written.
        steps: Box<dyn Iterator<Item = Step> + Send>,
    },
    /// One chunk a step, flushed each: Transfer-Encoding (RFC 9112, 7.1).
    Events(Box<dyn Iterator<Item = Step> + Send>),
}

/// One thing done while a body is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// How long to wait before it.
    pub pause: Duration,
    /// What is done.
    pub act: Act,
}

/// What is done in a step.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Act {
    /// Writes bytes of the body.
    Bytes(Vec<u8>),
    /// Writes bytes past coding and framing, which they may break.
    Raw(Vec<u8>),
    /// Drops the connection, without a goodbye.
    Cut,
    /// Never goes on, until the peer leaves.
    Stall,
}

impl Step {
    /// Writes `bytes` after `pause`.
    pub fn bytes(pause: Duration, bytes: impl Into<Vec<u8>>) -> Self {
        let act = Act::Bytes(bytes.into());
        Self { pause, act }
    }

    /// Does `act` without waiting.
    pub fn now(act: Act) -> Self {
        let pause = Duration::ZERO;
        Self { pause, act }
    }
}

impl Reply {
    /// A reply with a whole body, at once.
    pub fn plain(status: u16, fields: Vec<(String, String)>, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            fields,
            body: Body::Plain(body.into()),
            delay: Duration::ZERO,
            close: false,
        }
    }

    /// Adds a field at the end.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }
}

/// What the request leaves open for its reply.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Manner {
    /// The head only: HEAD was asked.
    pub(super) head_only: bool,
    /// The peer speaks HTTP/1.0: no chunks.
    pub(super) http10: bool,
    /// The connection may serve another request.
    pub(super) keep: bool,
    pub(super) coding: Coding,
}

/// How the connection stands after a reply.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum After {
    /// The next request may come.
    Keep,
    /// It is to be closed properly.
    Close,
    /// It is to be dropped.
    Cut,
    /// It is to be held, in silence.
    Stall,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Frame {
    Counted(u64),
    Chunks,
    UntilClose,
}

/// Writes `reply`.
pub(super) async fn write<W: AsyncWrite + Unpin>(
    out: &mut W,
    reply: Reply,
    manner: Manner,
) -> io::Result<After> {
    pause(reply.delay).await;
    let mut encoder = Encoder::new(manner.coding)?;
    let (frame, mut whole, steps) = match reply.body {
        Body::Plain(bytes) => {
            let mut bytes = encoder.push(bytes)?;
            bytes.extend(encoder.finish()?);
            encoder = Encoder::Identity;
            (Frame::Counted(bytes.len() as u64), bytes, None)
        }
        Body::Counted { length, steps } if manner.coding == Coding::Identity => {
            (Frame::Counted(length), Vec::new(), Some(steps))
        }
        Body::Counted { steps, .. } | Body::Events(steps) if manner.http10 => {
            (Frame::UntilClose, Vec::new(), Some(steps))
        }
        Body::Counted { steps, .. } | Body::Events(steps) => {
            (Frame::Chunks, Vec::new(), Some(steps))
        }
    };
    let keep = manner.keep && !reply.close && frame != Frame::UntilClose;
    let mut bytes = head(reply.status, &reply.fields, frame, keep, manner.coding);
    if !manner.head_only {
        bytes.append(&mut whole);
    }
    out.write_all(&bytes).await?;
    out.flush().await?;
    let after = if keep { After::Keep } else { After::Close };
    match steps {
        Some(steps) if !manner.head_only => body(out, steps, frame, encoder, after).await,
        _ => Ok(after),
    }
}

fn head(
    status: u16,
    fields: &[(String, String)],
    frame: Frame,
    keep: bool,
    coding: Coding,
) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
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
        Frame::Counted(length) => field("Content-Length", &length.to_string()),
        Frame::Chunks => field("Transfer-Encoding", "chunked"),
        Frame::UntilClose => {}
    }
    head.push_str("\r\n");
    head.into_bytes()
}

async fn body<W: AsyncWrite + Unpin>(
    out: &mut W,
    steps: Box<dyn Iterator<Item = Step> + Send>,
    frame: Frame,
    mut encoder: Encoder,
    mut after: After,
) -> io::Result<After> {
    for step in steps {
        pause(step.pause).await;
        let bytes = match step.act {
            Act::Bytes(bytes) => framed(encoder.push(bytes)?, frame),
            Act::Raw(bytes) => {
                // Who reads on after broken framing would take the next reply for this one.
                after = After::Close;
                bytes
            }
            Act::Cut => return Ok(After::Cut),
            Act::Stall => return Ok(After::Stall),
        };
        out.write_all(&bytes).await?;
        out.flush().await?;
    }
    let mut last = framed(encoder.finish()?, frame);
    if frame == Frame::Chunks {
        last.extend_from_slice(b"0\r\n\r\n");
    }
    out.write_all(&last).await?;
    out.flush().await?;
    Ok(after)
}

/// One chunk, or the bytes as they are. Nothing becomes nothing: an empty chunk would be the last.
fn framed(bytes: Vec<u8>, frame: Frame) -> Vec<u8> {
    if frame != Frame::Chunks || bytes.is_empty() {
        return bytes;
    }
    let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
    chunk.extend(bytes);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// The reason phrase of a status code (RFC 9110, 15, and the IANA registry); empty for unknown ones.
pub(super) fn reason(status: u16) -> &'static str {
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

    async fn written(body: Body, manner: Manner) -> (String, After) {
        let mut out = Vec::new();
        let reply = Reply {
            body,
            ..Reply::plain(200, vec![("a".to_owned(), "b".to_owned())], "")
        };
        let after = write(&mut out, reply, manner).await.unwrap();
        (String::from_utf8_lossy(&out).into_owned(), after)
    }

    fn steps<const N: usize>(acts: [Act; N]) -> Box<dyn Iterator<Item = Step> + Send> {
        Box::new(acts.into_iter().map(Step::now))
    }

    const KEEP: Manner = Manner {
        head_only: false,
        http10: false,
        keep: true,
        coding: Coding::Identity,
    };

    #[tokio::test]
    async fn counted_and_chunked() {
        let (text, after) = written(Body::Plain(b"hi".to_vec()), KEEP).await;
        let head = "HTTP/1.1 200 OK\r\na: b\r\nConnection: keep-alive\r\n";
        assert_eq!(text, format!("{head}Content-Length: 2\r\n\r\nhi"));
        assert_eq!(after, After::Keep);

        let acts = [
            Act::Bytes(b"one".to_vec()),
            Act::Bytes(vec![]),
            Act::Bytes(b"two".to_vec()),
        ];
        let (text, after) = written(Body::Events(steps(acts)), KEEP).await;
        let chunks = "3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n";
        assert_eq!(
            text,
            format!("{head}Transfer-Encoding: chunked\r\n\r\n{chunks}")
        );
        assert_eq!(after, After::Keep);
    }

    #[tokio::test]
    async fn what_http10_and_head_get() {
        let http10 = Manner {
            http10: true,
            ..KEEP
        };
        let acts = [Act::Bytes(b"one".to_vec())];
        let (text, after) = written(Body::Events(steps(acts)), http10).await;
        assert!(text.ends_with("Connection: close\r\n\r\none"), "{text}");
        assert_eq!(after, After::Close);

        let head_only = Manner {
            head_only: true,
            ..KEEP
        };
        let (text, after) = written(Body::Plain(b"hi".to_vec()), head_only).await;
        assert!(text.ends_with("Content-Length: 2\r\n\r\n"), "{text}");
        assert_eq!(after, After::Keep);
    }

    #[tokio::test]
    async fn faults() {
        let acts = [Act::Bytes(b"one".to_vec()), Act::Cut];
        let (text, after) = written(Body::Events(steps(acts)), KEEP).await;
        assert!(text.ends_with("3\r\none\r\n"), "{text}");
        assert_eq!(after, After::Cut);

        let acts = [Act::Raw(b"zz\r\n".to_vec())];
        let (text, after) = written(Body::Events(steps(acts)), KEEP).await;
        assert!(text.ends_with("\r\n\r\nzz\r\n0\r\n\r\n"), "{text}");
        assert_eq!(after, After::Close);

        let counted = Body::Counted {
            length: 9,
            steps: steps([Act::Bytes(b"one".to_vec()), Act::Stall]),
        };
        let (text, after) = written(counted, KEEP).await;
        assert!(text.ends_with("Content-Length: 9\r\n\r\none"), "{text}");
        assert_eq!(after, After::Stall);
    }

    #[tokio::test]
    async fn a_coded_body_is_chunked_where_its_length_is_not_known() {
        let coded = Manner {
            coding: Coding::Zstd,
            ..KEEP
        };
        let (text, _) = written(Body::Plain(b"hi".to_vec()), coded).await;
        assert!(text.contains("Content-Encoding: zstd\r\nvary: Accept-Encoding\r\n"));
        assert!(text.contains("Content-Length: "));
        let counted = Body::Counted {
            length: 3,
            steps: steps([Act::Bytes(b"one".to_vec())]),
        };
        let (text, after) = written(counted, coded).await;
        assert!(text.contains("Transfer-Encoding: chunked\r\n"));
        assert_eq!(after, After::Keep);
    }
}
