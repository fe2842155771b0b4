//! Why TLS failed, in one line for people, each cause with its own words and with what to do.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, InvalidMessage, PeerIncompatible};

use super::chain;
use super::recorder::HandshakeRecorder;
use crate::net::authority::Host;
use crate::net::failure::{escape_text, io_error_words};
use crate::tape::Certificate;

/// What the user had asked for, as far as advice depends on it.
#[derive(Clone, Copy, Debug)]
pub(in crate::net) struct TlsHintContext {
    /// There is a client certificate to show.
    pub(super) has_certificate: bool,
    /// The peer is a proxy, to which `-k` does not apply.
    pub(super) is_proxy: bool,
}

impl TlsHintContext {
    /// An HTTPS proxy.
    pub(super) const PROXY: Self = Self {
        has_certificate: false,
        is_proxy: true,
    };
}

/// What is known about the connection that failed.
pub(super) struct TlsFailureContext<'a> {
    pub(super) host: &'a Host,
    pub(super) recorder: &'a HandshakeRecorder,
    pub(super) hint_context: TlsHintContext,
    pub(super) is_handshaking: bool,
}

/// Why, and what to do.
type FailureReason = (String, Option<String>);

const PLAIN_HTTP_HINT: &str = "does it speak plain HTTP? Then write http:// instead of https://";

const TRUST_HINT: &str =
    "--cacert FILE trusts its authority, --native-roots this machine's, -k anything";

const PROXY_TRUST_HINT: &str =
    "--cacert FILE or --native-roots trusts its authority; -k does not apply to proxies";

/// The error of TLS in an error of the stream, if there is one.
fn rustls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// Why it failed, and what to do.
pub(super) fn explain(error: &io::Error, seen: &TlsFailureContext<'_>) -> FailureReason {
    match rustls_error(error) {
        Some(error) => explain_tls(error, seen),
        None => explain_io(error, seen),
    }
}

fn explain_io(error: &io::Error, seen: &TlsFailureContext<'_>) -> FailureReason {
    use io::ErrorKind as Kind;
    let why = match (error.kind(), seen.is_handshaking) {
        (Kind::UnexpectedEof, true) => "the peer closed the connection during the handshake",
        (Kind::UnexpectedEof, false) => {
            "the peer closed the connection without TLS's goodbye (close_notify)"
        }
        (Kind::ConnectionReset | Kind::BrokenPipe, true) => {
            "the peer reset the connection during the handshake"
        }
        (Kind::ConnectionReset, false) => "the peer reset the connection",
        (Kind::BrokenPipe, false) => "the peer had closed the connection",
        _ => return (io_error_words(error), None),
    };
    (why.to_owned(), hint_after_end(seen))
}

/// What to do when the peer just went away: a refused client certificate ends like this too, when the
/// alert is lost behind the reset.
fn hint_after_end(seen: &TlsFailureContext<'_>) -> Option<String> {
    let hint = match (
        seen.recorder.client_cert_requested(),
        seen.hint_context.has_certificate,
    ) {
        (true, false) => "it had asked for a client certificate: --cert FILE --key FILE",
        (true, true) => "it had asked for a client certificate; perhaps it wants another",
        (false, _) if seen.is_handshaking => PLAIN_HTTP_HINT,
        (false, _) => return None,
    };
    Some(hint.to_owned())
}

fn explain_tls(error: &Error, seen: &TlsFailureContext<'_>) -> FailureReason {
    match error {
        Error::InvalidCertificate(refusal) if seen.hint_context.is_proxy => {
            let (why, _) = explain_certificate(refusal, seen);
            (why, Some(PROXY_TRUST_HINT.to_owned()))
        }
        Error::InvalidCertificate(refusal) => explain_certificate(refusal, seen),
        Error::AlertReceived(alert) => explain_alert(*alert, seen),
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType
            | InvalidMessage::UnknownProtocolVersion
            | InvalidMessage::MessageTooLarge,
        ) if seen.is_handshaking && seen.recorder.peer_chain().is_empty() => (
            "this port speaks no TLS".to_owned(),
            Some(PLAIN_HTTP_HINT.to_owned()),
        ),
        Error::PeerIncompatible(what) => explain_incompatible(what),
        Error::NoCertificatesPresented => ("the server showed no certificate".to_owned(), None),
        Error::DecryptError => (
            "a record did not decrypt: bytes were damaged or forged on the way".to_owned(),
            None,
        ),
        Error::PeerMisbehaved(what) => (format!("the peer broke the rules of TLS: {what:?}"), None),
        Error::InvalidMessage(what) => (
            format!("the peer sent a message that is no valid TLS: {what:?}"),
            None,
        ),
        other => (escape_text(&other.to_string()), None),
    }
}

fn explain_incompatible(what: &PeerIncompatible) -> FailureReason {
    use PeerIncompatible as P;
    match what {
        P::ServerTlsVersionIsDisabledByOurConfig
        | P::ServerDoesNotSupportTls12Or13
        | P::SupportedVersionsExtensionRequired => old_tls_version(),
        P::NoCipherSuitesInCommon => ("no cipher suite in common".to_owned(), None),
        P::NoKxGroupsInCommon => ("no key exchange group in common".to_owned(), None),
        P::NoSignatureSchemesInCommon => ("no signature scheme in common".to_owned(), None),
        other => (format!("the peer is not compatible: {other:?}"), None),
    }
}

fn old_tls_version() -> FailureReason {
    (
        "the server speaks only TLS 1.1 or older".to_owned(),
        Some("wire speaks TLS 1.2 and 1.3; enable one of them on the server".to_owned()),
    )
}

fn explain_certificate(refusal: &CertificateError, seen: &TlsFailureContext<'_>) -> FailureReason {
    use CertificateError as C;
    let chain = chain::read_chain(seen.recorder.peer_chain());
    let leaf = chain.first().cloned().unwrap_or_default();
    match refusal {
        C::Expired => certificate_expired(&leaf, &chain),
        C::ExpiredContext { not_after, .. } => {
            let end = format_date(not_after.as_secs());
            let which = chain.iter().find(|one| one.not_after == end);
            certificate_expired(which.unwrap_or(&leaf), &chain)
        }
        C::NotValidYet => certificate_not_yet_valid(&leaf, &chain),
        C::NotValidYetContext { not_before, .. } => {
            let start = format_date(not_before.as_secs());
            let which = chain.iter().find(|one| one.not_before == start);
            certificate_not_yet_valid(which.unwrap_or(&leaf), &chain)
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            certificate_wrong_host(&leaf, seen.host)
        }
        C::UnknownIssuer => certificate_untrusted(&leaf, &chain),
        // How webpki refuses a self-signed certificate that claims to be an authority.
        C::Other(_) if leaf.subject == leaf.issuer && !leaf.subject.is_empty() => {
            certificate_untrusted(&leaf, &chain)
        }
        C::BadEncoding => (
            "the server's certificate is not encoded as one".to_owned(),
            None,
        ),
        C::BadSignature if seen.recorder.chain_accepted() => (
            format!(
                "the server does not hold the key of its certificate {}",
                quoted_subject(&leaf)
            ),
            None,
        ),
        C::BadSignature => certificate_bad_signature(&leaf),
        C::Revoked => ("the server's certificate was revoked".to_owned(), None),
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => (
            format!(
                "the certificate {} is not for TLS servers",
                quoted_subject(&leaf)
            ),
            Some("-k accepts it all the same".to_owned()),
        ),
        other => (
            format!(
                "the server's certificate is refused: {}",
                escape_text(&other.to_string())
            ),
            Some(TRUST_HINT.to_owned()),
        ),
    }
}

fn certificate_expired(certificate: &Certificate, chain: &[Certificate]) -> FailureReason {
    (
        format!(
            "{} expired: it was valid until {}",
            certificate_name(certificate, chain),
            certificate.not_after
        ),
        Some(
            "it must be renewed on the server; check this machine's clock too; -k accepts it"
                .to_owned(),
        ),
    )
}

fn certificate_not_yet_valid(certificate: &Certificate, chain: &[Certificate]) -> FailureReason {
    (
        format!(
            "{} is not yet valid: it will be from {} on",
            certificate_name(certificate, chain),
            certificate.not_before
        ),
        Some("check this machine's clock; -k accepts it".to_owned()),
    )
}

/// `the server's certificate`, or which other one of its chain.
fn certificate_name(certificate: &Certificate, chain: &[Certificate]) -> String {
    if chain.first() == Some(certificate) {
        "the server's certificate".to_owned()
    } else {
        format!(
            "the certificate {} in the server's chain",
            quoted_subject(certificate)
        )
    }
}

fn certificate_wrong_host(leaf: &Certificate, host: &Host) -> FailureReason {
    const LIMIT: usize = 8;
    let names: Vec<String> = leaf
        .names
        .iter()
        .take(LIMIT)
        .map(|name| escape_text(name))
        .collect();
    let more = leaf.names.len().saturating_sub(LIMIT);
    let valid = match (names.is_empty(), more) {
        (true, _) => "no name at all (it has no subjectAltName)".to_owned(),
        (_, 0) => names.join(", "),
        (_, more) => format!("{} and {more} more", names.join(", ")),
    };
    (
        format!("the server's certificate is not for {host}: it is valid for {valid}"),
        Some("use one of these names, or --resolve NAME:PORT:ADDRESS; -k accepts it".to_owned()),
    )
}

fn certificate_untrusted(leaf: &Certificate, chain: &[Certificate]) -> FailureReason {
    if leaf.subject == leaf.issuer && chain.len() <= 1 {
        return (
            format!(
                "the server's certificate {} is self-signed",
                quoted_subject(leaf)
            ),
            Some("--cacert FILE trusts that certificate, -k anything".to_owned()),
        );
    }
    let last = chain.last().unwrap_or(leaf);
    let hint = match chain.len() {
        1 => format!("{TRUST_HINT}; or does the server leave out an intermediate certificate?"),
        _ => TRUST_HINT.to_owned(),
    };
    (
        format!(
            "the server's certificate was issued by {}, which is not trusted",
            quoted(&last.issuer)
        ),
        Some(hint),
    )
}

fn certificate_bad_signature(leaf: &Certificate) -> FailureReason {
    (
        format!(
            "the server's certificate was not signed with the key of its issuer {}",
            quoted(&leaf.issuer)
        ),
        Some(
            "was that authority made anew? --cacert FILE gives its certificate, -k trusts anything"
                .to_owned(),
        ),
    )
}

fn quoted_subject(certificate: &Certificate) -> String {
    quoted(&certificate.subject)
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

fn explain_alert(alert: AlertDescription, seen: &TlsFailureContext<'_>) -> FailureReason {
    use AlertDescription as A;
    let asked = seen.recorder.client_cert_requested();
    let told = alert_name(alert);
    match alert {
        A::ProtocolVersion => old_tls_version(),
        A::UnrecognisedName => (
            format!("the server knows no {} ({told})", seen.host),
            Some("the name is sent in the handshake (SNI): check it, or use --resolve".to_owned()),
        ),
        A::NoApplicationProtocol => (format!("the server does not speak HTTP/1.1 ({told})"), None),
        A::CertificateRequired => client_certificate_wanted(seen, &told),
        _ if asked && is_about_certificates(alert) => client_certificate_wanted(seen, &told),
        A::HandshakeFailure | A::InsufficientSecurity => (
            format!("the server found nothing in common with us ({told})"),
            Some(
                "it may want other ciphers or curves, another server name, or a client certificate"
                    .to_owned(),
            ),
        ),
        _ => (format!("the server sent the alert {told}"), None),
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

fn client_certificate_wanted(seen: &TlsFailureContext<'_>, told: &str) -> FailureReason {
    if seen.hint_context.has_certificate {
        (
            format!("the server refused our client certificate ({told})"),
            Some(
                "check --cert: is it issued by an authority that the server trusts, and in date?"
                    .to_owned(),
            ),
        )
    } else {
        (
            format!("the server wants a client certificate ({told})"),
            Some("give one: --cert FILE --key FILE".to_owned()),
        )
    }
}

/// IANA's name of an alert (RFC 8446, 6).
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
