//! The meaning of two answers: models, texts, tool calls, finish reasons, token counts, cost.

use crate::call::Call;
use crate::call::meaning::CostEstimate;
use crate::chat::{AnswerChoice, ApiError, Completion, TokenUsage};
use crate::diff::fact_sheet::FactSheet;
use crate::lint::check_call;

/// Returns the models, texts, tool calls, tokens and cost of an answer. Arguments of tool calls are compared as JSON.
pub(crate) fn collect_facts(call: &Call) -> FactSheet {
    let report = &call.meaning;
    let mut sheet = FactSheet::default();
    let completion = &report.completion;
    add_identity(&mut sheet, completion);
    let several = completion.choices.len() > 1;
    for one in &completion.choices {
        add_choice(&mut sheet, one, several);
    }
    if let Some(usage) = &completion.usage {
        add_token_counts(&mut sheet, usage);
    }
    if let CostEstimate::Known { cost, .. } = &report.cost {
        sheet.put_text("cost", Some(cost.total.to_string()));
    }
    if let Some(cost) = &completion.cost {
        sheet.put_text("cost by the provider", Some(format!("${}", cost.usd)));
    }
    for one in &completion.errors {
        add_error(&mut sheet, one);
    }
    // Odd bytes on the wire are facts of other layers.
    let findings = check_call(call.into());
    for finding in findings
        .iter()
        .filter(|finding| !finding.is_about_exchange())
    {
        sheet.put_text("note", Some(finding.rule.id));
    }
    sheet.put_text("verdict", Some(completion.verdict.to_string()));
    sheet
}

fn add_identity(sheet: &mut FactSheet, completion: &Completion) {
    sheet.put_text("dialect", completion.dialect_name());
    sheet.put_text("provider", completion.provider);
    sheet.put_count("status", completion.status.map(u64::from));
    sheet.put_text("id", completion.id.as_deref());
    sheet.put_text("asked model", completion.asked_model.as_deref());
    sheet.put_text("served model", completion.served_model.as_deref());
    sheet.put_text(
        "system fingerprint",
        completion.system_fingerprint.as_deref(),
    );
    sheet.put_text("service tier", completion.service_tier.as_deref());
}

fn add_choice(sheet: &mut FactSheet, choice: &AnswerChoice, numbered: bool) {
    let at = |name: &str| match numbered {
        true => format!("choice {} {name}", choice.index),
        false => name.to_owned(),
    };
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    sheet.put_text(at("role"), choice.role.as_deref());
    sheet.put_text(at("reasoning"), some(&choice.reasoning));
    sheet.put_text(at("text"), some(&choice.text));
    sheet.put_text(at("refusal"), choice.refusal.as_deref());
    for (n, call) in choice.tool_calls.iter().enumerate() {
        let of = at(&format!("tool call {n}"));
        sheet.put_text(of.clone(), Some(call.name.as_str()));
        sheet.put_text(format!("{of} id"), call.id.as_deref());
        sheet.put_json_text(format!("{of} arguments"), &call.arguments);
        sheet.put_text(format!("{of} hosted"), call.hosted.then_some("yes"));
    }
    for citation in &choice.citations {
        sheet.put_text(at("citation"), Some(citation.source.as_str()));
    }
    let finish = choice.finish.as_ref();
    sheet.put_text(at("finish"), finish.map(|finish| finish.named.as_str()));
    sheet.put_text(at("log probabilities"), choice.logprobs.then_some("yes"));
    sheet.put_text(at("audio"), choice.audio.then_some("yes"));
}

fn add_token_counts(sheet: &mut FactSheet, usage: &TokenUsage) {
    let counts = [
        ("input tokens", usage.input),
        ("cached input tokens", usage.cached_input),
        ("tokens written to cache", usage.cache_write),
        ("output tokens", usage.output),
        ("reasoning tokens", usage.reasoning),
        ("audio input tokens", usage.audio_input),
        ("audio output tokens", usage.audio_output),
    ];
    for (name, count) in counts {
        sheet.put_count(name, count);
    }
}

fn add_error(sheet: &mut FactSheet, error: &ApiError) {
    sheet.put_text("error type", error.class.as_deref());
    let code = error.code.as_ref().map(ToString::to_string);
    sheet.put_text("error code", code);
    sheet.put_text("error param", error.param.as_deref());
    sheet.put_text("error", Some(error.message.as_str()));
}
