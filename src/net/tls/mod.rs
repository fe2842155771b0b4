//! The TLS 1.2 and 1.3 client: trust, client certificates, the handshake, and the negotiated parameters.
//!
//! Sessions are never resumed: every connection shows its whole certificate chain, so that two runs can be compared.

mod chain;
mod client_hello;
mod explain;
mod options;
mod recorder;
mod refusal;
mod trust;

use std::sync::Arc;

use rustls::pki_types::{DnsName, ServerName};
use tokio::io::BufReader;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::authority::Host;
use super::failure::NetFailure;
use super::hint::HintedError;
use super::raw_stream::RawStream;
use crate::tape::{ExchangeStage, TlsSession};

pub use chain::read_certificate;
#[doc(hidden)]
pub use client_hello::fuzz_client_hello;
pub use client_hello::{ClientHello, FirstBytes, HELLO_LIMIT, read_client_hello};
pub use options::{ClientCert, TlsOptions, TrustRoots};

use options::PeerTls;
use recorder::FirstBytesTransport;
use refusal::explain_refusal;

pub(super) use explain::explain;
pub(super) use recorder::{HandshakeRecorder, TlsPeer};

/// A TLS stream over any transport.
///
/// rustls reads records in small pieces; the buffer saves most of the system calls.
pub(super) type BufferedTlsStream = TlsStream<BufReader<FirstBytesTransport>>;

/// Size of one read from the socket, in bytes: two TLS records of the largest size (RFC 8446, 5.1).
const READ_BUFFER: usize = 32 * 1024;

/// A TLS client with its configurations for targets and for proxies, used for any number of connections.
pub struct TlsClient {
    target: PeerTls,
    proxy: PeerTls,
}

/// A TLS stream after its handshake.
pub(super) struct EstablishedTls {
    pub(super) stream: Box<BufferedTlsStream>,
    pub(super) secured: TlsSession,
    pub(super) recorder: Arc<HandshakeRecorder>,
    pub(super) peer_name: String,
}

impl TlsClient {
    /// Builds the configurations that every handshake uses.
    pub fn new(options: &TlsOptions) -> Result<Self, HintedError> {
        let (target, proxy) = options::build_configs(options)?;
        Ok(Self { target, proxy })
    }

    /// Does the TLS handshake with `host` over `stream`.
    pub(super) async fn handshake(
        &self,
        stream: RawStream,
        host: &Host,
        peer: TlsPeer,
    ) -> Result<EstablishedTls, NetFailure> {
        let tls = match peer {
            TlsPeer::Target => &self.target,
            TlsPeer::Proxy => &self.proxy,
        };
        let name = server_name(host)?;
        let recorder = Arc::new(HandshakeRecorder::new(tls, host, peer));
        let config = Arc::new(recorder.install_in(&tls.config));
        let peer_name = stream.peer_name;
        let io = FirstBytesTransport::new(stream.io, &recorder);
        let io = BufReader::with_capacity(READ_BUFFER, io);
        match TlsConnector::from(config).connect(name, io).await {
            Ok(stream) => Ok(EstablishedTls {
                secured: read_session(&stream, host, tls, &recorder),
                stream: Box::new(stream),
                recorder,
                peer_name,
            }),
            Err(error) => Err(NetFailure::explained(
                ExchangeStage::Tls,
                explain(&error, &recorder, true)
                    .in_context(&format!("TLS with {peer_name} failed")),
            )),
        }
    }
}

/// The server name of a handshake: it is verified and, unless it is an address, sent (RFC 6066, 3).
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

fn read_session(
    stream: &BufferedTlsStream,
    host: &Host,
    tls: &PeerTls,
    recorder: &HandshakeRecorder,
) -> TlsSession {
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
        verified: !tls.trust.accepts_any,
        refusal: recorder
            .chain_refusal()
            .map(|refusal| explain_refusal(refusal, recorder).error),
    }
}

fn version_name(version: rustls::ProtocolVersion) -> String {
    match version {
        rustls::ProtocolVersion::TLSv1_2 => "TLSv1.2".to_owned(),
        rustls::ProtocolVersion::TLSv1_3 => "TLSv1.3".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The registered name of a cipher suite; rustls spells those of TLS 1.3 `TLS13_`.
fn cipher_name(suite: rustls::CipherSuite) -> String {
    let name = format!("{suite:?}");
    match name.strip_prefix("TLS13_") {
        Some(rest) => format!("TLS_{rest}"),
        None => name,
    }
}

/// The registered name of a key exchange group; those of two curves are lower-case.
fn group_name(group: rustls::NamedGroup) -> String {
    match group {
        rustls::NamedGroup::X25519 => "x25519".to_owned(),
        rustls::NamedGroup::X448 => "x448".to_owned(),
        other => format!("{other:?}"),
    }
}
