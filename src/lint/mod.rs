//! Findings: everything about a call that a user should know beside its answer, from one table of rules.
//!
//! ```text
//!  decoders, answer reader --> oddities, notes --+
//!                                                +--> check_call --> Vec<Finding> --> every view
//!  rules over a whole call (one file a layer) ---+
//! ```
//!
//! `rules.txt` is the table: words, severity, source, and the clients that break. A rule about single events is noticed by
//! the reader of the answer, which sees each event once and in bounded memory; a rule about the whole call is a function in
//! the file of its layer: `http`, `answer`, `usage`, `timing`, `request`; a rule about several calls is in `sequence`.
//! A new rule is a block in the table and one of the two.

mod answer;
mod finding;
mod http;
mod request;
mod rule;
mod secrets;
pub mod sequence;
mod timing;
mod tool_markup;
mod usage;
mod websocket;

#[cfg(test)]
mod tests;

pub use finding::{Finding, FindingCounts, FindingPlace, WirePlace};
pub use rule::{Legality, Rule, RuleLayer, all_rules, find_rule};
pub use websocket::check_websocket;

use crate::call::Call;
use crate::call::meaning::CallMeaning;
use crate::capture::CaptureNote;
use crate::chat::{AnswerVerdict, BodyMediaType, Completion, Severity};
use crate::content::DecodeError;
use crate::exchange::Exchange;

/// What the rules look at: a call, whole or read while it arrived.
#[derive(Clone, Copy, Debug)]
pub struct CallView<'a> {
    /// The HTTP messages.
    pub exchange: &'a Exchange,
    /// The request's body, content codings undone; empty if it was not kept.
    pub request_body: &'a [u8],
    /// Why the response's body could not be decoded.
    pub decode_error: Option<&'a DecodeError>,
    /// The meaning of the call; `None` if its response has no head.
    pub meaning: Option<&'a CallMeaning>,
    /// Lines of the capture file that were not read.
    pub capture_notes: &'a [CaptureNote],
}

impl<'a> CallView<'a> {
    /// Whether this is a WebSocket connection, or a call on one, which has no head of its own.
    fn is_websocket(&self) -> bool {
        let media = self.meaning.map(|meaning| meaning.completion.media);
        self.exchange.websocket.is_some() || media == Some(BodyMediaType::WebSocket)
    }

    /// The answer of a known dialect, unless the status says that it is an error.
    fn answer(&self) -> Option<&'a Completion> {
        let completion = &self.meaning?.completion;
        let is_success = completion.status.is_none_or(|status| status < 400);
        (completion.dialect.is_some() && is_success).then_some(completion)
    }
}

impl<'a> From<&'a Call> for CallView<'a> {
    fn from(call: &'a Call) -> Self {
        Self {
            exchange: &call.exchange,
            request_body: &call.request_body.bytes,
            decode_error: call.response_body.error.as_ref(),
            meaning: Some(&call.meaning),
            capture_notes: &call.capture_notes,
        }
    }
}

/// A rule over a whole call.
type CallCheck = fn(CallView<'_>, &mut Vec<Finding>);

/// The checks of all layers, in the order in which their findings are shown.
const CHECKS: &[&[CallCheck]] = &[
    finding::CHECKS,
    secrets::CHECKS,
    http::CHECKS,
    websocket::CHECKS,
    request::CHECKS,
    answer::CHECKS,
    usage::CHECKS,
    timing::CHECKS,
];

/// The findings about lines of a capture file that were not read.
pub fn capture_findings(notes: &[CaptureNote]) -> Vec<Finding> {
    notes
        .iter()
        .filter_map(Finding::from_capture_note)
        .collect()
}

/// All findings of a call, in the order of their layers.
pub fn check_call(call: CallView<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for check in CHECKS.iter().copied().flatten() {
        check(call, &mut findings);
    }
    findings.sort_by_key(|finding| finding.rule.layer);
    findings
}

/// The findings of one call, with its name and verdict.
#[derive(Clone, Debug)]
pub struct LintedCall {
    /// The file or id of the capture.
    pub name: String,
    /// How the answer ended.
    pub verdict: AnswerVerdict,
    /// Its findings.
    pub findings: Vec<Finding>,
}

/// Which findings are wanted. A word is a rule or a layer.
#[derive(Clone, Debug)]
pub struct FindingFilter {
    only: Vec<String>,
    ignore: Vec<String>,
    least: Severity,
}

impl FindingFilter {
    /// A filter for the rules and layers `only` (all if empty) without `ignore`, from the severity `least` on.
    ///
    /// # Errors
    ///
    /// The first word that is neither a rule nor a layer.
    pub fn new(only: &[String], ignore: &[String], least: Severity) -> Result<Self, String> {
        let is_known = |word: &str| find_rule(word).is_some() || RuleLayer::find(word).is_some();
        if let Some(unknown) = only.iter().chain(ignore).find(|word| !is_known(word)) {
            return Err(unknown.clone());
        }
        Ok(Self {
            only: only.to_vec(),
            ignore: ignore.to_vec(),
            least,
        })
    }

    /// Whether `finding` is wanted.
    pub fn shows(&self, finding: &Finding) -> bool {
        let rule = finding.rule;
        let names = |words: &[String]| {
            let mut words = words.iter();
            words.any(|word| word == rule.id || RuleLayer::find(word) == Some(rule.layer))
        };
        finding.severity >= self.least
            && (self.only.is_empty() || names(&self.only))
            && !names(&self.ignore)
    }
}
