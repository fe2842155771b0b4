//! The milestones of an exchange, each with one definition, and the phases between them.

use serde::Serialize;

use crate::exchange::Exchange;
use crate::span::Moment;
use crate::tape::ConnectionFact;

/// The times at which the stages of an exchange ended, counted from its start. `None`: not reached, or not part of
/// this exchange (no name to resolve, no TLS).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct ExchangeMilestones {
    /// The name had become addresses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<Moment>,
    /// A connection stood (to the proxy, where there is one).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connected: Option<Moment>,
    /// The proxy had opened the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tunnelled: Option<Moment>,
    /// TLS stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secured: Option<Moment>,
    /// The last byte of the request had been handed to the kernel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Moment>,
    /// The first read of the response returned (an interim response counts).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<Moment>,
    /// The head of the final response was whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<Moment>,
    /// The last read of the response returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_byte: Option<Moment>,
    /// The connection ended or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed: Option<Moment>,
}

/// One stage of an exchange with its start and end: a bar of the waterfall.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct ExchangePhase {
    /// `resolve`, `connect`, `proxy`, `TLS`, `send`, `wait`, `receive`.
    pub name: &'static str,
    /// When it began.
    pub from: Moment,
    /// When it ended.
    pub to: Moment,
}

impl ExchangeMilestones {
    /// Gathers the milestones of `exchange`.
    pub fn from_exchange(exchange: &Exchange) -> Self {
        let mut found = Self {
            sent: exchange.sent.last,
            first_byte: exchange.received.first,
            head: exchange.response_head_at,
            last_byte: exchange.received.last,
            ..Self::default()
        };
        for (moment, fact) in &exchange.facts {
            let place = match fact {
                ConnectionFact::Resolved { .. } => &mut found.resolved,
                ConnectionFact::Connected { .. } => &mut found.connected,
                ConnectionFact::Tunnelled { .. } => &mut found.tunnelled,
                ConnectionFact::Secured(_) => &mut found.secured,
                ConnectionFact::Closed { .. } | ConnectionFact::Failed { .. } => &mut found.closed,
                ConnectionFact::Tried { .. }
                | ConnectionFact::Reused {}
                | ConnectionFact::Redacted { .. }
                | ConnectionFact::Edited { .. }
                | ConnectionFact::Replied { .. } => continue,
            };
            // The first counts: behind a proxy, the connection to it; of several ends, the cause.
            place.get_or_insert(*moment);
        }
        found
    }

    /// The phases between the milestones that were reached, in order, without gaps.
    ///
    /// `wait` runs from the last byte of the request to the first of the response; a response that began
    /// before the request was out has no `wait`.
    pub fn phases(&self) -> Vec<ExchangePhase> {
        let ends = [
            ("resolve", self.resolved),
            ("connect", self.connected),
            ("proxy", self.tunnelled),
            ("TLS", self.secured),
            ("send", self.sent),
            ("wait", self.first_byte),
            ("receive", self.last_byte),
        ];
        let mut from = Moment::default();
        let mut phases = Vec::new();
        for (name, end) in ends {
            let Some(to) = end.filter(|to| *to >= from) else {
                continue;
            };
            phases.push(ExchangePhase { name, from, to });
            from = to;
        }
        phases
    }
}
