//! Explains TLS errors: a one-line message and a hint for each cause.

use std::io;

use rustls::{AlertDescription, Error, InvalidMessage, PeerIncompatible};

use super::recorder::{HandshakeRecorder, TlsPeer};
use super::refusal::{explain_certificate, quoted, spell_out};
use crate::net::failure::{escape_text, io_error_words};
use crate::net::hint::{Hint, HintedError};

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
        Error::PeerMisbehaved(what) => {
            format!("the peer broke the rules of TLS: {}", spell_out(what))
        }
        Error::InvalidMessage(what) => {
            let what = spell_out(what);
            format!("the peer sent a message that is no valid TLS: {what}")
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
        other => format!("the peer is not compatible: {}", spell_out(other)),
    })
}

fn old_tls_version() -> HintedError {
    HintedError::new("the server speaks only TLS 1.1 or older")
        .with_hint("wire speaks TLS 1.2 and 1.3; enable one of them on the server")
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
