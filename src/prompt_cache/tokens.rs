//! How many tokens bytes are, roughly.

use serde::Serialize;

use super::segments::Prompt;
use crate::chat::Usage;

/// How tokens are estimated.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Estimate {
    /// Tokens of the whole right prompt.
    pub prompt: u64,
    /// Where that number comes from. A part counts in proportion to its bytes.
    pub basis: Counted,
    /// Bytes of inline pictures, sounds and files in right, which are left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub inline: u64,
    /// Bytes of the right prompt without those.
    #[serde(skip)]
    text: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Where a number of tokens comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// The answer reports it.
    Usage,
    /// Four bytes are taken for a token.
    Bytes,
}

/// Bytes to a token where nothing is counted: about right for English, too many for code and other scripts.
const BYTES: u64 = 4;

impl Estimate {
    pub(super) fn of_prompt(prompt: &Prompt<'_>, usage: Option<&Usage>) -> Self {
        let text = prompt.size.text;
        let input = usage
            .and_then(|usage| usage.input)
            .filter(|input| *input > 0);
        Self {
            prompt: input.unwrap_or(text.div_euclid(BYTES)),
            basis: match input {
                Some(_) => Counted::Usage,
                None => Counted::Bytes,
            },
            inline: prompt.size.bytes.saturating_sub(text),
            text,
        }
    }

    /// Tokens of so many bytes of text.
    pub(super) fn of(&self, text: u64) -> u64 {
        scaled(self.prompt, text, self.text)
    }
}

/// `number` times `part` in `whole`.
pub(super) fn scaled(number: u64, part: u64, whole: u64) -> u64 {
    let product = u128::from(number).saturating_mul(part.into());
    let scaled = product.checked_div(whole.into()).unwrap_or(0);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}
