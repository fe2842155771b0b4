//! From a path to its value, or to a good reason why there is none; and from an offset to its path.

use super::path::is_index;
use super::text::shown;
use super::{Document, Kind, Path, Value};

/// How many keys a [`Missing::NoKey`] names.
const KEYS: usize = 12;

/// The value that `path` means.
pub fn find<'a>(document: &'a Document<'a>, path: &Path) -> Result<Value<'a>, NotFound> {
    let reached = reach(document, path);
    match reached.missing {
        None => Ok(reached.value),
        Some(why) => Err(NotFound::new(path, reached.depth, why)),
    }
}

/// The JSON Pointer of the innermost value at the byte `offset`.
///
/// A member begins with its key, so a key has the pointer of its value. White space, commas and brackets are
/// those of the container. Outside the outermost value, and for that value itself, it is empty.
pub fn pointer_at(document: &Document<'_>, offset: u64) -> String {
    let mut path = Path::default();
    let mut value = document.root();
    while let Some((step, inner)) = child_at(value, offset) {
        path = path.join(&step);
        value = inner;
    }
    path.to_string()
}

fn child_at(value: Value<'_>, offset: u64) -> Option<(String, Value<'_>)> {
    // Neighbours ascend: the first that ends behind the offset has it, or none has.
    if value.kind() == Kind::Array {
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

/// How far a path led.
pub(super) struct Reached<'a> {
    /// The innermost value on the way.
    pub(super) value: Value<'a>,
    /// How many steps led there.
    pub(super) depth: usize,
    /// Why the next step led nowhere; `None` if there was none.
    pub(super) missing: Option<Missing>,
}

pub(super) fn reach<'a>(document: &'a Document<'a>, path: &Path) -> Reached<'a> {
    let mut reached = Reached {
        value: document.root(),
        depth: 0,
        missing: None,
    };
    for step in path.steps() {
        match child(reached.value, step) {
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

fn child<'a>(value: Value<'a>, step: &str) -> Result<Value<'a>, Missing> {
    match value.kind() {
        Kind::Object => value.get(step).ok_or_else(|| no_key(value, step)),
        Kind::Array if step == "-" => Err(Missing::NoItem { len: value.len() }),
        Kind::Array if !is_index(step) => Err(Missing::NotIndex { len: value.len() }),
        // An index too large for the machine is past the end of anything that it holds.
        Kind::Array => match step.parse().ok().and_then(|index| value.at(index)) {
            Some(item) => Ok(item),
            None => Err(Missing::NoItem { len: value.len() }),
        },
        kind => Err(Missing::Inside(kind)),
    }
}

fn no_key(object: Value<'_>, wanted: &str) -> Missing {
    let names = || object.members().filter_map(|(key, _)| key.as_str());
    let mut keys: Vec<String> = Vec::new();
    for name in names() {
        if keys.len() < KEYS && !keys.iter().any(|key| *key == name) {
            keys.push(name.into_owned());
        }
    }
    let near = names().filter_map(|name| Some((distance(wanted, &name)?, name)));
    Missing::NoKey {
        keys,
        len: object.len(),
        close: near.min().map(|(_, name)| name.into_owned()),
    }
}

/// How many letters differ (Levenshtein, case ignored), where that is few enough to be a slip.
fn distance(one: &str, other: &str) -> Option<usize> {
    let letters = |text: &str| -> Vec<char> { text.to_lowercase().chars().take(65).collect() };
    let (one, other) = (letters(one), letters(other));
    let longest = one.len().max(other.len());
    let bound = longest.checked_div(3).unwrap_or(0).max(1);
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

/// A path leads nowhere: how far it came, and what is there instead.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotFound {
    /// The path up to and with the first step that led nowhere.
    pub path: Path,
    /// What is there instead.
    pub why: Missing,
}

impl NotFound {
    pub(super) fn new(path: &Path, reached: usize, why: Missing) -> Self {
        Self {
            path: path.first(reached.saturating_add(1)),
            why,
        }
    }
}

/// What stands where a step leads nowhere.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Missing {
    /// An object without that key.
    NoKey {
        /// Its first keys, each once; a dozen at most.
        keys: Vec<String>,
        /// How many members it has.
        len: usize,
        /// The key that was probably meant.
        close: Option<String>,
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
    Inside(Kind),
}

impl std::error::Error for NotFound {}

/// One line, whatever the keys hold: `` `/messages/3`: the array has 2 items ``.
impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let items = |len: usize| match len {
            0 => "is empty".to_owned(),
            1 => "has 1 item".to_owned(),
            _ => format!("has {len} items"),
        };
        write!(f, "`{}`: ", shown(&self.path.to_string()))?;
        match &self.why {
            Missing::NoKey { len: 0, .. } => f.write_str("no such key; the object is empty"),
            Missing::NoKey { keys, len, close } => no_such_key(f, keys, *len, close.as_deref()),
            Missing::NoItem { len } => write!(f, "the array {}", items(*len)),
            Missing::NotIndex { len } => {
                write!(f, "not an index, but the array {}", items(*len))
            }
            Missing::Inside(kind) => match self.path.parent() {
                Some(parent) if !parent.is_root() => {
                    write!(f, "`{}` is {kind}", shown(&parent.to_string()))
                }
                _ => write!(f, "the document is {kind}"),
            },
        }
    }
}

fn no_such_key(
    f: &mut std::fmt::Formatter<'_>,
    keys: &[String],
    len: usize,
    close: Option<&str>,
) -> std::fmt::Result {
    f.write_str("no such key")?;
    if let Some(close) = close {
        write!(f, " (did you mean `{}`?)", shown(close))?;
    }
    let names: Vec<String> = keys.iter().map(|key| shown(key)).collect();
    write!(f, "; there are: {}", names.join(", "))?;
    match len > names.len() && names.len() >= KEYS {
        true => f.write_str(", ..."),
        false => Ok(()),
    }
}
