//! Progress of a connection attempt: the facts that are reported, and the stage that a time-out will name.

use std::time::Duration;

use crate::span::Moment;
use crate::tape::{ConnectionFact, ExchangeStage, FailureCause};

use super::Clock;
use super::failure::NetFailure;

/// Reports facts with their time, and remembers the current stage.
pub(super) struct ConnectProgress<'a, R: ?Sized> {
    clock: &'a Clock,
    report: &'a mut R,
    stage: ExchangeStage,
    /// With whom, for the message of a time-out.
    peer: String,
}

impl<'a, R: FnMut(Moment, &ConnectionFact) + ?Sized> ConnectProgress<'a, R> {
    pub(super) fn new(clock: &'a Clock, report: &'a mut R) -> Self {
        Self {
            clock,
            report,
            stage: ExchangeStage::Resolve,
            peer: String::new(),
        }
    }

    /// Something happened just now.
    pub(super) fn report_fact(&mut self, fact: &ConnectionFact) {
        (self.report)(self.clock.moment(), fact);
    }

    /// From here on, `stage` is what is being done, with `at`.
    pub(super) fn enter_stage(&mut self, stage: ExchangeStage, at: impl Into<String>) {
        self.stage = stage;
        self.peer = at.into();
    }

    /// One more address is being tried at the same time.
    pub(super) fn add_peer(&mut self, at: &str) {
        if !self.peer.is_empty() {
            self.peer.push_str(", ");
        }
        self.peer.push_str(at);
    }

    /// What it means that the time ran out now.
    pub(super) fn timeout_failure(&self, after: Duration) -> NetFailure {
        let doing = match self.stage {
            ExchangeStage::Resolve => "resolving",
            ExchangeStage::Connect => "connecting to",
            ExchangeStage::Proxy => "waiting for the proxy",
            ExchangeStage::Tls => "agreeing on TLS with",
            ExchangeStage::Write => "writing to",
            ExchangeStage::Read => "reading from",
        };
        NetFailure {
            stage: self.stage,
            cause: FailureCause::TimedOut,
            error: format!("no connection after {after:?}, while {doing} {}", self.peer),
            hint: Some("--connect-timeout SECONDS sets how long to wait".to_owned()),
        }
    }
}
