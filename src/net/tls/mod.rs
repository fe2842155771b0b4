//! TLS 1.2 and 1.3 as a client: what is trusted, what is shown, the handshake, and what it agreed on.
//!
//! A session is never resumed: every connection shows its whole certificate chain, and two runs compare.

mod chain;
mod explain;
mod options;
mod recorder;
mod verifier;

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::{DnsName, ServerName};
use tokio::io::BufReader;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::authority::Host;
use super::failure::NetFailure;
use super::raw_stream::{RawStream, Transport};
use crate::tape::{ExchangeStage, TlsSession};

pub use options::{ClientCert, TlsError, TlsOptions, TrustRoots};

use options::TlsPeerConfig;

pub(super) use explain::TlsHintContext;
pub(super) use recorder::HandshakeRecorder;

/// A TLS stream over whatever carries it.
///
/// rustls reads its records in small pieces; the buffer makes one call of the system out of many.
pub(super) type BufferedTlsStream = TlsStream<BufReader<Box<dyn Transport>>>;

/// Some two records: what the kernel is asked for at once.
const READ_BUFFER: usize = 32 * 1024;

/// How TLS is spoken; built once, used for any number of connections.
pub struct TlsClient {
    target: TlsPeerConfig,
    proxy: TlsPeerConfig,
    hint_context: TlsHintContext,
}

/// With whom TLS is spoken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum TlsPeer {
    Target,
    /// An HTTPS proxy: it gets no client certificate, and is verified even where the target is not.
    Proxy,
}

/// A TLS stream that stands.
pub(super) struct EstablishedTls {
    pub(super) stream: Box<BufferedTlsStream>,
    pub(super) secured: TlsSession,
    pub(super) recorder: Arc<HandshakeRecorder>,
    pub(super) peer_name: String,
}

impl TlsClient {
    /// Prepares what every handshake needs.
    pub fn new(options: TlsOptions) -> Result<Self, TlsError> {
        let setting = TlsHintContext {
            has_certificate: options.client_cert.is_some(),
            is_proxy: false,
        };
        let (target, proxy) = options::build_configs(options)?;
        Ok(Self {
            target: finish_config(target),
            proxy: finish_config(proxy),
            hint_context: setting,
        })
    }

    /// What errors after the handshake are explained with.
    pub(super) fn hint_context(&self) -> TlsHintContext {
        self.hint_context
    }

    /// Agrees on TLS with `host` at the other end of `wire`.
    pub(super) async fn handshake(
        &self,
        wire: RawStream,
        host: &Host,
        with: TlsPeer,
    ) -> Result<EstablishedTls, NetFailure> {
        let (manner, setting) = match with {
            TlsPeer::Target => (&self.target, self.hint_context),
            TlsPeer::Proxy => (&self.proxy, TlsHintContext::PROXY),
        };
        let name = server_name(host)?;
        let witness = Arc::new(HandshakeRecorder::new(&manner.verifier, &manner.config));
        let config = Arc::new(witness.install_in(&manner.config));
        let io = BufReader::with_capacity(READ_BUFFER, wire.io);
        match TlsConnector::from(config).connect(name, io).await {
            Ok(stream) => Ok(EstablishedTls {
                secured: read_session(&stream, host, manner.verifier.checks_chain()),
                stream: Box::new(stream),
                recorder: witness,
                peer_name: wire.peer_name,
            }),
            Err(error) => Err(handshake_failure(
                &error,
                host,
                &wire.peer_name,
                &witness,
                setting,
            )),
        }
    }
}

fn finish_config(mut manner: TlsPeerConfig) -> TlsPeerConfig {
    manner.config.resumption = Resumption::disabled();
    manner.config.alpn_protocols = vec![b"http/1.1".to_vec()];
    manner
}

/// The name that is verified and, unless it is an address, sent (RFC 6066, 3).
fn server_name(host: &Host) -> Result<ServerName<'static>, NetFailure> {
    if let Some(ip) = host.ip() {
        return Ok(ServerName::IpAddress(ip.into()));
    }
    // A trailing dot is DNS syntax and no part of the name (RFC 6066, 3).
    let name = host.as_str().trim_end_matches('.').to_owned();
    match DnsName::try_from(name) {
        Ok(name) => Ok(ServerName::DnsName(name)),
        Err(_) => Err(NetFailure::refused(
            ExchangeStage::Tls,
            format!("{host} cannot be the name of a TLS server"),
        )
        .with_hint("a server name has labels of letters, digits and hyphens, up to 63 bytes each")),
    }
}

fn handshake_failure(
    error: &io::Error,
    host: &Host,
    place: &str,
    witness: &HandshakeRecorder,
    setting: TlsHintContext,
) -> NetFailure {
    let seen = explain::TlsFailureContext {
        host,
        recorder: witness,
        hint_context: setting,
        is_handshaking: true,
    };
    let (why, hint) = explain::explain(error, &seen);
    NetFailure {
        hint,
        ..NetFailure::refused(
            ExchangeStage::Tls,
            format!("TLS with {place} failed: {why}"),
        )
    }
}

/// Why a stream that stood broke, and what to do.
pub(super) fn explain_stream_error(
    error: &io::Error,
    host: &Host,
    witness: &HandshakeRecorder,
    setting: TlsHintContext,
) -> (String, Option<String>) {
    let seen = explain::TlsFailureContext {
        host,
        recorder: witness,
        hint_context: setting,
        is_handshaking: false,
    };
    explain::explain(error, &seen)
}

fn read_session(stream: &BufferedTlsStream, host: &Host, verified: bool) -> TlsSession {
    let session = stream.get_ref().1;
    let suite = session.negotiated_cipher_suite();
    TlsSession {
        version: session
            .protocol_version()
            .map_or_else(String::new, version_name),
        cipher: suite.map_or_else(String::new, |suite| cipher_name(suite.suite())),
        group: session
            .negotiated_key_exchange_group()
            .map(|group| group_name(group.name())),
        alpn: session
            .alpn_protocol()
            .map(|name| String::from_utf8_lossy(name).into_owned()),
        sni: match host.ip() {
            Some(_) => None,
            None => Some(host.as_str().trim_end_matches('.').to_owned()),
        },
        chain: chain::read_chain(session.peer_certificates().unwrap_or_default()),
        verified,
    }
}

fn version_name(version: rustls::ProtocolVersion) -> String {
    match version {
        rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// IANA's name; rustls marks the suites of TLS 1.3 in its own way.
fn cipher_name(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}

/// IANA's name; two curves are lower-case there.
fn group_name(group: rustls::NamedGroup) -> String {
    match group {
        rustls::NamedGroup::X25519 => "x25519".to_owned(),
        rustls::NamedGroup::X448 => "x448".to_owned(),
        other => format!("{other:?}"),
    }
}
