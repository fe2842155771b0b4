//! The shapes of keys: known prefixes, and strings that look like keys.

use std::ops::Range;

/// Prefixes of keys that name only the provider or the kind of key, and the fewest characters that follow them in real keys.
/// A prefix comes before its own beginnings.
const KEY_PREFIXES: [(&str, usize); 26] = [
    ("sk-ant-api03-", 32),
    ("sk-ant-admin01-", 32),
    ("sk-ant-oat01-", 32),
    ("sk-svcacct-", 32),
    ("sk-admin-", 32),
    ("sk-proj-", 32),
    ("sk-or-v1-", 32),
    ("github_pat_", 36),
    ("sk-ant-", 32),
    ("glpat-", 20),
    ("pplx-", 32),
    ("xoxb-", 24),
    ("xoxp-", 24),
    ("gsk_", 32),
    ("xai-", 32),
    ("AIza", 35),
    ("AKIA", 16),
    ("ASIA", 16),
    ("gho_", 36),
    ("ghp_", 36),
    ("ghs_", 36),
    ("hf_", 30),
    ("r8_", 30),
    ("ya29.", 32),
    ("sk-", 32),
    (TOKEN_PREFIX, 32),
];

/// The beginning of every JSON Web Token: `{"` in base64. A token has two dots.
const TOKEN_PREFIX: &str = "eyJ";

/// Length of the known prefix (`sk-proj-`) of a secret, which stays visible; 0 if fewer than 8 bytes would be masked.
pub(super) fn visible_prefix(secret: &[u8]) -> usize {
    let mut prefixes = KEY_PREFIXES.iter();
    prefixes
        .find(|(prefix, _)| secret.starts_with(prefix.as_bytes()))
        .map(|(prefix, _)| prefix.len())
        .filter(|length| secret.len() >= length.saturating_add(8))
        .unwrap_or(0)
}

/// A string that looks like a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyShape {
    /// Its known prefix.
    pub prefix: &'static str,
    /// Where it is, with the prefix.
    pub range: Range<usize>,
}

/// The first string in `text` that looks like a key and is not masked: a known prefix and as many characters of no word as
/// real keys have.
pub fn find_key_shape(text: &[u8]) -> Option<KeyShape> {
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let start = at.saturating_add(rest.iter().position(|&byte| is_key_byte(byte))?);
        let word = text.get(start..).unwrap_or_default();
        let length = word
            .iter()
            .position(|&byte| !is_key_byte(byte))
            .unwrap_or(word.len());
        let word = word.get(..length).unwrap_or_default();
        let end = start.saturating_add(length);
        // A word that goes on with `*` is masked.
        if let Some(prefix) = prefix_of_key(word).filter(|_| text.get(end) != Some(&b'*')) {
            let range = start..end;
            return Some(KeyShape { prefix, range });
        }
        at = end;
    }
}

/// Whether `byte` occurs in keys and tokens.
pub(super) fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)
}

/// The known prefix of `word`, if it looks like a key.
fn prefix_of_key(word: &[u8]) -> Option<&'static str> {
    let mut prefixes = KEY_PREFIXES.iter();
    let found = prefixes.find(|(prefix, _)| word.starts_with(prefix.as_bytes()))?;
    let (prefix, least) = *found;
    let rest = word.get(prefix.len()..)?;
    let dots = rest.iter().filter(|&&byte| byte == b'.').count();
    let has = |test: fn(&u8) -> bool| rest.iter().any(test);
    // Names of files and models are words with dashes and small numbers.
    let is_random = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let words = rest.split(|byte| b"-_.".contains(byte));
    let longest = words.map(<[u8]>::len).max().unwrap_or(0);
    let fits = match prefix {
        TOKEN_PREFIX => dots == 2,
        "AKIA" | "ASIA" => rest.len() == least,
        _ => longest >= 16,
    };
    (rest.len() >= least && is_random && fits).then_some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_that_look_like_keys_are_found() {
        let random = "Zq9xUNIQ7f3aTw8KdLmP2Rs5VbYhCgEj4nAo";
        for prefix in [
            "sk-proj-",
            "sk-ant-api03-",
            "sk-",
            "AIza",
            "ghp_",
            "xai-",
            "gsk_",
            "hf_",
        ] {
            let text = format!("{{\"a\":\"my key {prefix}{random}, see\"}}");
            let found = find_key_shape(text.as_bytes()).expect(prefix);
            assert_eq!(found.prefix, prefix);
            assert_eq!(text[found.range], format!("{prefix}{random}"));
        }
        assert!(find_key_shape(b"(AKIAIOSFODNN7EXAMPLE)").is_some());
        let token = format!("eyJhbGciOiJIUzI1NiJ9.{random}.{random}");
        assert!(find_key_shape(token.as_bytes()).is_some());
    }

    #[test]
    fn words_and_masked_keys_are_no_keys() {
        for text in [
            "sk-proj-************************************",
            "sk-proj-Zq9x****************************",
            "sk-learn-is-a-library-of-models-2-with-many-parts",
            "task-0123456789abcdef0123456789abcdef",
            "AKIAIOSFODNN7EXAMPLEANDMORE",
            "eyJhbGciOiJIUzI1NiJ9Zq9xUNIQ7f3aTw8KdLmP2",
            "sk-1234",
        ] {
            assert_eq!(find_key_shape(text.as_bytes()), None, "{text}");
        }
    }
}
