//! How the answers of an exchange are read: within which limits, in which dialect, and by which prices.

use std::borrow::Cow;

use super::args::{self, CommonArgs};
use super::env;
use super::error::CliError;
use crate::call::ReadOptions;
use crate::price::PriceTable;
use crate::{chat, content, http1};

/// Options of a verb that has `--dialect`, limits and prices.
pub(super) fn read_options(
    common: &CommonArgs,
    dialect: Option<&str>,
    limits: &args::LimitArgs,
) -> Result<ReadOptions, CliError> {
    let dialect = dialect.map(|name| {
        chat::dialect_by_name(name).ok_or_else(|| {
            let known: Vec<_> = chat::DIALECTS
                .iter()
                .map(|dialect| dialect.name())
                .collect();
            CliError::usage(format!("there is no dialect `{name}`"))
                .with_hint(format!("known are {}", known.join(", ")))
        })
    });
    Ok(ReadOptions {
        http1: http1_limits(limits),
        content: content_limits(limits),
        answer: chat::AnswerReadOptions {
            dialect: dialect.transpose()?,
            ..chat::AnswerReadOptions::default()
        },
        prices: load_prices(common)?,
    })
}

/// Returns the limits for heads.
fn http1_limits(args: &args::LimitArgs) -> http1::HttpLimits {
    http1::HttpLimits {
        head: args.max_head,
        ..http1::HttpLimits::default()
    }
}

/// Returns the limits for decoded bodies.
fn content_limits(args: &args::LimitArgs) -> content::DecodeLimits {
    let usual = content::DecodeLimits::default();
    content::DecodeLimits {
        size: args.max_decoded.unwrap_or(usual.size),
        held_size: args.max_decoded.unwrap_or(usual.held_size),
        ratio: args.max_ratio,
        ..usual
    }
}

/// Returns the embedded price table, with the user's own prices before it.
#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
pub(super) fn load_prices(common: &CommonArgs) -> Result<Cow<'static, PriceTable>, CliError> {
    let embedded = PriceTable::embedded();
    let Some(path) = common.prices.clone().or_else(|| env::path("WIRE_PRICES")) else {
        return Ok(Cow::Borrowed(embedded));
    };
    let bytes = std::fs::read(&path).map_err(|error| CliError::unreadable_file(&path, &error))?;
    let own = PriceTable::parse(&bytes).map_err(|error| {
        CliError::usage(format!("{}: {error}", path.display())).with_hint(
            r#"a file looks like {"models": [{"model": "...", "input": 0.15, "output": 0.6}]}"#,
        )
    })?;
    Ok(Cow::Owned(embedded.with_overrides(own)))
}
