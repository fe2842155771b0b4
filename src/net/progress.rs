//! How far the way to the peer has come: what is told to the caller, and what a time-out will name.

use std::time::Duration;

use crate::span::Moment;
use crate::tape::{Cause, Fact, Stage};

use super::Clock;
use super::failure::Failure;

/// Tells facts with their moment, and remembers what is being done.
pub(super) struct Progress<'a, R: ?Sized> {
    clock: &'a Clock,
    report: &'a mut R,
    stage: Stage,
    /// With whom, for the message of a time-out.
    at: String,
}

impl<'a, R: FnMut(Moment, &Fact) + ?Sized> Progress<'a, R> {
    pub(super) fn new(clock: &'a Clock, report: &'a mut R) -> Self {
        Self {
            clock,
            report,
            stage: Stage::Resolve,
            at: String::new(),
        }
    }

    /// Something happened just now.
    pub(super) fn tell(&mut self, fact: &Fact) {
        (self.report)(self.clock.moment(), fact);
    }

    /// From here on, `stage` is what is being done, with `at`.
    pub(super) fn enter(&mut self, stage: Stage, at: impl Into<String>) {
        self.stage = stage;
        self.at = at.into();
    }

    /// One more address is being tried at the same time.
    pub(super) fn also(&mut self, at: &str) {
        if !self.at.is_empty() {
            self.at.push_str(", ");
        }
        self.at.push_str(at);
    }

    /// What it means that the time ran out now.
    pub(super) fn timed_out(&self, after: Duration) -> Failure {
        let doing = match self.stage {
            Stage::Resolve => "resolving",
            Stage::Connect => "connecting to",
            Stage::Proxy => "waiting for the proxy",
            Stage::Tls => "agreeing on TLS with",
            Stage::Write => "writing to",
            Stage::Read => "reading from",
        };
        Failure {
            stage: self.stage,
            cause: Cause::TimedOut,
            error: format!("no connection after {after:?}, while {doing} {}", self.at),
            hint: Some("--connect-timeout SECONDS sets how long to wait".to_owned()),
        }
    }
}
