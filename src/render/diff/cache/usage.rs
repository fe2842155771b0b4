//! The cached tokens that an answer reports, and whether they agree with the bytes of the prompts.

use super::super::super::{OutputStyle, TextStyle, wording};
use crate::prompt_cache::{
    BreakpointReach, CacheComparison, CacheMinimum, UsageAgreement, UsageCheck,
};

/// The lines on reported tokens, and whether they agree with the bytes.
pub(super) fn usage_lines(step: &CacheComparison, style: &OutputStyle) -> Vec<String> {
    let check = &step.check;
    let verdict = agreement_text(check);
    let look = match check.verdict {
        UsageAgreement::Agrees | UsageAgreement::AgreesByValue => TextStyle::Success,
        UsageAgreement::NoAnswer | UsageAgreement::NotReported => TextStyle::Dim,
        _ => TextStyle::Warning,
    };
    let painted = style.paint(look, &verdict);
    let Some(cached) = check.cached else {
        return vec![painted];
    };
    let of = check
        .input
        .map(|input| format!(" of {}", wording::format_count(input)));
    let written = check
        .written
        .map(|written| format!(", {} written", wording::format_count(written)));
    let reported = format!(
        "{}{} tokens came from a cache{}",
        wording::format_count(cached),
        of.unwrap_or_default(),
        written.unwrap_or_default()
    );
    let reach = check.reach.and_then(|reach| mark_reach_text(reach, step));
    let known = check.minimum.and_then(|minimum| minimum.note);
    let known = known
        .filter(|_| check.verdict == UsageAgreement::Fewer)
        .map(str::to_owned);
    std::iter::once(format!("{reported}: {painted}"))
        .chain(reach)
        .chain(known)
        .collect()
}

fn agreement_text(check: &UsageCheck) -> String {
    let some = |tokens: Option<u64>| format!("some {}", wording::format_count(tokens.unwrap_or(0)));
    let expected = some(check.expected);
    let least = |minimum: CacheMinimum| {
        let step = minimum.step.map(|step| format!(", in steps of {step}"));
        format!(
            "{} tokens are the least that is cached{} ({})",
            wording::format_count(minimum.tokens),
            step.unwrap_or_default(),
            minimum.source
        )
    };
    match check.verdict {
        UsageAgreement::NoAnswer => "no answer to check it by".to_owned(),
        UsageAgreement::NotReported => "the answer does not count cached tokens".to_owned(),
        UsageAgreement::Agrees if check.expected == Some(0) => {
            "agrees: there is nothing of left to be read".to_owned()
        }
        UsageAgreement::Agrees => format!("agrees with the bytes, which allow {expected}"),
        UsageAgreement::AgreesByValue => {
            let by_value = some(check.expected_by_value);
            format!(
                "agrees with the JSON values, which allow {by_value}: the spelling did not matter"
            )
        }
        UsageAgreement::BelowMinimum => {
            let least = check.minimum.map(least).unwrap_or_default();
            format!("{expected} are in common, and {least}")
        }
        UsageAgreement::NotAsked => "nothing is marked for the cache".to_owned(),
        UsageAgreement::Fewer => {
            format!("FEWER than the bytes allow, {expected}; the bytes do not show why")
        }
        UsageAgreement::More => {
            format!("more than left can have left there, {expected}: another request did")
        }
    }
}

/// How the cache marks of both requests explain the reported tokens.
fn mark_reach_text(reach: BreakpointReach, step: &CacheComparison) -> Option<String> {
    match reach {
        BreakpointReach::LeftUnmarked => {
            Some("left has no cache_control: it asked for no entry".to_owned())
        }
        BreakpointReach::RightUnmarked => {
            Some("right has no cache_control: it reads no entry".to_owned())
        }
        BreakpointReach::Behind => {
            Some("every mark of left stands behind the break: none of its entries fits".to_owned())
        }
        BreakpointReach::TooFar { blocks } => Some(format!(
            "the mark of right stands {} blocks behind the entry of left, and looks back 20 (documented)",
            wording::format_count(blocks)
        )),
        BreakpointReach::Upto { bytes, .. } if bytes < step.effective_prefix().bytes.common => {
            Some(format!(
                "the last mark of left that right can use ends at byte {} of the prompt",
                wording::format_count(bytes)
            ))
        }
        BreakpointReach::Upto { .. } => None,
    }
}
