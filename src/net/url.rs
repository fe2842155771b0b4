//! URLs of targets: the part of RFC 3986 that an HTTP client needs, with hints that say what to write instead.
//! Nothing is normalised: path and query are sent as they were written.

use std::fmt;

use super::authority::{Host, UrlAuthority};
use super::failure::escape_text;
use super::hint::HintedError;

/// The scheme of a target URL: `http` or `https`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UrlScheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl UrlScheme {
    /// The scheme as it is written in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port of a URL that names none (RFC 9110, 4.2).
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl fmt::Display for UrlScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parsed URL of a request: scheme, host, port, path with query, credentials.
#[derive(Clone, Eq, PartialEq)]
pub struct TargetUrl {
    /// Plain HTTP or HTTP over TLS.
    pub scheme: UrlScheme,
    /// Host, as it was written.
    pub host: Host,
    /// Port; the default of the scheme if none was written.
    pub port: u16,
    /// Path and query, as they were written; `/` where neither was written.
    pub path: String,
    /// `user:password` of the URL, percent-decoded; it is not part of the request target.
    pub userinfo: Option<String>,
}

impl TargetUrl {
    /// Parses an `http` or `https` URL. A fragment is dropped (RFC 9110, 4.2.5).
    pub fn parse(url: &str) -> Result<Self, HintedError> {
        check_characters(url)?;
        let (scheme, rest) = split_scheme(url)?;
        let (authority, rest) = UrlAuthority::split_from(rest)?;
        let path = rest.split_once('#').map_or(rest, |(before, _)| before);
        Ok(Self {
            scheme,
            host: authority.host,
            port: authority.port.unwrap_or(scheme.default_port()),
            path: with_leading_slash(path),
            userinfo: authority.userinfo,
        })
    }

    /// The value of the `Host` field: host and port, without the default port (RFC 9110, 7.2).
    pub fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            self.host_and_port()
        }
    }

    /// `host:port`, also with the default port, as in a `CONNECT` request (RFC 9112, 3.2.3).
    pub fn host_and_port(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The URL without credentials and without a fragment.
    pub fn to_url(&self) -> String {
        format!("{}://{}{}", self.scheme, self.authority(), self.path)
    }
}

impl fmt::Debug for TargetUrl {
    /// Writes the URL without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let user = self.userinfo.as_ref().map(|_| "user@");
        write!(f, "Target({}{})", user.unwrap_or_default(), self.to_url())
    }
}

/// `path` with a slash before it if it has none, as a request target needs (RFC 9112, 3.2.1).
fn with_leading_slash(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

fn split_scheme(url: &str) -> Result<(UrlScheme, &str), HintedError> {
    let Some((scheme, rest)) = url.split_once("://") else {
        return Err(missing_scheme_error(url));
    };
    if scheme.eq_ignore_ascii_case("https") {
        Ok((UrlScheme::Https, rest))
    } else if scheme.eq_ignore_ascii_case("http") {
        Ok((UrlScheme::Http, rest))
    } else if scheme.contains(['/', '?', '#', '@']) {
        Err(missing_scheme_error(url))
    } else {
        Err(HintedError::new(format!(
            "the URL's scheme `{}` is not supported",
            escape_text(scheme)
        ))
        .with_hint("write https:// or http://"))
    }
}

fn missing_scheme_error(url: &str) -> HintedError {
    let bare = redacted_url(url);
    if bare.is_empty() {
        return HintedError::new("the URL is empty").with_hint("write https://HOST/PATH");
    }
    HintedError::new(format!("`{bare}` has no scheme")).with_hint(format!(
        "write https://{bare} (or http://{bare} for plain HTTP)"
    ))
}

/// `url` as an error may repeat it: without credentials and query.
fn redacted_url(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = url.get(..end).unwrap_or_default();
    let slash = url.find('/').unwrap_or(url.len());
    let from = url
        .get(..slash)
        .and_then(|authority| authority.rfind('@'))
        .map_or(0, |at| at.saturating_add(1));
    let bare = url.get(from..).unwrap_or_default();
    escape_text(bare.trim_start_matches([':', '/']))
}

/// Refuses a URL that is not printable ASCII (RFC 3986, 2), with a hint how to percent-encode the character.
fn check_characters(url: &str) -> Result<(), HintedError> {
    let Some((at, character)) = url
        .char_indices()
        .find(|(_, character)| !character.is_ascii_graphic())
    else {
        return Ok(());
    };
    let mut bytes = [0; 4];
    let encoded: String = character
        .encode_utf8(&mut bytes)
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    let before = url.get(..at).unwrap_or_default();
    if is_in_authority(before) && !character.is_ascii() {
        return Err(HintedError::new(format!(
            "the URL's host holds `{character}`, and names on the wire are ASCII (offset {at})"
        ))
        .with_hint("write the host in punycode: xn--..."));
    }
    let what = match character {
        ' ' => "a space".to_owned(),
        other => format!("`{}`", other.escape_debug()),
    };
    Err(
        HintedError::new(format!("the URL holds {what} (offset {at})")).with_hint(format!(
            "remove it, or write it as {encoded} in the path or query"
        )),
    )
}

/// Whether the text after `before` is still part of the URL's authority.
fn is_in_authority(before: &str) -> bool {
    let rest = before
        .split_once("://")
        .map_or(before, |(_, authority)| authority);
    !rest.contains(['/', '?', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> TargetUrl {
        TargetUrl::parse(url).unwrap()
    }

    fn wrong(url: &str) -> (String, String) {
        let error = TargetUrl::parse(url).unwrap_err();
        (error.error, format!("{:?}", error.hint))
    }

    #[test]
    fn parts_are_kept_as_written() {
        let target = parse("HTTPS://API.example.com:8443/v1//x/../y?a=%41&b#frag");
        assert_eq!(target.scheme, UrlScheme::Https);
        assert_eq!(target.host.as_str(), "API.example.com");
        assert_eq!(target.port, 8443);
        assert_eq!(target.path, "/v1//x/../y?a=%41&b");
        assert_eq!(
            target.to_url(),
            "https://API.example.com:8443/v1//x/../y?a=%41&b"
        );
    }

    #[test]
    fn default_ports_and_paths_are_filled_in_and_left_out() {
        assert_eq!(parse("http://h").path, "/");
        assert_eq!(parse("http://h?q").path, "/?q");
        assert_eq!(parse("http://h#f").path, "/");
        assert_eq!(parse("http://h:/").port, 80);
        assert_eq!(parse("https://h:443/").authority(), "h");
        assert_eq!(parse("https://h:443/").host_and_port(), "h:443");
        assert_eq!(parse("http://h:443/").authority(), "h:443");
    }

    #[test]
    fn hosts_that_are_addresses_are_recognised() {
        let target = parse("http://[::1]:11434/api");
        assert_eq!(target.host.ip(), Some("::1".parse().unwrap()));
        assert_eq!(target.authority(), "[::1]:11434");
        assert_eq!(parse("https://[::1]/").authority(), "[::1]");
        assert_eq!(
            parse("http://127.0.0.1").host.ip(),
            Some("127.0.0.1".parse().unwrap())
        );
        assert_eq!(parse("http://localhost").host.ip(), None);
    }

    #[test]
    fn credentials_are_kept_apart_from_the_url() {
        let target = parse("https://us%40er:p%3Aw@h/");
        assert_eq!(target.userinfo.as_deref(), Some("us@er:p:w"));
        assert_eq!(target.to_url(), "https://h/");
        assert!(!format!("{target:?}").contains("p:w"));
    }

    #[test]
    fn errors_say_what_to_write() {
        assert_eq!(
            wrong("u:secret@api.openai.com/v1?key=secret"),
            (
                "`api.openai.com/v1` has no scheme".into(),
                "Some(Text(\"write https://api.openai.com/v1 (or http://api.openai.com/v1 for plain HTTP)\"))"
                    .into()
            )
        );
        assert_eq!(wrong("").0, "the URL is empty");
        assert!(wrong("ftp://h/").0.contains("`ftp`"));
        assert!(wrong("h/?u=http://x").0.contains("no scheme"));
        assert!(wrong("https://").0.contains("no host"));
        assert!(wrong("https://:80/").0.contains("no host"));
        assert!(wrong("https://u:p@/").0.contains("no host"));
        assert!(wrong("https://h:99999/").0.contains("port `99999`"));
        assert!(wrong("https://h:0/").0.contains("port `0`"));
        assert!(wrong("https://h:+1/").0.contains("port `+1`"));
        assert!(wrong("https://h:80:90/").0.contains("brackets"));
        assert!(wrong("https://[::1/").0.contains("bracket"));
        assert!(wrong("https://[::x]/").0.contains("no IPv6 address"));
        assert!(wrong("https://a\\b/").0.contains("`\\`"));
        assert!(wrong("https://h/a b").0.contains("a space (offset 11)"));
        assert!(wrong("https://h/a b").1.contains("%20"));
        assert!(wrong("https://h\u{1b}/").0.contains("\\u{1b}"));
        assert!(wrong("https://bücher.example/").1.contains("punycode"));
        assert!(wrong("https://h/é").1.contains("%C3%A9"));
    }

    proptest::proptest! {
        #[test]
        fn a_url_written_and_read_again_is_equal(
            url in "https?://([a-z]{0,3}(:[a-z%@]{0,3})?@)?[a-z.\\[\\]:0-9]{0,9}[ -~\\n]{0,12}",
        ) {
            if let Ok(target) = TargetUrl::parse(&url) {
                let again = TargetUrl::parse(&target.to_url()).unwrap();
                proptest::prop_assert_eq!(&again.to_url(), &target.to_url());
                proptest::prop_assert!(url.contains(target.host.as_str()));
            }
        }
    }
}
