//! How many tokens bytes are, roughly.

use serde::Serialize;

use super::segments::SegmentedPrompt;
use crate::chat::TokenUsage;

/// How tokens are estimated.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TokenEstimate {
    /// Tokens of the whole right prompt.
    pub prompt: u64,
    /// Where that number comes from. A part counts in proportion to its bytes.
    pub basis: TokenBasis,
    /// Bytes of inline pictures, sounds and files in right, which are left out.
    #[serde(skip_serializing_if = "is_zero")]
    pub inline: u64,
    /// Bytes of the right prompt without those.
    #[serde(skip)]
    text_bytes: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Where a number of tokens comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenBasis {
    /// The answer reports it.
    Usage,
    /// Four bytes are taken for a token.
    Bytes,
}

/// Bytes to a token where nothing is counted: about right for English, too many for code and other scripts.
const BYTES_PER_TOKEN: u64 = 4;

impl TokenEstimate {
    pub(super) fn for_prompt(prompt: &SegmentedPrompt<'_>, usage: Option<&TokenUsage>) -> Self {
        let text = prompt.size.text_bytes;
        let input = usage
            .and_then(|usage| usage.input)
            .filter(|input| *input > 0);
        Self {
            prompt: input.unwrap_or(text.div_euclid(BYTES_PER_TOKEN)),
            basis: match input {
                Some(_) => TokenBasis::Usage,
                None => TokenBasis::Bytes,
            },
            inline: prompt.size.bytes.saturating_sub(text),
            text_bytes: text,
        }
    }

    /// Tokens of so many bytes of text.
    pub(super) fn tokens_of(&self, text: u64) -> u64 {
        scale(self.prompt, text, self.text_bytes)
    }
}

/// `number` times `part` in `whole`.
pub(super) fn scale(number: u64, part: u64, whole: u64) -> u64 {
    let product = u128::from(number).saturating_mul(part.into());
    let scaled = product.checked_div(whole.into()).unwrap_or(0);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}
