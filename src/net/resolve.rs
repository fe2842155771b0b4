//! Names to addresses: overrides of the user first, then the system's resolver, then the order in which
//! the addresses are tried.

use std::net::{IpAddr, SocketAddr};

use crate::span::Moment;
use crate::tape::{ConnectionFact, ExchangeStage};

use super::authority::{Host, parse_port};
use super::failure::{NetFailure, escape_text, os_error_text};
use super::progress::ConnectProgress;

/// Which addresses may be used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IpFamily {
    /// All.
    #[default]
    Any,
    /// IPv4 only.
    V4,
    /// IPv6 only.
    V6,
}

impl IpFamily {
    fn allows(self, address: &SocketAddr) -> bool {
        match self {
            Self::Any => true,
            Self::V4 => address.is_ipv4(),
            Self::V6 => address.is_ipv6(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Any => "IP",
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// Addresses that stand in for what the resolver would say: `--resolve HOST:PORT:ADDR[,ADDR]`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ResolveOverride {
    /// Lower-case; `None` for `*`.
    host: Option<String>,
    port: u16,
    addresses: Vec<IpAddr>,
}

/// An override that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("--resolve `{text}`: {reason}; write HOST:PORT:ADDRESS[,ADDRESS]")]
pub struct ResolveOverrideError {
    text: String,
    reason: String,
}

impl ResolveOverride {
    /// Reads `HOST:PORT:ADDR[,ADDR]`; `*` is every host, IPv6 addresses may stand in brackets.
    pub fn parse(text: &str) -> Result<Self, ResolveOverrideError> {
        parse_override(text).map_err(|why| ResolveOverrideError {
            text: escape_text(text),
            reason: why,
        })
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
    // curl's `+` makes an entry expire; entries here live for one run anyway.
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

/// The addresses the user gave for this host: an entry for the very name goes before `*`, a later one
/// before an earlier one, as in curl.
fn override_addresses(
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

/// The addresses of `host`, in the order in which they are to be tried; never none.
pub(super) async fn resolve<R>(
    host: &Host,
    port: u16,
    overrides: &[ResolveOverride],
    family: IpFamily,
    progress: &mut ConnectProgress<'_, R>,
) -> Result<Vec<SocketAddr>, NetFailure>
where
    R: FnMut(Moment, &ConnectionFact) + ?Sized,
{
    progress.enter_stage(ExchangeStage::Resolve, host.to_string());
    let given = override_addresses(overrides, host, port);
    if let (Some(ip), None) = (host.ip(), &given) {
        return filter_by_family(vec![SocketAddr::new(ip, port)], host, family);
    }
    let found = match given {
        Some(addresses) => addresses,
        None => lookup_addresses(host, port).await?,
    };
    let addresses = interleave_families(filter_by_family(found, host, family)?);
    progress.report_fact(&ConnectionFact::Resolved {
        host: host.as_str().to_owned(),
        addrs: addresses.iter().map(ToString::to_string).collect(),
    });
    Ok(addresses)
}

/// Asks the system, whose answer is in the order of RFC 6724.
async fn lookup_addresses(host: &Host, port: u16) -> Result<Vec<SocketAddr>, NetFailure> {
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let mut addresses: Vec<SocketAddr> = Vec::new();
    for address in found.map_err(|error| lookup_failure(host, &os_error_text(&error)))? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    if addresses.is_empty() {
        return Err(lookup_failure(host, "it has no address"));
    }
    Ok(addresses)
}

fn lookup_failure(host: &Host, why: &str) -> NetFailure {
    let why = why
        .strip_prefix("failed to lookup address information: ")
        .unwrap_or(why);
    NetFailure::refused(
        ExchangeStage::Resolve,
        format!("cannot resolve {}: {why}", escape_text(host.as_str())),
    )
    .with_hint(
        "check the name and the network; --resolve HOST:PORT:ADDRESS gives an address by hand",
    )
}

fn filter_by_family(
    found: Vec<SocketAddr>,
    host: &Host,
    family: IpFamily,
) -> Result<Vec<SocketAddr>, NetFailure> {
    let (kept, other): (Vec<_>, Vec<_>) = found.into_iter().partition(|one| family.allows(one));
    if !kept.is_empty() {
        return Ok(kept);
    }
    let other: Vec<String> = other.iter().map(|one| one.ip().to_string()).collect();
    Err(NetFailure::refused(
        ExchangeStage::Resolve,
        format!(
            "{host} has no {} address, only {}",
            family.name(),
            other.join(", ")
        ),
    )
    .with_hint("-4 and -6 choose the family; without them both are tried"))
}

/// Alternates the families, beginning with that of the first address (RFC 8305, 4): the system puts
/// first what its routes can reach.
fn interleave_families(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let v6_first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == v6_first);
    let mut second = second.into_iter();
    let mut mixed = Vec::new();
    for address in first {
        mixed.push(address);
        mixed.extend(second.next());
    }
    mixed.extend(second);
    mixed
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
    fn the_very_name_goes_before_the_star_and_the_later_before_the_earlier() {
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

    #[test]
    fn families_alternate_from_the_first() {
        let order = |list: &[&str]| {
            let list = list.iter().map(|text| socket(text)).collect();
            interleave_families(list)
                .iter()
                .map(|one| one.ip().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            order(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1"]),
            ["::1", "1.1.1.1", "::2", "::3"]
        );
        assert_eq!(
            order(&["1.1.1.1:1", "2.2.2.2:1", "[::1]:1"]),
            ["1.1.1.1", "::1", "2.2.2.2"]
        );
    }

    #[test]
    fn a_family_without_an_address_is_told_with_the_others() {
        let host = Host::parse("h").unwrap();
        let failure =
            filter_by_family(vec![socket("10.0.0.1:1")], &host, IpFamily::V6).unwrap_err();
        assert_eq!(failure.error, "h has no IPv6 address, only 10.0.0.1");
    }
}
