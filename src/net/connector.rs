//! One attempt to open a connection: its inputs, the facts that it reports, and its current stage.

use std::time::Duration;

use super::clock::Clock;
use super::failure::NetFailure;
use super::hint::Hint;
use super::route::ConnectRoute;
use super::tls::TlsClient;
use crate::tape::{ConnectionFact, ExchangeStage, FailureCause, WireSink};

/// One attempt to open a connection. Knows its current stage, so that a time-out can name it.
pub(super) struct Connector<'a, S: ?Sized> {
    pub(super) route: &'a ConnectRoute,
    pub(super) tls: &'a TlsClient,
    clock: &'a Clock,
    sink: &'a mut S,
    stage: ExchangeStage,
    /// The names of the peers of this stage, for the message of a time-out.
    peer: String,
}

impl<'a, S: WireSink + ?Sized> Connector<'a, S> {
    pub(super) fn new(
        route: &'a ConnectRoute,
        tls: &'a TlsClient,
        clock: &'a Clock,
        sink: &'a mut S,
    ) -> Self {
        Self {
            route,
            tls,
            clock,
            sink,
            stage: ExchangeStage::Resolve,
            peer: String::new(),
        }
    }

    /// Reports a fact with the current time.
    pub(super) fn report_fact(&mut self, fact: &ConnectionFact) {
        self.sink.fact(self.clock.moment(), fact);
    }

    /// Sets the current stage and the peer that it waits for.
    pub(super) fn enter_stage(&mut self, stage: ExchangeStage, peer: impl Into<String>) {
        self.stage = stage;
        self.peer = peer.into();
    }

    /// Adds `peer` to the peers that this stage waits for.
    pub(super) fn add_peer(&mut self, peer: &str) {
        if !self.peer.is_empty() {
            self.peer.push_str(", ");
        }
        self.peer.push_str(peer);
    }

    /// The failure of an attempt that took longer than `limit`.
    pub(super) fn timeout_failure(&self, limit: Duration) -> NetFailure {
        let doing = match self.stage {
            ExchangeStage::Resolve => "resolving",
            ExchangeStage::Connect => "connecting to",
            ExchangeStage::Proxy => "waiting for the proxy",
            ExchangeStage::Tls => "agreeing on TLS with",
            ExchangeStage::Write => "writing to",
            ExchangeStage::Read => "reading from",
        };
        let error = format!("no connection after {limit:?}, while {doing} {}", self.peer);
        NetFailure {
            hint: Some(Hint::LongerConnectTimeout),
            ..self.stopped(FailureCause::TimedOut, error)
        }
    }

    /// The failure of an attempt that the user stopped.
    pub(super) fn stopped(&self, cause: FailureCause, error: String) -> NetFailure {
        NetFailure {
            stage: self.stage,
            cause,
            error,
            hint: None,
        }
    }
}
