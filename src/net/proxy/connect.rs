//! `CONNECT` (RFC 9110, 9.3.6): asks an HTTP proxy to open a tunnel.

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncWrite};

use super::{Proxy, write_to_proxy};
use crate::net::failure::{NetFailure, io_error_words};

/// Longest head of a proxy's answer that is read, in bytes. Real ones have a few lines; servers commonly limit heads to
/// 8 to 64 KiB.
const HEAD_LIMIT: usize = 64 * 1024;

/// The head of a `CONNECT` request.
fn connect_head(proxy: &Proxy, to: &str) -> String {
    let credentials = proxy
        .authorization()
        .map(|value| format!("Proxy-Authorization: {value}\r\n"))
        .unwrap_or_default();
    format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{credentials}\r\n")
}

/// Asks `proxy` for a tunnel to `to` (`host:port`). Bytes after the head of its answer stay in `io`: they are the
/// target's.
pub(in crate::net) async fn open_tunnel(
    proxy: &Proxy,
    to: &str,
    io: &mut (impl AsyncBufRead + AsyncWrite + Unpin),
) -> Result<(), NetFailure> {
    write_to_proxy(proxy, io, to, connect_head(proxy, to).as_bytes()).await?;
    loop {
        let head = read_head(io)
            .await
            .map_err(|why| proxy.tunnel_failure(to, &why))?;
        let refusal = || proxy.tunnel_failure(to, &format!("it answered `{}`", first_line(&head)));
        match parse_status(&head) {
            Some(200..=299) => return Ok(()),
            Some(100..=199) => {}
            Some(407) => return Err(refusal().with_hint(credentials_hint(proxy))),
            Some(_) => return Err(refusal()),
            None => {
                let why = format!("it does not answer in HTTP but `{}`", first_line(&head));
                return Err(proxy
                    .tunnel_failure(to, &why)
                    .with_hint("is it an HTTP proxy?"));
            }
        }
    }
}

fn credentials_hint(proxy: &Proxy) -> &'static str {
    match proxy.userinfo {
        None => "it wants credentials: write the proxy as http://USER:PASSWORD@HOST:PORT",
        Some(_) => "it did not accept the credentials given with it",
    }
}

/// Reads a message head up to the end of its empty line, and no byte further.
async fn read_head(io: &mut (impl AsyncBufRead + Unpin)) -> Result<Vec<u8>, String> {
    let mut head = Vec::new();
    loop {
        let seen = io
            .fill_buf()
            .await
            .map_err(|error| io_error_words(&error))?;
        if seen.is_empty() {
            return Err(match head.is_empty() {
                true => "it closed the connection without an answer".to_owned(),
                false => "it closed the connection in the middle of its answer".to_owned(),
            });
        }
        let (taken, whole) = take_head(&mut head, seen);
        io.consume(taken);
        if whole {
            return Ok(head);
        }
        if head.len() >= HEAD_LIMIT {
            return Err(format!("the head of its answer is over {HEAD_LIMIT} bytes"));
        }
    }
}

/// Copies bytes of `seen` to `head` until `head` ends with an empty line. Returns how many were copied, and
/// whether it does.
fn take_head(head: &mut Vec<u8>, seen: &[u8]) -> (usize, bool) {
    for (n, byte) in seen.iter().enumerate() {
        head.push(*byte);
        // A bare LF ends a line too (RFC 9112, 2.2).
        if head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n") {
            return (n.saturating_add(1), true);
        }
        if head.len() >= HEAD_LIMIT {
            return (n.saturating_add(1), false);
        }
    }
    (seen.len(), false)
}

/// The status code of an HTTP/1 head (RFC 9112, 4); `None` if it is not one.
fn parse_status(head: &[u8]) -> Option<u16> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let code = rest.split(|byte| *byte == b' ').nth(1)?;
    let code = std::str::from_utf8(code.trim_ascii_end()).ok()?;
    code.parse().ok().filter(|code| (100..=999).contains(code))
}

/// The first line of `head`, escaped and at most 120 bytes long, so that an error fits two lines of a terminal.
fn first_line(head: &[u8]) -> String {
    const LIMIT: usize = 120;
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.trim_ascii_end();
    let (line, more) = match line.get(..LIMIT) {
        Some(start) => (start, "..."),
        None => (line, ""),
    };
    format!("{}{more}", line.escape_ascii())
}

#[cfg(test)]
mod tests {
    use tokio::io::BufReader;

    use super::*;

    async fn ask(proxy: &str, answers: &[&[u8]]) -> (Result<(), NetFailure>, Vec<u8>) {
        let proxy = Proxy::parse(proxy).unwrap();
        let mut io = peer(answers);
        let outcome = open_tunnel(&proxy, "h:443", &mut io).await;
        let rest = io.buffer().to_vec();
        (outcome, rest)
    }

    /// A peer that has written `answers` and then closed.
    fn peer(answers: &[&[u8]]) -> BufReader<impl tokio::io::AsyncRead + AsyncWrite + Unpin> {
        let whole = std::io::Cursor::new(answers.concat());
        BufReader::with_capacity(
            answers.first().map_or(1, |first| first.len().max(1)),
            tokio::io::join(whole, tokio::io::sink()),
        )
    }

    #[test]
    fn the_request_names_the_target_twice() {
        let proxy = Proxy::parse("http://u:p@x").unwrap();
        assert_eq!(
            connect_head(&proxy, "[::1]:443"),
            "CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
        );
    }

    #[tokio::test]
    async fn bytes_after_the_answer_are_not_consumed() {
        let (outcome, rest) = ask("p", &[b"HTTP/1.1 200 OK\r\nVia: x\r\n\r\n\x16\x03"]).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(rest, b"\x16\x03");
    }

    #[tokio::test]
    async fn single_bytes_and_interim_answers_are_accepted() {
        let (outcome, _) = ask("p", &[b"H", b"TTP/1.0 100 \n\nHTTP/1.0 201 yes\n\n"]).await;
        assert_eq!(outcome, Ok(()));
    }

    #[tokio::test]
    async fn refusals_show_the_status_line() {
        let (outcome, _) = ask("p", &[b"HTTP/1.1 407 Say \x1b[1m\r\n\r\n"]).await;
        let failure = outcome.unwrap_err();
        assert_eq!(
            failure.error,
            "the proxy http://p:1080 opened no way to h:443: it answered `HTTP/1.1 407 Say \\x1b[1m`"
        );
        assert!(format!("{:?}", failure.hint).contains("USER:PASSWORD"));
        let (outcome, _) = ask("u:p@p", &[b"HTTP/1.1 407 No\r\n\r\n"]).await;
        assert!(format!("{:?}", outcome.unwrap_err().hint).contains("did not accept"));
    }

    #[tokio::test]
    async fn broken_answers_are_explained() {
        let error = |outcome: Result<(), NetFailure>| outcome.unwrap_err().error;
        let (dead, _) = ask("p", &[]).await;
        assert!(error(dead).contains("without an answer"));
        let (half, _) = ask("p", &[b"HTTP/1.1 200 OK\r\n"]).await;
        assert!(error(half).contains("in the middle"));
        let (other, _) = ask("p", &[b"SSH-2.0\n\n"]).await;
        assert!(error(other).contains("does not answer in HTTP but `SSH-2.0`"));
        let endless = vec![b'x'; HEAD_LIMIT * 2];
        let (endless, _) = ask("p", &[&endless]).await;
        assert!(error(endless).contains("over 65536 bytes"));
    }
}
