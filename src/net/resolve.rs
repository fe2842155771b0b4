//! Resolves names to addresses, by the user's overrides or the system's resolver, and orders the addresses.

use std::net::SocketAddr;

use super::authority::Host;
use super::connector::Connector;
use super::failure::{NetFailure, escape_text, os_error_text};
use super::hint::Hint;
use super::overrides::{IpFamily, override_addresses};
use crate::tape::{ConnectionFact, ExchangeStage, WireSink};

impl<S: WireSink + ?Sized> Connector<'_, S> {
    /// Resolves `host` to at least one address, in the order in which they are tried.
    pub(super) async fn resolve(
        &mut self,
        host: &Host,
        port: u16,
    ) -> Result<Vec<SocketAddr>, NetFailure> {
        self.enter_stage(ExchangeStage::Resolve, host.to_string());
        let family = self.route.family;
        let given = override_addresses(&self.route.overrides, host, port);
        if let (Some(ip), None) = (host.ip(), &given) {
            return filter_by_family(vec![SocketAddr::new(ip, port)], host, family);
        }
        let found = match given {
            Some(addresses) => addresses,
            None => lookup_addresses(host, port).await?,
        };
        let addresses = interleave_families(filter_by_family(found, host, family)?);
        self.report_fact(&ConnectionFact::Resolved {
            host: host.as_str().to_owned(),
            addrs: addresses.iter().map(ToString::to_string).collect(),
        });
        Ok(addresses)
    }
}

/// The addresses that the system's resolver returns, in its order (RFC 6724), each once.
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
    .with_hint(Hint::AddressByHand)
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
    .with_hint(Hint::BothIpFamilies))
}

/// Orders addresses so that IPv4 and IPv6 alternate, beginning with the family of the first one (RFC 8305, 4), which
/// the system's routes can reach.
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
    fn a_missing_family_is_reported_with_the_addresses_of_the_other() {
        let host = Host::parse("h").unwrap();
        let failure =
            filter_by_family(vec![socket("10.0.0.1:1")], &host, IpFamily::V6).unwrap_err();
        assert_eq!(failure.error, "h has no IPv6 address, only 10.0.0.1");
    }
}
