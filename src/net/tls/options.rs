//! What the user asked of TLS, and the configurations that come of it.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, Error, InconsistentKeys, KeyLog, RootCertStore};

use super::verifier::ChainVerifier;

/// Which authorities are believed.
#[derive(Clone, Debug, Default)]
pub enum TrustRoots {
    /// Those of the browsers, compiled in.
    #[default]
    Webpki,
    /// Those of the machine.
    Native,
    /// Those in this PEM text, and no other; with the name it goes by in errors.
    Pem(Vec<u8>, String),
}

/// A certificate to show when the server asks for one.
#[derive(Clone)]
pub struct ClientCert {
    /// The chain, leaf first.
    pub cert_pem: Vec<u8>,
    /// What that is called in errors.
    pub cert_name: String,
    /// The private key: PKCS #8, PKCS #1 or SEC 1; it may be the same text as the chain.
    pub key_pem: Vec<u8>,
    /// What that is called in errors.
    pub key_name: String,
}

/// What is asked of TLS.
#[derive(Clone, Default)]
pub struct TlsOptions {
    /// Which authorities are believed.
    pub roots: TrustRoots,
    /// Believe every certificate of the target. A proxy is verified all the same.
    pub insecure: bool,
    /// What to show when asked.
    pub client_cert: Option<ClientCert>,
    /// Where the secrets of the connections go, for those who decrypt a packet capture.
    pub key_log: Option<Arc<dyn KeyLog>>,
}

/// TLS cannot be set up as asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct TlsError {
    /// What is wrong, with the name of the file.
    pub error: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl TlsError {
    fn new(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            hint: None,
        }
    }

    fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// How one kind of peer is met.
pub(super) struct TlsPeerConfig {
    pub(super) config: ClientConfig,
    pub(super) verifier: Arc<ChainVerifier>,
}

/// Reads the options: how targets are met, and how proxies are.
pub(super) fn build_configs(
    options: TlsOptions,
) -> Result<(TlsPeerConfig, TlsPeerConfig), TlsError> {
    let provider = Arc::new(ring::default_provider());
    let careful = Arc::new(build_verifier(&options.roots, &provider)?);
    let trust = match options.insecure {
        true => Arc::new(ChainVerifier::accept_all(
            provider.signature_verification_algorithms,
        )),
        false => Arc::clone(&careful),
    };
    let key_log = options.key_log.as_ref();
    let target = build_config(&provider, trust, options.client_cert.as_ref(), key_log)?;
    let proxy = build_config(&provider, careful, None, key_log)?;
    Ok((target, proxy))
}

fn build_config(
    provider: &Arc<CryptoProvider>,
    trust: Arc<ChainVerifier>,
    client: Option<&ClientCert>,
    key_log: Option<&Arc<dyn KeyLog>>,
) -> Result<TlsPeerConfig, TlsError> {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::new(format!("TLS cannot be set up: {error}")))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<ChainVerifier>::clone(&trust));
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let (chain, key) = parse_client_cert(client)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| client_cert_error(client, &error))?
        }
    };
    if let Some(key_log) = key_log {
        config.key_log = Arc::clone(key_log);
    }
    Ok(TlsPeerConfig {
        config,
        verifier: trust,
    })
}

fn build_verifier(
    roots: &TrustRoots,
    provider: &Arc<CryptoProvider>,
) -> Result<ChainVerifier, TlsError> {
    let (store, own) = match roots {
        TrustRoots::Webpki => (compiled_roots(), Vec::new()),
        TrustRoots::Native => (native_roots()?, Vec::new()),
        TrustRoots::Pem(pem, name) => pem_roots(pem, name)?,
    };
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
            .build()
            .map_err(|error| TlsError::new(format!("the roots cannot be used: {error}")))?;
    Ok(ChainVerifier::with_roots(
        verifier,
        own,
        provider.signature_verification_algorithms,
    ))
}

fn compiled_roots() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

fn native_roots() -> Result<RootCertStore, TlsError> {
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
    Err(TlsError::new(why).with_hint("leave --native-roots out, or give a file with --cacert"))
}

/// The roots of a PEM text, and the same certificates to be believed for themselves.
fn pem_roots(
    pem: &[u8],
    name: &str,
) -> Result<(RootCertStore, Vec<CertificateDer<'static>>), TlsError> {
    let own = parse_certificates(pem, name)?;
    let mut store = RootCertStore::empty();
    let (added, _) = store.add_parsable_certificates(own.iter().cloned());
    if added == 0 {
        return Err(TlsError::new(format!(
            "{name}: none of its certificates can be used as a root"
        )));
    }
    Ok((store, own))
}

fn parse_certificates(pem: &[u8], name: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| bad_pem_error(name, &error))?;
    if found.is_empty() {
        return Err(
            TlsError::new(format!("{name} holds no certificate in PEM")).with_hint(
                "it begins with -----BEGIN CERTIFICATE-----; from DER: openssl x509 -inform der -in FILE",
            ),
        );
    }
    Ok(found)
}

fn parse_client_cert(
    client: &ClientCert,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    let chain = parse_certificates(&client.cert_pem, &client.cert_name)?;
    let name = &client.key_name;
    let key = PrivateKeyDer::from_pem_slice(&client.key_pem).map_err(|error| match error {
        pem::Error::NoItemsFound if is_encrypted(&client.key_pem) => {
            TlsError::new(format!("{name}: the private key is encrypted"))
                .with_hint("decrypt it: openssl pkey -in FILE -out PLAIN_FILE")
        }
        pem::Error::NoItemsFound => TlsError::new(format!("{name} holds no private key in PEM"))
            .with_hint("--key FILE names the key where --cert holds the certificate only"),
        error => bad_pem_error(name, &error),
    })?;
    Ok((chain, key))
}

/// PKCS #8 says it in the label, PKCS #1 in a header (RFC 1421, 4.6.1.1).
fn is_encrypted(pem: &[u8]) -> bool {
    let has = |needle: &[u8]| memchr::memmem::find(pem, needle).is_some();
    has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED")
}

fn bad_pem_error(name: &str, error: &pem::Error) -> TlsError {
    TlsError::new(format!("{name} is broken PEM: {error}"))
}

fn client_cert_error(client: &ClientCert, error: &Error) -> TlsError {
    let (cert, key) = (&client.cert_name, &client.key_name);
    match error {
        Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => TlsError::new(format!(
            "the private key of {key} does not belong to the first certificate of {cert}"
        )),
        Error::InvalidCertificate(_) => TlsError::new(format!(
            "{cert}: the client certificate cannot be used: {error}"
        )),
        _ if is_encrypted(&client.key_pem) => {
            TlsError::new(format!("{key}: the private key is encrypted"))
                .with_hint("decrypt it: openssl pkey -in FILE -out PLAIN_FILE")
        }
        _ => TlsError::new(format!("{key}: the private key cannot be used: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::testing;

    fn error(options: TlsOptions) -> TlsError {
        build_configs(options).err().unwrap()
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
    fn roots_without_certificates_are_told() {
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
    fn client_certificates_are_checked_before_they_are_needed() {
        let authority = testing::new_authority();
        let (one, other) = (authority.issue(&["a"]), authority.issue(&["b"]));
        assert!(build_configs(client(&one.pem, &one.key_pem)).is_ok());
        let both = format!("{}{}", one.key_pem, one.pem);
        assert!(build_configs(client(&both, &both)).is_ok());
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
