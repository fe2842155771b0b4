//! Which certificates are believed. The handshake's signature is verified in any case: whoever answers
//! holds the key of the certificate that it shows.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::chain;

/// What is believed of a certificate chain.
#[derive(Debug)]
pub(super) struct ChainVerifier {
    /// `None`: everything.
    verifier: Option<Arc<WebPkiServerVerifier>>,
    /// Certificates that are believed for themselves, whatever signed them.
    pinned: Vec<CertificateDer<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ChainVerifier {
    /// Believes what leads to the verifier's roots, and each of `own` itself.
    pub(super) fn with_roots(
        verifier: Arc<WebPkiServerVerifier>,
        own: Vec<CertificateDer<'static>>,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self {
            verifier: Some(verifier),
            pinned: own,
            algorithms,
        }
    }

    /// Believes every chain.
    pub(super) fn accept_all(algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self {
            verifier: None,
            pinned: Vec::new(),
            algorithms,
        }
    }

    /// Whether the chain says something.
    pub(super) fn checks_chain(&self) -> bool {
        self.verifier.is_some()
    }

    /// A certificate that the user handed over is believed although it is no root: self-signed server
    /// certificates often claim to be an authority, which path building (RFC 5280, 6) refuses.
    fn is_pinned(&self, leaf: &CertificateDer<'_>, refusal: &Error) -> bool {
        let structural = matches!(
            refusal,
            Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_))
        );
        structural && self.pinned.iter().any(|own| own.as_ref() == leaf.as_ref())
    }
}

/// Checks name and dates, for which only the certificate itself vouches.
fn verify_pinned(
    leaf: &CertificateDer<'_>,
    name: &ServerName<'_>,
    now: UnixTime,
) -> Result<ServerCertVerified, Error> {
    let parsed = chain::parse_x509(leaf).ok_or(CertificateError::BadEncoding)?;
    let seconds = |time: i64| {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(
            u64::try_from(time).unwrap_or_default(),
        ))
    };
    let not_before = seconds(parsed.validity().not_before.timestamp());
    let not_after = seconds(parsed.validity().not_after.timestamp());
    if now < not_before {
        return Err(CertificateError::NotValidYetContext {
            time: now,
            not_before,
        }
        .into());
    }
    if now > not_after {
        return Err(CertificateError::ExpiredContext {
            time: now,
            not_after,
        }
        .into());
    }
    verify_server_name(&ParsedCertificate::try_from(leaf)?, name)?;
    Ok(ServerCertVerified::assertion())
}

impl ServerCertVerifier for ChainVerifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(verifier) = &self.verifier else {
            return Ok(ServerCertVerified::assertion());
        };
        match verifier.verify_server_cert(leaf, others, name, ocsp, now) {
            Err(refusal) if self.is_pinned(leaf, &refusal) => verify_pinned(leaf, name, now),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
