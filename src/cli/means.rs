//! How the answers of an exchange are read: within which limits, in which dialect, and by which prices.

use super::args::{self, Common};
use super::complain::Complaint;
use super::env;
use crate::price::Prices;
use crate::{chat, content, http1};

/// How answers are read and priced.
pub(super) struct Means {
    pub(super) limits: (http1::HttpLimits, content::DecodeLimits),
    pub(super) options: chat::Options,
    pub(super) prices: Prices,
}

impl Means {
    /// From the arguments of every verb, of its output and its limits.
    pub(super) fn new(
        common: &Common,
        output: &args::Output,
        limits: &args::Limits,
    ) -> Result<Self, Complaint> {
        Self::read(common, output.dialect.as_deref(), limits)
    }

    /// The same where a verb has no output like that of `send`.
    pub(super) fn read(
        common: &Common,
        dialect: Option<&str>,
        limits: &args::Limits,
    ) -> Result<Self, Complaint> {
        let dialect = dialect.map(|name| {
            chat::by_name(name).ok_or_else(|| {
                let known: Vec<_> = chat::DIALECTS
                    .iter()
                    .map(|dialect| dialect.name())
                    .collect();
                Complaint::usage(format!("there is no dialect `{name}`"))
                    .hint(format!("known are {}", known.join(", ")))
            })
        });
        Ok(Self {
            limits: (http1_limits(limits), content_limits(limits)),
            options: chat::Options {
                dialect: dialect.transpose()?,
                ..chat::Options::default()
            },
            prices: table(common)?,
        })
    }
}

/// What decoders of messages may take.
fn http1_limits(args: &args::Limits) -> http1::HttpLimits {
    http1::HttpLimits {
        head: args.max_head,
        ..http1::HttpLimits::default()
    }
}

/// What decoders of bodies may take.
fn content_limits(args: &args::Limits) -> content::DecodeLimits {
    let usual = content::DecodeLimits::default();
    content::DecodeLimits {
        size: args.max_decoded.unwrap_or(usual.size),
        held_size: args.max_decoded.unwrap_or(usual.held_size),
        ratio: args.max_ratio,
        ..usual
    }
}

/// The embedded table, with the user's own entries before it.
#[expect(clippy::disallowed_methods, reason = "cli/ reads the user's files")]
pub(super) fn table(common: &Common) -> Result<Prices, Complaint> {
    let embedded = Prices::embedded();
    let Some(path) = common.prices.clone().or_else(|| env::path("WIRE_PRICES")) else {
        return Ok(embedded.clone());
    };
    let bytes = std::fs::read(&path).map_err(|error| Complaint::file(&path, &error))?;
    let own = Prices::parse(&bytes).map_err(|error| {
        Complaint::usage(format!("{}: {error}", path.display())).hint(
            r#"a file looks like {"models": [{"model": "...", "input": 0.15, "output": 0.6}]}"#,
        )
    })?;
    Ok(embedded.with(own))
}
