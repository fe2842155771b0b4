//! TLS 1.2 and 1.3 as a client: what is trusted, what is shown, the handshake, and what it agreed on.
//!
//! A session is never resumed: every connection shows its whole certificate chain, and two runs compare.

mod chain;
mod explain;
mod options;
mod trust;
mod witness;

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::{DnsName, ServerName};
use tokio::io::BufReader;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::authority::Host;
use super::failure::Failure;
use super::wire::{Transport, Wire};
use crate::tape::{ExchangeStage, TlsSession};

pub use options::{ClientCert, Roots, TlsError, TlsOptions};

use options::Manner;

pub(super) use explain::Setting;
pub(super) use witness::Witness;

/// A TLS stream over whatever carries it.
///
/// rustls reads its records in small pieces; the buffer makes one call of the system out of many.
pub(super) type Stream = TlsStream<BufReader<Box<dyn Transport>>>;

/// Some two records: what the kernel is asked for at once.
const READ_BUFFER: usize = 32 * 1024;

/// How TLS is spoken; built once, used for any number of connections.
pub struct Tls {
    target: Manner,
    proxy: Manner,
    setting: Setting,
}

/// With whom TLS is spoken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum With {
    Target,
    /// An HTTPS proxy: it gets no client certificate, and is verified even where the target is not.
    Proxy,
}

/// A TLS stream that stands.
pub(super) struct Handshaken {
    pub(super) stream: Box<Stream>,
    pub(super) secured: TlsSession,
    pub(super) witness: Arc<Witness>,
    pub(super) place: String,
}

impl Tls {
    /// Prepares what every handshake needs.
    pub fn new(options: TlsOptions) -> Result<Self, TlsError> {
        let setting = Setting {
            has_certificate: options.client.is_some(),
            is_proxy: false,
        };
        let (target, proxy) = options::prepare(options)?;
        Ok(Self {
            target: settled(target),
            proxy: settled(proxy),
            setting,
        })
    }

    /// What errors after the handshake are explained with.
    pub(super) fn setting(&self) -> Setting {
        self.setting
    }

    /// Agrees on TLS with `host` at the other end of `wire`.
    pub(super) async fn handshake(
        &self,
        wire: Wire,
        host: &Host,
        with: With,
    ) -> Result<Handshaken, Failure> {
        let (manner, setting) = match with {
            With::Target => (&self.target, self.setting),
            With::Proxy => (&self.proxy, Setting::PROXY),
        };
        let name = server_name(host)?;
        let witness = Arc::new(Witness::of(&manner.trust, &manner.config));
        let config = Arc::new(witness.watching(&manner.config));
        let io = BufReader::with_capacity(READ_BUFFER, wire.io);
        match TlsConnector::from(config).connect(name, io).await {
            Ok(stream) => Ok(Handshaken {
                secured: agreed(&stream, host, manner.trust.verifies()),
                stream: Box::new(stream),
                witness,
                place: wire.place,
            }),
            Err(error) => Err(refusal(&error, host, &wire.place, &witness, setting)),
        }
    }
}

fn settled(mut manner: Manner) -> Manner {
    manner.config.resumption = Resumption::disabled();
    manner.config.alpn_protocols = vec![b"http/1.1".to_vec()];
    manner
}

/// The name that is verified and, unless it is an address, sent (RFC 6066, 3).
fn server_name(host: &Host) -> Result<ServerName<'static>, Failure> {
    if let Some(ip) = host.ip() {
        return Ok(ServerName::IpAddress(ip.into()));
    }
    // A trailing dot is DNS syntax and no part of the name (RFC 6066, 3).
    let name = host.as_str().trim_end_matches('.').to_owned();
    match DnsName::try_from(name) {
        Ok(name) => Ok(ServerName::DnsName(name)),
        Err(_) => Err(Failure::refused(
            ExchangeStage::Tls,
            format!("{host} cannot be the name of a TLS server"),
        )
        .hint("a server name has labels of letters, digits and hyphens, up to 63 bytes each")),
    }
}

fn refusal(
    error: &io::Error,
    host: &Host,
    place: &str,
    witness: &Witness,
    setting: Setting,
) -> Failure {
    let seen = explain::Seen {
        host,
        witness,
        setting,
        handshaking: true,
    };
    let (why, hint) = explain::explain(error, &seen);
    Failure {
        hint,
        ..Failure::refused(
            ExchangeStage::Tls,
            format!("TLS with {place} failed: {why}"),
        )
    }
}

/// Why a stream that stood broke, and what to do.
pub(super) fn explain_later(
    error: &io::Error,
    host: &Host,
    witness: &Witness,
    setting: Setting,
) -> (String, Option<String>) {
    let seen = explain::Seen {
        host,
        witness,
        setting,
        handshaking: false,
    };
    explain::explain(error, &seen)
}

fn agreed(stream: &Stream, host: &Host, verified: bool) -> TlsSession {
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
        chain: chain::read(session.peer_certificates().unwrap_or_default()),
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
