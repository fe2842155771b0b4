//! The user's TLS options, and the rustls configurations built from them.

use std::sync::Arc;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, Error, InconsistentKeys, KeyLogFile, RootCertStore};

use super::trust::ChainTrust;
use crate::net::clock::TlsClock;
use crate::net::hint::{Hint, HintedError};

/// The root certificates that are trusted.
#[derive(Clone, Debug, Default)]
pub enum TrustRoots {
    /// The roots of the Mozilla programme, compiled in.
    #[default]
    Webpki,
    /// The roots of the operating system.
    Native,
    /// Only the roots in this PEM text; the second field is its name in errors.
    Pem(Vec<u8>, String),
}

/// A client certificate with its key.
#[derive(Clone)]
pub struct ClientCert {
    /// The chain, leaf first.
    pub cert_pem: Vec<u8>,
    /// The chain's name in errors.
    pub cert_name: String,
    /// The private key: PKCS #8, PKCS #1 or SEC 1; it may be the same text as the chain.
    pub key_pem: Vec<u8>,
    /// The key's name in errors.
    pub key_name: String,
}

/// The user's choices for TLS: roots, verification, client certificate, key log.
#[derive(Clone, Default)]
pub struct TlsOptions {
    /// The root certificates that are trusted.
    pub roots: TrustRoots,
    /// Accept every certificate of the target. The certificate of a proxy is still verified.
    pub insecure: bool,
    /// The client certificate to show when the server asks for one.
    pub client_cert: Option<ClientCert>,
    /// Write the secrets of the connections to the file that `$SSLKEYLOGFILE` names, to decrypt packet captures.
    pub log_keys: bool,
}

/// The TLS configuration for one kind of peer (targets or proxies), and the chains accepted from it.
pub(super) struct PeerTls {
    pub(super) config: ClientConfig,
    pub(super) trust: Arc<ChainTrust>,
}

/// Builds the configurations for targets and for proxies.
pub(super) fn build_configs(options: &TlsOptions) -> Result<(PeerTls, PeerTls), HintedError> {
    let provider = Arc::new(ring::default_provider());
    let (store, pinned) = match &options.roots {
        TrustRoots::Webpki => (compiled_roots(), Vec::new()),
        TrustRoots::Native => (native_roots()?, Vec::new()),
        TrustRoots::Pem(pem, name) => pem_roots(pem, name)?,
    };
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(&provider))
            .build()
            .map_err(|error| HintedError::new(format!("the roots cannot be used: {error}")))?;
    let build = |insecure: bool, client: Option<&ClientCert>| {
        let mut config = build_config(&provider, &verifier, client)?;
        config.resumption = Resumption::disabled();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        if options.log_keys {
            config.key_log = Arc::new(KeyLogFile::new());
        }
        let trust = Arc::new(ChainTrust {
            verifier: Arc::clone(&verifier),
            accepts_any: insecure,
            pinned: pinned.clone(),
            algorithms: provider.signature_verification_algorithms,
        });
        Ok(PeerTls { config, trust })
    };
    let target = build(options.insecure, options.client_cert.as_ref())?;
    Ok((target, build(false, None)?))
}

/// Builds a rustls configuration; the recorder of each handshake later replaces its verifier.
fn build_config(
    provider: &Arc<CryptoProvider>,
    verifier: &Arc<WebPkiServerVerifier>,
    client: Option<&ClientCert>,
) -> Result<ClientConfig, HintedError> {
    let builder = ClientConfig::builder_with_details(Arc::clone(provider), Arc::new(TlsClock))
        .with_safe_default_protocol_versions()
        .map_err(|error| HintedError::new(format!("TLS cannot be set up: {error}")))?
        .with_webpki_verifier(Arc::clone(verifier));
    let Some(client) = client else {
        return Ok(builder.with_no_client_auth());
    };
    let (chain, key) = parse_client_cert(client)?;
    builder
        .with_client_auth_cert(chain, key)
        .map_err(|error| client_cert_error(client, &error))
}

fn compiled_roots() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

fn native_roots() -> Result<RootCertStore, HintedError> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(found.certs);
    if added > 0 {
        return Ok(store);
    }
    let why = match found.errors.first() {
        Some(error) => format!("this machine's roots cannot be read: {error}"),
        None => "this machine has no roots".to_owned(),
    };
    Err(HintedError::new(why).with_hint(Hint::OtherRoots))
}

/// The roots of a PEM text, and the same certificates to pin: a server may show one of them itself.
fn pem_roots(
    pem: &[u8],
    name: &str,
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), HintedError> {
    let own = parse_certificates(pem, name)?;
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(own.iter().cloned());
    if added == 0 {
        return Err(HintedError::new(format!(
            "{name}: none of its certificates can be used as a root"
        )));
    }
    Ok((store, own))
}

fn parse_certificates(pem: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>, HintedError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| bad_pem_error(name, &error))?;
    if found.is_empty() {
        return Err(
            HintedError::new(format!("{name} holds no certificate in PEM")).with_hint(
                "it begins with -----BEGIN CERTIFICATE-----; from DER: openssl x509 -inform der -in FILE",
            ),
        );
    }
    Ok(found)
}

fn parse_client_cert(
    client: &ClientCert,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), HintedError> {
    let chain = parse_certificates(&client.cert_pem, &client.cert_name)?;
    let name = &client.key_name;
    let key = PrivateKeyDer::from_pem_slice(&client.key_pem).map_err(|error| match error {
        pem::Error::NoItemsFound if is_encrypted(&client.key_pem) => encrypted_key_error(name),
        pem::Error::NoItemsFound => HintedError::new(format!("{name} holds no private key in PEM"))
            .with_hint(Hint::ClientKeyFile),
        error => bad_pem_error(name, &error),
    })?;
    Ok((chain, key))
}

/// Whether a private key is encrypted: PKCS #8 has it in the label, PKCS #1 in a header (RFC 1421, 4.6.1.1).
fn is_encrypted(pem: &[u8]) -> bool {
    let has = |needle: &[u8]| memchr::memmem::find(pem, needle).is_some();
    has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED")
}

fn encrypted_key_error(name: &str) -> HintedError {
    HintedError::new(format!("{name}: the private key is encrypted"))
        .with_hint("decrypt it: openssl pkey -in FILE -out PLAIN_FILE")
}

fn bad_pem_error(name: &str, error: &pem::Error) -> HintedError {
    HintedError::new(format!("{name} is broken PEM: {error}"))
}

fn client_cert_error(client: &ClientCert, error: &Error) -> HintedError {
    let (cert, key) = (&client.cert_name, &client.key_name);
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => HintedError::new(format!(
            "the private key of {key} does not belong to the first certificate of {cert}"
        )),
        Error::InvalidCertificate(_) => HintedError::new(format!(
            "{cert}: the client certificate cannot be used: {error}"
        )),
        _ if is_encrypted(&client.key_pem) => encrypted_key_error(key),
        _ => HintedError::new(format!("{key}: the private key cannot be used: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing;

    fn error(options: TlsOptions) -> HintedError {
        build_configs(&options).err().unwrap()
    }

    fn client(cert: &str, key: &str) -> TlsOptions {
        TlsOptions {
            client_cert: Some(ClientCert {
                cert_pem: cert.into(),
                cert_name: "c.pem".into(),
                key_pem: key.into(),
                key_name: "k.pem".into(),
            }),
            ..TlsOptions::default()
        }
    }

    #[test]
    fn roots_without_certificates_are_refused() {
        let roots = |text: &str| TlsOptions {
            roots: TrustRoots::Pem(text.into(), "ca.pem".into()),
            ..TlsOptions::default()
        };
        assert!(
            error(roots(""))
                .error
                .contains("ca.pem holds no certificate")
        );
        assert!(
            error(roots("-----BEGIN CERTIFICATE-----\n!\n"))
                .error
                .contains("ca.pem is broken PEM")
        );
        assert!(
            error(roots(
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
            ))
            .error
            .contains("can be used as a root")
        );
    }

    #[test]
    fn client_certificates_are_checked_before_connecting() {
        let authority = testing::new_authority();
        let (one, other) = (authority.issue(&["a"]), authority.issue(&["b"]));
        assert!(build_configs(&client(&one.pem, &one.key_pem)).is_ok());
        let both = format!("{}{}", one.key_pem, one.pem);
        assert!(build_configs(&client(&both, &both)).is_ok());
        let mixed = error(client(&one.pem, &other.key_pem));
        assert!(mixed.error.contains("k.pem does not belong to"));
        let keyless = error(client(&one.pem, &one.pem));
        assert!(keyless.error.contains("k.pem holds no private key"));
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
        assert!(
            error(client(&one.pem, encrypted))
                .error
                .contains("encrypted")
        );
    }
}
