//! Filters of `wire ls`: which rows are listed.

use super::row::CatalogRow;

/// Filters of `wire ls`. `None` matches every capture.
#[derive(Clone, Debug, Default)]
pub struct CatalogFilter {
    /// Part of the name of the asked or served model.
    pub model: Option<String>,
    /// Part of the host.
    pub host: Option<String>,
    /// Range of status codes.
    pub status: Option<StatusCodeRange>,
    /// Earliest start time.
    pub since: Option<jiff::Timestamp>,
}

/// A range of status codes, both ends included.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StatusCodeRange(pub u16, pub u16);

impl StatusCodeRange {
    /// Reads `429`, `4xx` or `400-499`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(class) = text.strip_suffix("xx") {
            let class = class
                .parse::<u16>()
                .ok()
                .filter(|class| (1..=9).contains(class))?;
            let first = class.saturating_mul(100);
            return Some(Self(first, first.saturating_add(99)));
        }
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(Self(first.parse().ok()?, last.parse().ok()?))
    }
}

impl CatalogFilter {
    /// Whether `entry`, or a call on its connection, matches all filters.
    pub fn matches(&self, entry: &CatalogRow) -> bool {
        self.matches_row(entry) || entry.calls.iter().any(|call| self.matches_row(call))
    }

    fn matches_row(&self, entry: &CatalogRow) -> bool {
        let holds = |whole: &Option<String>, part: &str| {
            whole.as_ref().is_some_and(|whole| whole.contains(part))
        };
        let model = |part: &String| holds(&entry.model, part) || holds(&entry.served_model, part);
        let status = |StatusCodeRange(first, last): StatusCodeRange| {
            entry
                .status
                .is_some_and(|status| (first..=last).contains(&status))
        };
        self.model.as_ref().is_none_or(model)
            && self
                .host
                .as_ref()
                .is_none_or(|part| entry.host.contains(part))
            && self.status.is_none_or(status)
            && self.since.is_none_or(|since| entry.started >= since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_ranges_are_read_as_one_class_or_range() {
        assert_eq!(
            StatusCodeRange::parse("429"),
            Some(StatusCodeRange(429, 429))
        );
        assert_eq!(
            StatusCodeRange::parse("4xx"),
            Some(StatusCodeRange(400, 499))
        );
        assert_eq!(
            StatusCodeRange::parse("200-299"),
            Some(StatusCodeRange(200, 299))
        );
        assert_eq!(StatusCodeRange::parse("abc"), None);
        assert_eq!(StatusCodeRange::parse("xx"), None);
    }
}
