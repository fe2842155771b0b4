//! The cached part of prompts as text, for each pair of requests: where the prefix breaks, how many tokens are lost,
//! and what the API reported; and a table of a whole conversation.

mod prefix_break;
mod short_text;
mod table;
mod usage;

use std::io::{self, Write};

use super::super::{OutputStyle, TextStyle, wording};
use crate::prompt_cache::{
    CacheBreakpoint, CacheComparison, CacheKeyChange, CommonPrefix, PrefixState, PromptAmount,
    PromptOrderBasis, RawComparison, TokenBasis,
};
use short_text::{NAME_LIMIT, VALUE_LIMIT, clip, kept_percent, pointer_text};

/// Columns of the bar of kept, lost and new bytes: one column is about 3 %.
const BAR_WIDTH: u64 = 32;

/// Writes every pair of requests, and a table if there are several pairs.
pub fn write_cache(
    steps: &[CacheComparison],
    style: &OutputStyle,
    out: &mut dyn Write,
) -> io::Result<()> {
    for (n, step) in steps.iter().enumerate() {
        if n > 0 {
            writeln!(out)?;
        }
        write_step(step, style, out)?;
    }
    if steps.len() > 1 {
        writeln!(out)?;
        table::write_table(steps, style, out)?;
    }
    Ok(())
}

fn write_step(step: &CacheComparison, style: &OutputStyle, out: &mut dyn Write) -> io::Result<()> {
    let names = [("---", &step.left), ("+++", &step.right)];
    for (sign, name) in names {
        let text = format!("{sign} {}", wording::escape_line(name));
        writeln!(out, "{}", style.paint(TextStyle::Strong, &text))?;
    }
    let mut line = |name: &str, text: &str| writeln!(out, "{name:<8}  {text}");
    line("order", &order_text(step, style))?;
    if step.continues {
        let text = "right continues the answer to left by its id: the input of left counts as sent again before its own";
        line("chain", text)?;
    }
    let mut name = "prefix";
    for text in prefix_break::prefix_lines(step, style) {
        line(std::mem::take(&mut name), &text)?;
    }
    line("kept", &kept_bar(step.effective_prefix(), style))?;
    line("", &shares_text(step.effective_prefix(), ""))?;
    if step.values.is_some() {
        line("", &shares_text(&step.written, "by the bytes only "))?;
    }
    if let Some(text) = lost_text(step, style) {
        line("lost", &text)?;
    }
    line("tokens", &style.dim(&estimate_text(step)))?;
    line("raw", &style.dim(&raw_text(&step.raw)))?;
    if let Some(text) = marks_text(&step.marks) {
        line("marks", &style.dim(&text))?;
    }
    for fact in &step.beside {
        line("beside", &side_fact_text(fact, style))?;
    }
    let mut name = "usage";
    for text in usage::usage_lines(step, style) {
        line(std::mem::take(&mut name), &text)?;
    }
    if let Some(said) = &step.said {
        line(
            "the API",
            &format!("says of itself: {}", clip(said, VALUE_LIMIT)),
        )?;
    }
    Ok(())
}

fn order_text(step: &CacheComparison, style: &OutputStyle) -> String {
    let order = step.order;
    let parts: Vec<_> = order.parts.iter().map(|part| part.name).collect();
    let basis = match order.basis {
        PromptOrderBasis::Documented => "documented",
        PromptOrderBasis::Assumed => "assumed",
        PromptOrderBasis::Raw => return style.dim(order.note),
    };
    format!("{} ({basis}: {})", parts.join(", "), order.note)
}

/// A bar of the right prompt (kept, lost and new bytes), and the share of repeated bytes that is kept.
fn kept_bar(prefix: &CommonPrefix, style: &OutputStyle) -> String {
    let whole = prefix.bytes.right.max(1);
    let columns = |bytes: u64| {
        bytes
            .saturating_mul(BAR_WIDTH)
            .div_euclid(whole)
            .min(BAR_WIDTH)
    };
    let shown = |bytes: u64| columns(bytes).max(u64::from(bytes > 0));
    // A small share still has one column, which the widest part gives up.
    let (mut kept, mut lost) = (shown(prefix.bytes.common), shown(prefix.lost.bytes));
    let new = shown(prefix.new.bytes);
    let over = kept
        .saturating_add(lost)
        .saturating_add(new)
        .saturating_sub(BAR_WIDTH);
    match kept > lost {
        true => kept = kept.saturating_sub(over),
        false => lost = lost.saturating_sub(over),
    }
    let rest = BAR_WIDTH.saturating_sub(kept).saturating_sub(lost);
    let [full, gone, blank] = match style.unicode {
        true => ["█", "▒", "·"],
        false => ["#", "x", "."],
    };
    let run = |mark: &str, columns: u64| mark.repeat(usize::try_from(columns).unwrap_or(0));
    let bar = [
        style.paint(TextStyle::Success, &run(full, kept)),
        style.paint(TextStyle::Error, &run(gone, lost)),
        style.dim(&run(blank, rest)),
    ];
    format!(
        "{} {} of what right says again",
        bar.concat(),
        kept_percent(prefix)
    )
}

fn shares_text(prefix: &CommonPrefix, how: &str) -> String {
    format!(
        "{how}{} of {} segments, {} of {} bytes, some {} tokens",
        wording::format_count(prefix.segments.common),
        wording::format_count(prefix.segments.right),
        wording::format_count(prefix.bytes.common),
        wording::format_count(prefix.bytes.right),
        wording::format_count(prefix.tokens),
    )
}

fn lost_text(step: &CacheComparison, style: &OutputStyle) -> Option<String> {
    let prefix = step.effective_prefix();
    let new = match prefix.new {
        PromptAmount { bytes: 0, .. } => String::new(),
        new => format!("; {} are new", wording::format_bytes(new.bytes)),
    };
    if prefix.lost.segments == 0 && prefix.lost.tokens == 0 {
        return (step.state == PrefixState::Broken).then(|| format!("nothing that left had{new}"));
    }
    let extra = step
        .extra
        .map(|money| format!(", {money} more than from a cache"));
    let tokens = format!("some {} tokens", wording::format_count(prefix.lost.tokens));
    let text = format!("{tokens}{}", extra.unwrap_or_default());
    Some(format!(
        "{}: {} behind the break that left had too{new}",
        style.paint(TextStyle::Error, &text),
        wording::format_bytes(prefix.lost.bytes),
    ))
}

fn estimate_text(step: &CacheComparison) -> String {
    let estimate = &step.estimate;
    let prompt = wording::format_count(estimate.prompt);
    let basis = match estimate.basis {
        TokenBasis::Usage => {
            format!("rough: the {prompt} that the answer counts, in proportion to bytes")
        }
        TokenBasis::Bytes => format!("rough: {prompt} in all, four bytes taken for one"),
    };
    match estimate.inline {
        0 => basis,
        inline => format!(
            "{basis}; {} of inline data left out",
            wording::format_bytes(inline)
        ),
    }
}

fn raw_text(raw: &RawComparison) -> String {
    match raw {
        RawComparison::Same => "the bodies are equal byte for byte".to_owned(),
        RawComparison::LeftIsPrefix => "right begins with every byte of left".to_owned(),
        RawComparison::RightIsPrefix => "left begins with every byte of right".to_owned(),
        RawComparison::Differs { at, left, right } => {
            let places = match left == right {
                true => pointer_text(left),
                false => format!("{} and {}", pointer_text(left), pointer_text(right)),
            };
            format!(
                "byte by byte they part at {}, {places}",
                wording::format_count(*at)
            )
        }
    }
}

/// The number of cache marks on each side, and the place of the last.
fn marks_text([left, right]: &[Vec<CacheBreakpoint>; 2]) -> Option<String> {
    if left.is_empty() && right.is_empty() {
        return None;
    }
    let side = |marks: &[CacheBreakpoint]| match marks.last() {
        None => "none".to_owned(),
        Some(last) => {
            let ttl = last
                .ttl
                .as_deref()
                .map(|ttl| format!(" ({})", wording::escape_line(ttl)));
            let place = match last.pointer.as_str() {
                "" => "on the whole request".to_owned(),
                pointer => format!("last at {}", clip(pointer, NAME_LIMIT)),
            };
            format!("{}, {place}{}", marks.len(), ttl.unwrap_or_default())
        }
    };
    Some(match side(left) == side(right) {
        true => format!("both {}", side(left)),
        false => format!("left {}; right {}", side(left), side(right)),
    })
}

fn side_fact_text(fact: &CacheKeyChange, style: &OutputStyle) -> String {
    let value = |value: &Option<String>| match value {
        None => "-".to_owned(),
        Some(value) => clip(value, NAME_LIMIT),
    };
    let name = style.paint(TextStyle::Name, &fact.name);
    let note = fact.note.map(|note| style.dim(&format!("  ({note})")));
    let (left, right) = (value(&fact.left), value(&fact.right));
    format!("{name}  {left} -> {right}{}", note.unwrap_or_default())
}
