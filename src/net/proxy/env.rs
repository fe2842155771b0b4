//! Chooses the proxy for a target from the proxy variables, by curl's rules. The caller reads the variables.

use std::net::IpAddr;

use super::Proxy;
use crate::net::authority::Host;
use crate::net::hint::HintedError;
use crate::net::url::{TargetUrl, UrlScheme};

/// The values of `http_proxy`, `https_proxy`, `all_proxy` and `no_proxy`. The caller chooses which spellings to read.
#[derive(Clone, Default)]
pub struct ProxyEnv {
    /// The proxy for `http` targets.
    pub http_proxy: Option<String>,
    /// The proxy for `https` targets.
    pub https_proxy: Option<String>,
    /// The proxy for targets whose scheme has none of its own.
    pub all_proxy: Option<String>,
    /// Hosts without a proxy: a list of names, addresses and networks, or `*`.
    pub no_proxy: Option<String>,
}

impl ProxyEnv {
    /// The proxy that the variables choose for `target`; `None` for a direct connection.
    pub fn proxy_for(&self, target: &TargetUrl) -> Result<Option<Proxy>, HintedError> {
        let own = match target.scheme {
            UrlScheme::Http => ("http_proxy", &self.http_proxy),
            UrlScheme::Https => ("https_proxy", &self.https_proxy),
        };
        let set = |(name, value): (&'static str, &Option<String>)| {
            let value = value.as_deref().map(str::trim)?.to_owned();
            (!value.is_empty()).then_some((name, value))
        };
        let Some((name, value)) = set(own).or_else(|| set(("all_proxy", &self.all_proxy))) else {
            return Ok(None);
        };
        let no_proxy = self.no_proxy.as_deref().unwrap_or_default();
        if is_exempt(no_proxy, &target.host, target.port) {
            return Ok(None);
        }
        let proxy = Proxy::parse(&value).map_err(|error| error.in_context(name))?;
        Ok(Some(proxy))
    }
}

/// Whether the list of `no_proxy` exempts the host and port from proxies.
pub(super) fn is_exempt(list: &str, host: &Host, port: u16) -> bool {
    list.trim() == "*"
        || list
            .split(|character: char| character == ',' || character.is_whitespace())
            .filter(|entry| !entry.is_empty())
            .any(|entry| entry_covers(entry, host, port))
}

/// Whether one entry of `no_proxy` covers the host. `HOST:PORT` covers that port only.
fn entry_covers(entry: &str, host: &Host, port: u16) -> bool {
    if covers_host(entry, host) {
        return true;
    }
    let Some((entry, digits)) = entry.rsplit_once(':') else {
        return false;
    };
    digits.parse() == Ok(port) && covers_host(entry, host)
}

fn covers_host(entry: &str, host: &Host) -> bool {
    match host.ip() {
        Some(ip) => covers_ip(entry, ip),
        None => covers_name(entry, host.as_str()),
    }
}

/// Whether a `no_proxy` entry covers `name`: `example.com` and `.example.com` cover it and every name below it.
fn covers_name(entry: &str, name: &str) -> bool {
    let entry = entry.strip_prefix("*.").unwrap_or(entry);
    let entry = entry.strip_prefix('.').unwrap_or(entry);
    let entry = entry
        .strip_suffix('.')
        .unwrap_or(entry)
        .to_ascii_lowercase();
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    if entry.is_empty() {
        return false;
    }
    name.strip_suffix(&entry)
        .is_some_and(|above| above.is_empty() || above.ends_with('.'))
}

/// Whether a `no_proxy` entry covers `ip`: an address, with or without brackets, or a network as `ADDRESS/BITS`.
fn covers_ip(entry: &str, ip: IpAddr) -> bool {
    let (address, bits) = match entry.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (entry, None),
    };
    let address = address
        .strip_prefix('[')
        .and_then(|open| open.strip_suffix(']'))
        .unwrap_or(address);
    let Ok(network) = address.parse::<IpAddr>() else {
        return false;
    };
    match bits {
        None => network == ip,
        Some(bits) => bits.parse().is_ok_and(|bits| in_network(ip, network, bits)),
    }
}

fn in_network(ip: IpAddr, network: IpAddr, bits: u32) -> bool {
    let differ = match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) if bits <= 32 => {
            (ip.to_bits() ^ network.to_bits()).leading_zeros()
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) if bits <= 128 => {
            (ip.to_bits() ^ network.to_bits()).leading_zeros()
        }
        _ => return false,
    };
    differ >= bits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exempt(list: &str, host: &str) -> bool {
        is_exempt(list, &Host::parse(host).unwrap(), 443)
    }

    #[test]
    fn names_match_at_label_borders() {
        for entry in [
            "example.com",
            ".example.com",
            "EXAMPLE.com.",
            "*.example.com",
        ] {
            assert!(exempt(entry, "example.com"), "{entry}");
            assert!(exempt(entry, "api.Example.com"), "{entry}");
            assert!(!exempt(entry, "badexample.com"), "{entry}");
            assert!(!exempt(entry, "example.com.evil"), "{entry}");
        }
        assert!(exempt("a, b  c", "c"));
        assert!(!exempt("", "c"));
        assert!(!exempt(".", "c"));
    }

    #[test]
    fn the_star_counts_only_alone() {
        assert!(exempt(" * ", "anything"));
        assert!(!exempt("*,x", "anything"));
    }

    #[test]
    fn addresses_match_themselves_and_their_networks() {
        assert!(exempt("127.0.0.1", "127.0.0.1"));
        assert!(exempt("10.0.0.0/8", "10.200.3.4"));
        assert!(!exempt("10.0.0.0/8", "11.0.0.1"));
        assert!(exempt("0.0.0.0/0", "1.2.3.4"));
        assert!(!exempt("10.0.0.0/33", "10.0.0.0"));
        assert!(exempt("::1", "[::1]"));
        assert!(exempt("[::1]", "[::1]"));
        assert!(exempt("fe80::/10", "[fe81::1]"));
        assert!(!exempt("fe80::/10", "10.0.0.1"));
        assert!(!exempt("1", "127.0.0.1"));
    }

    #[test]
    fn an_entry_with_a_port_covers_only_that_port() {
        assert!(exempt("h:443", "h"));
        assert!(!exempt("h:80", "h"));
        assert!(exempt("127.0.0.1:443", "127.0.0.1"));
        assert!(exempt("[::1]:443", "[::1]"));
        assert!(!exempt("[::1]:80", "[::1]"));
    }

    #[test]
    fn each_scheme_has_its_proxy_and_all_proxy_serves_the_others() {
        let env = ProxyEnv {
            http_proxy: Some("http://plain:1".into()),
            https_proxy: Some(" ".into()),
            all_proxy: Some("socks5h://rest:2".into()),
            no_proxy: Some("local".into()),
        };
        let of = |url: &str| {
            env.proxy_for(&TargetUrl::parse(url).unwrap())
                .unwrap()
                .map(|proxy| proxy.to_url())
        };
        assert_eq!(of("http://h").as_deref(), Some("http://plain:1"));
        assert_eq!(of("https://h").as_deref(), Some("socks5h://rest:2"));
        assert_eq!(of("https://a.local"), None);
    }

    #[test]
    fn a_broken_value_names_its_variable() {
        let env = ProxyEnv {
            all_proxy: Some("gopher://x".into()),
            ..ProxyEnv::default()
        };
        let error = env
            .proxy_for(&TargetUrl::parse("http://h").unwrap())
            .unwrap_err();
        assert!(error.error.starts_with("all_proxy: "));
    }
}
