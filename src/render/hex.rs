//! Hex dumps: offset, bytes and text, with the role and moment of each run.

use std::io::{self, Write};

use super::{OutputStyle, wording};
use crate::exchange::roles::RoleSpan;
use crate::span::{Moment, Span, StreamSide};
use crate::tape::Stream;

/// Writes one stream: a heading where role or read changes, then rows of sixteen bytes.
pub fn dump(
    stream: &Stream,
    tiles: &[RoleSpan],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mark = match stream.side {
        StreamSide::Sent => '>',
        StreamSide::Received => '<',
    };
    let mut runs = stream.reads().peekable();
    let mut fresh_read = true;
    for tile in tiles.iter().filter(|tile| tile.side == stream.side) {
        let mut at = tile.span.start;
        while at < tile.span.end {
            while runs.next_if(|(run, _)| run.end <= at).is_some() {
                fresh_read = true;
            }
            let Some((run, moment)) = runs.peek().copied() else {
                break;
            };
            let part = Span::new(at, tile.span.end.min(run.end));
            write_heading(mark, tile, part, moment, fresh_read, style, out)?;
            write_rows(stream.slice(part), part.start, "", out)?;
            fresh_read = false;
            at = part.end;
        }
    }
    Ok(())
}

fn write_heading(
    mark: char,
    tile: &RoleSpan,
    part: Span,
    moment: Moment,
    fresh_read: bool,
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let name = tile
        .name
        .as_deref()
        .map(|name| format!(" {}", wording::escape_line(name)))
        .unwrap_or_default();
    let crossed = if mark == '>' { "write" } else { "read" };
    let new = if fresh_read {
        format!("  new {crossed}")
    } else {
        String::new()
    };
    let text = format!(
        "{mark} {part}  {}{name}  {}{new}",
        tile.role.name(),
        wording::format_duration(moment.micros)
    );
    writeln!(out, "{}", style.dim(&text))
}

/// Writes rows of `offset  hex  |text|`, each after `margin`; the text shows only printable ASCII.
pub(super) fn write_rows(
    bytes: &[u8],
    start: u64,
    margin: &str,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut at = start;
    for row in bytes.chunks(16) {
        let (left, right) = row.split_at(row.len().min(8));
        let pairs = |bytes: &[u8]| {
            let pairs: Vec<_> = bytes.iter().map(|byte| hex::encode([*byte])).collect();
            pairs.join(" ")
        };
        let text: String = row.iter().map(|&byte| printable_char(byte)).collect();
        writeln!(
            out,
            "{margin}{at:08x}  {:<23}  {:<23}  |{text}|",
            pairs(left),
            pairs(right)
        )?;
        at = at.saturating_add(row.len() as u64);
    }
    Ok(())
}

pub(super) fn printable_char(byte: u8) -> char {
    if byte.is_ascii_graphic() || byte == b' ' {
        char::from(byte)
    } else {
        '.'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_has_sixteen_bytes() {
        let mut out = Vec::new();
        write_rows(b"HTTP/1.1 200 OK\r\n\x1b", 0x10, "", &mut out).unwrap();
        let expected = "\
00000010  48 54 54 50 2f 31 2e 31  20 32 30 30 20 4f 4b 0d  |HTTP/1.1 200 OK.|
00000020  0a 1b                                             |..|
";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
