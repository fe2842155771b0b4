//! Compares the model that was asked for with the one that answered: an alias, a dated snapshot, or another.

use serde::Serialize;

/// How the model that answered compares to the one that was asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelMatch {
    /// The same name.
    Same,
    /// The asked name is an alias of this dated snapshot.
    Snapshot,
    /// The asked name currently refers to this one: a named tier, the choice of `latest` or of a router.
    Alias,
    /// The same but for a vendor, a region, a variant, or a date that the answer leaves out.
    Renamed,
    /// The asked name is that of a deployment, which can be anything.
    Deployment,
    /// Another model.
    Different,
}

impl ModelMatch {
    /// The meaning in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Same => "the model that was asked for",
            Self::Snapshot => "the dated snapshot behind the alias that was asked for",
            Self::Alias => "what the asked name stands for now",
            Self::Renamed => "the same model under another name (vendor, region, date)",
            Self::Deployment => "the model behind the deployment that was asked for",
            Self::Different => "another model than was asked for",
        }
    }
}

/// Compares the asked name with the served name.
pub fn compare_models(asked: &str, served: &str) -> ModelMatch {
    if asked == served {
        return ModelMatch::Same;
    }
    let (asked_core, served_core) = (base_model_name(asked), base_model_name(served));
    if asked_core == served_core {
        return ModelMatch::Renamed;
    }
    let is_moving_name = |(name, begins): &(&str, &str)| {
        // The full name: the version of `davinci:2023-07-21-v2` comes after a colon.
        asked_core == *name
            && served
                .rsplit('/')
                .next()
                .unwrap_or(served)
                .starts_with(begins)
    };
    if MOVING_NAMES.iter().any(is_moving_name) {
        return ModelMatch::Alias;
    }
    let undated = without_date(&served_core);
    if undated != served_core && same_words(&asked_core, undated) {
        return ModelMatch::Snapshot;
    }
    let moving = ["latest", "auto"]
        .iter()
        .any(|word| asked_core.ends_with(word));
    let tier = undated.strip_prefix(asked_core.as_str());
    let tier = tier.and_then(|rest| rest.strip_prefix('-'));
    let is_tier = |tier: &str| {
        !tier
            .split('-')
            .any(|word| VARIANT_WORDS.split(' ').any(|known| known == word))
    };
    match moving || tier.is_some_and(is_tier) {
        true => ModelMatch::Alias,
        false if same_words(without_date(&asked_core), &served_core) => ModelMatch::Renamed,
        false => ModelMatch::Different,
    }
}

/// Names that a provider points at its newest model, whose name shares no words with them, each with the beginning of the
/// served names. Sources: <https://api-docs.deepseek.com/quick_start/pricing>; recorded answers of OpenAI's `/completions`
/// and of Bedrock.
const MOVING_NAMES: &[(&str, &str)] = &[
    ("deepseek-chat", "deepseek-v"),
    ("deepseek-reasoner", "deepseek-v"),
    ("davinci-002", "davinci:"),
    ("babbage-002", "babbage:"),
    ("claude-v2", "claude-2."),
];

/// Words after a name that make it another model of the family, and not a tier of the same.
const VARIANT_WORDS: &str = "mini nano micro lite small medium large flash fast turbo pro max plus chat instruct \
    base vision audio realtime search codex coder reasoning thinking image tts transcribe embedding deep";

/// The name without vendor, region and variant, in lower case.
pub(crate) fn base_model_name(name: &str) -> String {
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.split(':').next().unwrap_or(name);
    let regions = ["us.", "eu.", "apac.", "au.", "jp.", "us-gov.", "global."];
    let name = regions
        .iter()
        .find_map(|region| name.strip_prefix(region))
        .unwrap_or(name);
    let name = match name.strip_prefix("anthropic.") {
        Some(name) => without_bedrock_version(name),
        None => name,
    };
    name.to_ascii_lowercase()
}

/// The name without the version that Bedrock adds: `claude-opus-4-6-v1`. Without digits before it, it is the model's own:
/// `claude-v2`.
fn without_bedrock_version(name: &str) -> &str {
    let stems = ["-v1", "-v2"].into_iter();
    let mut stems = stems.filter_map(|version| name.strip_suffix(version));
    let has_digits = |stem: &&str| stem.bytes().any(|byte| byte.is_ascii_digit());
    stems.find(has_digits).unwrap_or(name)
}

/// The name without the date at its end: `-2024-07-18`, `-20250929`, `@20250929`, `-2603`.
pub(crate) fn without_date(name: &str) -> &str {
    let is_date =
        |text: &str| matches!(text.len(), 4 | 8) && text.bytes().all(|byte| byte.is_ascii_digit());
    crate::price::without_date(name).unwrap_or(match name.rsplit_once(['-', '@']) {
        Some((rest, last)) if is_date(last) => rest,
        _ => name,
    })
}

/// Whether both names have the same words in any order and the same numbers in the same order: `claude-sonnet-4.5`,
/// `claude-4.5-sonnet`.
fn same_words(one: &str, other: &str) -> bool {
    let words = |name: &str| {
        let words = name.split(['-', '.', '_']).map(str::to_owned);
        let (numbers, mut words): (Vec<_>, Vec<_>) =
            words.partition(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        words.sort_unstable();
        (numbers, words)
    };
    words(one) == words(other)
}

#[cfg(test)]
mod tests {
    use super::{ModelMatch, compare_models};

    #[test]
    fn names_are_compared_by_the_rule() {
        let cases = [
            ("gpt-4o", "gpt-4o", ModelMatch::Same),
            ("gpt-4o", "gpt-4o-2024-08-06", ModelMatch::Snapshot),
            (
                "claude-sonnet-4-5",
                "claude-sonnet-4-5-20250929",
                ModelMatch::Snapshot,
            ),
            (
                "claude-sonnet-4-5",
                "claude-sonnet-4-5@20250929",
                ModelMatch::Snapshot,
            ),
            (
                "anthropic/claude-sonnet-4.5",
                "anthropic/claude-4.5-sonnet-20250929",
                ModelMatch::Snapshot,
            ),
            ("mistral-small", "mistral-small-2603", ModelMatch::Snapshot),
            (
                "us.anthropic.claude-haiku-4-5-20251001-v1:0",
                "claude-haiku-4-5-20251001",
                ModelMatch::Renamed,
            ),
            ("anthropic.claude-v2:1", "claude-2.1", ModelMatch::Alias),
            (
                "anthropic.claude-opus-4-6-v1",
                "claude-haiku-4-5-20251001",
                ModelMatch::Different,
            ),
            ("gpt-5.6", "gpt-5.6-sol", ModelMatch::Alias),
            ("gemini-flash-latest", "gemini-3.8-flash", ModelMatch::Alias),
            ("openrouter/auto", "openai/gpt-4o", ModelMatch::Alias),
            ("deepseek-chat", "deepseek-v4-flash", ModelMatch::Alias),
            ("davinci-002", "davinci:2023-07-21-v2", ModelMatch::Alias),
            (
                "davinci-002",
                "babbage:2023-07-21-v2",
                ModelMatch::Different,
            ),
            (
                "gemini-2.5-pro",
                "models/gemini-2.5-pro",
                ModelMatch::Renamed,
            ),
            (
                "minimax/minimax-m2:free",
                "minimax/minimax-m2",
                ModelMatch::Renamed,
            ),
            (
                "gemini-3.7-flash",
                "gemini-3.8-flash",
                ModelMatch::Different,
            ),
            ("gpt-4o", "gpt-4o-mini-2024-07-18", ModelMatch::Different),
            ("gpt-5.6", "gpt-5.6-mini", ModelMatch::Different),
            ("gpt-4.5", "gpt-5.4", ModelMatch::Different),
            (
                "claude-3-5-sonnet",
                "claude-5-3-sonnet",
                ModelMatch::Different,
            ),
            ("gpt-4o-2024-08-06", "gpt-4o", ModelMatch::Renamed),
            (
                "gpt-4o-2024-08-06",
                "gpt-4o-2024-05-13",
                ModelMatch::Different,
            ),
        ];
        for (asked, served, expected) in cases {
            assert_eq!(compare_models(asked, served), expected, "{asked} {served}");
        }
    }
}
