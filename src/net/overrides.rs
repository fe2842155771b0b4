//! Which addresses the user allows: `--resolve` overrides, and the IP family.

use std::net::{IpAddr, SocketAddr};

use super::authority::{Host, parse_port};
use super::failure::escape_text;
use super::hint::HintedError;

/// The IP family to which connections are limited.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IpFamily {
    /// IPv4 and IPv6.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl IpFamily {
    pub(super) fn allows(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Any => "IP",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// Addresses used for a host instead of those of the resolver: `HOST:PORT:ADDR[,ADDR]`, as in curl.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResolveOverride {
    /// Lower-case; `None` for `*`.
    host: Option<String>,
    port: u16,
    addresses: Vec<IpAddr>,
}

impl ResolveOverride {
    /// Parses `HOST:PORT:ADDR[,ADDR]`; `*` is every host, and IPv6 addresses may be in brackets.
    pub fn parse(text: &str) -> Result<Self, HintedError> {
        parse_override(text)
            .map_err(|why| HintedError::new(why).with_hint("write HOST:PORT:ADDRESS[,ADDRESS]"))
    }

    fn matches(&self, host: &Host, port: u16) -> bool {
        let same = self
            .host
            .as_deref()
            .is_none_or(|name| name.eq_ignore_ascii_case(host.as_str()));
        same && self.port == port
    }
}

fn parse_override(text: &str) -> Result<ResolveOverride, String> {
    // curl's `+` makes an entry expire; entries here last for one run anyway.
    let text = text.strip_prefix('+').unwrap_or(text);
    let (host, rest) = match text.strip_prefix('[') {
        Some(open) => open.split_once("]:"),
        None => text.split_once(':'),
    }
    .ok_or("the port is missing")?;
    let (port, addresses) = rest.split_once(':').ok_or("the address is missing")?;
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    Ok(ResolveOverride {
        host: (host != "*").then(|| host.to_ascii_lowercase()),
        port: parse_port(port).map_err(|error| error.error)?,
        addresses: addresses
            .split(',')
            .map(parse_address)
            .collect::<Result<_, _>>()?,
    })
}

fn parse_address(text: &str) -> Result<IpAddr, String> {
    let bare = text
        .strip_prefix('[')
        .and_then(|open| open.strip_suffix(']'))
        .unwrap_or(text);
    bare.parse()
        .map_err(|_| format!("`{}` is no IP address", escape_text(text)))
}

/// The addresses that an override gives for this host and port. As in curl, an entry with the name precedes `*`, and
/// a later entry an earlier one.
pub(super) fn override_addresses(
    overrides: &[ResolveOverride],
    host: &Host,
    port: u16,
) -> Option<Vec<SocketAddr>> {
    let entry = overrides
        .iter()
        .filter(|entry| entry.matches(host, port))
        .max_by_key(|entry| entry.host.is_some())?;
    Some(
        entry
            .addresses
            .iter()
            .map(|address| SocketAddr::new(*address, port))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    #[test]
    fn overrides_are_read_as_curl_reads_them() {
        let one = ResolveOverride::parse("Example.com:443:127.0.0.1,[::1],::2").unwrap();
        let host = Host::parse("EXAMPLE.com").unwrap();
        let found = override_addresses(std::slice::from_ref(&one), &host, 443).unwrap();
        assert_eq!(
            found,
            [
                socket("127.0.0.1:443"),
                socket("[::1]:443"),
                socket("[::2]:443")
            ]
        );
        assert!(override_addresses(&[one], &host, 80).is_none());
        let v6 = ResolveOverride::parse("[::1]:80:127.0.0.1").unwrap();
        assert!(v6.matches(&Host::parse("[::1]").unwrap(), 80));
    }

    #[test]
    fn a_name_precedes_the_star_and_a_later_entry_an_earlier_one() {
        let entries = ["h:1:10.0.0.1", "h:1:10.0.0.2", "*:1:10.0.0.3"]
            .map(|text| ResolveOverride::parse(text).unwrap());
        let of = |host: &str| override_addresses(&entries, &Host::parse(host).unwrap(), 1).unwrap();
        assert_eq!(of("h"), [socket("10.0.0.2:1")]);
        assert_eq!(of("other"), [socket("10.0.0.3:1")]);
    }

    #[test]
    fn broken_overrides_say_what_is_missing() {
        let why = |text: &str| ResolveOverride::parse(text).unwrap_err().to_string();
        assert!(why("host").contains("the port is missing"));
        assert!(why("host:80").contains("the address is missing"));
        assert!(why(":80:::1").contains("the host is missing"));
        assert!(why("h:x:127.0.0.1").contains("port `x`"));
        assert!(why("h:80:nope").contains("`nope` is no IP address"));
        assert!(why("h:80:").contains("no IP address"));
    }
}
