//! Two raw streams side by side in hex, with their roles: what differs, and a row of what is around it.

use std::io::{self, Write};

use super::super::{Look, Style, words};
use crate::diff::{Address, BytesDifference, BytesRun};
use crate::span::{Side, Span};
use crate::tile::Tile;

/// Bytes in one row of one side.
const ROW: u64 = 8;

/// Writes what differs; `streams` are the bytes that were compared, left and right.
pub fn bytes(
    difference: &BytesDifference,
    streams: [&[u8]; 2],
    style: &Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mark = match difference.side {
        Side::Sent => '>',
        Side::Received => '<',
    };
    let title = format!("{mark} {}", difference.side);
    writeln!(out, "{}", style.paint(Look::Strong, &title))?;
    let Some(first) = &difference.first else {
        return writeln!(out, "  {}", style.dim("the same, byte for byte"));
    };
    let (left, right) = (address(&first.left), address(&first.right));
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
    let mut view = View {
        streams,
        tiles: [&difference.tiles[0], &difference.tiles[1]],
        style,
        out,
        role: String::new(),
    };
    let last = difference.runs.len().saturating_sub(1);
    for (n, run) in difference.runs.iter().enumerate() {
        match run.same {
            true => view.same(*run, n > 0, n < last)?,
            false => view.rows(*run)?,
        }
    }
    Ok(())
}

/// `byte 17 (field Host, /model)`.
fn address(address: &Address) -> String {
    let role = address.role.map_or("past the end", |role| role.name());
    let name = address.name.as_ref();
    let name = name
        .map(|name| format!(" {}", words::line(name)))
        .unwrap_or_default();
    let pointer = address
        .pointer
        .as_ref()
        .filter(|pointer| !pointer.is_empty());
    let pointer = pointer
        .map(|pointer| format!(", {}", words::line(pointer)))
        .unwrap_or_default();
    format!("byte {} ({role}{name}{pointer})", address.offset)
}

struct View<'a> {
    streams: [&'a [u8]; 2],
    tiles: [&'a [Tile]; 2],
    style: &'a Style,
    out: &'a mut dyn Write,
    /// The heading that was written last.
    role: String,
}

impl View<'_> {
    /// A run that both have: a row after what differs, a row before it, and how much lies between.
    fn same(&mut self, run: BytesRun, after: bool, before: bool) -> io::Result<()> {
        let length = run.left.len();
        let head = if after { ROW.min(length) } else { 0 };
        let tail = if before {
            ROW.min(length.saturating_sub(head))
        } else {
            0
        };
        self.rows(part(run, 0, head))?;
        let between = length.saturating_sub(head).saturating_sub(tail);
        if between > 0 {
            let text = format!("  ... {} that both have", words::bytes(between));
            writeln!(self.out, "{}", self.style.dim(&text))?;
            self.role.clear();
        }
        self.rows(part(run, length.saturating_sub(tail), length))
    }

    fn rows(&mut self, run: BytesRun) -> io::Result<()> {
        let rows = run.left.len().max(run.right.len()).div_ceil(ROW);
        for row in 0..rows {
            let from = row.saturating_mul(ROW);
            let cut = |span: Span| {
                let start = span.start.saturating_add(from).min(span.end);
                Span::new(start, start.saturating_add(ROW).min(span.end))
            };
            let (left, right) = (cut(run.left), cut(run.right));
            self.heading(left, right)?;
            let looks = match run.same {
                true => [Look::Plain; 2],
                false => [Look::Bad, Look::Good],
            };
            let sign = if run.same { ' ' } else { '~' };
            let one = self.style.paint(looks[0], &hex_row(self.streams[0], left));
            let other = self.style.paint(looks[1], &hex_row(self.streams[1], right));
            writeln!(self.out, "{sign} {one} {sign} {other}")?;
        }
        Ok(())
    }

    /// What the bytes are, where that changes.
    fn heading(&mut self, left: Span, right: Span) -> io::Result<()> {
        let role = |tiles: &[Tile], span: Span| {
            let after = tiles.partition_point(|tile| tile.span.start <= span.start);
            let tile = after.checked_sub(1).and_then(|n| tiles.get(n));
            let tile = tile.filter(|_| !span.is_empty())?;
            let name = tile.name.as_ref();
            let name = name
                .map(|name| format!(" {}", words::line(name)))
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
        if heading == self.role {
            return Ok(());
        }
        writeln!(self.out, "  {}", self.style.dim(&heading))?;
        self.role = heading;
        Ok(())
    }
}

/// The bytes of a run from the one to the other, counted from its start.
fn part(run: BytesRun, from: u64, to: u64) -> BytesRun {
    let cut = |span: Span| {
        let at = |offset: u64| span.start.saturating_add(offset).min(span.end);
        Span::new(at(from), at(to))
    };
    BytesRun {
        left: cut(run.left),
        right: cut(run.right),
        same: run.same,
    }
}

/// `offset  hex  |text|`, of one width.
fn hex_row(bytes: &[u8], span: Span) -> String {
    let at = |offset| usize::try_from(offset).unwrap_or(usize::MAX);
    let row = bytes.get(at(span.start)..at(span.end)).unwrap_or_default();
    if row.is_empty() {
        return " ".repeat(8 + 2 + 23 + 2 + 10);
    }
    let pairs: Vec<_> = row.iter().map(|byte| hex::encode([*byte])).collect();
    let text: String = row
        .iter()
        .map(|&byte| super::super::hex::printable(byte))
        .collect();
    let text = format!("|{text}|");
    format!("{:08x}  {:<23}  {text:<10}", span.start, pairs.join(" "))
}
