//! Finds secrets by the name of the field, query parameter or variable that holds them, and by the scheme before them.

use std::ops::Range;

use super::escapes;
use super::key_shapes::visible_prefix;
use super::secret_value::is_secret_value;

/// Words in the name of a field, query parameter or variable that mark its value as a secret. A name is split into words
/// at `-`, `_`, other signs, and before capital letters.
const SECRET_WORDS: [&str; 22] = [
    "accesskey",
    "apikey",
    "assertion",
    "auth",
    "authkey",
    "authorization",
    "bearer",
    "credential",
    "credentials",
    "hmac",
    "jwt",
    "key",
    "otp",
    "passcode",
    "passphrase",
    "pat",
    "pwd",
    "secret",
    "secretkey",
    "sig",
    "signature",
    "token",
];

/// Ends of words that mark a secret, for names written as one word: `authtoken`, `clientsecret`, `mycreds`.
const SECRET_WORD_ENDS: [&str; 7] = [
    "apikey",
    "creds",
    "passwd",
    "password",
    "secret",
    "signature",
    "token",
];

/// Names that mark a secret only as a whole, without signs and without a leading `x-`. `code` is the one of OAuth
/// (RFC 6749, 4.1.2).
const SECRET_NAMES: [&str; 10] = [
    "code",
    "cookie",
    "pass",
    "pin",
    "samlresponse",
    "session",
    "sessionid",
    "setcookie",
    "sid",
    "ticket",
];

/// Words that mark a value as a count, such as a number of tokens, or as a place in a list of pages.
const HARMLESS_WORDS: [&str; 12] = [
    "continuation",
    "count",
    "limit",
    "next",
    "page",
    "per",
    "ratelimit",
    "remaining",
    "reset",
    "spend",
    "usage",
    "used",
];

/// Names that look like those of secrets, but whose values are not secret. Without signs and without a leading `x-`.
const HARMLESS_NAMES: [&str; 3] = [
    "accesscontrolallowcredentials",
    "idempotencykey",
    "secwebsocketkey",
];

/// Schemes of credentials (RFC 9110, 11.4) that are recognised in a field of any name.
const CREDENTIAL_SCHEMES: [&str; 9] = [
    "apikey",
    "aws4-hmac-sha256",
    "basic",
    "bearer",
    "digest",
    "dpop",
    "negotiate",
    "ntlm",
    "token",
];

/// Shortest credentials after a scheme that are recognised in a field of any name: shorter ones are words.
const MIN_CREDENTIALS: usize = 8;

/// Whether `name` says that its value is a secret. This is the one rule for fields, query parameters and variables.
pub fn is_secret_name(name: &str) -> bool {
    let words = split_words(name);
    let words = match words.split_first() {
        Some((first, rest)) if first == "x" => rest,
        _ => &words,
    };
    let whole = words.concat();
    if SECRET_NAMES.contains(&whole.as_str()) {
        return true;
    }
    if HARMLESS_NAMES.contains(&whole.as_str()) {
        return false;
    }
    let is_harmless = |word: &String| HARMLESS_WORDS.contains(&word.as_str());
    let is_secret = |word: &String| {
        SECRET_WORDS.contains(&word.as_str())
            || SECRET_WORD_ENDS.iter().any(|end| word.ends_with(end))
    };
    words.iter().any(is_secret) && !words.iter().any(is_harmless)
}

/// The words of a name in lower case: `X-API-Key`, `AWSAccessKeyId`, `access_token`.
fn split_words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = None::<char>;
    let mut letters = name.chars().peekable();
    while let Some(letter) = letters.next() {
        let next_is_small = letters.peek().is_some_and(char::is_ascii_lowercase);
        // In a run of capitals the last one begins a word if a small letter follows it.
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| {
                before.is_ascii_lowercase() || before.is_ascii_uppercase() && next_is_small
            });
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(letter.to_ascii_lowercase());
        }
        before = Some(letter);
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the name of a field or of a query parameter says that its value is a secret.
pub(super) fn is_secret_field(name: &[u8]) -> bool {
    std::str::from_utf8(name).is_ok_and(is_secret_name)
}

/// A secret in the value of a field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct FieldSecret {
    /// The bytes to mask.
    pub(super) masked: Range<usize>,
    /// The whole secret, with the prefix that stays visible.
    pub(super) whole: Range<usize>,
    /// Whether the secret is the value of a cookie, which may be a common word.
    pub(super) is_cookie: bool,
    /// Whether the secret comes after the scheme `Basic`.
    pub(super) is_basic: bool,
}

/// The secrets in the value of the field `name`: the value of a field whose name says so, and credentials after a scheme
/// in a field of any name. A scheme, a known prefix of a key, and the names and attributes of cookies are not masked.
pub(super) fn field_secrets(name: &[u8], value: &[u8]) -> Vec<FieldSecret> {
    let cookies = [(&b"cookie"[..], true), (b"set-cookie", false)];
    if let Some((_, all)) = cookies
        .iter()
        .find(|(cookie, _)| name.eq_ignore_ascii_case(cookie))
    {
        let secret = |range: Range<usize>| FieldSecret {
            masked: range.clone(),
            whole: range,
            is_cookie: true,
            is_basic: false,
        };
        return cookie_values(value, *all).into_iter().map(secret).collect();
    }
    let is_named = is_secret_field(name);
    let may_have_any_scheme = name.to_ascii_lowercase().ends_with(b"authorization");
    let scheme = find_scheme(value);
    let start = match &scheme {
        Some(scheme) if is_named && (may_have_any_scheme || scheme.is_known()) => scheme.end,
        Some(scheme) if scheme.introduces_credentials(value) => scheme.end,
        _ if is_named => 0,
        _ => return vec![],
    };
    let secret = value.get(start..).unwrap_or_default();
    let masked = start.saturating_add(visible_prefix(secret))..value.len();
    if masked.is_empty() {
        return vec![];
    }
    let whole = start..start.saturating_add(secret.trim_ascii_end().len());
    let is_basic = start > 0 && scheme.is_some_and(|scheme| scheme.name == "basic");
    vec![FieldSecret {
        masked,
        whole,
        is_cookie: false,
        is_basic,
    }]
}

/// The first word of a value, which may be the scheme of credentials.
struct SchemeWord {
    /// The word in lower case.
    name: String,
    /// Where the credentials begin.
    end: usize,
}

/// The first word of `value` if blanks and something else follow it.
fn find_scheme(value: &[u8]) -> Option<SchemeWord> {
    let space = value.iter().position(|&byte| byte == b' ')?;
    let name = value.get(..space)?;
    let is_word = name
        .iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
    let blanks = value.iter().skip(space).take_while(|&&byte| byte == b' ');
    let end = space.saturating_add(blanks.count());
    (is_word && end < value.len()).then(|| SchemeWord {
        name: String::from_utf8_lossy(name).to_ascii_lowercase(),
        end,
    })
}

impl SchemeWord {
    fn is_known(&self) -> bool {
        CREDENTIAL_SCHEMES.contains(&self.name.as_str())
    }

    /// Whether credentials follow the scheme, and no words: `Bearer realm="x"` and `basic training` are harmless.
    fn introduces_credentials(&self, value: &[u8]) -> bool {
        let rest = value.get(self.end..).unwrap_or_default().trim_ascii_end();
        let last = rest.iter().rposition(|&byte| byte != b'=');
        let signs = last.and_then(|last| rest.get(..=last)).unwrap_or_default();
        let is_token = rest.len() >= MIN_CREDENTIALS
            && signs
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/".contains(byte));
        match self.name.as_str() {
            "basic" => is_token && decode_basic(rest).is_some(),
            "bearer" | "dpop" | "negotiate" | "ntlm" => is_token,
            "token" | "apikey" => is_token && is_secret_value(rest),
            "aws4-hmac-sha256" | "digest" => rest.contains(&b'='),
            _ => false,
        }
    }
}

/// The user and password of `Basic` credentials (RFC 7617, 2), decoded; `None` if they are no such pair.
pub(super) fn decode_basic(credentials: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let pair = base64_simd::STANDARD
        .decode_to_vec(credentials.trim_ascii())
        .ok()?;
    let colon = pair.iter().position(|&byte| byte == b':')?;
    let password = pair.get(colon.saturating_add(1)..)?.to_vec();
    Some((pair.get(..colon)?.to_vec(), password))
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
            let name = escapes::unescape(pair.get(..equals).unwrap_or_default());
            let from = start.saturating_add(equals).saturating_add(1);
            if from < stop && is_secret_field(&name) {
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
    let secrets = field_secrets(name.as_bytes(), value.as_bytes());
    mask_ranges(value, secrets.into_iter().map(|secret| secret.masked))
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
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "Host",
            "x-ratelimit-remaining-tokens",
            "anthropic-ratelimit-tokens-limit",
            "x-monkey",
            "Idempotency-Key",
            "X-Idempotency-Key",
            "Sec-WebSocket-Key",
            "Access-Control-Allow-Credentials",
            "x-litellm-key-spend",
            "x-time-per-token",
            "x-tokens",
            "x-prompt-token-count",
            "www-authenticate",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn schemes_and_key_prefixes_stay_visible() {
        #[track_caller]
        fn case(name: &str, value: &str, expected: &str) {
            let mut bytes = value.as_bytes().to_vec();
            for part in field_secrets(name.as_bytes(), value.as_bytes()) {
                bytes[part.masked].fill(b'*');
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
    fn credentials_after_a_scheme_are_masked_in_any_field() {
        for (value, expected) in [
            ("Bearer abcdefgh", "Bearer ********"),
            ("Basic dXNlcjpwYXNz", "Basic ************"),
            ("token 0123456789abcdef", "token ****************"),
            ("basic training", "basic training"),
            ("Bearer realm=\"x\"", "Bearer realm=\"x\""),
            (
                "Bearer authentication failed",
                "Bearer authentication failed",
            ),
            ("token required", "token required"),
            ("a text of words", "a text of words"),
        ] {
            assert_eq!(mask_field_value("X-Foo", value), expected);
        }
        assert_eq!(mask_field_value("X-Auth", "abc"), "***");
        assert_eq!(mask_field_value("X-Auth", "Bearer abc"), "Bearer ***");
    }

    #[test]
    fn parameters_and_variables_follow_the_rule_of_fields() {
        for name in [
            "key",
            "api_key",
            "access_token",
            "sig",
            "client_secret",
            "subscription-key",
            "X-Amz-Signature",
            "X-Amz-Credential",
            "X-Goog-Signature",
            "X-Amz-Security-Token",
            "x-api-key",
            "api_token",
            "secret",
            "jwt",
            "signature",
            "code",
            "accessToken",
            "AWSAccessKeyId",
            "authtoken",
            "passwd",
            "SAMLResponse",
            "session_id",
            "api%5Fkey",
        ] {
            assert_eq!(
                mask_url(&format!("/p?a=1&{name}=abc")),
                format!("/p?a=1&{name}=***")
            );
        }
        for name in [
            "keys",
            "monkey",
            "page_token",
            "max_tokens",
            "X-Amz-Date",
            "X-Amz-SignedHeaders",
            "status_code",
            "model",
        ] {
            let url = format!("/p?{name}=abc");
            assert_eq!(mask_url(&url), url);
        }
        for name in [
            "OPENAI_API_KEY",
            "HF_TOKEN",
            "BASIC_AUTH",
            "MYCREDS",
            "aws_secret_access_key",
            "GITHUB_PAT",
            "DB_PASSWORD",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "HOME",
            "KEYBOARD",
            "TOKENIZERS_PARALLELISM",
            "LANG",
            "XDG_SESSION_ID_FILE",
            "AUTHOR",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
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
