//! Rules about neighbouring calls of one program: prompts whose cached prefix breaks, retries that come too early.

use super::finding::{Finding, FindingPlace};
use crate::chat::prompt_order::SpellingDifference;
use crate::diff::DiffInput;
use crate::prompt_cache::{self, PrefixState};

/// Findings about two calls, of which `right` is the later one.
pub fn check_pair(left: &DiffInput, right: &DiffInput) -> Vec<Finding> {
    let findings = [broken_prefix(left, right), early_retry(left, right)];
    findings.into_iter().flatten().collect()
}

/// A prompt that differs from the one before ahead of content that both have.
fn broken_prefix(left: &DiffInput, right: &DiffInput) -> Option<Finding> {
    let found = prompt_cache::compare(left, right, None);
    if matches!(found.state, PrefixState::Intact | PrefixState::Shortened) {
        return None;
    }
    let divergence = found.written.divergence.as_ref()?;
    let place = divergence.right.pointer.clone();
    let value = |text: &Option<String>| text.clone().unwrap_or_default();
    if divergence.spellings.contains(&SpellingDifference::KeyOrder) {
        let facts = vec![("place", place.clone())];
        return Finding::new(
            "cache-key-order-changed",
            FindingPlace::request(&place),
            facts,
        );
    }
    // Two conversations that differ only in their last message lose nothing; prompts whose messages do not even have the
    // same roles are not two steps of one program.
    let is_other_message = ["/role", "/type"].iter().any(|end| place.ends_with(end));
    if found.written.lost.bytes == 0 || divergence.excerpt.is_none() || is_other_message {
        return None;
    }
    let facts = vec![
        ("place", place.clone()),
        ("before", value(&divergence.left.value)),
        ("after", value(&divergence.right.value)),
    ];
    Finding::new("cache-prefix-broken", FindingPlace::request(&place), facts)
}

/// The same request again, before the wait that the response to the first asked for was over.
fn early_retry(left: &DiffInput, right: &DiffInput) -> Option<Finding> {
    let (first, second) = (left.call()?, right.call()?);
    // A raw message has no time.
    let has_time = !first.tape.origin.url.is_empty();
    let same = has_time
        && first.request_body.bytes == second.request_body.bytes
        && first.tape.origin.url == second.tape.origin.url;
    let retry = &first.meaning.service.retry;
    let asked = retry.requested_wait()?.until.wait_micros(None)?;
    let ended = first.exchange.received.last?.micros;
    let started = second
        .tape
        .origin
        .started
        .duration_since(first.tape.origin.started);
    let started = u64::try_from(started.as_micros()).ok()?;
    let waited = started.checked_sub(ended)?;
    if !same || waited >= asked {
        return None;
    }
    let seconds = |micros: u64| format!("{:.1} s", micros as f64 / 1e6);
    let facts = vec![("waited", seconds(waited)), ("asked", seconds(asked))];
    Finding::new("retry-before-its-time", FindingPlace::default(), facts)
}
