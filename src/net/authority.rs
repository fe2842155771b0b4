//! The authority of a URL, `user:password@host:port` (RFC 3986, 3.2), for targets and for proxies.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use super::failure::escape_text;
use super::hint::HintedError;

/// The host of a URL, as it was written: a name or an IP address.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Host {
    /// Without brackets.
    text: String,
    ip: Option<IpAddr>,
}

impl Host {
    /// Parses a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn parse(text: &str) -> Result<Self, HintedError> {
        if text.is_empty() {
            return Err(
                HintedError::new("the URL has no host").with_hint("write https://HOST/PATH")
            );
        }
        if let Some(open) = text.strip_prefix('[') {
            return parse_ipv6_host(open);
        }
        if let Some(odd) = text
            .chars()
            .find(|character| !is_host_character(*character))
        {
            return Err(HintedError::new(format!(
                "the host `{}` holds `{}`",
                escape_text(text),
                escape_text(odd.encode_utf8(&mut [0; 4]))
            )));
        }
        Ok(Self {
            text: text.to_owned(),
            ip: text.parse().ok(),
        })
    }

    /// The host without brackets.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The IP address, if the host is one.
    pub fn ip(&self) -> Option<IpAddr> {
        self.ip
    }
}

impl fmt::Display for Host {
    /// Writes the host as in a URL: IPv6 addresses in brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if matches!(self.ip, Some(IpAddr::V6(_))) {
            write!(f, "[{}]", self.text)
        } else {
            f.write_str(&self.text)
        }
    }
}

/// Whether a host name may contain `character`: letters, digits, `.`, `-`, and `_` and `~`, which occur in practice.
fn is_host_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_' | '~')
}

fn parse_ipv6_host(open: &str) -> Result<Host, HintedError> {
    let Some(text) = open.strip_suffix(']') else {
        return Err(HintedError::new(format!(
            "the bracket of `[{}` is not closed",
            escape_text(open)
        ))
        .with_hint("write an IPv6 address as [::1]"));
    };
    let Ok(address) = text.parse::<Ipv6Addr>() else {
        let zone = text.contains('%');
        let error = HintedError::new(format!("`{}` is no IPv6 address", escape_text(text)));
        return Err(match zone {
            true => error.with_hint("zones (%eth0) are not supported"),
            false => error,
        });
    };
    Ok(Host {
        text: text.to_owned(),
        ip: Some(IpAddr::V6(address)),
    })
}

/// The authority of a URL: the host, and the port and credentials if they are written.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct UrlAuthority {
    /// `user:password`, percent-decoded.
    pub(super) userinfo: Option<String>,
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

impl UrlAuthority {
    /// Splits `url`, whose scheme is already cut off, into its authority and the rest.
    pub(super) fn split_from(url: &str) -> Result<(Self, &str), HintedError> {
        let end = url.find(['/', '?', '#']).unwrap_or(url.len());
        let (authority, rest) = url.split_at(end);
        match Self::parse(authority) {
            Ok(authority) => Ok((authority, rest)),
            // The text before the slash was read as host and port; it is a user and the start of a password.
            Err(_) if !authority.contains('@') && rest.contains('@') => Err(HintedError::new(
                "user or password hold a `/`, `?` or `#`, which are written %2F, %3F and %23 there",
            )),
            Err(error) => Err(error),
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self, HintedError> {
        // Passwords with an unescaped `@` are common: the last `@` ends the credentials.
        let (user, rest) = match text.rsplit_once('@') {
            Some((user, rest)) => (Some(percent_decode(user)?), rest),
            None => (None, text),
        };
        let (host, port) = split_port(rest)?;
        Ok(Self {
            userinfo: user,
            host: Host::parse(host)?,
            port: port.map(parse_port).transpose()?,
        })
    }
}

/// Splits `HOST:PORT`; the port is `None` if none is written.
fn split_port(text: &str) -> Result<(&str, Option<&str>), HintedError> {
    if text.starts_with('[') {
        let Some((host, after)) = text.split_once(']') else {
            return Ok((text, None));
        };
        let host = text.get(..host.len().saturating_add(1)).unwrap_or(text);
        return match after.strip_prefix(':') {
            Some(port) => Ok((host, non_empty_port(port))),
            None if after.is_empty() => Ok((host, None)),
            None => Err(HintedError::new(format!(
                "`{}` follows the address {host}",
                escape_text(after)
            ))),
        };
    }
    let Some((host, port)) = text.split_once(':') else {
        return Ok((text, None));
    };
    if port.contains(':') {
        return Err(HintedError::new(format!(
            "`{}` has several colons: an IPv6 address without brackets?",
            escape_text(text)
        ))
        .with_hint("write an IPv6 address as [::1]"));
    }
    Ok((host, non_empty_port(port)))
}

/// `port`, or `None` if it is empty: `HOST:` means the default port (RFC 3986, 3.2.3).
fn non_empty_port(port: &str) -> Option<&str> {
    Some(port).filter(|port| !port.is_empty())
}

/// Parses a port number from 1 to 65535.
pub(super) fn parse_port(text: &str) -> Result<u16, HintedError> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err(
            HintedError::new(format!("the port `{}` is none", escape_text(text)))
                .with_hint("a port is a number from 1 to 65535"),
        ),
    }
}

/// Replaces `%41` by `A` (RFC 3986, 2.1). A percent sign without two hex digits after it is kept.
fn percent_decode(text: &str) -> Result<String, HintedError> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match tail {
            [high, low, after @ ..] if *first == b'%' => {
                match (hex_digit(*high), hex_digit(*low)) {
                    (Some(high), Some(low)) => {
                        decoded.push(high << 4 | low);
                        after
                    }
                    _ => {
                        decoded.push(*first);
                        tail
                    }
                }
            }
            _ => {
                decoded.push(*first);
                tail
            }
        };
    }
    String::from_utf8(decoded)
        .map_err(|_| HintedError::new("the URL's user and password are no UTF-8 when decoded"))
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_percent_escapes_are_decoded() {
        assert_eq!(percent_decode("a%2Bb%zz%4").unwrap(), "a+b%zz%4");
        assert!(percent_decode("%ff").is_err());
    }

    #[test]
    fn the_last_at_sign_ends_the_credentials() {
        let authority = UrlAuthority::parse("u:p@ss@h:1").unwrap();
        assert_eq!(authority.userinfo.as_deref(), Some("u:p@ss"));
        assert_eq!(authority.host.as_str(), "h");
        assert_eq!(authority.port, Some(1));
    }

    #[test]
    fn an_error_never_repeats_a_password() {
        let error = UrlAuthority::split_from("user:pa/ss@h:1/path").unwrap_err();
        assert!(error.error.contains("%2F") && !error.error.contains("pa`"));
        assert_eq!(UrlAuthority::split_from("h:80/a:b@c").unwrap().1, "/a:b@c");
        assert!(
            UrlAuthority::split_from("h:x/")
                .unwrap_err()
                .error
                .contains("`x`")
        );
    }

    #[test]
    fn only_a_port_may_follow_a_bracket() {
        assert!(UrlAuthority::parse("[::1]x").is_err());
        assert_eq!(UrlAuthority::parse("[::1]:9").unwrap().port, Some(9));
        assert_eq!(UrlAuthority::parse("[::1]:").unwrap().port, None);
        assert!(UrlAuthority::parse("[fe80::1%25eth0]").is_err());
    }
}
