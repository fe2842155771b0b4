//! From arguments and environment to the way to the server: proxy, addresses, TLS.

use std::path::{Path, PathBuf};

use super::args;
use super::complain::Complaint;
use super::env;
use crate::net::{
    ClientCert, Family, Override, Proxy, ProxyEnv, Roots, Route, Target, Tls, TlsOptions,
};

/// The way to `target`. `direct`: no proxy, whatever the environment says.
pub(super) fn route(
    target: Target,
    args: &args::Connection,
    direct: bool,
) -> Result<Route, Complaint> {
    let resolve: Result<Vec<_>, _> = args
        .resolve
        .iter()
        .map(|text| Override::parse(text).map_err(Complaint::usage))
        .collect();
    let proxy = match direct || args.unix_socket.is_some() {
        true => None,
        false => proxy(&target, args)?,
    };
    Ok(Route {
        proxy,
        target,
        unix_socket: args.unix_socket.clone(),
        resolve: resolve?,
        family: match (args.ipv4, args.ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        },
    })
}

/// `-x`, else the environment, in curl's spelling: `http_proxy` counts in lower case only, since a CGI
/// server sets `HTTP_PROXY` from a field of the request. As in curl, `NO_PROXY` exempts from `-x` too, and
/// `--noproxy`, even an empty one, stands in its place.
fn proxy(target: &Target, args: &args::Connection) -> Result<Option<Proxy>, Complaint> {
    let either = |lower: &str, upper: &str| env::var(lower).or_else(|| env::var(upper));
    let no_proxy = args
        .noproxy
        .clone()
        .or_else(|| either("no_proxy", "NO_PROXY"));
    let proxies = match &args.proxy {
        Some(none) if none.is_empty() => return Ok(None),
        Some(url) => ProxyEnv {
            all_proxy: Some(url.clone()),
            no_proxy,
            ..ProxyEnv::default()
        },
        None => ProxyEnv {
            http_proxy: env::var("http_proxy"),
            https_proxy: either("https_proxy", "HTTPS_PROXY"),
            all_proxy: either("all_proxy", "ALL_PROXY"),
            no_proxy,
        },
    };
    proxies
        .choose(target)
        .map_err(|error| Complaint::usage(error.error).hint_of(error.hint))
}

/// Whom TLS trusts. `demo`: the certificate of the embedded server.
pub(super) fn tls(args: &args::Tls, demo: Option<&str>) -> Result<Tls, Complaint> {
    let file = args.cacert.clone().or_else(|| env::path("SSL_CERT_FILE"));
    let roots = match (demo, args.native_roots, file) {
        (Some(pem), ..) => Roots::Pem(pem.as_bytes().to_vec(), "the demo server".to_owned()),
        (None, true, _) => Roots::Native,
        (None, false, Some(path)) => Roots::Pem(read(&path)?, path.display().to_string()),
        (None, false, None) => Roots::Webpki,
    };
    let key_log = env::path("SSLKEYLOGFILE").map(|_| {
        std::sync::Arc::new(rustls::KeyLogFile::new()) as std::sync::Arc<dyn rustls::KeyLog>
    });
    let options = TlsOptions {
        roots,
        insecure: args.insecure,
        client: args
            .cert
            .as_ref()
            .map(|cert| client(cert, args.key.as_ref()))
            .transpose()?,
        key_log,
    };
    Tls::new(options).map_err(|error| Complaint::usage(error.error).hint_of(error.hint))
}

fn client(cert: &Path, key: Option<&PathBuf>) -> Result<ClientCert, Complaint> {
    let key = key.map_or(cert, PathBuf::as_path);
    Ok(ClientCert {
        cert_pem: read(cert)?,
        cert_name: cert.display().to_string(),
        key_pem: read(key)?,
        key_name: key.display().to_string(),
    })
}

#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
fn read(path: &Path) -> Result<Vec<u8>, Complaint> {
    std::fs::read(path).map_err(|error| Complaint::file(path, &error))
}
