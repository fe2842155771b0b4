//! A difference for an issue or a pull request: headings, lists and `diff` blocks of GitHub's Markdown.

use std::io::{self, Write};

use super::super::{Style, words};
use super::{Shows, folded, values};
use crate::diff::{Change, Difference, Layer, Shown};

/// Writes the difference as Markdown.
pub fn markdown(difference: &Difference, shows: Shows, out: &mut dyn Write) -> io::Result<()> {
    let plain = Style::default();
    writeln!(
        out,
        "### {} → {}\n",
        code(&difference.left),
        code(&difference.right)
    )?;
    let mut any = false;
    for compared in &difference.layers {
        let mut changes = compared
            .changes
            .iter()
            .filter(|change| shows.shows(change))
            .peekable();
        if compared.layer == Layer::Timing || changes.peek().is_none() {
            continue;
        }
        any = true;
        writeln!(out, "**{}**\n", compared.layer.name())?;
        for change in changes {
            one(change, &plain, out)?;
        }
        writeln!(out)?;
    }
    if !any {
        writeln!(out, "No difference.\n")?;
    }
    times(difference, out)?;
    match folded(difference).filter(|_| !shows.all) {
        Some(text) => writeln!(out, "_{}_", text.replace("; --all shows them", "")),
        None => Ok(()),
    }
}

fn one(change: &Change, style: &Style, out: &mut dyn Write) -> io::Result<()> {
    let text = |shown: &Option<Shown>| values::shown(shown);
    let (left, right) = (text(&change.left), text(&change.right));
    let what = change.what.name();
    let extra = values::extra(change);
    writeln!(out, "- {} {what}{extra}", code(&values::place(change)))?;
    if let Some((left, right)) = values::prose(change) {
        let words = values::by_words(&left, &right, style);
        return block(&[("", &words)], out);
    }
    let lines: Vec<_> = [("- ", &left), ("+ ", &right)]
        .into_iter()
        .filter_map(|(sign, value)| Some((sign, value.as_deref()?)))
        .collect();
    block(&lines, out)
}

/// A `diff` block below an item of a list. Its fence is longer than any run of backticks within.
fn block(lines: &[(&str, &str)], out: &mut dyn Write) -> io::Result<()> {
    let longest = lines.iter().map(|(_, text)| longest_run(text)).max();
    let fence = "`".repeat(longest.unwrap_or(0).saturating_add(1).max(3));
    writeln!(out, "  {fence}diff")?;
    for (sign, text) in lines {
        writeln!(out, "  {sign}{text}")?;
    }
    writeln!(out, "  {fence}")
}

fn times(difference: &Difference, out: &mut dyn Write) -> io::Result<()> {
    let Some(compared) = super::of_layer(difference, Layer::Timing) else {
        return Ok(());
    };
    if compared.changes.is_empty() {
        return Ok(());
    }
    writeln!(out, "| timing | left | right | ratio |\n|---|--:|--:|--:|")?;
    for change in &compared.changes {
        let text = |shown: &Option<Shown>| values::shown(shown).unwrap_or_else(|| "-".to_owned());
        let number = |shown: &Option<Shown>| shown.as_ref().and_then(|shown| shown.value.number());
        let ratio = match (number(&change.left), number(&change.right)) {
            (Some(left), Some(right)) if left > 0.0 => format!("{:.2}", right / left),
            _ => String::new(),
        };
        let name = words::line(&change.at).replace('|', "\\|");
        let (left, right) = (text(&change.left), text(&change.right));
        writeln!(out, "| {name} | {left} | {right} | {ratio} |")?;
    }
    writeln!(out)
}

/// As inline code; its fence is longer than any run of backticks within.
fn code(text: &str) -> String {
    let text = words::line(text);
    match longest_run(&text) {
        0 => format!("`{text}`"),
        longest => {
            let fence = "`".repeat(longest.saturating_add(1));
            format!("{fence} {text} {fence}")
        }
    }
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|char| char != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_hold() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a`b"), "`` a`b ``");
        let mut out = Vec::new();
        block(&[("- ", "```"), ("+ ", "x")], &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "  ````diff\n  - ```\n  + x\n  ````\n");
    }
}
