//! Estimates of tokens from bytes.

use serde::Serialize;

use super::segments::SegmentedPrompt;
use crate::chat::TokenUsage;

/// Estimate of the tokens of a prompt, by its bytes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct TokenEstimate {
    /// Tokens of the whole right prompt.
    pub prompt: u64,
    /// Basis of that number. A part counts in proportion to its bytes.
    pub basis: TokenBasis,
    /// Bytes of inline pictures, sounds and files in right, which are not counted.
    #[serde(skip_serializing_if = "is_zero")]
    pub inline: u64,
    /// Bytes of the right prompt without inline data.
    #[serde(skip)]
    text_bytes: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Basis of a number of tokens.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenBasis {
    /// Reported by the answer.
    Usage,
    /// Estimated: four bytes per token.
    Bytes,
}

/// Bytes per token if the answer counts none: about right for English, too many for code and other scripts.
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

    /// Estimated tokens of `text` bytes of text.
    pub(super) fn tokens_of(&self, text: u64) -> u64 {
        scale(self.prompt, text, self.text_bytes)
    }
}

/// `number * part / whole`; zero if `whole` is zero.
pub(super) fn scale(number: u64, part: u64, whole: u64) -> u64 {
    let product = u128::from(number).saturating_mul(part.into());
    let scaled = product.checked_div(whole.into()).unwrap_or(0);
    u64::try_from(scaled).unwrap_or(u64::MAX)
}
