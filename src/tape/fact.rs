//! [`ConnectionFact`]: what can happen to a connection, apart from its bytes.

use serde::{Deserialize, Serialize};

use crate::span::{Span, StreamSide};

/// An event of the connection. Each is one line of a capture, under the name of the variant.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ConnectionFact {
    /// A name became addresses.
    Resolved {
        /// The name that was asked for.
        host: String,
        /// `address:port`, in the order in which they will be tried.
        addrs: Vec<String>,
    },
    /// An address did not accept a connection.
    Tried {
        /// `address:port`.
        peer: String,
        /// The error, in words.
        error: String,
    },
    /// A connection was made.
    Connected {
        /// `address:port` or the path of a Unix socket.
        peer: String,
        /// Our own end; empty for a Unix socket.
        local: String,
    },
    /// A proxy opened a tunnel to the target.
    Tunnelled {
        /// The proxy's URL without credentials.
        proxy: String,
        /// The target of the tunnel, `host:port`.
        to: String,
    },
    /// TLS was agreed on.
    Secured(TlsSession),
    /// The connection had served an earlier exchange.
    Reused {},
    /// One side ended the connection.
    Closed {
        /// The side that ended it.
        by: ConnectionParty,
        /// The way it ended.
        how: CloseKind,
    },
    /// The exchange failed here; everything seen before is kept.
    Failed {
        /// The stage that failed.
        stage: ExchangeStage,
        /// The kind of failure.
        cause: FailureCause,
        /// The reason in words, with the address or name concerned.
        error: String,
    },
    /// A secret was replaced by as many `*` before the bytes were written.
    Redacted {
        /// Which rule found it: a field's name, a query parameter, `known key`.
        rule: String,
        /// The stream that holds the secret.
        side: StreamSide,
        /// The masked bytes.
        span: Span,
        /// Equal secrets have equal fingerprints within one capture folder; it reveals nothing else.
        fingerprint: String,
    },
    /// The recorder replaced bytes of the request before it forwarded them. The stream holds the new bytes.
    Edited {
        /// The stream that was changed.
        side: StreamSide,
        /// The new bytes.
        span: Span,
        /// The bytes that the program wrote there.
        was: String,
    },
    /// The recorder wrote the response itself: it refused the request, or the server could not be reached.
    Replied {
        /// The status code.
        status: u16,
        /// The reason in words.
        reason: String,
    },
}

impl ConnectionFact {
    /// Whether the fact ends the exchange. Such a fact comes after the bytes of the same moment.
    pub fn ends_exchange(&self) -> bool {
        matches!(self, Self::Closed { .. } | Self::Failed { .. })
    }
}

/// The parameters that TLS agreed on.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct TlsSession {
    /// `TLSv1.3` or `TLSv1.2`.
    pub version: String,
    /// Cipher suite, IANA name.
    pub cipher: String,
    /// Key exchange group, IANA name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Application protocol the peer chose, if it chose one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpn: Option<String>,
    /// Server name that was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// The peer's certificates, leaf first.
    #[serde(default)]
    pub chain: Vec<Certificate>,
    /// Whether the chain was checked (`false` under `--insecure`).
    #[serde(default)]
    pub verified: bool,
    /// The reason in words why the chain would have been refused, if it was not verified. `None` where nothing was found,
    /// or by an older `wire`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
}

/// The fields of one certificate that people look at.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Certificate {
    /// Distinguished name.
    pub subject: String,
    /// Distinguished name of the signer.
    pub issuer: String,
    /// First valid moment, RFC 3339.
    pub not_before: String,
    /// Last valid moment, RFC 3339.
    pub not_after: String,
    /// DNS names and addresses it is valid for.
    #[serde(default)]
    pub names: Vec<String>,
    /// SHA-256 of its DER bytes, lower-case hex.
    pub sha256: String,
}

/// One end of the connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionParty {
    /// `wire`.
    Us,
    /// The program that `wire` records.
    Program,
    /// The server.
    Peer,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseKind {
    /// TLS's close_notify came: everything before it is whole (RFC 8446, 6.1).
    CloseNotify,
    /// The TCP connection ended: it had no TLS, or `wire` could not send close_notify.
    Eof,
    /// The TCP connection ended without TLS's close_notify: an attacker, or a careless server, may have cut the stream.
    EofWithoutCloseNotify,
    /// The connection was reset.
    Reset,
}

/// The stages of an exchange, in order. A failure names the stage in which it happened.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExchangeStage {
    /// Turning the name into addresses.
    Resolve,
    /// Opening the connection.
    Connect,
    /// Asking a proxy for a tunnel.
    Proxy,
    /// Agreeing on TLS.
    Tls,
    /// Writing the request.
    Write,
    /// Reading the response.
    Read,
}

/// The cause of a failure: refused, timed out, or interrupted. The exit code depends on it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCause {
    /// The peer, the network or the machine refused.
    Refused,
    /// A time limit of ours passed.
    TimedOut,
    /// The user interrupted.
    Interrupted,
}
