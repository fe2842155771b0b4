//! A line of a head on screen: its mark, its name and value told apart, nothing re-spelled.

use super::escape::{Keep, escape};
use super::{Look, Style};
use crate::http1::{Event, StartLine};
use crate::span::{Span, StreamSide};
use crate::tape::Window;

/// The mark of a direction: `>` went out, `<` came in.
pub(super) fn mark(side: StreamSide) -> char {
    match side {
        StreamSide::Sent => '>',
        StreamSide::Received => '<',
    }
}

/// The line of a head that `event` stands for, one row for each line on the wire; `None` for events that
/// are no line of a head.
pub(super) fn rows(event: &Event, seen: Window<'_>, style: &Style) -> Option<Vec<String>> {
    let rows = match event {
        Event::Start(start) => vec![start_line(start, seen, style)],
        Event::Field(field) | Event::Trailer(field) => {
            let name = style.paint(Look::Name, &escape(seen.slice(field.name), Keep::Nothing));
            let rest = Span::new(field.name.end, field.line.end);
            let mut lines = lines(seen.slice(rest));
            let before = Span::new(field.line.start, field.name.start);
            let first = lines.next().unwrap_or_default();
            let before = escape(seen.slice(before), Keep::Nothing);
            let first = format!("{before}{name}{}", escape(first, Keep::Nothing));
            let folded = lines.map(|line| escape(line, Keep::Nothing).into_owned());
            std::iter::once(first).chain(folded).collect()
        }
        Event::HeadEnd(..) | Event::TrailerEnd(_) | Event::Blank(_) => vec![String::new()],
        _ => return None,
    };
    Some(rows)
}

fn start_line(start: &StartLine, seen: Window<'_>, style: &Style) -> String {
    let line = lines(seen.slice(start.line())).next().unwrap_or_default();
    let look = match start.status() {
        None => Look::Strong,
        Some(..300) => Look::Good,
        Some(300..400) => Look::Odd,
        Some(_) => Look::Bad,
    };
    style.paint(look, &escape(line, Keep::Nothing))
}

/// The lines of `bytes` without their ends.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split_inclusive(|&byte| byte == b'\n').map(|line| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        line.strip_suffix(b"\r").unwrap_or(line)
    })
}
