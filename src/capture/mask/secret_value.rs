//! Judges a value by its look: whether it is a random key, or a word that also occurs in ordinary text.

use super::key_shapes::visible_prefix;

/// Shortest value that can be a secret by its look, in bytes. Shorter ones are words, numbers and versions.
const MIN_RANDOM_LENGTH: usize = 8;

/// Shortest run of letters of one case, or of digits, that counts as random: no common word is as long, and no date.
const MIN_UNIFORM_LENGTH: usize = 20;

/// Whether `value` looks like a secret: it has a known prefix of keys, or calls itself one (`mysecret`), or a part of it
/// mixes letters with digits, or small letters with capitals, as words do not. Other words, names of models, dotted names,
/// dates and paths of words are none.
pub fn is_secret_value(value: &[u8]) -> bool {
    if value.len() < MIN_RANDOM_LENGTH {
        return false;
    }
    let is_separator = |byte: &u8| b"-_.:/,; ".contains(byte);
    let calls_itself_secret = value
        .to_ascii_lowercase()
        .windows(6)
        .any(|part| part == b"secret");
    visible_prefix(value) > 0
        || calls_itself_secret
        || value
            .split(is_separator)
            .any(|part| part.len() >= MIN_RANDOM_LENGTH && is_mixed(part))
        || value
            .split(is_separator)
            .any(|part| part.len() >= MIN_UNIFORM_LENGTH)
}

/// Whether `part` mixes kinds of characters as words do not: letters and digits, or capitals after its first letter and
/// small letters, or a sign between them.
pub(super) fn is_mixed(part: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| part.iter().any(test);
    let letters = has(u8::is_ascii_alphabetic);
    let capitals = part.iter().skip(1).any(u8::is_ascii_uppercase);
    let signs = has(|byte| !byte.is_ascii_alphanumeric());
    letters && (has(u8::is_ascii_digit) || signs) || capitals && has(u8::is_ascii_lowercase)
}

/// Whether a key that a request carries may be searched for everywhere. Keys such as `default` are words of the answers
/// themselves; they are masked only in the fields that hold keys.
pub(super) fn is_searched(value: &[u8]) -> bool {
    value.len() >= MIN_SEARCHED_LENGTH && !API_WORDS.iter().any(|word| word.as_bytes() == value)
}

/// Shortest carried key that is searched for everywhere, in bytes. Shorter keys are masked only in the fields that hold
/// keys: `test`, `ollama` and `EMPTY` are keys and also words that occur in bodies.
const MIN_SEARCHED_LENGTH: usize = 7;

/// Words of seven letters or more that the JSON of the known APIs uses as names and values, so that a key that is one of
/// them would hide a part of every answer.
const API_WORDS: [&str; 42] = [
    "annotations",
    "anything",
    "application/json",
    "arguments",
    "assistant",
    "candidates",
    "chat.completion",
    "chat.completion.chunk",
    "choices",
    "completed",
    "completion",
    "completion_tokens",
    "content",
    "content_block",
    "created",
    "default",
    "developer",
    "embedding",
    "finish_reason",
    "finishReason",
    "function",
    "function_call",
    "input_tokens",
    "logprobs",
    "message",
    "messages",
    "metadata",
    "output_text",
    "output_tokens",
    "password",
    "placeholder",
    "prompt_tokens",
    "reasoning",
    "refusal",
    "required",
    "response",
    "service_tier",
    "standard",
    "stop_reason",
    "system_fingerprint",
    "tool_calls",
    "total_tokens",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_secret_by_their_look() {
        for value in [
            "sk-proj-0123456789abcdef",
            "hunter2hunter2",
            "P@ssw0rd",
            "Tr0ub4dor&3",
            "AKIAIOSFODNN7EXAMPLE",
            "0d8f2c1a-aaaa-bbbb-cccc-0123456789ab",
            "qWeRtZuIoP",
            "xkqjzvbnmwrtplkjxkqjzv",
            "mysecret",
        ] {
            assert!(is_secret_value(value.as_bytes()), "{value}");
        }
        for value in [
            "content",
            "chat.completion",
            "default",
            "gpt-4o-mini-2024-07-18",
            "claude-sonnet-4-5-20250929",
            "qwen2.5-coder-32b-instruct",
            "correct-horse-battery",
            "/home/user/.ssh/id_rsa",
            "20260128",
            "Password",
            "abc123",
            "http://localhost:8080/v1",
        ] {
            assert!(!is_secret_value(value.as_bytes()), "{value}");
        }
    }
}
