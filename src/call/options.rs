//! How a call is read: limits, dialect, retention, prices.

use std::borrow::Cow;

use crate::chat::{AnswerReadOptions, AnswerRetention};
use crate::content::DecodeLimits;
use crate::http1::HttpLimits;
use crate::price::PriceTable;

/// How a tape is read: limits of the decoders, the dialect, how much of the answer is kept, prices.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// Limits of the HTTP decoder.
    pub http1: HttpLimits,
    /// Limits of the content decoder.
    pub content: DecodeLimits,
    /// How the answer is read.
    pub answer: AnswerReadOptions,
    /// Prices for the cost estimate; the embedded table by default.
    pub prices: Cow<'static, PriceTable>,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            prices: Cow::Borrowed(PriceTable::embedded()),
            ..Self::without_prices(AnswerRetention::default())
        }
    }
}

impl ReadOptions {
    /// Options that keep `retention` of the answer and estimate no cost, so that the embedded price table is not parsed.
    pub fn without_prices(retention: AnswerRetention) -> Self {
        Self {
            http1: HttpLimits::default(),
            content: DecodeLimits::default(),
            answer: AnswerReadOptions {
                retention,
                ..AnswerReadOptions::default()
            },
            prices: Cow::Owned(PriceTable::default()),
        }
    }
}
