//! Explains why a certificate chain was refused: a one-line message and a hint for each cause.

use rustls::{CertificateError, Error};

use super::chain;
use super::recorder::HandshakeRecorder;
use crate::net::failure::escape_text;
use crate::net::hint::{Hint, HintedError};
use crate::tape::Certificate;

/// Explains why a certificate chain was refused.
pub(super) fn explain_refusal(refusal: &Error, seen: &HandshakeRecorder) -> HintedError {
    match refusal {
        Error::InvalidCertificate(refusal) => explain_certificate(refusal, seen),
        other => HintedError::new(escape_text(&other.to_string())),
    }
}

pub(super) fn explain_certificate(
    refusal: &CertificateError,
    seen: &HandshakeRecorder,
) -> HintedError {
    use CertificateError as C;
    let chain = chain::read_chain(seen.peer_chain());
    let leaf = chain.first().cloned().unwrap_or_default();
    let subject = quoted(&leaf.subject);
    if let Some(why) = explain_key_size(refusal, seen, &chain) {
        return HintedError::new(why).with_hint("the server needs a certificate with a longer key");
    }
    if let Some(explained) = explain_dates(refusal, &leaf, &chain) {
        return explained;
    }
    let false_issuer = explain_false_issuer(seen, &chain);
    let (why, hint) = match refusal {
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            let (host, names) = (&seen.host, valid_names(&leaf));
            let why =
                format!("the server's certificate is not for {host}: it is valid for {names}");
            (why, Some(Hint::UseCertificateName))
        }
        C::UnknownIssuer | C::Other(_) if false_issuer.is_some() => {
            let why = false_issuer.unwrap_or_default();
            (why, Some(Hint::AcceptCertificate))
        }
        C::UnknownIssuer => return certificate_untrusted(&leaf, &chain),
        // webpki's error for a self-signed certificate that claims to be an authority.
        C::Other(_) if leaf.subject == leaf.issuer && !leaf.subject.is_empty() => {
            return certificate_untrusted(&leaf, &chain);
        }
        C::Other(other) => {
            let what = webpki_error_words(&other.to_string());
            let why = format!("the server's certificate {subject} is refused: {what}");
            (why, Some(Hint::AcceptCertificate))
        }
        C::BadEncoding => (
            "the server's certificate is not encoded as one".to_owned(),
            None,
        ),
        C::BadSignature if seen.chain_accepted() => (
            format!("the server does not hold the key of its certificate {subject}"),
            None,
        ),
        C::BadSignature => {
            let why = "the server's certificate was not signed with the key of its issuer";
            let why = format!("{why} {}", quoted(&leaf.issuer));
            (why, Some(Hint::TrustRenewedAuthority))
        }
        C::Revoked => ("the server's certificate was revoked".to_owned(), None),
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => {
            let why = format!("the certificate {subject} is not for TLS servers");
            (why, Some(Hint::AcceptCertificate))
        }
        other => {
            let what = spell_out(other);
            let why = format!("the server's certificate is refused: {what}");
            (why, Some(Hint::AcceptCertificate))
        }
    };
    HintedError { error: why, hint }
}

/// Explains a certificate that is used before or after its time; `None` for other refusals.
fn explain_dates(
    refusal: &CertificateError,
    leaf: &Certificate,
    chain: &[Certificate],
) -> Option<HintedError> {
    use CertificateError as C;
    match refusal {
        C::Expired | C::ExpiredContext { .. } => {
            let end = match refusal {
                C::ExpiredContext { not_after, .. } => format_date(not_after.as_secs()),
                _ => leaf.not_after.clone(),
            };
            let mut certificates = chain.iter();
            let which = certificates.find(|one| one.not_after == end);
            let which = which.unwrap_or(leaf);
            let name = certificate_name(which, chain);
            let why = format!("{name} expired: it was valid until {}", which.not_after);
            Some(HintedError::new(why).with_hint(Hint::RenewCertificate))
        }
        C::NotValidYet | C::NotValidYetContext { .. } => {
            let start = match refusal {
                C::NotValidYetContext { not_before, .. } => format_date(not_before.as_secs()),
                _ => leaf.not_before.clone(),
            };
            let mut certificates = chain.iter();
            let which = certificates.find(|one| one.not_before == start);
            let which = which.unwrap_or(leaf);
            let name = certificate_name(which, chain);
            let why = format!(
                "{name} is not yet valid: it will be from {} on",
                which.not_before
            );
            Some(HintedError::new(why).with_hint(Hint::CheckClock))
        }
        _ => None,
    }
}

/// The sizes of RSA keys whose signatures are verified, in bits (ring: `RSA_PKCS1_2048_8192_SHA256` and its like).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// The words for a signature that was not even tried, because an RSA key of the chain is too short or too long.
fn explain_key_size(
    refusal: &CertificateError,
    seen: &HandshakeRecorder,
    chain: &[Certificate],
) -> Option<String> {
    if !matches!(refusal, CertificateError::BadSignature) {
        return None;
    }
    let sizes = seen.peer_chain().iter().map(|der| chain::rsa_key_bits(der));
    let (certificate, bits) = chain.iter().zip(sizes).find_map(|(certificate, bits)| {
        let bits = bits.filter(|bits| !RSA_BITS.contains(bits))?;
        Some((certificate, bits))
    })?;
    let name = certificate_name(certificate, chain);
    let (least, most) = (RSA_BITS.start(), RSA_BITS.end());
    Some(format!(
        "{name} has an RSA key of {bits} bits; {least} to {most} are accepted"
    ))
}

/// The words for a certificate of the chain that signed another one without being an authority's (RFC 5280, 6.1.4 (k)).
fn explain_false_issuer(seen: &HandshakeRecorder, chain: &[Certificate]) -> Option<String> {
    let pairs = chain.iter().zip(chain.iter().skip(1));
    let ders = seen.peer_chain().iter().skip(1);
    let ((issued, issuer), _) = pairs.zip(ders).find(|((issued, issuer), der)| {
        issued.issuer == issuer.subject && chain::is_authority(der) == Some(false)
    })?;
    Some(format!(
        "{} was issued with the certificate {}, which is no authority's",
        certificate_name(issued, chain),
        quoted(&issuer.subject)
    ))
}

/// Words for an error of webpki, which rustls passes on as its name only.
fn webpki_error_words(name: &str) -> String {
    let words = match name {
        "CaUsedAsEndEntity" => "it is an authority's certificate, not a server's",
        "EndEntityUsedAsCa" => "it was issued with a certificate that is no authority's",
        "PathLenConstraintViolated" => "its chain is longer than an authority in it allows",
        "NameConstraintViolation" => "an authority in its chain may not issue for this name",
        "UnsupportedCriticalExtension" => "it has a critical extension that is not supported",
        "UnsupportedCertVersion" => "it is not of version 3 of X.509",
        "InvalidSerialNumber" => "its serial number is not valid",
        "InvalidCertValidity" => "it ends before it begins",
        "MaximumPathDepthExceeded" => "its chain is too long",
        "SignatureAlgorithmMismatch" => "it names two different algorithms for its signature",
        other => return spell_out(other),
    };
    words.to_owned()
}

/// The name of an error of rustls in small letters with spaces: `NoKxGroupsInCommon` is `no kx groups in common`. What it
/// holds, which is in brackets, is left out.
pub(super) fn spell_out(error: impl std::fmt::Debug) -> String {
    let text = format!("{error:?}");
    let name = text.trim_matches('"');
    let end = name.find(|char: char| !char.is_ascii_alphanumeric());
    let mut words = String::new();
    for char in name
        .get(..end.unwrap_or(name.len()))
        .unwrap_or_default()
        .chars()
    {
        if char.is_ascii_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.push(char.to_ascii_lowercase());
    }
    words
}

/// The words for a certificate in an error: the server's own, or another one of its chain.
fn certificate_name(certificate: &Certificate, chain: &[Certificate]) -> String {
    if chain.first() == Some(certificate) {
        return "the server's certificate".to_owned();
    }
    let subject = quoted(&certificate.subject);
    format!("the certificate {subject} in the server's chain")
}

/// The names that a certificate is valid for, at most eight, since some certificates have over a hundred.
fn valid_names(leaf: &Certificate) -> String {
    const LIMIT: usize = 8;
    let names: Vec<String> = leaf
        .names
        .iter()
        .take(LIMIT)
        .map(|name| escape_text(name))
        .collect();
    match (names.is_empty(), leaf.names.len().saturating_sub(LIMIT)) {
        (true, _) => "no name at all (it has no subjectAltName)".to_owned(),
        (_, 0) => names.join(", "),
        (_, more) => format!("{} and {more} more", names.join(", ")),
    }
}

fn certificate_untrusted(leaf: &Certificate, chain: &[Certificate]) -> HintedError {
    if leaf.subject == leaf.issuer && chain.len() <= 1 {
        let subject = quoted(&leaf.subject);
        return HintedError::new(format!("the server's certificate {subject} is self-signed"))
            .with_hint(Hint::TrustCertificate);
    }
    let issuer = quoted(&chain.last().unwrap_or(leaf).issuer);
    let why = format!("the server's certificate was issued by {issuer}, which is not trusted");
    HintedError::new(why).with_hint(match chain.len() {
        1 => Hint::TrustAuthorityOrCompleteChain,
        _ => Hint::TrustAuthority,
    })
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", escape_text(name))
}

fn format_date(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(String::new, |moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use rustls::{InvalidMessage, PeerIncompatible};

    use super::*;

    #[test]
    fn errors_are_words_and_no_debug_output() {
        assert_eq!(
            spell_out(PeerIncompatible::NoKxGroupsInCommon),
            "no kx groups in common"
        );
        let missing = InvalidMessage::MissingData("x");
        assert_eq!(spell_out(missing), "missing data");
        assert_eq!(
            webpki_error_words("InvalidCertValidity"),
            "it ends before it begins"
        );
        assert_eq!(webpki_error_words("BadDerTime"), "bad der time");
    }
}
