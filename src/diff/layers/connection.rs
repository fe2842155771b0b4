//! The connections of two exchanges: addresses, proxies, TLS.

use crate::call::Call;
use crate::diff::change::DiffValue;
use crate::diff::fact_sheet::FactSheet;
use crate::span::StreamSide;
use crate::tape::{ConnectionFact, TlsSession};

/// Returns the addresses, proxy, TLS session and key of a connection.
pub(crate) fn collect_facts(call: &Call) -> FactSheet {
    let tape = &call.tape;
    let mut sheet = FactSheet::default();
    sheet.put_text("url", Some(tape.origin.url.as_str()));
    sheet.put_text("via", Some(tape.origin.via.as_str()));
    sheet.put_text("tool", Some(tape.origin.tool.as_str()));
    let mut tried = 0u64;
    for (_, fact) in &tape.facts {
        match fact {
            ConnectionFact::Resolved { host, addrs } => {
                sheet.put_text("host", Some(host.as_str()));
                sheet.put_text("addresses", Some(addrs.join(", ")));
            }
            ConnectionFact::Tried { .. } => tried = tried.saturating_add(1),
            ConnectionFact::Connected { peer, local } => {
                sheet.put_text("address", Some(peer.as_str()));
                sheet.put_text("own address", Some(local.as_str()));
            }
            ConnectionFact::Tunnelled { proxy, .. } => {
                sheet.put_text("proxy", Some(proxy.as_str()))
            }
            ConnectionFact::Secured(secured) => add_tls_facts(&mut sheet, secured),
            ConnectionFact::Replied { reason, .. } => {
                sheet.put_text("answered by the recorder", Some(reason.as_str()));
            }
            ConnectionFact::Reused {} => sheet.put_text("reused", Some("yes")),
            // A secret that the peer sets, such as a cookie, is new each time.
            ConnectionFact::Redacted {
                rule,
                side: StreamSide::Sent,
                fingerprint,
                ..
            } if !fingerprint.is_empty() => {
                sheet.put_text(format!("key ({rule})"), Some(fingerprint.as_str()));
            }
            // The end of the connection is reported in the framing layer.
            ConnectionFact::Redacted { .. }
            | ConnectionFact::Edited { .. }
            | ConnectionFact::Closed { .. }
            | ConnectionFact::Failed { .. } => {}
        }
    }
    sheet.put_count("addresses tried in vain", (tried > 0).then_some(tried));
    sheet
}

fn add_tls_facts(sheet: &mut FactSheet, secured: &TlsSession) {
    sheet.put_text("TLS version", Some(secured.version.as_str()));
    sheet.put_text("TLS cipher", Some(secured.cipher.as_str()));
    sheet.put_text("TLS group", secured.group.as_deref());
    sheet.put_text("ALPN", secured.alpn.as_deref());
    sheet.put_text("server name", secured.sni.as_deref());
    let checked = if secured.verified { "yes" } else { "no" };
    sheet.put("verified", Some(DiffValue::Text(checked.to_owned())));
    if let Some(leaf) = secured.chain.first() {
        sheet.put_text("certificate", Some(leaf.subject.as_str()));
        sheet.put_text("certificate issuer", Some(leaf.issuer.as_str()));
        sheet.put_text("certificate until", Some(leaf.not_after.as_str()));
        sheet.put_text("certificate SHA-256", Some(leaf.sha256.as_str()));
    }
    sheet.put_count("certificates", Some(secured.chain.len() as u64));
}
