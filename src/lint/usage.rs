//! Rules about token counts and money.

use super::finding::{Finding, FindingPlace};
use super::{CallCheck, CallView};
use crate::chat::Completion;

pub(super) const CHECKS: &[CallCheck] = &[check_usage];

fn check_usage(call: CallView<'_>, findings: &mut Vec<Finding>) {
    if let Some(completion) = call.answer() {
        findings.extend(zero_input(completion));
        findings.extend(missing_usage(completion));
        findings.extend(billed_requests(completion));
    }
}

fn zero_input(completion: &Completion) -> Option<Finding> {
    let input = completion.usage.as_ref()?.input?;
    let is_wrong = input == 0 && completion.asked.has_prompt;
    let place = completion.usage_place.into();
    is_wrong.then(|| Finding::new("usage-zero-input", place, vec![]))?
}

/// A Chat Completions stream without token counts: against the request, or because the request did not ask for them.
fn missing_usage(completion: &Completion) -> Option<Finding> {
    let on_request = completion.dialect?.counts_on_request;
    let ended = completion.done
        || completion
            .choices
            .iter()
            .any(|choice| choice.finish.is_some());
    let is_missing = completion.usage.is_none() && completion.is_streamed();
    if !on_request || !ended || !is_missing || !completion.errors.is_empty() {
        return None;
    }
    if completion.asked.include_usage {
        let place = FindingPlace::request("/stream_options/include_usage");
        return Finding::new("asked-usage-none-came", place, vec![]);
    }
    Finding::new("usage-not-asked", FindingPlace::default(), vec![])
}

/// Counts of requests that are billed on top of tokens: end of the count's name, what it counts.
const BILLED_REQUESTS: &[(&str, &str)] = &[
    ("web_search_requests", "web searches"),
    ("web_fetch_requests", "web fetches"),
    ("code_execution_requests", "code executions"),
    ("num_search_queries", "searches"),
    ("num_sources_used", "searched sources"),
    ("search_units", "search units"),
];

/// Requests that are billed on top of the tokens; the table of prices does not have them.
fn billed_requests(completion: &Completion) -> Vec<Finding> {
    let usage = completion.usage.as_ref();
    let counts = usage.into_iter().flat_map(|usage| &usage.named);
    let billed = counts
        .filter(|(_, count)| *count > 0)
        .filter_map(|(name, count)| {
            let (_, what) = BILLED_REQUESTS
                .iter()
                .find(|(end, _)| name.ends_with(end))?;
            let facts = vec![("count", count.to_string()), ("what", (*what).to_owned())];
            Finding::new(
                "cost-of-requests-missing",
                completion.usage_place.into(),
                facts,
            )
        });
    billed.collect()
}
