//! Places of changes as values, and patterns over them. Reports and JSON print a place with `Display`; no code reads
//! that text back.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::json::ValuePath;

/// The place of a difference in one layer of an exchange: the body, a field or a fact, and a JSON path in it. The
/// [`super::LayerDiff`] around it holds the layer.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct DiffPlace {
    /// The body, field or fact that the path starts from.
    pub root: PlaceRoot,
    /// The way into the JSON text at the root; empty for all of it.
    pub path: JsonPath,
    /// Which member of an object it is, where several have an equal key.
    pub duplicate: Option<DuplicateKey>,
    /// Whether the key of the member is meant, and not its value.
    pub is_key: bool,
}

/// The body, field or fact that a [`DiffPlace`] starts from.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum PlaceRoot {
    /// The body of the message.
    Body,
    /// A header field.
    Field(RepeatedName),
    /// A fact of the layer, such as `ALPN` or `tool call 0 id`.
    Fact(RepeatedName),
}

/// A name, and its number among equal names.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct RepeatedName {
    /// The name; in small letters for a header field.
    pub name: Cow<'static, str>,
    /// Which of several equal names, counted from one.
    pub nth: u32,
}

/// The number of an object's member among the members with an equal key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DuplicateKey {
    /// Which, in the order of the text, counted from one.
    pub nth: u32,
    /// How many there are; at least two.
    pub of: u32,
}

impl DiffPlace {
    /// A value in the JSON of a body, or all of a body where the path is empty.
    pub fn in_body(path: JsonPath) -> Self {
        Self::new(PlaceRoot::Body, path)
    }

    /// The first fact of that name.
    pub fn fact(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        Self::all_of(PlaceRoot::Fact(RepeatedName { name, nth: 1 }))
    }

    /// All of a field, a fact or a body.
    pub fn all_of(root: PlaceRoot) -> Self {
        Self::new(root, JsonPath::default())
    }

    fn new(root: PlaceRoot, path: JsonPath) -> Self {
        Self {
            root,
            path,
            duplicate: None,
            is_key: false,
        }
    }

    /// The places that contain this one, innermost first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> {
        let paths = std::iter::successors(self.path.parent(), |path| path.parent());
        paths.map(|path| Self::new(self.root.clone(), path.clone()))
    }

    /// The place with every array index replaced by [`PathStep::AnyItem`]: an item has another index where an array
    /// is longer.
    #[must_use]
    pub fn without_indices(&self) -> Self {
        let any = |step: &PathStep| match step {
            PathStep::Item(_) => PathStep::AnyItem,
            other => other.clone(),
        };
        let steps = self.path.steps();
        let path = steps
            .into_iter()
            .fold(JsonPath::default(), |path, step| path.join(any(step)));
        Self {
            path,
            ..self.clone()
        }
    }

    fn write_marks(&self, f: &mut impl fmt::Write) -> fmt::Result {
        if let Some(DuplicateKey { nth, of }) = self.duplicate {
            write!(f, " ({nth} of {of})")?;
        }
        f.write_str(if self.is_key { " (key)" } else { "" })
    }
}

/// `/stop/0`, `/a/arguments:/city`, `/a (1 of 2)`, `/a (key)`, `set-cookie (2)`, `tool call 0 arguments/city`.
impl fmt::Display for DiffPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            PlaceRoot::Body => {}
            PlaceRoot::Field(name) | PlaceRoot::Fact(name) => write!(f, "{name}")?,
        }
        write!(f, "{}", self.path)?;
        self.write_marks(f)
    }
}

impl fmt::Display for RepeatedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.nth {
            1 => f.write_str(&self.name),
            nth => write!(f, "{} ({nth})", self.name),
        }
    }
}

impl Serialize for DiffPlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The way from the outermost value of a JSON text to one inside it. Paths share their beginnings, since there may be
/// a million changes in one deep text.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct JsonPath(Option<Arc<(Self, PathStep)>>);

/// One step of a [`JsonPath`].
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub enum PathStep {
    /// To the member of that key.
    Key(Box<str>),
    /// To the item at that index.
    Item(usize),
    /// To all items of an array alike.
    AnyItem,
    /// Into the JSON text that a string holds.
    InString,
}

impl JsonPath {
    /// The path one step further in.
    #[must_use]
    pub fn join(&self, step: PathStep) -> Self {
        Self(Some(Arc::new((self.clone(), step))))
    }

    /// The path without its last step; `None` for the outermost value.
    pub fn parent(&self) -> Option<&Self> {
        self.0.as_ref().map(|last| &last.0)
    }

    /// The steps, outermost first.
    pub fn steps(&self) -> Vec<&PathStep> {
        let ends = std::iter::successors(self.0.as_deref(), |last| last.0.0.as_deref());
        let mut steps: Vec<_> = ends.map(|(_, step)| step).collect();
        steps.reverse();
        steps
    }

    /// How many strings that hold JSON the value is inside of.
    pub fn strings(&self) -> usize {
        let steps = self.steps().into_iter();
        steps.filter(|step| **step == PathStep::InString).count()
    }

    /// The path to the outermost string that the value is inside of; `None` where it is in none.
    pub fn outer_string(&self) -> Option<&Self> {
        let mut paths = std::iter::successors(Some(self), |path| path.parent());
        let is_in_string =
            |path: &&Self| matches!(path.0.as_deref(), Some((_, PathStep::InString)));
        paths.by_ref().filter(is_in_string).last()?.parent()
    }
}

/// A JSON Pointer (RFC 6901). `:` leads into the JSON of a string, `*` to every item.
impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps().into_iter().try_for_each(|step| match step {
            PathStep::Key(key) => write!(f, "/{}", key.replace('~', "~0").replace('/', "~1")),
            PathStep::Item(index) => write!(f, "/{index}"),
            PathStep::AnyItem => f.write_str("/*"),
            PathStep::InString => f.write_str(":"),
        })
    }
}

/// A pattern of places in which differences are noise: `/choices/*/id`. It matches all places inside them too.
#[derive(Clone, Debug)]
pub struct NoisePattern {
    /// Patterns of the root and of each step, where `*` matches any characters; `**` matches any number of steps.
    steps: Vec<String>,
}

impl NoisePattern {
    /// A pattern as it is printed: `/choices/*/id`, `**/trace_id`, `*request-id`.
    pub fn parse(text: &str) -> Self {
        let unescape = |step: &str| step.replace("~1", "/").replace("~0", "~");
        Self {
            steps: text.split('/').map(unescape).collect(),
        }
    }

    /// The pattern of one `--ignore PATH`: a path in a body may also be written with dots, as for `--set`.
    pub fn from_user(text: &str) -> Self {
        let is_name = text.starts_with('/') || !text.contains(['.', '[']);
        match ValuePath::parse(text) {
            Ok(path) if !is_name => Self::parse(&path.to_string()),
            _ => Self::parse(text),
        }
    }

    /// Returns whether the place, or one that contains it, matches.
    pub(super) fn matches(&self, place: &PlaceStepTexts<'_>) -> bool {
        match_steps(&self.steps, &place.0)
    }
}

/// A place as texts, which a [`NoisePattern`] is matched with: one for the root, empty for a body, and one for each step.
pub(super) struct PlaceStepTexts<'a>(Vec<StepTexts<'a>>);

struct StepTexts<'a> {
    bare: Cow<'a, str>,
    /// With all that is printed behind it, such as ` (2)`: users copy places from reports.
    marked: Option<String>,
}

impl<'a> PlaceStepTexts<'a> {
    pub(super) fn new(place: &'a DiffPlace) -> Self {
        let text = |bare| StepTexts { bare, marked: None };
        let mut last = match &place.root {
            PlaceRoot::Body => text(Cow::Borrowed("")),
            PlaceRoot::Field(name) | PlaceRoot::Fact(name) => StepTexts {
                bare: Cow::Borrowed(&name.name),
                marked: (name.nth > 1).then(|| name.to_string()),
            },
        };
        let mut texts = Vec::new();
        for step in place.path.steps() {
            let next = match step {
                PathStep::Key(key) => Cow::Borrowed(&**key),
                PathStep::Item(index) => Cow::Owned(index.to_string()),
                PathStep::AnyItem => Cow::Borrowed("*"),
                PathStep::InString => {
                    last.marked = Some(format!("{}:", last.bare));
                    continue;
                }
            };
            texts.push(std::mem::replace(&mut last, text(next)));
        }
        if place.duplicate.is_some() || place.is_key {
            let mut marked = last.marked.take().unwrap_or_else(|| last.bare.to_string());
            // Writing to a string does not fail.
            let _ = place.write_marks(&mut marked);
            last.marked = Some(marked);
        }
        texts.push(last);
        Self(texts)
    }
}

fn match_steps(pattern: &[String], place: &[StepTexts<'_>]) -> bool {
    let Some((step, rest)) = pattern.split_first() else {
        // The place is inside a place that matches.
        return true;
    };
    if step == "**" {
        return (0..=place.len()).any(|n| match_steps(rest, place.get(n..).unwrap_or_default()));
    }
    place.split_first().is_some_and(|(text, inner)| {
        let mut texts = [Some(&*text.bare), text.marked.as_deref()].into_iter();
        texts.any(|text| text.is_some_and(|text| match_text(step, text)))
            && match_steps(rest, inner)
    })
}

/// Returns whether a text matches, where `*` stands for any characters.
fn match_text(pattern: &str, text: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let Some(mut text) = text.strip_prefix(start) else {
        return false;
    };
    let (inner, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    for piece in inner.split('*') {
        match text.split_once(piece) {
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    text.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(pointer: &str) -> DiffPlace {
        let mut path = JsonPath::default();
        for step in pointer.split('/').skip(1) {
            let (step, holds_json) = match step.strip_suffix(':') {
                Some(step) => (step, true),
                None => (step, false),
            };
            path = path.join(match step.parse() {
                Ok(index) => PathStep::Item(index),
                Err(_) => PathStep::Key(step.into()),
            });
            if holds_json {
                path = path.join(PathStep::InString);
            }
        }
        DiffPlace::in_body(path)
    }

    fn is_match(pattern: &str, place: &DiffPlace) -> bool {
        NoisePattern::parse(pattern).matches(&PlaceStepTexts::new(place))
    }

    #[test]
    fn patterns_match_values_in_bodies() {
        let case = |pattern: &str, pointer: &str, expected: bool| {
            assert_eq!(
                is_match(pattern, &body(pointer)),
                expected,
                "{pattern} {pointer}"
            );
        };
        case("/id", "/id", true);
        case("/id", "/idx", false);
        case("/id", "/a/id", false);
        case("/id", "/id/inside", true);
        case("/choices/*/message", "/choices/0/message", true);
        case("/choices/*/message", "/choices/0/delta", false);
        case("/**/obfuscation", "/obfuscation", true);
        case("/**/obfuscation", "/a/b/obfuscation", true);
        case("**/trace_id", "/a/trace_id", true);
        case("/timings/**", "/timings", true);
        case("/timings/**", "/timings/prompt_ms", true);
        case("/usage/*_time", "/usage/queue_time", true);
        case("/usage/*_time", "/usage/tokens", false);
        case("/a/arguments", "/a/arguments:/city", true);
        case("/a/arguments:/city", "/a/arguments:/city", true);
        case("/a/arguments", "/a/arguments:", true);
    }

    #[test]
    fn patterns_match_names() {
        let case = |pattern: &str, name: &'static str, expected: bool| {
            assert_eq!(
                is_match(pattern, &DiffPlace::fact(name)),
                expected,
                "{pattern} {name}"
            );
        };
        case("*remaining*", "x-ratelimit-remaining-tokens", true);
        case("*-ms", "openai-processing-ms", true);
        case("*-ms", "x-ms-region", false);
        case("*request-id", "request-id", true);
        case("**", "TTFT", true);
        case("run *", "run 3: content", true);
        case("*tool call * id", "choice 1 tool call 0 id", true);
        case("*tool call * id", "tool call 0", false);
        case("a*a", "a", false);
        case("*a*b*", "xaxbx", true);
    }

    #[test]
    fn marks_may_be_left_out_of_a_pattern() {
        let key = DiffPlace {
            is_key: true,
            ..body("/a")
        };
        let duplicate = DiffPlace {
            duplicate: Some(DuplicateKey { nth: 1, of: 2 }),
            ..body("/a")
        };
        let name = RepeatedName {
            name: "x-mine".into(),
            nth: 2,
        };
        let field = DiffPlace::all_of(PlaceRoot::Field(name));
        for (place, text) in [
            (&key, "/a (key)"),
            (&duplicate, "/a (1 of 2)"),
            (&field, "x-mine (2)"),
        ] {
            assert_eq!(place.to_string(), text);
            assert!(is_match(text, place), "{text}");
            assert!(is_match(text.split(" (").next().unwrap(), place), "{text}");
        }
        assert!(!is_match("/a", &body("/a (old)")));
    }

    #[test]
    fn places_without_indices_are_shared_by_all_items() {
        let text = |pointer| body(pointer).without_indices().to_string();
        assert_eq!(text("/a/0/b:/12"), "/a/*/b:/*");
        let ancestors: Vec<_> = body("/a:/b").ancestors().map(|at| at.to_string()).collect();
        assert_eq!(ancestors, ["/a:", "/a", ""]);
        assert_eq!(
            body("/a/b:/c:/d").path.outer_string(),
            Some(&body("/a/b").path)
        );
    }
}
