//! The route to the server from arguments and environment: proxy, addresses, TLS.

use std::path::{Path, PathBuf};

use super::args;
use super::env;
use super::error::CliError;
use crate::net::{
    ClientCert, ConnectRoute, IpFamily, Proxy, ProxyEnv, ResolveOverride, TargetUrl, TlsClient,
    TlsOptions, TrustRoots,
};

/// Returns the route to `target`. `direct`: without a proxy, also if the environment names one.
pub(super) fn build_route(
    target: TargetUrl,
    args: &args::ConnectionArgs,
    direct: bool,
) -> Result<ConnectRoute, CliError> {
    let resolve: Result<Vec<_>, _> = args
        .resolve
        .iter()
        .map(|text| {
            ResolveOverride::parse(text)
                .map_err(|error| error.in_context(&format!("--resolve {text}")))
        })
        .collect();
    let proxy = match direct || args.unix_socket.is_some() {
        true => None,
        false => select_proxy(&target, args)?,
    };
    Ok(ConnectRoute {
        proxy,
        target,
        unix_socket: args.unix_socket.clone(),
        overrides: resolve?,
        family: match (args.ipv4, args.ipv6) {
            (true, _) => IpFamily::V4,
            (_, true) => IpFamily::V6,
            _ => IpFamily::Any,
        },
        is_tunnel: false,
    })
}

/// Returns the proxy of `-x`, or else of the environment, in curl's spelling: `http_proxy` counts in lower case only, since a CGI
/// server sets `HTTP_PROXY` from a field of the request. As in curl, `NO_PROXY` exempts from `-x` too, and
/// `--noproxy`, even an empty one, replaces it.
fn select_proxy(
    target: &TargetUrl,
    args: &args::ConnectionArgs,
) -> Result<Option<Proxy>, CliError> {
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
    Ok(proxies.proxy_for(target)?)
}

/// Returns the TLS client with its trusted roots. `demo`: the certificate of the embedded server.
pub(super) fn build_tls(args: &args::TlsArgs, demo: Option<&str>) -> Result<TlsClient, CliError> {
    let file = args.cacert.clone().or_else(|| env::path("SSL_CERT_FILE"));
    let roots = match (demo, args.native_roots, file) {
        (Some(pem), ..) => TrustRoots::Pem(pem.as_bytes().to_vec(), "the demo server".to_owned()),
        (None, true, _) => TrustRoots::Native,
        (None, false, Some(path)) => TrustRoots::Pem(read_file(&path)?, path.display().to_string()),
        (None, false, None) => TrustRoots::Webpki,
    };
    let options = TlsOptions {
        roots,
        insecure: args.insecure,
        client_cert: args
            .cert
            .as_ref()
            .map(|cert| read_client_cert(cert, args.key.as_ref()))
            .transpose()?,
        log_keys: env::path("SSLKEYLOGFILE").is_some(),
    };
    Ok(TlsClient::new(&options)?)
}

fn read_client_cert(cert: &Path, key: Option<&PathBuf>) -> Result<ClientCert, CliError> {
    let key = key.map_or(cert, PathBuf::as_path);
    Ok(ClientCert {
        cert_pem: read_file(cert)?,
        cert_name: cert.display().to_string(),
        key_pem: read_file(key)?,
        key_name: key.display().to_string(),
    })
}

#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
fn read_file(path: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(path).map_err(|error| CliError::unreadable_file(path, &error))
}
