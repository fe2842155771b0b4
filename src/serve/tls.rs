//! The certificate that the demo server makes at its start, and the TLS configuration that shows it.

use std::io;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio_rustls::TlsAcceptor;

use crate::net::TlsClock;

/// Makes a TLS 1.2 and 1.3 acceptor for `localhost`, `127.0.0.1` and `::1`, and the root certificate to trust, as PEM.
///
/// The keys live in memory only. The certificates are valid from a day before `now` to 90 days after it.
pub fn self_signed_acceptor(now: Timestamp) -> io::Result<(TlsAcceptor, String)> {
    let (chain, key, root) = make_certificates(now).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_details(provider, Arc::new(TlsClock))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(chain, key.into())
        })
        .map_err(io::Error::other)?;
    // A client that offers only HTTP/1.0 would be refused if it were missing here.
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), to_pem(&root)))
}

type ServerCertificates = (
    Vec<CertificateDer<'static>>,
    PrivatePkcs8KeyDer<'static>,
    CertificateDer<'static>,
);

/// Makes a root and a leaf that it signs: strict clients do not accept one certificate as both.
fn make_certificates(now: Timestamp) -> Result<ServerCertificates, rcgen::Error> {
    let mut root = certificate_params(now, "wire demo root", Vec::new())?;
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let root_key = KeyPair::generate()?;
    let root_cert = root.self_signed(&root_key)?;

    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let mut leaf = certificate_params(now, "wire demo", names.to_vec())?;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    let leaf_key = KeyPair::generate()?;
    let leaf_cert = leaf.signed_by(&leaf_key, &Issuer::new(root, root_key))?;

    let key = PrivatePkcs8KeyDer::from(leaf_key.serialize_der());
    Ok((vec![leaf_cert.into()], key, root_cert.into()))
}

fn certificate_params(
    now: Timestamp,
    name: &str,
    names: Vec<String>,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    // A day back for clocks that disagree; 90 days are less than the longest life that clients accept (398).
    let (year, month, day) = date_days_from(now, -1);
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date_days_from(now, 90);
    params.not_after = rcgen::date_time_ymd(year, month, day);
    Ok(params)
}

/// The date `days` after `now`: year, month, day.
fn date_days_from(now: Timestamp, days: i64) -> (i32, u8, u8) {
    let then = SignedDuration::from_hours(days.saturating_mul(24));
    let then = now.saturating_add(then).unwrap_or(now);
    let date = TimeZone::UTC.to_datetime(then).date();
    let part = |value: i8| u8::try_from(value).unwrap_or(1);
    (date.year().into(), part(date.month()), part(date.day()))
}

/// The certificate as PEM (RFC 7468, section 5).
fn to_pem(certificate: &CertificateDer<'_>) -> String {
    let text = base64_simd::STANDARD.encode_to_string(certificate.as_ref());
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = text.as_str();
    while let Some((line, more)) = rest.split_at_checked(64) {
        pem.extend([line, "\n"]);
        rest = more;
    }
    if !rest.is_empty() {
        pem.extend([rest, "\n"]);
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}
