//! The order in which an API puts the parts of a request together before it looks into its prompt cache. Each dialect
//! states its own, and whether it is documented or assumed.

use serde::{Serialize, Serializer};

/// The order of the parts of a prompt.
#[derive(Debug, Serialize)]
pub struct PromptOrder {
    /// Name of the dialect; empty for the order of the bytes.
    pub dialect: &'static str,
    /// The providers that use this order; empty: every provider of the dialect.
    #[serde(skip)]
    pub providers: &'static [&'static str],
    /// The parts, first to last.
    pub parts: &'static [PromptPart],
    /// How far it can be relied on.
    pub basis: PromptOrderBasis,
    /// What a reader should know of it, in words.
    pub note: &'static str,
    /// The page that documents it; empty where there is none.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub source: &'static str,
    /// Spellings that the API's documents call the same prompt.
    pub same: &'static [SpellingDifference],
    /// Spellings that its documents say break the cache.
    pub breaks: &'static [SpellingDifference],
}

impl PromptOrder {
    /// The order that a dialect fills in: no parts, not documented.
    pub(super) const ASSUMED: Self = Self {
        dialect: "",
        providers: &[],
        parts: &[],
        basis: PromptOrderBasis::Assumed,
        note: "",
        source: "",
        same: &[],
        breaks: &[],
    };

    /// The order of an unknown dialect: no parts, so that every member counts where it is.
    pub const RAW: Self = Self {
        basis: PromptOrderBasis::Raw,
        note: "no order is known for this kind of request: every member counts as it stands",
        ..Self::ASSUMED
    };
}

/// How well an order is known: documented by the provider, or assumed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptOrderBasis {
    /// The API's documents say so.
    Documented,
    /// No document says so.
    Assumed,
    /// The order of the bytes: the dialect's way to build a prompt is not known.
    Raw,
}

/// One part of a prompt.
#[derive(Clone, Copy, Debug)]
pub struct PromptPart {
    /// Its name: that of its member.
    pub name: &'static str,
    /// Paths at which it may be, as keys from the root; the first path that exists counts.
    pub places: &'static [&'static [&'static str]],
}

impl PromptPart {
    pub(super) const TOOLS: Self = Self::new("tools", &[&["tools"], &["functions"]]);
    pub(super) const SYSTEM: Self = Self::new("system", &[&["system"]]);
    pub(super) const MESSAGES: Self = Self::new("messages", &[&["messages"]]);

    pub(super) const fn new(
        name: &'static str,
        places: &'static [&'static [&'static str]],
    ) -> Self {
        Self { name, places }
    }
}

impl Serialize for PromptPart {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name)
    }
}

/// A difference in spelling between two JSON texts of the same value: white space, escapes, order of keys.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpellingDifference {
    /// White space between tokens.
    WhiteSpace,
    /// The order of the members of an object whose keys are the user's own: a schema, arguments.
    KeyOrder,
    /// The order of the members of a message, a tool or a block, whose keys the API defines.
    FieldOrder,
    /// Escapes in strings: `é` and `\u00e9`.
    Escapes,
    /// The text of numbers: `1` and `1.0`.
    Numbers,
    /// A text on one side, a list of one text block on the other.
    Shorthand,
}
