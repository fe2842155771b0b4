//! Times as text.

use std::time::Duration;

use jiff::Timestamp;

/// The value of a Date field (RFC 9110, 5.6.7).
pub(super) fn http_date(secs: i64) -> String {
    let stamp = Timestamp::from_second(secs).unwrap_or_default();
    stamp.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The time `secs` + `after` as RFC 3339, with `digits` digits of its fraction.
pub(super) fn rfc3339_time(secs: i64, after: Duration, digits: usize) -> String {
    let start = Timestamp::from_second(secs).unwrap_or_default();
    let stamp = start.checked_add(after).unwrap_or(start);
    match digits {
        0 => stamp.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        _ => format!("{stamp:.digits$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_http_dates_and_rfc_3339() {
        assert_eq!(http_date(1_795_425_247), "Mon, 23 Nov 2026 09:14:07 GMT");
        let after = Duration::from_millis(1_500);
        assert_eq!(
            rfc3339_time(1_795_425_246, after, 0),
            "2026-11-23T09:14:07Z"
        );
        assert_eq!(
            rfc3339_time(1_795_425_246, after, 6),
            "2026-11-23T09:14:07.500000Z"
        );
    }
}
