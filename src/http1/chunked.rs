//! Chunk-size lines: the size, and whether what follows it is an extension (RFC 9112, section 7.1).

use super::head::is_token_byte;
use super::oddity::{HttpFault, HttpOddity, OddityKind};
use crate::span::Span;
use crate::tape::Window;

/// A chunk-size line, token by token.
pub(super) struct ChunkSizeLine {
    pub(super) size: u64,
    pub(super) extensions: Span,
}

/// Reads the line whose bytes, without the line end, are `text`.
pub(super) fn parse_chunk_size(
    seen: Window<'_>,
    text: Span,
    odd: &mut Vec<HttpOddity>,
) -> Result<ChunkSizeLine, HttpFault> {
    let bytes = seen.slice(text);
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit())
        .count();
    let (number, rest) = bytes.split_at_checked(digits).unwrap_or((bytes, &[]));
    let spaces = rest
        .iter()
        .take_while(|&&byte| byte == b' ' || byte == b'\t')
        .count();
    let extension = rest.get(spaces..).unwrap_or_default();
    let after_number = text.start.saturating_add(digits as u64);
    let extensions = Span::new(after_number.saturating_add(spaces as u64), text.end);
    if number.is_empty() || !matches!(extension.first(), None | Some(b';')) {
        return Err(HttpFault::BadChunkSize);
    }
    if extension.contains(&0) {
        return Err(HttpFault::BadChunkSize);
    }
    // Before `;` white space is part of the grammar ("bad" but legal); before the line end it is not.
    if spaces > 0 && extension.is_empty() {
        let at = Span::new(after_number, extensions.start);
        odd.push(HttpOddity::new(OddityKind::ChunkSizeSpace, at));
    }
    if !extensions_are_well_formed(extension) {
        odd.push(HttpOddity::new(OddityKind::BadChunkExtension, extensions));
    }
    let size = parse_hex(number).ok_or(HttpFault::ChunkSizeOverflow)?;
    Ok(ChunkSizeLine { size, extensions })
}

fn parse_hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |value, &digit| {
        let digit = char::from(digit).to_digit(16)?;
        value.checked_mul(16)?.checked_add(u64::from(digit))
    })
}

/// `*( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )`
fn extensions_are_well_formed(mut rest: &[u8]) -> bool {
    loop {
        rest = rest.trim_ascii_start();
        let Some(after) = rest.strip_prefix(b";") else {
            return rest.is_empty();
        };
        let Some(after) = skip_token(after.trim_ascii_start()) else {
            return false;
        };
        rest = after.trim_ascii_start();
        if let Some(value) = rest.strip_prefix(b"=") {
            let value = value.trim_ascii_start();
            match if value.first() == Some(&b'"') {
                skip_quoted(value)
            } else {
                skip_token(value)
            } {
                Some(after) => rest = after,
                None => return false,
            }
        }
    }
}

/// What follows the token at the start; `None` if there is none.
fn skip_token(bytes: &[u8]) -> Option<&[u8]> {
    let length = bytes
        .iter()
        .take_while(|&&byte| is_token_byte(byte))
        .count();
    if length == 0 {
        None
    } else {
        bytes.get(length..)
    }
}

/// What follows the quoted string at the start.
fn skip_quoted(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(b"\"")?;
    loop {
        let (&byte, after) = rest.split_first()?;
        rest = match byte {
            b'"' => return Some(after),
            b'\\' => after.split_first()?.1,
            _ => after,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_extensions() {
        #[track_caller]
        fn case(line: &[u8], expected: Result<(u64, &[u8]), HttpFault>, odd: &[OddityKind]) {
            let seen = Window {
                base: 0,
                bytes: line,
                ended: false,
            };
            let mut found = Vec::new();
            let got = parse_chunk_size(seen, Span::new(0, line.len() as u64), &mut found);
            let got = got.map(|head| (head.size, seen.slice(head.extensions)));
            assert_eq!(got, expected);
            let kinds: Vec<_> = found.iter().map(|oddity| oddity.kind).collect();
            assert_eq!(kinds, odd);
        }
        case(b"0", Ok((0, b"")), &[]);
        case(b"1aF", Ok((0x1af, b"")), &[]);
        case(b"0000000000000000000001", Ok((1, b"")), &[]);
        case(b"ffffffffffffffff", Ok((u64::MAX, b"")), &[]);
        case(b"10000000000000000", Err(HttpFault::ChunkSizeOverflow), &[]);
        case(b"5;a=b", Ok((5, b";a=b")), &[]);
        case(
            b"5 ; a = \"x\\\";y\" ;c",
            Ok((5, b"; a = \"x\\\";y\" ;c")),
            &[],
        );
        case(b"5 ", Ok((5, b"")), &[OddityKind::ChunkSizeSpace]);
        case(b"5;", Ok((5, b";")), &[OddityKind::BadChunkExtension]);
        case(
            b"5;a=\"x",
            Ok((5, b";a=\"x")),
            &[OddityKind::BadChunkExtension],
        );
        case(b"", Err(HttpFault::BadChunkSize), &[]);
        case(b";a", Err(HttpFault::BadChunkSize), &[]);
        case(b"+5", Err(HttpFault::BadChunkSize), &[]);
        case(b"0x5", Err(HttpFault::BadChunkSize), &[]);
        case(b" 5", Err(HttpFault::BadChunkSize), &[]);
        case(b"5 x", Err(HttpFault::BadChunkSize), &[]);
        case(b"5\r", Err(HttpFault::BadChunkSize), &[]);
        case(b"5\0", Err(HttpFault::BadChunkSize), &[]);
    }
}
