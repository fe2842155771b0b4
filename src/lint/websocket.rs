//! Findings about the frames and messages of a WebSocket connection, and about its end.

use super::finding::{Finding, FindingPlace};
use super::{CallCheck, CallView};
use crate::call::websocket::WebSocketSession;
use crate::exchange::ExchangeOutcome;
use crate::websocket::FrameFault;

pub(super) const CHECKS: &[CallCheck] = &[not_closed];

fn not_closed(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let outcome = call.exchange.outcome();
    if let (Some(_), ExchangeOutcome::Cut { error, .. }) = (&call.exchange.websocket, outcome) {
        let facts = vec![("error", error)];
        findings.extend(Finding::new(
            "websocket-not-closed",
            FindingPlace::default(),
            facts,
        ));
    }
}

/// The rules of RFC 6455 and RFC 7692 that the messages of a connection break.
pub fn check_websocket(session: &WebSocketSession) -> Vec<Finding> {
    let messages = session.messages.iter();
    let faults = messages.flat_map(|own| own.message.faults.iter().map(|found| (own.side, found)));
    let findings = faults.filter_map(|(side, found)| {
        let rule = match found.fault {
            FrameFault::OverLimit => "websocket-limit",
            _ => "websocket-protocol",
        };
        let facts = vec![
            ("side", side.to_string()),
            ("span", found.at.to_string()),
            ("fault", found.fault.explain().to_owned()),
            ("clause", found.fault.clause().to_owned()),
        ];
        Finding::new(rule, FindingPlace::wire(side, found.at), facts)
    });
    findings.collect()
}
