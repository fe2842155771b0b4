//! SOCKS 5 (RFC 1928) with user and password (RFC 1929): asks a proxy to open a tunnel.

use std::net::{IpAddr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};

use super::{Proxy, write_to_proxy};
use crate::net::failure::{NetFailure, io_error_words};

// Numbers of RFC 1928, 3: the version, and the authentication methods that this client knows.
const SOCKS_VERSION: u8 = 5;
const NO_AUTH_METHOD: u8 = 0;
const PASSWORD_METHOD: u8 = 2;
const NO_ACCEPTABLE_METHOD: u8 = 0xff;

/// The address or name that a SOCKS proxy is asked to connect to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(in crate::net) enum SocksDestination {
    /// An address that was resolved here.
    Address(SocketAddr),
    /// A name for the proxy to resolve.
    Name(String, u16),
}

impl SocksDestination {
    /// The destination `ip` if there is one, else `name`.
    pub(in crate::net) fn new(name: &str, ip: Option<IpAddr>, port: u16) -> Self {
        match ip {
            Some(ip) => Self::Address(SocketAddr::new(ip, port)),
            None => Self::Name(name.to_owned(), port),
        }
    }

    /// The destination as bytes of a request: address type, address, port (RFC 1928, 5); `None` for a name over 255
    /// bytes.
    fn encode(&self) -> Option<Vec<u8>> {
        let (mut bytes, port) = match self {
            Self::Address(address) => (encode_ip(address.ip()), address.port()),
            Self::Name(name, port) => (length_prefixed(&[3], name)?, *port),
        };
        bytes.extend(port.to_be_bytes());
        Some(bytes)
    }
}

fn encode_ip(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => [&[1], &ip.octets()[..]].concat(),
        IpAddr::V6(ip) => [&[4], &ip.octets()[..]].concat(),
    }
}

/// `first`, the length of `text` in one byte, and `text`; `None` for a text over 255 bytes.
fn length_prefixed(first: &[u8], text: &str) -> Option<Vec<u8>> {
    let length = u8::try_from(text.len()).ok()?;
    Some([first, &[length], text.as_bytes()].concat())
}

/// Asks `proxy` to connect to `to`; `place` is its name in errors. Reads no byte beyond the proxy's answers.
pub(in crate::net) async fn connect_socks(
    proxy: &Proxy,
    to: &SocksDestination,
    place: &str,
    io: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> Result<(), NetFailure> {
    let mut handshake = SocksHandshake {
        proxy,
        target_name: place,
        io,
    };
    handshake.agree_on_method().await?;
    handshake.request_connection(to).await
}

struct SocksHandshake<'a, T> {
    proxy: &'a Proxy,
    target_name: &'a str,
    io: &'a mut T,
}

impl<T: AsyncRead + AsyncWrite + Unpin> SocksHandshake<'_, T> {
    /// Negotiates the authentication method (RFC 1928, 3), and logs in if the proxy chooses a password.
    async fn agree_on_method(&mut self) -> Result<(), NetFailure> {
        let greeting: &[u8] = match self.proxy.userinfo {
            Some(_) => &[SOCKS_VERSION, 2, NO_AUTH_METHOD, PASSWORD_METHOD],
            None => &[SOCKS_VERSION, 1, NO_AUTH_METHOD],
        };
        self.write(greeting).await?;
        let [version, method] = self.read_bytes().await?;
        self.check_version(version)?;
        match (method, self.proxy.userinfo.as_deref()) {
            (NO_AUTH_METHOD, _) => Ok(()),
            (PASSWORD_METHOD, Some(user)) => self.log_in(user).await,
            (NO_ACCEPTABLE_METHOD, None) => Err(self
                .failure("it wants credentials")
                .with_hint("write the proxy as socks5h://USER:PASSWORD@HOST:PORT")),
            (NO_ACCEPTABLE_METHOD, Some(_)) => {
                Err(self.failure("it accepts neither a password nor a connection without one"))
            }
            (other, _) => {
                Err(self.failure(&format!("it chose method {other}, which was not offered")))
            }
        }
    }

    /// Logs in with user and password (RFC 1929, 2).
    async fn log_in(&mut self, user: &str) -> Result<(), NetFailure> {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        let (Some(mut login), Some(tail)) =
            (length_prefixed(&[1], name), length_prefixed(&[], password))
        else {
            return Err(self.failure("user or password is over 255 bytes"));
        };
        login.extend(tail);
        self.write(&login).await?;
        let [_, status] = self.read_bytes().await?;
        if status == 0 {
            Ok(())
        } else {
            Err(self
                .failure("it did not accept the credentials")
                .with_hint("check user and password of the proxy"))
        }
    }

    /// Sends the connection request and reads the reply (RFC 1928, 4 and 6).
    async fn request_connection(&mut self, to: &SocksDestination) -> Result<(), NetFailure> {
        const CONNECT: u8 = 1;
        let Some(destination) = to.encode() else {
            return Err(self.failure("the name is over 255 bytes"));
        };
        self.write(&[&[SOCKS_VERSION, CONNECT, 0], &destination[..]].concat())
            .await?;
        let [version, reply, _, kind] = self.read_bytes().await?;
        self.check_version(version)?;
        if reply != 0 {
            let failure = self.failure(&reply_text(reply));
            return Err(match (reply, to) {
                (3 | 4 | 8, SocksDestination::Address(_)) if self.resolved_here() => failure
                    .with_hint(
                        "socks5h:// lets the proxy resolve the name, perhaps to another address",
                    ),
                _ => failure,
            });
        }
        self.skip_bound_address(kind).await
    }

    fn resolved_here(&self) -> bool {
        self.proxy.kind == super::ProxyKind::Socks5
    }

    /// Reads and drops the address that the proxy bound, which ends its reply.
    async fn skip_bound_address(&mut self, kind: u8) -> Result<(), NetFailure> {
        match kind {
            1 => self.read_bytes::<6>().await.map(drop),
            4 => self.read_bytes::<18>().await.map(drop),
            3 => {
                let [length] = self.read_bytes().await?;
                for _ in 0..u16::from(length).saturating_add(2) {
                    self.read_bytes::<1>().await?;
                }
                Ok(())
            }
            other => Err(self.failure(&format!("its answer has an unknown address type {other}"))),
        }
    }

    fn check_version(&self, version: u8) -> Result<(), NetFailure> {
        if version == SOCKS_VERSION {
            return Ok(());
        }
        Err(self
            .failure(&format!("it does not speak SOCKS 5 (first byte {version})"))
            .with_hint("is it an HTTP proxy? Then write http://HOST:PORT"))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), NetFailure> {
        write_to_proxy(self.proxy, self.io, self.target_name, bytes).await
    }

    async fn read_bytes<const N: usize>(&mut self) -> Result<[u8; N], NetFailure> {
        let mut bytes = [0; N];
        match self.io.read_exact(&mut bytes).await {
            Ok(_) => Ok(bytes),
            Err(error) => Err(self.failure(&io_error_words(&error))),
        }
    }

    fn failure(&self, why: &str) -> NetFailure {
        self.proxy.tunnel_failure(self.target_name, why)
    }
}

/// The meaning of a SOCKS reply code in words (RFC 1928, 6).
fn reply_text(reply: u8) -> String {
    match reply {
        1 => "general failure",
        2 => "its rules do not allow it",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "TTL expired",
        7 => "it does not know the command",
        8 => "it does not support this type of address",
        other => return format!("unknown reply {other}"),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome with a proxy that sends `answers`, and the bytes it received.
    async fn ask(
        proxy: &str,
        to: &SocksDestination,
        answers: &'static [u8],
    ) -> (Result<(), NetFailure>, Vec<u8>) {
        let proxy = Proxy::parse(proxy).unwrap();
        let mut io = tokio::io::join(answers, std::io::Cursor::new(Vec::new()));
        let outcome = connect_socks(&proxy, to, "h:443", &mut io).await;
        (outcome, io.into_inner().1.into_inner())
    }

    fn name() -> SocksDestination {
        SocksDestination::new("h", None, 443)
    }

    #[tokio::test]
    async fn a_name_is_sent_as_a_name() {
        let answers = b"\x05\x00\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38";
        let (outcome, asked) = ask("socks5h://p", &name(), answers).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(asked, b"\x05\x01\x00\x05\x01\x00\x03\x01h\x01\xbb");
    }

    #[tokio::test]
    async fn addresses_and_passwords_are_encoded() {
        let to = SocksDestination::new("x", Some("1.2.3.4".parse().unwrap()), 80);
        let answers = b"\x05\x02\x01\x00\x05\x00\x00\x03\x02ab\x00\x50";
        let (outcome, asked) = ask("socks5://u:pw@p", &to, answers).await;
        assert_eq!(outcome, Ok(()));
        assert_eq!(
            asked,
            b"\x05\x02\x00\x02\x01\x01u\x02pw\x05\x01\x00\x01\x01\x02\x03\x04\x00\x50"
        );
        let v6 = SocksDestination::new("x", Some("::1".parse().unwrap()), 1);
        assert_eq!(v6.encode().unwrap().len(), 19);
    }

    #[tokio::test]
    async fn refusals_are_distinguished() {
        async fn error(proxy: &str, answers: &'static [u8]) -> NetFailure {
            ask(proxy, &name(), answers).await.0.unwrap_err()
        }
        let wants = error("socks5h://p", b"\x05\xff").await;
        assert!(wants.error.contains("wants credentials"));
        assert!(format!("{:?}", wants.hint).contains("USER:PASSWORD"));
        let wrong = error("socks5h://u:p@p", b"\x05\x02\x01\x01").await;
        assert!(wrong.error.contains("did not accept the credentials"));
        let http = error("socks5h://p", b"HTTP/1.1 400").await;
        assert!(http.error.contains("does not speak SOCKS 5"));
        let refused = error("socks5h://p", b"\x05\x00\x05\x05\x00\x01").await;
        assert!(refused.error.ends_with("connection refused"));
        let cut = error("socks5h://p", b"\x05\x00\x05\x00\x00\x01\x7f").await;
        assert!(cut.error.contains("closed the connection"));
        let odd = error("socks5h://p", b"\x05\x09").await;
        assert!(odd.error.contains("method 9"));
    }

    #[tokio::test]
    async fn an_unreachable_address_gets_the_hint_to_resolve_at_the_proxy() {
        let to = SocksDestination::new("x", Some("::1".parse().unwrap()), 80);
        let (outcome, _) = ask("socks5://p", &to, b"\x05\x00\x05\x08\x00\x01").await;
        assert!(format!("{:?}", outcome.unwrap_err().hint).contains("socks5h://"));
    }

    #[tokio::test]
    async fn a_name_over_255_bytes_is_refused() {
        let long = SocksDestination::new(&"x".repeat(256), None, 1);
        let (outcome, _) = ask("socks5h://p", &long, b"\x05\x00").await;
        assert!(outcome.unwrap_err().error.contains("over 255"));
    }
}
