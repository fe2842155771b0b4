//! Where a prefix breaks, in words: the segment, what happened there, both places, and what stands there.

use super::super::super::{Look, Style, words};
use super::{NAME, VALUE, clip, segments};
use crate::diff::What;
use crate::prompt_cache::{CacheStep, Divergence, Excerpt, Spelling, Stand, State};

/// Whether the prefix holds, and where it does not.
pub(super) fn prefix(step: &CacheStep, style: &Style) -> Vec<String> {
    let mut lines = Vec::new();
    let mut by_value = "";
    if let (Some(divergence), true) = (&step.written.divergence, step.values.is_some()) {
        let word = style.paint(Look::Odd, "RESPELLED");
        lines.push(format!("{word} {}", respelled(divergence, step, style)));
        by_value = "as JSON values ";
    }
    let telling = step.telling();
    let Some(divergence) = &telling.divergence else {
        let what = match telling.new.bytes {
            0 => "the prompts are the same",
            _ => "right goes on where left ends",
        };
        let text = format!("{by_value}intact: {what}");
        lines.push(style.paint(Look::Good, &text));
        return lines;
    };
    if step.state != State::Broken {
        let count = segments(divergence.count.unwrap_or(1));
        let at = clip(&divergence.segment, NAME);
        let text = format!("{by_value}intact: right ends {count} earlier, before {at}");
        lines.push(style.paint(Look::Good, &text));
        return lines;
    }
    let word = style.paint(Look::Bad, "BROKEN");
    if !divergence.spellings.is_empty() {
        lines.push(format!(
            "{by_value}{word} {}",
            respelled(divergence, step, style)
        ));
        return lines;
    }
    let segment = style.paint(Look::Name, &clip(&divergence.segment, NAME));
    lines.push(format!(
        "{by_value}{word} at {segment}: {}",
        happened(divergence)
    ));
    lines.extend(shown(divergence, style));
    lines
}

/// Where only the spelling changed, how, and what is known of caches and spelling.
fn respelled(divergence: &Divergence, step: &CacheStep, style: &Style) -> String {
    let spellings = &divergence.spellings;
    let how: Vec<_> = spellings.iter().map(|how| spelling(*how)).collect();
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
    let segment = style.paint(Look::Name, &clip(&divergence.segment, NAME));
    let places = places(&divergence.left, &divergence.right);
    let how = how.join(", ");
    format!("at {segment}: the same JSON with {how}, from {places} on ({known})")
}

fn spelling(how: Spelling) -> &'static str {
    match how {
        Spelling::WhiteSpace => "other white space",
        Spelling::KeyOrder => "keys in another order",
        Spelling::FieldOrder => "its fields in another order",
        Spelling::Escapes => "other escapes",
        Spelling::Numbers => "numbers written otherwise",
        Spelling::Shorthand => "a text for a list of one text",
    }
}

fn places(left: &Stand, right: &Stand) -> String {
    match left.pointer == right.pointer {
        true => pointer(&left.pointer),
        false => format!("{} and {}", pointer(&left.pointer), pointer(&right.pointer)),
    }
}

pub(super) fn pointer(pointer: &str) -> String {
    match pointer {
        "" => "the whole".to_owned(),
        pointer => clip(pointer, VALUE),
    }
}

/// What happened, with the places on both sides.
fn happened(divergence: &Divergence) -> String {
    let (left, right) = (&divergence.left, &divergence.right);
    let items = match divergence.count {
        None => "a member".to_owned(),
        Some(1) => "1 item".to_owned(),
        Some(count) => format!("{} items", words::count(count)),
    };
    let (from, to) = (pointer(&left.pointer), pointer(&right.pointer));
    match divergence.what {
        // Of a member, the other side is the object around it.
        What::Added if divergence.count.is_none() => format!("{items} came in, {to}"),
        What::Removed if divergence.count.is_none() => format!("{items} fell out, {from}"),
        What::Added => format!("{items} came in at {to}; left has {from} there"),
        What::Removed => format!("{items} fell out at {from} of left; right has {to} there"),
        What::Moved => format!("{from} of left now stands at {to}"),
        _ => format!("{} was changed", places(left, right)),
    }
}

/// The words or values there.
fn shown(divergence: &Divergence, style: &Style) -> Vec<String> {
    if divergence.what == What::Moved {
        return vec![];
    }
    if let Some(excerpt) = &divergence.excerpt {
        return vec![by_words(excerpt, style)];
    }
    let side = |sign: char, look, stand: &Stand| {
        let value = stand.value.as_ref()?;
        Some(style.paint(look, &format!("{sign} {}", clip(value, VALUE))))
    };
    let left = side('-', Look::Bad, &divergence.left);
    let right = side('+', Look::Good, &divergence.right);
    left.into_iter().chain(right).collect()
}

fn by_words(excerpt: &Excerpt, style: &Style) -> String {
    let side = |open, text: &str, close, look| match text {
        "" => String::new(),
        text => style.paint(look, &format!("{open}{}{close}", words::line(text))),
    };
    let left = side("[-", &excerpt.left, "-]", Look::Bad);
    let right = side("{+", &excerpt.right, "+}", Look::Good);
    let (before, after) = (words::line(&excerpt.before), words::line(&excerpt.after));
    format!("{before}{left}{right}{after}")
}
