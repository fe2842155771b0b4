//! The recorder's certificate authority: two files in a folder of its own, made on first use, and the certificates that
//! it signs for the hosts that are opened. It is never installed anywhere: only the bundle that a program is given, or
//! the user's own act, makes a program trust it.

#![expect(
    clippy::disallowed_methods,
    reason = "the certificate authority lives in files of its own"
)]

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rcgen::{Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use thiserror::Error;

use crate::capture::store;
use crate::net;
use crate::serve::tls;
use crate::tape::Certificate;

/// Common name of the authority. A stored authority of another name cannot sign: certificates name their issuer.
const AUTHORITY_NAME: &str = "wire record CA";

/// Life of the authority in days: five years. It has no name constraints, since `--host` may name any host later.
const AUTHORITY_DAYS: i64 = 5 * 365;

/// Life of a host's certificate in days. Clients begin to refuse more than 200 (CA/Browser Forum ballot SC-081).
const LEAF_DAYS: i64 = 90;

/// Most hosts whose certificates are kept. A pattern of hosts has no end, and a client can ask for any of them.
const CACHE_LIMIT: usize = 1000;

/// Names of the authority's files.
const CERTIFICATE_FILE: &str = "ca.pem";
const KEY_FILE: &str = "ca-key.pem";

/// An error of the recorder's certificate authority.
#[derive(Debug, Error)]
pub enum CaError {
    /// A file or folder cannot be made, read or removed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The files are no authority of this program.
    #[error("{}: {why}", path.display())]
    Damaged {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The authority's life ends too soon: a host's certificate would outlive it.
    #[error("{}: the certificate authority ends on {not_after}", path.display())]
    Expired {
        /// The folder.
        path: PathBuf,
        /// The end of its life, as RFC 3339.
        not_after: String,
    },
    /// A certificate cannot be made or used.
    #[error("a certificate for {host} cannot be made: {why}")]
    Certificate {
        /// The host, or the authority's name.
        host: String,
        /// The cause.
        why: String,
    },
}

impl CaError {
    fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    fn certificate<E: std::fmt::Display>(host: &str) -> impl Fn(E) -> Self {
        move |error| Self::Certificate {
            host: host.to_owned(),
            why: error.to_string(),
        }
    }
}

/// A certificate authority that signs certificates for hosts and keeps them.
pub struct CertificateAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
    configs: Mutex<HashMap<String, HostTlsConfig>>,
}

/// The TLS configuration of a host, and when its certificate was made.
struct HostTlsConfig {
    made: Timestamp,
    config: Arc<ServerConfig>,
}

/// The path of the authority's certificate in `folder`: the file to trust.
pub fn certificate_path(folder: &Path) -> PathBuf {
    folder.join(CERTIFICATE_FILE)
}

/// Reads the certificate of the authority in `folder`. `None` if there is none.
pub fn read_certificate(folder: &Path) -> Result<Option<Certificate>, CaError> {
    match std::fs::exists(folder.join(CERTIFICATE_FILE)) {
        Ok(false) => Ok(None),
        _ => read_certificate_der(folder).map(|der| Some(net::read_certificate(&der))),
    }
}

/// Removes the authority in `folder`, and the folder if nothing else is in it. Returns whether there was one.
pub fn remove(folder: &Path) -> Result<bool, CaError> {
    let mut found = false;
    // The key first: without it the rest is harmless.
    for name in [KEY_FILE, CERTIFICATE_FILE] {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => found = true,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(CaError::io(&path)(error)),
        }
    }
    let _ = std::fs::remove_dir(folder);
    Ok(found)
}

impl CertificateAuthority {
    /// Opens the authority in `folder`, or makes it at the time `now` if there is none.
    ///
    /// # Errors
    ///
    /// The folder cannot be written, holds other files, or its authority cannot be used any more: it is never replaced
    /// without the user's order, since programs may trust it.
    pub fn open_or_create(folder: &Path, now: Timestamp) -> Result<Self, CaError> {
        if !folder.join(CERTIFICATE_FILE).exists() {
            create(folder, now)?;
        }
        let authority = Self::open(folder)?;
        let not_after = net::read_certificate(&authority.certificate).not_after;
        let end: Option<Timestamp> = not_after.parse().ok();
        if end.is_none_or(|end| days_after(now, LEAF_DAYS) > end) {
            let path = folder.to_owned();
            return Err(CaError::Expired { path, not_after });
        }
        Ok(authority)
    }

    fn open(folder: &Path) -> Result<Self, CaError> {
        let path = folder.join(KEY_FILE);
        let damaged = |why| CaError::Damaged {
            path: path.clone(),
            why,
        };
        let certificate = read_certificate_der(folder)?;
        let pem = std::fs::read(&path).map_err(CaError::io(&path))?;
        let key = PrivatePkcs8KeyDer::from_pem_slice(&pem)
            .map_err(|_| damaged("the file holds no private key"))?;
        let key = KeyPair::try_from(&key).map_err(|_| damaged("the private key is damaged"))?;
        let params = tls::root_params(Timestamp::UNIX_EPOCH, AUTHORITY_NAME, AUTHORITY_DAYS)
            .map_err(CaError::certificate(AUTHORITY_NAME))?;
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
            configs: Mutex::default(),
        })
    }

    /// The TLS configuration of a server that shows a certificate for `host`, a name or an IP address without brackets.
    /// It offers HTTP/1.1 alone. The certificate is made on first use, and anew when half of its life is over.
    pub fn server_config(&self, host: &str, now: Timestamp) -> Result<Arc<ServerConfig>, CaError> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let mut configs = self.configs.lock().unwrap_or_else(PoisonError::into_inner);
        let known = configs.get(&host);
        if let Some(known) = known.filter(|known| now < days_after(known.made, LEAF_DAYS / 2)) {
            return Ok(Arc::clone(&known.config));
        }
        let config = Arc::new(self.make_config(&host, now)?);
        if configs.len() >= CACHE_LIMIT {
            configs.clear();
        }
        let kept = HostTlsConfig {
            made: now,
            config: Arc::clone(&config),
        };
        configs.insert(host, kept);
        Ok(config)
    }

    fn make_config(&self, host: &str, now: Timestamp) -> Result<ServerConfig, CaError> {
        let failed = CaError::certificate::<rcgen::Error>(host);
        let params = tls::leaf_params(now, "wire record", vec![host.to_owned()], LEAF_DAYS);
        // A key for each host: serial numbers are made of the key, and must differ.
        let key = KeyPair::generate().map_err(&failed)?;
        let leaf = params
            .and_then(|params| params.signed_by(&key, &self.issuer))
            .map_err(&failed)?;
        let chain = vec![leaf.into(), self.certificate.clone()];
        let mut config = tls::server_config(chain, PrivatePkcs8KeyDer::from(key.serialize_der()))
            .map_err(CaError::certificate(host))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// The authority's certificate as PEM.
    pub fn certificate_pem(&self) -> String {
        tls::to_pem("CERTIFICATE", &self.certificate)
    }

    /// The bundle that a program under the recorder trusts, as PEM: the system's roots, the certificates in `files`, and
    /// the authority, each once. Also notes about files that cannot be used.
    ///
    /// Where `SSL_CERT_FILE` or `SSL_CERT_DIR` is set, its certificates count as the system's, as they do for programs.
    pub fn bundle(&self, files: &[PathBuf]) -> (String, Vec<String>) {
        let system = rustls_native_certs::load_native_certs();
        let mut notes = Vec::new();
        if let (true, Some(error)) = (system.certs.is_empty(), system.errors.first()) {
            notes.push(format!("this machine's roots cannot be read: {error}"));
        }
        let mut certificates = system.certs;
        for path in files {
            let found = std::fs::read(path).map_err(|error| error.to_string());
            let found = found.and_then(|pem| {
                let found = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
                found.map_err(|error| error.to_string())
            });
            match found {
                Ok(found) => certificates.extend(found),
                Err(error) => notes.push(format!("{}: {error}", path.display())),
            }
        }
        certificates.push(self.certificate.clone());
        let mut seen = std::collections::HashSet::new();
        certificates.retain(|certificate| seen.insert(certificate.clone()));
        let pem = certificates
            .iter()
            .map(|certificate| tls::to_pem("CERTIFICATE", certificate))
            .collect();
        (pem, notes)
    }

    /// Writes [`Self::bundle`] to a new file that only its owner can read. Returns its notes.
    pub fn write_bundle(&self, path: &Path, files: &[PathBuf]) -> Result<Vec<String>, CaError> {
        let (pem, notes) = self.bundle(files);
        write_new_file(path, &pem)?;
        Ok(notes)
    }
}

fn days_after(time: Timestamp, days: i64) -> Timestamp {
    let days = SignedDuration::from_hours(days.saturating_mul(24));
    time.saturating_add(days).unwrap_or(Timestamp::MAX)
}

fn read_certificate_der(folder: &Path) -> Result<CertificateDer<'static>, CaError> {
    let path = folder.join(CERTIFICATE_FILE);
    let pem = std::fs::read(&path).map_err(CaError::io(&path))?;
    let damaged = |why| CaError::Damaged {
        path: path.clone(),
        why,
    };
    let der = CertificateDer::from_pem_slice(&pem)
        .map_err(|_| damaged("the file holds no certificate"))?;
    match net::read_certificate(&der).subject == format!("CN={AUTHORITY_NAME}") {
        true => Ok(der),
        false => Err(damaged("the certificate is not one of `wire record`")),
    }
}

/// Makes an authority in `folder`. Its files are written into a draft folder, which is then renamed: another recorder
/// that starts at the same time finds both files or none, and if it was faster, its authority stays.
fn create(folder: &Path, now: Timestamp) -> Result<(), CaError> {
    let failed = CaError::certificate::<rcgen::Error>(AUTHORITY_NAME);
    let params = tls::root_params(now, AUTHORITY_NAME, AUTHORITY_DAYS).map_err(&failed)?;
    let key = KeyPair::generate().map_err(&failed)?;
    let certificate = params.self_signed(&key).map_err(&failed)?;
    let draft = folder.with_extension(format!("draft-{}", hex::encode(key_id(&key))));
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&draft);
    made.map_err(CaError::io(&draft))?;
    let key_pem = tls::to_pem("PRIVATE KEY", &key.serialize_der());
    let certificate_pem = tls::to_pem("CERTIFICATE", certificate.der());
    let written = write_new_file(&draft.join(KEY_FILE), &key_pem)
        .and_then(|()| write_new_file(&draft.join(CERTIFICATE_FILE), &certificate_pem));
    let moved = written.and_then(|()| std::fs::rename(&draft, folder).map_err(CaError::io(folder)));
    if moved.is_err() {
        let _ = remove(&draft);
    }
    match moved {
        Err(CaError::Io { .. }) if folder.join(CERTIFICATE_FILE).exists() => Ok(()),
        Err(CaError::Io { path, source }) if source.kind() == ErrorKind::DirectoryNotEmpty => {
            let why = "the folder holds other files, but no certificate authority";
            Err(CaError::Damaged { path, why })
        }
        moved => moved,
    }
}

/// Four bytes that differ for each key.
fn key_id(key: &KeyPair) -> Vec<u8> {
    let digest = ring::digest::digest(&ring::digest::SHA256, key.public_key_raw());
    digest.as_ref().iter().copied().take(4).collect()
}

fn write_new_file(path: &Path, text: &str) -> Result<(), CaError> {
    let failed = CaError::io(path);
    let mut file = store::create_file(path, true).map_err(|error| match error {
        store::StoreError::Io { path, source } => CaError::Io { path, source },
        other => failed(io::Error::other(other.to_string())),
    })?;
    file.write_all(text.as_bytes()).map_err(&failed)
}

#[cfg(test)]
mod tests;
