//! Finds secrets by name: the fields and query parameters that hold them, and the parts of a value that stay visible.

use std::ops::Range;

/// Names of fields whose values are secrets, in lower case. [`is_sensitive`] also matches parts of other names.
pub const SENSITIVE_FIELDS: [&str; 11] = [
    "authorization",
    "proxy-authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "x-litellm-api-key",
    "ocp-apim-subscription-key",
    "x-amz-security-token",
    "cookie",
    "set-cookie",
    "x-auth-token",
];

/// Parts of a field's name, between `-` or `_`, that mark its value as a secret.
const SECRET_NAME_PARTS: [&str; 7] = [
    "key",
    "apikey",
    "token",
    "secret",
    "password",
    "credential",
    "jwt",
];

/// Parts of a name that mark its value as a count, such as a number of tokens.
const COUNT_NAME_PARTS: [&str; 6] = ["count", "limit", "remaining", "reset", "usage", "used"];

/// Fields whose names look like those of secrets, but whose values are not secret.
const HARMLESS_FIELDS: [&str; 3] = ["idempotency-key", "sec-websocket-key", "x-idempotency-key"];

/// Query parameters whose values are secrets, in lower case.
const SENSITIVE_PARAMETERS: [&str; 9] = [
    "key",
    "api_key",
    "api-key",
    "apikey",
    "access_token",
    "token",
    "sig",
    "client_secret",
    "password",
];

/// Prefixes of keys that name only the provider and stay visible; a prefix comes before its own beginnings.
const KEY_PREFIXES: [&str; 17] = [
    "sk-ant-api03-",
    "sk-ant-admin01-",
    "sk-ant-oat01-",
    "sk-svcacct-",
    "sk-admin-",
    "sk-proj-",
    "sk-or-v1-",
    "github_pat_",
    "sk-ant-",
    "pplx-",
    "gsk_",
    "xai-",
    "AIza",
    "ghp_",
    "hf_",
    "ya29.",
    "sk-",
];

/// Whether the value of the field `name` is a secret.
pub(super) fn is_sensitive(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        return false;
    };
    let name = name.to_ascii_lowercase();
    if HARMLESS_FIELDS.contains(&name.as_str()) || name.contains("ratelimit") {
        return false;
    }
    let has = |parts: &[&str]| name.split(['-', '_']).any(|part| parts.contains(&part));
    SENSITIVE_FIELDS.contains(&name.as_str()) || has(&SECRET_NAME_PARTS) && !has(&COUNT_NAME_PARTS)
}

/// The ranges to mask in the value of the sensitive field `name`.
///
/// A scheme (`Bearer`), a known prefix of a key, and the names and attributes of cookies stay visible.
pub(super) fn secret_ranges(name: &[u8], value: &[u8]) -> Vec<Range<usize>> {
    if name.eq_ignore_ascii_case(b"cookie") {
        return cookie_values(value, true);
    }
    if name.eq_ignore_ascii_case(b"set-cookie") {
        return cookie_values(value, false);
    }
    let mut start = 0;
    if name.to_ascii_lowercase().ends_with(b"authorization")
        && let Some(space) = value.iter().position(|&byte| byte == b' ')
        && value
            .get(..space)
            .is_some_and(|scheme| scheme.iter().all(u8::is_ascii_alphanumeric))
    {
        let spaces = value
            .iter()
            .skip(space)
            .take_while(|&&byte| byte == b' ')
            .count();
        start = space.saturating_add(spaces);
    }
    let secret = value.get(start..).unwrap_or_default();
    let part = start.saturating_add(visible_prefix(secret))..value.len();
    if part.is_empty() { vec![] } else { vec![part] }
}

/// Length of the known prefix (`sk-proj-`) of a secret, which stays visible; 0 if fewer than 8 bytes would be masked.
pub(super) fn visible_prefix(secret: &[u8]) -> usize {
    KEY_PREFIXES
        .iter()
        .find(|prefix| secret.starts_with(prefix.as_bytes()))
        .map(|prefix| prefix.len())
        .filter(|length| secret.len() >= length.saturating_add(8))
        .unwrap_or(0)
}

/// The ranges of the values in `name=value` pairs: of all pairs (Cookie), or of the first (Set-Cookie).
fn cookie_values(value: &[u8], all: bool) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = 0usize;
    for pair in value.split(|&byte| byte == b';') {
        let end = start.saturating_add(pair.len());
        // A cookie without `=` is a value without a name (RFC 6265, 5.2).
        let equals = pair
            .iter()
            .position(|&byte| byte == b'=')
            .map_or(0, |place| place.saturating_add(1));
        let from = start.saturating_add(equals);
        if from < end {
            parts.push(from..end);
        }
        start = end.saturating_add(1);
        if !all {
            break;
        }
    }
    parts
}

/// The ranges to mask in a URL or request target: values of sensitive query parameters, and the password.
pub(super) fn url_secret_ranges(url: &[u8]) -> Vec<Range<usize>> {
    let mut parts: Vec<_> = url_password(url).into_iter().collect();
    let Some(query) = url.iter().position(|&byte| byte == b'?') else {
        return parts;
    };
    let end = url
        .iter()
        .position(|&byte| byte == b'#')
        .unwrap_or(url.len())
        .max(query);
    let mut start = query.saturating_add(1);
    for pair in url
        .get(start..end)
        .unwrap_or_default()
        .split(|&byte| byte == b'&')
    {
        let stop = start.saturating_add(pair.len());
        if let Some(equals) = pair.iter().position(|&byte| byte == b'=') {
            let name = pair.get(..equals).unwrap_or_default().to_ascii_lowercase();
            let from = start.saturating_add(equals).saturating_add(1);
            let sensitive = SENSITIVE_PARAMETERS
                .iter()
                .any(|known| known.as_bytes() == name);
            if sensitive && from < stop {
                let value = url.get(from..stop).unwrap_or_default();
                parts.push(from.saturating_add(visible_prefix(value))..stop);
            }
        }
        start = stop.saturating_add(1);
    }
    parts
}

/// The range of the password in `scheme://user:password@host`.
fn url_password(url: &[u8]) -> Option<Range<usize>> {
    let scheme = url
        .windows(3)
        .position(|bytes| bytes == b"://")?
        .saturating_add(3);
    let authority = url.get(scheme..)?;
    let length = authority
        .iter()
        .position(|byte| b"/?#".contains(byte))
        .unwrap_or(authority.len());
    let authority = authority.get(..length)?;
    let at = authority.iter().rposition(|&byte| byte == b'@')?;
    let colon = authority.get(..at)?.iter().position(|&byte| byte == b':')?;
    let part = scheme.saturating_add(colon).saturating_add(1)..scheme.saturating_add(at);
    (!part.is_empty()).then_some(part)
}

/// The value of the field `name` with each byte of a secret replaced by `*`.
pub fn mask_field_value(name: &str, value: &str) -> String {
    match is_sensitive(name.as_bytes()) {
        true => mask_ranges(value, secret_ranges(name.as_bytes(), value.as_bytes())),
        false => value.to_owned(),
    }
}

/// `url` with each byte of a secret replaced by `*`.
pub fn mask_url(url: &str) -> String {
    mask_ranges(url, url_secret_ranges(url.as_bytes()))
}

/// `text` with each byte in `ranges` replaced by `*`.
pub(super) fn mask_ranges(text: &str, ranges: impl IntoIterator<Item = Range<usize>>) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        if let Some(secret) = bytes.get_mut(range) {
            secret.fill(b'*');
        }
    }
    // A range that cuts a character leaves bytes that are no UTF-8.
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensitive_fields_are_recognised_by_name() {
        for name in [
            "Authorization",
            "X-API-Key",
            "api-key",
            "x-my-token",
            "App_Secret",
            "Set-Cookie",
        ] {
            assert!(is_sensitive(name.as_bytes()), "{name}");
        }
        for name in [
            "Host",
            "x-ratelimit-remaining-tokens",
            "anthropic-ratelimit-tokens-limit",
            "x-monkey",
            "Idempotency-Key",
            "x-tokens",
            "x-prompt-token-count",
            "www-authenticate",
        ] {
            assert!(!is_sensitive(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn schemes_and_key_prefixes_stay_visible() {
        #[track_caller]
        fn case(name: &str, value: &str, expected: &str) {
            let mut bytes = value.as_bytes().to_vec();
            for part in secret_ranges(name.as_bytes(), value.as_bytes()) {
                bytes[part].fill(b'*');
            }
            assert_eq!(String::from_utf8(bytes).unwrap(), expected);
        }
        case("authorization", "Bearer abc", "Bearer ***");
        case(
            "Authorization",
            "Bearer sk-proj-0123456789",
            "Bearer sk-proj-**********",
        );
        case("Authorization", "Bearer sk-test", "Bearer *******");
        case("authorization", "tokenwithoutscheme", "******************");
        case(
            "x-api-key",
            "sk-ant-api03-abcdefgh",
            "sk-ant-api03-********",
        );
        case("api-key", "a b", "***");
        case("Cookie", "a=1; b=22", "a=*; b=**");
        case(
            "Set-Cookie",
            "__cf_bm=xyz; Path=/; Secure",
            "__cf_bm=***; Path=/; Secure",
        );
        case("Cookie", "bare", "****");
    }

    #[test]
    fn secrets_in_urls_are_masked() {
        #[track_caller]
        fn case(url: &str, expected: &str) {
            assert_eq!(mask_url(url), expected);
        }
        case(
            "https://h/p?key=AIza01234567&b=c",
            "https://h/p?key=AIza********&b=c",
        );
        case("https://u:pass@h:1/p?a=b", "https://u:****@h:1/p?a=b");
        case("/v1/x?a=1&API_KEY=zz#key=1", "/v1/x?a=1&API_KEY=**#key=1");
        case("https://h/p?keys=1&monkey=2", "https://h/p?keys=1&monkey=2");
        case("https://h/a:b@c", "https://h/a:b@c");
    }
}
