//! Watches one handshake, so that a refusal can be explained: the chain that was shown, and whether the
//! peer asked for a client certificate. It decides nothing itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::verifier::ChainVerifier;

/// What one handshake showed.
#[derive(Debug)]
pub(in crate::net) struct HandshakeRecorder {
    trust: Arc<ChainVerifier>,
    resolver: Arc<dyn ResolvesClientCert>,
    peer_chain: OnceLock<Vec<CertificateDer<'static>>>,
    chain_accepted: AtomicBool,
    client_cert_requested: AtomicBool,
}

impl HandshakeRecorder {
    /// For one handshake with this trust and this configuration.
    pub(super) fn new(trust: &Arc<ChainVerifier>, config: &ClientConfig) -> Self {
        Self {
            trust: Arc::clone(trust),
            resolver: Arc::clone(&config.client_auth_cert_resolver),
            peer_chain: OnceLock::new(),
            chain_accepted: AtomicBool::new(false),
            client_cert_requested: AtomicBool::new(false),
        }
    }

    /// The configuration with the witness in it.
    pub(super) fn install_in(self: &Arc<Self>, config: &ClientConfig) -> ClientConfig {
        let mut config = config.clone();
        config
            .dangerous()
            .set_certificate_verifier(Arc::<Self>::clone(self));
        config.client_auth_cert_resolver = Arc::<Self>::clone(self);
        config
    }

    /// The chain that the peer showed, leaf first; empty where it did not come so far.
    pub(super) fn peer_chain(&self) -> &[CertificateDer<'static>] {
        self.peer_chain.get().map_or(&[], Vec::as_slice)
    }

    /// Whether that chain was believed.
    pub(super) fn chain_accepted(&self) -> bool {
        self.chain_accepted.load(Ordering::Relaxed)
    }

    /// Whether the peer asked for a client certificate.
    pub(super) fn client_cert_requested(&self) -> bool {
        self.client_cert_requested.load(Ordering::Relaxed)
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
        let verdict = self.trust.verify_server_cert(leaf, others, name, ocsp, now);
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
        self.trust.verify_tls12_signature(message, leaf, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.trust.verify_tls13_signature(message, leaf, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.supported_verify_schemes()
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
