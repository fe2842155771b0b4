//! Decides whether a certificate chain is accepted.

use std::sync::Arc;

use rustls::client::danger::{ServerCertVerified, ServerCertVerifier as _};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error};

use super::chain;

/// The rules by which certificate chains are accepted: roots, pinned certificates, or any chain.
#[derive(Debug)]
pub(super) struct ChainTrust {
    /// Verifies that a chain leads to a trusted root.
    pub(super) verifier: Arc<WebPkiServerVerifier>,
    /// Whether a chain is accepted although it was refused: `--insecure`.
    pub(super) accepts_any: bool,
    /// Certificates that are accepted themselves, regardless of their issuer.
    pub(super) pinned: Vec<CertificateDer<'static>>,
    /// Algorithms to verify the handshake's signature, which always proves that the peer holds its certificate's key.
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ChainTrust {
    /// Judges the chain of `leaf` and `others` for the server `name` at the time `now`.
    pub(super) fn verify(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self
            .verifier
            .verify_server_cert(leaf, others, name, ocsp, now)
        {
            Err(refusal) if self.is_pinned(leaf, &refusal) => verify_pinned(leaf, name, now),
            verdict => verdict,
        }
    }

    /// Whether the user trusts this very certificate, and webpki refused it only because it is not issued by a root:
    /// self-signed server certificates often claim to be an authority (RFC 5280, 6).
    fn is_pinned(&self, leaf: &CertificateDer<'_>, refusal: &Error) -> bool {
        let structural = matches!(
            refusal,
            Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_))
        );
        structural && self.pinned.iter().any(|own| own.as_ref() == leaf.as_ref())
    }
}

/// Checks the name and the dates of a pinned certificate.
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
