//! Errors with hints: the message as text, the hint as a value that only `cli` turns into text.

/// A hint: what a user can do about an error. `cli` turns it into text, since only it knows the flags.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Hint {
    /// A hint that names no flag, as text.
    Text(String),
    /// Wait longer for a connection.
    LongerConnectTimeout,
    /// Give the address of a name by hand.
    AddressByHand,
    /// Allow both IPv4 and IPv6.
    BothIpFamilies,
    /// Check the network, or use a proxy.
    UseProxy,
    /// Check that the proxy, which may come from the environment, is running.
    CheckProxy,
    /// Trust the authority that issued a certificate.
    TrustAuthority,
    /// Trust the authority that issued the certificate of a proxy, which is always verified.
    TrustProxyAuthority,
    /// Trust the authority, or send the intermediate certificate that the chain lacks.
    TrustAuthorityOrCompleteChain,
    /// Trust a self-signed certificate.
    TrustCertificate,
    /// Trust an authority whose key is not the one that is known.
    TrustRenewedAuthority,
    /// Renew a certificate that expired, check the clock, or accept it.
    RenewCertificate,
    /// Check the clock, or accept a certificate that is not valid yet.
    CheckClock,
    /// Accept a certificate that is not for TLS servers.
    AcceptCertificate,
    /// Use a name that the certificate is valid for.
    UseCertificateName,
    /// Write http:// instead of https://, since the port speaks plain HTTP.
    PlainHttp,
    /// Check the port, which may speak plain HTTP or another protocol.
    CheckPort,
    /// Check the name that is sent in the handshake.
    CheckServerName,
    /// Give a client certificate.
    ClientCertificate,
    /// Check the client certificate that was given.
    CheckClientCertificate,
    /// Name the file of the private key.
    ClientKeyFile,
    /// Allow a larger capture.
    LargerCapture,
    /// Use other roots than those of this machine.
    OtherRoots,
    /// Send the message as raw bytes.
    SendRaw,
    /// Use one of the known targets, which are listed here, or describe another one.
    KnownTargets(String),
    /// Set the variable of this name, which holds the key.
    SetKey(String),
    /// Choose a model.
    NameModel,
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Hint {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// An error message, with a hint if there is one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct HintedError {
    /// The message: what cannot be used, where, and why. Never repeats credentials or the query of a URL.
    pub error: String,
    /// What to do about it.
    pub hint: Option<Hint>,
}

impl HintedError {
    /// An error without a hint.
    pub fn new(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            hint: None,
        }
    }

    /// Sets the hint.
    pub fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Puts `context: ` before the message.
    pub fn in_context(self, context: &str) -> Self {
        Self {
            error: format!("{context}: {}", self.error),
            ..self
        }
    }
}
