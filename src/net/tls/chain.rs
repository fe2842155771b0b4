//! Reads DER certificates: subject, issuer, validity, names, fingerprint.

use std::net::IpAddr;

use ring::digest;
use rustls::pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::PublicKey;
use x509_parser::time::ASN1Time;

use crate::tape::Certificate;

/// Reads each certificate of a chain, leaf first. An unreadable one keeps its place, with only its fingerprint.
pub(super) fn read_chain(chain: &[CertificateDer<'_>]) -> Vec<Certificate> {
    chain.iter().map(|der| read_certificate(der)).collect()
}

/// Reads one DER certificate; an unreadable one has only its SHA-256.
pub fn read_certificate(der: &[u8]) -> Certificate {
    let sha256 = hex::encode(digest::digest(&digest::SHA256, der));
    let Some(certificate) = parse_x509(der) else {
        return Certificate {
            sha256,
            ..Certificate::default()
        };
    };
    let validity = certificate.validity();
    Certificate {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        not_before: format_time(validity.not_before),
        not_after: format_time(validity.not_after),
        names: alt_names(&certificate),
        sha256,
    }
}

pub(super) fn parse_x509(der: &[u8]) -> Option<X509Certificate<'_>> {
    X509Certificate::from_der(der)
        .ok()
        .map(|(_, certificate)| certificate)
}

/// Whether a certificate is an authority's; `None` if it cannot be read.
pub(super) fn is_authority(der: &[u8]) -> Option<bool> {
    Some(parse_x509(der)?.is_ca())
}

/// The size of the RSA key of a certificate in bits; `None` for other keys.
pub(super) fn rsa_key_bits(der: &[u8]) -> Option<usize> {
    match parse_x509(der)?.public_key().parsed().ok()? {
        PublicKey::RSA(key) => Some(key.key_size()),
        _ => None,
    }
}

/// The time as RFC 3339; empty for a year that it cannot express.
fn format_time(time: ASN1Time) -> String {
    jiff::Timestamp::from_second(time.timestamp())
        .map_or_else(|_| String::new(), |moment| moment.to_string())
}

/// The DNS names and IP addresses in the subjectAltName of a certificate (RFC 5280, 4.2.1.6).
fn alt_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    extension
        .value
        .general_names
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            GeneralName::IPAddress(bytes) => format_ip(bytes),
            _ => None,
        })
        .collect()
}

fn format_ip(bytes: &[u8]) -> Option<String> {
    let ip = match bytes.len() {
        4 => IpAddr::from(<[u8; 4]>::try_from(bytes).ok()?),
        _ => IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?),
    };
    Some(ip.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing;

    #[test]
    fn the_fields_of_a_certificate_are_read() {
        let made = testing::new_authority().issue(&["api.example", "127.0.0.1", "::1"]);
        let read = read_certificate(&made.der);
        assert_eq!(read.subject, "CN=leaf");
        assert_eq!(read.issuer, "CN=test authority");
        assert_eq!(read.names, ["api.example", "127.0.0.1", "::1"]);
        assert_eq!(read.not_before, "1975-01-01T00:00:00Z");
        assert_eq!(read.sha256.len(), 64);
    }

    #[test]
    fn an_unreadable_certificate_keeps_its_place_in_the_chain() {
        let read = read_chain(&[CertificateDer::from(vec![1, 2, 3])]);
        assert_eq!(read[0].subject, "");
        assert!(read[0].sha256.starts_with("039058c6"));
    }
}
