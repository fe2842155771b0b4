//! A line of a head on a terminal: its mark, name and value in different styles, spelled as on the wire.

use super::escape::{KeptWhitespace, escape};
use super::{OutputStyle, TextStyle};
use crate::http1::{Event, StartLine};
use crate::span::{Span, StreamSide};
use crate::tape::Window;

/// The mark of a direction: `>` for sent, `<` for received.
pub(super) fn direction_mark(side: StreamSide) -> char {
    match side {
        StreamSide::Sent => '>',
        StreamSide::Received => '<',
    }
}

/// The rows of the head line in `event`, one for each line on the wire; `None` for events that are no line of a
/// head.
pub(super) fn head_rows(
    event: &Event,
    seen: Window<'_>,
    style: &OutputStyle,
) -> Option<Vec<String>> {
    let rows = match event {
        Event::Start(start) => vec![start_line_row(start, seen, style)],
        Event::Field(field) | Event::Trailer(field) => {
            let name = style.paint(
                TextStyle::Name,
                &escape(seen.slice(field.name), KeptWhitespace::SpacesOnly),
            );
            let rest = Span::new(field.name.end, field.line.end);
            let mut lines = split_lines(seen.slice(rest));
            let before = Span::new(field.line.start, field.name.start);
            let first = lines.next().unwrap_or_default();
            let before = escape(seen.slice(before), KeptWhitespace::SpacesOnly);
            let first = format!(
                "{before}{name}{}",
                escape(first, KeptWhitespace::SpacesOnly)
            );
            let folded = lines.map(|line| escape(line, KeptWhitespace::SpacesOnly).into_owned());
            std::iter::once(first).chain(folded).collect()
        }
        Event::HeadEnd(..) | Event::TrailerEnd(_) | Event::Blank(_) => vec![String::new()],
        _ => return None,
    };
    Some(rows)
}

fn start_line_row(start: &StartLine, seen: Window<'_>, style: &OutputStyle) -> String {
    let line = split_lines(seen.slice(start.line()))
        .next()
        .unwrap_or_default();
    let look = match start.status() {
        None => TextStyle::Strong,
        Some(..300) => TextStyle::Success,
        Some(300..400) => TextStyle::Warning,
        Some(_) => TextStyle::Error,
    };
    style.paint(look, &escape(line, KeptWhitespace::SpacesOnly))
}

/// The lines of `bytes` without their ends.
fn split_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}
