//! The table of rules, read from `rules.txt`.

use std::sync::OnceLock;

use serde::{Serialize, Serializer};

use crate::chat::Severity;

/// A rule of `wire lint`.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub struct Rule {
    /// Id, stable: `sse-bom`.
    #[serde(rename = "rule")]
    pub id: &'static str,
    /// The layer that it is about.
    pub layer: RuleLayer,
    /// How serious a finding is, unless the finding says otherwise.
    pub severity: Severity,
    /// Whether what it finds is allowed.
    pub legal: Legality,
    /// The finding in words; `{name}` is a fact of the finding.
    pub says: &'static str,
    /// The clause, page or report that the rule comes from.
    pub source: &'static str,
    /// Bytes that would be right; empty where there is nothing to show.
    pub right: &'static str,
    /// The line of a report that already says it; empty where none does.
    #[serde(skip)]
    pub elsewhere: &'static str,
    /// Released clients and servers that are known to fail, each with the evidence.
    pub breaks: Vec<&'static str>,
}

/// The layer that a rule is about, in the order in which findings are shown.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleLayer {
    /// Lines of the capture file.
    Capture,
    /// Heads, framing, content codings.
    Http,
    /// The request.
    Request,
    /// Events of a stream.
    Sse,
    /// JSON texts.
    Json,
    /// The answer.
    Chat,
    /// Token counts and money.
    Usage,
    /// Arrival times.
    Timing,
}

impl RuleLayer {
    /// All layers with their names.
    const ALL: &[(&str, Self)] = &[
        ("capture", Self::Capture),
        ("http", Self::Http),
        ("request", Self::Request),
        ("sse", Self::Sse),
        ("json", Self::Json),
        ("chat", Self::Chat),
        ("usage", Self::Usage),
        ("timing", Self::Timing),
    ];

    /// The layer called `name`.
    pub fn find(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(own, _)| *own == name).map(|(_, layer)| *layer)
    }

    /// The name of the layer.
    pub fn name(self) -> &'static str {
        let mut all = Self::ALL.iter();
        all.find(|(_, layer)| *layer == self)
            .map_or("", |(name, _)| *name)
    }
}

/// Whether what a rule finds is allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Legality {
    /// Allowed, but some clients do not expect it.
    Legal,
    /// Against a standard.
    Illegal,
    /// Against the form that the API itself documents.
    DialectIllegal,
}

impl Legality {
    /// The legality in words.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Legal => "legal",
            Self::Illegal => "not legal",
            Self::DialectIllegal => "not legal in this dialect",
        }
    }
}

impl Serialize for Legality {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Legal => to.serialize_bool(true),
            Self::Illegal => to.serialize_bool(false),
            Self::DialectIllegal => to.serialize_str("dialect-illegal"),
        }
    }
}

/// All rules, in the order of the table.
pub fn all_rules() -> &'static [Rule] {
    static RULES: OnceLock<Vec<Rule>> = OnceLock::new();
    RULES.get_or_init(|| {
        let blocks = include_str!("rules.txt").split("\n[").skip(1);
        blocks.filter_map(read_block).collect()
    })
}

/// The rule called `id`.
pub fn find_rule(id: &str) -> Option<&'static Rule> {
    all_rules().iter().find(|rule| rule.id == id)
}

/// Reads a block of the table, without its opening bracket.
fn read_block(block: &'static str) -> Option<Rule> {
    let mut lines = block.lines();
    let (id, kinds) = lines.next()?.split_once(']')?;
    let mut kinds = kinds.split_whitespace();
    let mut rule = Rule {
        id,
        layer: RuleLayer::find(kinds.next()?)?,
        severity: Severity::find(kinds.next()?)?,
        legal: read_legality(kinds.next()?)?,
        says: "",
        source: "",
        right: "",
        elsewhere: "",
        breaks: Vec::new(),
    };
    for line in lines {
        let Some((key, text)) = line.split_once(' ') else {
            continue;
        };
        match key {
            "says" => rule.says = text.trim(),
            "source" => rule.source = text.trim(),
            "right" => rule.right = text.trim(),
            "elsewhere" => rule.elsewhere = text.trim(),
            "breaks" => rule.breaks.push(text.trim()),
            _ => {}
        }
    }
    Some(rule)
}

fn read_legality(word: &str) -> Option<Legality> {
    Some(match word {
        "legal" => Legality::Legal,
        "illegal" => Legality::Illegal,
        "dialect-illegal" => Legality::DialectIllegal,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_of_the_table_is_read() {
        let blocks = include_str!("rules.txt").matches("\n[").count();
        assert_eq!(all_rules().len(), blocks);
        for rule in all_rules() {
            assert!(
                !rule.says.is_empty() && !rule.source.is_empty(),
                "{}",
                rule.id
            );
        }
    }

    #[test]
    fn every_rule_of_the_answer_reader_is_in_the_table() {
        for id in crate::chat::note::rule::ALL {
            assert!(find_rule(id).is_some(), "{id}");
        }
    }

    #[test]
    fn ids_are_unique() {
        let mut ids: Vec<_> = all_rules().iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        let all = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), all);
    }
}
