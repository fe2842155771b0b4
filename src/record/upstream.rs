//! The servers that a recorder forwards to, and which one a request goes to.

use std::ops::Range;
use std::sync::Arc;

use super::reader::ClientHead;
use crate::net::{ConnectRoute, HintedError, TargetUrl, TlsClient};

/// A server, and the requests that go to it.
pub struct Upstream {
    /// Beginning of the paths that belong to it, without a slash at the end; empty for all. It is replaced by `base`.
    pub prefix: String,
    /// Path of the server's own URL, without a slash at the end.
    pub base: String,
    /// How to connect to it.
    pub route: ConnectRoute,
    /// Its TLS client.
    pub tls: Arc<TlsClient>,
    /// Whether its exchanges are captured.
    pub is_captured: bool,
}

/// Makes the upstream of a URL, for the recorder as a proxy.
pub type UpstreamMaker = Arc<dyn Fn(TargetUrl) -> Result<Upstream, HintedError> + Send + Sync>;

/// The upstreams of a listener.
#[derive(Clone)]
pub enum Upstreams {
    /// Chosen by the beginning of the path.
    ByPath(Arc<Vec<Arc<Upstream>>>),
    /// Chosen by the URL of each request: the recorder is an HTTP proxy (RFC 9112, 3.2.2).
    ByUrl(UpstreamMaker),
}

/// The upstream of a request, and how its target is written there.
pub(super) struct ChosenUpstream {
    pub(super) upstream: Arc<Upstream>,
    /// The part of the target that is replaced by `path`.
    pub(super) replaced: Range<usize>,
    pub(super) path: String,
}

impl Upstream {
    /// The upstream at `route` for paths that begin with `prefix`.
    pub fn new(prefix: &str, route: ConnectRoute, tls: Arc<TlsClient>) -> Self {
        Self {
            prefix: prefix.trim_end_matches('/').to_owned(),
            base: route.target.path.trim_end_matches('/').to_owned(),
            route,
            tls,
            is_captured: true,
        }
    }

    /// The upstream at `route` for all paths, which stay as they are.
    pub fn of_origin(route: ConnectRoute, tls: Arc<TlsClient>) -> Self {
        Self {
            base: String::new(),
            ..Self::new("", route, tls)
        }
    }

    /// Whether requests for `target`, a path with query, belong to it.
    fn takes(&self, target: &[u8]) -> bool {
        let rest = target.strip_prefix(self.prefix.as_bytes());
        rest.is_some_and(|rest| {
            self.prefix.is_empty() || matches!(rest.first(), None | Some(b'/' | b'?'))
        })
    }

    /// Whether a connection to `other` is one to this.
    pub(super) fn is_same_server(&self, other: &Self) -> bool {
        let name = |upstream: &Self| {
            let target = &upstream.route.target;
            (
                target.scheme,
                target.host.as_str().to_ascii_lowercase(),
                target.port,
            )
        };
        name(self) == name(other)
    }
}

impl Upstreams {
    /// One upstream for all requests.
    pub fn one(upstream: Upstream) -> Self {
        Self::ByPath(Arc::new(vec![Arc::new(upstream)]))
    }

    /// The upstream for a request; an error says why there is none.
    pub(super) fn choose(&self, head: &ClientHead) -> Result<ChosenUpstream, String> {
        let target = head.bytes.get(head.target.clone()).unwrap_or_default();
        match self {
            Self::ByPath(upstreams) => {
                let fitting = upstreams.iter().filter(|upstream| upstream.takes(target));
                let upstream = fitting.max_by_key(|upstream| upstream.prefix.len());
                let upstream = upstream.ok_or_else(|| no_upstream(target))?;
                // `*`, a whole URL and the target of CONNECT have no path that could be replaced.
                let has_path = target.first() == Some(&b'/');
                Ok(ChosenUpstream {
                    upstream: Arc::clone(upstream),
                    replaced: 0..if has_path { upstream.prefix.len() } else { 0 },
                    path: if has_path {
                        upstream.base.clone()
                    } else {
                        String::new()
                    },
                })
            }
            Self::ByUrl(make) => {
                let text = std::str::from_utf8(target).unwrap_or_default();
                let url = TargetUrl::parse(text).map_err(|_| no_upstream(target))?;
                let upstream = make(url).map_err(|error| error.error)?;
                let authority = text.find("://").map_or(0, |at| at.saturating_add(3));
                let rest = text.get(authority..).unwrap_or_default();
                let path = rest.find(['/', '?']).unwrap_or(rest.len());
                let has_slash = rest.get(path..).is_some_and(|path| path.starts_with('/'));
                Ok(ChosenUpstream {
                    upstream: Arc::new(upstream),
                    replaced: 0..authority.saturating_add(path),
                    path: if has_slash {
                        String::new()
                    } else {
                        "/".to_owned()
                    },
                })
            }
        }
    }
}

fn no_upstream(target: &[u8]) -> String {
    format!("no upstream takes {}", target.escape_ascii())
}

impl ChosenUpstream {
    /// The URL of the request at the server, with its secrets.
    pub(super) fn url(&self, head: &ClientHead) -> String {
        let target = head.bytes.get(head.target.clone()).unwrap_or_default();
        let rest = target.get(self.replaced.end..).unwrap_or_default();
        let url = TargetUrl {
            path: format!("{}{}", self.path, String::from_utf8_lossy(rest)),
            userinfo: None,
            ..self.upstream.route.target.clone()
        };
        url.to_url()
    }
}
