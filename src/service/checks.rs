//! Guarantees that hold for every head, as assertions: half the body of a fuzz target.

use super::facts::{MAX_LIMITS, ServiceFacts};
use super::read_fields;

/// Reads `bytes` as fields, one a line, and asserts that none is lost. Half the body of a fuzz target: [`crate::sdk::fuzz`]
/// goes on with what it returns.
pub(crate) fn check_fields(bytes: &[u8]) -> ServiceFacts {
    let lines = bytes.split(|&byte| byte == b'\n');
    let pairs: Vec<(&[u8], &[u8])> = lines
        .map(|line| {
            let colon = line.iter().position(|&byte| byte == b':');
            let (name, value) = line
                .split_at_checked(colon.unwrap_or(line.len()))
                .unwrap_or((line, b""));
            (name, value.get(1..).unwrap_or_default())
        })
        .collect();
    let facts = read_fields(pairs.iter().copied());
    let spelled = |field: &String| {
        pairs
            .iter()
            .any(|(name, _)| String::from_utf8_lossy(name) == *field)
    };
    assert!(
        facts.fields.iter().all(spelled),
        "a field that is not there"
    );
    assert!(facts.limits.len() <= MAX_LIMITS);
    assert!(facts.fields.len().saturating_add(facts.unread.len()) <= pairs.len());
    for reset in facts.limits.iter().filter_map(|limit| limit.reset.as_ref()) {
        assert!(reset.at.is_some() || reset.after_micros.is_some());
    }
    facts
}
