//! Watches one handshake, so that a refusal can be explained: the chain that was shown, and whether the
//! peer asked for a client certificate. It decides nothing itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

use super::trust::Trust;

/// What one handshake showed.
#[derive(Debug)]
pub(in crate::net) struct Witness {
    trust: Arc<Trust>,
    resolver: Arc<dyn ResolvesClientCert>,
    shown: OnceLock<Vec<CertificateDer<'static>>>,
    believed: AtomicBool,
    asked: AtomicBool,
}

impl Witness {
    /// For one handshake with this trust and this configuration.
    pub(super) fn of(trust: &Arc<Trust>, config: &ClientConfig) -> Self {
        Self {
            trust: Arc::clone(trust),
            resolver: Arc::clone(&config.client_auth_cert_resolver),
            shown: OnceLock::new(),
            believed: AtomicBool::new(false),
            asked: AtomicBool::new(false),
        }
    }

    /// The configuration with the witness in it.
    pub(super) fn watching(self: &Arc<Self>, config: &ClientConfig) -> ClientConfig {
        let mut config = config.clone();
        config
            .dangerous()
            .set_certificate_verifier(Arc::<Self>::clone(self));
        config.client_auth_cert_resolver = Arc::<Self>::clone(self);
        config
    }

    /// The chain that the peer showed, leaf first; empty where it did not come so far.
    pub(super) fn chain(&self) -> &[CertificateDer<'static>] {
        self.shown.get().map_or(&[], Vec::as_slice)
    }

    /// Whether that chain was believed.
    pub(super) fn was_believed(&self) -> bool {
        self.believed.load(Ordering::Relaxed)
    }

    /// Whether the peer asked for a client certificate.
    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ServerCertVerifier for Witness {
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
            .shown
            .set(chain.map(|der| der.clone().into_owned()).collect());
        let verdict = self.trust.verify_server_cert(leaf, others, name, ocsp, now);
        self.believed.store(verdict.is_ok(), Ordering::Relaxed);
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

impl ResolvesClientCert for Witness {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.resolver.resolve(issuers, schemes)
    }

    fn has_certs(&self) -> bool {
        self.resolver.has_certs()
    }
}
