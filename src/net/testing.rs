//! Certificates for tests, made when they are needed.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio_rustls::TlsAcceptor;

/// A certificate authority for tests, which signs certificates.
pub(super) struct TestAuthority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pub(super) pem: String,
}

/// A certificate with its key.
pub(super) struct TestCertificate {
    pub(super) der: CertificateDer<'static>,
    pub(super) pem: String,
    pub(super) key_pem: String,
    key: Vec<u8>,
    /// The certificates that the server shows after its own.
    pub(super) others: Vec<CertificateDer<'static>>,
}

pub(super) fn new_authority() -> TestAuthority {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name("test authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    let key = KeyPair::generate().unwrap();
    let der = params.self_signed(&key).unwrap().der().clone();
    TestAuthority {
        pem: pem("CERTIFICATE", &der),
        der,
        issuer: Issuer::new(params, key),
    }
}

impl TestAuthority {
    pub(super) fn issue(&self, names: &[&str]) -> TestCertificate {
        self.issue_with(names, |_| {})
    }

    pub(super) fn issue_with(
        &self,
        names: &[&str],
        change: impl FnOnce(&mut CertificateParams),
    ) -> TestCertificate {
        let (params, key) = leaf_params(names, change);
        let der = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        to_test_certificate(der, &key)
    }
}

/// A certificate that the certificate `issuer`, of any kind, signed.
pub(super) fn issue_by(
    issuer: &TestCertificate,
    issuer_name: &str,
    names: &[&str],
) -> TestCertificate {
    let mut params = CertificateParams::default();
    params.distinguished_name = common_name(issuer_name);
    let key = PrivatePkcs8KeyDer::from(issuer.key.clone());
    let key = KeyPair::from_pkcs8_der_and_sign_algo(&key, &rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let authority = TestAuthority {
        issuer: Issuer::new(params, key),
        der: issuer.der.clone(),
        pem: issuer.pem.clone(),
    };
    let mut issued = authority.issue(names);
    issued.others = vec![issuer.der.clone()];
    issued
}

pub(super) fn self_signed(names: &[&str], is_ca: IsCa) -> TestCertificate {
    let (params, key) = leaf_params(names, |params| params.is_ca = is_ca);
    to_test_certificate(params.self_signed(&key).unwrap().der().clone(), &key)
}

fn leaf_params(
    names: &[&str],
    change: impl FnOnce(&mut CertificateParams),
) -> (CertificateParams, KeyPair) {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name = common_name("leaf");
    change(&mut params);
    (params, KeyPair::generate().unwrap())
}

fn to_test_certificate(der: CertificateDer<'static>, key: &KeyPair) -> TestCertificate {
    let key = key.serialize_der();
    TestCertificate {
        pem: pem("CERTIFICATE", &der),
        key_pem: pem("PRIVATE KEY", &key),
        der,
        key,
        others: Vec::new(),
    }
}

fn common_name(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn pem(label: &str, der: &[u8]) -> String {
    let body = base64_simd::STANDARD.encode_to_string(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

/// A TLS acceptor with the certificate `issued`, which requires client certificates of `clients` if that is given.
pub(super) fn new_acceptor(
    issued: &TestCertificate,
    clients: Option<&TestAuthority>,
    version: &'static SupportedProtocolVersion,
) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(issued.key.clone()));
    let mut config = builder
        .with_single_cert(
            [std::slice::from_ref(&issued.der), &*issued.others].concat(),
            key,
        )
        .unwrap();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    TlsAcceptor::from(Arc::new(config))
}
