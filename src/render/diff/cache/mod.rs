//! What of a prompt could come from a cache, step by step, as text: where the prefix breaks, what falls out, what
//! was reported; and for a whole conversation a table.

mod place;
mod table;
mod usage;

use std::io::{self, Write};

use super::super::{Look, Style, words};
use crate::prompt_cache::{Amount, Basis, Beside, CacheStep, Counted, Mark, Prefix, Raw, State};
use place::pointer;

/// Columns of the bar.
const BAR: u64 = 32;

/// How much of a value, a name, a place is shown, in characters.
const VALUE: usize = 120;
const NAME: usize = 48;

/// Writes every step, and a table where there are several.
pub fn cache(steps: &[CacheStep], style: &Style, out: &mut dyn Write) -> io::Result<()> {
    for (n, step) in steps.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        one(step, style, out)?;
    }
    if steps.len() > 1 {
        writeln!(out)?;
        table::table(steps, style, out)?;
    }
    Ok(())
}

fn one(step: &CacheStep, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let names = [("---", &step.left), ("+++", &step.right)];
    for (sign, name) in names {
        let text = format!("{sign} {}", words::line(name));
        writeln!(out, "{}", style.paint(Look::Strong, &text))?;
    }
    let mut line = |name: &str, text: &str| writeln!(out, "{name:<8}  {text}");
    line("order", &order(step, style))?;
    let mut name = "prefix";
    for text in place::prefix(step, style) {
        line(std::mem::take(&mut name), &text)?;
    }
    line("kept", &kept(step.telling(), style))?;
    line("", &shares(step.telling(), ""))?;
    if step.values.is_some() {
        line("", &shares(&step.written, "by the bytes only "))?;
    }
    if let Some(text) = lost(step, style) {
        line("lost", &text)?;
    }
    line("tokens", &style.dim(&estimate(step)))?;
    line("raw", &style.dim(&raw(&step.raw)))?;
    if let Some(text) = marks(&step.marks) {
        line("marks", &style.dim(&text))?;
    }
    for fact in &step.beside {
        line("beside", &beside(fact, style))?;
    }
    let mut name = "usage";
    for text in usage::usage(step, style) {
        line(std::mem::take(&mut name), &text)?;
    }
    if let Some(said) = &step.said {
        line("the API", &format!("says of itself: {}", clip(said, VALUE)))?;
    }
    Ok(())
}

fn order(step: &CacheStep, style: &Style) -> String {
    let order = step.order;
    let parts: Vec<_> = order.parts.iter().map(|part| part.name).collect();
    let basis = match order.basis {
        Basis::Documented => "documented",
        Basis::Assumed => "assumed",
        Basis::Raw => return style.dim(order.note),
    };
    format!("{} ({basis}: {})", parts.join(", "), order.note)
}

/// A bar of the right prompt: kept, lost, new; and how much of what comes again is kept.
fn kept(prefix: &Prefix, style: &Style) -> String {
    let whole = prefix.bytes.right.max(1);
    let columns = |bytes: u64| bytes.saturating_mul(BAR).div_euclid(whole).min(BAR);
    let shown = |bytes: u64| columns(bytes).max(u64::from(bytes > 0));
    // What is little is still seen, and the widest gives way.
    let (mut kept, mut lost) = (shown(prefix.bytes.common), shown(prefix.lost.bytes));
    let new = shown(prefix.new.bytes);
    let over = kept
        .saturating_add(lost)
        .saturating_add(new)
        .saturating_sub(BAR);
    match kept > lost {
        true => kept = kept.saturating_sub(over),
        false => lost = lost.saturating_sub(over),
    }
    let rest = BAR.saturating_sub(kept).saturating_sub(lost);
    let [full, gone, blank] = match style.unicode {
        true => ["█", "▒", "·"],
        false => ["#", "x", "."],
    };
    let run = |mark: &str, columns: u64| mark.repeat(usize::try_from(columns).unwrap_or(0));
    let bar = [
        style.paint(Look::Good, &run(full, kept)),
        style.paint(Look::Bad, &run(gone, lost)),
        style.dim(&run(blank, rest)),
    ];
    format!(
        "{} {} of what right says again",
        bar.concat(),
        percent(prefix)
    )
}

fn shares(prefix: &Prefix, how: &str) -> String {
    format!(
        "{how}{} of {} segments, {} of {} bytes, some {} tokens",
        words::count(prefix.segments.common),
        words::count(prefix.segments.right),
        words::count(prefix.bytes.common),
        words::count(prefix.bytes.right),
        words::count(prefix.tokens),
    )
}

/// How much of what both have keeps its place.
fn percent(prefix: &Prefix) -> String {
    let both = prefix.bytes.common.saturating_add(prefix.lost.bytes);
    match both {
        0 => "0%".to_owned(),
        both if both == prefix.bytes.common => "100%".to_owned(),
        both => {
            // What is not all is never shown as all.
            let share = prefix.bytes.common as f64 / both as f64 * 100.0;
            format!("{:.1}%", share.min(99.9))
        }
    }
}

fn lost(step: &CacheStep, style: &Style) -> Option<String> {
    let prefix = step.telling();
    let new = match prefix.new {
        Amount { bytes: 0, .. } => String::new(),
        new => format!("; {} are new", words::bytes(new.bytes)),
    };
    if prefix.lost.segments == 0 && prefix.lost.tokens == 0 {
        return (step.state == State::Broken).then(|| format!("nothing that left had{new}"));
    }
    let extra = step
        .extra
        .map(|money| format!(", {money} more than from a cache"));
    let tokens = format!("some {} tokens", words::count(prefix.lost.tokens));
    let text = format!("{tokens}{}", extra.unwrap_or_default());
    Some(format!(
        "{}: {} behind the break that left had too{new}",
        style.paint(Look::Bad, &text),
        words::bytes(prefix.lost.bytes),
    ))
}

fn segments(count: u64) -> String {
    match count {
        1 => "1 segment".to_owned(),
        count => format!("{} segments", words::count(count)),
    }
}

fn estimate(step: &CacheStep) -> String {
    let estimate = &step.estimate;
    let prompt = words::count(estimate.prompt);
    let basis = match estimate.basis {
        Counted::Usage => {
            format!("rough: the {prompt} that the answer counts, in proportion to bytes")
        }
        Counted::Bytes => format!("rough: {prompt} in all, four bytes taken for one"),
    };
    match estimate.inline {
        0 => basis,
        inline => format!("{basis}; {} of inline data left out", words::bytes(inline)),
    }
}

fn raw(raw: &Raw) -> String {
    match raw {
        Raw::Same => "the bodies are equal byte for byte".to_owned(),
        Raw::LeftIsPrefix => "right begins with every byte of left".to_owned(),
        Raw::RightIsPrefix => "left begins with every byte of right".to_owned(),
        Raw::Differs { at, left, right } => {
            let places = match left == right {
                true => pointer(left),
                false => format!("{} and {}", pointer(left), pointer(right)),
            };
            format!("byte by byte they part at {}, {places}", words::count(*at))
        }
    }
}

/// How many entries each side asks for and where the last is.
fn marks([left, right]: &[Vec<Mark>; 2]) -> Option<String> {
    if left.is_empty() && right.is_empty() {
        return None;
    }
    let side = |marks: &[Mark]| match marks.last() {
        None => "none".to_owned(),
        Some(last) => {
            let ttl = last
                .ttl
                .as_deref()
                .map(|ttl| format!(" ({})", words::line(ttl)));
            let place = match last.pointer.as_str() {
                "" => "on the whole request".to_owned(),
                pointer => format!("last at {}", clip(pointer, NAME)),
            };
            format!("{}, {place}{}", marks.len(), ttl.unwrap_or_default())
        }
    };
    Some(match side(left) == side(right) {
        true => format!("both {}", side(left)),
        false => format!("left {}; right {}", side(left), side(right)),
    })
}

fn beside(fact: &Beside, style: &Style) -> String {
    let value = |value: &Option<String>| match value {
        None => "-".to_owned(),
        Some(value) => clip(value, NAME),
    };
    let name = style.paint(Look::Name, &fact.name);
    let note = fact.note.map(|note| style.dim(&format!("  ({note})")));
    let (left, right) = (value(&fact.left), value(&fact.right));
    format!("{name}  {left} -> {right}{}", note.unwrap_or_default())
}

/// Foreign text on one line of at most `most` characters.
fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => words::line(text).into_owned(),
        Some((end, _)) => format!("{}...", words::line(text.get(..end).unwrap_or(text))),
    }
}
