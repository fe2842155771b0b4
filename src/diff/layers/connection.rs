//! The connections of two exchanges: where to, through what, under which TLS.

use crate::diff::change::{Change, Value};
use crate::diff::sheet::Sheet;
use crate::span::StreamSide;
use crate::tape::{ConnectionFact, Tape, TlsSession};

/// What differs between them.
pub(in crate::diff) fn compare(left: &Tape, right: &Tape) -> Vec<Change> {
    sheet(left).compare(&sheet(right))
}

fn sheet(tape: &Tape) -> Sheet {
    let mut sheet = Sheet::default();
    sheet.text("url", Some(tape.origin.url.as_str()));
    sheet.text("via", Some(tape.origin.via.as_str()));
    sheet.text("tool", Some(tape.origin.tool.as_str()));
    let mut tried = 0u64;
    for (_, fact) in &tape.facts {
        match fact {
            ConnectionFact::Resolved { host, addrs } => {
                sheet.text("host", Some(host.as_str()));
                sheet.text("addresses", Some(addrs.join(", ")));
            }
            ConnectionFact::Tried { .. } => tried = tried.saturating_add(1),
            ConnectionFact::Connected { peer, local } => {
                sheet.text("address", Some(peer.as_str()));
                sheet.text("own address", Some(local.as_str()));
            }
            ConnectionFact::Tunnelled { proxy, .. } => sheet.text("proxy", Some(proxy.as_str())),
            ConnectionFact::Secured(secured) => tls(&mut sheet, secured),
            ConnectionFact::Reused {} => sheet.text("reused", Some("yes")),
            // What the peer sets, such as a cookie, is new each time.
            ConnectionFact::Redacted {
                rule,
                side: StreamSide::Sent,
                fingerprint,
                ..
            } if !fingerprint.is_empty() => {
                sheet.text(&format!("key ({rule})"), Some(fingerprint.as_str()));
            }
            // How it ended is told with the framing.
            ConnectionFact::Redacted { .. }
            | ConnectionFact::Closed { .. }
            | ConnectionFact::Failed { .. } => {}
        }
    }
    sheet.count("addresses tried in vain", (tried > 0).then_some(tried));
    sheet
}

fn tls(sheet: &mut Sheet, secured: &TlsSession) {
    sheet.text("TLS version", Some(secured.version.as_str()));
    sheet.text("TLS cipher", Some(secured.cipher.as_str()));
    sheet.text("TLS group", secured.group.as_deref());
    sheet.text("ALPN", secured.alpn.as_deref());
    sheet.text("server name", secured.sni.as_deref());
    let checked = if secured.verified { "yes" } else { "no" };
    sheet.put("verified", Some(Value::Text(checked.to_owned())));
    if let Some(leaf) = secured.chain.first() {
        sheet.text("certificate", Some(leaf.subject.as_str()));
        sheet.text("certificate issuer", Some(leaf.issuer.as_str()));
        sheet.text("certificate until", Some(leaf.not_after.as_str()));
        sheet.text("certificate SHA-256", Some(leaf.sha256.as_str()));
    }
    sheet.count("certificates", Some(secured.chain.len() as u64));
}
