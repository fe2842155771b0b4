//! The IETF's draft fields `RateLimit` and `RateLimit-Policy`, in the forms that servers took from its
//! editions (draft-ietf-httpapi-ratelimit-headers).
//!
//! ```text
//! ratelimit: "api";r=999;t=295                     remaining, seconds to the reset
//! ratelimit-policy: "api";q=1000;w=300             quota, window in seconds
//! ratelimit: limit=100, remaining=50, reset=5      up to edition 6
//! ratelimit-policy: 100;w=60
//! ```

use super::name::{Key, What, Window};
use super::value::{Count, split};

/// What one item of such a field tells.
#[derive(Debug, PartialEq)]
pub(super) struct Item {
    pub(super) key: Key,
    pub(super) limit: Option<Count>,
    pub(super) remaining: Option<Count>,
    /// Seconds, as written.
    pub(super) reset: Option<String>,
}

/// The items of a field; empty if it cannot be read.
pub(super) fn read(value: &str) -> Vec<Item> {
    let items: Vec<Parts<'_>> = split(value, ',').map(Parts::read).collect();
    let old = |parts: &Parts<'_>| parts.names.is_empty();
    let items = if items.iter().all(old) {
        // One limit in several items: `limit=100, remaining=50`.
        let parameters = items.into_iter().flat_map(|parts| parts.parameters);
        let parameters: Vec<_> = parameters.collect();
        vec![Parts {
            names: Vec::new(),
            parameters,
        }]
    } else {
        items
    };
    items.iter().filter_map(Parts::item).collect()
}

/// An item, taken apart.
struct Parts<'a> {
    /// What stands there without a `=`. The draft has one; some servers put a word before it.
    names: Vec<&'a str>,
    parameters: Vec<(&'a str, &'a str)>,
}

impl<'a> Parts<'a> {
    fn read(item: &'a str) -> Self {
        let (mut names, mut parameters) = (Vec::new(), Vec::new());
        for part in split(item, ';') {
            match part.split_once('=') {
                Some((key, value)) if !part.starts_with('"') => {
                    parameters.push((key.trim(), unquoted(value)));
                }
                _ => names.push(unquoted(part)),
            }
        }
        Self { names, parameters }
    }

    fn get(&self, keys: [&str; 2]) -> Option<&'a str> {
        let is = |key: &str| keys.iter().any(|wanted| key.eq_ignore_ascii_case(wanted));
        let found = self.parameters.iter().find(|(key, _)| is(key));
        found.map(|(_, value)| *value)
    }

    fn item(&self) -> Option<Item> {
        let name = self.names.last().copied();
        let bare = name.and_then(Count::read);
        let item = Item {
            key: Key {
                what: self.what(),
                scope: name.filter(|_| bare.is_none()).map(str::to_owned),
                window: self.window(),
            },
            limit: self.get(["q", "limit"]).and_then(Count::read).or(bare),
            remaining: self.get(["r", "remaining"]).and_then(Count::read),
            reset: self.get(["t", "reset"]).map(str::to_owned),
        };
        let told = item.limit.is_some() || item.remaining.is_some() || item.reset.is_some();
        told.then_some(item)
    }

    fn what(&self) -> What {
        // The unit of the quota; requests if it is not told.
        match self.get(["qu", "quota-unit"]) {
            None | Some("requests") => What::Requests,
            Some("tokens") => What::Tokens,
            Some(unit) => What::Other(unit.to_owned()),
        }
    }

    fn window(&self) -> Option<Window> {
        let seconds = self.get(["w", "window"])?.parse().ok()?;
        Some(Window::Seconds(seconds))
    }
}

fn unquoted(text: &str) -> &str {
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
        let item = |scope: Option<&str>, limit, remaining, reset: Option<&str>, window| Item {
            key: Key {
                what: What::Requests,
                scope: scope.map(str::to_owned),
                window,
            },
            limit,
            remaining,
            reset: reset.map(str::to_owned),
        };
        let known = |count| Some(Count::Known(count));
        assert_eq!(
            read(r#""api";r=999;t=295"#),
            [item(Some("api"), None, known(999), Some("295"), None)]
        );
        assert_eq!(
            read(r#""fixed window";"api";q=1000;w=300"#),
            [item(
                Some("api"),
                known(1000),
                None,
                None,
                Some(Window::Seconds(300))
            )]
        );
        assert_eq!(
            read(r#""a, b";r=1, "c";r=2"#),
            [
                item(Some("a, b"), None, known(1), None, None),
                item(Some("c"), None, known(2), None, None)
            ]
        );
        assert_eq!(
            read("limit=100, remaining=50, reset=5"),
            [item(None, known(100), known(50), Some("5"), None)]
        );
        assert_eq!(
            read("100;w=60"),
            [item(None, known(100), None, None, Some(Window::MINUTE))]
        );
        assert_eq!(read(r#""t";q=5;qu="tokens""#)[0].key.what, What::Tokens);
        for nothing in ["", "soon", ";;", "=", r#"""#] {
            assert_eq!(read(nothing), [], "{nothing}");
        }
    }
}
