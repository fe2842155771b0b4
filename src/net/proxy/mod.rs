//! Proxies: their URLs, the choice of one for a target, and the requests that open a tunnel through them.

mod connect;
mod env;
mod socks;

use std::fmt;

use tokio::io::AsyncWrite;

use super::authority::{Host, UrlAuthority};
use super::failure::{NetFailure, escape_text, io_error_words};
use super::hint::HintedError;
use crate::tape::ExchangeStage;

pub use env::ProxyEnv;

pub(super) use connect::open_tunnel;
pub(super) use socks::{SocksDestination, connect_socks};

/// The protocol of a proxy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProxyKind {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// SOCKS 5; names are resolved here.
    Socks5,
    /// SOCKS 5; names are resolved by the proxy.
    Socks5h,
}

impl ProxyKind {
    /// The scheme as it is written in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    fn parse(scheme: &str) -> Option<Self> {
        [Self::Http, Self::Https, Self::Socks5, Self::Socks5h]
            .into_iter()
            .find(|kind| scheme.eq_ignore_ascii_case(kind.as_str()))
    }

    /// The port of a proxy URL that names none, as in curl.
    fn default_port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http | Self::Socks5 | Self::Socks5h => 1080,
        }
    }
}

/// A proxy: its protocol, address and credentials.
#[derive(Clone, Eq, PartialEq)]
pub struct Proxy {
    /// The protocol.
    pub kind: ProxyKind,
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// `user:password`, percent-decoded.
    pub userinfo: Option<String>,
}

impl Proxy {
    /// Parses `[SCHEME://][USER:PASSWORD@]HOST[:PORT]`; the default scheme is `http`, the default port is curl's.
    pub fn parse(text: &str) -> Result<Self, HintedError> {
        let (kind, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (parse_kind(scheme)?, rest),
            None => (ProxyKind::Http, text),
        };
        let (authority, _) = UrlAuthority::split_from(rest).map_err(|error| {
            error
                .in_context("the proxy cannot be used")
                .with_hint("write http://HOST:PORT or socks5h://HOST:PORT")
        })?;
        Ok(Self {
            kind,
            host: authority.host,
            port: authority.port.unwrap_or(kind.default_port()),
            userinfo: authority.userinfo,
        })
    }

    /// The URL without credentials.
    pub fn to_url(&self) -> String {
        format!("{}://{}:{}", self.kind.as_str(), self.host, self.port)
    }

    /// The value of `Proxy-Authorization` (RFC 7617); `None` without credentials.
    pub fn authorization(&self) -> Option<String> {
        let user = self.userinfo.as_deref()?;
        let encoded = base64_simd::STANDARD.encode_to_string(add_missing_colon(user));
        Some(format!("Basic {encoded}"))
    }

    /// Whether the proxy speaks HTTP, and so forwards plain requests without a tunnel.
    pub(super) fn is_http(&self) -> bool {
        matches!(self.kind, ProxyKind::Http | ProxyKind::Https)
    }

    /// The failure of a proxy that did not open a tunnel to `to`, for the reason `why`.
    pub(super) fn tunnel_failure(&self, to: &str, why: &str) -> NetFailure {
        NetFailure::refused(
            ExchangeStage::Proxy,
            format!(
                "the proxy {} opened no way to {}: {why}",
                self.to_url(),
                escape_text(to)
            ),
        )
    }
}

impl fmt::Debug for Proxy {
    /// Writes the URL without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.userinfo.as_ref().map(|_| "user@").unwrap_or_default();
        write!(f, "Proxy({user}{})", self.to_url())
    }
}

/// Adds the colon that is missing after a user name without a password.
fn add_missing_colon(user: &str) -> String {
    if user.contains(':') {
        user.to_owned()
    } else {
        format!("{user}:")
    }
}

fn parse_kind(scheme: &str) -> Result<ProxyKind, HintedError> {
    ProxyKind::parse(scheme).ok_or_else(|| {
        HintedError::new(format!(
            "the proxy's scheme `{}` is not supported",
            escape_text(scheme)
        ))
        .with_hint("write http://, https://, socks5:// or socks5h://")
    })
}

/// Writes all of `bytes` to the proxy and flushes. Errors name `to`, the target of the tunnel.
async fn write_to_proxy(
    proxy: &Proxy,
    io: &mut (impl AsyncWrite + Unpin),
    to: &str,
    bytes: &[u8],
) -> Result<(), NetFailure> {
    use tokio::io::AsyncWriteExt as _;
    let written = match io.write_all(bytes).await {
        Ok(()) => io.flush().await,
        Err(error) => Err(error),
    };
    written.map_err(|error| proxy.tunnel_failure(to, &io_error_words(&error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_read_as_curl_reads_them() {
        let url = |text: &str| Proxy::parse(text).unwrap().to_url();
        assert_eq!(url("proxy"), "http://proxy:1080");
        assert_eq!(url("http://proxy:3128/"), "http://proxy:3128");
        assert_eq!(url("HTTPS://proxy"), "https://proxy:443");
        assert_eq!(url("socks5://[::1]"), "socks5://[::1]:1080");
        assert_eq!(url("socks5h://p:9050"), "socks5h://p:9050");
    }

    #[test]
    fn credentials_become_basic_authorization() {
        let proxy = Proxy::parse("http://Aladdin:open%20sesame@p").unwrap();
        assert_eq!(
            proxy.authorization().as_deref(),
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        );
        assert!(!format!("{proxy:?}").contains("sesame"));
        let only_user = Proxy::parse("http://me@p").unwrap();
        assert_eq!(only_user.authorization().as_deref(), Some("Basic bWU6"));
        assert_eq!(Proxy::parse("p").unwrap().authorization(), None);
    }

    #[test]
    fn errors_of_unusable_proxies_say_what_to_write() {
        let wrong = |text: &str| Proxy::parse(text).unwrap_err();
        assert!(format!("{:?}", wrong("socks4://p").hint).contains("socks5h://"));
        assert!(wrong("http://").error.contains("no host"));
        assert!(wrong("http://p:x").error.contains("port `x`"));
    }
}
