//! The exit codes: one table for all verbs, the same that README.md shows.

use std::process::ExitCode;

use crate::exchange::ExchangeOutcome;

/// How the program ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ExitReason {
    /// 0: done; also if the reader of the output has left.
    Done,
    /// 1: found something: `diff` a difference; `send --fail` a status of 400 or above.
    FoundSomething,
    /// 2: wrong arguments, or input that cannot be read.
    Usage,
    /// 3: no connection: name, address, proxy or TLS.
    NoConnection,
    /// 4: the exchange broke off, its framing was lost, or its body cannot be decoded.
    BrokenExchange,
    /// 5: a time limit passed.
    TimedOut,
    /// 6: the capture could not be written.
    WriteFailed,
    /// 130: interrupted.
    Interrupted,
    /// The exit code of the recorded program.
    Program(u8),
}

impl ExitReason {
    /// The exit reason for the outcome of an exchange.
    pub(super) fn from_outcome(outcome: &ExchangeOutcome) -> Self {
        match outcome {
            // A reader that closes the output, such as `head -1`, has seen enough.
            ExchangeOutcome::Whole | ExchangeOutcome::Stopped => Self::Done,
            ExchangeOutcome::NoConnection { .. } => Self::NoConnection,
            ExchangeOutcome::TimedOut { .. } => Self::TimedOut,
            ExchangeOutcome::Interrupted => Self::Interrupted,
            ExchangeOutcome::NoResponse { .. }
            | ExchangeOutcome::Cut { .. }
            | ExchangeOutcome::Lost { .. }
            | ExchangeOutcome::Unfinished => Self::BrokenExchange,
        }
    }

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::FoundSomething => 1,
            Self::Usage => 2,
            Self::NoConnection => 3,
            Self::BrokenExchange => 4,
            Self::TimedOut => 5,
            Self::WriteFailed => 6,
            Self::Interrupted => 130,
            Self::Program(code) => code,
        }
    }
}

impl From<ExitReason> for ExitCode {
    fn from(exit: ExitReason) -> Self {
        Self::from(exit.code())
    }
}
