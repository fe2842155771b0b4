//! The certificate verifier of one handshake. It records the peer's chain and whether the peer asked for a client
//! certificate, so that a refusal can be explained. [`ChainTrust`] decides.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::options::PeerTls;
use super::trust::ChainTrust;
use crate::net::authority::Host;

/// The kind of peer in a TLS handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::net) enum TlsPeer {
    /// The target.
    Target,
    /// An HTTPS proxy: it gets no client certificate, and is verified even where the target is not.
    Proxy,
}

/// The verifier of one handshake, which records what hints about a failure need: the chain, and requests for a client
/// certificate.
#[derive(Debug)]
pub(in crate::net) struct HandshakeRecorder {
    trust: Arc<ChainTrust>,
    resolver: Arc<dyn ResolvesClientCert>,
    pub(super) host: Host,
    pub(super) peer: TlsPeer,
    peer_chain: OnceLock<Vec<CertificateDer<'static>>>,
    chain_accepted: AtomicBool,
    client_cert_requested: AtomicBool,
}

impl HandshakeRecorder {
    /// A recorder for one handshake with `host`.
    pub(super) fn new(tls: &PeerTls, host: &Host, peer: TlsPeer) -> Self {
        Self {
            trust: Arc::clone(&tls.trust),
            resolver: Arc::clone(&tls.config.client_auth_cert_resolver),
            host: host.clone(),
            peer,
            peer_chain: OnceLock::new(),
            chain_accepted: AtomicBool::new(false),
            client_cert_requested: AtomicBool::new(false),
        }
    }

    /// A copy of `config` whose verifier and client certificate resolver are this recorder.
    pub(super) fn install_in(self: &Arc<Self>, config: &ClientConfig) -> ClientConfig {
        let mut config = config.clone();
        config
            .dangerous()
            .set_certificate_verifier(Arc::<Self>::clone(self));
        config.client_auth_cert_resolver = Arc::<Self>::clone(self);
        config
    }

    /// The chain that the peer showed, leaf first; empty if it showed none.
    pub(super) fn peer_chain(&self) -> &[CertificateDer<'static>] {
        self.peer_chain.get().map_or(&[], Vec::as_slice)
    }

    /// Whether the peer's chain was accepted.
    pub(super) fn chain_accepted(&self) -> bool {
        self.chain_accepted.load(Ordering::Relaxed)
    }

    /// Whether the peer asked for a client certificate.
    pub(super) fn client_cert_requested(&self) -> bool {
        self.client_cert_requested.load(Ordering::Relaxed)
    }

    /// Whether a client certificate is configured.
    pub(super) fn has_client_cert(&self) -> bool {
        self.resolver.has_certs()
    }
}

impl ServerCertVerifier for HandshakeRecorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(leaf).chain(others);
        let _ = self
            .peer_chain
            .set(chain.map(|der| der.clone().into_owned()).collect());
        let verdict = self.trust.verify(leaf, others, name, ocsp, now);
        self.chain_accepted
            .store(verdict.is_ok(), Ordering::Relaxed);
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signature, &self.trust.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.trust.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for HandshakeRecorder {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.client_cert_requested.store(true, Ordering::Relaxed);
        self.resolver.resolve(issuers, schemes)
    }

    fn has_certs(&self) -> bool {
        self.resolver.has_certs()
    }
}
