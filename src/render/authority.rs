//! The certificate authority of the recorder: where it is, its fingerprint and life, and how to trust it.

use std::io::{self, Write};

use super::program::shell_word;
use super::{OutputStyle, wording};
use crate::tape::Certificate;

/// A certificate authority as `wire ca` shows it.
#[derive(Clone, Copy, Debug)]
pub struct AuthorityView<'a> {
    /// Path of its certificate.
    pub path: &'a str,
    /// Its certificate; `None` if it is not made yet.
    pub certificate: Option<&'a Certificate>,
}

/// Ways to trust a certificate, by system or program; `{}` is its path.
const WAYS_TO_TRUST: [(&str, &str); 8] = [
    ("curl", "curl --cacert {}"),
    ("Node", "export NODE_EXTRA_CA_CERTS={}"),
    (
        "Debian, Ubuntu",
        "sudo cp {} /usr/local/share/ca-certificates/wire.crt && sudo update-ca-certificates",
    ),
    (
        "Fedora, RHEL",
        "sudo cp {} /etc/pki/ca-trust/source/anchors/wire.pem && sudo update-ca-trust",
    ),
    ("Arch", "sudo trust anchor {}"),
    (
        "macOS",
        "sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {}",
    ),
    (
        "Firefox",
        "Settings, Certificates, View Certificates, Authorities, Import",
    ),
    (
        "Java",
        "keytool -importcert -alias wire -file {} -keystore TRUSTSTORE",
    ),
];

/// Writes the report of `wire ca`.
pub fn write_report(
    view: &AuthorityView<'_>,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let path = wording::escape_line(view.path);
    let Some(certificate) = view.certificate else {
        writeln!(out, "{path} does not exist yet")?;
        return writeln!(
            out,
            "the first recording that opens TLS makes a certificate authority"
        );
    };
    let day = |time: &str| time.split('T').next().unwrap_or(time).to_owned();
    let rows = [
        ("certificate", path.into_owned()),
        ("name", certificate.subject.clone()),
        ("SHA-256", fingerprint(&certificate.sha256)),
        (
            "valid",
            format!(
                "{} to {}",
                day(&certificate.not_before),
                day(&certificate.not_after)
            ),
        ),
    ];
    for (name, value) in &rows {
        writeln!(
            out,
            "{} {}",
            style.dim(&format!("{name:<14}")),
            wording::escape_line(value)
        )?;
    }
    writeln!(out)?;
    writeln!(out, "It is installed nowhere. To trust it:")?;
    for (system, command) in WAYS_TO_TRUST {
        let command = command.replace("{}", &shell_word(view.path));
        let command = wording::escape_line(&command).into_owned();
        writeln!(out, "{} {command}", style.dim(&format!("{system:<14}")))?;
    }
    writeln!(
        out,
        "SSL_CERT_FILE, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE replace the system's roots: name a file that holds both"
    )
}

/// Writes the report as one JSON object.
pub fn write_json(view: &AuthorityView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let of = |value: fn(&Certificate) -> &String| view.certificate.map(value);
    let object = serde_json::json!({
        "certificate": view.path,
        "exists": view.certificate.is_some(),
        "subject": of(|certificate| &certificate.subject),
        "sha256": of(|certificate| &certificate.sha256),
        "not_before": of(|certificate| &certificate.not_before),
        "not_after": of(|certificate| &certificate.not_after),
    });
    writeln!(out, "{object}")
}

/// Hex digits in pairs, as browsers and `openssl x509 -fingerprint` show them.
fn fingerprint(hex: &str) -> String {
    let digits: Vec<_> = hex
        .chars()
        .map(|digit| digit.to_ascii_uppercase())
        .collect();
    let pairs: Vec<String> = digits.chunks(2).map(|pair| pair.iter().collect()).collect();
    pairs.join(":")
}
