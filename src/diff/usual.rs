//! The values that the exchanges of a baseline have at one place.

use std::fmt;

use serde::{Serialize, Serializer};

/// A summary of the values that the exchanges of a baseline have at the place of a change.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineValues {
    /// What their values have in common.
    pub range: BaselineRange,
    /// How many exchanges the baseline has.
    pub exchange_count: usize,
}

/// What the values of a baseline have in common: all are equal, or numbers in a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum BaselineRange {
    /// All have the same value.
    SameInAll,
    /// None has a value.
    InNone,
    /// All have a value.
    Always,
    /// Some have a value.
    Sometimes,
    /// Numbers or lengths between the least and the greatest.
    Between {
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
        /// What they count.
        unit: RangeUnit,
    },
    /// Values of one type that have no range.
    OneType,
}

/// What the bounds of a [`BaselineRange`] count.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RangeUnit {
    /// A whole number, or any number of a JSON text.
    Count,
    /// A number with a fraction.
    Fraction,
    /// Microseconds.
    Micros,
    /// Characters of a text.
    Characters,
}

impl fmt::Display for BaselineValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.exchange_count;
        match self.range {
            BaselineRange::SameInAll => return write!(f, "the same in all {n}"),
            BaselineRange::InNone => return write!(f, "in none of {n}"),
            BaselineRange::Always => write!(f, "always there"),
            BaselineRange::Sometimes => write!(f, "not always there"),
            BaselineRange::OneType => write!(f, "other values of one type"),
            BaselineRange::Between { min, max, unit } => match unit {
                RangeUnit::Count => write!(f, "{min} .. {max}"),
                RangeUnit::Fraction => write!(f, "{min:.1} .. {max:.1}"),
                RangeUnit::Micros => write!(f, "{:.2} .. {:.2} ms", min / 1e3, max / 1e3),
                RangeUnit::Characters => write!(f, "texts of {min} .. {max} characters"),
            },
        }?;
        write!(f, " (n = {n})")
    }
}

impl Serialize for BaselineValues {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
