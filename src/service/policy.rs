//! The IETF's draft fields `RateLimit` and `RateLimit-Policy`, in the forms that servers took from its
//! editions (draft-ietf-httpapi-ratelimit-headers).
//!
//! ```text
//! ratelimit: "api";r=999;t=295                     remaining, seconds to the reset
//! ratelimit-policy: "api";q=1000;w=300             quota, window in seconds
//! ratelimit: limit=100, remaining=50, reset=5      up to edition 6
//! ratelimit-policy: 100;w=60
//! ```

use super::limit_name::{LimitKey, LimitUnit, LimitWindow};
use super::value::{LimitCount, split_unquoted};

/// Contents of one item of a `RateLimit` or `RateLimit-Policy` field.
#[derive(Debug, PartialEq)]
pub(super) struct PolicyItem {
    pub(super) key: LimitKey,
    pub(super) limit: Option<LimitCount>,
    pub(super) remaining: Option<LimitCount>,
    /// Seconds, as written.
    pub(super) reset: Option<String>,
}

/// The items of a field; empty if it cannot be read.
pub(super) fn parse_policy(value: &str) -> Vec<PolicyItem> {
    let items: Vec<PolicyItemParts<'_>> = split_unquoted(value, ',')
        .map(PolicyItemParts::parse)
        .collect();
    let old = |parts: &PolicyItemParts<'_>| parts.names.is_empty();
    let items = if items.iter().all(old) {
        // One limit in several items: `limit=100, remaining=50`.
        let parameters = items.into_iter().flat_map(|parts| parts.parameters);
        let parameters: Vec<_> = parameters.collect();
        vec![PolicyItemParts {
            names: Vec::new(),
            parameters,
        }]
    } else {
        items
    };
    items.iter().filter_map(PolicyItemParts::to_item).collect()
}

/// The name and the parameters of one item of a rate limit policy field.
struct PolicyItemParts<'a> {
    /// Words without a `=`. The draft has one; some servers put another word before it.
    names: Vec<&'a str>,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> PolicyItemParts<'a> {
    fn parse(item: &'a str) -> Self {
        let (mut names, mut parameters) = (Vec::new(), Vec::new());
        for part in split_unquoted(item, ';') {
            match part.split_once('=') {
                Some((key, value)) if !part.starts_with('"') => {
                    parameters.push((key.trim(), unquote(value)));
                }
                _ => names.push(unquote(part)),
            }
        }
        Self { names, parameters }
    }

    fn parameter(&self, keys: [&str; 2]) -> Option<&'a str> {
        let is = |key: &str| keys.iter().any(|wanted| key.eq_ignore_ascii_case(wanted));
        let found = self.parameters.iter().find(|(key, _)| is(key));
        found.map(|(_, value)| *value)
    }

    fn to_item(&self) -> Option<PolicyItem> {
        let name = self.names.last().copied();
        let bare = name.and_then(LimitCount::parse);
        let item = PolicyItem {
            key: LimitKey {
                unit: self.unit(),
                scope: name.filter(|_| bare.is_none()).map(str::to_owned),
                window: self.window(),
            },
            limit: self
                .parameter(["q", "limit"])
                .and_then(LimitCount::parse)
                .or(bare),
            remaining: self
                .parameter(["r", "remaining"])
                .and_then(LimitCount::parse),
            reset: self.parameter(["t", "reset"]).map(str::to_owned),
        };
        let has_values = item.limit.is_some() || item.remaining.is_some() || item.reset.is_some();
        has_values.then_some(item)
    }

    fn unit(&self) -> LimitUnit {
        // The unit of the quota; requests if it is not given.
        match self.parameter(["qu", "quota-unit"]) {
            None | Some("requests") => LimitUnit::Requests,
            Some("tokens") => LimitUnit::Tokens,
            Some(unit) => LimitUnit::Other(unit.to_owned()),
        }
    }

    fn window(&self) -> Option<LimitWindow> {
        let seconds = self.parameter(["w", "window"])?.parse().ok()?;
        Some(LimitWindow::Seconds(seconds))
    }
}

fn unquote(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editions() {
        let item =
            |scope: Option<&str>, limit, remaining, reset: Option<&str>, window| PolicyItem {
                key: LimitKey {
                    unit: LimitUnit::Requests,
                    scope: scope.map(str::to_owned),
                    window,
                },
                limit,
                remaining,
                reset: reset.map(str::to_owned),
            };
        let known = |count| Some(LimitCount::Known(count));
        assert_eq!(
            parse_policy(r#""api";r=999;t=295"#),
            [item(Some("api"), None, known(999), Some("295"), None)]
        );
        assert_eq!(
            parse_policy(r#""fixed window";"api";q=1000;w=300"#),
            [item(
                Some("api"),
                known(1000),
                None,
                None,
                Some(LimitWindow::Seconds(300))
            )]
        );
        assert_eq!(
            parse_policy(r#""a, b";r=1, "c";r=2"#),
            [
                item(Some("a, b"), None, known(1), None, None),
                item(Some("c"), None, known(2), None, None)
            ]
        );
        assert_eq!(
            parse_policy("limit=100, remaining=50, reset=5"),
            [item(None, known(100), known(50), Some("5"), None)]
        );
        assert_eq!(
            parse_policy("100;w=60"),
            [item(
                None,
                known(100),
                None,
                None,
                Some(LimitWindow::MINUTE)
            )]
        );
        assert_eq!(
            parse_policy(r#""t";q=5;qu="tokens""#)[0].key.unit,
            LimitUnit::Tokens
        );
        for nothing in ["", "soon", ";;", "=", r#"""#] {
            assert_eq!(parse_policy(nothing), [], "{nothing}");
        }
    }
}
