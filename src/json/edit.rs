//! Changes to a JSON text that leave every byte alone which they do not name.
//!
//! A request that a proxy or an SDK wrote is sent again with one value changed: were the rest re-spelled, a
//! difference in the answer could not be laid to the change. What is added follows the text around it.

use super::find::{Missing, NotFound, Reached, reach};
use super::{Document, JsonError, Kind, Path, Value, quote};
use crate::span::Span;

/// A text after one change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Edited {
    /// The whole new text.
    pub bytes: Vec<u8>,
    /// Where in it the new bytes stand; the bytes before and after are those of the old text. Empty after
    /// a removal.
    pub at: Span,
}

/// Why a text could not be changed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EditError {
    /// The text to be changed cannot be read.
    #[error("the document is not JSON: {0}")]
    Document(JsonError),
    /// What was to be put in cannot be read.
    #[error("the new value is not JSON: {0}")]
    Value(JsonError),
    /// There is no such place, and none that could be made.
    #[error(transparent)]
    NotFound(#[from] NotFound),
    /// Without its outermost value nothing would be left.
    #[error("the outermost value cannot be removed")]
    Root,
}

/// Puts `new_json` where `path` leads, in place of what is there or as a new member or item.
///
/// - A value that is there is replaced by its span alone; of members with equal keys, the last.
/// - A new member comes last in its object, a new item (`-`, or the index one past the last) in its array:
///   spaced, broken and indented as the entries before it.
/// - Objects that are missing on the way are made; an array where the next step is `0` or `-`.
/// - White space around `new_json` is left off, white space around an outermost value that is replaced kept.
///
/// # Errors
///
/// When either text is not JSON, when a step leads into a number, string or word, when an index is past the
/// end, and when a step into an array is no index.
pub fn set(bytes: &[u8], path: &Path, new_json: &[u8]) -> Result<Edited, EditError> {
    let document = Document::parse(bytes).map_err(EditError::Document)?;
    let value = Document::parse(new_json).map_err(EditError::Value)?;
    let value = value.root().raw();
    let Reached {
        value: container,
        depth,
        missing,
    } = reach(&document, path);
    let Some(missing) = missing else {
        return Ok(splice(bytes, container.span(), value));
    };
    let mut steps = path.steps().iter().skip(depth);
    let (step, colon) = (steps.next(), colon_of(&document));
    let deeper = steps
        .rev()
        .fold(value.to_vec(), |value, step| wrap(step, &colon, value));
    let mut entry = separator(container, &colon);
    match (step, &missing) {
        (Some(key), Missing::NoKey { .. }) => {
            let own = container.members().last();
            let colon = own.map_or(colon, |(key, value)| between(&document, key, value));
            entry.extend([quote(key), colon].concat());
        }
        (Some(step), Missing::NoItem { len }) if step == "-" || *step == len.to_string() => {}
        _ => return Err(NotFound::new(path, depth, missing).into()),
    }
    entry.extend(deeper);
    Ok(splice(bytes, Span::at(end_of_entries(container)), &entry))
}

/// Takes the member or item away that `path` leads to, with one comma and the white space that parted it
/// from its neighbour. Of members with equal keys the last goes, and those before it stay.
///
/// # Errors
///
/// When the text is not JSON, when there is no such value, and when it is the outermost.
pub fn remove(bytes: &[u8], path: &Path) -> Result<Edited, EditError> {
    let document = Document::parse(bytes).map_err(EditError::Document)?;
    let value = super::find(&document, path)?;
    let around = path.parent().ok_or(EditError::Root)?;
    let container = super::find(&document, &around)?;
    let mut before = None;
    let mut entries = entries(container);
    let own = entries.by_ref().find(|entry| {
        let found = entry.end == value.span().end;
        before = if found { before } else { Some(entry.end) };
        found
    });
    let own = own.unwrap_or(value.span());
    let cut = match (before, entries.next()) {
        (_, Some(next)) => Span::new(own.start, next.start),
        (Some(before), None) => Span::new(before, own.end),
        (None, None) => inside(container),
    };
    Ok(splice(bytes, cut, b""))
}

fn splice(bytes: &[u8], span: Span, new: &[u8]) -> Edited {
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX);
    let before = bytes.get(..at(span.start)).unwrap_or_default();
    let after = bytes.get(at(span.end)..).unwrap_or_default();
    Edited {
        bytes: [before, new, after].concat(),
        at: Span::new(span.start, span.start.saturating_add(new.len() as u64)),
    }
}

/// `value` as the only thing in the container that `step` leads into.
fn wrap(step: &str, colon: &[u8], value: Vec<u8>) -> Vec<u8> {
    match step {
        "0" | "-" => [b"[", value.as_slice(), b"]"].concat(),
        key => [b"{", quote(key).as_slice(), colon, &value, b"}"].concat(),
    }
}

/// The members, from key to value, or the items of a container.
fn entries(container: Value<'_>) -> impl Iterator<Item = Span> {
    let members = container.members();
    let members = members.map(|(key, value)| Span::new(key.span().start, value.span().end));
    members.chain(container.items().map(Value::span))
}

/// What stands between brackets.
fn inside(container: Value<'_>) -> Span {
    let span = container.span();
    Span::new(span.start.saturating_add(1), span.end.saturating_sub(1))
}

fn end_of_entries(container: Value<'_>) -> u64 {
    entries(container)
        .last()
        .map_or(inside(container).start, |last| last.end)
}

/// What parts a new last entry from the one before it, as the entries that are there are parted.
fn separator(container: Value<'_>, colon: &[u8]) -> Vec<u8> {
    let (mut before, mut last) = (None, None);
    for entry in entries(container) {
        before = last.replace(entry);
    }
    let text = |start, end| container.document.slice(Span::new(start, end));
    match (before, last) {
        (_, None) => Vec::new(),
        (Some(before), Some(last)) => text(before.end, last.start).to_vec(),
        (None, Some(only)) => {
            let lead = text(inside(container).start, only.start);
            let spaced = colon.last() != Some(&b':');
            match lead.is_empty() && spaced {
                true => b", ".to_vec(),
                false => [b",", lead].concat(),
            }
        }
    }
}

/// How the document writes a colon: as in its first member; bare, if it has none.
fn colon_of(document: &Document<'_>) -> Vec<u8> {
    let objects = (0..)
        .zip(document.nodes())
        .filter(|(_, node)| node.kind == Kind::Object);
    let mut members = objects.filter_map(|(index, _)| Value { document, index }.members().next());
    match members.next() {
        Some((key, value)) => between(document, key, value),
        None => b":".to_vec(),
    }
}

fn between(document: &Document<'_>, key: Value<'_>, value: Value<'_>) -> Vec<u8> {
    document
        .slice(Span::new(key.span().end, value.span().start))
        .to_vec()
}
