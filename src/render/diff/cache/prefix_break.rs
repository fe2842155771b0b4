//! The break of a prefix in words: the segment, the kind of change, both places and both values.

use super::super::super::{OutputStyle, TextStyle, wording};
use super::short_text::{NAME_LIMIT, VALUE_LIMIT, clip, pointer_text, segment_count};
use crate::diff::ChangeKind;
use crate::prompt_cache::{
    CacheComparison, DivergenceSide, PrefixState, PromptDivergence, SpellingDifference, TextExcerpt,
};

/// The lines that say whether the prefix is intact, respelled or broken, and where.
pub(super) fn prefix_lines(step: &CacheComparison, style: &OutputStyle) -> Vec<String> {
    let mut lines = Vec::new();
    let mut by_value = "";
    if let (Some(divergence), true) = (&step.written.divergence, step.values.is_some()) {
        let word = style.paint(TextStyle::Warning, "RESPELLED");
        lines.push(format!(
            "{word} {}",
            respelling_text(divergence, step, style)
        ));
        by_value = "as JSON values ";
    }
    let telling = step.effective_prefix();
    let Some(divergence) = &telling.divergence else {
        let what = match telling.new.bytes {
            0 => "the prompts are the same",
            _ => "right goes on where left ends",
        };
        let text = format!("{by_value}intact: {what}");
        lines.push(style.paint(TextStyle::Success, &text));
        return lines;
    };
    if step.state != PrefixState::Broken {
        let count = segment_count(divergence.count.unwrap_or(1));
        let at = clip(&divergence.segment, NAME_LIMIT);
        let text = format!("{by_value}intact: right ends {count} earlier, before {at}");
        lines.push(style.paint(TextStyle::Success, &text));
        return lines;
    }
    let word = style.paint(TextStyle::Error, "BROKEN");
    if !divergence.spellings.is_empty() {
        lines.push(format!(
            "{by_value}{word} {}",
            respelling_text(divergence, step, style)
        ));
        return lines;
    }
    let segment = style.paint(TextStyle::Name, &clip(&divergence.segment, NAME_LIMIT));
    lines.push(format!(
        "{by_value}{word} at {segment}: {}",
        break_text(divergence)
    ));
    lines.extend(value_lines(divergence, style));
    lines
}

/// The place where only the spelling changed, the kind of spelling, and whether that is documented to break the cache.
fn respelling_text(
    divergence: &PromptDivergence,
    step: &CacheComparison,
    style: &OutputStyle,
) -> String {
    let spellings = &divergence.spellings;
    let how: Vec<_> = spellings.iter().map(|how| spelling_name(*how)).collect();
    let order = step.order;
    let known = match () {
        () if spellings.iter().any(|how| order.breaks.contains(how)) => {
            "documented: that breaks the cache"
        }
        () if spellings.iter().all(|how| order.same.contains(how)) => {
            "documented: that is the same prompt"
        }
        () => "no document tells whether the cache sees it",
    };
    let segment = style.paint(TextStyle::Name, &clip(&divergence.segment, NAME_LIMIT));
    let places = places_text(&divergence.left, &divergence.right);
    let how = how.join(", ");
    format!("at {segment}: the same JSON with {how}, from {places} on ({known})")
}

fn spelling_name(how: SpellingDifference) -> &'static str {
    match how {
        SpellingDifference::WhiteSpace => "other white space",
        SpellingDifference::KeyOrder => "keys in another order",
        SpellingDifference::FieldOrder => "its fields in another order",
        SpellingDifference::Escapes => "other escapes",
        SpellingDifference::Numbers => "numbers written otherwise",
        SpellingDifference::Shorthand => "a text for a list of one text",
    }
}

fn places_text(left: &DivergenceSide, right: &DivergenceSide) -> String {
    match left.pointer == right.pointer {
        true => pointer_text(&left.pointer),
        false => format!(
            "{} and {}",
            pointer_text(&left.pointer),
            pointer_text(&right.pointer)
        ),
    }
}

/// The kind of change, with the places on both sides.
fn break_text(divergence: &PromptDivergence) -> String {
    let (left, right) = (&divergence.left, &divergence.right);
    let items = match divergence.count {
        None => "a member".to_owned(),
        Some(1) => "1 item".to_owned(),
        Some(count) => format!("{} items", wording::format_count(count)),
    };
    let (from, to) = (pointer_text(&left.pointer), pointer_text(&right.pointer));
    match divergence.what {
        // On the side without the member, the place is the object around it.
        ChangeKind::Added if divergence.count.is_none() => format!("{items} came in, {to}"),
        ChangeKind::Removed if divergence.count.is_none() => format!("{items} fell out, {from}"),
        ChangeKind::Added => format!("{items} came in at {to}; left has {from} there"),
        ChangeKind::Removed => format!("{items} fell out at {from} of left; right has {to} there"),
        ChangeKind::Moved => format!("{from} of left now stands at {to}"),
        _ => format!("{} was changed", places_text(left, right)),
    }
}

/// The text or the values at the break.
fn value_lines(divergence: &PromptDivergence, style: &OutputStyle) -> Vec<String> {
    if divergence.what == ChangeKind::Moved {
        return vec![];
    }
    if let Some(excerpt) = &divergence.excerpt {
        return vec![excerpt_text(excerpt, style)];
    }
    let side = |sign: char, look, stand: &DivergenceSide| {
        let value = stand.value.as_ref()?;
        Some(style.paint(look, &format!("{sign} {}", clip(value, VALUE_LIMIT))))
    };
    let left = side('-', TextStyle::Error, &divergence.left);
    let right = side('+', TextStyle::Success, &divergence.right);
    left.into_iter().chain(right).collect()
}

fn excerpt_text(excerpt: &TextExcerpt, style: &OutputStyle) -> String {
    let side = |open, text: &str, close, look| match text {
        "" => String::new(),
        text => style.paint(
            look,
            &format!("{open}{}{close}", wording::escape_line(text)),
        ),
    };
    let left = side("[-", &excerpt.left, "-]", TextStyle::Error);
    let right = side("{+", &excerpt.right, "+}", TextStyle::Success);
    let (before, after) = (
        wording::escape_line(&excerpt.before),
        wording::escape_line(&excerpt.after),
    );
    format!("{before}{left}{right}{after}")
}
