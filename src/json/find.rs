//! From a path to its value, or to a good reason why there is none; and from an offset to its path.

use super::escape::escape_controls;
use super::path::is_index;
use super::{JsonDocument, JsonKind, JsonValue, ValuePath};

/// Most keys that a [`NotFoundReason::NoKey`] names: about two lines of a terminal.
const MAX_LISTED_KEYS: usize = 12;

/// Finds the value at `path`.
pub fn find<'a>(
    document: &'a JsonDocument<'a>,
    path: &ValuePath,
) -> Result<JsonValue<'a>, PathNotFound> {
    let reached = follow_path(document, path);
    match reached.missing {
        None => Ok(reached.value),
        Some(why) => Err(PathNotFound::new(path, reached.depth, why)),
    }
}

/// The JSON Pointer of the innermost value at the byte `offset`.
///
/// A member begins with its key, so a key has the pointer of its value. White space, commas and brackets are
/// those of the container. Outside the outermost value, and for that value itself, it is empty.
pub fn pointer_at(document: &JsonDocument<'_>, offset: u64) -> String {
    let mut path = ValuePath::default();
    let mut value = document.root();
    while let Some((step, inner)) = child_at(value, offset) {
        path = path.join(&step);
        value = inner;
    }
    path.to_string()
}

fn child_at(value: JsonValue<'_>, offset: u64) -> Option<(String, JsonValue<'_>)> {
    // Neighbours ascend: the first that ends behind the offset has it, or none has.
    if value.kind() == JsonKind::Array {
        let mut items = value.items().enumerate();
        let (index, item) = items.find(|(_, item)| offset < item.span().end)?;
        return item
            .span()
            .contains(offset)
            .then(|| (index.to_string(), item));
    }
    let mut members = value.members();
    let (key, member) = members.find(|(_, member)| offset < member.span().end)?;
    let step = key.as_str()?.into_owned();
    (key.span().start <= offset).then_some((step, member))
}

/// The result of following a path: the innermost value that it reached.
pub(super) struct PathLookup<'a> {
    /// The innermost value on the way.
    pub(super) value: JsonValue<'a>,
    /// How many steps led there.
    pub(super) depth: usize,
    /// Why the next step led nowhere; `None` if there was none.
    pub(super) missing: Option<NotFoundReason>,
}

pub(super) fn follow_path<'a>(document: &'a JsonDocument<'a>, path: &ValuePath) -> PathLookup<'a> {
    let mut reached = PathLookup {
        value: document.root(),
        depth: 0,
        missing: None,
    };
    for step in path.steps() {
        match find_child(reached.value, step) {
            Ok(value) => reached.value = value,
            Err(missing) => {
                reached.missing = Some(missing);
                break;
            }
        }
        reached.depth = reached.depth.saturating_add(1);
    }
    reached
}

fn find_child<'a>(value: JsonValue<'a>, step: &str) -> Result<JsonValue<'a>, NotFoundReason> {
    match value.kind() {
        JsonKind::Object => value.get(step).ok_or_else(|| missing_key(value, step)),
        JsonKind::Array if step == "-" => Err(NotFoundReason::NoItem { len: value.len() }),
        JsonKind::Array if !is_index(step) => Err(NotFoundReason::NotIndex { len: value.len() }),
        // An index too large for the machine is past the end of anything that it holds.
        JsonKind::Array => match step.parse().ok().and_then(|index| value.item_at(index)) {
            Some(item) => Ok(item),
            None => Err(NotFoundReason::NoItem { len: value.len() }),
        },
        kind => Err(NotFoundReason::NotContainer(kind)),
    }
}

fn missing_key(object: JsonValue<'_>, wanted: &str) -> NotFoundReason {
    let names = || object.members().filter_map(|(key, _)| key.as_str());
    let mut keys: Vec<String> = Vec::new();
    for name in names() {
        if keys.len() < MAX_LISTED_KEYS && !keys.iter().any(|key| *key == name) {
            keys.push(name.into_owned());
        }
    }
    let near = names().filter_map(|name| Some((edit_distance(wanted, &name)?, name)));
    NotFoundReason::NoKey {
        keys,
        len: object.len(),
        similar: near.min().map(|(_, name)| name.into_owned()),
    }
}

/// The edit distance of two words (Levenshtein, case ignored), if it is small enough for a typing error.
fn edit_distance(one: &str, other: &str) -> Option<usize> {
    let letters = |text: &str| -> Vec<char> { text.to_lowercase().chars().take(65).collect() };
    let (one, other) = (letters(one), letters(other));
    let longest = one.len().max(other.len());
    let bound = longest.checked_div(3).unwrap_or(0).max(1);
    // Keys are shorter, and the time grows with the square of the length.
    if longest > 64 || one.is_empty() || one.len().abs_diff(other.len()) > bound {
        return None;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (n, letter) in one.iter().enumerate() {
        let mut diagonal = n;
        let mut left = n.saturating_add(1);
        let (first, rest) = row.split_first_mut()?;
        *first = left;
        for (cell, other) in rest.iter_mut().zip(&other) {
            let swapped = diagonal.saturating_add(usize::from(letter != other));
            left = swapped.min(left.min(*cell).saturating_add(1));
            diagonal = std::mem::replace(cell, left);
        }
    }
    // One letter of one or two is another name rather than a slip.
    row.last()
        .copied()
        .filter(|&count| count <= bound && count < longest)
}

/// The error of a path that leads to no value: the part that exists, and what is there instead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathNotFound {
    /// The path up to and with the first step that led nowhere.
    pub path: ValuePath,
    /// What is there instead.
    pub reason: NotFoundReason,
}

impl PathNotFound {
    pub(super) fn new(path: &ValuePath, reached: usize, why: NotFoundReason) -> Self {
        Self {
            path: path.prefix(reached.saturating_add(1)),
            reason: why,
        }
    }
}

/// The reason why a step of a path found no child.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NotFoundReason {
    /// An object without that key.
    NoKey {
        /// Its first keys, each once; a dozen at most.
        keys: Vec<String>,
        /// How many members it has.
        len: usize,
        /// The key that was probably meant.
        similar: Option<String>,
    },
    /// An array that is too short.
    NoItem {
        /// How many items it has.
        len: usize,
    },
    /// An array, and the step is no index.
    NotIndex {
        /// How many items it has.
        len: usize,
    },
    /// A value that holds no others.
    NotContainer(JsonKind),
}

impl std::error::Error for PathNotFound {}

/// One line, whatever the keys hold: `` `/messages/3`: the array has 2 items ``.
impl std::fmt::Display for PathNotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let items = |len: usize| match len {
            0 => "is empty".to_owned(),
            1 => "has 1 item".to_owned(),
            _ => format!("has {len} items"),
        };
        write!(f, "`{}`: ", escape_controls(&self.path.to_string()))?;
        match &self.reason {
            NotFoundReason::NoKey { len: 0, .. } => f.write_str("no such key; the object is empty"),
            NotFoundReason::NoKey {
                keys,
                len,
                similar: close,
            } => write_missing_key(f, keys, *len, close.as_deref()),
            NotFoundReason::NoItem { len } => write!(f, "the array {}", items(*len)),
            NotFoundReason::NotIndex { len } => {
                write!(f, "not an index, but the array {}", items(*len))
            }
            NotFoundReason::NotContainer(kind) => match self.path.parent() {
                Some(parent) if !parent.is_root() => {
                    write!(f, "`{}` is {kind}", escape_controls(&parent.to_string()))
                }
                _ => write!(f, "the document is {kind}"),
            },
        }
    }
}

fn write_missing_key(
    f: &mut std::fmt::Formatter<'_>,
    keys: &[String],
    len: usize,
    close: Option<&str>,
) -> std::fmt::Result {
    f.write_str("no such key")?;
    if let Some(close) = close {
        write!(f, " (did you mean `{}`?)", escape_controls(close))?;
    }
    let names: Vec<String> = keys.iter().map(|key| escape_controls(key)).collect();
    write!(f, "; there are: {}", names.join(", "))?;
    match len > names.len() && names.len() >= MAX_LISTED_KEYS {
        true => f.write_str(", ..."),
        false => Ok(()),
    }
}
