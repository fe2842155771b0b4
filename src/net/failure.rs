//! Failures of the network, and their one-line messages, the same on every operating system.

use std::io;

use super::hint::{Hint, HintedError};
use crate::tape::{ConnectionFact, ExchangeStage, FailureCause};

/// A failure to open a connection, or of an open one.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{error}")]
pub struct NetFailure {
    /// The stage that failed.
    pub stage: ExchangeStage,
    /// Whether the peer refused, a time limit ended, or the user stopped it.
    pub cause: FailureCause,
    /// The message, one line: what failed, where (address or name), why.
    pub error: String,
    /// What to do about it.
    pub hint: Option<Hint>,
}

impl NetFailure {
    /// A failure at `stage` with the cause `Refused` and no hint.
    pub(super) fn refused(stage: ExchangeStage, error: impl Into<String>) -> Self {
        Self::explained(stage, HintedError::new(error))
    }

    /// A failure at `stage` with the cause `Refused`, and the message and hint of `explanation`.
    pub(super) fn explained(stage: ExchangeStage, explanation: HintedError) -> Self {
        Self {
            stage,
            cause: FailureCause::Refused,
            error: explanation.error,
            hint: explanation.hint,
        }
    }

    /// Sets the hint.
    pub(super) fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The failure as a fact for the tape, where it is the last one of its connection.
    pub fn fact(&self) -> ConnectionFact {
        ConnectionFact::Failed {
            stage: self.stage,
            cause: self.cause,
            error: self.error.clone(),
        }
    }
}

/// The reason of an I/O error in plain words.
pub(super) fn io_error_words(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let plain = match error.kind() {
        Kind::ConnectionRefused => "connection refused",
        Kind::ConnectionReset => "the peer reset the connection",
        Kind::ConnectionAborted => "the connection was aborted",
        Kind::BrokenPipe => "the peer had closed the connection",
        Kind::UnexpectedEof => "the peer closed the connection",
        Kind::HostUnreachable => "no route to the host",
        Kind::NetworkUnreachable => "network unreachable",
        Kind::NetworkDown => "the network is down",
        Kind::AddrNotAvailable => "the address is not available on this machine",
        Kind::TimedOut => "no answer before the operating system gave up",
        Kind::PermissionDenied => "not permitted",
        Kind::NotFound => "no such file",
        _ => return os_error_text(error),
    };
    plain.to_owned()
}

/// The operating system's message of an I/O error, without the number that std appends.
pub(super) fn os_error_text(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text
        .split_once(" (os error")
        .map_or(text.as_str(), |(words, _)| words);
    escape_text(text)
}

/// Text from the network or the system, made safe for one line: control characters escaped, at most 200 characters.
pub(super) fn escape_text(text: &str) -> String {
    // Two lines of a wide terminal: longer than most host names and system messages.
    const LIMIT: usize = 200;
    let mut escaped = String::new();
    for (n, character) in text.chars().enumerate() {
        if n == LIMIT {
            escaped.push_str("...");
            break;
        }
        if matches!(character, '"' | '\'' | '\\') {
            escaped.push(character);
        } else {
            escaped.extend(character.escape_debug());
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_errors_become_words() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(io_error_words(&refused), "connection refused");
        let other = io::Error::other("odd thing (os error 99)");
        assert_eq!(io_error_words(&other), "odd thing");
    }

    #[test]
    fn foreign_text_stays_on_one_line() {
        assert_eq!(escape_text("a\u{1b}[31m\nb"), "a\\u{1b}[31m\\nb");
        assert_eq!(escape_text("it's \\ \"so\""), "it's \\ \"so\"");
        assert_eq!(escape_text(&"x".repeat(500)).len(), 203);
    }
}
