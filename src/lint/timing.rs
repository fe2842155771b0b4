//! Rules about arrival times.

use super::finding::Finding;
use super::{CallCheck, CallView};
use crate::chat::AnswerPlace;

pub(super) const CHECKS: &[CallCheck] = &[silence, one_piece];

/// Longest wait inside an answer without a finding, in microseconds: proxies and SDKs with a limit on idle connections cut
/// at 30 or 60 s.
const LONGEST_SILENCE: u64 = 30_000_000;

/// Bytes from which a text is expected in more than one event: some forty tokens.
const LONG_TEXT: u64 = 200;

fn silence(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let Some(silence) = call.meaning.and_then(|meaning| meaning.timeline.silence) else {
        return;
    };
    if silence.micros < LONGEST_SILENCE {
        return;
    }
    let facts = vec![
        ("duration", format!("{:.1} s", silence.micros as f64 / 1e6)),
        ("event", silence.event.to_string()),
    ];
    let place = AnswerPlace {
        event: Some(silence.event),
        span: Some(silence.span),
        at: Some(silence.from),
    };
    findings.extend(Finding::new("timing-silence", place.into(), facts));
}

fn one_piece(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let Some(meaning) = call.meaning else { return };
    let completion = &meaning.completion;
    let [choice] = completion.choices.as_slice() else {
        return;
    };
    let is_long = choice.text_bytes >= LONG_TEXT && choice.tool_calls.is_empty();
    if completion.is_streamed() && meaning.timeline.content_events == 1 && is_long {
        let (sent, first) = (call.exchange.sent.last, meaning.timeline.first_content);
        let wait = sent
            .zip(first)
            .map(|(sent, first)| first.micros_since(sent));
        let wait = wait.filter(|wait| *wait > 1_000_000);
        let wait = wait.map(|wait| format!(", after {:.1} s", wait as f64 / 1e6));
        let facts = vec![
            ("bytes", choice.text_bytes.to_string()),
            ("wait", wait.unwrap_or_default()),
        ];
        findings.extend(Finding::new(
            "timing-one-piece",
            choice.text_place.into(),
            facts,
        ));
    }
}
