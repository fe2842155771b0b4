//! Two raw streams side by side in hex, with the roles of the bytes: the runs that differ, and a row around each.

use std::io::{self, Write};

use super::super::{OutputStyle, TextStyle, wording};
use crate::diff::text::DiffRun;
use crate::diff::{ByteAddress, ByteStreamDiff};
use crate::exchange::roles::RoleSpan;
use crate::span::{Span, StreamSide};

/// Bytes in one row of one side, so that both sides fit beside each other.
fn bytes_per_row(style: &OutputStyle) -> u64 {
    // 31 columns are the offsets, bars and spaces of both sides. A byte takes two digits, a space and its character.
    let room = style.width.saturating_sub(31).div_euclid(8);
    room.clamp(2, 16) as u64
}

/// Writes the difference of two streams; `streams` are their bytes, left and right.
pub fn write_bytes(
    difference: &ByteStreamDiff,
    streams: [&[u8]; 2],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mark = match difference.side {
        StreamSide::Sent => '>',
        StreamSide::Received => '<',
    };
    let title = format!("{mark} {}", difference.side);
    writeln!(out, "{}", style.paint(TextStyle::Strong, &title))?;
    let Some(first) = &difference.first else {
        return writeln!(out, "  {}", style.dim("the same, byte for byte"));
    };
    let (left, right) = (
        describe_address(&first.left),
        describe_address(&first.right),
    );
    writeln!(out, "  first differs at {left}")?;
    if left != right {
        writeln!(out, "    on the right  {right}")?;
    }
    if difference.coarse {
        writeln!(
            out,
            "  {}",
            style.dim("(aligned more coarsely where it would have taken too long)")
        )?;
    }
    let mut view = HexDiffView {
        streams,
        tiles: [&difference.tiles[0], &difference.tiles[1]],
        row_bytes: bytes_per_row(style),
        style,
        out,
        last_heading: String::new(),
    };
    let last = difference.runs.len().saturating_sub(1);
    for (n, run) in difference.runs.iter().enumerate() {
        match run.same {
            true => view.write_same_run(*run, n > 0, n < last)?,
            false => view.write_rows(*run)?,
        }
    }
    Ok(())
}

/// `byte 17 (field Host, /model)`.
fn describe_address(address: &ByteAddress) -> String {
    let role = address.role.map_or("past the end", |role| role.name());
    let name = address.name.as_ref();
    let name = name
        .map(|name| format!(" {}", wording::escape_line(name)))
        .unwrap_or_default();
    let pointer = address
        .pointer
        .as_ref()
        .filter(|pointer| !pointer.is_empty());
    let pointer = pointer
        .map(|pointer| format!(", {}", wording::escape_line(pointer)))
        .unwrap_or_default();
    format!("byte {} ({role}{name}{pointer})", address.offset)
}

struct HexDiffView<'a> {
    streams: [&'a [u8]; 2],
    tiles: [&'a [RoleSpan]; 2],
    /// Bytes in a row of one side.
    row_bytes: u64,
    style: &'a OutputStyle,
    out: &'a mut dyn Write,
    /// The last heading written.
    last_heading: String,
}

impl HexDiffView<'_> {
    /// Writes a run that both have: its first row, its last row, and the number of bytes between.
    fn write_same_run(&mut self, run: DiffRun, after: bool, before: bool) -> io::Result<()> {
        let length = run.left.len();
        let head = if after { self.row_bytes.min(length) } else { 0 };
        let tail = if before {
            self.row_bytes.min(length.saturating_sub(head))
        } else {
            0
        };
        self.write_rows(slice_run(run, 0, head))?;
        let between = length.saturating_sub(head).saturating_sub(tail);
        if between > 0 {
            let text = format!("  ... {} that both have", wording::format_bytes(between));
            writeln!(self.out, "{}", self.style.dim(&text))?;
            self.last_heading.clear();
        }
        self.write_rows(slice_run(run, length.saturating_sub(tail), length))
    }

    fn write_rows(&mut self, run: DiffRun) -> io::Result<()> {
        let rows = run.left.len().max(run.right.len()).div_ceil(self.row_bytes);
        for row in 0..rows {
            let from = row.saturating_mul(self.row_bytes);
            let cut = |span: Span| {
                let start = span.start.saturating_add(from).min(span.end);
                Span::new(start, start.saturating_add(self.row_bytes).min(span.end))
            };
            let (left, right) = (cut(run.left), cut(run.right));
            self.write_heading(left, right)?;
            let looks = match run.same {
                true => [TextStyle::Plain; 2],
                false => [TextStyle::Error, TextStyle::Success],
            };
            let sign = if run.same { ' ' } else { '~' };
            let one = self
                .style
                .paint(looks[0], &hex_row(self.streams[0], left, self.row_bytes));
            let other = self
                .style
                .paint(looks[1], &hex_row(self.streams[1], right, self.row_bytes));
            writeln!(
                self.out,
                "{}",
                format!("{sign} {one} {sign} {other}").trim_end()
            )?;
        }
        Ok(())
    }

    /// Writes the roles of the bytes, if they are not those of the last heading.
    fn write_heading(&mut self, left: Span, right: Span) -> io::Result<()> {
        let role = |tiles: &[RoleSpan], span: Span| {
            let after = tiles.partition_point(|tile| tile.span.start <= span.start);
            let tile = after.checked_sub(1).and_then(|n| tiles.get(n));
            let tile = tile.filter(|_| !span.is_empty())?;
            let name = tile.name.as_ref();
            let name = name
                .map(|name| format!(" {}", wording::escape_line(name)))
                .unwrap_or_default();
            Some(format!("{}{name}", tile.role.name()))
        };
        let sides = [role(self.tiles[0], left), role(self.tiles[1], right)];
        let heading = match sides {
            [Some(left), Some(right)] if left == right => left,
            [Some(left), Some(right)] => format!("{left} | {right}"),
            [Some(one), None] | [None, Some(one)] => one,
            [None, None] => return Ok(()),
        };
        if heading == self.last_heading {
            return Ok(());
        }
        writeln!(self.out, "  {}", self.style.dim(&heading))?;
        self.last_heading = heading;
        Ok(())
    }
}

/// The bytes of a run between two offsets from its start.
fn slice_run(run: DiffRun, from: u64, to: u64) -> DiffRun {
    let cut = |span: Span| {
        let at = |offset: u64| span.start.saturating_add(offset).min(span.end);
        Span::new(at(from), at(to))
    };
    DiffRun {
        left: cut(run.left),
        right: cut(run.right),
        same: run.same,
    }
}

/// `offset  hex  |text|`, as wide as a row of `most` bytes.
fn hex_row(bytes: &[u8], span: Span, most: u64) -> String {
    let most = usize::try_from(most).unwrap_or_default();
    let (digits, letters) = (most.saturating_mul(3), most.saturating_add(2));
    let row = span.of(bytes);
    if row.is_empty() {
        return " ".repeat(digits.saturating_add(letters).saturating_add(11));
    }
    let pairs: Vec<_> = row.iter().map(|byte| hex::encode([*byte])).collect();
    let text: String = row
        .iter()
        .map(|&byte| super::super::hex::printable_char(byte))
        .collect();
    let text = format!("|{text}|");
    let pairs = pairs.join(" ");
    format!("{:08x}  {pairs:<digits$} {text:<letters$}", span.start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_fit_the_terminal() {
        for width in [60, 80, 95, 120, 200] {
            let row = bytes_per_row(&OutputStyle {
                width,
                ..OutputStyle::default()
            });
            let bytes = [b'x'; 16];
            let side = hex_row(&bytes, Span::new(0, row), row);
            assert_eq!(side.len(), hex_row(&bytes, Span::empty_at(0), row).len());
            // A sign and a space before each side, and a space between both.
            assert!(side.len() * 2 + 5 <= width, "{width}: {side}");
        }
    }
}
