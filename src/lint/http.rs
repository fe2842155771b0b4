//! Rules about the heads and the framing of a call, where the reader of HTTP does not see them: they need the request, the
//! outcome or the media type.

use super::finding::{Finding, FindingPlace};
use super::{CallCheck, CallView};
use crate::chat::{AnswerPlace, BodyMediaType};
use crate::exchange::ExchangeOutcome;
use crate::http1::{BodyFraming, HttpMessage};
use crate::span::Span;

pub(super) const CHECKS: &[CallCheck] = &[
    body_cut,
    encoding_unasked,
    html_instead,
    retry_after_hours,
    redirect,
    switched_protocols,
    model_in_head,
];

/// Longest wait that SDKs obey without a rule of their own: those of OpenAI and Anthropic wait 60 s at most.
const LONGEST_SDK_WAIT: u64 = 60_000_000;

/// The value of a field as text; empty where there is none.
pub(super) fn field(message: &HttpMessage, name: &str) -> String {
    let value = message.head.get(name).unwrap_or_default();
    String::from_utf8_lossy(&value).trim().to_owned()
}

fn body_cut(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let exchange = call.exchange;
    let ExchangeOutcome::Cut { missing, error, .. } = exchange.outcome() else {
        return;
    };
    let (id, place, facts) = match exchange.response.framing {
        // A WebSocket has a rule of its own.
        _ if exchange.websocket.is_some() => return,
        None => return,
        Some(BodyFraming::Length(announced)) => (
            "http-content-length-differs",
            FindingPlace::response_field("Content-Length"),
            vec![
                ("announced", announced.to_string()),
                (
                    "received",
                    announced
                        .saturating_sub(missing.unwrap_or_default())
                        .to_string(),
                ),
            ],
        ),
        Some(_) => {
            let end = call.meaning.map_or(0, |meaning| meaning.completion.bytes);
            let place = AnswerPlace::bytes(Span::empty_at(end));
            ("http-body-cut", place.into(), vec![("error", error)])
        }
    };
    findings.extend(Finding::new(id, place, facts));
}

fn encoding_unasked(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let coding = field(&call.exchange.response, "content-encoding");
    let accepted = field(&call.exchange.request, "accept-encoding").to_ascii_lowercase();
    let refuses = accepted.is_empty() || accepted == "identity";
    if !coding.is_empty() && !coding.eq_ignore_ascii_case("identity") && refuses {
        let place = FindingPlace::response_field("Content-Encoding");
        let facts = vec![("coding", coding)];
        findings.extend(Finding::new("http-encoding-unasked", place, facts));
    }
}

fn html_instead(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let Some(meaning) = call.meaning else { return };
    let completion = &meaning.completion;
    let is_success = completion.status.is_some_and(|status| status < 300);
    if completion.media == BodyMediaType::Html && is_success && completion.dialect.is_some() {
        let title = completion.errors.first().map(|error| error.message.clone());
        let facts = vec![("title", title.unwrap_or_default())];
        findings.extend(Finding::new(
            "http-html-instead",
            FindingPlace::default(),
            facts,
        ));
    }
}

fn retry_after_hours(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let Some(service) = call.meaning.map(|meaning| &meaning.service) else {
        return;
    };
    let Some(wait) = service.retry.requested_wait() else {
        return;
    };
    let micros = wait.until.wait_micros(service.date).unwrap_or_default();
    if micros > LONGEST_SDK_WAIT {
        let facts = vec![("wait", format!("{} s", micros.div_euclid(1_000_000)))];
        let place = FindingPlace::response_field(&wait.field);
        findings.extend(Finding::new("http-retry-after-hours", place, facts));
    }
}

fn redirect(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let response = &call.exchange.response;
    let location = field(response, "location");
    let Some(status @ 300..=399) = response.status() else {
        return;
    };
    if !location.is_empty() {
        let facts = vec![("location", location), ("status", status.to_string())];
        let place = FindingPlace::response_field("Location");
        findings.extend(Finding::new("http-redirect", place, facts));
    }
}

fn switched_protocols(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let response = &call.exchange.response;
    if response.status() != Some(101) || call.is_websocket() {
        return;
    }
    let facts = vec![
        ("protocol", field(response, "upgrade")),
        ("bytes", call.exchange.bytes_after_end.to_string()),
        ("text", String::new()),
    ];
    let place = FindingPlace::response_field("Upgrade");
    findings.extend(Finding::new("http-switched-protocols", place, facts));
}

/// Azure's Responses name the alias in the body, and the model that served in the head.
fn model_in_head(call: CallView<'_>, findings: &mut Vec<Finding>) {
    let served = field(&call.exchange.response, "x-ms-served-model");
    let Some(meaning) = call.meaning else { return };
    let known = [
        &meaning.completion.asked_model,
        &meaning.completion.served_model,
    ];
    let is_new = known.iter().all(|known| known.as_ref() != Some(&served));
    if !served.is_empty() && is_new {
        let place = FindingPlace::response_field("x-ms-served-model");
        findings.extend(Finding::new(
            "model-differs-in-head",
            place,
            vec![("model", served)],
        ));
    }
}
