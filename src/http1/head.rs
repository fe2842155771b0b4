//! Start lines and field lines: from the bytes of a line to the spans of its tokens.

use memchr::memchr;

use super::oddity::{Fault, Oddity, OddityKind};
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
    /// All of the line, its end included.
    pub fn line(&self) -> Span {
        match *self {
            Self::Request { line, .. } | Self::Status { line, .. } => line,
        }
    }

    /// Whether it speaks HTTP/1.0.
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
pub struct Field {
    /// All of it: folded lines and line end included.
    pub line: Span,
    /// The name as spelled.
    pub name: Span,
    /// The value as spelled, without the white space around it. May hold folds.
    pub value: Span,
}

/// What a line turned out to be, and what is odd about it.
pub(super) type Read<T> = (Result<T, Fault>, Vec<Oddity>);

/// Cuts `line` (its `text` span leaves the line end out) as a status line (RFC 9112, section 4).
pub(super) fn status_line(seen: Window<'_>, line: Span, text: Span) -> Read<StartLine> {
    let mut odd = odd_bytes(seen, text, OddityKind::StartLineSpacing);
    let result = (|| {
        let (version, http10, rest) = version(seen, text, &mut odd)?;
        let spaces = leading(seen, rest, |byte| byte == b' ' || byte == b'\t');
        if seen.slice(spaces).first() != Some(&b' ') {
            return Err(Fault::BadStartLine);
        }
        if spaces.len() != 1 {
            odd.push(Oddity {
                kind: OddityKind::StartLineSpacing,
                at: spaces,
            });
        }
        let digits = leading(seen, Span::new(spaces.end, text.end), |byte| {
            byte.is_ascii_digit()
        });
        let (Some(code), 3) = (decimal(seen.slice(digits)), digits.len()) else {
            return Err(Fault::BadStartLine);
        };
        if !(100..=599).contains(&code) {
            odd.push(Oddity {
                kind: OddityKind::StatusRange,
                at: digits,
            });
        }
        let reason = match seen.from(digits.end).first() {
            _ if digits.end == text.end => {
                odd.push(Oddity {
                    kind: OddityKind::NoReason,
                    at: Span::at(text.end),
                });
                Span::at(text.end)
            }
            Some(b' ') => Span::new(digits.end.saturating_add(1), text.end),
            Some(b'\t') => {
                let at = Span::new(digits.end, digits.end.saturating_add(1));
                odd.push(Oddity {
                    kind: OddityKind::StartLineSpacing,
                    at,
                });
                Span::new(at.end, text.end)
            }
            _ => return Err(Fault::BadStartLine),
        };
        no_nul(seen, text)?;
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

/// Cuts `line` as a request line (RFC 9112, section 3): the method is the first word, the version the
/// last, and all between them the target, even where it holds spaces.
pub(super) fn request_line(seen: Window<'_>, line: Span, text: Span) -> Read<StartLine> {
    let mut odd = odd_bytes(seen, text, OddityKind::StartLineSpacing);
    let result = (|| {
        no_nul(seen, text)?;
        let method = leading(seen, text, is_token);
        let after = leading(seen, Span::new(method.end, text.end), is_space);
        let bytes = seen.slice(Span::new(after.end, text.end));
        let target_len = bytes
            .iter()
            .rposition(|&byte| is_space(byte))
            .unwrap_or(bytes.len());
        let target = Span::new(after.end, after.end.saturating_add(target_len as u64));
        if method.is_empty() || after.is_empty() || target.is_empty() {
            return Err(Fault::BadStartLine);
        }
        let gap = leading(seen, Span::new(target.end, text.end), is_space);
        let target_text = seen.slice(target);
        let trimmed = target_text.trim_ascii_end().len() as u64;
        let target = Span::new(target.start, target.start.saturating_add(trimmed));
        if after.len() != 1 || gap.len() > 1 || target_text.iter().any(|&byte| is_space(byte)) {
            odd.push(Oddity {
                kind: OddityKind::StartLineSpacing,
                at: text,
            });
        }
        if gap.is_empty() {
            return Err(Fault::BadStartLine);
        }
        let (version, http10, rest) = version(seen, Span::new(gap.end, text.end), &mut odd)?;
        if !rest.is_empty() {
            return Err(Fault::BadStartLine);
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

/// The version at the start of `text`: its span, whether it is 1.0, and what follows it.
fn version(
    seen: Window<'_>,
    text: Span,
    odd: &mut Vec<Oddity>,
) -> Result<(Span, bool, Span), Fault> {
    let bytes = seen.slice(text);
    let Some([b'H', b'T', b'T', b'P', b'/', major, b'.', minor]) = bytes.first_chunk::<8>() else {
        return Err(if bytes.starts_with(b"HTTP/") {
            Fault::BadStartLine
        } else {
            Fault::NotHttp
        });
    };
    if !major.is_ascii_digit() || !minor.is_ascii_digit() {
        return Err(Fault::BadStartLine);
    }
    if *major != b'1' {
        return Err(Fault::BadVersion);
    }
    let span = Span::new(text.start, text.start.saturating_add(8));
    if *minor > b'1' {
        odd.push(Oddity {
            kind: OddityKind::Version,
            at: span,
        });
    }
    Ok((span, *minor == b'0', Span::new(span.end, text.end)))
}

/// Cuts a field line. `first` is its first line without the line end; `text` runs to the end of the
/// last folded line, without its line end; `line` is all of it.
pub(super) fn field(seen: Window<'_>, line: Span, first: Span, text: Span) -> Read<Field> {
    let mut odd = Vec::new();
    let result = (|| {
        no_nul(seen, text)?;
        let colon = memchr(b':', seen.slice(first)).ok_or(Fault::NoColon)? as u64;
        let name_end = first.start.saturating_add(colon);
        let name = trim_end(seen, Span::new(first.start, name_end));
        name_oddities(seen, name, name_end, &mut odd);
        let value = trim(seen, Span::new(name_end.saturating_add(1), text.end));
        if text.end > first.end {
            odd.push(Oddity {
                kind: OddityKind::Folded,
                at: Span::new(first.end, text.end),
            });
        }
        let first_value = value.intersection(Span::new(value.start, first.end.max(value.start)));
        odd.extend(odd_bytes(seen, first_value, OddityKind::ControlInValue));
        Ok(Field { line, name, value })
    })();
    (result, odd)
}

fn name_oddities(seen: Window<'_>, name: Span, colon: u64, odd: &mut Vec<Oddity>) {
    if name.is_empty() {
        odd.push(Oddity {
            kind: OddityKind::EmptyName,
            at: Span::at(colon),
        });
    }
    if name.end < colon {
        odd.push(Oddity {
            kind: OddityKind::SpaceBeforeColon,
            at: Span::new(name.end, colon),
        });
    }
    if !seen.slice(name).iter().all(|&byte| is_token(byte)) {
        odd.push(Oddity {
            kind: OddityKind::BadName,
            at: name,
        });
    }
}

/// Lone CRs and other controls in `span`; the first of each is told.
fn odd_bytes(seen: Window<'_>, span: Span, control: OddityKind) -> Vec<Oddity> {
    let bytes = seen.slice(span);
    let mut odd = Vec::new();
    let mut told = |kind, found: Option<usize>| {
        if let Some(place) = found {
            let at = span.start.saturating_add(place as u64);
            odd.push(Oddity {
                kind,
                at: Span::new(at, at.saturating_add(1)),
            });
        }
    };
    told(OddityKind::BareCr, memchr(b'\r', bytes));
    let is_control = |&byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | b'\n');
    told(control, bytes.iter().position(is_control));
    odd
}

fn no_nul(seen: Window<'_>, span: Span) -> Result<(), Fault> {
    match memchr(0, seen.slice(span)) {
        Some(_) => Err(Fault::Nul),
        None => Ok(()),
    }
}

/// The longest prefix of `span` whose bytes all pass.
fn leading(seen: Window<'_>, span: Span, pass: impl Fn(u8) -> bool) -> Span {
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
    let blank = leading(seen, span, is_blank);
    trim_end(seen, Span::new(blank.end, span.end))
}

fn decimal(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// White space around a value: OWS (RFC 9110, 5.6.3) and what folding leaves.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// `tchar` of RFC 9110, section 5.6.2.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
