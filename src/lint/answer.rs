//! Rules about the answer as a whole, and about the pair of request and answer.

use super::finding::{Finding, FindingPlace};
use super::tool_markup::find_markup;
use super::{CallCheck, CallView};
use crate::chat::{
    AnswerChoice, AnswerVerdict, Completion, FinishKind, FinishReason, ModelMatch,
    ToolArgumentCheck,
};

pub(super) const CHECKS: &[CallCheck] = &[check_answer];

/// A rule over an answer that ended.
type AnswerCheck = fn(&Completion, &mut Vec<Finding>);

const ANSWER_CHECKS: &[AnswerCheck] = &[
    empty_answer,
    only_reasoning,
    text_equals_reasoning,
    limit_reached,
    model_replaced,
    tier_not_as_asked,
    finish_reasons,
    tool_calls,
    tool_markup,
    vector_form,
];

fn check_answer(call: CallView<'_>, findings: &mut Vec<Finding>) {
    if let Some(completion) = call.answer() {
        for check in ANSWER_CHECKS {
            check(completion, findings);
        }
    }
}

fn finishes(completion: &Completion) -> impl Iterator<Item = (&AnswerChoice, &FinishReason)> {
    let choices = completion.choices.iter();
    choices.filter_map(|choice| Some((choice, choice.finish.as_ref()?)))
}

fn empty_answer(completion: &Completion, findings: &mut Vec<Finding>) {
    let calls = finishes(completion).any(|(_, finish)| finish.kind == FinishKind::ToolCalls);
    if completion.verdict == AnswerVerdict::Empty && !calls {
        findings.extend(Finding::new(
            "answer-empty-but-complete",
            FindingPlace::default(),
            vec![],
        ));
    }
}

fn only_reasoning(completion: &Completion, findings: &mut Vec<Finding>) {
    let usage = completion.usage.as_ref();
    let output = usage
        .and_then(|usage| usage.output)
        .filter(|output| *output > 0);
    let reasoning = usage.and_then(|usage| usage.reasoning);
    let is_empty = |choice: &AnswerChoice| choice.text_bytes == 0 && choice.tool_calls.is_empty();
    let empty = !completion.choices.is_empty() && completion.choices.iter().all(is_empty);
    if let Some(output) = output.filter(|output| empty && reasoning >= Some(*output)) {
        let facts = vec![("tokens", output.to_string())];
        findings.extend(Finding::new(
            "only-reasoning",
            completion.usage_place.into(),
            facts,
        ));
    }
}

fn text_equals_reasoning(completion: &Completion, findings: &mut Vec<Finding>) {
    for choice in &completion.choices {
        let (text, reasoning) = (choice.text.trim(), choice.reasoning.trim());
        let is_whole = choice.text.len() as u64 == choice.text_bytes;
        if is_whole && !text.is_empty() && text == reasoning {
            let place = choice.text_place.into();
            findings.extend(Finding::new("text-equals-reasoning", place, vec![]));
        }
    }
}

fn limit_reached(completion: &Completion, findings: &mut Vec<Finding>) {
    if !completion.reached_limit() {
        return;
    }
    let output = completion.usage.as_ref().and_then(|usage| usage.output);
    let finish = finishes(completion)
        .next()
        .map(|(_, finish)| finish.named.clone());
    let facts = vec![
        ("tokens", output.unwrap_or_default().to_string()),
        (
            "limit",
            completion.asked.token_limit.unwrap_or_default().to_string(),
        ),
        ("finish", finish.unwrap_or_else(|| "none".to_owned())),
    ];
    let finish_place = finishes(completion).next().map(|(_, finish)| finish.place);
    let place = finish_place.filter(|_| completion.is_streamed());
    let place = place.unwrap_or(completion.usage_place).into();
    findings.extend(Finding::new("max-tokens-reached-but-stop", place, facts));
}

fn model_replaced(completion: &Completion, findings: &mut Vec<Finding>) {
    if completion.model_match != Some(ModelMatch::Different) {
        return;
    }
    let name = |model: &Option<String>| model.clone().unwrap_or_default();
    let facts = vec![
        ("asked", name(&completion.asked_model)),
        ("served", name(&completion.served_model)),
    ];
    let place = completion.model_place.into();
    findings.extend(Finding::new("model-replaced", place, facts));
}

fn tier_not_as_asked(completion: &Completion, findings: &mut Vec<Finding>) {
    let (Some(asked), Some(served)) = (&completion.asked.service_tier, &completion.service_tier)
    else {
        return;
    };
    // `auto` leaves the choice to the server; `standard_only` is served as `standard`.
    let is_open = asked == "auto" || asked.starts_with(served.as_str());
    if !is_open && !served.eq_ignore_ascii_case(asked) {
        let facts = vec![("asked", asked.clone()), ("served", served.clone())];
        let place = completion.tier_place.into();
        findings.extend(Finding::new("tier-not-as-asked", place, facts));
    }
}

fn finish_reasons(completion: &Completion, findings: &mut Vec<Finding>) {
    let names_calls = completion
        .dialect
        .is_some_and(|dialect| dialect.finish_names_calls);
    for (choice, finish) in finishes(completion) {
        let place = || finish.place.into();
        let named = || vec![("finish", finish.named.clone())];
        let calls = choice.tool_calls.iter().any(|call| !call.hosted);
        if !finish.is_known() {
            findings.extend(Finding::new("finish-unknown", place(), named()));
        }
        if finish.named.contains("MALFORMED_FUNCTION_CALL") {
            let message = finish
                .message
                .as_ref()
                .map(|message| format!(": {message}"));
            let facts = vec![("message", message.unwrap_or_default())];
            findings.extend(Finding::new("finish-malformed-call", place(), facts));
        }
        if finish.says(FinishKind::ToolCalls) && choice.tool_calls.is_empty() {
            findings.extend(Finding::new("finish-calls-without-call", place(), named()));
        }
        // A forced call ends with `stop` by design (OpenAI, tool_choice).
        let is_plain = finish.says(FinishKind::Stop);
        if is_plain && calls && names_calls && !completion.asked.forces_tool {
            findings.extend(Finding::new("call-but-finish-stop", place(), named()));
        }
    }
}

fn tool_calls(completion: &Completion, findings: &mut Vec<Finding>) {
    let offered = completion
        .asked
        .tools
        .as_ref()
        .filter(|_| completion.asked.has_prompt);
    for call in completion
        .choices
        .iter()
        .flat_map(|choice| &choice.tool_calls)
    {
        let tool = || ("tool", call.name.clone());
        if let ToolArgumentCheck::Broken { at, error } = &call.check {
            let facts = vec![tool(), ("error", error.clone()), ("offset", at.to_string())];
            findings.extend(Finding::new(
                "tool-arguments-not-json",
                call.place.into(),
                facts,
            ));
        }
        let is_offered = |names: &Vec<String>| names.contains(&call.name);
        if !call.hosted && !call.name.is_empty() && offered.is_some_and(|names| !is_offered(names))
        {
            findings.extend(Finding::new(
                "tool-not-offered",
                call.place.into(),
                vec![tool()],
            ));
        }
    }
}

fn tool_markup(completion: &Completion, findings: &mut Vec<Finding>) {
    let Some(tools) = completion
        .asked
        .tools
        .as_ref()
        .filter(|tools| !tools.is_empty())
    else {
        return;
    };
    for choice in completion
        .choices
        .iter()
        .filter(|choice| choice.tool_calls.is_empty())
    {
        if let Some(markup) = find_markup(&choice.text, tools) {
            let facts = vec![("markup", markup.to_owned())];
            let place = choice.text_place.into();
            findings.extend(Finding::new("tool-markup-in-text", place, facts));
        }
    }
}

fn vector_form(completion: &Completion, findings: &mut Vec<Finding>) {
    let Some(vectors) = completion.vectors else {
        return;
    };
    let asked = completion
        .asked
        .encoding_format
        .as_deref()
        .unwrap_or("float");
    let served = if vectors.is_base64 { "base64" } else { "float" };
    if asked != served {
        let facts = vec![("asked", asked.to_owned()), ("served", served.to_owned())];
        findings.extend(Finding::new(
            "embeddings-form-differs",
            FindingPlace::default(),
            facts,
        ));
    }
}
