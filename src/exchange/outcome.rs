//! How an exchange ended, judged from its messages and the connection's facts.

use super::Exchange;
use crate::http1::{HttpFault, MessageEnd, MessagePart};
use crate::tape::{CloseKind, ConnectionFact, ConnectionParty, ExchangeStage, FailureCause};

/// How an exchange ended.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum ExchangeOutcome {
    /// The response is whole.
    Whole,
    /// No connection could be made.
    NoConnection {
        /// The stage that failed.
        stage: ExchangeStage,
        /// The reason, in words.
        error: String,
    },
    /// A time limit of `wire` passed.
    TimedOut {
        /// The stage that failed.
        stage: ExchangeStage,
        /// The limit, in words.
        error: String,
    },
    /// The user interrupted.
    Interrupted,
    /// `wire` closed the connection before the end of the response, since the reader of its output went away.
    Stopped,
    /// The connection ended or broke before the first byte of a response.
    NoResponse {
        /// Describes how the connection ended.
        error: String,
    },
    /// The response stops inside a message, or at a place where its completeness is unknown.
    Cut {
        /// The part in which it stops; `None` for a body without a length that ended without TLS's close_notify.
        within: Option<MessagePart>,
        /// Number of bytes that were announced and did not come.
        missing: Option<u64>,
        /// Describes how the connection ended.
        error: String,
    },
    /// The framing was lost.
    Lost {
        /// Offset in the received stream.
        at: u64,
        /// The reason.
        fault: HttpFault,
    },
    /// The recording stops before the end of the exchange.
    Unfinished,
}

impl ExchangeOutcome {
    /// Whether the response is whole.
    pub fn is_whole(&self) -> bool {
        matches!(self, Self::Whole)
    }
}

impl Exchange {
    /// Judges how the exchange ended.
    pub fn outcome(&self) -> ExchangeOutcome {
        if let Some(MessageEnd::FramingLost { at, fault }) = self.response.end {
            return ExchangeOutcome::Lost { at, fault };
        }
        if let Some(reason) = self.own_reply() {
            return self.outcome_of_own_reply(reason);
        }
        let (by, how) = self.closing().unzip();
        let closed_websocket = self.websocket.as_ref().map(|own| own.close().is_some());
        match self.response.end {
            // The end of a WebSocket is its close frame (RFC 6455, 7.1.4), not that of the handshake.
            Some(MessageEnd::Complete) if closed_websocket != Some(false) => {
                return ExchangeOutcome::Whole;
            }
            // `wire` itself closes only after the end of a response, or when nothing reads its output any more.
            _ if by == Some(ConnectionParty::Us) && self.failure().is_none() => {
                return ExchangeOutcome::Stopped;
            }
            // A recording that stops before the close cannot know whether more came. Without TLS's close_notify the
            // body may have been cut (RFC 9112, section 9.8).
            Some(MessageEnd::Closed)
                if by == Some(ConnectionParty::Peer)
                    && matches!(how, Some(CloseKind::CloseNotify | CloseKind::Eof))
                    && self.failure().is_none() =>
            {
                return ExchangeOutcome::Whole;
            }
            _ => {}
        }
        if let Some((stage, cause, error)) = self.failure() {
            let error = error.to_owned();
            match cause {
                FailureCause::TimedOut => return ExchangeOutcome::TimedOut { stage, error },
                FailureCause::Interrupted => return ExchangeOutcome::Interrupted,
                FailureCause::Refused if stage < ExchangeStage::Write => {
                    return ExchangeOutcome::NoConnection { stage, error };
                }
                FailureCause::Refused => {}
            }
        }
        if by.is_none() && self.failure().is_none() {
            return ExchangeOutcome::Unfinished;
        }
        let error = self.describe_ending();
        if let Some(traffic) = &self.websocket {
            let cut = traffic.received.cut.or(traffic.sent.cut);
            return ExchangeOutcome::Cut {
                within: cut.map(|_| MessagePart::Frame),
                missing: cut.and_then(|cut| cut.missing),
                error,
            };
        }
        match self.response.end {
            _ if self.received.bytes == 0 => ExchangeOutcome::NoResponse { error },
            Some(MessageEnd::Truncated { within, missing }) => ExchangeOutcome::Cut {
                within: Some(within),
                missing,
                error,
            },
            _ => ExchangeOutcome::Cut {
                within: None,
                missing: None,
                error,
            },
        }
    }

    /// The outcome of an exchange that the recorder answered itself, so that the server gave no response.
    fn outcome_of_own_reply(&self, reason: &str) -> ExchangeOutcome {
        match self.failure() {
            Some((stage, _, error)) if stage < ExchangeStage::Write => {
                ExchangeOutcome::NoConnection {
                    stage,
                    error: error.to_owned(),
                }
            }
            _ => ExchangeOutcome::NoResponse {
                error: reason.to_owned(),
            },
        }
    }

    /// Why the recorder wrote the response itself, if so.
    fn own_reply(&self) -> Option<&str> {
        self.facts.iter().find_map(|(_, fact)| match fact {
            ConnectionFact::Replied { reason, .. } => Some(reason.as_str()),
            _ => None,
        })
    }

    fn failure(&self) -> Option<(ExchangeStage, FailureCause, &str)> {
        self.facts.iter().find_map(|(_, fact)| match fact {
            ConnectionFact::Failed {
                stage,
                cause,
                error,
            } => Some((*stage, *cause, error.as_str())),
            _ => None,
        })
    }

    fn closing(&self) -> Option<(ConnectionParty, CloseKind)> {
        self.facts.iter().find_map(|(_, fact)| match fact {
            ConnectionFact::Closed { by, how } => Some((*by, *how)),
            _ => None,
        })
    }

    /// Describes how the connection ended.
    fn describe_ending(&self) -> String {
        if let Some((_, _, error)) = self.failure() {
            return error.to_owned();
        }
        let text = match self.closing() {
            Some((ConnectionParty::Program, _)) => "the program closed the connection",
            Some((_, CloseKind::Reset)) => "the peer reset the connection",
            Some((_, CloseKind::EofWithoutCloseNotify)) => {
                "the peer closed the connection without TLS's close_notify"
            }
            _ => "the peer closed the connection",
        };
        text.to_owned()
    }
}
