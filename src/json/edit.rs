//! Changes to a JSON text that keep every other byte.
//!
//! A recorded request is sent again with one value changed. If the rest were re-spelled, a difference in the
//! answer could have another cause than the change. New text follows the layout around it.

use super::find::{NotFoundReason, PathLookup, PathNotFound, follow_path};
use super::{JsonDocument, JsonError, JsonValue, ValuePath, quote};
use crate::span::Span;

/// A text after one change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EditedJson {
    /// The whole new text.
    pub bytes: Vec<u8>,
    /// Range of the new bytes; the bytes before and after are those of the old text. Empty after a removal.
    pub span: Span,
}

/// Why a text could not be changed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JsonEditError {
    /// The text to be changed cannot be read.
    #[error("the document is not JSON: {0}")]
    Document(JsonError),
    /// What was to be put in cannot be read.
    #[error("the new value is not JSON: {0}")]
    Value(JsonError),
    /// There is no such place, and none that could be made.
    #[error(transparent)]
    NotFound(#[from] PathNotFound),
    /// Without its outermost value nothing would be left.
    #[error("the outermost value cannot be removed")]
    CannotRemoveRoot,
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
pub fn set(bytes: &[u8], path: &ValuePath, new_json: &[u8]) -> Result<EditedJson, JsonEditError> {
    let document = JsonDocument::parse(bytes).map_err(JsonEditError::Document)?;
    let value = JsonDocument::parse(new_json).map_err(JsonEditError::Value)?;
    let value = value.root().raw();
    let PathLookup {
        value: container,
        depth,
        missing,
    } = follow_path(&document, path);
    let Some(missing) = missing else {
        return Ok(splice(bytes, container.span(), value));
    };
    let mut steps = path.steps().iter().skip(depth);
    let (step, colon) = (steps.next(), colon_style(&document));
    let deeper = steps.rev().fold(value.to_vec(), |value, step| {
        wrap_in_container(step, &colon, value)
    });
    let mut entry = separator(container, &colon);
    match (step, &missing) {
        (Some(key), NotFoundReason::NoKey { .. }) => {
            let own = container.members().last();
            let colon = own.map_or(colon, |(key, value)| bytes_between(&document, key, value));
            entry.extend([quote(key), colon].concat());
        }
        (Some(step), NotFoundReason::NoItem { len }) if step == "-" || *step == len.to_string() => {
        }
        _ => return Err(PathNotFound::new(path, depth, missing).into()),
    }
    entry.extend(deeper);
    Ok(splice(
        bytes,
        Span::empty_at(entries_end(container)),
        &entry,
    ))
}

/// Takes the member or item away that `path` leads to, with one comma and the white space that parted it
/// from its neighbour. Of members with equal keys the last goes, and those before it stay.
///
/// # Errors
///
/// When the text is not JSON, when there is no such value, and when it is the outermost.
pub fn remove(bytes: &[u8], path: &ValuePath) -> Result<EditedJson, JsonEditError> {
    let document = JsonDocument::parse(bytes).map_err(JsonEditError::Document)?;
    let value = super::find(&document, path)?;
    let around = path.parent().ok_or(JsonEditError::CannotRemoveRoot)?;
    let container = super::find(&document, &around)?;
    let mut before = None;
    let mut entries = entry_spans(container);
    let own = entries.by_ref().find(|entry| {
        let found = entry.end == value.span().end;
        before = if found { before } else { Some(entry.end) };
        found
    });
    let own = own.unwrap_or(value.span());
    let cut = match (before, entries.next()) {
        (_, Some(next)) => Span::new(own.start, next.start),
        (Some(before), None) => Span::new(before, own.end),
        (None, None) => content_span(container),
    };
    Ok(splice(bytes, cut, b""))
}

fn splice(bytes: &[u8], span: Span, new: &[u8]) -> EditedJson {
    let cut = span.range();
    let before = bytes.get(..cut.start).unwrap_or_default();
    let after = bytes.get(cut.end..).unwrap_or_default();
    EditedJson {
        bytes: [before, new, after].concat(),
        span: Span::new(span.start, span.start.saturating_add(new.len() as u64)),
    }
}

/// Wraps `value` in a new container: an array if `step` is `0` or `-`, else an object with the key `step`.
fn wrap_in_container(step: &str, colon: &[u8], value: Vec<u8>) -> Vec<u8> {
    match step {
        "0" | "-" => [b"[", value.as_slice(), b"]"].concat(),
        key => [b"{", quote(key).as_slice(), colon, &value, b"}"].concat(),
    }
}

/// The members, from key to value, or the items of a container.
fn entry_spans(container: JsonValue<'_>) -> impl Iterator<Item = Span> {
    let members = container.members();
    let members = members.map(|(key, value)| Span::new(key.span().start, value.span().end));
    members.chain(container.items().map(JsonValue::span))
}

/// The span between the brackets of a container.
fn content_span(container: JsonValue<'_>) -> Span {
    let span = container.span();
    Span::new(span.start.saturating_add(1), span.end.saturating_sub(1))
}

fn entries_end(container: JsonValue<'_>) -> u64 {
    entry_spans(container)
        .last()
        .map_or(content_span(container).start, |last| last.end)
}

/// The text between two entries, copied from the entries that are there: comma, line break, indent.
fn separator(container: JsonValue<'_>, colon: &[u8]) -> Vec<u8> {
    let (mut before, mut last) = (None, None);
    for entry in entry_spans(container) {
        before = last.replace(entry);
    }
    let text = |start, end| container.document.slice(Span::new(start, end));
    match (before, last) {
        (_, None) => Vec::new(),
        (Some(before), Some(last)) => text(before.end, last.start).to_vec(),
        (None, Some(only)) => {
            let lead = text(content_span(container).start, only.start);
            let spaced = colon.last() != Some(&b':');
            match lead.is_empty() && spaced {
                true => b", ".to_vec(),
                false => [b",", lead].concat(),
            }
        }
    }
}

/// The colon as the document writes it in its first member (`: `, `:`); bare if it has no member.
fn colon_style(document: &JsonDocument<'_>) -> Vec<u8> {
    let mut members =
        (0..document.nodes().len()).filter_map(|index| document.value(index)?.members().next());
    match members.next() {
        Some((key, value)) => bytes_between(document, key, value),
        None => b":".to_vec(),
    }
}

fn bytes_between(document: &JsonDocument<'_>, key: JsonValue<'_>, value: JsonValue<'_>) -> Vec<u8> {
    document
        .slice(Span::new(key.span().end, value.span().start))
        .to_vec()
}
