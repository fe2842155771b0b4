//! Start lines and field lines: from the bytes of a line to the spans of its tokens.

use memchr::memchr;

use super::oddity::{HttpFault, HttpOddity, OddityKind};
use crate::span::Span;
use crate::tape::Window;

/// A request line or a status line, token by token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StartLine {
    /// `POST /v1/chat/completions HTTP/1.1`
    Request {
        /// All of it, line end included.
        line: Span,
        /// The method.
        method: Span,
        /// The request target.
        target: Span,
        /// `HTTP/1.1`; empty in an HTTP/0.9 request line.
        version: Span,
        /// Whether the minor version is 0.
        http10: bool,
    },
    /// `HTTP/1.1 200 OK`
    Status {
        /// All of it, line end included.
        line: Span,
        /// `HTTP/1.1`
        version: Span,
        /// The three digits.
        code: u16,
        /// The reason phrase; may be empty.
        reason: Span,
        /// Whether the minor version is 0.
        http10: bool,
    },
}

impl StartLine {
    /// The span of the whole line with its line end.
    pub fn line(&self) -> Span {
        match *self {
            Self::Request { line, .. } | Self::Status { line, .. } => line,
        }
    }

    /// Whether the version is HTTP/1.0.
    pub fn is_http10(&self) -> bool {
        match *self {
            Self::Request { http10, .. } | Self::Status { http10, .. } => http10,
        }
    }

    /// The status code of a status line.
    pub fn status(&self) -> Option<u16> {
        match *self {
            Self::Status { code, .. } => Some(code),
            Self::Request { .. } => None,
        }
    }
}

/// A field line, token by token.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HeadField {
    /// All of it: folded lines and line end included.
    pub line: Span,
    /// The name as spelled.
    pub name: Span,
    /// The value as spelled, without the white space around it. May hold folds.
    pub value: Span,
}

/// A parsed line, or the fault that makes it unreadable; and its oddities.
pub(super) type LineResult<T> = (Result<T, HttpFault>, Vec<HttpOddity>);

/// Parses `line` as a status line (RFC 9112, section 4). Its `text` span has no line end.
pub(super) fn parse_status_line(seen: Window<'_>, line: Span, text: Span) -> LineResult<StartLine> {
    let mut odd = control_oddities(seen, text, OddityKind::StartLineSpacing);
    let result = (|| {
        let (version, http10, rest) = parse_version(seen, text, &mut odd)?;
        let spaces = leading_span(seen, rest, |byte| byte == b' ' || byte == b'\t');
        if seen.slice(spaces).first() != Some(&b' ') {
            return Err(HttpFault::BadStartLine);
        }
        if spaces.len() != 1 {
            odd.push(HttpOddity::new(OddityKind::StartLineSpacing, spaces));
        }
        let digits = leading_span(seen, Span::new(spaces.end, text.end), |byte| {
            byte.is_ascii_digit()
        });
        let (Some(code), 3) = (parse_decimal(seen.slice(digits)), digits.len()) else {
            return Err(HttpFault::BadStartLine);
        };
        if !(100..=599).contains(&code) {
            odd.push(HttpOddity::new(OddityKind::StatusRange, digits));
        }
        let reason = match seen.slice_from(digits.end).first() {
            _ if digits.end == text.end => {
                odd.push(HttpOddity::new(
                    OddityKind::NoReason,
                    Span::empty_at(text.end),
                ));
                Span::empty_at(text.end)
            }
            Some(b' ') => Span::new(digits.end.saturating_add(1), text.end),
            Some(b'\t') => {
                let at = Span::new(digits.end, digits.end.saturating_add(1));
                odd.push(HttpOddity::new(OddityKind::StartLineSpacing, at));
                Span::new(at.end, text.end)
            }
            _ => return Err(HttpFault::BadStartLine),
        };
        reject_nul(seen, text)?;
        Ok(StartLine::Status {
            line,
            version,
            code,
            reason,
            http10,
        })
    })();
    (result, odd)
}

/// Parses `line` as a request line (RFC 9112, section 3): the first word is the method, the last the version,
/// everything between is the target, even with spaces.
pub(super) fn parse_request_line(
    seen: Window<'_>,
    line: Span,
    text: Span,
) -> LineResult<StartLine> {
    let mut odd = control_oddities(seen, text, OddityKind::StartLineSpacing);
    let result = (|| {
        reject_nul(seen, text)?;
        let method = leading_span(seen, text, is_token_byte);
        let after = leading_span(seen, Span::new(method.end, text.end), is_space);
        let bytes = seen.slice(Span::new(after.end, text.end));
        let target_len = bytes
            .iter()
            .rposition(|&byte| is_space(byte))
            .unwrap_or(bytes.len());
        let target = Span::new(after.end, after.end.saturating_add(target_len as u64));
        if method.is_empty() || after.is_empty() || target.is_empty() {
            return Err(HttpFault::BadStartLine);
        }
        let gap = leading_span(seen, Span::new(target.end, text.end), is_space);
        let target_text = seen.slice(target);
        let trimmed = target_text.trim_ascii_end().len() as u64;
        let target = Span::new(target.start, target.start.saturating_add(trimmed));
        if after.len() != 1 || gap.len() > 1 || target_text.iter().any(|&byte| is_space(byte)) {
            odd.push(HttpOddity::new(OddityKind::StartLineSpacing, text));
        }
        if gap.is_empty() {
            return Err(HttpFault::BadStartLine);
        }
        let (version, http10, rest) = parse_version(seen, Span::new(gap.end, text.end), &mut odd)?;
        if !rest.is_empty() {
            return Err(HttpFault::BadStartLine);
        }
        Ok(StartLine::Request {
            line,
            method,
            target,
            version,
            http10,
        })
    })();
    (result, odd)
}

/// Parses the version at the start of `text`: its span, whether it is 1.0, and the span after it.
fn parse_version(
    seen: Window<'_>,
    text: Span,
    odd: &mut Vec<HttpOddity>,
) -> Result<(Span, bool, Span), HttpFault> {
    let bytes = seen.slice(text);
    let Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]) = bytes.first_chunk::<8>() else {
        return Err(if bytes.starts_with(b"HTTP/") {
            HttpFault::BadStartLine
        } else {
            HttpFault::NotHttp
        });
    };
    if !major.is_ascii_digit() || !minor.is_ascii_digit() {
        return Err(HttpFault::BadStartLine);
    }
    if *major != b'1' {
        return Err(HttpFault::BadVersion);
    }
    let span = Span::new(text.start, text.start.saturating_add(8));
    if *minor > b'1' {
        odd.push(HttpOddity::new(OddityKind::Version, span));
    }
    Ok((span, *minor == b'0', Span::new(span.end, text.end)))
}

/// Parses a field line. `first` is its first line without the line end; `text` runs to the end of the
/// last folded line, without its line end; `line` is all of it.
pub(super) fn parse_field(
    seen: Window<'_>,
    line: Span,
    first: Span,
    text: Span,
) -> LineResult<HeadField> {
    let mut odd = Vec::new();
    let result = (|| {
        reject_nul(seen, text)?;
        let colon = memchr(b':', seen.slice(first)).ok_or(HttpFault::NoColon)? as u64;
        let name_end = first.start.saturating_add(colon);
        let name = trim_end(seen, Span::new(first.start, name_end));
        check_field_name(seen, name, name_end, &mut odd);
        let value = trim(seen, Span::new(name_end.saturating_add(1), text.end));
        if text.end > first.end {
            odd.push(HttpOddity::new(
                OddityKind::Folded,
                Span::new(first.end, text.end),
            ));
        }
        let first_value = value.intersection(Span::new(value.start, first.end.max(value.start)));
        odd.extend(control_oddities(
            seen,
            first_value,
            OddityKind::ControlInValue,
        ));
        Ok(HeadField { line, name, value })
    })();
    (result, odd)
}

fn check_field_name(seen: Window<'_>, name: Span, colon: u64, odd: &mut Vec<HttpOddity>) {
    if name.is_empty() {
        odd.push(HttpOddity::new(
            OddityKind::EmptyName,
            Span::empty_at(colon),
        ));
    }
    if name.end < colon {
        odd.push(HttpOddity::new(
            OddityKind::SpaceBeforeColon,
            Span::new(name.end, colon),
        ));
    }
    if !seen.slice(name).iter().all(|&byte| is_token_byte(byte)) {
        odd.push(HttpOddity::new(OddityKind::BadName, name));
    }
}

/// Reports lone CRs and other control bytes in `span`, the first of each kind.
fn control_oddities(seen: Window<'_>, span: Span, control: OddityKind) -> Vec<HttpOddity> {
    let bytes = seen.slice(span);
    let mut odd = Vec::new();
    let mut report = |kind, found: Option<usize>| {
        if let Some(place) = found {
            let at = span.start.saturating_add(place as u64);
            odd.push(HttpOddity::new(kind, Span::new(at, at.saturating_add(1))));
        }
    };
    report(OddityKind::BareCr, memchr(b'\r', bytes));
    let is_control = |&byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
    report(control, bytes.iter().position(is_control));
    odd
}

fn reject_nul(seen: Window<'_>, span: Span) -> Result<(), HttpFault> {
    match memchr(0, seen.slice(span)) {
        Some(_) => Err(HttpFault::Nul),
        None => Ok(()),
    }
}

/// The longest prefix of `span` in which all bytes satisfy the test.
fn leading_span(seen: Window<'_>, span: Span, pass: impl Fn(u8) -> bool) -> Span {
    let length = seen
        .slice(span)
        .iter()
        .take_while(|&&byte| pass(byte))
        .count();
    Span::new(span.start, span.start.saturating_add(length as u64))
}

fn trim_end(seen: Window<'_>, span: Span) -> Span {
    let bytes = seen.slice(span);
    let kept = bytes
        .iter()
        .rposition(|&byte| !is_blank(byte))
        .map_or(0, |last| last.saturating_add(1));
    Span::new(span.start, span.start.saturating_add(kept as u64))
}

fn trim(seen: Window<'_>, span: Span) -> Span {
    let blank = leading_span(seen, span, is_blank);
    trim_end(seen, Span::new(blank.end, span.end))
}

fn parse_decimal(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a byte is white space around a value: OWS (RFC 9110, 5.6.3) or a line end of a folded line.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Whether a byte may be in a token: `tchar` of RFC 9110, section 5.6.2.
pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
