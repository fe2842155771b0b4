//! The certificate verifier of one handshake. It records the peer's first bytes, its chain and whether it asked for a
//! client certificate, so that a failure can be explained. [`ChainTrust`] decides.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::options::PeerTls;
use super::trust::ChainTrust;
use crate::net::authority::Host;
use crate::net::raw_stream::Transport;

/// The kind of peer in a TLS handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::net) enum TlsPeer {
    /// The target.
    Target,
    /// An HTTPS proxy: it gets no client certificate, and is verified even where the target is not.
    Proxy,
}

/// Bytes of the peer's first answer that are kept: a status line or a greeting, such as `SSH-2.0-...`.
const FIRST_BYTES: usize = 80;

/// The verifier of one handshake, which records what hints about a failure need: the first bytes, the chain, and requests
/// for a client certificate.
#[derive(Debug)]
pub(in crate::net) struct HandshakeRecorder {
    trust: Arc<ChainTrust>,
    resolver: Arc<dyn ResolvesClientCert>,
    pub(super) host: Host,
    pub(super) peer: TlsPeer,
    first_bytes: Mutex<Vec<u8>>,
    peer_chain: OnceLock<Vec<CertificateDer<'static>>>,
    /// The refusal of the chain, if it was refused.
    chain_refusal: OnceLock<Error>,
    chain_accepted: AtomicBool,
    client_cert_requested: AtomicBool,
}

impl HandshakeRecorder {
    /// A recorder for one handshake with `host`.
    pub(super) fn new(tls: &PeerTls, host: &Host, peer: TlsPeer) -> Self {
        Self {
            trust: Arc::clone(&tls.trust),
            resolver: Arc::clone(&tls.config.client_auth_cert_resolver),
            host: host.clone(),
            peer,
            first_bytes: Mutex::default(),
            peer_chain: OnceLock::new(),
            chain_refusal: OnceLock::new(),
            chain_accepted: AtomicBool::new(false),
            client_cert_requested: AtomicBool::new(false),
        }
    }

    /// A copy of `config` whose verifier and client certificate resolver are this recorder.
    pub(super) fn install_in(self: &Arc<Self>, config: &ClientConfig) -> ClientConfig {
        let mut config = config.clone();
        config
            .dangerous()
            .set_certificate_verifier(Arc::<Self>::clone(self));
        config.client_auth_cert_resolver = Arc::<Self>::clone(self);
        config
    }

    /// The first bytes that the peer sent, at most [`FIRST_BYTES`].
    pub(super) fn first_bytes(&self) -> Vec<u8> {
        let bytes = self.first_bytes.lock();
        bytes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds the bytes of a read. Returns whether more are wanted.
    fn add_first_bytes(&self, bytes: &[u8]) -> bool {
        let kept = self.first_bytes.lock();
        let mut kept = kept.unwrap_or_else(PoisonError::into_inner);
        let room = FIRST_BYTES.saturating_sub(kept.len()).min(bytes.len());
        kept.extend_from_slice(bytes.get(..room).unwrap_or_default());
        kept.len() < FIRST_BYTES
    }

    /// The chain that the peer showed, leaf first; empty if it showed none.
    pub(super) fn peer_chain(&self) -> &[CertificateDer<'static>] {
        self.peer_chain.get().map_or(&[], Vec::as_slice)
    }

    /// The refusal of the chain, if it was refused, also where `--insecure` accepted it.
    pub(super) fn chain_refusal(&self) -> Option<&Error> {
        self.chain_refusal.get()
    }

    /// Whether the peer's chain was accepted.
    pub(super) fn chain_accepted(&self) -> bool {
        self.chain_accepted.load(Ordering::Relaxed)
    }

    /// Whether the peer asked for a client certificate.
    pub(super) fn client_cert_requested(&self) -> bool {
        self.client_cert_requested.load(Ordering::Relaxed)
    }

    /// Whether a client certificate is configured.
    pub(super) fn has_client_cert(&self) -> bool {
        self.resolver.has_certs()
    }
}

/// A transport that gives the first bytes it reads to the recorder of the handshake.
pub(in crate::net) struct FirstBytesTransport {
    io: Box<dyn Transport>,
    /// `None` once the recorder has enough.
    recorder: Option<Arc<HandshakeRecorder>>,
}

impl FirstBytesTransport {
    pub(super) fn new(io: Box<dyn Transport>, recorder: &Arc<HandshakeRecorder>) -> Self {
        let recorder = Some(Arc::clone(recorder));
        Self { io, recorder }
    }
}

impl AsyncRead for FirstBytesTransport {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut *this.io).poll_read(context, buffer);
        if let Some(recorder) = &this.recorder {
            let bytes = buffer.filled().get(before..).unwrap_or_default();
            if !recorder.add_first_bytes(bytes) {
                this.recorder = None;
            }
        }
        read
    }
}

impl AsyncWrite for FirstBytesTransport {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.get_mut().io).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().io).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.get_mut().io).poll_shutdown(context)
    }
}

impl ServerCertVerifier for HandshakeRecorder {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(leaf).chain(others);
        let _ = self
            .peer_chain
            .set(chain.map(|der| der.clone().into_owned()).collect());
        let mut verdict = self.trust.verify(leaf, others, name, ocsp, now);
        if let Err(refusal) = &verdict {
            let _ = self.chain_refusal.set(refusal.clone());
            if self.trust.accepts_any {
                verdict = Ok(ServerCertVerified::assertion());
            }
        }
        self.chain_accepted
            .store(verdict.is_ok(), Ordering::Relaxed);
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, leaf, signature, &self.trust.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, leaf, signature, &self.trust.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trust.algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for HandshakeRecorder {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.client_cert_requested.store(true, Ordering::Relaxed);
        self.resolver.resolve(issuers, schemes)
    }

    fn has_certs(&self) -> bool {
        self.resolver.has_certs()
    }
}
