//! Certificates and TLS configurations of our own servers: the demo server's, and the pieces of those that the recorder
//! shows.

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
    let mut config = server_config(chain, key).map_err(io::Error::other)?;
    // A client that offers only HTTP/1.0 would be refused if it were missing here.
    config.alpn_protocols = vec![b"http/1.1".to_vec(), b"http/1.0".to_vec()];
    Ok((
        TlsAcceptor::from(Arc::new(config)),
        to_pem("CERTIFICATE", &root),
    ))
}

/// A TLS 1.2 and 1.3 configuration that shows `chain`, leaf first, with the leaf's key. The caller sets the ALPN names.
pub(crate) fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivatePkcs8KeyDer<'static>,
) -> Result<ServerConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_details(provider, Arc::new(TlsClock))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key.into())
}

/// Life of the demo server's certificates: they live in memory, and clients accept 398 days at most.
const DEMO_DAYS: i64 = 90;

type ServerCertificates = (
    Vec<CertificateDer<'static>>,
    PrivatePkcs8KeyDer<'static>,
    CertificateDer<'static>,
);

/// Makes a root and a leaf that it signs: strict clients do not accept one certificate as both.
fn make_certificates(now: Timestamp) -> Result<ServerCertificates, rcgen::Error> {
    let root = root_params(now, "wire demo root", DEMO_DAYS)?;
    let root_key = KeyPair::generate()?;
    let root_cert = root.self_signed(&root_key)?;

    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let leaf = leaf_params(now, "wire demo", names.to_vec(), DEMO_DAYS)?;
    let leaf_key = KeyPair::generate()?;
    let leaf_cert = leaf.signed_by(&leaf_key, &Issuer::new(root, root_key))?;

    let key = PrivatePkcs8KeyDer::from(leaf_key.serialize_der());
    Ok((vec![leaf_cert.into()], key, root_cert.into()))
}

/// The parameters of a root that signs leaves, named `name`, valid from a day before `now` to `days` after it.
pub(crate) fn root_params(
    now: Timestamp,
    name: &str,
    days: i64,
) -> Result<CertificateParams, rcgen::Error> {
    let mut root = certificate_params(now, name, Vec::new(), days)?;
    root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(root)
}

/// The parameters of a server's certificate for `hosts`, which are names and addresses. It has what strict clients ask
/// for: basic constraints and the identifiers of both keys (RFC 5280, section 4.2.1).
pub(crate) fn leaf_params(
    now: Timestamp,
    name: &str,
    hosts: Vec<String>,
    days: i64,
) -> Result<CertificateParams, rcgen::Error> {
    let mut leaf = certificate_params(now, name, hosts, days)?;
    leaf.is_ca = IsCa::ExplicitNoCa;
    leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    Ok(leaf)
}

fn certificate_params(
    now: Timestamp,
    name: &str,
    hosts: Vec<String>,
    days: i64,
) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(hosts)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.use_authority_key_identifier_extension = true;
    // A day back for clocks that disagree.
    let (year, month, day) = date_days_from(now, -1);
    params.not_before = rcgen::date_time_ymd(year, month, day);
    let (year, month, day) = date_days_from(now, days);
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

/// `der` as PEM with this label (RFC 7468, section 2).
pub(crate) fn to_pem(label: &str, der: &[u8]) -> String {
    let text = base64_simd::STANDARD.encode_to_string(der);
    let mut pem = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while let Some((line, more)) = rest.split_at_checked(64) {
        pem.extend([line, "\n"]);
        rest = more;
    }
    if !rest.is_empty() {
        pem.extend([rest, "\n"]);
    }
    pem.push_str(&format!("-----END {label}-----\n"));
    pem
}
