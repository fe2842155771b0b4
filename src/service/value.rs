//! Values of fields: counts, durations and instants, in the forms that providers write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::{rfc2822::DateTimeParser, strtime};
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

/// Microseconds of a second.
pub(crate) const MICROS_PER_SECOND: u64 = 1_000_000;

/// Microseconds of a millisecond.
pub(super) const MICROS_PER_MILLI: u64 = 1_000;

/// A point in time from a header field, written as a wait or as an instant.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct ResetTime {
    /// The value as it was written.
    pub text: String,
    /// Notation of the value.
    pub form: TimeFormat,
    /// How long from the response on, in microseconds; zero if it is past. `None` for an instant in a
    /// response without a readable `Date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_micros: Option<u64>,
    /// When. `None` for a wait in a response without a readable `Date`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// The ways to write a point in time.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeFormat {
    /// Go's notation: `6m0s`, `2m59.56s`, `12ms` (OpenAI, Groq).
    Duration,
    /// Seconds, whole or not: `22`, `7.66` (Azure, Mistral, Together, `retry-after`).
    Seconds,
    /// Milliseconds (`retry-after-ms`).
    Millis,
    /// RFC 3339: `2026-11-23T09:14:07Z` (Anthropic).
    Rfc3339,
    /// An HTTP date (RFC 9110, 5.6.7), in any of its three spellings.
    HttpDate,
    /// Seconds since 1970 (Anthropic's unified limits).
    EpochSeconds,
    /// Milliseconds since 1970 (OpenRouter).
    EpochMillis,
}

impl ResetTime {
    /// Reads a point in time in whatever form it has; `date` is that of the response.
    pub(super) fn parse(text: &str, date: Option<Timestamp>) -> Option<Self> {
        let text = text.trim();
        if let Some(micros) = parse_scaled(text, MICROS_PER_SECOND) {
            return Self::from_number(text, micros, date);
        }
        if let Some(micros) = parse_go_duration(text) {
            return Some(Self::from_wait(text, TimeFormat::Duration, micros, date));
        }
        if let Ok(at) = text.parse() {
            return Some(Self::from_instant(text, TimeFormat::Rfc3339, at, date));
        }
        parse_http_date(text).map(|at| Self::from_instant(text, TimeFormat::HttpDate, at, date))
    }

    /// Reads a number of milliseconds.
    pub(super) fn parse_millis(text: &str, date: Option<Timestamp>) -> Option<Self> {
        let micros = parse_scaled(text.trim(), MICROS_PER_MILLI)?;
        Some(Self::from_wait(
            text.trim(),
            TimeFormat::Millis,
            micros,
            date,
        ))
    }

    /// Reads a number as a wait, or as seconds since 1970 if it is too large for a wait.
    fn from_number(text: &str, micros: u64, date: Option<Timestamp>) -> Option<Self> {
        let seconds = micros.div_euclid(MICROS_PER_SECOND);
        // Thirty years of waiting in seconds; year 33,658 in seconds.
        let form = match seconds {
            0..1_000_000_000 => {
                return Some(Self::from_wait(text, TimeFormat::Seconds, micros, date));
            }
            1_000_000_000..1_000_000_000_000 => TimeFormat::EpochSeconds,
            _ => TimeFormat::EpochMillis,
        };
        let micros = if form == TimeFormat::EpochMillis {
            micros.div_euclid(1000)
        } else {
            micros
        };
        let at = Timestamp::from_microsecond(i64::try_from(micros).ok()?).ok()?;
        Some(Self::from_instant(text, form, at, date))
    }

    fn from_wait(text: &str, form: TimeFormat, micros: u64, date: Option<Timestamp>) -> Self {
        let later = date.and_then(|date| {
            let at = date.as_microsecond().checked_add_unsigned(micros)?;
            Timestamp::from_microsecond(at).ok()
        });
        Self {
            text: text.to_owned(),
            form,
            after_micros: Some(micros),
            at: later,
        }
    }

    fn from_instant(text: &str, form: TimeFormat, at: Timestamp, date: Option<Timestamp>) -> Self {
        Self {
            text: text.to_owned(),
            form,
            after_micros: date.map(|date| micros_until(at, date)),
            at: Some(at),
        }
    }

    /// The wait in microseconds, counted from `now` or else from the time of the response.
    pub fn wait_micros(&self, now: Option<Timestamp>) -> Option<u64> {
        match self.form {
            TimeFormat::Duration | TimeFormat::Seconds | TimeFormat::Millis => self.after_micros,
            _ => now
                .zip(self.at)
                .map(|(now, at)| micros_until(at, now))
                .or(self.after_micros),
        }
    }
}

/// Microseconds from `now` to `at`; zero if that is past.
fn micros_until(at: Timestamp, now: Timestamp) -> u64 {
    let micros = at.as_microsecond().saturating_sub(now.as_microsecond());
    u64::try_from(micros).unwrap_or(0)
}

/// A count, or the mark of a provider that does not know it (`-1`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LimitCount {
    /// That many.
    Known(u64),
    /// A negative number: not known, and not exhausted.
    NotKnown,
}

impl Serialize for LimitCount {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(count) => to.serialize_some(count),
            Self::NotKnown => to.serialize_none(),
        }
    }
}

impl LimitCount {
    /// Reads a whole number; of a list (`100, 100;w=60`, an old draft) the first.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let first = text.split([',', ';']).next()?.trim();
        match first.strip_prefix('-') {
            Some(rest) => is_digits(rest).then_some(Self::NotKnown),
            None if is_digits(first) => first.parse().ok().map(Self::Known),
            None => None,
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A decimal number times `unit`, rounded down.
pub(super) fn parse_scaled(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let fraction = fraction.bytes().fold((0_u64, unit), |(sum, place), byte| {
        let place = place.div_euclid(10);
        let digit = u64::from(byte.wrapping_sub(b'0'));
        (sum.saturating_add(digit.saturating_mul(place)), place)
    });
    whole.checked_mul(unit)?.checked_add(fraction.0)
}

/// A duration in Go's notation, in microseconds: `1h2m3.5s`, `172.8ms`, `0s`.
pub(super) fn parse_go_duration(text: &str) -> Option<u64> {
    let (micros, end) = parse_duration_prefix(text)?;
    (end == text.len()).then_some(micros)
}

/// The duration at the beginning of `text` in microseconds, and the length of its text: `1h2m3.5s`, `2 seconds`.
pub(crate) fn parse_duration_prefix(text: &str) -> Option<(u64, usize)> {
    let (mut rest, mut sum) = (text, None);
    while let Some((micros, after)) = parse_duration_part(rest) {
        sum = Some(sum.unwrap_or(0_u64).checked_add(micros)?);
        rest = after;
    }
    Some((sum?, text.len().saturating_sub(rest.len())))
}

/// Reads one number with its unit, and returns it with the text after it.
fn parse_duration_part(text: &str) -> Option<(u64, &str)> {
    let split =
        |text: &'_ str, fits: fn(char) -> bool| text.find(|char| !fits(char)).unwrap_or(text.len());
    let is_digit = |char: char| char.is_ascii_digit() || char == '.';
    let (number, rest) = text.split_at_checked(split(text, is_digit))?;
    let rest = rest.strip_prefix(' ').unwrap_or(rest);
    let (unit, rest) = rest.split_at_checked(split(rest, char::is_alphabetic))?;
    let unit = match unit {
        "d" | "day" | "days" => MICROS_PER_SECOND.saturating_mul(86_400),
        "h" | "hour" | "hours" => MICROS_PER_SECOND.saturating_mul(3_600),
        "m" | "min" | "minute" | "minutes" => MICROS_PER_SECOND.saturating_mul(60),
        "s" | "sec" | "second" | "seconds" => MICROS_PER_SECOND,
        "ms" | "milliseconds" => MICROS_PER_MILLI,
        "us" | "µs" | "μs" => 1,
        "ns" => return Some((parse_scaled(number, 1)?.div_euclid(1000), rest)),
        _ => return None,
    };
    Some((parse_scaled(number, unit)?, rest))
}

/// An HTTP date: as of today (`Wed, 21 Oct 2026 07:28:00 GMT`), of RFC 850, or of C's `asctime`.
pub(super) fn parse_http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    // A wrong day of the week does not make the date wrong.
    let parser = DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(text).ok().or_else(|| {
        ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
            .iter()
            .find_map(|form| {
                let parsed: DateTime = strtime::parse(form, text).ok()?.to_datetime().ok()?;
                Offset::UTC.to_timestamp(parsed).ok()
            })
    })
}

/// The parts of `text` between the separators `at` that are outside quotes.
pub(super) fn split_unquoted(text: &str, at: char) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |char| {
        if escaped {
            escaped = false;
        } else if char == '"' {
            quoted = !quoted;
        } else if quoted && char == '\\' {
            escaped = true;
        }
        char == at && !quoted
    })
    .map(str::trim)
    .filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "2026-11-23T09:14:07Z";

    /// Text, form, microseconds from the date, instant.
    const POINTS: &str = "
        6m0s                           | Duration | 360000000 | 2026-11-23T09:20:07Z
        2m59.56s                       | Duration | 179560000 | 2026-11-23T09:17:06.56Z
        12ms                           | Duration | 12000 | 2026-11-23T09:14:07.012Z
        172.8ms                        | Duration | 172800 | 2026-11-23T09:14:07.1728Z
        1h0m0s                         | Duration | 3600000000 | 2026-11-23T10:14:07Z
        0s                             | Duration | 0 | 2026-11-23T09:14:07Z
        22                             | Seconds | 22000000 | 2026-11-23T09:14:29Z
        7.66                           | Seconds | 7660000 | 2026-11-23T09:14:14.66Z
        2026-11-23T09:14:37Z           | Rfc3339 | 30000000 | 2026-11-23T09:14:37Z
        2025-08-21T12:40:59Z           | Rfc3339 | 0 | 2025-08-21T12:40:59Z
        1795425307                     | EpochSeconds | 60000000 | 2026-11-23T09:15:07Z
        1795425307500                  | EpochMillis | 60500000 | 2026-11-23T09:15:07.5Z
        Mon, 23 Nov 2026 09:14:08 GMT  | HttpDate | 1000000 | 2026-11-23T09:14:08Z
        Tue, 23 Nov 2026 09:14:08 GMT  | HttpDate | 1000000 | 2026-11-23T09:14:08Z
        Monday, 23-Nov-26 09:14:08 GMT | HttpDate | 1000000 | 2026-11-23T09:14:08Z
        Mon Nov 23 09:14:08 2026       | HttpDate | 1000000 | 2026-11-23T09:14:08Z";

    #[test]
    fn points_in_time() {
        let date: Timestamp = DATE.parse().unwrap();
        for row in POINTS.lines().filter(|row| !row.is_empty()) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let reset = ResetTime::parse(cells[0], Some(date)).unwrap_or_else(|| panic!("{row}"));
            let form = format!("{:?}", reset.form);
            let after = reset.after_micros.unwrap().to_string();
            let at = reset.at.unwrap().to_string();
            assert_eq!([form, after, at], cells[1..], "{row}");
        }
        for text in "|soon|-1|1e3|5x|1m2|s|6m 0s|1.2.3s|.5|99999999999999999999".split('|') {
            assert_eq!(ResetTime::parse(text, Some(date)), None, "{text}");
        }
    }

    #[test]
    fn without_a_date_only_what_is_known() {
        let wait = ResetTime::parse("3s", None).unwrap();
        assert_eq!((wait.after_micros, wait.at), (Some(3_000_000), None));
        let instant = ResetTime::parse(DATE, None).unwrap();
        assert_eq!(instant.after_micros, None);
        let now: Timestamp = "2026-11-23T09:14:00Z".parse().unwrap();
        assert_eq!(instant.wait_micros(Some(now)), Some(7_000_000));
        assert_eq!(instant.wait_micros(None), None);
    }

    #[test]
    fn counts() {
        assert_eq!(LimitCount::parse("10000"), Some(LimitCount::Known(10_000)));
        assert_eq!(
            LimitCount::parse("100, 100;w=60"),
            Some(LimitCount::Known(100))
        );
        assert_eq!(LimitCount::parse("-1"), Some(LimitCount::NotKnown));
        for text in ["", "-", "1.5", "many", "+1", "99999999999999999999"] {
            assert_eq!(LimitCount::parse(text), None, "{text}");
        }
    }

    #[test]
    fn lists_are_split_outside_of_quotes() {
        let parts = |text| split_unquoted(text, ',').collect::<Vec<_>>();
        assert_eq!(parts(r#"a, "b, \", c" , ,d"#), ["a", r#""b, \", c""#, "d"]);
        assert_eq!(parts(r#""open, a"#), [r#""open, a"#]);
    }
}
