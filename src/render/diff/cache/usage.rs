//! What an answer reports of the cache, in words, and how it fits the bytes.

use super::super::super::{Look, Style, words};
use crate::prompt_cache::{Agreement, CacheStep, Check, Minimum, Reach};

/// What was reported, and how it fits.
pub(super) fn usage(step: &CacheStep, style: &Style) -> Vec<String> {
    let check = &step.check;
    let verdict = verdict(check);
    let look = match check.verdict {
        Agreement::Agrees | Agreement::AgreesByValue => Look::Good,
        Agreement::NoAnswer | Agreement::NotReported => Look::Dim,
        _ => Look::Odd,
    };
    let painted = style.paint(look, &verdict);
    let Some(cached) = check.cached else {
        return vec![painted];
    };
    let of = check
        .input
        .map(|input| format!(" of {}", words::count(input)));
    let written = check
        .written
        .map(|written| format!(", {} written", words::count(written)));
    let reported = format!(
        "{}{} tokens came from a cache{}",
        words::count(cached),
        of.unwrap_or_default(),
        written.unwrap_or_default()
    );
    let reach = check.reach.and_then(|reach| reached(reach, step));
    let known = check.minimum.and_then(|minimum| minimum.note);
    let known = known
        .filter(|_| check.verdict == Agreement::Fewer)
        .map(str::to_owned);
    std::iter::once(format!("{reported}: {painted}"))
        .chain(reach)
        .chain(known)
        .collect()
}

fn verdict(check: &Check) -> String {
    let some = |tokens: Option<u64>| format!("some {}", words::count(tokens.unwrap_or(0)));
    let expected = some(check.expected);
    let least = |minimum: Minimum| {
        let step = minimum.step.map(|step| format!(", in steps of {step}"));
        format!(
            "{} tokens are the least that is cached{} ({})",
            words::count(minimum.tokens),
            step.unwrap_or_default(),
            minimum.source
        )
    };
    match check.verdict {
        Agreement::NoAnswer => "no answer to check it by".to_owned(),
        Agreement::NotReported => "the answer does not count cached tokens".to_owned(),
        Agreement::Agrees if check.expected == Some(0) => {
            "agrees: there is nothing of left to be read".to_owned()
        }
        Agreement::Agrees => format!("agrees with the bytes, which allow {expected}"),
        Agreement::AgreesByValue => {
            let by_value = some(check.expected_by_value);
            format!(
                "agrees with the JSON values, which allow {by_value}: the spelling did not matter"
            )
        }
        Agreement::BelowMinimum => {
            let least = check.minimum.map(least).unwrap_or_default();
            format!("{expected} are in common, and {least}")
        }
        Agreement::NotAsked => "nothing is marked for the cache".to_owned(),
        Agreement::Fewer => {
            format!("FEWER than the bytes allow, {expected}; the bytes do not show why")
        }
        Agreement::More => {
            format!("more than left can have left there, {expected}: another request did")
        }
    }
}

/// What the marks have to do with it.
fn reached(reach: Reach, step: &CacheStep) -> Option<String> {
    match reach {
        Reach::LeftUnmarked => Some("left has no cache_control: it asked for no entry".to_owned()),
        Reach::RightUnmarked => Some("right has no cache_control: it reads no entry".to_owned()),
        Reach::Behind => {
            Some("every mark of left stands behind the break: none of its entries fits".to_owned())
        }
        Reach::TooFar { blocks } => Some(format!(
            "the mark of right stands {} blocks behind the entry of left, and looks back 20 (documented)",
            words::count(blocks)
        )),
        Reach::Upto { bytes, .. } if bytes < step.telling().bytes.common => Some(format!(
            "the last mark of left that right can use ends at byte {} of the prompt",
            words::count(bytes)
        )),
        Reach::Upto { .. } => None,
    }
}
