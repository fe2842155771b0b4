//! Explains TLS errors: a one-line message and a hint for each cause.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use super::chain;
use super::recorder::{HandshakeRecorder, TlsPeer};
use crate::net::failure::{escape_text, io_error_words};
use crate::net::hint::{Hint, HintedError};
use crate::tape::Certificate;

/// Explains an error of a TLS stream, with a hint. `handshaking`: the error ended the handshake.
pub(in crate::net) fn explain(
    error: &io::Error,
    seen: &HandshakeRecorder,
    handshaking: bool,
) -> HintedError {
    let rustls_error = error.get_ref().and_then(|inner| inner.downcast_ref());
    match rustls_error {
        Some(error) => explain_tls(error, seen, handshaking),
        None => explain_io(error, seen, handshaking),
    }
}

fn explain_io(error: &io::Error, seen: &HandshakeRecorder, handshaking: bool) -> HintedError {
    use io::ErrorKind as Kind;
    let why = HintedError::new(match (error.kind(), handshaking) {
        (Kind::UnexpectedEof, true) => "the peer closed the connection during the handshake",
        (Kind::UnexpectedEof, false) => {
            "the peer closed the connection without TLS's goodbye (close_notify)"
        }
        (Kind::ConnectionReset | Kind::BrokenPipe, true) => {
            "the peer reset the connection during the handshake"
        }
        (Kind::ConnectionReset, false) => "the peer reset the connection",
        (Kind::BrokenPipe, false) => "the peer had closed the connection",
        _ => return HintedError::new(io_error_words(error)),
    });
    // A refused client certificate looks like this too, if the reset arrives before the alert.
    match (seen.client_cert_requested(), seen.has_client_cert()) {
        (true, false) => why.with_hint(Hint::ClientCertificate),
        (true, true) => {
            why.with_hint("it had asked for a client certificate; perhaps it wants another")
        }
        (false, _) if handshaking => why.with_hint(Hint::CheckPort),
        (false, _) => why,
    }
}

fn explain_tls(error: &Error, seen: &HandshakeRecorder, handshaking: bool) -> HintedError {
    let why = match error {
        Error::InvalidCertificate(refusal) if seen.peer == TlsPeer::Proxy => {
            return explain_certificate(refusal, seen).with_hint(Hint::TrustProxyAuthority);
        }
        Error::InvalidCertificate(refusal) => return explain_certificate(refusal, seen),
        Error::AlertReceived(alert) => return explain_alert(*alert, seen),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge,
        ) if handshaking && seen.peer_chain().is_empty() => {
            return explain_no_tls(&seen.first_bytes());
        }
        Error::PeerIncompatible(what) => return explain_incompatible(what),
        Error::FailedToGetCurrentTime => {
            let why = "this machine's clock is before 1970, so no certificate can be checked";
            return HintedError::new(why).with_hint("set the clock");
        }
        Error::NoCertificatesPresented => "the server showed no certificate".to_owned(),
        Error::DecryptError => {
            "a record did not decrypt: bytes were damaged or forged on the way".to_owned()
        }
        Error::PeerMisbehaved(what) => format!("the peer broke the rules of TLS: {what:?}"),
        Error::InvalidMessage(what) => {
            format!("the peer sent a message that is no valid TLS: {what:?}")
        }
        other => escape_text(&other.to_string()),
    };
    HintedError::new(why)
}

/// Explains an answer that is not TLS by its first bytes.
fn explain_no_tls(answer: &[u8]) -> HintedError {
    let line = answer.split(|byte| matches!(byte, b'\r' | b'\n')).next();
    let line = String::from_utf8_lossy(line.unwrap_or_default());
    let is_text = !line.is_empty() && line.chars().all(|char| matches!(char, ' '..='~'));
    let (protocol, hint) = match answer.starts_with(b"HTTP/") {
        true => ("plain HTTP, not TLS", Hint::PlainHttp),
        false => ("no TLS", Hint::CheckPort),
    };
    let answered = match is_text {
        true => format!(": it answered {}", quoted(&line)),
        false => String::new(),
    };
    HintedError::new(format!("this port speaks {protocol}{answered}")).with_hint(hint)
}

fn explain_incompatible(what: &PeerIncompatible) -> HintedError {
    use PeerIncompatible as P;
    HintedError::new(match what {
        P::ServerTlsVersionIsDisabledByOurConfig
        | P::ServerDoesNotSupportTls12Or13
        | P::SupportedVersionsExtensionRequired => return old_tls_version(),
        P::NoCipherSuitesInCommon => "no cipher suite in common".to_owned(),
        P::NoKxGroupsInCommon => "no key exchange group in common".to_owned(),
        P::NoSignatureSchemesInCommon => "no signature scheme in common".to_owned(),
        other => format!("the peer is not compatible: {other:?}"),
    })
}

fn old_tls_version() -> HintedError {
    HintedError::new("the server speaks only TLS 1.1 or older")
        .with_hint("wire speaks TLS 1.2 and 1.3; enable one of them on the server")
}

fn explain_certificate(refusal: &CertificateError, seen: &HandshakeRecorder) -> HintedError {
    use CertificateError as C;
    let chain = chain::read_chain(seen.peer_chain());
    let leaf = chain.first().cloned().unwrap_or_default();
    let subject = quoted(&leaf.subject);
    let (why, hint) = match refusal {
        C::Expired | C::ExpiredContext { .. } => {
            let end = match refusal {
                C::ExpiredContext { not_after, .. } => format_date(not_after.as_secs()),
                _ => leaf.not_after.clone(),
            };
            let which = chain
                .iter()
                .find(|one| one.not_after == end)
                .unwrap_or(&leaf);
            let name = certificate_name(which, &chain);
            let why = format!("{name} expired: it was valid until {}", which.not_after);
            (why, Some(Hint::RenewCertificate))
        }
        C::NotValidYet | C::NotValidYetContext { .. } => {
            let start = match refusal {
                C::NotValidYetContext { not_before, .. } => format_date(not_before.as_secs()),
                _ => leaf.not_before.clone(),
            };
            let mut certificates = chain.iter();
            let which = certificates
                .find(|one| one.not_before == start)
                .unwrap_or(&leaf);
            let name = certificate_name(which, &chain);
            let why = format!(
                "{name} is not yet valid: it will be from {} on",
                which.not_before
            );
            (why, Some(Hint::CheckClock))
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            let (host, names) = (&seen.host, valid_names(&leaf));
            let why =
                format!("the server's certificate is not for {host}: it is valid for {names}");
            (why, Some(Hint::UseCertificateName))
        }
        C::UnknownIssuer => return certificate_untrusted(&leaf, &chain),
        // webpki's error for a self-signed certificate that claims to be an authority.
        C::Other(_) if leaf.subject == leaf.issuer && !leaf.subject.is_empty() => {
            return certificate_untrusted(&leaf, &chain);
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
            let other = escape_text(&other.to_string());
            let why = format!("the server's certificate is refused: {other}");
            (why, Some(Hint::TrustAuthority))
        }
    };
    HintedError { error: why, hint }
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

fn quoted(name: &str) -> String {
    format!("`{}`", escape_text(name))
}

fn format_date(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(String::new, |moment| moment.to_string())
}

fn explain_alert(alert: AlertDescription, seen: &HandshakeRecorder) -> HintedError {
    use AlertDescription as A;
    let name = alert_name(alert);
    match alert {
        A::ProtocolVersion => old_tls_version(),
        A::UnrecognisedName => {
            HintedError::new(format!("the server knows no {} ({name})", seen.host))
                .with_hint(Hint::CheckServerName)
        }
        A::NoApplicationProtocol => {
            HintedError::new(format!("the server does not speak HTTP/1.1 ({name})"))
        }
        A::CertificateRequired => client_certificate_wanted(seen, &name),
        _ if seen.client_cert_requested() && is_about_certificates(alert) => {
            client_certificate_wanted(seen, &name)
        }
        A::HandshakeFailure | A::InsufficientSecurity => HintedError::new(format!(
            "the server found nothing in common with us ({name})"
        ))
        .with_hint(
            "it may want other ciphers or curves, another server name, or a client certificate",
        ),
        _ => HintedError::new(format!("the server sent the alert {name}")),
    }
}

fn is_about_certificates(alert: AlertDescription) -> bool {
    use AlertDescription as A;
    matches!(
        alert,
        A::HandshakeFailure
            | A::NoCertificate
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
    )
}

fn client_certificate_wanted(seen: &HandshakeRecorder, alert: &str) -> HintedError {
    match seen.has_client_cert() {
        true => HintedError::new(format!(
            "the server refused our client certificate ({alert})"
        ))
        .with_hint(Hint::CheckClientCertificate),
        false => HintedError::new(format!("the server wants a client certificate ({alert})"))
            .with_hint(Hint::ClientCertificate),
    }
}

/// The registered name of a TLS alert (RFC 8446, 6).
fn alert_name(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::UnrecognisedName => return "unrecognized_name".to_owned(),
        AlertDescription::UnknownCA => return "unknown_ca".to_owned(),
        AlertDescription::UnknownPSKIdentity => return "unknown_psk_identity".to_owned(),
        AlertDescription::Unknown(number) => return format!("alert number {number}"),
        _ => {}
    }
    let mut name = String::new();
    for character in format!("{alert:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_have_their_registered_names() {
        let name = alert_name;
        assert_eq!(
            name(AlertDescription::HandshakeFailure),
            "handshake_failure"
        );
        assert_eq!(name(AlertDescription::UnknownCA), "unknown_ca");
        assert_eq!(
            name(AlertDescription::UnrecognisedName),
            "unrecognized_name"
        );
        assert_eq!(name(AlertDescription::BadRecordMac), "bad_record_mac");
        assert_eq!(name(AlertDescription::from(200)), "alert number 200");
    }
}
