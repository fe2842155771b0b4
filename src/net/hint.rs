//! Errors with advice: what went wrong, in words, and what a user can do about it, as a value.

/// Advice that belongs to an error. The command line turns it into words, since only it knows its flags.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Hint {
    /// Advice that needs no option, in words.
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
    /// Check the name that is sent in the handshake.
    CheckServerName,
    /// Give a client certificate.
    ClientCertificate,
    /// Check the client certificate that was given.
    CheckClientCertificate,
    /// Name the file of the private key.
    ClientKeyFile,
    /// Do without the roots of this machine.
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

/// An error in words, with advice where there is any.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct HintedError {
    /// What cannot be used, where, and why. Never repeats credentials or the query of a URL.
    pub error: String,
    /// What to do about it.
    pub hint: Option<Hint>,
}

impl HintedError {
    /// An error without advice.
    pub fn new(error: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            hint: None,
        }
    }

    /// The same error with this advice.
    pub fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same error and advice, with `context: ` before the words.
    pub fn in_context(self, context: &str) -> Self {
        Self {
            error: format!("{context}: {}", self.error),
            ..self
        }
    }
}
