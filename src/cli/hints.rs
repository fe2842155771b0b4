//! The words of hints: the one place that chooses which option to suggest.

use std::borrow::Cow;

use crate::content::{CodingFault, DecodeError};
use crate::net::Hint;

const TRUST: &str =
    "--cacert FILE trusts its authority, --native-roots this machine's, -k anything";

/// The words of `hint`.
pub(super) fn hint_text(hint: &Hint) -> Cow<'_, str> {
    let text = match hint {
        Hint::Text(text) => text,
        Hint::LongerConnectTimeout => "--connect-timeout SECONDS sets how long to wait",
        Hint::AddressByHand => {
            "check the name and the network; --resolve HOST:PORT:ADDRESS gives an address by hand"
        }
        Hint::BothIpFamilies => "-4 and -6 choose the family; without them both are tried",
        Hint::UseProxy => "check the address and the network; behind a firewall, --proxy may help",
        Hint::CheckProxy => {
            "is the proxy running? It comes from --proxy or from the environment (https_proxy, ...)"
        }
        Hint::TrustAuthority => TRUST,
        Hint::TrustProxyAuthority => {
            "--cacert FILE or --native-roots trusts its authority; -k does not apply to proxies"
        }
        Hint::TrustAuthorityOrCompleteChain => {
            return format!("{TRUST}; or does the server leave out an intermediate certificate?")
                .into();
        }
        Hint::TrustCertificate => "--cacert FILE trusts that certificate, -k anything",
        Hint::TrustRenewedAuthority => {
            "was that authority made anew? --cacert FILE gives its certificate, -k trusts anything"
        }
        Hint::RenewCertificate => {
            "it must be renewed on the server; check this machine's clock too; -k accepts it"
        }
        Hint::CheckClock => "check this machine's clock; -k accepts it",
        Hint::AcceptCertificate => "-k accepts it",
        Hint::UseCertificateName => {
            "use one of these names, or --resolve NAME:PORT:ADDRESS; -k accepts it"
        }
        Hint::PlainHttp => "write http:// instead of https://",
        Hint::CheckPort => {
            "check the port; if it speaks plain HTTP, write http:// instead of https://"
        }
        Hint::CheckServerName => {
            "the name is sent in the handshake (SNI): check it, or use --resolve"
        }
        Hint::ClientCertificate => {
            "it asked for a client certificate: give one with --cert FILE --key FILE"
        }
        Hint::CheckClientCertificate => {
            "check --cert: is it issued by an authority that the server trusts, and in date?"
        }
        Hint::ClientKeyFile => "--key FILE names the key if --cert holds the certificate only",
        Hint::LargerCapture => "--max-capture BYTES allows more; --no-capture has no limit",
        Hint::OtherRoots => "leave --native-roots out, or give a file with --cacert",
        Hint::SendRaw => "--raw sends any bytes",
        Hint::KnownTargets(known) => {
            return format!(
                "known are {known}; further ones go into a config file (--config), any URL into --url"
            )
            .into();
        }
        Hint::SetKey(variable) => {
            return format!(
                "set {variable}, or try `--to demo`, the embedded server, which needs no key"
            )
            .into();
        }
        Hint::NameModel => "add -m MODEL",
    };
    text.into()
}

/// Advice about a body that could not be decoded to its end.
pub(super) fn decode_hint(error: &DecodeError) -> Option<Hint> {
    match error.kind {
        CodingFault::SizeLimit(_) => Some("--max-decoded BYTES allows more".into()),
        CodingFault::RatioLimit(_) => Some("--max-ratio N allows more".into()),
        _ => None,
    }
}

/// Advice about hidden noise in a diff.
pub(super) const SHOW_NOISE: &str = "--all shows them";
