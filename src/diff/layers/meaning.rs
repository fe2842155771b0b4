//! What two answers mean: models, words, calls, ends, counts, cost.

use crate::call::meaning::{Priced, Report};
use crate::chat::{ApiError, Choice, Completion, Usage};
use crate::diff::change::{Change, Value, What};
use crate::diff::sheet::Sheet;
use crate::diff::structure;

/// What differs between them.
pub(in crate::diff) fn compare(left: &Report, right: &Report) -> Vec<Change> {
    let mut changes = sheet(left).compare(&sheet(right));
    // Arguments of a tool call are JSON in a string: told by what differs inside.
    let mut told = Vec::with_capacity(changes.len());
    for change in changes.drain(..) {
        match arguments(&change) {
            Some(inside) => told.extend(inside),
            None => told.push(change),
        }
    }
    told
}

/// The end of the name under which the arguments of a call are noted.
const ARGUMENTS: &str = " arguments";

fn arguments(change: &Change) -> Option<Vec<Change>> {
    let is_arguments = change.what == What::Changed && change.at.ends_with(ARGUMENTS);
    let (Value::Text(left), Value::Text(right)) =
        (&change.left.as_ref()?.value, &change.right.as_ref()?.value)
    else {
        return None;
    };
    let inside = structure::compare(left.as_bytes(), right.as_bytes());
    let (mut inside, _) = inside.filter(|_| is_arguments)?;
    if inside.is_empty() {
        // Other white space.
        let respelled = Change {
            what: What::Respelled,
            ..change.clone()
        };
        return Some(vec![respelled]);
    }
    for one in &mut inside {
        one.at = format!("{}{}", change.at, one.at);
        one.group = change.group;
    }
    Some(inside)
}

fn sheet(report: &Report) -> Sheet {
    let mut sheet = Sheet::default();
    let completion = &report.completion;
    identity(&mut sheet, completion);
    let several = completion.choices.len() > 1;
    for one in &completion.choices {
        choice(&mut sheet, one, several);
    }
    if let Some(usage) = &completion.usage {
        tokens(&mut sheet, usage);
    }
    if let Priced::Known { cost, .. } = &report.cost {
        sheet.text("cost", Some(cost.total.to_string()));
    }
    if let Some(cost) = &completion.cost {
        sheet.text("cost by the provider", Some(format!("${}", cost.usd)));
    }
    for one in &completion.errors {
        error(&mut sheet, one);
    }
    for note in &completion.notes {
        sheet.text("note", Some(note.text.as_str()));
    }
    sheet.text("verdict", Some(completion.verdict.to_string()));
    sheet
}

fn identity(sheet: &mut Sheet, completion: &Completion) {
    sheet.text("dialect", completion.dialect);
    sheet.text("provider", completion.provider);
    sheet.count("status", completion.status.map(u64::from));
    sheet.text("id", completion.id.as_deref());
    sheet.text("asked model", completion.asked_model.as_deref());
    sheet.text("served model", completion.served_model.as_deref());
    sheet.text(
        "system fingerprint",
        completion.system_fingerprint.as_deref(),
    );
    sheet.text("service tier", completion.service_tier.as_deref());
}

fn choice(sheet: &mut Sheet, choice: &Choice, numbered: bool) {
    let at = |name: &str| match numbered {
        true => format!("choice {} {name}", choice.index),
        false => name.to_owned(),
    };
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    sheet.text(&at("role"), choice.role.as_deref());
    sheet.text(&at("reasoning"), some(&choice.reasoning));
    sheet.text(&at("text"), some(&choice.text));
    sheet.text(&at("refusal"), choice.refusal.as_deref());
    for (n, call) in choice.tool_calls.iter().enumerate() {
        let of = at(&format!("tool call {n}"));
        sheet.text(&of, Some(call.name.as_str()));
        sheet.text(&format!("{of} id"), call.id.as_deref());
        sheet.text(&format!("{of}{ARGUMENTS}"), Some(call.arguments.as_str()));
        if call.hosted {
            sheet.text(&format!("{of} hosted"), Some("yes"));
        }
    }
    for citation in &choice.citations {
        sheet.text(&at("citation"), Some(citation.source.as_str()));
    }
    let finish = choice.finish.as_ref();
    sheet.text(&at("finish"), finish.map(|finish| finish.named.as_str()));
    sheet.text(&at("log probabilities"), choice.logprobs.then_some("yes"));
    sheet.text(&at("audio"), choice.audio.then_some("yes"));
}

fn tokens(sheet: &mut Sheet, usage: &Usage) {
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
        sheet.count(name, count);
    }
}

fn error(sheet: &mut Sheet, error: &ApiError) {
    sheet.text("error type", error.class.as_deref());
    let code = error.code.as_ref().map(ToString::to_string);
    sheet.text("error code", code);
    sheet.text("error param", error.param.as_deref());
    sheet.text("error", Some(error.message.as_str()));
}
