//! The servers that a recorder forwards to, chosen by the beginning of the path.

use crate::net::{ConnectRoute, TargetUrl, TlsClient};

/// A server, and the requests that go to it.
pub struct Upstream {
    /// Beginning of the paths that belong to it, without a slash at the end; empty for all. It is replaced by `base`.
    pub prefix: String,
    /// Path of the server's own URL, without a slash at the end.
    pub base: String,
    /// How to connect to it.
    pub route: ConnectRoute,
    /// Its TLS client.
    pub tls: std::sync::Arc<TlsClient>,
}

impl Upstream {
    /// The upstream at `route` for paths that begin with `prefix`.
    pub fn new(prefix: &str, route: ConnectRoute, tls: std::sync::Arc<TlsClient>) -> Self {
        Self {
            prefix: prefix.trim_end_matches('/').to_owned(),
            base: route.target.path.trim_end_matches('/').to_owned(),
            route,
            tls,
        }
    }

    /// Whether requests for `target`, a path with query, belong to it.
    fn takes(&self, target: &[u8]) -> bool {
        let rest = target.strip_prefix(self.prefix.as_bytes());
        rest.is_some_and(|rest| {
            self.prefix.is_empty() || matches!(rest.first(), None | Some(b'/' | b'?'))
        })
    }

    /// The URL of `target` at the server, with its secrets.
    pub(super) fn url_of(&self, target: &[u8]) -> String {
        let rest = target
            .strip_prefix(self.prefix.as_bytes())
            .unwrap_or(target);
        let path = format!("{}{}", self.base, String::from_utf8_lossy(rest));
        let url = TargetUrl {
            path,
            userinfo: None,
            ..self.route.target.clone()
        };
        url.to_url()
    }
}

/// The upstream for `target`: that of the longest prefix.
pub(super) fn choose<'a>(
    upstreams: &'a [Upstream],
    target: &[u8],
) -> Option<(usize, &'a Upstream)> {
    let fitting = upstreams
        .iter()
        .enumerate()
        .filter(|(_, upstream)| upstream.takes(target));
    fitting.max_by_key(|(_, upstream)| upstream.prefix.len())
}
